//! REST queries, page by page, proven complete.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::call::Call;
use super::session::Session;
use super::soql::{self, Selection};
use crate::base::canonical_salesforce_id;
use crate::plan::{Query, Row};
use crate::provider::{Completeness, ErrorClass, ProviderError, RowSink};

/// One page of a query's answer. Every key is optional, so that a missing one is told apart from an unreadable answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryPage {
    total_size: Option<u64>,
    done: Option<bool>,
    next_records_url: Option<String>,
    records: Option<Vec<Map<String, Value>>>,
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

/// An error for a read that ended before it was complete.
pub(super) fn incomplete(doing: &str, message: impl Into<String>) -> ProviderError {
    ProviderError {
        help: Some("nothing was changed; run the same command again".into()),
        ..super::call::error(ErrorClass::Incomplete, doing, "incomplete", message)
    }
}

/// An error for rows or answers that cannot be kept on this machine.
pub(super) fn not_kept(doing: &str, cause: &std::io::Error) -> ProviderError {
    super::call::error(ErrorClass::Local, doing, "not-kept", format!("what arrived cannot be written down: {cause}"))
}

/// Streams the rows of a statement into `take`, page by page.
///
/// `resource` is `query`, or `queryAll` for deleted records too. It ends well only when the server said that it was done, told the same total
/// on every page, and sent exactly that many rows.
pub(super) async fn page_through(
    session: &Session,
    resource: &str,
    doing: &str,
    statement: &str,
    mut take: impl FnMut(&Map<String, Value>) -> Result<(), ProviderError> + Send,
) -> Result<Completeness, ProviderError> {
    let mut call = Call::get(doing, resource).parameters(&[("q", statement)]);
    let mut visited = BTreeSet::new();
    let mut declared = None;
    let mut rows = 0;
    loop {
        let page: QueryPage = session.read_json(&call).await?;
        let (Some(total), Some(done), Some(records)) = (page.total_size, page.done, page.records) else {
            return Err(incomplete(doing, "a page has no `totalSize`, no `done` or no `records`"));
        };
        if *declared.get_or_insert(total) != total {
            return Err(incomplete(doing, "the total changed between two pages"));
        }
        let is_empty = records.is_empty();
        for record in records {
            rows += 1;
            take(&record)?;
        }
        if rows > total {
            return Err(incomplete(doing, format!("{rows} rows came, and the system declared {total}")));
        }
        match (done, page.next_records_url) {
            (true, None) if rows == total => return Ok(Completeness { rows, declared: total }),
            (true, None) => return Err(incomplete(doing, format!("{rows} rows came, and the system declared {total}"))),
            (true, Some(_)) => return Err(incomplete(doing, "the last page names a next one")),
            (false, None) => return Err(incomplete(doing, "a page that is not the last names no next one")),
            (false, Some(_)) if is_empty => return Err(incomplete(doing, "a page that is not the last is empty")),
            (false, Some(next)) => {
                // The address is the server's word. It is documented to begin so, and anything else could lead a token elsewhere.
                if !next.starts_with("/services/data/") || next.len() > 2_000 {
                    return Err(incomplete(doing, "a page names a next one that is none of this system"));
                }
                if !visited.insert(next.clone()) {
                    return Err(incomplete(doing, "two pages name the same next one"));
                }
                call = Call::get(doing, next);
            }
        }
    }
}

/// Streams a query's rows through REST.
pub(super) async fn select(
    session: &Session,
    selection: &Selection,
    sink: &mut dyn RowSink,
) -> Result<Completeness, ProviderError> {
    let doing = &selection.doing;
    page_through(session, "query", doing, &selection.statement, |record| {
        let value = |place: usize| {
            let column = &selection.columns[place];
            let missing =
                || super::call::error(ErrorClass::Malformed, doing, "missing-field", format!("a row has no `{column}`"));
            field_text(record, column).ok_or_else(missing)
        };
        let Some(row) =
            row(selection, &value(selection.key)?, || selection.values.iter().map(|place| value(*place)).collect())?
        else {
            return Ok(());
        };
        sink.row(row).map_err(|cause| not_kept(doing, &cause))
    })
    .await
}

/// A row of its key and its values; `None` when it has no key and need not have one.
pub(super) fn row(
    selection: &Selection,
    key: &str,
    values: impl FnOnce() -> Result<Vec<String>, ProviderError>,
) -> Result<Option<Row>, ProviderError> {
    if key.is_empty() && selection.key_may_be_empty {
        return Ok(None);
    }
    let id = canonical_salesforce_id(key)
        .map_err(|error| super::call::error(ErrorClass::Malformed, &selection.doing, "malformed-id", error.to_string()))?;
    let values = if selection.values.is_empty() { Vec::new() } else { values()? };
    Ok(Some(Row { id, values }))
}

/// How many records match a query.
pub(super) async fn count(session: &Session, query: &Query) -> Result<u64, ProviderError> {
    let statement = soql::count(query)?;
    let call = Call::get(format!("count {} records", query.object), "query").parameters(&[("q", &statement)]);
    let page: QueryPage = session.read_json(&call).await?;
    match (page.total_size, page.done, page.records) {
        (Some(total), Some(true), Some(records)) if records.is_empty() => Ok(total),
        _ => Err(incomplete(&call.doing, "the answer is not a count")),
    }
}
