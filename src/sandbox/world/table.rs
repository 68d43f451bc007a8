//! The records of one object.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::definition::{FieldKind, ObjectDefinition};
use super::generate::Generation;
use super::place::{Place, SYSTEM_FIELDS};
use super::{RecordKey, Value};

/// Whether a record exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowState {
    /// It does.
    Live,
    /// In the recycle bin, by the delete event of this number.
    Binned(u32),
    /// Gone for good. The row stays as a mark, so that positions do not move.
    Gone,
}

/// A record's own fields.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// Computed when asked for: number `number` of the table's generation `generation`.
    Generated { generation: u32, number: u32 },
    /// One value a field.
    Stored(Box<[Value]>),
}

/// One record. Moments are seconds since 1970, to keep a million rows small.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub key: RecordKey,
    pub state: RowState,
    pub body: Body,
    pub created: i64,
    pub modified: i64,
    pub stamped: i64,
}

/// A deleted record that queries still show. Moments are seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lingering {
    pub deleted: i64,
    pub modified: i64,
    pub stamped: i64,
}

/// The records of one object, ordered by key.
#[derive(Debug)]
pub(in crate::sandbox) struct Table {
    pub(super) definition: ObjectDefinition,
    /// By lower-case name.
    pub(super) places: HashMap<String, Place>,
    /// Which field says that a row is archived, where the object has one.
    archived_field: Option<usize>,
    /// What was deleted a moment ago and queries still show as it was: when that happened, and the moments of the last changes before.
    pub(super) lingering: BTreeMap<RecordKey, Lingering>,
    pub(super) rows: Vec<Row>,
    pub(super) generations: Vec<Generation>,
    /// The next key's number.
    pub(super) counter: u64,
    /// The next automatic number.
    pub(super) auto_number: u64,
    /// For a lookup field: the keys of the rows that have ever pointed at a parent since it was made. A reader checks
    /// that they still do.
    pub(super) children: BTreeMap<usize, HashMap<RecordKey, Vec<RecordKey>>>,
}

impl Table {
    /// The records of an object whose next key has this number.
    pub(super) fn new(definition: ObjectDefinition, counter: u64) -> Self {
        let own = definition.fields.iter().enumerate().map(|(number, field)| (field.name.clone(), Place::Field(number)));
        let system = definition.system_fields().map(|(name, place)| (name.to_owned(), place));
        let places = system.chain(own).map(|(name, place)| (name.to_ascii_lowercase(), place)).collect();
        let archived_field = definition.fields.iter().position(|field| field.name == "IsArchived");
        Self {
            definition,
            places,
            archived_field,
            lingering: BTreeMap::new(),
            rows: Vec::new(),
            generations: Vec::new(),
            counter,
            auto_number: 1_000,
            children: BTreeMap::new(),
        }
    }

    /// What the object is.
    pub(in crate::sandbox) fn definition(&self) -> &ObjectDefinition {
        &self.definition
    }

    /// Where the field of this name is found, in any case.
    pub(in crate::sandbox) fn place(&self, name: &str) -> Option<Place> {
        self.places.get(name).or_else(|| self.places.get(&name.to_ascii_lowercase())).copied()
    }

    /// The name of a field as its definition writes it.
    pub(in crate::sandbox) fn field_name(&self, place: Place) -> &str {
        match place {
            Place::Field(number) => &self.definition.fields[number].name,
            _ => SYSTEM_FIELDS.iter().find(|(_, candidate)| *candidate == place).map_or("", |(name, _)| name),
        }
    }

    /// The definition of one of the object's own fields.
    pub(in crate::sandbox) fn field_kind(&self, place: Place) -> Option<&FieldKind> {
        match place {
            Place::Field(number) => Some(&self.definition.fields[number].kind),
            _ => None,
        }
    }

    /// How many rows there are, deleted ones included.
    pub(in crate::sandbox) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The key of the row at a position.
    pub(in crate::sandbox) fn key_at(&self, row: usize) -> RecordKey {
        self.rows[row].key
    }

    /// Whether a query shows the row at a position as one that is there and not deleted.
    pub(in crate::sandbox) fn is_live(&self, row: usize) -> bool {
        self.shows_live(&self.rows[row])
    }

    fn shows_live(&self, row: &Row) -> bool {
        row.state == RowState::Live || self.lingering.contains_key(&row.key)
    }

    /// From this second on queries do not show any more what was deleted by it.
    pub(super) fn hide_deleted_by(&mut self, second: i64) {
        if !self.lingering.is_empty() {
            self.lingering.retain(|_, lingering| lingering.deleted > second);
        }
    }

