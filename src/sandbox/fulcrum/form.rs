//! A form ("app" in the vendor's interface) and its records.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::column::{KEY, NOT_SIMULATED, SYSTEM_COLUMNS};
use super::{ColumnKind, Value};
use crate::sandbox::draw::shuffle;

/// A form and its records.
#[derive(Clone, Debug)]
pub struct Form {
    /// Its id, which is as good as its name in a query and does not change.
    pub id: String,
    /// Its name, which people may change.
    pub name: String,
    /// Its own fields, in order. Point and Boolean are no kinds of fields.
    pub fields: Vec<Field>,
    /// The values of its status field.
    pub statuses: Vec<String>,
    /// Its records by id.
    pub(super) records: BTreeMap<String, Record>,
    /// What was deleted, with the moment until which queries show it.
    lingering: Vec<(Timestamp, String, Record)>,
}

/// A field of a form: a column of its table after the system's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The data name, which is the column's name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// A record of a form. What devices measure besides the place is not simulated: those columns are null.
#[derive(Clone, Debug)]
pub struct Record {
    /// The status.
    pub status: Option<String>,
    /// The project.
    pub project_id: Option<String>,
    /// The user it is assigned to.
    pub assigned_to_id: Option<String>,
    /// The user who made it and changed it last.
    pub created_by_id: String,
    /// When it was made, by the device's clock.
    pub created_at: Timestamp,
    /// When it was changed last, by the device's clock.
    pub updated_at: Timestamp,
    /// When it was made, by the server's clock.
    pub server_created_at: Timestamp,
    /// When it was changed last, by the server's clock.
    pub server_updated_at: Timestamp,
    /// How often it was written.
    pub version: i64,
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// The values of the form's fields, one each.
    pub values: Vec<Value>,
}

impl Form {
    /// A form without records.
    pub fn new(id: &str, name: &str, statuses: &[&str], fields: &[(&str, ColumnKind)]) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            fields: fields.iter().map(|(name, kind)| Field { name: (*name).to_owned(), kind: *kind }).collect(),
            statuses: statuses.iter().map(|status| (*status).to_owned()).collect(),
            records: BTreeMap::new(),
            lingering: Vec::new(),
        }
    }

    /// The records by id, in the order of bytes.
    pub fn records(&self) -> &BTreeMap<String, Record> {
        &self.records
    }

    /// Deletes a record, which queries show until that moment. False if it was not there.
    pub(super) fn delete(&mut self, id: &str, now: Timestamp, shown_until: Timestamp) -> bool {
        self.lingering.retain(|(until, ..)| *until > now);
        let Some(record) = self.records.remove(id) else { return false };
        if shown_until > now {
            self.lingering.push((shown_until, id.to_owned(), record));
        }
        true
    }

    /// The records as a query finds them at a moment: in no promised order, which here is not that of the key, and with what was deleted
    /// shortly before.
    pub(super) fn shown(&self, now: Timestamp, seed: u64) -> Vec<(&String, &Record)> {
        let lingering = self.lingering.iter().filter(|(until, ..)| *until > now).map(|(_, id, record)| (id, record));
        let mut shown: Vec<_> = self.records.iter().rev().chain(lingering).collect();
        shuffle(seed, &mut shown);
        shown
    }

    /// Names and kinds of all columns.
    pub(super) fn columns(&self) -> Vec<(String, ColumnKind)> {
        let system = SYSTEM_COLUMNS.iter().map(|(name, kind)| ((*name).to_owned(), *kind));
        system.chain(self.fields.iter().map(|field| (field.name.clone(), field.kind))).collect()
    }

    /// The kind of a column.
    pub(super) fn column_kind(&self, name: &str) -> Option<ColumnKind> {
        let system = SYSTEM_COLUMNS.iter().find(|(column, _)| *column == name).map(|(_, kind)| *kind);
        system.or_else(|| self.fields.iter().find(|field| field.name == name).map(|field| field.kind))
    }

    /// The value of a record's column by the column's place in [`Form::columns`].
    pub(super) fn value(&self, id: &str, record: &Record, column: usize) -> Value {
        match SYSTEM_COLUMNS.get(column) {
            None => record.values.get(column - SYSTEM_COLUMNS.len()).cloned().unwrap_or(Value::Null),
            Some((KEY, _)) => id.into(),
            Some(("_title", _)) => self.title(record).map_or(Value::Null, Value::from),
            Some((name, _)) => record.system_value(name),
        }
    }

    /// What a record is called: the value of the form's first field.
    fn title(&self, record: &Record) -> Option<String> {
        record.values.first().filter(|value| **value != Value::Null).map(Value::to_text)
    }

    /// Adds a field, null in every record there is.
    pub(super) fn add_field(&mut self, name: &str, kind: ColumnKind) {
        self.fields.push(Field { name: name.to_owned(), kind });
        self.records.values_mut().for_each(|record| record.values.push(Value::Null));
    }

    /// Puts a value into a record; what is not simulated is forgotten. False if there is no such column, or none that can be written.
    pub(super) fn set(&self, record: &mut Record, column: &str, value: Value) -> bool {
        if let Some(place) = self.fields.iter().position(|field| field.name == column) {
            record.values[place] = value;
            return true;
        }
        record.set_system_value(column, value)
    }
}

