//! A tenant: its objects and the records in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::calls::Calls;
use super::cursor::Cursors;
use super::evaluate::Value;
use super::objects::{Kind, standard};
use super::row_error::{RowError, Stubborn};
use super::session::Sessions;
use super::table::{Row, Table};
use crate::sandbox::Settings;
use crate::sandbox::draw::{first_number, shuffle};

/// A Zuora tenant of records, as simulated: tables of the main objects of WSDL 78, one user, and who is logged in.
///
/// Its id is `12001`, its user `api@sandbox.example` with the password `sandbox-password`. Ids are 32 lower-case hexadecimal
/// digits. Values go in and out as text, in the form that the interface writes; an empty one is no value.
pub struct Tenant {
    pub(super) tables: Vec<Table>,
    /// Which table a record is in.
    places: BTreeMap<String, usize>,
    now: Timestamp,
    last_number: u64,
    pub(super) stubborn: BTreeMap<String, Stubborn>,
    /// Accounts whose deletion was accepted, with the moment at which it is done.
    pub(super) leaving: BTreeMap<String, Timestamp>,
    /// Accounts whose deletion is done.
    pub(super) canceled: BTreeSet<String>,
    pub(super) sessions: Sessions,
    pub(super) cursors: Cursors,
    pub(super) calls: Calls,
    /// What ids, tokens and the order of rows are drawn from.
    pub(super) seed: u64,
    /// How long queries show what was deleted.
    query_lag: SignedDuration,
    /// What was deleted and is shown until that moment: the table, the id, the record.
    lingering: Vec<(Timestamp, usize, String, Row)>,
    /// Where some records are locked once: those that were found so.
    pub(super) locked_once: Option<BTreeSet<String>>,
}

/// Records are not for logs.
impl fmt::Debug for Tenant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tenant").field("now", &self.now).finish_non_exhaustive()
    }
}

/// What a test or a seed asked a tenant to do and it could not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TenantError {
    /// No object of this name.
    #[error("there is no object `{0}`")]
    UnknownObject(String),
    /// No field of this name.
    #[error("`{0}` has no field `{1}`")]
    UnknownField(String, String),
    /// No record of this id.
    #[error("there is no record `{0}`")]
    UnknownRecord(String),
    /// An id of another form, or one that is taken.
    #[error("`{0}` is not a free id of 32 lower-case hexadecimal digits")]
    Id(String),
    /// A value that does not fit its field.
    #[error("the value of `{0}` cannot be used")]
    Value(String),
}

impl Tenant {
    /// The id of the tenant.
    pub const ID: &str = "12001";
    /// The name its user logs in with.
    pub const USERNAME: &str = "api@sandbox.example";
    /// The password of its user.
    pub const PASSWORD: &str = "sandbox-password";
    /// The id of its user.
    pub const USER_ID: &str = "2c92c0f8000000000000000000000001";

    /// A tenant without records whose clock shows `now`.
    pub fn starting_at(now: Timestamp) -> Self {
        Self {
            tables: standard().into_iter().map(|object| Table { object, rows: BTreeMap::new() }).collect(),
            places: BTreeMap::new(),
            now,
            last_number: 0,
            stubborn: BTreeMap::new(),
            leaving: BTreeMap::new(),
            canceled: BTreeSet::new(),
            sessions: Sessions::default(),
            cursors: Cursors::default(),
            calls: Calls::default(),
            seed: 0,
            query_lag: SignedDuration::ZERO,
            lingering: Vec::new(),
            locked_once: None,
        }
    }

    /// The same with ids that are drawn from a seed.
    #[must_use]
    pub(in crate::sandbox) fn seeded(mut self, seed: u64) -> Self {
        self.last_number = first_number(seed, "Zuora record");
        self
    }

