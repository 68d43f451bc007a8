//! One organization as data.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;

use super::definition::{FieldKind, OnDelete};
use super::generate::Generation;
use super::organization::{Client, Organization, PasswordLogin, Permissions, User};
use super::place::Place;
use super::standard::ACCESS_PREFIX;
use super::table::{Body, Row, RowState, Table};
use super::value::whole_seconds;
use super::{ItemError, RecordKey, Value, WeightLimit};
use crate::sandbox::Settings;

/// A row: its table and its position.
pub(super) type Position = (usize, usize);

/// Records that one deletion took along, and the lookups it cleared: what a later restore brings back together.
#[derive(Clone, Debug)]
pub(super) struct DeleteEvent {
    pub at: Timestamp,
    /// The record that was named, first, then the ones that cascaded.
    pub members: Vec<RecordKey>,
}

/// One relation from a parent's table to a child's, the way deletion walks it.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct Relation {
    pub child_table: usize,
    pub child_field: usize,
    pub on_delete: OnDelete,
    /// The child's field that blocks, of [`OnDelete::CascadeUnless`].
    pub unless: Option<usize>,
}

/// One organization as data: objects, records, users, permissions and the recycle bin.
///
/// It is not a server and has no clock of its own: its time stands still until [`World::set_now`].
///
/// **Invariants**
/// - No live record has a cascading lookup to a record that was deleted through the world.
/// - A key never names two records, not even one after the other.
#[derive(Debug)]
pub struct World {
    pub(super) organization: Organization,
    pub(super) users: BTreeMap<RecordKey, User>,
    pub(super) password_logins: BTreeMap<RecordKey, PasswordLogin>,
    pub(super) clients: Vec<Client>,
    pub(super) tables: Vec<Table>,
    pub(super) by_name: HashMap<String, usize>,
    pub(super) by_prefix: BTreeMap<[u8; 3], usize>,
    /// By parent table.
    pub(super) relations: Vec<Vec<Relation>>,
    pub(super) now: Timestamp,
    pub(super) events: Vec<DeleteEvent>,
    /// How many events have left the recycle bin.
    pub(super) purged: usize,
    pub(super) refusals: BTreeMap<RecordKey, (ItemError, Option<u32>)>,
    pub(super) weight_limit: Option<WeightLimit>,
    /// What the keys of its records and the order of rows that nobody ordered are drawn from.
    pub(super) seed: u64,
    /// How long queries show what was deleted.
    pub(super) query_lag: Option<SignedDuration>,
    /// Where some records are locked once: those that were found so.
    pub(super) locked_once: Option<BTreeSet<RecordKey>>,
    /// How many transactions are open, one in the other.
    pub(super) transactions: usize,
    /// Rows as they were before the open transactions changed them, oldest first.
    pub(super) undo: Vec<(Position, Row)>,
}

/// A request that does not fit the world.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// No such object.
    #[error("there is no object `{0}`")]
    UnknownObject(String),
    /// No such field.
    #[error("{object} has no field `{field}`")]
    UnknownField {
        /// The object.
        object: String,
        /// The field as asked for.
        field: String,
    },
    /// No such record.
    #[error("there is no record {0}")]
    UnknownRecord(String),
    /// Two objects share a name or a prefix.
    #[error("`{0}` is defined twice")]
    Duplicate(String),
    /// The key does not fit the object, or is taken.
    #[error("`{key}` cannot be the key of a {object}: {reason}")]
    Key {
        /// The object.
        object: String,
        /// The key as given.
        key: String,
        /// Why.
        reason: String,
    },
    /// A value does not fit its field.
    #[error("{object}.{field}")]
    Value {
        /// The object.
        object: String,
        /// The field.
        field: String,
        /// Why.
        #[source]
        source: super::ValueError,
    },
}

