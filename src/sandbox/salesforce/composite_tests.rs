//! Composite calls: all or nothing, and what the answer says about it.

use http::Method;
use insta::assert_snapshot;

use super::testing::{Answer, Tester};
use crate::sandbox::{Effect, Fault, RecordKey};

/// Calls with collections of these records, each of which asks for all or none by itself or not.
async fn call(tester: &Tester, outer: bool, inner: bool, collections: &[&[String]]) -> Answer {
    let parts = collections.iter().enumerate().map(|(number, ids)| {
        let url = format!("/services/data/v66.0/composite/sobjects?ids={}&allOrNone={inner}", ids.join(","));
        format!(r#"{{"method":"DELETE","url":"{url}","referenceId":"d{number}"}}"#)
    });
    send(tester, outer, &parts.collect::<Vec<_>>()).await
}

async fn send(tester: &Tester, outer: bool, parts: &[String]) -> Answer {
    let body = format!(r#"{{"allOrNone":{outer},"collateSubrequests":false,"compositeRequest":[{}]}}"#, parts.join(","));
    tester.send(Method::POST, "/composite", body).await
}

/// That many leads.
fn leads(tester: &Tester, count: usize) -> Vec<String> {
    let keys: Vec<RecordKey> = (0..count).map(|_| tester.add("Lead", &[])).collect();
    keys.iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn deletes_a_thousand_records_in_one_call() {
    let tester = Tester::new();
    let ids = leads(&tester, 1_000);
    let parts: Vec<&[String]> = ids.chunks(200).collect();
    let before = tester.sandbox.calls_spent();
    let answer = call(&tester, true, true, &parts).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text.matches(r#""success":true"#).count(), 1_000);
    assert_eq!(tester.sandbox.world().count("Lead"), 0);
    assert_eq!(tester.sandbox.calls_spent(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn one_failed_record_undoes_everything_and_only_its_collection_says_why() {
    let tester = Tester::new();
    let ids = leads(&tester, 4);
    let bad = ["001bad".to_owned(), ids[2].clone()];
    let answer = call(&tester, true, true, &[&ids[..2], &bad, &ids[3..]]).await;
    assert_snapshot!(answer.shown(), @r#"200 {"compositeResponse":[{"body":[{"errorCode":"PROCESSING_HALTED","message":"The transaction was rolled back since another operation in the same transaction failed."}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"d0"},{"body":[{"success":false,"errors":[{"statusCode":"MALFORMED_ID","message":"malformed id 001bad","fields":[]}]},{"id":"00QS00000000003MAA","success":false,"errors":[{"statusCode":"ALL_OR_NONE_OPERATION_ROLLED_BACK","message":"Record rolled back because not all records were valid and the request was using AllOrNone header","fields":[]}]}],"httpHeaders":{},"httpStatusCode":200,"referenceId":"d1"},{"body":[{"errorCode":"PROCESSING_HALTED","message":"The transaction was rolled back since another operation in the same transaction failed."}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"d2"}]}"#);
    assert_eq!(tester.sandbox.world().count("Lead"), 4);
}

#[tokio::test(start_paused = true)]
async fn a_collection_that_did_not_ask_itself_shows_its_undone_records_as_deleted() {
    for (hides, inner) in [(false, false), (true, true)] {
        let tester = Tester::with(|settings| settings.composite_hides_rollback = hides);
        let ids = leads(&tester, 2);
        let answer = call(&tester, true, inner, &[&[ids[0].clone(), "001bad".into()], &ids[1..]]).await;
        let first = format!(r#"{{"compositeResponse":[{{"body":[{{"id":"{}","success":true,"errors":[]}},"#, ids[0]);
        assert!(answer.text.starts_with(&first), "{}", answer.text);
        assert!(answer.text.contains("PROCESSING_HALTED"), "{}", answer.text);
        assert_eq!(tester.sandbox.world().count("Lead"), 2, "nothing was deleted");
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_outer_flag_each_collection_stands_for_itself() {
    let tester = Tester::new();
    let ids = leads(&tester, 4);
    let bad = [ids[0].clone(), "001bad".to_owned()];
    call(&tester, false, true, &[&bad, &ids[1..2]]).await;
    assert!(tester.sandbox.world().exists(RecordKey::parse(&ids[0]).expect("an id")));
    assert_eq!(tester.sandbox.world().count("Lead"), 3);
    call(&tester, false, false, &[&bad]).await;
    assert_eq!(tester.sandbox.world().count("Lead"), 2);
}

#[tokio::test(start_paused = true)]
async fn records_that_went_along_are_back_too() {
    let tester = Tester::new();
    let account = tester.add("Account", &[]);
    let contact = tester.add("Contact", &[("AccountId", account.into())]);
    let delete = |path: &str, reference: &str| {
        format!(r#"{{"method":"DELETE","url":"/services/data/v66.0/sobjects/{path}","referenceId":"{reference}"}}"#)
    };
    let parts = [delete(&format!("Account/{account}"), "a"), delete("Lead/00QS00000000009", "b")];
    let answer = send(&tester, true, &parts).await;
    assert_snapshot!(answer.shown(), @r#"200 {"compositeResponse":[{"body":[{"errorCode":"PROCESSING_HALTED","message":"The transaction was rolled back since another operation in the same transaction failed."}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"a"},{"body":[{"message":"Provided external ID field does not exist or is not accessible: 00QS00000000009","errorCode":"NOT_FOUND"}],"httpHeaders":{},"httpStatusCode":404,"referenceId":"b"}]}"#);
    {
        let world = tester.sandbox.world();
        assert!(world.exists(account) && world.exists(contact) && !world.in_bin(contact));
    }
    send(&tester, false, &parts).await;
    assert!(tester.sandbox.world().in_bin(contact));
}

#[tokio::test(start_paused = true)]
async fn a_locked_collection_undoes_the_others() {
    let tester = Tester::new();
    let ids = leads(&tester, 2);
    tester.sandbox.add_fault(Fault::on("POST", "*/composite", Effect::LockRows { chunk: 2 }).times(1));
    let answer = call(&tester, true, true, &[&ids[..1], &ids[1..]]).await;
    assert!(answer.text.contains("UNABLE_TO_LOCK_ROW") && answer.text.contains("PROCESSING_HALTED"), "{}", answer.text);
    assert_eq!(tester.sandbox.world().count("Lead"), 2);
    call(&tester, true, true, &[&ids[..1], &ids[1..]]).await;
    assert_eq!(tester.sandbox.world().count("Lead"), 0);
}

#[tokio::test(start_paused = true)]
async fn refuses_calls_that_are_too_large_or_odd() {
    let tester = Tester::new();
    let part = |number: usize, method: &str, url: &str| {
        format!(r#"{{"method":"{method}","url":"/services/data/v66.0{url}","referenceId":"r{number}"}}"#)
    };
    let many: Vec<String> = (0..26).map(|number| part(number, "DELETE", "/sobjects/Lead/00QS00000000009")).collect();
    let collections: Vec<String> = (0..6).map(|number| part(number, "GET", "/query?q=a")).collect();
    let answers = [
        send(&tester, false, &many).await,
        send(&tester, false, &collections).await,
        send(&tester, false, &collections[..5]).await,
        send(&tester, false, &[part(1, "DELETE", "/x"), part(1, "DELETE", "/y")]).await,
        send(&tester, false, &[r#"{"method":"DELETE","url":"/services/Soap/u/64.0","referenceId":"a"}"#.to_owned()]).await,
        tester.send(Method::POST, "/composite", "[]").await,
    ];
    let shown = answers.map(|answer| answer.shown().chars().take(230).collect::<String>());
    assert_snapshot!(shown.join("\n"), @r#"
    200 {"compositeResponse":[{"body":[{"errorCode":"LIMIT_EXCEEDED","message":"The request can’t contain more than 25 operations."}],"httpHeaders":{},"httpStatusCode":400,"referenceId":null}]}
    200 {"compositeResponse":[{"body":[{"errorCode":"LIMIT_EXCEEDED","message":"The request can’t contain more than 5 query or sObject collection operations."}],"httpHeaders":{},"httpStatusCode":400,"referenceId":null}]}
    200 {"compositeResponse":[{"body":[{"errorCode":"METHOD_NOT_ALLOWED","message":"The sandbox carries out deletions in a composite call, not GET /services/data/v66.0/query?q=a."}],"httpHeaders":{},"httpStatusCode":400,"referenceId":
    400 [{"errorCode":"INVALID_REQUEST","message":"Invalid reference ID: r1"}]
    200 {"compositeResponse":[{"body":[{"errorCode":"INVALID_REQUEST","message":"Invalid subrequest url: /services/Soap/u/64.0"}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"a"}]}
    400 [{"message":"Unexpected character at [line:1, column:2]","errorCode":"JSON_PARSER_ERROR"}]
    "#);
}
