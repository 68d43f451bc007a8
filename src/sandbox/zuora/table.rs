//! The records of one object.

use std::collections::BTreeMap;

use super::evaluate::Value;
use super::objects::Object;

/// One object and its records.
#[derive(Debug)]
pub(super) struct Table {
    pub object: Object,
    pub rows: BTreeMap<String, Row>,
}

/// The fields of a record that are not empty, by their position in the object.
pub(super) type Row = BTreeMap<usize, Value>;
