//! Composite: one request of up to five Collections, which deletes up to 1,000 records or none.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::collections::{self, check_ids, paired, parameters, verdict};
use super::session::Session;
use crate::apply::{Answer, AnswerVerdict, Order};
use crate::base::{Failure, FailureClass, RecordId};
use crate::provider::ProviderError;

/// The most ids of one request: of its subrequests five may be Collections (documented).
pub(super) const MOST_IDS: usize = 5 * collections::MOST_IDS;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CompositeAnswer {
    composite_response: Vec<Part>,
}

/// The answer to one subrequest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    body: Value,
    http_status_code: u16,
    reference_id: Option<String>,
}

/// An error about a subrequest as a whole.
#[derive(Deserialize)]
struct PartError {
    #[serde(rename = "errorCode")]
    error_code: String,
    #[serde(default)]
    message: String,
}

/// Deletes the records of one batch, all or none, in one request.
pub(super) async fn delete(session: &Session, order: &Order, ids: &[RecordId]) -> Result<Vec<Answer>, ProviderError> {
    let call = Call::new(format!("delete {} {} records as a whole", ids.len(), order.object), Method::POST, "composite");
    check_ids(&call, ids, MOST_IDS)?;
    let version = &session.connection().await?.endpoint.version;
    let parts: Vec<Value> = ids
        .chunks(collections::MOST_IDS)
        .enumerate()
        // The outer flag overrides the inner one (documented). It is set all the same, for siblings to be told as taken back (guess).
        .map(|(place, ids)| {
            json!({
                "method": "DELETE",
                "url": format!("/services/data/v{version}/composite/sobjects?{}", parameters(ids, true)),
                "referenceId": reference(place),
            })
        })
        .collect();
    // Collated subrequests could come in another order.
    let body = json!({"allOrNone": true, "collateSubrequests": false, "compositeRequest": parts});
    let call = call.json(&body).deleting();
    let response = session.call(&call).await?;
    if response.status != StatusCode::OK {
        return Err(call.unreadable(format!("the answer has status {}, not 200", response.status.as_u16())));
    }
    let answer: CompositeAnswer = call.read_json(response).await?;
    whole(&call, ids, answer.composite_response)
}

/// Letters, digits and `_` only (documented).
fn reference(place: usize) -> String {
    format!("delete{place}")
}

/// What the answer says about every record. As soon as one failed nothing was deleted, whatever is said about the others: a subrequest
/// may call records a success that were taken back with it (documented).
fn whole(call: &Call, ids: &[RecordId], parts: Vec<Part>) -> Result<Vec<Answer>, ProviderError> {
    let wanted = ids.len().div_ceil(collections::MOST_IDS);
    if parts.len() != wanted {
        return Err(call.unreadable(format!("{wanted} subrequests were sent and {} answers came", parts.len())));
    }
    let mut answers = Vec::with_capacity(ids.len());
    for (place, (ids, part)) in ids.chunks(collections::MOST_IDS).zip(parts).enumerate() {
        if part.reference_id.as_deref() != Some(&reference(place)) {
            return Err(call.unreadable(format!("answer {} is to another subrequest than the one sent there", place + 1)));
        }
        answers.extend(answers_of_part(call, ids, part)?);
    }
    if answers.iter().all(|answer| answer.verdict == AnswerVerdict::Deleted) {
        return Ok(answers);
    }
    if !answers.iter().any(|answer| matches!(answer.verdict, AnswerVerdict::Failed(_) | AnswerVerdict::AlreadyGone(_))) {
        return Err(call.unreadable("the request was taken back, and no record is named as the cause"));
    }
    for answer in answers.iter_mut().filter(|answer| answer.verdict == AnswerVerdict::Deleted) {
        answer.verdict = AnswerVerdict::RolledBack(Failure {
            class: FailureClass::Invalid,
            code: "rolled-back".into(),
            message: "called a success, and taken back with the request".into(),
        });
    }
    Ok(answers)
}

/// A subrequest that was carried out answers for each of its records, and one that was not with an error for all of them.
fn answers_of_part(call: &Call, ids: &[RecordId], part: Part) -> Result<Vec<Answer>, ProviderError> {
    let unreadable = || call.unreadable("the answer to a subrequest is not what was asked for");
    if part.http_status_code == StatusCode::OK.as_u16() {
        let items = serde_json::from_value(part.body).map_err(|_| unreadable())?;
        return paired(call, ids, items);
    }
    let errors: Vec<PartError> = serde_json::from_value(part.body).map_err(|_| unreadable())?;
    let error = errors.first().ok_or_else(unreadable)?;
    let verdict = verdict(&error.error_code, &error.message);
    Ok(ids.iter().map(|id| Answer { id: *id, verdict: verdict.clone() }).collect())
}