    /// Whether the row at a position is archived: a closed activity, long ago.
    pub(in crate::sandbox) fn is_archived(&self, row: usize) -> bool {
        self.archived_field.is_some_and(|field| self.own_value(&self.rows[row], field) == Value::Boolean(true))
    }

    /// Whether the row at a position is gone for good, and no query shows it.
    pub(in crate::sandbox) fn is_gone(&self, row: usize) -> bool {
        self.rows[row].state == RowState::Gone && !self.is_live(row)
    }

    /// The position of a row.
    pub(super) fn find(&self, key: RecordKey) -> Option<usize> {
        self.rows.binary_search_by(|row| row.key.cmp(&key)).ok()
    }

    /// One of a row's own fields.
    pub(super) fn own_value(&self, row: &Row, field: usize) -> Value {
        match &row.body {
            Body::Stored(values) => values[field].clone(),
            Body::Generated { generation, number } => {
                self.generations[*generation as usize].value(&self.definition, field, *number)
            }
        }
    }

    /// A lookup field of a row, if it points anywhere.
    pub(super) fn parent(&self, row: &Row, field: usize) -> Option<RecordKey> {
        match self.own_value(row, field) {
            Value::Reference(key) => Some(key),
            _ => None,
        }
    }

    /// The value at a place, but for the users' keys, which the table does not know.
    pub(super) fn value(&self, row: &Row, place: Place) -> Value {
        let moment = |second| Timestamp::from_second(second).map_or(Value::Null, Value::DateTime);
        let lingering = self.lingering.get(&row.key).filter(|_| row.state != RowState::Live);
        let (modified, stamped) = lingering.map_or((row.modified, row.stamped), |before| (before.modified, before.stamped));
        match place {
            Place::Id => Value::Reference(row.key),
            Place::IsDeleted => Value::Boolean(!self.shows_live(row)),
            Place::CreatedDate => moment(row.created),
            Place::LastModifiedDate => moment(modified),
            Place::SystemModstamp => moment(stamped),
            Place::CreatedById | Place::LastModifiedById => Value::Null,
            Place::Field(field) => self.own_value(row, field),
        }
    }

    /// Sets one of a row's own fields and returns what it was.
    pub(super) fn set(&mut self, row: usize, field: usize, value: Value) -> Value {
        if let Body::Generated { .. } = self.rows[row].body {
            let values = (0..self.definition.fields.len()).map(|field| self.own_value(&self.rows[row], field)).collect();
            self.rows[row].body = Body::Stored(values);
        }
        if let Value::Reference(parent) = value
            && let Some(index) = self.children.get_mut(&field)
        {
            index.entry(parent).or_default().push(self.rows[row].key);
        }
        match &mut self.rows[row].body {
            Body::Stored(values) => std::mem::replace(&mut values[field], value),
            Body::Generated { .. } => Value::Null,
        }
    }

    /// Adds a row where its key belongs.
    pub(super) fn add(&mut self, row: Row) {
        for (field, index) in &mut self.children {
            if let Body::Stored(values) = &row.body
                && let Value::Reference(parent) = values[*field]
            {
                index.entry(parent).or_default().push(row.key);
            }
        }
        match self.rows.last() {
            Some(last) if last.key > row.key => {
                let position = self.rows.partition_point(|other| other.key < row.key);
                self.rows.insert(position, row);
            }
            _ => self.rows.push(row),
        }
    }

    /// Makes the index of a lookup field, if it is not there yet.
    pub(super) fn index_children(&mut self, field: usize) {
        if self.children.contains_key(&field) {
            return;
        }
        let mut index: HashMap<RecordKey, Vec<RecordKey>> = HashMap::new();
        for row in &self.rows {
            if row.state == RowState::Live
                && let Some(parent) = self.parent(row, field)
            {
                index.entry(parent).or_default().push(row.key);
            }
        }
        self.children.insert(field, index);
    }

    /// The positions of the live rows that point at `parent` by this field, in key order.
    pub(super) fn live_children(&self, field: usize, parent: RecordKey) -> Vec<usize> {
        let Some(candidates) = self.children.get(&field).and_then(|index| index.get(&parent)) else { return Vec::new() };
        let mut found: Vec<usize> = candidates
            .iter()
            .filter_map(|key| self.find(*key))
            .filter(|row| {
                let row = &self.rows[*row];
                row.state == RowState::Live && self.parent(row, field) == Some(parent)
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
