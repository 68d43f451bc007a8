//! One page of a REST query's answer.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::call::Call;
use super::soql;
use crate::provider::ProviderError;
use crate::provider::common::incomplete;

/// One page of a query's answer. Every key is optional, so that a missing one is told apart from an unreadable answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryPage {
    pub(super) total_size: Option<u64>,
    pub(super) done: Option<bool>,
    pub(super) next_records_url: Option<String>,
    pub(super) records: Option<Vec<Map<String, Value>>>,
}

impl QueryPage {
    /// The rows of an answer that must be one page.
    pub(super) fn whole(self, call: &Call) -> Result<Vec<Map<String, Value>>, ProviderError> {
        let rows = self.records.unwrap_or_default();
        if self.done == Some(true) && self.total_size == Some(rows.len() as u64) {
            Ok(rows)
        } else {
            Err(incomplete(&call.doing, "the answer is not one whole page"))
        }
    }
}

/// A field of a row as text, following a dotted path; empty for null, `None` when the row has no such field.
pub(super) fn field_text(row: &Map<String, Value>, path: &str) -> Option<String> {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let value =
        row.get(name).or_else(|| row.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))?;
    match (value, rest) {
        (Value::Null, _) => Some(String::new()),
        (Value::Object(parent), Some(rest)) => field_text(parent, rest),
        (_, Some(_)) => None,
        (Value::String(text), None) => Some(soql::plain(text)),
        (value, None) => Some(value.to_string()),
    }
}
