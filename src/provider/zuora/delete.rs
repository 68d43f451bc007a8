//! `delete()`: one call that deletes up to 50 records, each for itself.

use async_trait::async_trait;

use super::call::Call;
use super::error_table::{may_be_gone, record_class};
use super::operation::Operation;
use super::query::{boolean, check_names, is_id};
use super::session::Session;
use crate::apply::{Answer, AnswerVerdict};
use crate::base::{Failure, FailureClass, RecordId};
use crate::provider::common::{Effect, check_ids, hostile};
use crate::provider::transport::Element;
use crate::provider::{DeleteRequests, ProviderError};
use crate::system::zuora::DELETE_MOST_IDS;
use crate::system::zuora_object;

/// Deletes batches of an object through `delete()`.
pub(super) struct Deletions<'a> {
    pub(super) session: &'a Session,
    pub(super) object: &'a str,
}

#[async_trait]
impl DeleteRequests for Deletions<'_> {
    async fn send(&self, ids: &[RecordId]) -> Result<Vec<Answer>, ProviderError> {
        let (session, object) = (self.session, self.object);
        let doing = format!("delete {} {object} records", ids.len());
        check_names(&doing, [object])?;
        check_ids(&doing, ids, DELETE_MOST_IDS, is_id)?;
        // Here the case of the name matters (documented).
        let object = zuora_object(object).map_or(object, |known| known.name);
        let operation = Operation::Delete { object: object.to_owned(), ids: ids.to_vec() };
        let answer = session.call(&Call { doing: doing.clone(), operation }).await?;
        paired(&doing, ids, &answer)
    }
}

/// Pairs results with ids by their place: a failure names no id, as far as is known (guess, from recorded failures to create). Whatever does
/// not fit leaves the whole call unclear.
fn paired(doing: &str, ids: &[RecordId], answer: &Element) -> Result<Vec<Answer>, ProviderError> {
    let unclear = |message: String| Effect::Deletes.unreadable(doing, message);
    let results: Vec<&Element> = answer.all("result").collect();
    if results.len() != ids.len() {
        return Err(unclear(format!("{} ids were sent, but {} results arrived", ids.len(), results.len())));
    }
    let pair = |(place, (id, result)): (usize, (&RecordId, &&Element))| {
        let number = place + 1;
        if result.text_of("id").is_some_and(|echoed| echoed.trim() != id.as_str()) {
            return Err(unclear(format!("result {number} is about a different id than the one sent there")));
        }
        let success = result.text_of("success").and_then(boolean);
        let success = success.ok_or_else(|| unclear(format!("result {number} is neither a success nor a failure")))?;
        let reason = result.child("errors").filter(|reason| !reason.is_nil());
        let verdict = match (success, reason) {
            (true, None) => AnswerVerdict::Deleted,
            (true, Some(_)) => return Err(unclear(format!("result {number} is both a success and a failure"))),
            (false, reason) => verdict(failure(reason)),
        };
        Ok(Answer { id: *id, verdict })
    };
    ids.iter().zip(&results).enumerate().map(pair).collect()
}

/// What a failure says about a record. Which code one has that does not exist is not documented.
fn verdict(failure: Failure) -> AnswerVerdict {
    if failure.class == FailureClass::Invalid && may_be_gone(&failure.code) {
        AnswerVerdict::SaidGone(failure)
    } else {
        AnswerVerdict::Failed(failure)
    }
}

