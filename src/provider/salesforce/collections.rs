//! sObject Collections: one request that deletes up to 200 records.

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde::Deserialize;

use super::call::Call;
use super::error_table::{RecordMeaning, record_meaning};
use super::hostile;
use super::session::Session;
use super::soql::is_canonical;
use crate::apply::{Answer, AnswerVerdict, BatchSpecification};
use crate::base::{Failure, FailureClass, RecordId};
use crate::provider::common::check_ids;
use crate::provider::{DeleteRequests, ProviderError};
use crate::system::canonical_salesforce_id;
use crate::system::salesforce::COLLECTIONS_MOST_IDS;

/// What came back for one id. A failure need not repeat the id (documented, recorded), so that only the place pairs them. Composite and
/// Bulk API 1.0 answer with the same.
#[derive(Deserialize)]
pub(super) struct Item {
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

/// Deletes batches through sObject Collections.
pub(super) struct Collections<'a> {
    pub(super) session: &'a Session,
    pub(super) specification: &'a BatchSpecification,
}

#[async_trait]
impl DeleteRequests for Collections<'_> {
    async fn send(&self, ids: &[RecordId]) -> Result<Vec<Answer>, ProviderError> {
        let (session, specification) = (self.session, self.specification);
        let call = request(specification, ids)?;
        let response = session.call(&call).await?;
        if response.status != StatusCode::OK {
            return Err(call.unreadable(format!("the answer has status {}, not 200", response.status.as_u16())));
        }
        let items: Vec<Item> = call.read_json(response).await?;
        let answers = paired(&call, ids, items)?;
        let any = |wanted: fn(&AnswerVerdict) -> bool| answers.iter().any(|answer| wanted(&answer.verdict));
        let undone = any(|verdict| matches!(verdict, AnswerVerdict::RolledBack(_)))
            || (specification.atomic && any(|verdict| *verdict != AnswerVerdict::Deleted));
        if undone && any(|verdict| *verdict == AnswerVerdict::Deleted) {
            return Err(call.unreadable("the request was rolled back, but some of its records are reported as deleted"));
        }
        Ok(answers)
    }
}

/// The request, after all checks.
fn request(specification: &BatchSpecification, ids: &[RecordId]) -> Result<Call, ProviderError> {
    let call =
        Call::new(format!("delete {} {} records", ids.len(), specification.object), Method::DELETE, "composite/sobjects");
    check_ids(&call.doing, ids, COLLECTIONS_MOST_IDS, is_canonical)?;
    Ok(Call { query: Some(parameters(ids, specification.atomic)), ..call }.deleting())
}

/// The parameters of a request for these ids. Commas are not encoded, which would only make the list longer.
pub(super) fn parameters(ids: &[RecordId], atomic: bool) -> String {
    let list: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
    format!("ids={}&allOrNone={atomic}", list.join(","))
}

/// Pairs items with ids by their place. Whatever does not fit leaves the whole answer unbelieved.
pub(super) fn paired(call: &Call, ids: &[RecordId], items: Vec<Item>) -> Result<Vec<Answer>, ProviderError> {
    if items.len() != ids.len() {
        return Err(call.unreadable(format!("{} ids were sent, but {} answers arrived", ids.len(), items.len())));
    }
    let answer = |(place, (id, item)): (usize, (&RecordId, Item))| {
        check_echo(call, place, id, item.id.as_deref(), item.success)?;
        let verdict = match (item.success, item.errors.into_iter().next()) {
            (true, None) => AnswerVerdict::Deleted,
            (true, Some(_)) => return Err(call.unreadable(format!("answer {} is both a success and an error", place + 1))),
            (false, Some(error)) => verdict(&error.status_code, &error.message),
            (false, None) => AnswerVerdict::Failed(Failure {
                class: FailureClass::Unrecognized,
                code: "no-code".into(),
                message: "the system gives no reason".into(),
            }),
        };
        Ok(Answer { id: *id, verdict })
    };
    ids.iter().zip(items).enumerate().map(answer).collect()
}

