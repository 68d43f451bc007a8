//! sObject Collections: one request that deletes up to 200 records.

use http::{Method, StatusCode};
use serde::Deserialize;

use super::call::Call;
use super::error_table::{RecordMeaning, record_meaning};
use super::hostile;
use super::session::Session;
use crate::apply::{Answer, AnswerVerdict, Order};
use crate::base::{Failure, FailureClass, RecordId, canonical_salesforce_id};
use crate::provider::{ErrorClass, ProviderError};

/// The most ids of one request (documented).
pub(super) const MOST_IDS: usize = 200;

/// What came back for one id. A failure need not repeat the id (documented, recorded), so that only the place pairs them.
#[derive(Deserialize)]
struct Item {
    id: Option<String>,
    success: bool,
    #[serde(default)]
    errors: Vec<ItemError>,
}

/// Why one id failed. The code is called `statusCode` here and `errorCode` in a refusal of the whole request (documented).
#[derive(Deserialize)]
struct ItemError {
    #[serde(rename = "statusCode")]
    status_code: String,
    #[serde(default)]
    message: String,
}

/// Deletes the records of one batch in one request.
pub(super) async fn delete(session: &Session, order: &Order, ids: &[RecordId]) -> Result<Vec<Answer>, ProviderError> {
    let call = request(order, ids)?;
    let response = session.call(&call).await?;
    if response.status != StatusCode::OK {
        return Err(call.unreadable(format!("the answer has status {}, not 200", response.status.as_u16())));
    }
    let items: Vec<Item> = call.read_json(response).await?;
    paired(&call, ids, items)
}

/// The request, after everything that can be wrong with it has been looked at.
fn request(order: &Order, ids: &[RecordId]) -> Result<Call, ProviderError> {
    let call = Call::new(format!("delete {} {} records", ids.len(), order.object), Method::DELETE, "composite/sobjects");
    if ids.is_empty() || ids.len() > MOST_IDS {
        return Err(call.error(ErrorClass::Invalid, "batch-size", format!("a request takes 1 to {MOST_IDS} ids")));
    }
    let mut list = String::with_capacity(ids.len() * 19);
    let mut sorted: Vec<&RecordId> = ids.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(call.error(ErrorClass::Invalid, "repeated-id", "the same id stands twice in one batch"));
    }
    for id in ids {
        if canonical_salesforce_id(id.as_str()).as_ref() != Ok(id) {
            return Err(call.error(ErrorClass::Invalid, "malformed-id", format!("`{id}` is not a whole Salesforce id")));
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(id.as_str());
    }
    // Commas stand as they are: encoded, the list would be half as long again.
    let query = format!("ids={list}&allOrNone={}", order.atomic);
    Ok(Call { query: Some(query), ..call }.deleting())
}

/// Pairs items with ids by their place. Whatever does not fit leaves the whole request unclear.
fn paired(call: &Call, ids: &[RecordId], items: Vec<Item>) -> Result<Vec<Answer>, ProviderError> {
    if items.len() != ids.len() {
        return Err(call.unreadable(format!("{} ids were sent and {} answers came", ids.len(), items.len())));
    }
    let undone = items.iter().any(|item| is_rolled_back(item));
    let mut answers = Vec::with_capacity(ids.len());
    for (place, (id, item)) in ids.iter().zip(items).enumerate() {
        let echoed = item.id.as_deref().map(canonical_salesforce_id);
        let fits = match &echoed {
            Some(echoed) => echoed.as_ref() == Ok(id),
            None => !item.success,
        };
        if !fits {
            return Err(call.unreadable(format!("answer {} is about another id than the one sent there", place + 1)));
        }
        let verdict = match (item.success, item.errors.into_iter().next()) {
            // A server that took the request back may still call the others a success (documented for composite requests).
            (true, None) if !undone => AnswerVerdict::Deleted,
            (true, _) => return Err(call.unreadable(format!("answer {} is both a success and an error", place + 1))),
            (false, Some(error)) => verdict(&error.status_code, &error.message),
            (false, None) => AnswerVerdict::Failed(Failure {
                class: FailureClass::Unrecognized,
                code: "no-code".into(),
                message: "the system gives no reason".into(),
            }),
        };
        answers.push(Answer { id: *id, verdict });
    }
    Ok(answers)
}

fn is_rolled_back(item: &Item) -> bool {
    !item.success && item.errors.first().is_some_and(|error| record_meaning(&error.status_code) == RecordMeaning::RolledBack)
}

/// What a code says about one record, with the system's own words.
pub(super) fn verdict(code: &str, message: &str) -> AnswerVerdict {
    let code = hostile::code(code);
    let failure = |class| Failure { class, code: code.clone(), message: hostile::words(message) };
    match record_meaning(&code) {
        RecordMeaning::AlreadyGone => AnswerVerdict::AlreadyGone(failure(FailureClass::Invalid)),
        RecordMeaning::RolledBack => AnswerVerdict::RolledBack(failure(FailureClass::Invalid)),
        RecordMeaning::Failed(class) => AnswerVerdict::Failed(failure(class)),
    }
}
