//! The filters of record lists, as the vendor documents them.

use serde_json::Value as Json;

use super::Value;
use super::testing::{TESTING_APP, Tester};

fn with_records() -> Tester {
    let tester = Tester::new();
    let at = |text: &str| Value::Timestamp(text.parse().expect("valid"));
    tester.add(
        "a",
        &[("_server_updated_at", at("2026-11-03T00:00:00Z")), ("_latitude", 27.9.into()), ("_longitude", (-82.7).into())],
    );
    tester.add(
        "b",
        &[
            ("_server_updated_at", at("2026-11-01T00:00:00Z")),
            ("_server_created_at", at("2026-10-01T00:00:00Z")),
            ("_created_at", at("2026-09-01T00:00:00Z")),
            ("_project_id", "p".into()),
        ],
    );
    tester.add("c", &[("_server_updated_at", at("2026-11-02T00:00:00Z")), ("_updated_at", at("2026-09-02T00:00:00Z"))]);
    tester.sandbox.fulcrum().insert("Park Inventory", [("_record_id", "other".into())]).expect("known");
    tester
}

async fn found(tester: &Tester, filters: &str) -> String {
    let (status, body) = tester.get(&format!("records.json?{filters}")).await;
    assert_eq!(status, 200, "{filters}: {body}");
    let ids: Vec<&str> =
        body["records"].as_array().into_iter().flatten().filter_map(|record| record["id"].as_str()).collect();
    format!("{} {}", ids.join(" "), body["total_count"])
}

#[tokio::test(start_paused = true)]
async fn every_documented_filter_is_honoured() {
    let tester = with_records();
    let form = format!("form_id={TESTING_APP}");
    for (filters, expected) in [
        (form.as_str(), "b c a 3"),
        (&format!("{form}&newest_first=true"), "a c b 3"),
        (&format!("{form}&per_page=1&page=2"), "c 3"),
        (&format!("{form}&updated_since=2026-11-02T00:00:00Z"), "c a 2"),
        (&format!("{form}&updated_since=1793577600&updated_before=1793664000"), "c 1"),
        (&format!("{form}&updated_before=2026-11-02T01:00:00%2B01:00"), "b 1"),
        (&format!("{form}&created_before=2026-11-01T00:00:00Z"), "b 1"),
        (&format!("{form}&created_since=2026-11-01T00:00:00Z"), "c a 2"),
        (&format!("{form}&client_created_before=2026-10-01T00:00:00Z"), "b 1"),
        (&format!("{form}&client_updated_before=2026-10-01T00:00:00Z"), "c 1"),
        (&format!("{form}&client_updated_since=2026-10-01T00:00:00Z&client_created_since=2026-10-01T00:00:00Z"), "a 1"),
        ("project_id=p", "b 1"),
        ("bounding_box=27,-83,28,-82", "a 1"),
        ("bounding_box=27,-82.5,28,-82", " 0"),
        ("form_id=none", " 0"),
        ("", "b c a other 4"),
    ] {
        assert_eq!(found(&tester, filters).await, expected, "{filters}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_honoured_is_refused() {
    let tester = with_records();
    for (filters, status, words) in [
        ("changeset_id=1", 501, "the parameter changeset_id here"),
        ("status=old", 501, "gap of the sandbox"),
        ("updated_since=yesterday", 400, "updated_since must be seconds since 1970"),
        ("bounding_box=1,2,3", 400, "bounding_box must be four numbers"),
        ("bounding_box=1,2,3,x", 400, "bounding_box must be four numbers"),
        ("newest_first=maybe", 400, "newest_first must be true or false"),
    ] {
        let (told, body) = tester.get(&format!("records.json?{filters}")).await;
        assert_eq!(told, status, "{filters}: {body}");
        assert!(body["error"].as_str().is_some_and(|error| error.contains(words)), "{filters}: {body}");
    }
    let (status, body) = tester.post("records.json", Some(Json::Null)).await;
    assert_eq!(
        (status, body["error"].as_str().is_some_and(|error| error.contains("changes of Fulcrum records"))),
        (501, true)
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_body_says_besides_is_refused_and_not_passed_over() {
    let tester = with_records();
    let query = |name: &str, value: Json| {
        let mut body = serde_json::json!({ "q": "SELECT _record_id FROM \"Testing App\"", "format": "json" });
        body[name] = value;
        body
    };
    for (name, value, status) in [
        ("table_name", "t".into(), 200),
        ("metadata", false.into(), 200),
        ("metadata", true.into(), 501),
        ("sort_column", "_status".into(), 501),
        ("per_page", 1.into(), 501),
        ("format", "geojson".into(), 501),
        ("format", "nonsense".into(), 400),
    ] {
        let (told, body) = tester.post("query", Some(query(name, value))).await;
        assert_eq!(told, status, "{name}: {body}");
    }
    for (name, value) in [("action", "update".into()), ("record_id", "a".into()), ("data", Json::Null)] {
        let mut operation =
            serde_json::json!({ "action": "delete", "resource": "record", "form_id": TESTING_APP, "ids": ["a"] });
        operation[name] = value;
        let body = serde_json::json!({ "batch": { "start": true, "operations": [operation] } });
        let (told, body) = tester.post("batch.json", Some(body)).await;
        assert!(told == 501 && body["error"].as_str().is_some_and(|error| error.contains("gap")), "{name}: {told} {body}");
    }
    assert!(tester.sandbox.fulcrum().exists("a"));
}