impl Record {
    /// A record without values, made at a moment.
    pub(super) fn new(form: &Form, user_id: &str, now: Timestamp) -> Self {
        Self {
            status: form.statuses.first().cloned(),
            project_id: None,
            assigned_to_id: None,
            created_by_id: user_id.to_owned(),
            created_at: now,
            updated_at: now,
            server_created_at: now,
            server_updated_at: now,
            version: 1,
            latitude: None,
            longitude: None,
            values: vec![Value::Null; form.fields.len()],
        }
    }

    fn system_value(&self, name: &str) -> Value {
        let place = self.longitude.zip(self.latitude);
        match name {
            "_project_id" => self.project_id.clone().into(),
            "_assigned_to_id" => self.assigned_to_id.clone().into(),
            "_status" => self.status.clone().into(),
            "_latitude" | "_created_latitude" => self.latitude.map_or(Value::Null, Value::from),
            "_longitude" | "_created_longitude" => self.longitude.map_or(Value::Null, Value::from),
            "_geometry" | "_created_geometry" => {
                place.map_or(Value::Null, |(longitude, latitude)| Value::Point { longitude, latitude })
            }
            "_created_at" => self.created_at.into(),
            "_updated_at" => self.updated_at.into(),
            "_server_created_at" => self.server_created_at.into(),
            "_server_updated_at" => self.server_updated_at.into(),
            "_version" => self.version.into(),
            "_created_by_id" | "_updated_by_id" => self.created_by_id.as_str().into(),
            _ => Value::Null,
        }
    }

    fn set_system_value(&mut self, name: &str, value: Value) -> bool {
        match (name, value) {
            ("_project_id", value) => self.project_id = text(value),
            ("_assigned_to_id", value) => self.assigned_to_id = text(value),
            ("_status", value) => self.status = text(value),
            ("_latitude", value) => self.latitude = value.number(),
            ("_longitude", value) => self.longitude = value.number(),
            ("_created_at", Value::Timestamp(moment)) => self.created_at = moment,
            ("_updated_at", Value::Timestamp(moment)) => self.updated_at = moment,
            ("_server_created_at", Value::Timestamp(moment)) => self.server_created_at = moment,
            ("_server_updated_at", Value::Timestamp(moment)) => self.server_updated_at = moment,
            ("_version", Value::Integer(version)) => self.version = version,
            ("_created_by_id", Value::Text(user)) => self.created_by_id = user,
            _ => return SYSTEM_COLUMNS[NOT_SIMULATED].iter().any(|(column, _)| *column == name),
        }
        true
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        value => Some(value.to_text()),
    }
}
