//! Composite: one request of up to five Collections, which deletes up to 1,000 records or none.

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::collections::{paired, parameters, verdict};
use super::session::Session;
use super::soql::is_canonical;
use crate::apply::{Answer, AnswerVerdict, BatchSpecification};
use crate::base::{Failure, FailureClass, RecordId};
use crate::provider::common::check_ids;
use crate::provider::{DeleteRequests, ProviderError};
use crate::system::salesforce::{COLLECTIONS_MOST_IDS, COMPOSITE_MOST_IDS};

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

/// Deletes batches through Composite, all or none.
pub(super) struct Composite<'a> {
    pub(super) session: &'a Session,
    pub(super) specification: &'a BatchSpecification,
}

#[async_trait]
impl DeleteRequests for Composite<'_> {
    async fn send(&self, ids: &[RecordId]) -> Result<Vec<Answer>, ProviderError> {
        let (session, specification) = (self.session, self.specification);
        let call = Call::new(
            format!("delete {} {} records as a whole", ids.len(), specification.object),
            Method::POST,
            "composite",
        );
        check_ids(&call.doing, ids, COMPOSITE_MOST_IDS, is_canonical)?;
        let version = session.connection(|connection| connection.endpoint.version.clone()).await?;
        let parts: Vec<Value> = ids
            .chunks(COLLECTIONS_MOST_IDS)
            .enumerate()
            // The outer flag overrides the inner one (documented), which is set so that siblings are reported as rolled back
            // (guess).
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
}

/// Letters, digits and `_` only (documented).
fn reference(place: usize) -> String {
    format!("delete{place}")
}

