//! The delete engine: cascades, restrictions, cleared lookups, the recycle bin.

use std::collections::{BTreeSet, VecDeque};

use jiff::SignedDuration;

use super::definition::OnDelete;
use super::table::{Lingering, RowState};
use super::world::{DeleteEvent, Position, Relation};
use super::{ItemError, RecordKey, Value, WeightLimit, World};
use crate::sandbox::draw::draw;

/// How long a deleted record stays in the recycle bin (documented: 15 days).
const RETENTION: SignedDuration = SignedDuration::from_hours(15 * 24);

/// The most records one deletion may take with it ([guess]: the vendor names the code, not the number).
const LARGEST_CASCADE: usize = 100_000;

/// Where a deleted record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteMode {
    /// Into the recycle bin.
    Soft,
    /// Nowhere: it cannot be restored through any interface.
    Hard,
}

/// A deletion to be carried out.
#[derive(Clone, Copy, Debug)]
pub struct Deletion {
    /// Where the records go.
    pub mode: DeleteMode,
    /// Whether one failure undoes the whole call.
    pub all_or_none: bool,
    /// Who deletes.
    pub user: RecordKey,
}

/// Everything one deletion touches.
struct Extent {
    members: Vec<Position>,
    cleared: Vec<(Position, usize)>,
}