fn failure(reason: Option<&Element>) -> Failure {
    let text = |name| reason.and_then(|reason| reason.text_of(name)).map(str::trim);
    let code = text("Code").map_or_else(|| "no-code".to_owned(), hostile::code);
    let message = hostile::words(text("Message").unwrap_or("the system gives no reason"));
    Failure { class: record_class(&code, &message), code, message }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::provider::ErrorClass;
    use crate::provider::transport::scripted::{Reply, answer};

    fn success(number: u64) -> String {
        format!(
            "<ns1:result><ns1:id>{}</ns1:id><ns1:success>true</ns1:success></ns1:result>",
            ids(number + 1)[number as usize]
        )
    }

    fn refused(code: &str, message: &str) -> String {
        format!(
            "<ns1:result><ns1:errors><ns1:Code>{code}</ns1:Code><ns1:Message>{message}</ns1:Message></ns1:errors>\
             <ns1:success>false</ns1:success></ns1:result>"
        )
    }

    fn results(results: &[String]) -> Reply {
        envelope(&format!("<ns1:deleteResponse>{}</ns1:deleteResponse>", results.concat()))
    }

    async fn send(count: u64, reply: Reply) -> Result<String, ProviderError> {
        let mut reply = Some(reply);
        let (provider, transport) = tenant(move |_| reply.take().expect("one attempt only"));
        let answers = provider.requests(&specification("usage")).send(&ids(count)).await;
        assert!(asked_of(&transport)[0].contains("<zns:type>Usage</zns:type><zns:ids>2c92"), "{}", asked_of(&transport)[0]);
        answers.map(|answers| lines(&answers))
    }

    #[tokio::test]
    async fn pairs_results_by_their_place() {
        let reply = results(&[
            success(0),
            refused("CANNOT_DELETE", "The usage is on an invoice"),
            "<ns1:result><ns1:success>true</ns1:success></ns1:result>".into(),
            refused("LOCK_COMPETITION", "Operation failed due to a lock competition, please retry later."),
            "<ns1:result><ns1:success>false</ns1:success></ns1:result>".into(),
            refused("SOMETHING_NEW", "&lt;b&gt;"),
            refused("INVALID_VALUE", "invalid id for delete"),
        ]);
        insta::assert_snapshot!(send(7, reply).await.expect("answered"), @"
        …00 deleted
        …01 failed Refused CANNOT_DELETE: The usage is on an invoice
        …02 deleted
        …03 failed Locked LOCK_COMPETITION: Operation failed due to a lock competition, please retry later.
        …04 failed Unrecognized no-code: the system gives no reason
        …05 failed Unrecognized SOMETHING_NEW: <b>
        …06 said to be gone (INVALID_VALUE: invalid id for delete)
        ");
    }

    #[tokio::test]
    async fn whatever_does_not_fit_leaves_the_call_unclear() {
        let other = "<ns1:result><ns1:id>1</ns1:id><ns1:success>true</ns1:success></ns1:result>".to_owned();
        let both = "<ns1:result><ns1:errors><ns1:Code>X</ns1:Code></ns1:errors><ns1:success>true</ns1:success></ns1:result>";
        let replies = [
            results(&[]),
            results(&[success(0), success(1)]),
            results(&[other]),
            results(&[both.to_owned()]),
            results(&["<ns1:result/>".to_owned()]),
            envelope("<ns1:queryResponse/>"),
            answer(200, &[], "<html><title>Welcome</title></html>"),
            answer(200, &[], "<e:Envelope xmlns:e='x'><e:Body>"),
            answer(200, &[], "<!DOCTYPE x><e:Envelope xmlns:e='x'/>"),
            answer(502, &[], "<html><title>Bad Gateway</title></html>"),
            answer(504, &[], ""),
            Reply::NoAnswer,
            fault("UNKNOWN_ERROR", "x"),
            fault("TRANSACTION_TIMEOUT", "x"),
            fault("INVALID_VALUE", "x"),
        ];
        for (place, reply) in replies.into_iter().enumerate() {
            let error = send(1, reply).await.expect_err("unclear");
            assert_eq!(error.class, ErrorClass::Ambiguous, "{place}: {error}");
        }
    }

    #[tokio::test]
    async fn a_refusal_of_the_whole_call_in_the_systems_own_words_had_no_effect() {
        let wait = Some(std::time::Duration::from_secs(120));
        let concurrency = "The total number of concurrent requests has exceeded the limit allowed by the system.";
        let gateway =
            r#"{"reasons":[{"code":70,"message":"API Rate limit exceeded for the minute, retry after 600 seconds"}]}"#;
        let limit =
            fault_with(429, &[("retry-after", "120")], "UnexpectedErrorFault", "REQUEST_EXCEEDED_LIMIT", concurrency);
        let old = fault_with(429, &[("retry-after", "120")], "UnexpectedErrorFault", "UNKNOWN_ERROR", concurrency);
        let cases = [
            (limit, ErrorClass::Throttled { wait }),
            (old, ErrorClass::Throttled { wait }),
            (answer(429, &[("ratelimit-reset", "120")], gateway), ErrorClass::Throttled { wait }),
            (
                fault_with(200, &[], "UnexpectedErrorFault", "REQUEST_EXCEEDED_RATE", "x"),
                ErrorClass::Throttled { wait: None },
            ),
            (fault_of("InvalidTypeFault", "INVALID_TYPE", "invalid type"), ErrorClass::Invalid),
            (fault("Server", "Id is invalid"), ErrorClass::Invalid),
            (fault("NO_PERMISSION", "x"), ErrorClass::Denied),
            (answer(403, &[("server", "AkamaiGHost")], "<title>Access Denied</title>"), ErrorClass::Ambiguous),
            (Reply::NotSent, ErrorClass::Transient),
        ];
        for (reply, class) in cases {
            assert_eq!(send(1, reply).await.expect_err("refused").class, class);
        }
    }

    #[tokio::test]
    async fn what_no_call_may_hold_is_not_sent() {
        let (provider, transport) = tenant(|_| panic!("nothing may be asked"));
        let id = ids(1)[0];
        let strange = RecordId::new("a-b").expect("an id elsewhere");
        for batch in [vec![], ids(DELETE_MOST_IDS as u64 + 1), vec![id, id], vec![strange]] {
            assert_eq!(
                provider.requests(&specification("Usage")).send(&batch).await.expect_err("refused").class,
                ErrorClass::Invalid
            );
        }
        assert!(provider.requests(&specification("Usage</zns:type>")).send(&[id]).await.is_err());
        assert!(transport.seen().is_empty());
    }
}
