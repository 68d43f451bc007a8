//! What was deleted and what was changed within a span of time, for those who keep copies.

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value as Json, json as tree};

use super::error::{ApiError, json, moment};
use super::record::ObjectPath;
use crate::sandbox::session::Session;
use crate::sandbox::world::{Place, Table};
use crate::sandbox::{Sandbox, Value, World};

/// How far back a span may begin (documented).
const FARTHEST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far back deletions are known, which is as long as a recycle bin keeps them (documented).
const DELETIONS_KNOWN: SignedDuration = SignedDuration::from_hours(15 * 24);
/// The most records one answer names (documented).
const MOST_RECORDS: usize = 600_000;

#[derive(Deserialize)]
pub(super) struct SpanQuery {
    start: Option<String>,
    end: Option<String>,
}

/// A span of whole minutes: seconds are passed over (documented).
#[derive(Clone, Copy)]
struct Span {
    start: Timestamp,
    end: Timestamp,
}

impl Span {
    /// The codes are documented, the texts from memory; a record that changes at the very end belongs to the next span (guess).
    fn read(query: &SpanQuery, now: Timestamp) -> Result<Self, ApiError> {
        let refuse = |message: &str| ApiError::new(StatusCode::BAD_REQUEST, "INVALID_REPLICATION_DATE", message);
        let read = |name: &str, text: &Option<String>| -> Result<Timestamp, ApiError> {
            let text = text.as_deref().ok_or_else(|| {
                ApiError::new(StatusCode::BAD_REQUEST, "MISSING_ARGUMENT", format!("The parameter {name} is required"))
            })?;
            // A plus sign that was not escaped has become a space.
            let moment =
                text.replace(' ', "+").parse::<Timestamp>().map_err(|_| refuse(&format!("Invalid {name}: {text}")))?;
            Ok(whole_minute(moment))
        };
        let span = Self { start: read("start", &query.start)?, end: read("end", &query.end)? };
        if span.start.duration_until(span.end) < SignedDuration::from_mins(1) {
            return Err(refuse("endDate must be at least a minute greater than startDate"));
        }
        if span.start.duration_until(now) > FARTHEST + SignedDuration::from_mins(1) {
            return Err(refuse("startDate cannot be more than 30 days ago"));
        }
        Ok(span)
    }

    fn has(self, at: &Value) -> bool {
        matches!(at, Value::DateTime(at) if (self.start..self.end).contains(at))
    }

    /// Up to when the answer is whole: not beyond the present.
    fn covered(self, now: Timestamp) -> Timestamp {
        self.end.min(whole_minute(now))
    }
}

fn whole_minute(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(at)
}

/// `GET …/sobjects/{object}/deleted?start=…&end=…`. What was deleted for good is not told (guess).
pub(super) async fn deleted(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Path(path): Path<ObjectPath>,
    Query(query): Query<SpanQuery>,
) -> Result<Response, ApiError> {
    let world = sandbox.world();
    let (number, table) = replicated(&world, &path.object, session)?;
    let span = Span::read(&query, world.now())?;
    // A record that lies in the bin was changed last when it was put there.
    let deleted_at = |row: usize| world.value_at(number, row, Place::LastModifiedDate);
    let in_bin = (0..table.len()).filter(|row| !table.is_live(*row) && !table.is_gone(*row));
    let rows: Vec<usize> = in_bin.filter(|row| span.has(&deleted_at(*row))).collect();
    check_number(rows.len())?;
    let shown = |at: Value| if let Value::DateTime(at) = at { Json::String(moment(at)) } else { Json::Null };
    let records: Vec<Json> = rows
        .into_iter()
        .map(|row| tree!({ "deletedDate": shown(deleted_at(row)), "id": table.key_at(row).to_string() }))
        .collect();
    Ok(json(
        StatusCode::OK,
        &tree!({
            "deletedRecords": records,
            "earliestDateAvailable": moment(whole_minute(world.now() - DELETIONS_KNOWN)),
            "latestDateCovered": moment(span.covered(world.now())),
        }),
    ))
}

/// `GET …/sobjects/{object}/updated?start=…&end=…`: what was added or changed and is still there.
pub(super) async fn updated(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Path(path): Path<ObjectPath>,
    Query(query): Query<SpanQuery>,
) -> Result<Response, ApiError> {
    let world = sandbox.world();
    let (number, table) = replicated(&world, &path.object, session)?;
    let span = Span::read(&query, world.now())?;
    let live = (0..table.len()).filter(|row| table.is_live(*row));
    let ids: Vec<String> = live
        .filter(|row| span.has(&world.value_at(number, *row, Place::SystemModstamp)))
        .map(|row| table.key_at(row).to_string())
        .collect();
    check_number(ids.len())?;
    Ok(json(StatusCode::OK, &tree!({ "ids": ids, "latestDateCovered": moment(span.covered(world.now())) })))
}

/// The object, if this login can see it and copies of it are kept: see `replicateable` in its description. The code of a refusal is a
/// guess.
fn replicated<'a>(world: &'a World, object: &str, session: Session) -> Result<(usize, &'a Table), ApiError> {
    let number = world.table_number(object).ok_or_else(ApiError::not_found)?;
    let table = &world.tables()[number];
    let definition = table.definition();
    if !world.may_read(&definition.name, session.user) {
        return Err(ApiError::not_found());
    }
    if !definition.deletable {
        let message = format!("entity type {} does not support replication", definition.name);
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "INVALID_TYPE_FOR_OPERATION", message));
    }
    Ok((number, table))
}

/// The code is documented, the text a guess.
fn check_number(records: usize) -> Result<(), ApiError> {
    if records <= MOST_RECORDS {
        return Ok(());
    }
    let message = format!("{records} records are more than the {MOST_RECORDS} of one call. Use a shorter time span.");
    Err(ApiError::new(StatusCode::BAD_REQUEST, "EXCEEDED_ID_LIMIT", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_names_so_many_records_and_no_more() {
        assert_eq!(check_number(600_000), Ok(()));
        assert_eq!(check_number(600_001).expect_err("too many").code(), "EXCEEDED_ID_LIMIT");
    }
}
