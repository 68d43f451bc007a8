//! Single records: read, make, change, delete.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::error::{ApiError, json, json_response};
use super::gate::ApiVersion;
use super::json_record::{known_fields, write_attributes, write_name, write_value};
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::session::Session;
use crate::sandbox::world::{Place, Table};
use crate::sandbox::{DeleteMode, Deletion, FieldKind, ItemError, RecordKey, Sandbox, Value, World, WorldError};

/// The path `…/sobjects/{object}/{id}`.
#[derive(Deserialize)]
pub(super) struct RecordPath {
    object: String,
    id: String,
}

#[derive(Deserialize)]
pub(super) struct ObjectPath {
    pub object: String,
}

#[derive(Deserialize)]
pub(super) struct FieldList {
    fields: Option<String>,
}

/// What a single call answers to an engine's error (that some are 403 and the rest 400 is a guess).
fn item_error(error: &ItemError) -> ApiError {
    let status = match error.status_code.as_str() {
        "ENTITY_IS_DELETED" => StatusCode::NOT_FOUND,
        code if code.starts_with("INSUFFICIENT_ACCESS") => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    let fields: Vec<&str> = error.fields.iter().map(String::as_str).collect();
    ApiError::new(status, &error.status_code, error.message.clone()).with_fields(&fields)
}

/// 404 for an id nobody has (recorded text).
fn no_such_record(id: &str) -> ApiError {
    let message = format!("Provided external ID field does not exist or is not accessible: {id}");
    ApiError::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
}

/// The key in a path, checked against the object in the path.
fn key_of(world: &World, path: &RecordPath) -> Result<RecordKey, ApiError> {
    let table = world.table(&path.object).ok_or_else(ApiError::not_found)?;
    let key = RecordKey::parse(&path.id).map_err(|_| no_such_record(&path.id))?;
    if key.prefix() != table.definition().key_prefix {
        let message = format!("{} ID: id value of incorrect type: {}", table.definition().name, path.id);
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "MALFORMED_ID", message).with_fields(&["Id"]));
    }
    Ok(key)
}

fn live_key(world: &World, path: &RecordPath) -> Result<RecordKey, ApiError> {
    let key = key_of(world, path)?;
    if world.exists(key) {
        return Ok(key);
    }
    if world.in_bin(key) {
        return Err(item_error(&ItemError::new("ENTITY_IS_DELETED", "entity is deleted")));
    }
    Err(no_such_record(&path.id))
}

/// All fields of a table, in the order of a description.
pub(super) fn all_places(table: &Table) -> Vec<Place> {
    let own = (0..table.definition().fields.len()).map(Place::Field);
    table.definition().system_fields().map(|(_, place)| place).chain(own).collect()
}

/// One record with the given fields as a JSON object.
pub(super) fn write_record(output: &mut Vec<u8>, world: &World, key: RecordKey, places: &[Place], version: &str) {
    let Some((table, row)) = world.locate(key) else {
        output.extend(b"null");
        return;
    };
    let definition = &world.tables()[table];
    output.push(b'{');
    write_attributes(output, &definition.definition().name, key, version);
    for place in places {
        write_name(output, definition.field_name(*place));
        write_value(output, &world.value_at(table, row, *place), definition.field_kind(*place));
    }
    output.push(b'}');
}

/// The text for a field that does not exist, in calls that are no query (recorded).
pub(super) fn no_such_column(field: &str, object: &str) -> ApiError {
    let message = format!("No such column '{field}' on sobject of type {object}");
    ApiError::new(StatusCode::BAD_REQUEST, "INVALID_FIELD", message)
}

/// `GET …/sobjects/{object}/{id}`.
pub(super) async fn read(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Path(path): Path<RecordPath>,
    Query(list): Query<FieldList>,
) -> Result<Response, ApiError> {
    let world = sandbox.world();
    let key = live_key(&world, &path)?;
    let table = world.table(&path.object).ok_or_else(ApiError::not_found)?;
    let places = match &list.fields {
        Some(fields) => {
            known_fields(table, fields.split(',')).map_err(|field| no_such_column(field, &table.definition().name))?
        }
        None => all_places(table),
    };
    let mut body = Vec::new();
    write_record(&mut body, &world, key, &places, &version.dotted());
    Ok(json_response(StatusCode::OK, Ok(body)))
}