impl World {
    /// The present moment of the world.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Moves the world's time forward and empties the recycle bin of what has been there too long.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = self.now.max(whole_seconds(now));
        if let Some(lag) = self.query_lag {
            let second = self.now.as_second().saturating_sub(lag.as_secs());
            self.tables.iter_mut().for_each(|table| table.hide_deleted_by(second));
        }
        self.purge();
    }

    /// Does from now on what the settings of a sandbox say about records.
    pub(in crate::sandbox) fn obey(&mut self, settings: &Settings) {
        self.seed = settings.seed;
        self.locked_once = settings.row_locks.then(BTreeSet::new);
        let lag = SignedDuration::try_from(settings.query_lag).unwrap_or(SignedDuration::MAX);
        self.query_lag = (!lag.is_zero()).then_some(lag);
    }

    /// What the order of rows that nobody ordered is drawn from.
    pub(in crate::sandbox) fn seed(&self) -> u64 {
        self.seed
    }

    /// The organization.
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// The users, by key.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// One user.
    pub fn user(&self, key: RecordKey) -> Option<&User> {
        self.users.get(&key)
    }

    /// The user everything is done as unless somebody else is named: the one with the lowest key.
    pub fn first_user(&self) -> RecordKey {
        self.users.keys().next().copied().unwrap_or(self.organization.key)
    }

    /// How a user logs in by name and password, if they may.
    pub fn password_login(&self, user: RecordKey) -> Option<&PasswordLogin> {
        self.password_logins.get(&user)
    }

    /// Changes how a user logs in by name and password.
    pub fn set_password_login(&mut self, user: RecordKey, login: PasswordLogin) {
        self.password_logins.insert(user, login);
    }

    /// Changes what a user may do. Nothing happens if there is no such user.
    pub fn set_permissions(&mut self, user: RecordKey, permissions: Permissions) {
        if let Some(user) = self.users.get_mut(&user) {
            user.permissions = permissions;
        }
        self.show_permissions(user);
    }

    /// Copies a user's permissions into their row of `UserPermissionAccess`.
    pub(super) fn show_permissions(&mut self, user: RecordKey) {
        let Some(permissions) = self.users.get(&user).map(|user| user.permissions.clone()) else { return };
        let shown = [
            ("PermissionsApiEnabled", permissions.api_enabled),
            ("PermissionsBulkApiHardDelete", permissions.hard_delete),
            ("PermissionsViewSetup", permissions.view_setup),
            ("PermissionsDataIntegrations", permissions.manage_data_integrations),
        ];
        let Some((table, row)) = self.locate(Self::access_key(user)) else { return };
        for (field, value) in shown {
            if let Some(Place::Field(place)) = self.tables[table].place(field) {
                self.tables[table].set(row, place, Value::Boolean(value));
            }
        }
    }

    /// The row of `UserPermissionAccess` that is about this user.
    pub(in crate::sandbox) fn access_key(user: RecordKey) -> RecordKey {
        user.with_prefix(ACCESS_PREFIX)
    }

    /// The connected applications.
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// A refresh token that was used up gives way to the next one.
    pub(in crate::sandbox) fn replace_refresh_token(&mut self, used: &str, next: &str) {
        let tokens = self.clients.iter_mut().flat_map(|client| &mut client.refresh_tokens);
        for (token, _) in tokens.filter(|(token, _)| token.expose_secret() == used) {
            *token = next.into();
        }
    }

    /// The names of all objects, sorted.
    pub fn objects(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.tables.iter().map(|table| table.definition.name.as_str()).collect();
        names.sort_unstable();
        names
    }

    pub(in crate::sandbox) fn tables(&self) -> &[Table] {
        &self.tables
    }

    pub(in crate::sandbox) fn table_number(&self, object: &str) -> Option<usize> {
        self.by_name.get(object).or_else(|| self.by_name.get(&object.to_ascii_lowercase())).copied()
    }

    pub(in crate::sandbox) fn table(&self, object: &str) -> Option<&Table> {
        self.table_number(object).map(|number| &self.tables[number])
    }

    pub(in crate::sandbox) fn relations(&self, table: usize) -> &[Relation] {
        &self.relations[table]
    }

    /// The table and the position of a record, whatever its state.
    pub(in crate::sandbox) fn locate(&self, key: RecordKey) -> Option<(usize, usize)> {
        let table = *self.by_prefix.get(&key.prefix())?;
        Some((table, self.tables[table].find(key)?))
    }

    /// The object a key belongs to by its prefix; the record need not exist.
    pub fn object_of(&self, key: RecordKey) -> Option<&str> {
        self.by_prefix.get(&key.prefix()).map(|table| self.tables[*table].definition.name.as_str())
    }

    fn state(&self, key: RecordKey) -> Option<RowState> {
        self.locate(key).map(|(table, row)| self.tables[table].rows[row].state)
    }

    /// Whether the record is there and not deleted.
    pub fn exists(&self, key: RecordKey) -> bool {
        self.state(key) == Some(RowState::Live)
    }

    /// Whether the record is in the recycle bin.
    pub fn in_bin(&self, key: RecordKey) -> bool {
        matches!(self.state(key), Some(RowState::Binned(_)))
    }

    /// The live records of an object, in key order. Empty if there is no such object.
    pub fn ids(&self, object: &str) -> impl Iterator<Item = RecordKey> + '_ {
        self.table(object)
            .into_iter()
            .flat_map(|table| table.rows.iter().filter(|row| row.state == RowState::Live).map(|row| row.key))
    }

    /// How many live records an object has.
    pub fn count(&self, object: &str) -> u64 {
        self.ids(object).count() as u64
    }

    /// The value of a field of a record that is live or in the bin.
    pub fn value(&self, key: RecordKey, field: &str) -> Option<Value> {
        let (table, row) = self.locate(key)?;
        if self.tables[table].rows[row].state == RowState::Gone {
            return None;
        }
        let place = self.tables[table].place(field)?;
        Some(self.value_at(table, row, place))
    }

    /// The value at a place of a row.
    pub(in crate::sandbox) fn value_at(&self, table: usize, row: usize, place: Place) -> Value {
        match place {
            Place::CreatedById | Place::LastModifiedById => Value::Reference(self.first_user()),
            _ => self.tables[table].value(&self.tables[table].rows[row], place),
        }
    }

    /// Adds a record and returns its key.
    ///
    /// # Errors
    ///
    /// When the object or a field does not exist.
    pub fn insert<'a>(
        &mut self,
        object: &str,
        fields: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<RecordKey, WorldError> {
        let table = self.table_number(object).ok_or_else(|| WorldError::UnknownObject(object.to_owned()))?;
        let key = self.next_key(table);
        self.insert_with_key(table, key, fields)?;
        Ok(key)
    }

    fn next_key(&mut self, table: usize) -> RecordKey {
        let table = &mut self.tables[table];
        loop {
            let key = RecordKey::numbered(table.definition.key_prefix, table.counter);
            table.counter += 1;
            if table.find(key).is_none() {
                return key;
            }
        }
    }

    /// Adds a record under a given key. Fields may include `CreatedDate`, `LastModifiedDate` and `SystemModstamp`.
    pub(in crate::sandbox) fn insert_with_key<'a>(
        &mut self,
        table: usize,
        key: RecordKey,
        fields: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<(), WorldError> {
        let owner = self.first_user();
        let now = self.now.as_second();
        let table = &mut self.tables[table];
        let object = table.definition.name.clone();
        if key.prefix() != table.definition.key_prefix || table.find(key).is_some() {
            let reason = if key.prefix() == table.definition.key_prefix { "it is taken" } else { "it has another prefix" };
            return Err(WorldError::Key { object, key: key.to_string(), reason: reason.to_owned() });
        }
        let mut values = vec![Value::Null; table.definition.fields.len()];
        for (value, field) in values.iter_mut().zip(&table.definition.fields) {
            match &field.kind {
                FieldKind::Boolean => *value = Value::Boolean(false),
                FieldKind::AutoNumber { prefix, digits } => {
                    *value = format!("{prefix}{:0digits$}", table.auto_number).as_str().into();
                }
                FieldKind::Lookup(_) if field.name == "OwnerId" => *value = Value::Reference(owner),
                _ => {}
            }
        }
        table.auto_number += 1;
        let (mut created, mut modified, mut stamped) = (None, None, None);
        for (name, value) in fields {
            let second = if let Value::DateTime(moment) = value { Some(moment.as_second()) } else { None };
            match table.place(name) {
                Some(Place::Field(field)) => values[field] = value,
                Some(Place::CreatedDate) => created = second,
                Some(Place::LastModifiedDate) => modified = second,
                Some(Place::SystemModstamp) => stamped = second,
                Some(_) => {}
                None => return Err(WorldError::UnknownField { object, field: name.to_owned() }),
            }
        }
        if let (Some(Place::Field(name)), Some(Place::Field(first)), Some(Place::Field(last))) =
            (table.place("Name"), table.place("FirstName"), table.place("LastName"))
            && values[name].is_null()
        {
            let full = format!("{} {}", values[first].to_text(), values[last].to_text());
            values[name] = full.trim().into();
        }
        let created = created.unwrap_or(now);
        let modified = modified.unwrap_or(created);
        let stamped = stamped.unwrap_or(modified);
        table.add(Row { key, state: RowState::Live, body: Body::Stored(values.into()), created, modified, stamped });
        Ok(())
    }

    /// Adds `count` records whose values are computed from `seed`, with lookups to records that are there already.
    /// The same world, seed and count give the same records.
    ///
    /// # Errors
    ///
    /// When the object does not exist.
    pub fn generate(&mut self, object: &str, count: u32, seed: u64) -> Result<(), WorldError> {
        let number = self.table_number(object).ok_or_else(|| WorldError::UnknownObject(object.to_owned()))?;
        let parents = self.parents_to_choose(number);
        let table = &self.tables[number];
        let generation = Generation { seed, until: self.now, first_auto_number: table.auto_number, parents };
        let rows: Vec<(i64, i64)> =
            (0..count).map(|record| (generation.created(record), generation.modified(record))).collect();
        let table = &mut self.tables[number];
        let generation_number = table.generations.len() as u32;
        table.generations.push(generation);
        table.auto_number += u64::from(count);
        table.children.clear();
        table.rows.reserve(rows.len());
        for (record, (created, modified)) in rows.into_iter().enumerate() {
            let key = self.next_key(number);
            let body = Body::Generated { generation: generation_number, number: record as u32 };
            self.tables[number].add(Row { key, state: RowState::Live, body, created, modified, stamped: modified });
        }
        Ok(())
    }

    /// For each lookup field of a table, the live records it may point at.
    fn parents_to_choose(&self, table: usize) -> BTreeMap<usize, Arc<[RecordKey]>> {
        let mut parents = BTreeMap::new();
        for (field, definition) in self.tables[table].definition.fields.iter().enumerate() {
            if let FieldKind::Lookup(lookup) = &definition.kind {
                let keys: Arc<[RecordKey]> = lookup.to.iter().flat_map(|object| self.ids(object)).collect();
                parents.insert(field, keys);
            }
        }
        parents
    }

    /// Sets a field of a live record, as a user would: the moments of its last change move.
    ///
    /// # Errors
    ///
    /// When there is no such live record or no such field, or the field is one the system keeps.
    pub fn update(&mut self, key: RecordKey, field: &str, value: impl Into<Value>) -> Result<(), WorldError> {
        let now = self.now.as_second();
        let (table, row) = self.locate(key).ok_or_else(|| WorldError::UnknownRecord(key.to_string()))?;
        let table = &mut self.tables[table];
        if table.rows[row].state != RowState::Live {
            return Err(WorldError::UnknownRecord(key.to_string()));
        }
        let Some(Place::Field(place)) = table.place(field) else {
            return Err(WorldError::UnknownField { object: table.definition.name.clone(), field: field.to_owned() });
        };
        table.set(row, place, value.into());
        table.rows[row].modified = now;
        table.rows[row].stamped = now;
        Ok(())
    }

    /// Makes every deletion of this record fail with `error`, as a trigger would; `times` bounds how often.
    pub fn refuse(&mut self, key: RecordKey, error: ItemError, times: Option<u32>) {
        self.refusals.insert(key, (error, times));
    }
}