/// The answers about all records. If any failed, nothing was deleted, whatever is said about the others: a subrequest may report
/// success for records that were rolled back with it (documented).
fn whole(call: &Call, ids: &[RecordId], parts: Vec<Part>) -> Result<Vec<Answer>, ProviderError> {
    let wanted = ids.len().div_ceil(COLLECTIONS_MOST_IDS);
    if parts.len() != wanted {
        return Err(call.unreadable(format!("{wanted} subrequests were sent, but {} answers arrived", parts.len())));
    }
    let mut answers = Vec::with_capacity(ids.len());
    for (place, (ids, part)) in ids.chunks(COLLECTIONS_MOST_IDS).zip(parts).enumerate() {
        if part.reference_id.as_deref() != Some(&reference(place)) {
            return Err(
                call.unreadable(format!("answer {} is to a different subrequest than the one sent there", place + 1))
            );
        }
        answers.extend(answers_of_part(call, ids, part)?);
    }
    if answers.iter().all(|answer| answer.verdict == AnswerVerdict::Deleted) {
        return Ok(answers);
    }
    if !answers.iter().any(|answer| matches!(answer.verdict, AnswerVerdict::Failed(_) | AnswerVerdict::SaidGone(_))) {
        return Err(call.unreadable("the request was rolled back, but no record is named as the cause"));
    }
    for answer in answers.iter_mut().filter(|answer| answer.verdict == AnswerVerdict::Deleted) {
        answer.verdict = AnswerVerdict::RolledBack(Failure {
            class: FailureClass::Invalid,
            code: "rolled-back".into(),
            message: "reported as a success, but rolled back with the request".into(),
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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::provider::transport::scripted::{Reply, answer, json as reply};
    use crate::provider::{ErrorClass, Provider as _};
    use crate::system::{Api, DeleteMode};

    const HALTED: &str = "The transaction was rolled back since another operation in the same transaction failed.";

    fn all_or_none() -> BatchSpecification {
        specification(Api::Composite, DeleteMode::Soft, true)
    }

    fn deleted(ids: std::ops::Range<usize>) -> Vec<Value> {
        leads(ids.end as u64)[ids].iter().map(|id| json!({"id": id, "success": true, "errors": []})).collect()
    }

    fn failed(code: &str) -> Value {
        json!({"success": false, "errors": [{"statusCode": code, "message": "words", "fields": []}]})
    }

    fn part(place: usize, status: u16, body: impl Into<Value>) -> Value {
        json!({"body": body.into(), "httpHeaders": {}, "httpStatusCode": status, "referenceId": reference(place)})
    }

    fn halted(place: usize) -> Value {
        part(place, 400, json!([{"errorCode": "PROCESSING_HALTED", "message": HALTED}]))
    }

    fn parts(parts: Vec<Value>) -> Reply {
        reply(200, json!({"compositeResponse": parts}).to_string())
    }

    async fn send(count: u64, reply: Reply) -> Result<Vec<String>, ProviderError> {
        let mut reply = Some(reply);
        let (provider, transport) = org(move |_| reply.take().expect("one attempt only"));
        let answers = provider.requests(&all_or_none()).send(&leads(count)).await;
        assert_eq!(asked(&transport).len(), 1);
        answers.map(|answers| lines(&answers))
    }

    #[tokio::test]
    async fn sends_up_to_five_groups_in_one_request() {
        let (provider, transport) =
            org(|_| parts((0..5).map(|place| part(place, 200, deleted(place * 200..(place + 1) * 200))).collect()));
        let answers = provider.requests(&all_or_none()).send(&leads(1_000)).await.expect("answered");
        assert!(answers.len() == 1_000 && answers.iter().all(|answer| answer.verdict == AnswerVerdict::Deleted));
        let seen = asked(&transport);
        assert_eq!((seen.len(), seen[0].line().as_str()), (1, "POST /services/data/v66.0/composite"));
        let body: Value = serde_json::from_str(&seen[0].body).expect("JSON");
        assert_eq!((&body["allOrNone"], &body["collateSubrequests"]), (&true.into(), &false.into()));
        let requests = body["compositeRequest"].as_array().expect("a list");
        assert_eq!(requests.len(), 5);
        let last = &requests[4];
        assert_eq!((&last["method"], &last["referenceId"]), (&"DELETE".into(), &"delete4".into()));
        let url = last["url"].as_str().expect("a text");
        assert!(
            url.starts_with("/services/data/v66.0/composite/sobjects?ids=00Q000000000800EAA,00Q000000000801EAA,"),
            "{url}"
        );
        assert!(url.ends_with(",00Q000000000999EAA&allOrNone=true"), "{url}");
    }

    #[tokio::test]
    async fn siblings_that_are_called_a_success_were_taken_back_with_the_culprit() {
        let mut first = deleted(0..200);
        first[1] = failed("DELETE_FAILED");
        let lines = send(202, parts(vec![part(0, 200, first), halted(1)])).await.expect("answered");
        assert!(lines[1].starts_with("1 failed Dependent DELETE_FAILED"), "{}", lines[1]);
        assert_eq!((lines[0].as_str(), lines[199].as_str()), (" rolled back rolled-back", "199 rolled back rolled-back"));
        assert_eq!(lines[200..], ["200 rolled back PROCESSING_HALTED", "201 rolled back PROCESSING_HALTED"]);
        assert!(!lines.iter().any(|line| line.ends_with(" deleted")));
    }

    #[tokio::test]
    async fn honest_siblings_and_records_that_are_gone_are_kept_as_they_are_told() {
        let rolled_back = || failed("ALL_OR_NONE_OPERATION_ROLLED_BACK");
        let reply = parts(vec![part(0, 200, vec![rolled_back(), failed("ENTITY_IS_DELETED"), rolled_back()])]);
        insta::assert_snapshot!(send(3, reply).await.expect("answered").join("\n"), @"
         rolled back ALL_OR_NONE_OPERATION_ROLLED_BACK
        1 said to be gone ENTITY_IS_DELETED
        2 rolled back ALL_OR_NONE_OPERATION_ROLLED_BACK
        ");
    }

    #[tokio::test]
    async fn a_subrequest_that_was_refused_names_all_its_records() {
        let refused = part(1, 400, json!([{"errorCode": "TXN_SECURITY_NO_ACCESS", "message": "no"}]));
        let lines = send(202, parts(vec![halted(0), refused])).await.expect("answered");
        assert_eq!(lines[0], " rolled back PROCESSING_HALTED");
        assert_eq!(
            lines[200..],
            ["200 failed Denied TXN_SECURITY_NO_ACCESS no", "201 failed Denied TXN_SECURITY_NO_ACCESS no"]
        );
    }

    #[tokio::test]
    async fn whatever_does_not_fit_is_ambiguous() {
        let too_many =
            json!([{"errorCode": "LIMIT_EXCEEDED", "message": "The request can’t contain more than 25 operations."}]);
        let swapped = vec![part(1, 200, deleted(0..200)), part(0, 200, deleted(200..201))];
        for parts_of in [
            vec![],
            vec![part(0, 200, deleted(0..200))],
            swapped,
            vec![part(0, 200, deleted(0..200)), part(1, 200, deleted(0..1))],
            vec![part(0, 200, deleted(0..200)), part(1, 200, deleted(200..202))],
            vec![part(0, 200, deleted(0..200)), halted(1)],
            vec![halted(0), halted(1)],
            vec![part(0, 200, deleted(0..200)), part(1, 400, Value::Null)],
            vec![json!({"body": too_many, "httpHeaders": {}, "httpStatusCode": 400, "referenceId": null})],
        ] {
            let shown = format!("{} parts", parts_of.len());
            assert_eq!(send(201, parts(parts_of)).await.expect_err("unclear").class, ErrorClass::Ambiguous, "{shown}");
        }
        for reply in [Reply::NoAnswer, answer(503, &[], "<html>"), reply(200, "{"), reply(200, "[]"), answer(204, &[], "")] {
            assert_eq!(send(201, reply).await.expect_err("unclear").class, ErrorClass::Ambiguous);
        }
    }

    #[tokio::test]
    async fn a_batch_that_cannot_be_right_is_not_sent() {
        let (provider, transport) = org(|_| panic!("nothing may be sent"));
        assert_eq!(
            provider.requests(&all_or_none()).send(&leads(1_001)).await.expect_err("refused").class,
            ErrorClass::Invalid
        );
        for wrong in
            [specification(Api::Composite, DeleteMode::Hard, true), specification(Api::Composite, DeleteMode::Soft, false)]
        {
            assert_eq!(provider.delete_half(&wrong).err().expect("refused").class, ErrorClass::Unsupported);
        }
        assert!(asked(&transport).is_empty());
    }
}