/// Checks that the answer at a place is about the id sent there: a success always says so, a failure when it names an id.
pub(super) fn check_echo(
    call: &Call,
    place: usize,
    id: &RecordId,
    echoed: Option<&str>,
    success: bool,
) -> Result<(), ProviderError> {
    let fits = match echoed {
        Some(echoed) => canonical_salesforce_id(echoed).as_ref() == Ok(id),
        None => !success,
    };
    if fits {
        Ok(())
    } else {
        Err(call.unreadable(format!("answer {} is about a different id than the one sent there", place + 1)))
    }
}

/// What a code says about one record, with the system's own words.
pub(super) fn verdict(code: &str, message: &str) -> AnswerVerdict {
    let code = hostile::code(code);
    let failure = |class| Failure { class, code: code.clone(), message: hostile::record_words(&code, message) };
    match record_meaning(&code, message) {
        RecordMeaning::SaidGone(class) => AnswerVerdict::SaidGone(failure(class)),
        RecordMeaning::RolledBack => AnswerVerdict::RolledBack(failure(FailureClass::Invalid)),
        RecordMeaning::Failed(class) => AnswerVerdict::Failed(failure(class)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::super::testing::*;
    use super::*;
    use crate::provider::transport::scripted::{Reply, answer, json};
    use crate::provider::{ErrorClass, Provider as _};
    use crate::system::{Api, DeleteMode};

    async fn send(atomic: bool, count: u64, reply: Reply) -> Result<Vec<String>, ProviderError> {
        let mut reply = Some(reply);
        let (provider, transport) = org(move |_| reply.take().expect("one attempt only"));
        let answers =
            provider.requests(&specification(Api::Collections, DeleteMode::Soft, atomic)).send(&leads(count)).await;
        assert_eq!(asked(&transport).len(), 1);
        answers.map(|answers| lines(&answers))
    }

    fn deleted(number: usize) -> serde_json::Value {
        value!({"id": leads(300)[number], "success": true, "errors": []})
    }

    fn failed(code: &str, message: &str) -> serde_json::Value {
        value!({"success": false, "errors": [{"statusCode": code, "message": message, "fields": []}]})
    }

    fn items(items: &[serde_json::Value]) -> Reply {
        json(200, serde_json::Value::from(items).to_string())
    }

    #[tokio::test]
    async fn sends_ids_in_order_and_pairs_answers_by_their_place() {
        let (provider, transport) = org(|_| {
            items(&[
                deleted(0),
                failed("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
                failed("ENTITY_IS_DELETED", "entity is deleted"),
                deleted(3),
            ])
        });
        let specification = specification(Api::Collections, DeleteMode::Soft, false);
        let answers = provider.requests(&specification).send(&leads(4)).await.expect("answered");
        insta::assert_snapshot!(lines(&answers).join("\n"), @r"
         deleted
        1 failed Locked UNABLE_TO_LOCK_ROW unable to obtain exclusive access to this record
        2 said to be gone ENTITY_IS_DELETED
        3 deleted
        ");
        let seen = &asked(&transport)[0];
        assert_eq!(seen.line(), "DELETE /services/data/v66.0/composite/sobjects");
        insta::assert_snapshot!(seen.query,
            @"ids=00Q000000000000EAA,00Q000000000001EAA,00Q000000000002EAA,00Q000000000003EAA&allOrNone=false");
    }

    #[tokio::test]
    async fn names_the_culprit_of_a_rollback() {
        let rolled_back = || {
            failed(
                "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                "Record rolled back because not all records were valid and the request was using AllOrNone header",
            )
        };
        let reply =
            items(&[rolled_back(), failed("DELETE_FAILED", "it is associated with the following cases"), rolled_back()]);
        insta::assert_snapshot!(send(true, 3, reply).await.expect("answered").join("\n"), @"
         rolled back ALL_OR_NONE_OPERATION_ROLLED_BACK
        1 failed Dependent DELETE_FAILED the system's words may repeat contents of the record and are left out
        2 rolled back ALL_OR_NONE_OPERATION_ROLLED_BACK
        ");
    }

    #[tokio::test]
    async fn whatever_does_not_fit_is_ambiguous() {
        let other = value!({"id": leads(9)[8], "success": true, "errors": []});
        let failed_other = value!({"id": leads(9)[8], "success": false, "errors": [{"statusCode": "X", "message": ""}]});
        for (atomic, reply) in [
            (false, items(&[deleted(0)])),
            (false, items(&[deleted(0), deleted(1), deleted(2)])),
            (false, items(&[deleted(0), other])),
            (false, items(&[deleted(0), failed_other])),
            (false, items(&[deleted(1), deleted(0)])),
            (false, items(&[deleted(0), value!({"success": true, "errors": []})])),
            (false, items(&[deleted(0), value!({"id": leads(2)[1], "success": true, "errors": [{"statusCode": "X"}]})])),
            (true, items(&[deleted(0), failed("DELETE_FAILED", "x")])),
            (false, items(&[deleted(0), value!({"errors": []})])),
            (false, json(200, "")),
            (false, json(200, "<html>")),
            (false, json(200, r#"{"id":"x"}"#)),
            (false, answer(204, &[], "")),
            (false, Reply::Answer(200, vec![], vec![Ok("[".into()), Err(std::io::Error::other("reset"))])),
            (false, Reply::NoAnswer),
            (false, answer(503, &[], "<html>")),
            (false, answer(302, &[("location", "https://evil.example")], "")),
            (false, json(400, r#"[{"errorCode":"REQUEST_RUNNING_TOO_LONG","message":"x"}]"#)),
        ] {
            let error = send(atomic, 2, reply).await.expect_err("unclear");
            assert_eq!(error.class, ErrorClass::Ambiguous, "{error}");
        }
    }

    #[tokio::test]
    async fn clear_refusals_are_those_in_the_systems_own_words() {
        let limit = |words: &str| json(403, value!([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": words}]).to_string());
        for (reply, class) in [
            (Reply::NotSent, ErrorClass::Transient),
            (limit("TotalRequests Limit exceeded."), ErrorClass::Quota),
            (limit("ConcurrentRequests (Concurrent API Requests) Limit exceeded."), ErrorClass::Throttled { wait: None }),
            (json(400, r#"[{"errorCode":"EXCEEDED_ID_LIMIT","message":"record limit reached"}]"#), ErrorClass::Invalid),
            (answer(414, &[], "<html>"), ErrorClass::Ambiguous),
            (answer(429, &[], ""), ErrorClass::Ambiguous),
        ] {
            assert_eq!(send(false, 2, reply).await.expect_err("refused").class, class);
        }
    }

    #[tokio::test]
    async fn a_batch_that_cannot_be_right_is_not_sent() {
        let (provider, transport) = org(|_| panic!("nothing may be sent"));
        let soft = specification(Api::Collections, DeleteMode::Soft, false);
        let short = RecordId::new("00Q000000000001").expect("an id, but not a whole one");
        for ids in [vec![], leads(201), vec![leads(1)[0], leads(1)[0]], vec![short]] {
            assert_eq!(provider.requests(&soft).send(&ids).await.expect_err("refused").class, ErrorClass::Invalid);
        }
        for wrong in [
            specification(Api::Collections, DeleteMode::Hard, false),
            specification(Api::ZuoraSoap, DeleteMode::Hard, false),
        ] {
            assert_eq!(provider.delete_half(&wrong).err().expect("refused").class, ErrorClass::Unsupported);
        }
        assert!(transport.seen().is_empty());
    }

    #[tokio::test]
    async fn hostile_words_are_bounded_and_hold_no_token() {
        let reply = items(&[failed("<script>", &format!("{TOKEN} {}", "x".repeat(10_000)))]);
        let line = send(false, 1, reply).await.expect("answered").remove(0);
        assert!(line.starts_with(" failed Unrecognized unreadable-code [redacted] xxx") && line.len() < 2_100, "{line}");
    }
}
