//! Bulk API 1.0 as a client sees it: requests in, answers compared with the documented and recorded shapes.

use std::time::Duration;

use axum::body::Body;
use http::Method;
use insta::assert_snapshot;

use crate::sandbox::salesforce::testing::{Answer, Tester};
use crate::sandbox::{Effect, Fault, Permissions, RecordKey};

const XML: &str = "application/xml; charset=UTF-8";
const JSON: &str = "application/json";
const NAMESPACE: &str = "http://www.force.com/2009/06/asyncapi/dataload";

pub(super) async fn send(tester: &Tester, method: Method, path: &str, content_type: &str, body: &str) -> Answer {
    let headers = [("x-sfdc-session", tester.token.clone()), ("content-type", content_type.to_owned())];
    tester.raw(method, &format!("/services/async/66.0/job{path}"), &headers, body.to_owned()).await
}

pub(super) async fn post(tester: &Tester, path: &str, content_type: &str, body: &str) -> Answer {
    send(tester, Method::POST, path, content_type, body).await
}

pub(super) async fn get(tester: &Tester, path: &str, content_type: &str) -> Answer {
    send(tester, Method::GET, path, content_type, "").await
}

fn job_xml(inside: &str) -> String {
    format!("<?xml version='1.0' encoding='UTF-8'?><jobInfo xmlns='{NAMESPACE}'>{inside}</jobInfo>")
}

