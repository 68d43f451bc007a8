//! Deletions that are too much for one transaction: their batches are halved, as far as that can help.

mod support;

use std::collections::BTreeMap;

use sexton::base::{Exit, PolicyName};
use sexton::sandbox::{ItemError, Permissions, WeightLimit, World, WorldBuilder};
use support::route::{BULK1, BULK2, COLLECTIONS, COMPOSITE, Route, System};
use support::{ADDRESS, Bench, start};

/// A planned policy for so many old records of an org that deletes up to `bears` in one transaction.
async fn planned(route: Route, more: &[&str], count: usize, bears: usize, error: ItemError) -> Bench {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.set_permissions(WorldBuilder::user_key(1), Permissions { hard_delete: true, ..Permissions::default() });
    world.limit_weight(Some(WeightLimit { records: bears, error }));
    let bench = Bench::new(world);
    route.system.add(&bench.sandbox, count, "old");
    bench.write("sexton.yaml", &[route.system.document(ADDRESS, None), route.policy(more)].concat());
    bench.plan().await.expect("planned");
    bench
}

fn too_large() -> ItemError {
    ItemError::new("DELETE_OPERATION_TOO_LARGE", "delete operation too large")
}

fn trigger(limit: &str) -> ItemError {
    let message = format!("Guard: execution of BeforeDelete caused by: System.LimitException: {limit}");
    ItemError::new("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)
}

/// How many records came to which end, with the code.
fn ends(bench: &Bench) -> BTreeMap<String, usize> {
    let live = System::Salesforce.live(&bench.sandbox);
    let mut ends = BTreeMap::new();
    for row in bench.outcomes(&PolicyName::new("old-ones").expect("a name")) {
        assert_eq!(live.contains(row.id.as_str()), row.outcome != "deleted", "{} is {}", row.id, row.outcome);
        *ends.entry([row.outcome, row.cause, row.code].join(" ").trim().to_owned()).or_default() += 1;
    }
    ends
}

fn counted<const N: usize>(ends: [(&str, usize); N]) -> BTreeMap<String, usize> {
    ends.into_iter().map(|(end, count)| (end.to_owned(), count)).collect()
}

#[tokio::test(start_paused = true)]
async fn batches_are_halved_until_they_are_light_enough() {
    for (route, more, error) in [
        (COLLECTIONS, &[][..], too_large()),
        (COLLECTIONS, &[], trigger("Apex CPU time limit exceeded")),
        (BULK2, &["delete: hard"], trigger("Too many SOQL queries: 101")),
        (BULK1, &[], too_large()),
    ] {
        let bench = planned(route, more, 300, 20, error).await;
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done, "{}", route.api);
        assert_eq!(ends(&bench), counted([("deleted", 300)]), "{}", route.api);
        let sizes: Vec<usize> = bench.transport.demands().iter().map(|demand| demand.ids.len()).collect();
        // From 200 in a transaction over 100, 50 and 25 to 13.
        assert!(sizes.len() <= 2 + 3 + 6 + 12 + 24, "{}: {sizes:?}", route.api);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_too_heavy_alone_has_failed_with_the_systems_words() {
    for route in [COLLECTIONS, BULK2, BULK1] {
        let bench = planned(route, &[], 20, 0, too_large()).await;
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::SomeFailed, "{}", route.api);
        assert_eq!(ends(&bench), counted([("failed  DELETE_OPERATION_TOO_LARGE", 20)]), "{}", route.api);
        // 20, 10, 5, 3, 2 and 1 at a time.
        let demands = bench.transport.demands().len();
        assert!(demands <= 1 + 2 + 4 + 7 + 10 + 20, "{}: {demands}", route.api);
    }
}

#[tokio::test(start_paused = true)]
async fn an_atomic_group_is_taken_apart_on_request_only_and_a_whole_never() {
    let failed = |count| counted([("failed  DELETE_OPERATION_TOO_LARGE", count)]);
    for (route, more) in [(COLLECTIONS, &["allOrNone: perRequest"][..]), (COMPOSITE, &[])] {
        let bench = planned(route, more, 60, 20, too_large()).await;
        bench.apply().await.expect("applied");
        assert_eq!(ends(&bench), failed(60), "{}", route.api);
        assert_eq!(bench.transport.demands().len(), 1, "{}: nothing is sent again", route.api);
    }
    let bench = planned(COMPOSITE, &[], 60, 20, too_large()).await;
    bench.apply_isolating().await.expect("applied");
    assert_eq!(ends(&bench), failed(60));
    let bench = planned(COLLECTIONS, &["allOrNone: perRequest"], 60, 20, too_large()).await;
    assert_eq!(bench.apply_isolating().await.expect("applied").exit, Exit::Done);
    assert_eq!(ends(&bench), counted([("deleted", 60)]));
}

#[tokio::test(start_paused = true)]
async fn a_policy_says_how_many_records_a_batch_begins_with() {
    for (route, more) in [
        (COLLECTIONS, &["batchSize: 20"][..]),
        (COLLECTIONS, &["batchSize: 20", "allOrNone: perRequest"]),
        (BULK2, &["batchSize: 20"]),
        (BULK1, &["batchSize: 20", "delete: hard"]),
    ] {
        let bench = planned(route, more, 50, 20, too_large()).await;
        let planned = bench.bundle().header().policies[0].route.clone().expect("a route");
        assert_eq!((planned.batch_size, planned.batches), (20, 3), "{}", route.api);
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done, "{}", route.api);
        assert_eq!(ends(&bench), counted([("deleted", 50)]), "{}", route.api);
        let mut sizes: Vec<usize> = bench.transport.demands().iter().map(|demand| demand.ids.len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [10, 20, 20], "{}", route.api);
    }
}
