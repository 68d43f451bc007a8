//! Everything the simulated Fulcrum holds.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use uuid::Builder;

use super::form::Record;
use super::{Batch, ColumnKind, Form, FulcrumSettings, Member, Value, examples};
use crate::sandbox::Settings;
use crate::sandbox::draw::first_number;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A Fulcrum organization: members, forms with their records, batches. Not the Salesforce one.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who may call.
    pub members: Vec<Member>,
    /// Limits and choices.
    pub settings: FulcrumSettings,
    pub(super) now: Timestamp,
    /// Ordered by name.
    pub(super) forms: BTreeMap<String, Form>,
    /// In the order they were created.
    pub(super) batches: Vec<Batch>,
    /// Ids handed out.
    ids: u64,
    /// What ids and the order of rows that nobody ordered are drawn from.
    pub(super) seed: u64,
    /// When the calls of the last hour were made, by user.
    calls: BTreeMap<String, VecDeque<Timestamp>>,
    calls_refused: u64,
}

/// Data that does not fit the forms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationError {
    /// There is no such form.
    #[error("there is no form `{0}`")]
    UnknownForm(String),
    /// The form has no such column that can be written with such a value.
    #[error("`{form}` has no column `{column}` that takes this value")]
    Column {
        /// The form.
        form: String,
        /// The column.
        column: String,
    },
    /// There is no such record.
    #[error("`{form}` has no record `{id}`")]
    UnknownRecord {
        /// The form.
        form: String,
        /// The id.
        id: String,
    },
}

impl Organization {
    /// The token of the Manager.
    pub const TOKEN: &str = "sandbox-token";
    /// The token of the Standard User, who may not delete.
    pub const READ_ONLY_TOKEN: &str = "sandbox-read-only-token";

    /// The organization everybody starts with: the example forms without records, a Manager and a Standard User.
    pub fn example(now: Timestamp) -> Self {
        Self {
            id: "1f0bdc52-9a5e-4c1f-8b43-7d2a9c6e0f11".to_owned(),
            name: "Example Parks".to_owned(),
            members: vec![
                Member::new(1, "Fiona Field", "Manager", true, Self::TOKEN),
                Member::new(2, "Rhea Reader", "Standard User", false, Self::READ_ONLY_TOKEN),
            ],
            settings: FulcrumSettings::default(),
            now,
            forms: examples::forms().into_iter().map(|form| (form.name.clone(), form)).collect(),
            batches: Vec::new(),
            ids: 0,
            seed: 0,
            calls: BTreeMap::new(),
            calls_refused: 0,
        }
    }

