//! What was deleted and changed within a span of time, compared with the documented shapes and limits.

use std::time::Duration;

use insta::assert_snapshot;

use super::testing::{Answer, Tester};

async fn span(tester: &Tester, what: &str, start: &str, end: &str) -> Answer {
    tester.get(&format!("/sobjects/Lead/{what}?start={start}&end={end}")).await
}

#[tokio::test(start_paused = true)]
async fn deletions_and_changes_are_told_by_their_minute() {
    let tester = Tester::new();
    let [first, second, third] = [0; 3].map(|_| tester.add("Lead", &[]));
    tester.sandbox.clock().advance(Duration::from_secs(90));
    assert_eq!(tester.delete(&format!("/sobjects/Lead/{first}")).await.status, 204);
    tester.sandbox.clock().advance(Duration::from_secs(60));
    assert_eq!(tester.delete(&format!("/sobjects/Lead/{second}")).await.status, 204);
    tester.sandbox.world().update(third, "Company", "Acme").expect("there");
    tester.sandbox.clock().advance(Duration::from_secs(60));
    let deleted = span(&tester, "deleted", "2026-11-21T10:01:59Z", "2026-11-21T10:02:00%2B00:00").await;
    assert_snapshot!(deleted.shown(), @r#"200 {"deletedRecords":[{"deletedDate":"2026-11-21T10:01:30.000+0000","id":"00QS00000000001MAA"}],"earliestDateAvailable":"2026-11-06T10:03:00.000+0000","latestDateCovered":"2026-11-21T10:02:00.000+0000"}"#);
    let later = span(&tester, "deleted", "2026-11-21T10:02:00+00:00", "2026-11-22T00:00:00Z").await;
    assert!(later.text.contains(&second.to_string()) && !later.text.contains(&first.to_string()), "{}", later.text);
    assert!(later.text.contains(r#""latestDateCovered":"2026-11-21T10:03:00.000+0000""#), "{}", later.text);
    let updated = span(&tester, "updated", "2026-11-21T10:02:00Z", "2026-11-21T10:03:00Z").await;
    assert_snapshot!(updated.shown(), @r#"200 {"ids":["00QS00000000003MAA"],"latestDateCovered":"2026-11-21T10:03:00.000+0000"}"#);
    let made = span(&tester, "updated", "2026-11-21T10:00:00Z", "2026-11-21T10:01:00Z").await;
    assert_eq!(made.shown(), r#"200 {"ids":[],"latestDateCovered":"2026-11-21T10:01:00.000+0000"}"#);
}

#[tokio::test(start_paused = true)]
async fn spans_that_make_no_sense_are_refused() {
    let tester = Tester::new();
    let mut refusals = String::new();
    for (start, end) in [
        ("2026-11-21T10:00:00Z", "2026-11-21T10:00:59Z"),
        ("2026-11-21T10:00:00Z", "2026-11-21T09:00:00Z"),
        ("2026-10-22T09:58:00Z", "2026-11-21T10:00:00Z"),
        ("yesterday", "2026-11-21T10:00:00Z"),
    ] {
        for what in ["deleted", "updated"] {
            refusals.push_str(&span(&tester, what, start, end).await.shown());
            refusals.push('\n');
        }
    }
    refusals.push_str(&tester.get("/sobjects/Lead/deleted?start=2026-11-21T10:00:00Z").await.shown());
    refusals.push('\n');
    let organization = "/sobjects/Organization/updated?start=2026-11-21T09:00:00Z&end=2026-11-21T10:00:00Z";
    refusals.push_str(&tester.get(organization).await.shown());
    assert_snapshot!(refusals, @r#"
    400 [{"message":"endDate must be at least a minute greater than startDate","errorCode":"INVALID_REPLICATION_DATE"}]
    400 [{"message":"endDate must be at least a minute greater than startDate","errorCode":"INVALID_REPLICATION_DATE"}]
    400 [{"message":"endDate must be at least a minute greater than startDate","errorCode":"INVALID_REPLICATION_DATE"}]
    400 [{"message":"endDate must be at least a minute greater than startDate","errorCode":"INVALID_REPLICATION_DATE"}]
    400 [{"message":"startDate cannot be more than 30 days ago","errorCode":"INVALID_REPLICATION_DATE"}]
    400 [{"message":"startDate cannot be more than 30 days ago","errorCode":"INVALID_REPLICATION_DATE"}]
    400 [{"message":"Invalid start: yesterday","errorCode":"INVALID_REPLICATION_DATE"}]
    400 [{"message":"Invalid start: yesterday","errorCode":"INVALID_REPLICATION_DATE"}]
    400 [{"message":"The parameter end is required","errorCode":"MISSING_ARGUMENT"}]
    400 [{"message":"entity type Organization does not support replication","errorCode":"INVALID_TYPE_FOR_OPERATION"}]
    "#);
    let earliest = span(&tester, "deleted", "2026-10-22T10:00:00Z", "2026-11-21T10:00:00Z").await;
    assert_eq!(earliest.status, 200, "{}", earliest.text);
    assert_eq!(tester.get("/sobjects/Nothing/deleted").await.status, 404);
}
