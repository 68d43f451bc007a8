//! Single records.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde_json::{Map, Value as Tree, json};

use super::batch::moment;
use super::caller::Caller;
use super::error::ApiError;
use super::forms::element_key;
use super::page::{PageParameters, bare};
use super::record_filter::RecordFilter;
use super::{Form, Organization, Record, Value};
use crate::sandbox::Sandbox;

/// `GET /records.json`: by the moment of their last change (documented), and by id where these are the same (guess).
pub(super) async fn list(
    State(sandbox): State<Sandbox>,
    _: Caller,
    Query(filter): Query<RecordFilter>,
    Query(page): Query<PageParameters>,
) -> Result<Response, ApiError> {
    let wanted = filter.read()?;
    let organization = sandbox.fulcrum();
    let forms = organization.forms().filter(|form| wanted.has_form(form));
    let all = forms.flat_map(|form| form.records.iter().map(move |(id, record)| (form, id, record)));
    let mut found: Vec<(&Form, &String, &Record)> = all.filter(|(_, _, record)| wanted.has(record)).collect();
    found.sort_by_key(|(_, id, record)| (record.server_updated_at, *id));
    if wanted.newest_first {
        found.reverse();
    }
    let shown = &found[page.range(found.len())];
    let items = shown.iter().map(|(form, id, record)| to_json(&organization, form, id, record)).collect();
    Ok(page.answer("records", found.len(), items))
}

/// `GET /records/{id}.json`. That a deleted record is not found is a guess.
pub(super) async fn read(State(sandbox): State<Sandbox>, _: Caller, Path(id): Path<String>) -> Result<Json<Tree>, ApiError> {
    let organization = sandbox.fulcrum();
    Ok(Json(json!({ "record": find(&organization, bare(&id))? })))
}

/// `DELETE /records/{id}.json`: 200 with the record as it was (documented).
pub(super) async fn delete(
    State(sandbox): State<Sandbox>,
    Caller(member): Caller,
    Path(id): Path<String>,
) -> Result<Json<Tree>, ApiError> {
    if !member.can_delete_records {
        return Err(ApiError::forbidden());
    }
    let mut organization = sandbox.fulcrum();
    let record = find(&organization, bare(&id))?;
    if let Some(form) = organization.form_of(bare(&id)).map(|form| form.id.clone()) {
        organization.remove(&form, bare(&id));
    }
    Ok(Json(json!({ "record": record })))
}

fn find(organization: &Organization, id: &str) -> Result<Tree, ApiError> {
    let form = organization.form_of(id).ok_or_else(ApiError::not_found)?;
    let record = form.records.get(id).ok_or_else(ApiError::not_found)?;
    Ok(to_json(organization, form, id, record))
}

/// The documented keys that are not about devices.
fn to_json(organization: &Organization, form: &Form, id: &str, record: &Record) -> Tree {
    let values = form.fields.iter().zip(&record.values).enumerate().filter(|(_, (_, value))| **value != Value::Null);
    let form_values: Map<String, Tree> = values.map(|(place, (_, value))| (element_key(place), form_value(value))).collect();
    let name_of = |user: &str| organization.members.iter().find(|member| member.user_id == user).map(|member| &member.name);
    json!({
        "status": record.status,
        "version": record.version,
        "id": id,
        "created_at": moment(record.server_created_at),
        "updated_at": moment(record.server_updated_at),
        "client_created_at": moment(record.created_at),
        "client_updated_at": moment(record.updated_at),
        "created_by": name_of(&record.created_by_id),
        "created_by_id": record.created_by_id,
        "updated_by": name_of(&record.created_by_id),
        "updated_by_id": record.created_by_id,
        "form_id": form.id,
        "project_id": record.project_id,
        "assigned_to": record.assigned_to_id.as_deref().and_then(name_of),
        "assigned_to_id": record.assigned_to_id,
        "form_values": form_values,
        "latitude": record.latitude,
        "longitude": record.longitude,
    })
}

/// Everything is text, but choices are objects.
fn form_value(value: &Value) -> Tree {
    match value {
        Value::Array(choices) => json!({ "choice_values": choices, "other_values": [] }),
        value => json!(value.to_text()),
    }
}
