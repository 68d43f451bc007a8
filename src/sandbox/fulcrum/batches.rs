//! The Batch API. Of the answers only that of a creation is documented; the others are taken to have its form (guess).

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::batch::BatchBody;
use super::caller::Caller;
use super::error::ApiError;
use super::page::{PageParameters, bare, read_json};
use super::{Batch, BatchStatus, ForeignIds, Form, Organization, sql};
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::{Effect, Sandbox};

/// The most records of one batch (documented; that more are refused is a guess).
const MOST_RECORDS: usize = 10_000;

#[derive(Deserialize)]
struct CreateBody {
    batch: Option<NewBatch>,
}

#[derive(Deserialize)]
struct NewBatch {
    /// That it is false when left out is a guess.
    #[serde(default)]
    start: bool,
    #[serde(default)]
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    action: Option<String>,
    resource: Option<String>,
    form_id: Option<String>,
    query: Option<String>,
    ids: Option<Vec<String>>,
    /// What else it says, such as the `record_id` of the vendor's OpenAPI file.
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

fn invalid(field: &str, message: &str) -> ApiError {
    ApiError::invalid("batch", field, message)
}

/// `POST /batch.json`.
pub(super) async fn create(
    State(sandbox): State<Sandbox>,
    Caller(member): Caller,
    Extension(faults): Extension<WorkFaults>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let body: CreateBody = read_json("batch", &headers, &body)?;
    let body = body.batch.ok_or_else(ApiError::bad_request)?;
    if !member.can_delete_records {
        return Err(ApiError::forbidden());
    }
    // Only the first operation runs (documented).
    let operation = body.operations.first().ok_or_else(|| invalid("operations", "cannot be blank"))?;
    let mut organization = sandbox.fulcrum();
    let form = checked(operation, &organization)?;
    let form_id = form.id.clone();
    let ids = affected(operation, form, &organization)?;
    let now = sandbox.now();
    let mut batch = Batch::new(organization.next_id(), &form_id, ids, &member, now);
    batch.total = batch.total.saturating_add_signed(faults.wrong_total());
    for effect in &faults.0 {
        match effect {
            Effect::FailJob { after } => batch.fails_after = usize::try_from(*after).ok(),
            Effect::OmitRows { rows } => batch.passes_over = usize::try_from(*rows).unwrap_or(usize::MAX),
            _ => {}
        }
    }
    if body.start {
        batch.start(now);
    }
    let answer = answer(&batch, &organization);
    organization.batches.push(batch);
    Ok(answer)
}

/// The form of an operation that is one.
fn checked<'a>(operation: &Operation, organization: &'a Organization) -> Result<&'a Form, ApiError> {
    if operation.action.as_deref() == Some("update") {
        return Err(ApiError::gap("updates through batches"));
    }
    if let Some(name) = operation.others.keys().next() {
        let name: String = name.chars().take(80).collect();
        return Err(ApiError::gap(&format!("the property {name} of an operation")));
    }
    for (field, value, only) in [("action", &operation.action, "delete"), ("resource", &operation.resource, "record")] {
        match value.as_deref() {
            None => return Err(invalid(field, "cannot be blank")),
            Some(value) if value == only => {}
            Some(_) => return Err(invalid(field, "is not included in the list")),
        }
    }
    let form_id = operation.form_id.as_deref().ok_or_else(|| invalid("form_id", "cannot be blank"))?;
    let form = organization.forms().find(|form| form.id == form_id);
    form.ok_or_else(|| invalid("form_id", "does not exist or you don't have access to it"))
}