/// A member of an answer, as text without quotes.
pub(super) fn member(answer: &Answer, name: &str) -> String {
    if answer.text.starts_with('<') {
        let rest = answer.text.split_once(&format!("<{name}>")).map(|(_, rest)| rest).expect(&answer.text);
        return rest.split('<').next().unwrap_or_default().replace("&apos;", "'");
    }
    let body: serde_json::Value = serde_json::from_str(&answer.text).expect(&answer.text);
    let value = &body[name];
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A delete job with JSON metadata, whose batches are of this kind.
async fn job(tester: &Tester, object: &str, content: &str) -> String {
    let text = format!(r#"{{"operation":"delete","object":"{object}","contentType":"{content}"}}"#);
    let answer = post(tester, "", JSON, &text).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    member(&answer, "id")
}

/// A job in CSV with one batch of these rows, after it has ended: the batch's path, and what is told about it.
async fn ended(tester: &Tester, object: &str, rows: &[String]) -> (String, Answer) {
    let job = job(tester, object, "CSV").await;
    let batch = post(tester, &format!("/{job}/batch"), "text/csv", &format!("Id\n{}\n", rows.join("\n"))).await;
    assert_eq!((batch.status, batch.headers["content-type"].as_bytes()), (201, &b"application/xml"[..]));
    let id = batch.text.split("<id>").nth(1).and_then(|rest| rest.split('<').next()).expect("an id").to_owned();
    tester.sandbox.clock().advance(Duration::from_secs(60));
    let path = format!("/{job}/batch/{id}");
    let info = get(tester, &path, JSON).await;
    (path, info)
}

fn ids(keys: &[RecordKey]) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}

fn leads(tester: &Tester, count: u32) -> Vec<String> {
    tester.sandbox.world().generate("Lead", count, 1).expect("known");
    let keys: Vec<RecordKey> = tester.sandbox.world().ids("Lead").collect();
    ids(&keys)
}

#[tokio::test(start_paused = true)]
async fn a_job_over_xml_and_csv_from_its_creation_to_its_results() {
    let tester = Tester::new();
    let rows = leads(&tester, 3);
    let inside = "<operation>delete</operation><object>lead</object><concurrencyMode>Serial</concurrencyMode><contentType>CSV</contentType>";
    let created = post(&tester, "", XML, &job_xml(inside)).await;
    assert_eq!(created.headers["content-type"], "application/xml");
    assert_snapshot!(created.shown(), @r#"201 <?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="http://www.force.com/2009/06/asyncapi/dataload"><id>750S00000000001IAA</id><operation>delete</operation><object>Lead</object><createdById>005S00000000001IAA</createdById><createdDate>2026-11-21T10:00:00.000Z</createdDate><systemModstamp>2026-11-21T10:00:00.000Z</systemModstamp><state>Open</state><concurrencyMode>Serial</concurrencyMode><contentType>CSV</contentType><numberBatchesQueued>0</numberBatchesQueued><numberBatchesInProgress>0</numberBatchesInProgress><numberBatchesCompleted>0</numberBatchesCompleted><numberBatchesFailed>0</numberBatchesFailed><numberBatchesTotal>0</numberBatchesTotal><numberRecordsProcessed>0</numberRecordsProcessed><numberRetries>0</numberRetries><apiVersion>66.0</apiVersion><numberRecordsFailed>0</numberRecordsFailed><totalProcessingTime>0</totalProcessingTime><apiActiveProcessingTime>0</apiActiveProcessingTime><apexProcessingTime>0</apexProcessingTime></jobInfo>"#);
    let job = "750S00000000001";
    let added = post(
        &tester,
        &format!("/{job}/batch"),
        "text/csv; charset=UTF-8",
        &format!("Id\r\n{}\r\nabc\r\n{}\r\n", rows[0], &rows[1][..15]),
    )
    .await;
    assert_snapshot!(added.shown(), @r#"201 <?xml version="1.0" encoding="UTF-8"?><batchInfo xmlns="http://www.force.com/2009/06/asyncapi/dataload"><id>751S00000000001IAA</id><jobId>750S00000000001IAA</jobId><state>Queued</state><createdDate>2026-11-21T10:00:00.000Z</createdDate><systemModstamp>2026-11-21T10:00:00.000Z</systemModstamp><numberRecordsProcessed>0</numberRecordsProcessed><numberRecordsFailed>0</numberRecordsFailed><totalProcessingTime>0</totalProcessingTime><apiActiveProcessingTime>0</apiActiveProcessingTime><apexProcessingTime>0</apexProcessingTime></batchInfo>"#);
    let early = get(&tester, &format!("/{job}/batch/751S00000000001/result"), XML).await;
    assert_snapshot!(early.shown(), @r#"400 <?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload"><exceptionCode>InvalidBatch</exceptionCode><exceptionMessage>Batch not completed</exceptionMessage></error>"#);
    let closed = post(&tester, &format!("/{job}"), XML, &job_xml("<state>Closed</state>")).await;
    assert!(closed.shown().contains("<state>Closed</state>"), "{}", closed.text);
    tester.sandbox.clock().advance(Duration::from_secs(1));
    assert_snapshot!(get(&tester, &format!("/{job}/batch"), XML).await.shown(), @r#"200 <?xml version="1.0" encoding="UTF-8"?><batchInfoList xmlns="http://www.force.com/2009/06/asyncapi/dataload"><batchInfo><id>751S00000000001IAA</id><jobId>750S00000000001IAA</jobId><state>Completed</state><createdDate>2026-11-21T10:00:00.000Z</createdDate><systemModstamp>2026-11-21T10:00:00.000Z</systemModstamp><numberRecordsProcessed>3</numberRecordsProcessed><numberRecordsFailed>1</numberRecordsFailed><totalProcessingTime>2</totalProcessingTime><apiActiveProcessingTime>2</apiActiveProcessingTime><apexProcessingTime>0</apexProcessingTime></batchInfo></batchInfoList>"#);
    let results = get(&tester, &format!("/{job}/batch/751S00000000001/result"), XML).await;
    assert_eq!(results.headers["content-type"], "text/csv");
    assert_snapshot!(results.shown(), @r#"
    200 "Id","Success","Created","Error"
    "00QS00000000001MAA","true","false",""
    "","false","false","MALFORMED_ID:bad id abc:Id --"
    "00QS00000000002MAA","true","false",""
    "#);
    let request = get(&tester, &format!("/{job}/batch/751S00000000001/request"), XML).await;
    assert_eq!(request.shown(), format!("200 Id\r\n{}\r\nabc\r\n{}\r\n", rows[0], &rows[1][..15]));
    assert_eq!(tester.sandbox.world().count("Lead"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_over_json_with_both_kinds_of_rows() {
    let tester = Tester::new();
    let account = tester.add("Account", &[("Name", "Acme".into())]);
    tester.add("Case", &[("AccountId", account.into())]);
    let free = tester.add("Account", &[]);
    let text = r#"{"operation":"delete","object":"Account","concurrencyMode":0,"contentType":"JSON"}"#;
    let created = post(&tester, "", JSON, text).await;
    assert_eq!(created.headers["content-type"], "application/json");
    assert_snapshot!(created.shown(), @r#"201 {"apexProcessingTime":0,"apiActiveProcessingTime":0,"apiVersion":66.0,"concurrencyMode":"Parallel","contentType":"JSON","createdById":"005S00000000001IAA","createdDate":"2026-11-21T10:00:00.000+0000","id":"750S00000000001IAA","numberBatchesCompleted":0,"numberBatchesFailed":0,"numberBatchesInProgress":0,"numberBatchesQueued":0,"numberBatchesTotal":0,"numberRecordsFailed":0,"numberRecordsProcessed":0,"numberRetries":0,"object":"Account","operation":"delete","state":"Open","systemModstamp":"2026-11-21T10:00:00.000+0000","totalProcessingTime":0}"#);
    let job = member(&created, "id");
    let rows = format!(r#"[{{"Id":"{account}"}},{{"Id":"{free}"}}]"#);
    let added = post(&tester, &format!("/{job}/batch"), JSON, &rows).await;
    assert_snapshot!(added.shown(), @r#"201 {"apexProcessingTime":0,"apiActiveProcessingTime":0,"createdDate":"2026-11-21T10:00:00.000+0000","id":"751S00000000001IAA","jobId":"750S00000000001IAA","numberRecordsFailed":0,"numberRecordsProcessed":0,"state":"Queued","systemModstamp":"2026-11-21T10:00:00.000+0000","totalProcessingTime":0}"#);
    let path = format!("/{job}/batch/{}", member(&added, "id"));
    tester.sandbox.clock().advance(Duration::from_secs(1));
    assert_eq!(get(&tester, &format!("/{job}/batch"), JSON).await.text.matches("batchInfo").count(), 1);
    // Without a media type the answer is written like the job's batches.
    assert_eq!(member(&get(&tester, &path, "").await, "state"), "Completed");
    assert_snapshot!(get(&tester, &format!("{path}/result"), JSON).await.shown(), @r#"200 [{"success":false,"created":false,"id":null,"errors":[{"message":"Your attempt to delete Acme could not be completed because it is associated with the following cases.: 00001000\n","fields":[],"statusCode":"DELETE_FAILED","extendedErrorDetails":null}]},{"success":true,"created":false,"id":"001S00000000002IAA","errors":[]}]"#);
    assert_eq!(get(&tester, &format!("{path}/request"), JSON).await.text, rows);
}

#[tokio::test(start_paused = true)]
async fn results_in_xml() {
    let tester = Tester::new();
    let row = leads(&tester, 1).remove(0);
    let job = job(&tester, "Lead", "XML").await;
    let rows = format!(
        "<sObjects xmlns='{NAMESPACE}'><sObject><Id>{row}</Id></sObject><sObject><Id>&lt;</Id></sObject></sObjects>"
    );
    let added = post(&tester, &format!("/{job}/batch"), XML, &rows).await;
    assert_eq!(added.status, 201, "{}", added.text);
    tester.sandbox.clock().advance(Duration::from_secs(1));
    let results = get(&tester, &format!("/{job}/batch/751S00000000001/result"), JSON).await;
    assert_eq!(results.headers["content-type"], "application/xml");
    assert_snapshot!(results.shown(), @r#"200 <?xml version="1.0" encoding="UTF-8"?><results xmlns="http://www.force.com/2009/06/asyncapi/dataload"><result><id>00QS00000000001MAA</id><success>true</success><created>false</created></result><result><errors><fields>Id</fields><message>bad id &lt;</message><statusCode>MALFORMED_ID</statusCode></errors><success>false</success><created>false</created></result></results>"#);
}

#[tokio::test(start_paused = true)]
async fn errors_are_objects_with_status_400_in_the_format_of_the_request() {
    let tester = Tester::new();
    let mut refused = Vec::new();
    refused.push(post(&tester, "", XML, "<jobInfo>").await);
    refused.push(post(&tester, "", JSON, r#"{"operation":"harddelete","object":"Lead"}"#).await);
    refused.push(post(&tester, "", JSON, r#"{"operation":"delete","object":"Leed"}"#).await);
    refused.push(post(&tester, "", JSON, r#"{"operation":"hardDelete","object":"Lead"}"#).await);
    refused.push(get(&tester, "/750S00000000009", JSON).await);
    refused.push(get(&tester, "/750S00000000009/nothing", JSON).await);
    let job = job(&tester, "Lead", "CSV").await;
    refused.push(get(&tester, &format!("/{job}/batch/751S00000000009"), XML).await);
    refused.push(post(&tester, &format!("/{job}/batch"), JSON, "[]").await);
    refused.push(post(&tester, &format!("/{job}"), JSON, r#"{"state":"Closed","object":"Lead"}"#).await);
    let token = ("x-sfdc-session", tester.token.clone());
    for version in ["65.0", "30.0", "v66.0"] {
        let path = format!("/services/async/{version}/job/{job}");
        refused.push(tester.raw(Method::GET, &path, std::slice::from_ref(&token), Body::empty()).await);
    }
    tester.sandbox.expire_sessions();
    refused.push(get(&tester, "/1", XML).await);
    refused.push(get(&tester, "/1", JSON).await);
    assert_snapshot!(refused.iter().map(Answer::shown).collect::<Vec<_>>().join("\n"), @r#"
    400 <?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload"><exceptionCode>InvalidXml</exceptionCode><exceptionMessage>the root node was opened but never closed</exceptionMessage></error>
    400 {"exceptionCode":"InvalidJob","exceptionMessage":"Unable to parse Job"}
    400 {"exceptionCode":"InvalidJob","exceptionMessage":"Unable to find object: Leed"}
    400 {"exceptionCode":"FeatureNotEnabled","exceptionMessage":"hardDelete operation requires special user profile permission, please contact your system administrator"}
    400 {"exceptionCode":"InvalidJob","exceptionMessage":"Invalid job id: 750S00000000009"}
    400 {"exceptionCode":"InvalidUrl","exceptionMessage":"Destination URL not valid"}
    400 <?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload"><exceptionCode>InvalidBatch</exceptionCode><exceptionMessage>Invalid batch id: 751S00000000009</exceptionMessage></error>
    400 {"exceptionCode":"UnsupportedContentType","exceptionMessage":"The content type of a batch of this job must be text/csv"}
    400 {"exceptionCode":"InvalidJob","exceptionMessage":"Unable to parse Job"}
    400 <?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload"><exceptionCode>InvalidVersion</exceptionCode><exceptionMessage>The job was created in API version 66.0</exceptionMessage></error>
    400 <?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload"><exceptionCode>InvalidVersion</exceptionCode><exceptionMessage>API version is not supported.</exceptionMessage></error>
    400 <?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload"><exceptionCode>InvalidUrl</exceptionCode><exceptionMessage>Destination URL not valid</exceptionMessage></error>
    400 <?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload"><exceptionCode>InvalidSessionId</exceptionCode><exceptionMessage>Invalid session id</exceptionMessage></error>
    400 {"exceptionCode":"InvalidSessionId","exceptionMessage":"Invalid session id"}
    "#);
}

#[tokio::test(start_paused = true)]
async fn takes_the_token_in_either_header_and_counts_the_calls() {
    let tester = Tester::with(|settings| settings.daily_requests = 2);
    let path = "/services/async/66.0/job/750S00000000001";
    for header in [("authorization", format!("Bearer {}", tester.token)), ("X-SFDC-Session", tester.token.clone())] {
        let answer = tester.raw(Method::GET, path, &[header], Body::empty()).await;
        assert!(answer.text.contains("<exceptionCode>InvalidJob</exceptionCode>"), "{}", answer.text);
    }
    let over = tester.raw(Method::GET, path, &[("X-SFDC-Session", tester.token.clone())], Body::empty()).await;
    assert!(over.shown().starts_with("400 ") && over.text.contains("ExceededQuota"), "{}", over.shown());
    assert_eq!(over.headers["sforce-limit-info"], "api-usage=2/2");
    // The other interfaces do not know the header.
    let header = ("X-SFDC-Session", tester.token.clone());
    let answer = tester.raw(Method::GET, "/services/data/v66.0/limits", &[header], Body::empty()).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test(start_paused = true)]
async fn batches_begin_while_the_job_is_open_and_a_closed_job_takes_no_more() {
    let tester = Tester::new();
    let rows = leads(&tester, 1);
    let (path, info) = ended(&tester, "Lead", &rows).await;
    assert_eq!(member(&info, "state"), "Completed");
    let job = path.split('/').nth(1).expect("a job").to_owned();
    assert_eq!(member(&get(&tester, &format!("/{job}"), JSON).await, "state"), "Open");
    let change = async |state: &str| post(&tester, &format!("/{job}"), JSON, &format!(r#"{{"state":"{state}"}}"#)).await;
    assert_eq!(member(&change("Closed").await, "state"), "Closed");
    assert_eq!(member(&change("Closed").await, "exceptionMessage"), "Closing already Closed Job not allowed");
    assert_eq!(member(&change("Aborted").await, "exceptionMessage"), "Aborting already Completed Job not allowed");
    let late = post(&tester, &format!("/{job}/batch"), "text/csv", "Id\nabc").await;
    assert!(late.text.contains("InvalidJobState"), "{}", late.text);
}

#[tokio::test(start_paused = true)]
async fn an_aborted_job_leaves_waiting_batches_unprocessed() {
    let tester = Tester::with(|settings| settings.bulk_rows_per_second = 200);
    let rows = leads(&tester, 600);
    let text = r#"{"operation":"delete","object":"Lead","contentType":"CSV","concurrencyMode":"Serial"}"#;
    let job = member(&post(&tester, "", JSON, text).await, "id");
    for part in rows.chunks(400) {
        post(&tester, &format!("/{job}/batch"), "text/csv", &format!("Id\n{}", part.join("\n"))).await;
    }
    tester.sandbox.clock().advance(Duration::from_millis(1_500));
    let info = post(&tester, &format!("/{job}"), JSON, r#"{"state":"Aborted"}"#).await;
    assert_eq!((member(&info, "state"), member(&info, "numberRecordsProcessed")), ("Aborted".into(), "200".into()));
    tester.sandbox.clock().advance(Duration::from_secs(60));
    let list = get(&tester, &format!("/{job}/batch"), JSON).await;
    let batches = list.text.split("</batchInfo>").filter(|batch| batch.contains("<state>"));
    let states: Vec<String> = batches
        .map(|batch| Answer { status: 200, headers: list.headers.clone(), text: format!("<{batch}") })
        .map(|batch| format!("{} {}", member(&batch, "state"), member(&batch, "numberRecordsProcessed")))
        .collect();
    assert_eq!(states, ["Completed 400", "NotProcessed 0"]);
    assert_eq!(tester.sandbox.world().count("Lead"), 200);
    let again = post(&tester, &format!("/{job}"), JSON, r#"{"state":"Aborted"}"#).await;
    assert_eq!(member(&again, "exceptionMessage"), "Aborting already Aborted Job not allowed");
}

#[tokio::test(start_paused = true)]
async fn bad_batches_fail_as_a_whole_and_have_no_results() {
    let tester = Tester::new();
    let rows = leads(&tester, 1);
    let (path, info) = ended(&tester, "Lead", &[format!("{},Acme", rows[0])]).await;
    assert_eq!(member(&info, "state"), "Failed");
    assert_eq!(member(&info, "stateMessage"), "InvalidBatch : The 'delete' batch must contain only ids");
    let results = get(&tester, &format!("{path}/result"), JSON).await;
    assert_eq!(results.shown(), r#"400 {"exceptionCode":"InvalidBatch","exceptionMessage":"Records not processed"}"#);
    let (_, info) = ended(&tester, "Lead", &vec!["abc".to_owned(); 10_001]).await;
    assert_eq!(member(&info, "state"), "Failed");
    let (_, info) = ended(&tester, "Lead", &vec!["abc".to_owned(); 10_000]).await;
    assert_eq!((member(&info, "state"), member(&info, "numberRecordsFailed")), ("Completed".into(), "10000".into()));
    assert_eq!(tester.sandbox.world().count("Lead"), 1);
    let job = job(&tester, "Lead", "CSV").await;
    let large = post(&tester, &format!("/{job}/batch"), "text/csv", &"x".repeat(10_000_001)).await;
    assert!(large.text.contains("ClientInputError") && large.text.contains("10000000"), "{}", large.text);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_dies_half_way_keeps_what_it_did() {
    let tester = Tester::new();
    let rows = leads(&tester, 500);
    tester.sandbox.add_fault(Fault::on("POST", "*/batch", Effect::FailJob { after: 250 }));
    let (path, info) = ended(&tester, "Lead", &rows).await;
    assert_eq!((member(&info, "state"), member(&info, "numberRecordsProcessed")), ("Failed".into(), "250".into()));
    let results = get(&tester, &format!("{path}/result"), JSON).await;
    assert_eq!(results.text.lines().count(), 251);
    assert_eq!(tester.sandbox.world().count("Lead"), 250);
}

#[tokio::test(start_paused = true)]
async fn hard_delete_needs_its_permission_and_leaves_nothing_in_the_bin() {
    let tester = Tester::new();
    let lead = tester.add("Lead", &[]);
    let user = tester.sandbox.world().first_user();
    tester.sandbox.world().set_permissions(user, Permissions { hard_delete: true, ..Permissions::default() });
    let text = r#"{"operation":"hardDelete","object":"Lead","contentType":"JSON"}"#;
    let job = member(&post(&tester, "", JSON, text).await, "id");
    post(&tester, &format!("/{job}/batch"), JSON, &format!(r#"[{{"Id":"{lead}"}}]"#)).await;
    tester.sandbox.clock().advance(Duration::from_secs(1));
    tester.sandbox.run_jobs();
    let world = tester.sandbox.world();
    assert!(!world.exists(lead) && !world.in_bin(lead));
}

#[tokio::test(start_paused = true)]
async fn batches_share_the_days_budget_with_the_other_interface() {
    let tester = Tester::with(|settings| settings.daily_batches = 1);
    let job = job(&tester, "Lead", "CSV").await;
    let batch = format!("/{job}/batch");
    assert_eq!(post(&tester, &batch, "text/csv", "Id\nabc").await.status, 201);
    let over = post(&tester, &batch, "text/csv", "Id\nabc").await;
    assert!(over.text.contains("<exceptionCode>ExceededQuota</exceptionCode>"), "{}", over.text);
}
