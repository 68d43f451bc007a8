//! A row of the world as the evaluator of conditions sees it.

use super::evaluate::Record;
use super::key_test::KeyTest;
use super::route::Route;
use super::value::Value as SoqlValue;
use crate::sandbox::{FieldKind, Value, World};

/// What a condition's paths mean.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// By the path as written.
    pub routes: Vec<(String, Route, bool)>,
    /// By the name that stands in the condition for the test.
    pub tests: Vec<(String, KeyTest)>,
}

impl Names {
    /// Notes what a path means.
    pub(super) fn add_route(&mut self, world: &World, path: &str, route: Route) {
        if !self.routes.iter().any(|(known, ..)| known == path) {
            let is_list = matches!(route.kind(world), Some(FieldKind::MultiPicklist(_)));
            self.routes.push((path.to_owned(), route, is_list));
        }
    }
}

/// One row.
pub(super) struct Row<'a> {
    pub world: &'a World,
    pub table: usize,
    pub row: usize,
    pub names: &'a Names,
}

impl Record for Row<'_> {
    fn value(&self, path: &str) -> Option<SoqlValue> {
        if let Some((_, test)) = self.names.tests.iter().find(|(name, _)| name == path) {
            return Some(SoqlValue::Boolean(test.passes(self.world, self.table, self.row)));
        }
        let (_, route, is_list) = self.names.routes.iter().find(|(name, ..)| name == path)?;
        Some(match route.value(self.world, self.table, self.row) {
            Value::Null => SoqlValue::Null,
            Value::Boolean(value) => SoqlValue::Boolean(value),
            Value::Number(value) => SoqlValue::Number(value),
            Value::Date(value) => SoqlValue::Date(value),
            Value::DateTime(value) => SoqlValue::DateTime(value),
            Value::Text(value) if *is_list => SoqlValue::MultiPicklist(value.split(';').map(str::to_owned).collect()),
            Value::Text(value) => SoqlValue::Text(value.to_string()),
            Value::Reference(key) => SoqlValue::Text(key.to_string()),
        })
    }
}