/// `DELETE …/sobjects/{object}/{id}`.
pub(super) async fn delete(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Extension(faults): Extension<WorkFaults>,
    Path(path): Path<RecordPath>,
) -> Result<Response, ApiError> {
    path.delete(&mut sandbox.world(), session.user, faults.locks_rows())?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl RecordPath {
    /// The path `…/sobjects/{object}/{id}`.
    pub(super) fn new(object: &str, id: &str) -> Self {
        Self { object: object.to_owned(), id: id.to_owned() }
    }

    /// Deletes the record it names, for a user, unless it is `locked`.
    pub(super) fn delete(&self, world: &mut World, user: RecordKey, locked: bool) -> Result<(), ApiError> {
        let key = live_key(world, self)?;
        if locked {
            return Err(item_error(&ItemError::locked(&[key])));
        }
        let deletion = Deletion { mode: DeleteMode::Soft, all_or_none: true, user };
        match world.delete(&[&self.id], deletion).pop() {
            Some(Err(error)) => Err(item_error(&error)),
            _ => Ok(()),
        }
    }
}

#[derive(Serialize)]
struct Made {
    id: String,
    success: bool,
    errors: [(); 0],
}

/// `POST …/sobjects/{object}`.
pub(super) async fn create(
    State(sandbox): State<Sandbox>,
    Path(path): Path<ObjectPath>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let mut world = sandbox.world();
    let fields = fields_of(world.table(&path.object).ok_or_else(ApiError::not_found)?, &body)?;
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let key = world.insert(&path.object, fields).map_err(|error| world_error(&error))?;
    Ok(json(StatusCode::CREATED, &Made { id: key.to_string(), success: true, errors: [] }))
}

/// `PATCH …/sobjects/{object}/{id}`.
pub(super) async fn change(
    State(sandbox): State<Sandbox>,
    Path(path): Path<RecordPath>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let mut world = sandbox.world();
    let key = live_key(&world, &path)?;
    let fields = fields_of(world.table(&path.object).ok_or_else(ApiError::not_found)?, &body)?;
    for (name, value) in fields {
        world.update(key, &name, value).map_err(|error| world_error(&error))?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn world_error(error: &WorldError) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "INVALID_FIELD_FOR_INSERT_UPDATE", error.to_string())
}

/// The members of a JSON object as values of an object's fields.
fn fields_of(table: &Table, body: &[u8]) -> Result<Vec<(String, Value)>, ApiError> {
    let members: Map<String, Json> = serde_json::from_slice(body).map_err(|error| ApiError::json(&error))?;
    let object = &table.definition().name;
    let mut fields = Vec::new();
    for (name, given) in members {
        if name == "attributes" {
            continue;
        }
        let Some(place @ Place::Field(_)) = table.place(&name) else { return Err(no_such_column(&name, object)) };
        let value = table.field_kind(place).map(|kind| read_json(kind, &given)).unwrap_or(Ok(Value::Null));
        fields.push((name, value?));
    }
    Ok(fields)
}

fn read_json(kind: &FieldKind, given: &Json) -> Result<Value, ApiError> {
    let refuse = |message: String| ApiError::new(StatusCode::BAD_REQUEST, "JSON_PARSER_ERROR", message);
    match given {
        Json::Null => Ok(Value::Null),
        Json::Bool(value) if matches!(kind, FieldKind::Boolean) => Ok(Value::Boolean(*value)),
        Json::String(text) => kind.read(text).map_err(|error| refuse(error.to_string())),
        Json::Number(number) => kind.read(&number.to_string()).map_err(|error| refuse(error.to_string())),
        _ => Err(refuse("Cannot deserialize the value of a field".to_owned())),
    }
}
