//! Composite: several deletions in one call, all or nothing if wished.

use std::collections::BTreeSet;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::collections::{DeleteQuery, Item};
use super::error::{ApiError, json};
use super::record::RecordPath;
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::gap;
use crate::sandbox::session::Session;
use crate::sandbox::{Sandbox, World};

/// The most subrequests (documented).
const MOST_PARTS: usize = 25;
/// The most subrequests that are collections or queries (documented).
const MOST_COLLECTIONS: usize = 5;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    #[serde(default)]
    all_or_none: bool,
    composite_request: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    method: String,
    url: String,
    reference_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    composite_response: Vec<PartAnswer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartAnswer {
    body: Body,
    http_headers: Map<String, Json>,
    http_status_code: u16,
    reference_id: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body {
    Items(Vec<Item>),
    Error(ApiError),
    Nothing,
}

impl PartAnswer {
    fn new(status: StatusCode, body: Body, reference_id: Option<String>) -> Self {
        Self { body, http_headers: Map::new(), http_status_code: status.as_u16(), reference_id }
    }

    fn error(error: ApiError, reference_id: Option<String>) -> Self {
        Self::new(error.status(), Body::Error(error), reference_id)
    }

    fn succeeded(&self) -> bool {
        match &self.body {
            Body::Items(items) => items.iter().all(|item| item.success),
            Body::Error(_) => false,
            Body::Nothing => true,
        }
    }
}

/// What a subrequest asks for, out of its address.
enum Work {
    Collection(DeleteQuery),
    Record(RecordPath),
    /// Nothing that is carried out here; it may count as a collection all the same.
    Other {
        is_query: bool,
    },
}

impl Part {
    fn work(&self) -> Result<Work, ApiError> {
        let bad_url = || {
            // That the address must have this form is documented; code and text are guesses.
            ApiError::bulk(StatusCode::BAD_REQUEST, "INVALID_REQUEST", format!("Invalid subrequest url: {}", self.url))
        };
        let uri: Uri = self.url.parse().map_err(|_| bad_url())?;
        if let Some(gap) = self.method.parse().ok().and_then(|method| gap::of(&method, &uri)) {
            return Err(ApiError::bulk(StatusCode::NOT_IMPLEMENTED, "NOT_IN_SANDBOX", gap));
        }
        let rest = uri.path().strip_prefix("/services/data/v").and_then(|rest| rest.split_once('/')).ok_or_else(bad_url)?.1;
        let segments: Vec<&str> = rest.split('/').collect();
        Ok(match (self.method.as_str(), &segments[..]) {
            ("DELETE", ["composite", "sobjects"]) => {
                Work::Collection(Query::<DeleteQuery>::try_from_uri(&uri).map_err(|_| bad_url())?.0)
            }
            ("DELETE", ["sobjects", object, id]) => Work::Record(RecordPath::new(object, id)),
            (_, [first, second @ ..]) => {
                Work::Other { is_query: matches!(*first, "query" | "queryAll") || second.first() == Some(&"sobjects") }
            }
            _ => Work::Other { is_query: false },
        })
    }
}

/// The whole answer for a call that is too large. The first text is recorded, with its apostrophe and without a reference;
/// the outer status and the second text are guesses.
fn too_large(most: &str) -> Answer {
    let message = format!("The request can’t contain more than {most}.");
    let error = ApiError::bulk(StatusCode::BAD_REQUEST, "LIMIT_EXCEEDED", message);
    Answer { composite_response: vec![PartAnswer::error(error, None)] }
}

/// What every other subrequest says when one has failed in a call of all or nothing (documented).
fn halted() -> ApiError {
    let message = "The transaction was rolled back since another operation in the same transaction failed.";
    ApiError::bulk(StatusCode::BAD_REQUEST, "PROCESSING_HALTED", message)
}

/// `POST …/composite`.
pub(super) async fn composite(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Extension(faults): Extension<WorkFaults>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let call: Call = serde_json::from_slice(&body).map_err(|error| ApiError::json(&error))?;
    check_references(&call.composite_request)?;
    if call.composite_request.len() > MOST_PARTS {
        return Ok(json(StatusCode::OK, &too_large("25 operations")));
    }
    let works = call.composite_request.iter().map(Part::work).collect::<Vec<_>>();
    let collections = works.iter().filter(|work| matches!(work, Ok(Work::Collection(_) | Work::Other { is_query: true })));
    if collections.count() > MOST_COLLECTIONS {
        return Ok(json(StatusCode::OK, &too_large("5 query or sObject collection operations")));
    }
    // Whether an outer all-or-none makes the items of a failed collection say that they were rolled back although the
    // collection did not ask for it itself is documented: it does not. Where both ask, it is unknown.
    let hides_rollback = sandbox.settings().composite_hides_rollback;
    let carry_out = |world: &mut World| {
        let mut answers: Vec<PartAnswer> = Vec::new();
        for (number, (part, work)) in (1..).zip(call.composite_request.iter().zip(works)) {
            let locked = faults.locks_part(number);
            let done = work.and_then(|work| match work {
                Work::Collection(query) => {
                    let all_or_none = query.all_or_none() && !(call.all_or_none && hides_rollback);
                    let items = query.carry_out(world, session.user, all_or_none, locked)?;
                    Ok((StatusCode::OK, Body::Items(items)))
                }
                Work::Record(path) => {
                    path.delete(world, session.user, locked)?;
                    Ok((StatusCode::NO_CONTENT, Body::Nothing))
                }
                Work::Other { .. } => Err(not_carried_out(part)),
            });
            let reference = Some(part.reference_id.clone());
            let answer = match done {
                Ok((status, body)) => PartAnswer::new(status, body, reference),
                Err(error) => PartAnswer::error(error, reference),
            };
            let goes_on = answer.succeeded() || !call.all_or_none;
            answers.push(answer);
            if !goes_on {
                break;
            }
        }
        answers
    };
    let keeps = |answers: &Vec<PartAnswer>| !call.all_or_none || answers.iter().all(PartAnswer::succeeded);
    let mut answers = sandbox.world().transaction(carry_out, keeps);
    if let Some(culprit) = answers.iter().position(|answer| !answer.succeeded()).filter(|_| call.all_or_none) {
        let guilty = answers.remove(culprit);
        answers =
            call.composite_request.iter().map(|part| PartAnswer::error(halted(), Some(part.reference_id.clone()))).collect();
        answers[culprit] = guilty;
    }
    Ok(json(StatusCode::OK, &Answer { composite_response: answers }))
}

/// References are letters, digits and underscores; from version 52 on others fail the whole request (documented; code and
/// text are guesses).
fn check_references(parts: &[Part]) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    let is_good = |reference: &str| {
        !reference.is_empty() && reference.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
    };
    match parts.iter().find(|part| !is_good(&part.reference_id) || !seen.insert(&part.reference_id)) {
        Some(part) => {
            let message = format!("Invalid reference ID: {}", part.reference_id);
            Err(ApiError::bulk(StatusCode::BAD_REQUEST, "INVALID_REQUEST", message))
        }
        None => Ok(()),
    }
}

fn not_carried_out(part: &Part) -> ApiError {
    let message = format!("The sandbox carries out deletions in a composite call, not {} {}.", part.method, part.url);
    ApiError::bulk(StatusCode::BAD_REQUEST, "METHOD_NOT_ALLOWED", message)
}
