//! Forms, to be read.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::caller::Caller;
use super::error::ApiError;
use super::page::{PageParameters, bare};
use super::{ColumnKind, Field, Form};
use crate::sandbox::Sandbox;

/// `GET /forms.json`.
pub(super) async fn list(State(sandbox): State<Sandbox>, _: Caller, Query(page): Query<PageParameters>) -> Response {
    let organization = sandbox.fulcrum();
    let forms: Vec<&Form> = organization.forms().collect();
    let items = forms[page.range(forms.len())].iter().map(|form| to_json(form)).collect();
    page.answer("forms", forms.len(), items)
}

/// `GET /forms/{id}.json`.
pub(super) async fn read(
    State(sandbox): State<Sandbox>,
    _: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let organization = sandbox.fulcrum();
    let form = organization.forms().find(|form| form.id == bare(&id)).ok_or_else(ApiError::not_found)?;
    Ok(Json(json!({ "form": to_json(form) })))
}

fn to_json(form: &Form) -> Value {
    let choices: Vec<Value> =
        form.statuses.iter().map(|status| json!({ "label": status, "value": status, "color": "#87D30F" })).collect();
    let elements: Vec<Value> = form.fields.iter().enumerate().map(|(place, field)| element(place, field)).collect();
    json!({
        "name": form.name,
        "description": null,
        "id": form.id,
        "record_count": form.records.len(),
        "status": "active",
        "status_field": {
            "type": "StatusField",
            "label": "Status",
            "key": "@status",
            "data_name": "status",
            "default_value": form.statuses.first(),
            "enabled": !form.statuses.is_empty(),
            "choices": choices,
        },
        "title_field_keys": form.fields.first().map(|_| element_key(0)),
        "elements": elements,
    })
}

/// What stands for a field in the `form_values` of a record.
pub(super) fn element_key(place: usize) -> String {
    format!("{:04x}", 0x2b1a + place)
}

fn element(place: usize, field: &Field) -> Value {
    let mut element = json!({
        "type": match field.kind {
            ColumnKind::Array => "ChoiceField",
            ColumnKind::Date => "DateTimeField",
            _ => "TextField",
        },
        "key": element_key(place),
        "label": field.name.replace('_', " "),
        "data_name": field.name,
        "required": false,
        "disabled": false,
        "hidden": false,
    });
    match field.kind {
        ColumnKind::Integer => element["format"] = json!("integer"),
        ColumnKind::Double => element["format"] = json!("decimal"),
        ColumnKind::Array => element["multiple"] = json!(true),
        _ => {}
    }
    if matches!(field.kind, ColumnKind::Integer | ColumnKind::Double) {
        element["numeric"] = json!(true);
    }
    element
}