    /// The same with ids that are drawn from a seed.
    #[must_use]
    pub(in crate::sandbox) fn seeded(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Does from now on what the settings of a sandbox say, unless the organization has such settings of its own.
    pub(in crate::sandbox) fn obey(&mut self, settings: &Settings) {
        self.seed = settings.seed;
        self.settings.batch_counting = self.settings.batch_counting.max(settings.fulcrum_counting);
        self.settings.query_lag = self.settings.query_lag.max(settings.query_lag);
    }

    /// Adds a form, or puts it in the place of the one with its name.
    pub fn define(&mut self, form: Form) {
        self.forms.insert(form.name.clone(), form);
    }

    /// The form of this name or id; the case matters.
    pub fn form(&self, name_or_id: &str) -> Option<&Form> {
        self.forms.get(name_or_id).or_else(|| self.forms.values().find(|form| form.id == name_or_id))
    }

    pub(super) fn form_mut(&mut self, name_or_id: &str) -> Option<&mut Form> {
        let name = self.form(name_or_id)?.name.clone();
        self.forms.get_mut(&name)
    }

    /// The forms, by name.
    pub fn forms(&self) -> impl Iterator<Item = &Form> {
        self.forms.values()
    }

    /// The kind of a column of a form. Form and column are made if they are not there, the column with the kind that is given.
    pub(in crate::sandbox) fn column(&mut self, form: &str, column: &str, kind: impl FnOnce() -> ColumnKind) -> ColumnKind {
        if self.form(form).is_none() {
            let id = uuid(0xF02A, form.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte)));
            self.define(Form::new(&id, form, &[], &[]));
        }
        let form = self.form_mut(form).expect("it was made if it was missing");
        form.column_kind(column).unwrap_or_else(|| {
            let kind = kind();
            form.add_field(column, kind);
            kind
        })
    }

    /// Gives a form another name, as people do; its id stays.
    ///
    /// # Errors
    ///
    /// When there is no such form.
    pub fn rename(&mut self, form: &str, name: &str) -> Result<(), OrganizationError> {
        let old = self.form(form).ok_or_else(|| OrganizationError::UnknownForm(form.to_owned()))?.name.clone();
        if let Some(mut form) = self.forms.remove(&old) {
            form.name = name.to_owned();
            self.define(form);
        }
        Ok(())
    }

    /// Adds a record and returns its id, or adds it under the id that is among the values as `_record_id`.
    ///
    /// # Errors
    ///
    /// When there is no such form, or a value does not fit.
    pub fn insert<'a>(
        &mut self,
        form: &str,
        values: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<String, OrganizationError> {
        let mut id = self.next_id();
        let user = self.members.first().map(|member| member.user_id.clone()).unwrap_or_default();
        let now = self.now;
        let form = self.form_mut(form).ok_or_else(|| OrganizationError::UnknownForm(form.to_owned()))?;
        let mut record = Record::new(form, &user, now);
        for (column, value) in values {
            match (column, value) {
                ("_record_id", Value::Text(text)) => id = text,
                (column, value) => put(form, &mut record, column, value)?,
            }
        }
        form.records.insert(id.clone(), record);
        Ok(id)
    }

    /// Changes a record as somebody else would: it gets another version and another `_server_updated_at`.
    ///
    /// # Errors
    ///
    /// When there is no such form or record, or a value does not fit.
    pub fn update<'a>(
        &mut self,
        form: &str,
        id: &str,
        values: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<(), OrganizationError> {
        let now = self.now;
        let form = self.form_mut(form).ok_or_else(|| OrganizationError::UnknownForm(form.to_owned()))?;
        let missing = || OrganizationError::UnknownRecord { form: form.name.clone(), id: id.to_owned() };
        let mut record = form.records.get(id).cloned().ok_or_else(missing)?;
        record.version += 1;
        record.updated_at = now;
        record.server_updated_at = now;
        for (column, value) in values {
            put(form, &mut record, column, value)?;
        }
        form.records.insert(id.to_owned(), record);
        Ok(())
    }

    /// Removes a record as somebody else would. False if it was not there.
    pub fn remove(&mut self, form: &str, id: &str) -> bool {
        let (now, shown_until) = (self.now, self.settings.shown_until(self.now));
        self.form_mut(form).is_some_and(|form| form.delete(id, now, shown_until))
    }

    /// Makes up `count` records; the same numbers give the same records relative to the present moment.
    ///
    /// # Errors
    ///
    /// When there is no such form.
    pub fn generate(&mut self, form: &str, count: u32, seed: u64) -> Result<(), OrganizationError> {
        let now = self.now;
        let users: Vec<String> = self.members.iter().map(|member| member.user_id.clone()).collect();
        let form = self.form_mut(form).ok_or_else(|| OrganizationError::UnknownForm(form.to_owned()))?;
        form.generate(count, seed, &users, now);
        Ok(())
    }

    /// Whether the record is there, in whichever form.
    pub fn exists(&self, id: &str) -> bool {
        self.form_of(id).is_some()
    }

    /// The form that has this record.
    pub(super) fn form_of(&self, id: &str) -> Option<&Form> {
        self.forms.values().find(|form| form.records.contains_key(id))
    }

    /// How many records a form has; none if there is no such form.
    pub fn count(&self, form: &str) -> u64 {
        self.form(form).map_or(0, |form| form.records.len() as u64)
    }

    /// The batches, in the order they were created.
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// How many calls were over a user's limit.
    pub fn calls_refused(&self) -> u64 {
        self.calls_refused
    }

    /// Counts a user's call, if fewer than the limit were made within the last hour.
    ///
    /// That there are 5,000 an hour is documented; that the hour slides is a guess, and the stricter reading.
    pub(super) fn spend_call(&mut self, user_id: &str) -> bool {
        let calls = self.calls.entry(user_id.to_owned()).or_default();
        while calls.front().is_some_and(|call| call.duration_until(self.now) >= HOUR) {
            calls.pop_front();
        }
        let allowed = calls.len() < self.settings.hourly_calls;
        if allowed {
            calls.push_back(self.now);
        } else {
            self.calls_refused += 1;
        }
        allowed
    }

    /// Brings clock and batches up to a moment.
    pub(in crate::sandbox) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        for batch in &mut self.batches {
            if let Some(form) = self.forms.values_mut().find(|form| form.id == batch.form_id) {
                batch.advance(now, form, &self.settings);
            }
        }
    }

    /// An id nobody has had.
    pub(super) fn next_id(&mut self) -> String {
        self.ids += 1;
        uuid(0xF01C ^ first_number(self.seed, "Fulcrum"), self.ids)
    }
}

fn put(form: &Form, record: &mut Record, column: &str, value: Value) -> Result<(), OrganizationError> {
    if form.set(record, column, value) {
        return Ok(());
    }
    Err(OrganizationError::Column { form: form.name.clone(), column: column.to_owned() })
}

/// The identifier in the form of a UUID that belongs to a number.
pub(super) fn uuid(space: u64, number: u64) -> String {
    let mut source = fastrand::Rng::with_seed(space.rotate_left(32) ^ number);
    Builder::from_random_bytes(source.u128(..).to_be_bytes()).into_uuid().to_string()
}
