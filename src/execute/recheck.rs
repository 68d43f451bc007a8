//! The recheck: which planned records must not be sent, or not be sent any more.

use std::io;

use crate::apply::SkipCause;
use crate::base::{CommandError, PolicyName, RecordId};
use crate::plan::{self, OpenCascade, PlannedPolicy, PolicyCalls, Population, RecheckVerdict, Row, intersect};
use crate::select::{AT_ONCE, Held, IfMoving, Layout, PlannedIds, Selection, Selector, broken_selection};
use crate::store::{Bundle, RowSorter, Scratch, SortOrder, SortedRows};

/// More bytes of what was found do not stay in memory: there are as many of them as policies.
const KEPT_IN_MEMORY: usize = 64 * 1024;

/// What the recheck of one policy found.
pub struct Recheck {
    /// The planned records that must not be sent, by id, each with the word of its [`SkipCause`]. What this run has deleted is
    /// among them, since it does not match any more.
    pub excluded: SortedRows,
    /// The other planned records in the order in which they are sent, each with the value that keeps it together with others;
    /// `None` where they are sent in the order of their ids.
    pub grouped: Option<SortedRows>,
    /// How many planned records may be sent.
    pub cleared: u64,
    /// How many records match now and were planned neither here nor by another policy that had them at the time of the plan.
    pub waiting: u64,
    /// How many records the object has now.
    pub population: Population,
    /// The calls that the policy adds to those of its target, and what one reading of the target's holds takes.
    pub calls: (PolicyCalls, u64),
    /// Cascades to held records that could not be followed to their end.
    pub open: Vec<OpenCascade>,
}

/// Rechecks one policy of a plan.
pub struct Rechecking<'a> {
    /// Selects by the manifests as they are now: holds that are younger than the plan count.
    pub selector: Selector<'a>,
    /// The plan.
    pub bundle: &'a Bundle,
    /// Its policy.
    pub planned: &'a PlannedPolicy,
    /// What to do about a selection that moves while it is read. Jobs of this run may be at work on the very records.
    pub if_moving: IfMoving,
    /// Where rows go that do not fit into memory.
    pub scratch: Scratch,
}

