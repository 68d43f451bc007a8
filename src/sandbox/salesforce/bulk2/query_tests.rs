//! Query jobs as a client sees them.

use http::StatusCode;
use insta::assert_snapshot;

use super::http_tests::{Answer, Client};
use crate::sandbox::{Effect, Fault, Value};

async fn open(client: &Client, query: &str) -> String {
    let body = serde_json::json!({ "operation": "query", "query": query }).to_string();
    let answer = client.post("query", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    format!("query/{}", answer.id())
}

fn locator(answer: &Answer) -> &str {
    answer.headers["sforce-locator"].to_str().expect("text")
}

#[tokio::test(start_paused = true)]
async fn a_query_goes_from_upload_complete_to_complete() {
    let client = Client::new(2);
    let lead = client.sandbox.world().ids("Lead").next().expect("generated");
    client.sandbox.world().update(lead, "Company", "\"Acme\", Inc.").expect("known");
    let body = r#"{"operation":"query","query":"SELECT Id, company, IsConverted FROM lead ORDER BY Id LIMIT 1","lineEnding":"CRLF"}"#;
    let created = client.post("query", body).await;
    assert_snapshot!(created.text, @r#"{"id":"750S00000000001IAA","operation":"query","object":"Lead","createdById":"005S00000000001IAA","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"UploadComplete","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"lineEnding":"CRLF","columnDelimiter":"COMMA"}"#);
    let job = format!("query/{}", created.id());
    assert_snapshot!(client.get(&format!("{job}/results")).await.refusal(), @r#"400 [{"errorCode":"INVALIDJOBSTATE","message":"Results of a Job that is not complete are not available"}]"#);
    assert_snapshot!(client.delete(&job).await.refusal(), @r#"400 [{"errorCode":"API_ERROR","message":"Error encountered when deleting the job because the job is not terminated"}]"#);
    client.pass(1);
    assert_snapshot!(client.get(&job).await.text, @r#"{"id":"750S00000000001IAA","operation":"query","object":"Lead","createdById":"005S00000000001IAA","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:32.000+0000","state":"JobComplete","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"jobType":"V2Query","lineEnding":"CRLF","columnDelimiter":"COMMA","numberRecordsProcessed":1,"retries":0,"totalProcessingTime":1000,"isPkChunkingSupported":true}"#);
    let results = client.get(&format!("{job}/results")).await;
    assert_eq!((locator(&results), &results.headers["sforce-numberofrecords"]), ("null", &"1".parse().expect("valid")));
    assert_eq!(results.headers["content-type"], "text/csv");
    assert_snapshot!(results.text.replace("\r\n", "|"), @r#""Id","Company","IsConverted"|"00QS00000000001MAA","""Acme"", Inc.","true"|"#);
    assert_snapshot!(client.patch(&job, "Aborted").await.refusal(), @r#"400 [{"errorCode":"INVALIDJOBSTATE","message":"Aborting already Completed Job not allowed"}]"#);
    assert_eq!(client.delete(&job).await.status, StatusCode::NO_CONTENT);
    assert_eq!(client.get(&job).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn pages_are_cut_by_the_client_and_by_the_service() {
    let client = Client::with(10, |settings| settings.bulk_page_rows = 4);
    let job = open(&client, "SELECT Id FROM Lead").await;
    client.pass(1);
    let mut rows = Vec::new();
    let mut sizes = Vec::new();
    let mut path = format!("{job}/results");
    loop {
        let page = client.get(&path).await;
        assert_eq!(page.text.lines().next(), Some("\"Id\""));
        rows.extend(page.text.lines().skip(1).map(|line| line.trim_matches('"').to_owned()));
        sizes.push(page.headers["sforce-numberofrecords"].to_str().expect("text").to_owned());
        if locator(&page) == "null" {
            break;
        }
        path = format!("{job}/results?locator={}", locator(&page));
    }
    assert_eq!(sizes, ["4", "4", "2"]);
    let leads: Vec<String> = client.sandbox.world().ids("Lead").map(|lead| lead.to_string()).collect();
    assert_eq!(rows, leads);
    let small = client.get(&format!("{job}/results?maxRecords=3")).await;
    assert_eq!((small.text.lines().count(), locator(&small) == "null"), (4, false));
    assert_snapshot!(client.get(&format!("{job}/results?locator=abc")).await.refusal(), @r#"400 [{"errorCode":"INVALID_QUERY_LOCATOR","message":"invalid query locator"}]"#);
    assert_eq!(client.get(&format!("{job}/results?maxRecords=0")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn names_the_pages_for_parallel_reading() {
    let client = Client::with(7, |settings| settings.bulk_page_rows = 1);
    let job = open(&client, "SELECT Id FROM Lead").await;
    client.pass(1);
    let first = client.get(&format!("{job}/resultPages")).await.json();
    assert_eq!((first["resultPages"].as_array().map(Vec::len), &first["done"]), (Some(5), &false.into()));
    let path = |url: &serde_json::Value| {
        let url = url.as_str().expect("text").to_owned();
        url.strip_prefix("/services/data/v60.0/jobs/").expect("ours").to_owned()
    };
    let page = client.get(&path(&first["resultPages"][4]["resultUrl"])).await;
    let fifth = client.sandbox.world().ids("Lead").nth(4).expect("generated");
    assert_eq!(page.text, format!("\"Id\"\n\"{fifth}\"\n"));
    let second = client.get(&path(&first["nextRecordsUrl"])).await.json();
    assert_eq!((second["resultPages"].as_array().map(Vec::len), &second["done"]), (Some(2), &true.into()));
    assert_eq!(second["nextRecordsUrl"], serde_json::Value::Null);
}

#[tokio::test(start_paused = true)]
async fn results_are_as_of_the_run() {
    let client = Client::new(3);
    let lead = client.sandbox.world().ids("Lead").next().expect("generated");
    let job = open(&client, "SELECT Id, Company FROM Lead").await;
    client.pass(1);
    let before = client.get(&format!("{job}/results")).await.text;
    client.sandbox.world().update(lead, "Company", Value::from("Other")).expect("known");
    assert_eq!(client.get(&format!("{job}/results")).await.text, before);
}

#[tokio::test(start_paused = true)]
async fn an_empty_result_is_a_header() {
    let client = Client::new(1);
    let job = open(&client, "SELECT Id FROM Lead WHERE Company = 'nobody'").await;
    client.pass(1);
    let results = client.get(&format!("{job}/results")).await;
    assert_eq!((results.text.as_str(), locator(&results)), ("\"Id\"\n", "null"));
}

#[tokio::test(start_paused = true)]
async fn deleted_rows_are_for_query_all() {
    let client = Client::new(2);
    let lead = client.sandbox.world().ids("Lead").next().expect("generated");
    let user = client.sandbox.world().first_user();
    let deletion = crate::sandbox::Deletion { mode: crate::sandbox::DeleteMode::Soft, all_or_none: false, user };
    assert_eq!(client.sandbox.world().delete(&[lead.to_string()], deletion), [Ok(())]);
    let body = r#"{"operation":"queryAll","query":"SELECT Id, IsDeleted FROM Lead"}"#;
    let job = format!("query/{}", client.post("query", body).await.id());
    client.pass(1);
    let text = client.get(&format!("{job}/results")).await.text;
    assert!(text.contains(&format!("\"{lead}\",\"true\"\n")), "{text}");
    assert_eq!(text.lines().count(), 3);
}

#[tokio::test(start_paused = true)]
async fn refuses_what_the_service_refuses_to_query() {
    let client = Client::new(1);
    let mut refusals = Vec::new();
    for query in [
        "SELECT COUNT() FROM Lead",
        "SELECT Id FROM Lead OFFSET 5",
        "SELECT Id FROM Nothing",
        "SELECT Nothing FROM Lead",
        "SELECT Id FORM Lead",
    ] {
        let body = serde_json::json!({ "operation": "query", "query": query }).to_string();
        refusals.push(client.post("query", &body).await.refusal());
    }
    refusals.push(client.post("query", r#"{"operation":"query"}"#).await.refusal());
    refusals.push(client.post("query", r#"{"operation":"delete","query":"SELECT Id FROM Lead"}"#).await.refusal());
    assert_snapshot!(refusals.join("\n"), @r#"
    400 [{"errorCode":"API_ERROR","message":"Aggregate Relationships not supported in Bulk Query"}]
    400 [{"errorCode":"API_ERROR","message":"Implementation restriction: OFFSET is not supported in Bulk Query"}]
    400 [{"errorCode":"INVALID_TYPE","message":"\nSELECT Id FROM Nothing\n               ^\nERROR at Row:1:Column:16\nsObject type 'Nothing' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."}]
    400 [{"errorCode":"INVALID_FIELD","message":"\nSELECT Nothing FROM Lead\n       ^\nERROR at Row:1:Column:8\nNo such column 'Nothing' on entity 'Lead'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."}]
    400 [{"errorCode":"MALFORMED_QUERY","message":"\nSELECT Id FORM Lead\n               ^\nERROR at Row:1:Column:16\nunexpected token: 'Lead'"}]
    400 [{"errorCode":"INVALIDJOB","message":"The property query is required."}]
    400 [{"errorCode":"INVALIDJOB","message":"Unsupported value for operation: delete"}]
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_query_can_be_aborted_by_its_creator() {
    let client = Client::new(1);
    let job = open(&client, "SELECT Id FROM Lead").await;
    assert_eq!(client.patch(&job, "UploadComplete").await.status, StatusCode::BAD_REQUEST);
    assert_snapshot!(client.patch(&job, "Aborted").await.text, @r#"{"id":"750S00000000001IAA","operation":"query","object":"Lead","createdById":"005S00000000001IAA","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"Aborted","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0}"#);
    client.pass(1);
    assert_eq!(client.get(&job).await.json()["state"], "Aborted");
    assert_eq!(client.get("query").await.json()["records"][0]["jobType"], "V2Query");
}

#[tokio::test(start_paused = true)]
async fn a_fault_makes_the_counts_disagree() {
    let client = Client::new(3);
    client.sandbox.add_fault(Fault::on("POST", "*/jobs/query", Effect::WrongTotal { by: 1 }).times(1));
    let job = open(&client, "SELECT Id FROM Lead").await;
    client.pass(1);
    assert_eq!(client.get(&job).await.json()["numberRecordsProcessed"], 4);
    client.sandbox.add_fault(Fault::on("POST", "*/jobs/query", Effect::ShortPage { rows: 1 }).times(1));
    let job = open(&client, "SELECT Id FROM Lead").await;
    client.pass(1);
    let page = client.get(&format!("{job}/results")).await;
    assert_eq!((page.text.lines().count(), &page.headers["sforce-numberofrecords"]), (3, &"3".parse().expect("valid")));
}
