//! The interface as clients see it.

use axum::body::Body;
use http::{Method, Request};
use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::testing::{TESTING_APP, Tester};
use super::{ForeignIds, Value};
use crate::sandbox::{Effect, Fault};

const DONE: u64 = 10_000;

fn bare_request(headers: &[(&str, &str)], path: &str) -> Request<Body> {
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).expect("valid")
}

#[tokio::test(start_paused = true)]
async fn checks_token_and_accept_first() {
    let tester = Tester::new();
    let json = ("accept", "application/json");
    let forms = "/api/v2/forms.json";
    let status = async |headers: &[(&str, &str)], path: &str| tester.raw(bare_request(headers, path)).await.0;
    assert_eq!(tester.raw(bare_request(&[json], forms)).await, (401, "{\"error\":\"Unauthorized\"}".to_owned()));
    assert_eq!(status(&[json, ("x-apitoken", "wrong")], forms).await, 401);
    assert_eq!(status(&[json, ("x-apitoken", "sandbox-token")], forms).await, 200);
    assert_eq!(status(&[("accept", "*/*"), ("x-apitoken", "sandbox-token")], "/api/v2/forms").await, 200);
    assert_eq!(status(&[json], "/api/v2/forms?token=sandbox-token").await, 200);
    assert_eq!(status(&[("x-apitoken", "sandbox-token")], forms).await, 406);
    assert_eq!(status(&[("accept", "text/csv"), ("x-apitoken", "sandbox-token")], forms).await, 406);
    assert_eq!(tester.get("nothing.json").await, (404, json!({})));
}

#[tokio::test(start_paused = true)]
async fn says_which_organization_the_token_belongs_to() {
    let tester = Tester::new();
    let (status, body) = tester.get("users.json").await;
    let organization = tester.sandbox.fulcrum().id.clone();
    assert_eq!((status, &body["user"]["current_organization"]["id"]), (200, &json!(organization)));
    assert_ne!(body["user"]["contexts"][0]["id"], json!(organization));
    assert_eq!(body["user"]["contexts"][1]["role"]["can_delete_records"], json!(true));
}

#[tokio::test(start_paused = true)]
async fn lists_forms_and_records_in_pages() {
    let tester = Tester::new();
    for id in ["a", "b", "c"] {
        tester.add(id, &[("title", "x".into())]);
    }
    let (_, forms) = tester.get("forms.json?per_page=2&page=2").await;
    assert_eq!((&forms["total_count"], &forms["total_pages"], &forms["current_page"]), (&json!(3), &json!(2), &json!(2)));
    assert_eq!((&forms["forms"][0]["name"], &forms["forms"][0]["record_count"]), (&json!("Testing App"), &json!(3)));
    let (_, form) = tester.get(&format!("forms/{TESTING_APP}.json")).await;
    assert_eq!(form["form"]["elements"][1]["data_name"], json!("amount"));
    let (_, records) = tester.get(&format!("records.json?form_id={TESTING_APP}&per_page=2&page=2")).await;
    assert_eq!((&records["records"][0]["id"], &records["total_count"]), (&json!("c"), &json!(3)));
}

#[tokio::test(start_paused = true)]
async fn deletes_one_record_and_answers_with_it() {
    let mut tester = Tester::new();
    tester.add("Ab", &[("title", "x".into())]);
    tester.add("aB", &[]);
    let (status, body) = tester.get("records/Ab.json").await;
    assert_eq!((status, &body["record"]["form_values"]), (200, &json!({ "2b1a": "x" })));
    tester.token = "sandbox-read-only-token";
    assert_eq!(tester.send(Method::DELETE, "records/Ab.json", None).await.0, 403);
    tester.token = "sandbox-token";
    let (status, text) = tester.send(Method::DELETE, "records/Ab.json", None).await;
    assert!(status == 200 && text.contains("\"id\":\"Ab\""), "{text}");
    assert_eq!(tester.send(Method::DELETE, "records/Ab", None).await, (404, "{}".to_owned()));
    assert!(tester.sandbox.fulcrum().exists("aB"), "the case matters");
}

