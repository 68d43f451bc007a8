//! sObject Collections: up to 200 records deleted, up to 2,000 read, in one call.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::error::{ApiError, json, json_response};
use super::gate::ApiVersion;
use super::json_record::known_fields;
use super::record::{ObjectPath, no_such_column, write_record};
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::session::Session;
use crate::sandbox::{DeleteMode, Deletion, ItemError, RecordKey, Sandbox, World};

/// The most records one call deletes (documented).
const MOST_DELETED: usize = 200;
/// The most records one call reads (documented).
const MOST_READ: usize = 2_000;

#[derive(Deserialize)]
pub(super) struct DeleteQuery {
    ids: Option<String>,
    #[serde(rename = "allOrNone")]
    all_or_none: Option<String>,
}

/// What happened to one record.
#[derive(Serialize)]
pub(super) struct Item {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Whether it was deleted.
    pub success: bool,
    errors: Vec<ItemErrorBody>,
}

#[derive(Serialize)]
struct ItemErrorBody {
    #[serde(rename = "statusCode")]
    status_code: String,
    message: String,
    fields: Vec<String>,
}

fn item(id: &str, outcome: Result<(), ItemError>) -> Item {
    // The id is missing where it could not be read (documented for MALFORMED_ID).
    let id = RecordKey::parse(id).ok().map(|key| key.to_string());
    match outcome {
        Ok(()) => Item { id, success: true, errors: Vec::new() },
        Err(ItemError { status_code, message, fields }) => {
            Item { id, success: false, errors: vec![ItemErrorBody { status_code, message, fields }] }
        }
    }
}

/// `DELETE …/composite/sobjects?ids=…&allOrNone=…`.
pub(super) async fn delete(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Extension(faults): Extension<WorkFaults>,
    Query(query): Query<DeleteQuery>,
) -> Result<Response, ApiError> {
    let items = query.carry_out(&mut sandbox.world(), session.user, query.all_or_none(), faults.locks_rows())?;
    Ok(json(StatusCode::OK, &items))
}

impl DeleteQuery {
    /// Whether one failure shall undo the whole call.
    pub(super) fn all_or_none(&self) -> bool {
        self.all_or_none.as_ref().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// Deletes the records it names, for a user, unless all of them are `locked`.
    pub(super) fn carry_out(
        &self,
        world: &mut World,
        user: RecordKey,
        all_or_none: bool,
        locked: bool,
    ) -> Result<Vec<Item>, ApiError> {
        let ids: Vec<&str> =
            self.ids.as_deref().unwrap_or_default().split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
        if ids.is_empty() {
            // The text is recorded, the code a guess after that of creations.
            let message = "At least 1 Id is required.";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "REQUIRED_FIELD_MISSING", message));
        }
        if ids.len() > MOST_DELETED {
            // The code and the text are recorded, the status is a guess.
            let message = "record limit reached. cannot submit more than 200 records into this call";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "EXCEEDED_ID_LIMIT", message));
        }
        let deletion = Deletion { mode: DeleteMode::Soft, all_or_none, user };
        let outcomes = if locked { all_locked(world, &ids) } else { world.delete(&ids, deletion) };
        Ok(ids.iter().zip(outcomes).map(|(id, outcome)| item(id, outcome)).collect())
    }
}

/// The answer when no row of the call can be locked.
fn all_locked(world: &World, ids: &[&str]) -> Vec<Result<(), ItemError>> {
    let keys: Vec<RecordKey> = ids.iter().filter_map(|id| RecordKey::parse(id).ok()).collect();
    let locked = ItemError::locked(&keys);
    let refuse = |id: &&str| match RecordKey::parse(id) {
        Ok(key) if world.exists(key) => Err(locked.clone()),
        Ok(key) if world.in_bin(key) => Err(ItemError::new("ENTITY_IS_DELETED", "entity is deleted")),
        Ok(_) => Err(ItemError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")),
        Err(_) => Err(ItemError::new("MALFORMED_ID", format!("malformed id {id}"))),
    };
    ids.iter().map(refuse).collect()
}

#[derive(Deserialize)]
struct ReadBody {
    ids: Vec<String>,
    fields: Vec<String>,
}

/// `POST …/composite/sobjects/{object}`: the records by id, `null` where there is none.
pub(super) async fn read(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Path(path): Path<ObjectPath>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let asked: ReadBody = serde_json::from_slice(&body).map_err(|error| ApiError::json(&error))?;
    if asked.ids.len() > MOST_READ {
        let message = "record limit reached. cannot submit more than 2000 records into this call";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "EXCEEDED_ID_LIMIT", message));
    }
    let world = sandbox.world();
    let table = world.table(&path.object).ok_or_else(ApiError::not_found)?;
    let places = known_fields(table, asked.fields.iter().map(String::as_str))
        .map_err(|field| no_such_column(field, &table.definition().name))?;
    let prefix = table.definition().key_prefix;
    let mut output = vec![b'['];
    for (number, id) in asked.ids.iter().enumerate() {
        if number > 0 {
            output.push(b',');
        }
        match RecordKey::parse(id).ok().filter(|key| key.prefix() == prefix && world.exists(*key)) {
            Some(key) => write_record(&mut output, &world, key, &places, &version.dotted()),
            None => output.extend(b"null"),
        }
    }
    output.push(b']');
    Ok(json_response(StatusCode::OK, Ok(output)))
}