    /// Does from now on what the settings of a sandbox say.
    pub(in crate::sandbox) fn obey(&mut self, settings: &Settings) {
        self.seed = settings.seed;
        self.sessions = Sessions::seeded(settings.seed);
        self.cursors = Cursors::seeded(settings.seed);
        self.query_lag = SignedDuration::try_from(settings.query_lag).unwrap_or(SignedDuration::MAX);
        self.locked_once = settings.row_locks.then(BTreeSet::new);
    }

    /// Its present moment.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Moves its clock, and ends what is due by then.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        self.end_accounts();
        self.lingering.retain(|(until, ..)| *until > now);
    }

    /// The names of all objects.
    pub fn objects(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.object.name.as_str())
    }

    /// How many records an object has. An account whose deletion was accepted is none.
    pub fn count(&self, object: &str) -> u64 {
        self.ids(object).count() as u64
    }

    /// The ids of an object's records, sorted.
    pub fn ids(&self, object: &str) -> impl Iterator<Item = &str> {
        let rows = self.table_number(object).map(|table| self.tables[table].rows.keys());
        rows.into_iter().flatten().map(String::as_str).filter(|id| !self.is_leaving(id))
    }

    /// Whether there is such a record, and no deletion of it was accepted.
    pub fn exists(&self, id: &str) -> bool {
        self.places.contains_key(id) && !self.is_leaving(id)
    }

    /// Whether this is an account whose deletion was accepted. Queries still find it (guess).
    fn is_leaving(&self, id: &str) -> bool {
        self.leaving.contains_key(id) || self.canceled.contains(id)
    }

    /// The value of a field as the interface writes it; empty where it has none. `None` without the record or the field.
    pub fn value(&self, id: &str, field: &str) -> Option<String> {
        let table = &self.tables[*self.places.get(id)?];
        let field = table.object.place(field)?;
        Some(table.rows.get(id)?.get(&field).map_or_else(String::new, written))
    }

    /// Adds a record and returns its id. It is made by the tenant's user and now, unless the fields say otherwise.
    ///
    /// # Errors
    ///
    /// When the object or a field is unknown, or a value does not fit its field.
    pub fn insert<'a>(
        &mut self,
        object: &str,
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<String, TenantError> {
        let table = self.known_table(object)?;
        let (mut id, mut row) = (None, self.new_row(table));
        for (name, text) in fields {
            if name.eq_ignore_ascii_case("Id") {
                id = Some(text).filter(|text| !text.is_empty());
                continue;
            }
            let (field, value) = self.read(table, name, text)?;
            put(&mut row, field, value);
        }
        let id = match id {
            Some(id) if self.is_free(id) => id.to_owned(),
            Some(id) => return Err(TenantError::Id(id.to_owned())),
            None => self.next_id(),
        };
        self.add(table, id.clone(), row);
        Ok(id)
    }

    /// Changes one field of a record, as a colleague might.
    ///
    /// # Errors
    ///
    /// When there is no such record or field, or the value does not fit it.
    pub fn update(&mut self, id: &str, field: &str, text: &str) -> Result<(), TenantError> {
        let table = *self.places.get(id).ok_or_else(|| TenantError::UnknownRecord(id.to_owned()))?;
        let (field, value) = self.read(table, field, text)?;
        let touched = self.tables[table].object.place("UpdatedDate").map(|field| (field, Value::DateTime(self.now)));
        if let Some(row) = self.tables[table].rows.get_mut(id) {
            touched.into_iter().for_each(|(field, value)| put(row, field, value));
            put(row, field, value);
        }
        Ok(())
    }

    /// Deletes a record behind everybody's back, whatever its state. Returns whether it was there.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(table) = self.places.remove(id) else { return false };
        let Some(row) = self.tables[table].rows.remove(id) else { return false };
        if !self.query_lag.is_zero() {
            let until = self.now.saturating_add(self.query_lag).unwrap_or(Timestamp::MAX);
            self.lingering.push((until, table, id.to_owned(), row));
        }
        true
    }

    /// The records of a table as a query finds them: in no promised order, and with what was deleted a moment ago.
    pub(super) fn shown(&self, table: usize) -> Vec<(&String, &Row)> {
        let lingering = self.lingering.iter().filter(|(_, of, ..)| *of == table).map(|(_, _, id, row)| (id, row));
        let mut shown: Vec<_> = self.tables[table].rows.iter().chain(lingering).collect();
        shuffle(self.seed, &mut shown);
        shown
    }

    /// From now on deleting this record fails with this code and text: always, or so many times.
    pub fn refuse(&mut self, id: &str, code: &str, message: &str, times: Option<u32>) {
        let error = RowError::new(code, message);
        self.stubborn.insert(id.to_owned(), Stubborn { error, times });
    }

    /// How many calls were refused because there were too many.
    pub fn calls_refused(&self) -> u64 {
        self.calls.refused()
    }

    /// Ends all sessions.
    pub(in crate::sandbox) fn expire_sessions(&mut self) {
        self.sessions.close_all();
    }

    /// Adds a field of text to an object, unless it has one of this name.
    pub(in crate::sandbox) fn add_field(&mut self, object: &str, name: &str) -> Result<(), TenantError> {
        let table = self.known_table(object)?;
        let object = &mut self.tables[table].object;
        if !name.eq_ignore_ascii_case("Id") && object.place(name).is_none() {
            object.fields.push((name.to_owned(), Kind::Text));
        }
        Ok(())
    }

    /// The number of the table of an object, in any case.
    pub(super) fn table_number(&self, object: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.object.name.eq_ignore_ascii_case(object))
    }

    pub(super) fn known_table(&self, object: &str) -> Result<usize, TenantError> {
        self.table_number(object).ok_or_else(|| TenantError::UnknownObject(object.to_owned()))
    }

    /// A row made now by the tenant's user.
    pub(super) fn new_row(&self, table: usize) -> Row {
        let made = ["CreatedById", "CreatedDate", "UpdatedById", "UpdatedDate"].map(|name| {
            let value = if name.ends_with("Id") { Value::Text(Self::USER_ID.to_owned()) } else { Value::DateTime(self.now) };
            (self.tables[table].object.place(name), value)
        });
        made.into_iter().filter_map(|(field, value)| Some((field?, value))).collect()
    }

    pub(super) fn add(&mut self, table: usize, id: String, row: Row) {
        self.places.insert(id.clone(), table);
        self.tables[table].rows.insert(id, row);
    }

    /// An id nobody has yet, in the form that recorded ones have.
    pub(super) fn next_id(&mut self) -> String {
        loop {
            self.last_number += 1;
            let id = format!("2c92c0f9{:024x}", self.last_number);
            if !self.places.contains_key(&id) {
                return id;
            }
        }
    }

    fn is_free(&self, id: &str) -> bool {
        let well_formed = id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        well_formed && !self.places.contains_key(id)
    }

    fn read(&self, table: usize, name: &str, text: &str) -> Result<(usize, Value), TenantError> {
        let object = &self.tables[table].object;
        let field = object.place(name).ok_or_else(|| TenantError::UnknownField(object.name.clone(), name.to_owned()))?;
        let value = object.fields[field].1.read(text).ok_or_else(|| TenantError::Value(name.to_owned()))?;
        Ok((field, value))
    }
}

/// Sets a field of a row, or empties it.
pub(super) fn put(row: &mut Row, field: usize, value: Value) {
    if value == Value::Null {
        row.remove(&field);
    } else {
        row.insert(field, value);
    }
}

/// A value as the interface writes it. Moments are in Pacific time (recorded).
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Boolean(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::Date(day) => day.to_string(),
        Value::DateTime(moment) => {
            let zone = jiff::tz::db().get("America/Los_Angeles").unwrap_or(jiff::tz::TimeZone::UTC);
            moment.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string()
        }
        Value::Text(text) => text.clone(),
    }
}