/// The records an operation is about, each once.
fn affected(operation: &Operation, form: &Form, organization: &Organization) -> Result<Vec<String>, ApiError> {
    let ids = match (&operation.ids, &operation.query) {
        (Some(ids), None) if ids.is_empty() => return Err(invalid("ids", "cannot be blank")),
        (Some(ids), None) => ids.clone(),
        (None, Some(query)) => selected(query, organization)?,
        (Some(_), Some(_)) => return Err(invalid("operations", "cannot have both a query and ids")),
        (None, None) => return Err(invalid("operations", "must have a query or ids")),
    };
    let mut seen = BTreeSet::new();
    let is_here = |id: &String| form.records.contains_key(id);
    let mut ids: Vec<String> = ids.into_iter().filter(|id| seen.insert(id.clone())).collect();
    if ids.len() > MOST_RECORDS {
        return Err(invalid("operations", "cannot have more than 10000 records"));
    }
    match organization.settings.foreign_ids {
        ForeignIds::Counted => {}
        ForeignIds::Dropped => ids.retain(is_here),
        ForeignIds::Refused if ids.iter().all(is_here) => {}
        ForeignIds::Refused => return Err(invalid("ids", "must be records of the form")),
    }
    Ok(ids)
}

/// The column `id` of a query's result.
fn selected(query: &str, organization: &Organization) -> Result<Vec<String>, ApiError> {
    let result = sql::run(query, organization).map_err(|error| invalid("query", &error.to_string()))?;
    let column = result.columns.iter().position(|(name, _)| name == "id");
    let column = column.ok_or_else(|| invalid("query", "must return a column named id"))?;
    Ok(result.rows.iter().map(|row| row[column].to_text()).collect())
}

#[derive(Serialize)]
struct Answer<'a> {
    batch: BatchBody<'a>,
}

fn answer(batch: &Batch, organization: &Organization) -> Response {
    Json(Answer { batch: batch.body(organization.now, &organization.settings) }).into_response()
}

/// `GET /batch/{id}.json`.
pub(super) async fn read(State(sandbox): State<Sandbox>, _: Caller, Path(id): Path<String>) -> Result<Response, ApiError> {
    let organization = sandbox.fulcrum();
    let batch = organization.batches.iter().find(|batch| batch.id == bare(&id)).ok_or_else(ApiError::not_found)?;
    Ok(answer(batch, &organization))
}

#[derive(Deserialize)]
pub(super) struct Sorting {
    sort_direction: Option<String>,
}

/// `GET /batch.json`: newest first unless the other direction is asked for (documented parameters). The time of creation is
/// the only key.
pub(super) async fn list(
    State(sandbox): State<Sandbox>,
    _: Caller,
    Query(sorting): Query<Sorting>,
    Query(page): Query<PageParameters>,
) -> Response {
    let organization = sandbox.fulcrum();
    let mut batches: Vec<&Batch> = organization.batches.iter().collect();
    if !sorting.sort_direction.is_some_and(|direction| direction.eq_ignore_ascii_case("asc")) {
        batches.reverse();
    }
    let items = batches[page.range(batches.len())].iter();
    let items = items.map(|batch| batch.body(organization.now, &organization.settings)).collect();
    page.answer("batches", batches.len(), items)
}

/// `POST /batch/{id}/start.json`, without a body. Starting what has been started is refused (guess).
pub(super) async fn start(
    State(sandbox): State<Sandbox>,
    Caller(member): Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    if !member.can_delete_records {
        return Err(ApiError::forbidden());
    }
    let mut organization = sandbox.fulcrum();
    let now = organization.now;
    let place = pending(&organization, &id)?;
    organization.batches[place].start(now);
    Ok(answer(&organization.batches[place], &organization))
}

#[derive(Deserialize)]
struct AppendBody {
    operations: Vec<Operation>,
}

/// `POST /batch/{id}/operations.json`. Since only the first operation of a batch runs, the others are looked at and forgotten.
pub(super) async fn append(
    State(sandbox): State<Sandbox>,
    _: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let body: AppendBody = read_json("batch", &headers, &body)?;
    let organization = sandbox.fulcrum();
    let place = pending(&organization, &id)?;
    body.operations.iter().try_for_each(|operation| checked(operation, &organization).map(drop))?;
    Ok(answer(&organization.batches[place], &organization))
}

/// The place of a batch that was not started.
fn pending(organization: &Organization, id: &str) -> Result<usize, ApiError> {
    let place = organization.batches.iter().position(|batch| batch.id == bare(id)).ok_or_else(ApiError::not_found)?;
    if organization.batches[place].status == BatchStatus::Pending {
        return Ok(place);
    }
    Err(invalid("status", "is not pending"))
}