impl World {
    /// Deletes records named by text, each by itself or all together, and answers in the order of the request.
    ///
    /// A name that comes twice is refused the second time (a guess: `DUPLICATE_VALUE`).
    pub fn delete<T: AsRef<str>>(&mut self, ids: &[T], deletion: Deletion) -> Vec<Result<(), ItemError>> {
        if let Some(error) = self.too_heavy(ids, deletion.user) {
            return ids.iter().map(|_| Err(error.clone())).collect();
        }
        let mut seen = BTreeSet::new();
        let mut delete_all =
            |world: &mut Self| ids.iter().map(|id| world.delete_named(id.as_ref(), deletion, &mut seen)).collect::<Vec<_>>();
        if !deletion.all_or_none {
            return delete_all(self);
        }
        let mut outcomes = self.transaction(delete_all, |outcomes| outcomes.iter().all(Result::is_ok));
        if outcomes.iter().any(Result::is_err) {
            for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_ok()) {
                *outcome = Err(ItemError::rolled_back());
            }
        }
        outcomes
    }

    /// What is said of a transaction that deletes too much, if it does.
    fn too_heavy<T: AsRef<str>>(&mut self, ids: &[T], user: RecordKey) -> Option<ItemError> {
        let limit = self.weight_limit.clone()?;
        let keys: Vec<RecordKey> = ids.iter().filter_map(|id| RecordKey::parse(id.as_ref()).ok()).collect();
        let roots: Vec<Position> =
            keys.into_iter().filter(|key| self.exists(*key)).filter_map(|key| self.locate(key)).collect();
        let weight: usize =
            roots.into_iter().filter_map(|root| self.extent(root, user).ok()).map(|extent| extent.members.len()).sum();
        (weight > limit.records).then_some(limit.error)
    }

    /// From now on one transaction bears so much: the vendor's limit on what goes along, or one that the org's own logic meets.
    pub fn limit_weight(&mut self, limit: Option<WeightLimit>) {
        self.weight_limit = limit;
    }

    /// Does `work` in one transaction: unless `keeps` its result, everything that was deleted in it is there again.
    /// Transactions may stand in each other.
    pub(in crate::sandbox) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> T,
        keeps: impl FnOnce(&T) -> bool,
    ) -> T {
        let (rows, events) = (self.undo.len(), self.events.len());
        self.transactions += 1;
        let result = work(self);
        self.transactions -= 1;
        if !keeps(&result) {
            for ((table, row), before) in self.undo.drain(rows..).rev() {
                self.tables[table].rows[row] = before;
            }
            self.events.truncate(events);
        }
        if self.transactions == 0 {
            self.undo.clear();
        }
        result
    }

    /// Remembers rows as they are before they change, while a transaction is open.
    fn remember(&mut self, positions: impl Iterator<Item = Position>) {
        if self.transactions > 0 {
            let tables = &self.tables;
            self.undo.extend(positions.map(|(table, row)| ((table, row), tables[table].rows[row].clone())));
        }
    }

    fn delete_named(&mut self, id: &str, deletion: Deletion, seen: &mut BTreeSet<RecordKey>) -> Result<(), ItemError> {
        let key = RecordKey::parse(id).map_err(|_| ItemError::new("MALFORMED_ID", format!("malformed id {}", id.trim())))?;
        if !seen.insert(key) {
            return Err(ItemError::new("DUPLICATE_VALUE", format!("duplicate id specified: {key}")));
        }
        self.delete_one(key, deletion)
    }

    fn delete_one(&mut self, key: RecordKey, deletion: Deletion) -> Result<(), ItemError> {
        let unknown = || ItemError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id");
        let root = self.locate(key).ok_or_else(unknown)?;
        let state = self.tables[root.0].rows[root.1].state;
        match (state, deletion.mode) {
            (RowState::Gone, _) => return Err(unknown()),
            (RowState::Binned(_), DeleteMode::Soft) => return Err(ItemError::new("ENTITY_IS_DELETED", "entity is deleted")),
            _ => {}
        }
        self.check_rights(root.0, deletion.user)?;
        self.check_refusals(key)?;
        self.check_locks(key)?;
        if let RowState::Binned(event) = state {
            // Hard-deleting what is in the bin is accepted, as a purge ([guess]).
            self.purge_members(event, key);
            return Ok(());
        }
        let extent = self.extent(root, deletion.user)?;
        let cleared = extent.cleared.iter().map(|(position, _)| *position);
        self.remember(extent.members.iter().copied().chain(cleared));
        self.carry_out(extent, deletion.mode);
        Ok(())
    }

    fn check_rights(&self, table: usize, user: RecordKey) -> Result<(), ItemError> {
        let definition = &self.tables[table].definition;
        if !definition.deletable {
            // Which code the vendor uses for an object that cannot be deleted: guess.
            let message = format!("entity type {} does not support delete", definition.name);
            return Err(ItemError::new("INVALID_TYPE_FOR_OPERATION", message));
        }
        if self.may_delete(&self.tables[table].definition.name, user) {
            return Ok(());
        }
        Err(ItemError::new("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"))
    }

    /// Whether a user's permissions let them delete records of an object.
    pub(in crate::sandbox) fn may_delete(&self, object: &str, user: RecordKey) -> bool {
        self.users.get(&user).is_some_and(|user| !user.permissions.delete_denied.contains(object))
    }

    /// Whether a user's permissions let them see an object at all.
    pub(in crate::sandbox) fn may_read(&self, object: &str, user: RecordKey) -> bool {
        self.users.get(&user).is_some_and(|user| !user.permissions.read_denied.contains(object))
    }

    fn check_refusals(&mut self, key: RecordKey) -> Result<(), ItemError> {
        let Some((error, times)) = self.refusals.get_mut(&key) else { return Ok(()) };
        let error = error.clone();
        if let Some(left) = times {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.refusals.remove(&key);
            }
        }
        Err(error)
    }

    /// Finds one record in sixteen locked by somebody else, the first time that it is to go.
    fn check_locks(&mut self, key: RecordKey) -> Result<(), ItemError> {
        let Some(met) = &mut self.locked_once else { return Ok(()) };
        let is_locked = draw(self.seed, key.fifteen()).is_multiple_of(16) && met.insert(key);
        if is_locked { Err(ItemError::locked(&[key])) } else { Ok(()) }
    }

    /// What goes and what is cleared when `root` goes, or why it cannot.
    fn extent(&mut self, root: Position, user: RecordKey) -> Result<Extent, ItemError> {
        let mut extent = Extent { members: vec![root], cleared: Vec::new() };
        let mut seen = BTreeSet::from([root]);
        let mut waiting = VecDeque::from([root]);
        let mut blocking: Vec<Position> = Vec::new();
        let mut restricting: Vec<Position> = Vec::new();
        while let Some(parent) = waiting.pop_front() {
            for relation in self.relations[parent.0].clone() {
                for child in self.children_by(&relation, parent) {
                    match &relation.on_delete {
                        OnDelete::Clear => extent.cleared.push((child, relation.child_field)),
                        OnDelete::Restrict => restricting.push(child),
                        OnDelete::CascadeUnless(_) if self.is_true(child, relation.unless) => blocking.push(child),
                        OnDelete::Cascade | OnDelete::CascadeUnless(_) => {
                            if seen.insert(child) {
                                self.check_cascade(child.0, user)?;
                                extent.members.push(child);
                                waiting.push_back(child);
                            }
                        }
                    }
                }
                if extent.members.len() > LARGEST_CASCADE {
                    return Err(ItemError::new("DELETE_OPERATION_TOO_LARGE", "delete operation too large"));
                }
            }
        }
        blocking.extend(restricting.into_iter().filter(|child| !seen.contains(child)));
        if !blocking.is_empty() {
            return Err(self.blocked(root, &blocking));
        }
        extent.cleared.retain(|(child, _)| !seen.contains(child));
        Ok(extent)
    }

    fn check_cascade(&self, table: usize, user: RecordKey) -> Result<(), ItemError> {
        if self.may_delete(&self.tables[table].definition.name, user) {
            return Ok(());
        }
        // The code is documented; the text is a guess.
        let label = &self.tables[table].definition.label_plural;
        Err(ItemError::new("DELETE_REQUIRED_ON_CASCADE", format!("delete permission on {label} is required by the cascade")))
    }

    fn children_by(&mut self, relation: &Relation, parent: Position) -> Vec<Position> {
        let key = self.tables[parent.0].rows[parent.1].key;
        let table = &mut self.tables[relation.child_table];
        table.index_children(relation.child_field);
        table.live_children(relation.child_field, key).into_iter().map(|row| (relation.child_table, row)).collect()
    }

    fn is_true(&self, (table, row): Position, field: Option<usize>) -> bool {
        let table = &self.tables[table];
        field.is_some_and(|field| table.own_value(&table.rows[row], field) == Value::Boolean(true))
    }

    /// The recorded text: the record's name, what it is associated with, the names of those, a line feed.
    fn blocked(&self, root: Position, blocking: &[Position]) -> ItemError {
        let first = blocking[0].0;
        let names: Vec<String> =
            blocking.iter().filter(|(table, _)| *table == first).take(10).map(|position| self.name_of(*position)).collect();
        let message = format!(
            "Your attempt to delete {} could not be completed because it is associated with the following {}.: {}\n",
            self.name_of(root),
            self.tables[first].definition.label_plural.to_lowercase(),
            names.join(", ")
        );
        ItemError::new("DELETE_FAILED", message)
    }

    fn name_of(&self, (table, row): Position) -> String {
        let table = &self.tables[table];
        let place = table.place(&table.definition.name_field);
        let name = place.map(|place| table.value(&table.rows[row], place).to_text()).unwrap_or_default();
        if name.is_empty() { table.rows[row].key.to_string() } else { name }
    }

    fn carry_out(&mut self, extent: Extent, mode: DeleteMode) {
        let now = self.now.as_second();
        let state = match mode {
            DeleteMode::Soft => RowState::Binned(self.events.len() as u32),
            DeleteMode::Hard => RowState::Gone,
        };
        let mut members = Vec::with_capacity(extent.members.len());
        for (table, row) in extent.members {
            let table = &mut self.tables[table];
            let row = &mut table.rows[row];
            if self.query_lag.is_some() {
                let (modified, stamped) = (row.modified, row.stamped);
                table.lingering.insert(row.key, Lingering { deleted: now, modified, stamped });
            }
            row.state = state;
            row.modified = now;
            row.stamped = now;
            members.push(row.key);
        }
        for ((table, row), field) in extent.cleared {
            self.tables[table].set(row, field, Value::Null);
            self.tables[table].rows[row].stamped = now;
        }
        if mode == DeleteMode::Soft {
            self.events.push(DeleteEvent { at: self.now, members });
        }
    }

    /// Puts one record into the bin by itself, without a look at its children: for seeds that hold deleted records.
    pub(in crate::sandbox) fn put_into_bin(&mut self, key: RecordKey) {
        if let Some(position) = self.locate(key) {
            self.carry_out(Extent { members: vec![position], cleared: Vec::new() }, DeleteMode::Soft);
        }
    }

    /// Takes records that one event put into the bin out of it for good: the named one, or all if it was the one that
    /// the event was about.
    fn purge_members(&mut self, event: u32, named: RecordKey) {
        let members = &self.events[event as usize].members;
        let keys = if members.first() == Some(&named) { members.clone() } else { vec![named] };
        for key in keys {
            let Some((table, row)) = self.locate(key) else { continue };
            if self.tables[table].rows[row].state == RowState::Binned(event) {
                self.remember(std::iter::once((table, row)));
                self.tables[table].rows[row].state = RowState::Gone;
            }
        }
    }

    /// Empties the bin of what has been there for the whole retention.
    pub(super) fn purge(&mut self) {
        while let Some(event) = self.events.get(self.purged) {
            if event.at.duration_until(self.now) < RETENTION {
                break;
            }
            if let Some(root) = event.members.first().copied() {
                self.purge_members(self.purged as u32, root);
            }
            self.purged += 1;
        }
    }
}
