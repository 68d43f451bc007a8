//! Row locks between batches that run side by side.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use http::Method;

use crate::sandbox::salesforce::testing::Tester;
use crate::sandbox::{RecordKey, Value};

const PARENTS: usize = 10;
const CHILDREN: usize = 4_000;

/// Contacts of a few accounts, deleted in four batches: how many rows could not be locked.
async fn locked_rows(mode: &str, grouped: bool) -> usize {
    let tester = Tester::with(|settings| {
        settings.bulk_lock_contention = true;
        settings.bulk_rows_per_second = 1_000;
    });
    let accounts: Vec<RecordKey> = (0..PARENTS).map(|_| tester.add("Account", &[])).collect();
    let mut contacts: BTreeMap<(usize, RecordKey), RecordKey> = BTreeMap::new();
    for number in 0..CHILDREN {
        let parent = number % PARENTS;
        let contact = tester.add("Contact", &[("AccountId", Value::Reference(accounts[parent]))]);
        contacts.insert((if grouped { parent } else { 0 }, contact), contact);
    }
    let headers = |content_type: &str| [("x-sfdc-session", tester.token.clone()), ("content-type", content_type.to_owned())];
    let path = "/services/async/66.0/job";
    let job = format!(r#"{{"operation":"delete","object":"Contact","contentType":"CSV","concurrencyMode":"{mode}"}}"#);
    let answer = tester.raw(Method::POST, path, &headers("application/json"), job).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let job = format!("{path}/750S00000000001");
    let rows: Vec<String> = contacts.values().map(ToString::to_string).collect();
    for part in rows.chunks(CHILDREN / 4) {
        let data = format!("Id\n{}", part.join("\n"));
        let answer = tester.raw(Method::POST, &format!("{job}/batch"), &headers("text/csv"), data).await;
        assert_eq!(answer.status, 201);
    }
    tester.sandbox.clock().advance(Duration::from_secs(60));
    let mut locked = 0;
    for batch in 1..=4 {
        let answer =
            tester.raw(Method::GET, &format!("{job}/batch/751S0000000000{batch}/result"), &headers(""), Body::empty()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        locked += answer.text.matches("UNABLE_TO_LOCK_ROW").count();
    }
    assert_eq!(tester.sandbox.world().count("Contact") as usize, locked);
    locked
}

#[tokio::test(start_paused = true)]
async fn children_of_one_parent_in_batches_side_by_side_keep_each_other_locked() {
    assert_eq!(locked_rows("Parallel", false).await, CHILDREN / 4 * 3);
}

#[tokio::test(start_paused = true)]
async fn one_batch_at_a_time_is_never_locked() {
    assert_eq!(locked_rows("Serial", false).await, 0);
}

#[tokio::test(start_paused = true)]
async fn children_of_one_parent_in_one_batch_are_never_locked() {
    assert_eq!(locked_rows("Parallel", true).await, 0);
}
