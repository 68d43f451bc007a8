//! Jobs that read, as a client sees them, compared with the documented and recorded shapes.

use std::time::Duration;

use http::Method;
use insta::assert_snapshot;

use super::http_tests::{get, member, post};
use crate::sandbox::salesforce::testing::{Answer, Tester};

const JSON: &str = "application/json";

/// A job of that kind with one batch, after its end: the batch's path, and what is told about it.
async fn asked(tester: &Tester, operation: &str, content: &str, statement: &str) -> (String, Answer) {
    let text = format!(r#"{{"operation":"{operation}","object":"Lead","contentType":"{content}"}}"#);
    let job = post(tester, "", JSON, &text).await;
    assert_eq!(job.status, 201, "{}", job.text);
    let media_type = match content {
        "CSV" => "text/csv",
        "JSON" => JSON,
        _ => "application/xml",
    };
    let batch = post(tester, &format!("/{}/batch", member(&job, "id")), media_type, statement).await;
    assert_eq!(batch.status, 201, "{}", batch.text);
    let path = format!("/{}/batch/{}", member(&job, "id"), member(&batch, "id"));
    let early = get(tester, &format!("{path}/result"), JSON).await;
    assert!(early.text.contains("Batch not completed"), "{}", early.text);
    tester.sandbox.clock().advance(Duration::from_secs(1));
    let info = get(tester, &path, JSON).await;
    (path, info)
}

fn with_leads() -> Tester {
    let tester = Tester::new();
    tester.add("Lead", &[("Company", "Acme, \"Inc\"".into())]);
    let gone = tester.add("Lead", &[("Company", "Gone".into())]);
    tester.sandbox.world().put_into_bin(gone);
    tester
}

const STATEMENT: &str = "SELECT Id, Company, Phone, CreatedDate FROM Lead";

#[tokio::test(start_paused = true)]
async fn rows_come_as_csv_behind_a_list_of_results_in_xml() {
    let tester = with_leads();
    let (path, info) = asked(&tester, "query", "CSV", STATEMENT).await;
    assert_eq!((member(&info, "state"), member(&info, "numberRecordsProcessed")), ("Completed".into(), "1".into()));
    let list = get(&tester, &format!("{path}/result"), JSON).await;
    assert_snapshot!(list.shown(), @r#"200 <?xml version="1.0" encoding="UTF-8"?><result-list xmlns="http://www.force.com/2009/06/asyncapi/dataload"><result>752S00000000001IAA</result></result-list>"#);
    let rows = get(&tester, &format!("{path}/result/{}", member(&list, "result")), "text/csv").await;
    assert_eq!(rows.headers["content-type"], "text/csv");
    assert_snapshot!(rows.shown(), @r#"
    200 "Id","Company","Phone","CreatedDate"
    "00QS00000000001MAA","Acme, ""Inc""","","2026-11-21T10:00:00.000Z"
    "#);
    assert_eq!(get(&tester, &format!("{path}/request"), JSON).await.text, STATEMENT);
    let other = get(&tester, &format!("{path}/result/752S00000000009"), "text/csv").await;
    assert!(other.text.contains("InvalidBatch"), "{}", other.text);
}

#[tokio::test(start_paused = true)]
async fn rows_come_as_json_with_moments_in_milliseconds() {
    let tester = with_leads();
    let (path, _) = asked(&tester, "queryAll", "JSON", STATEMENT).await;
    let list = get(&tester, &format!("{path}/result"), JSON).await;
    assert_snapshot!(list.shown(), @r#"200 ["752S00000000001IAA"]"#);
    let rows = get(&tester, &format!("{path}/result/752S00000000001"), JSON).await;
    assert_snapshot!(rows.shown(), @r#"200 [{"attributes":{"type":"Lead","url":"/services/data/v66.0/sobjects/Lead/00QS00000000001MAA"},"Id":"00QS00000000001MAA","Company":"Acme, \"Inc\"","Phone":null,"CreatedDate":1795255200000},{"attributes":{"type":"Lead","url":"/services/data/v66.0/sobjects/Lead/00QS00000000002MAA"},"Id":"00QS00000000002MAA","Company":"Gone","Phone":null,"CreatedDate":1795255200000}]"#);
}

#[tokio::test(start_paused = true)]
async fn rows_come_as_xml_with_the_identifier_twice() {
    let tester = with_leads();
    let (path, _) = asked(&tester, "query", "XML", STATEMENT).await;
    let rows = get(&tester, &format!("{path}/result/752S00000000001"), "application/xml").await;
    assert_snapshot!(rows.shown(), @r#"200 <?xml version="1.0" encoding="UTF-8"?><queryResult xmlns="http://www.force.com/2009/06/asyncapi/dataload" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><records xsi:type="sObject"><type>Lead</type><Id>00QS00000000001MAA</Id><Id>00QS00000000001MAA</Id><Company>Acme, &quot;Inc&quot;</Company><Phone xsi:nil="true"/><CreatedDate>2026-11-21T10:00:00.000Z</CreatedDate></records></queryResult>"#);
}

#[tokio::test(start_paused = true)]
async fn no_rows_are_a_sentence_in_csv_and_nothing_elsewhere() {
    let tester = with_leads();
    let none = "SELECT Id FROM Lead WHERE Company = 'x'";
    for (content, file) in [("CSV", "Records not found for this query"), ("JSON", "[]")] {
        let (path, _) = asked(&tester, "query", content, none).await;
        let batch = path.rsplit('/').next().expect("an id").replacen("751", "752", 1);
        assert_eq!(get(&tester, &format!("{path}/result/{}", &batch[..15]), JSON).await.text, file);
    }
}

#[tokio::test(start_paused = true)]
async fn statements_that_cannot_be_run_fail_their_batch() {
    let tester = with_leads();
    let mut told = Vec::new();
    for statement in
        ["SELECT Nothing FROM Lead", "SELECT COUNT() FROM Lead", "SELECT Id FROM Lead OFFSET 1", "SELECT Id FROM Account"]
    {
        let (path, info) = asked(&tester, "query", "CSV", statement).await;
        assert_eq!(member(&info, "state"), "Failed");
        let message = member(&info, "stateMessage");
        told.push(message.lines().next().unwrap_or_default().to_owned());
        assert!(get(&tester, &format!("{path}/result"), JSON).await.text.contains("Records not processed"));
    }
    let (_, info) = asked(&tester, "query", "JSON", "SELECT Id, Owner.Name FROM Lead").await;
    told.push(member(&info, "stateMessage"));
    assert_snapshot!(told.join("\n"), @"
    InvalidBatch : Failed to process query: INVALID_FIELD: 
    InvalidBatch : Failed to process query: FUNCTIONALITY_NOT_ENABLED: Aggregate Relationships not supported in Bulk Query
    InvalidBatch : Failed to process query: FUNCTIONALITY_NOT_ENABLED: OFFSET is not supported in Bulk Query
    InvalidBatch : Failed to process query: INVALID_TYPE: the job is about Lead
    InvalidBatch : the sandbox writes the fields of parents in CSV only, not in JSON
    ");
}

#[tokio::test(start_paused = true)]
async fn chunks_by_primary_keys_are_refused_as_a_gap_of_the_sandbox() {
    let tester = with_leads();
    let text = r#"{"operation":"query","object":"Lead","contentType":"CSV"}"#;
    for (chunking, status) in [("true; chunkSize=1000", 400), ("FALSE", 201)] {
        let headers = [
            ("x-sfdc-session", tester.token.clone()),
            ("content-type", JSON.to_owned()),
            ("sforce-enable-pkchunking", chunking.to_owned()),
        ];
        let answer = tester.raw(Method::POST, "/services/async/66.0/job", &headers, text).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.text.contains("The sandbox does not split queries"), status == 400, "{}", answer.text);
    }
}