impl Rechecking<'_> {
    /// Sends the sealed query, and compares what it gives with the plan and the holds of now.
    ///
    /// This can only shrink the plan: a record that is not in it is counted and never handed on.
    ///
    /// # Errors
    ///
    /// When the selection cannot be read. Nothing may then be sent: nobody knows what must stay.
    pub async fn run(&self) -> Result<Recheck, CommandError> {
        let PlannedPolicy { policy: name, settings, query, .. } = self.planned;
        let broken = |error: io::Error| broken_selection(name, &error);
        let connection = self.selector.connection(&settings.target)?;
        let capabilities = connection.capabilities();
        let calls = (self.selector.policy_calls(connection, self.planned), self.selector.hold_calls(&settings.target));
        let planned = match query.listed() {
            Some(_) => Some(PlannedIds { count: self.planned.selected, ids: Box::new(planned_ids(self.bundle, name)?) }),
            None => None,
        };
        let fresh = self.selector.select(name, &settings.target, query, self.if_moving, planned).await?;
        let kept = self.kept(self.selector.held(&settings.target, &query.object), &fresh)?;

        let layout = Layout::of_planned(self.planned, &capabilities);
        let mut excluded = self.sorter(SortOrder::Id);
        let mut groups = settings.group_by.as_deref().and_then(|field| layout.place_of(field)).map(|place| Groups {
            place,
            rows: fresh.matched.rows(),
            sorter: self.sorter(SortOrder::FirstValueThenId),
        });
        let (mut cleared, mut waiting) = (0, 0);
        let changed = |planned: &Row, fresh: &Row| layout.changed(planned, fresh);
        let elsewhere = self.elsewhere(&fresh)?;
        let fresh_rows = plan::subtract(fresh.matched.rows(), elsewhere.distinct_ids());
        let fresh_rows = fresh_rows.map(|row| row.map_err(io::Error::other));
        for verdict in plan::recheck(planned_rows(self.bundle, name)?, fresh_rows, kept.distinct_ids(), changed) {
            let (id, verdict) = verdict.map_err(|error| broken_selection(name, &error))?;
            let cause = match verdict {
                RecheckVerdict::Cleared => {
                    cleared += 1;
                    if let Some(groups) = &mut groups {
                        groups.push(id).map_err(broken)?;
                    }
                    continue;
                }
                RecheckVerdict::New => {
                    waiting += 1;
                    continue;
                }
                RecheckVerdict::NoLongerMatches => SkipCause::NoLongerMatches,
                RecheckVerdict::Changed => SkipCause::Changed,
                RecheckVerdict::Held => SkipCause::Held,
            };
            excluded.push(&Row { id, values: vec![cause.word().to_owned()] }).map_err(broken)?;
        }
        let grouped = groups.map(|groups| groups.sorter.finish_within(KEPT_IN_MEMORY)).transpose().map_err(broken)?;
        let excluded = excluded.finish_within(KEPT_IN_MEMORY).map_err(broken)?;
        if cleared + excluded.count() != self.planned.selected {
            return Err(CommandError::plain(format!(
                "internal error: the recheck of policy `{name}` does not balance: {cleared} cleared and {} excluded of {} planned",
                excluded.count(),
                self.planned.selected
            )));
        }
        Ok(Recheck { excluded, grouped, cleared, waiting, population: fresh.population, calls, open: fresh.open })
    }

    /// The selected records that other policies of the plan delete: they do not wait for the next plan.
    fn elsewhere(&self, fresh: &Selection) -> Result<SortedRows, CommandError> {
        let name = &self.planned.policy;
        let mut sorter = self.sorter(SortOrder::Id);
        for others in &self.planned.planned_elsewhere {
            let selected = fresh.matched.rows().map(|row| row.map(|row| row.id));
            let ids = planned_rows(self.bundle, &others.policy)?.map(|row| row.map(|row| row.id));
            for id in intersect(selected, ids) {
                let id = id.map_err(|error| broken_selection(name, &error))?;
                sorter.push(&Row { id, values: Vec::new() }).map_err(|error| broken_selection(name, &error))?;
            }
        }
        sorter.finish().map_err(|error| broken_selection(name, &error))
    }

    fn sorter(&self, order: SortOrder) -> RowSorter {
        RowSorter::new(self.scratch.clone(), order, RowSorter::WINDOW / AT_ONCE)
    }

    /// The planned and the selected records that a hold keeps: planned ones whether they match by now or not, and selected ones
    /// since a held record does not wait for the next plan.
    fn kept(&self, held: &Held, fresh: &Selection) -> Result<SortedRows, CommandError> {
        let name = &self.planned.policy;
        let broken = |error: io::Error| broken_selection(name, &error);
        let mut sorter = self.sorter(SortOrder::Id);
        for set in &held.sets {
            for id in intersect(planned_ids(self.bundle, name)?, set.rows.distinct_ids()) {
                let id = id.map_err(|error| broken_selection(name, &error))?;
                sorter.push(&Row { id, values: Vec::new() }).map_err(broken)?;
            }
        }
        for id in fresh.held.ids() {
            id.and_then(|id| sorter.push(&Row { id, values: Vec::new() })).map_err(broken)?;
        }
        sorter.finish().map_err(broken)
    }
}

/// The ids of a policy's planned records, by id.
///
/// # Errors
///
/// When the records file cannot be opened.
pub fn planned_ids(
    bundle: &Bundle,
    policy: &PolicyName,
) -> Result<impl Iterator<Item = io::Result<RecordId>>, CommandError> {
    Ok(planned_rows(bundle, policy)?.map(|row| row.map(|row| row.id)))
}

fn planned_rows(bundle: &Bundle, policy: &PolicyName) -> Result<impl Iterator<Item = io::Result<Row>>, CommandError> {
    let rows = bundle.rows(policy).transpose()?.into_iter().flatten();
    Ok(rows.map(|row| row.map_err(io::Error::other)))
}

/// The cleared records with equal `groupBy` values together, and by id within them.
struct Groups<I> {
    /// Where the value stands in a fresh row.
    place: usize,
    /// The fresh rows, by id.
    rows: I,
    sorter: RowSorter,
}

impl<I: Iterator<Item = io::Result<Row>>> Groups<I> {
    /// Takes the next cleared record, in the order of ids.
    fn push(&mut self, id: RecordId) -> io::Result<()> {
        let mut row = loop {
            match self.rows.next().transpose()? {
                Some(row) if row.id == id => break row,
                Some(_) => {}
                None => return Err(io::Error::other(format!("the record {id} was cleared and is not there"))),
            }
        };
        let group = if self.place < row.values.len() { row.values.swap_remove(self.place) } else { String::new() };
        self.sorter.push(&Row { id, values: vec![group] })
    }
}