#[tokio::test(start_paused = true)]
async fn queries_in_json_and_csv() {
    let tester = Tester::new();
    let made = Value::Timestamp("2016-10-27T11:56:54.293Z".parse().expect("valid"));
    tester.add("a", &[("title", "Say \"x\"".into()), ("amount", 9.84.into()), ("_server_created_at", made)]);
    tester.add("b", &[]);
    let text = "SELECT _record_id AS id, amount, _server_created_at, title FROM \"Testing App\" ORDER BY 1";
    let question = json!({ "q": format!("{text} LIMIT 1"), "format": "json" });
    let (status, answer) = tester.send(Method::POST, "query", Some(question)).await;
    assert_eq!(status, 200);
    assert_snapshot!(answer, @r#"{"fields":[{"name":"id","type":"string"},{"name":"amount","type":"double"},{"name":"_server_created_at","type":"timestamp"},{"name":"title","type":"string"}],"rows":[{"id":"a","amount":9.84,"_server_created_at":"2016-10-27T11:56:54.293Z","title":"Say \"x\""}],"time":0.01,"date":1795255200000}"#);
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let (_, csv) = tester.send(Method::GET, &format!("query?q={encoded}"), None).await;
    assert_snapshot!(csv, @r#"
    id,amount,_server_created_at,title
    a,9.84,2016-10-27 11:56:54 UTC,"Say ""x"""
    b,,2026-11-21 10:00:00 UTC,
    "#);
    let (_, page) =
        tester.send(Method::GET, &format!("query?q={encoded}&per_page=1&page=2&format=json&arrays=true"), None).await;
    assert!(page.contains("[[\"b\",null,"), "{page}");
    let (_, arrays) = tester
        .post(
            "query?per_page=1",
            Some(json!({ "q": "SELECT title FROM \"Testing App\"", "format": "json", "arrays": true })),
        )
        .await;
    assert_eq!(arrays["rows"], json!([[null]]));
    let (status, error) = tester.query("SELECT x FROM \"Testing App\"").await;
    assert_eq!((status, error), (400, json!({ "error": "column \"x\" does not exist" })));
}

#[tokio::test(start_paused = true)]
async fn a_pending_batch_deletes_nothing_until_it_is_started() {
    let tester = Tester::new();
    ["a", "b", "c"].iter().for_each(|id| tester.add(id, &[]));
    let operation = json!({ "action": "delete", "resource": "record", "form_id": TESTING_APP, "ids": ["a", "c"] });
    let body = json!({ "batch": { "start": false, "operations": [operation] } });
    let (status, answer) = tester.send(Method::POST, "batch.json", Some(body)).await;
    assert_eq!(status, 200);
    assert_snapshot!(answer, @r#"{"batch":{"status":"pending","objects_total":2,"objects_success":0,"id":"449aacae-83d8-4756-bafb-60eafb47cea6","created_at":"2026-11-21T10:00:00Z","updated_at":"2026-11-21T10:00:00Z","created_by":"Fiona Field","created_by_id":"5f1efa091441405373000001","updated_by":"Fiona Field","updated_by_id":"5f1efa091441405373000001"}}"#);
    let id = tester.sandbox.fulcrum().batches()[0].id.clone();
    tester.pass(DONE);
    assert_eq!((tester.progress().await.as_str(), tester.sandbox.fulcrum().count("Testing App")), ("pending 2 0", 3));
    let (status, body) = tester.post(&format!("batch/{id}/start.json"), None).await;
    assert_eq!((status, &body["batch"]["status"]), (200, &json!("running")));
    tester.pass(DONE);
    assert_eq!(tester.progress().await, "success 2 2");
    assert!(tester.sandbox.fulcrum().exists("b") && tester.sandbox.fulcrum().count("Testing App") == 1);
    let (_, body) = tester.get(&format!("batch/{id}.json")).await;
    assert_eq!(body["batch"]["completed_at"], json!("2026-11-21T10:00:10Z"));
    let again = tester.post(&format!("batch/{id}/start.json"), None).await;
    assert_eq!(again, (422, json!({ "batch": { "errors": { "status": ["is not pending"] } } })));
    assert_eq!(tester.post("batch/none/start.json", None).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_batch_takes_its_time() {
    let tester = Tester::new();
    tester.sandbox.fulcrum().settings.batch_records_per_second = 2;
    ["a", "b", "c"].iter().for_each(|id| tester.add(id, &[]));
    tester.create(true, &["a", "b", "c"]).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(tester.progress().await);
        tester.pass(500);
    }
    assert_eq!(seen, ["running 3 0", "running 3 1", "running 3 2", "success 3 3"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_by_query_takes_what_the_column_id_holds() {
    let tester = Tester::new();
    ["a", "b", "c"].iter().for_each(|id| tester.add(id, &[("_status", "keep".into())]));
    tester.add("d", &[("_status", "delete_this".into())]);
    let create = async |query: &str| {
        let operation = json!({ "action": "delete", "resource": "record", "form_id": TESTING_APP, "query": query });
        tester.post("batch.json", Some(json!({ "batch": { "start": true, "operations": [operation] } }))).await
    };
    let condition = "_status = 'delete_this'";
    assert_eq!(create(condition).await.0, 422, "a condition is no query");
    assert_eq!(create(&format!("SELECT _record_id FROM \"Testing App\" WHERE {condition}")).await.0, 422);
    let (status, body) = create(&format!("SELECT _record_id AS id FROM \"Testing App\" WHERE {condition}")).await;
    assert_eq!((status, &body["batch"]["objects_total"]), (200, &json!(1)));
    tester.pass(DONE);
    assert_eq!(tester.sandbox.fulcrum().count("Testing App"), 3);
    assert!(!tester.sandbox.fulcrum().exists("d"));
}

#[tokio::test(start_paused = true)]
async fn refuses_what_is_no_batch() {
    let mut tester = Tester::new();
    tester.add("a", &[]);
    let good = json!({ "action": "delete", "resource": "record", "form_id": TESTING_APP, "ids": ["a"] });
    let with = |key: &str, value: Json| {
        let mut operation = good.clone();
        operation[key] = value;
        json!({ "batch": { "start": true, "operations": [operation] } })
    };
    let many: Vec<String> = (0..10_001).map(|number| number.to_string()).collect();
    let wrong = [
        json!({}),
        json!({ "batch": { "start": true } }),
        with("action", json!("update")),
        with("action", Json::Null),
        with("resource", json!("form")),
        with("form_id", json!("none")),
        with("form_id", Json::Null),
        with("ids", json!([])),
        with("ids", json!(many)),
        with("query", json!("SELECT _record_id AS id FROM \"Testing App\"")),
        with("ids", Json::Null),
    ];
    let mut shown = String::new();
    for body in wrong {
        let (status, answer) = tester.post("batch", Some(body)).await;
        shown.push_str(&format!("{status} {answer}\n"));
    }
    assert_snapshot!(shown, @r#"
    400 {"error":"Bad Request","status":400}
    422 {"batch":{"errors":{"operations":["cannot be blank"]}}}
    501 {"error":"The sandbox does not serve updates through batches: this is a gap of the sandbox, not a mistake of the request."}
    422 {"batch":{"errors":{"action":["cannot be blank"]}}}
    422 {"batch":{"errors":{"resource":["is not included in the list"]}}}
    422 {"batch":{"errors":{"form_id":["does not exist or you don't have access to it"]}}}
    422 {"batch":{"errors":{"form_id":["cannot be blank"]}}}
    422 {"batch":{"errors":{"ids":["cannot be blank"]}}}
    422 {"batch":{"errors":{"operations":["cannot have more than 10000 records"]}}}
    422 {"batch":{"errors":{"operations":["cannot have both a query and ids"]}}}
    422 {"batch":{"errors":{"operations":["must have a query or ids"]}}}
    "#);
    let no_json = bare_request(&[("x-apitoken", "sandbox-token"), ("accept", "*/*")], "/api/v2/batch");
    let (mut parts, body) = no_json.into_parts();
    parts.method = Method::POST;
    let (status, text) = tester.raw(Request::from_parts(parts, body)).await;
    assert!(status == 422 && text.contains("{\"batch\":{\"errors\":\"Invalid JSON"), "{text}");
    tester.token = "sandbox-read-only-token";
    assert_eq!(tester.create(true, &["a"]).await, (403, json!({ "error": "Forbidden" })));
    assert!(tester.sandbox.fulcrum().batches().is_empty() && tester.sandbox.fulcrum().exists("a"));
}

#[tokio::test(start_paused = true)]
async fn only_the_first_operation_runs() {
    let tester = Tester::new();
    ["a", "b"].iter().for_each(|id| tester.add(id, &[]));
    let operation = |id: &str| json!({ "action": "delete", "resource": "record", "form_id": TESTING_APP, "ids": [id] });
    let body = json!({ "batch": { "operations": [operation("a"), operation("b")] } });
    let (_, created) = tester.post("batch", Some(body)).await;
    let id = created["batch"]["id"].as_str().expect("an id").to_owned();
    let (status, _) =
        tester.post(&format!("batch/{id}/operations.json"), Some(json!({ "operations": [operation("b")] }))).await;
    assert_eq!(status, 200);
    tester.post(&format!("batch/{id}/start.json"), None).await;
    tester.pass(DONE);
    assert_eq!(tester.progress().await, "success 1 1");
    assert!(tester.sandbox.fulcrum().exists("b"));
    assert_eq!(tester.post(&format!("batch/{id}/operations.json"), Some(json!({ "operations": [] }))).await.0, 422);
}

#[tokio::test(start_paused = true)]
async fn foreign_ids_are_counted_dropped_or_refused() {
    for (choice, expected) in
        [(ForeignIds::Counted, "success 3 1"), (ForeignIds::Dropped, "success 1 1"), (ForeignIds::Refused, "null null null")]
    {
        let tester = Tester::new();
        tester.add("a", &[]);
        let other = tester.sandbox.fulcrum().insert("Site Visits", []).expect("known");
        tester.sandbox.fulcrum().settings.foreign_ids = choice;
        tester.create(true, &["gone", &other, "a"]).await;
        tester.pass(DONE);
        assert_eq!(tester.progress().await, expected);
        assert!(tester.sandbox.fulcrum().exists(&other), "{choice:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn faults_reach_into_batches() {
    let progress = async |then: Effect| {
        let tester = Tester::new();
        tester.sandbox.add_fault(Fault::on("POST", "/api/v2/batch*", then));
        ["a", "b", "c"].iter().for_each(|id| tester.add(id, &[]));
        tester.create(true, &["a", "b", "c"]).await;
        tester.pass(DONE);
        let left = tester.sandbox.fulcrum().count("Testing App");
        format!("{}, {left} left", tester.progress().await)
    };
    assert_eq!(progress(Effect::FailJob { after: 1 }).await, "failed 3 1, 2 left");
    assert_eq!(progress(Effect::OmitRows { rows: 1 }).await, "success 3 2, 1 left");
    assert_eq!(progress(Effect::WrongTotal { by: 1 }).await, "success 4 3, 0 left");
    assert_eq!(progress(Effect::DropAfter).await, "success 3 3, 0 left");
    assert_eq!(progress(Effect::DropBefore).await, "null null null, 3 left");
}

#[tokio::test(start_paused = true)]
async fn moments_that_have_not_come_are_absent_or_null_and_totals_may_be_late() {
    let tester = Tester::new();
    tester.add("a", &[]);
    tester.sandbox.fulcrum().settings.batch_counting = std::time::Duration::from_secs(1);
    let (_, body) = tester.create(false, &["a"]).await;
    assert_eq!((&body["batch"]["objects_total"], body["batch"].get("started_at")), (&json!(0), None));
    tester.sandbox.fulcrum().settings.null_times = true;
    tester.pass(1_000);
    let (_, body) = tester.get("batch.json").await;
    let batch = &body["batches"][0];
    assert_eq!((&batch["objects_total"], batch.get("started_at")), (&json!(1), Some(&Json::Null)));
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_the_limit_of_the_hour_are_refused() {
    let tester = Tester::new();
    tester.sandbox.fulcrum().settings.hourly_calls = 2;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(tester.get("forms").await.0);
        tester.pass(1_000);
    }
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(tester.sandbox.fulcrum().calls_refused(), 1);
    tester.pass(3_597_000);
    assert_eq!([tester.get("forms").await.0, tester.get("forms").await.0], [200, 429]);
}

#[tokio::test(start_paused = true)]
async fn faults_speak_as_the_vendor_would() {
    let tester = Tester::new();
    let retry = Effect::TooManyRequests { retry_after: Some(7) };
    for fault in [retry, Effect::ExpireSession, Effect::ShortPage { rows: 1 }] {
        tester.sandbox.add_fault(Fault::on("POST", "*/query", fault).nth(1));
    }
    tester.add("a", &[]);
    let text = "SELECT _record_id FROM \"Testing App\"";
    assert_eq!(tester.query(text).await, (429, json!({ "error": "Rate limit exceeded" })));
    tester.sandbox.clear_faults();
    tester.sandbox.add_fault(Fault::on("POST", "*/query", Effect::ExpireSession).nth(1));
    assert_eq!(tester.query(text).await.0, 401);
    tester.sandbox.add_fault(Fault::on("POST", "*/query", Effect::ShortPage { rows: 1 }).nth(1));
    assert_eq!(tester.query(text).await.1["rows"], json!([]));
    assert_eq!(tester.query(text).await.1["rows"], json!([{ "_record_id": "a" }]));
}
