//! Jobs that fail as a whole, and jobs whose counters lag behind their results.

mod support;

use std::collections::BTreeMap;

use sexton::base::{Exit, PolicyName};
use sexton::sandbox::{Effect, Fault, World};
use support::route::{BULK1, BULK2, Route, System};
use support::{ADDRESS, Bench, start};

/// A planned policy for ten old records, whose jobs go wrong.
async fn planned(route: Route, more: &[&str], effect: Effect) -> Bench {
    let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
    route.system.add(&bench.sandbox, 10, "old");
    bench.write("sexton.yaml", &[route.system.document(ADDRESS, None), route.policy(more)].concat());
    bench.plan().await.expect("planned");
    bench.sandbox.add_fault(work(route, effect));
    bench.sandbox.forget_requests();
    bench
}

fn work(route: Route, effect: Effect) -> Fault {
    Fault::on("POST", if route.api == "bulk1" { "/services/async/*/batch" } else { "*/jobs/ingest" }, effect)
}

/// How many records came to which end, with the code.
fn ends(bench: &Bench) -> BTreeMap<String, usize> {
    let live = System::Salesforce.live(&bench.sandbox);
    let mut ends = BTreeMap::new();
    for row in bench.outcomes(&PolicyName::new("old-ones").expect("a name")) {
        let gone = row.outcome == "deleted";
        assert_eq!(live.contains(row.id.as_str()), !gone, "{} is {}", row.id, row.outcome);
        *ends.entry([row.outcome, row.cause, row.code].join(" ").trim().to_owned()).or_default() += 1;
    }
    ends
}

fn counted<const N: usize>(ends: [(&str, usize); N]) -> BTreeMap<String, usize> {
    ends.into_iter().map(|(end, count)| (end.to_owned(), count)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_permanent_cause_is_in_the_outcomes_and_not_tried_again() {
    for route in [BULK2, BULK1] {
        let message = "InvalidBatch : Field name not found : X".to_owned();
        let bench = planned(route, &[], Effect::RefuseJob { message }).await;
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::SomeFailed, "{}", route.api);
        assert_eq!(ends(&bench), counted([("failed  InvalidBatch", 10)]), "{}", route.api);
        assert_eq!(bench.transport.demands().len(), 1, "{}: tried once", route.api);
    }
    // Three jobs in a row that failed so tell of the next one.
    let message = "InvalidBatch : Field name not found : X".to_owned();
    let bench = planned(BULK1, &["batchSize: 2", "concurrency: serial"], Effect::RefuseJob { message }).await;
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::SomeFailed);
    assert_eq!(ends(&bench), counted([("failed  InvalidBatch", 6), ("skipped stopped", 4)]));
}

#[tokio::test(start_paused = true)]
async fn a_passing_cause_is_tried_again_and_told_in_its_own_words_at_last() {
    for route in [BULK2, BULK1] {
        let message = "InternalServerError : try later".to_owned();
        let bench = planned(route, &[], Effect::RefuseJob { message: message.clone() }).await;
        bench.sandbox.clear_faults();
        bench.sandbox.add_fault(work(route, Effect::RefuseJob { message: message.clone() }).times(2));
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done, "{}", route.api);
        assert_eq!(ends(&bench), counted([("deleted", 10)]), "{}", route.api);
        let bench = planned(route, &[], Effect::RefuseJob { message }).await;
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::SomeFailed, "{}", route.api);
        assert_eq!(ends(&bench), counted([("failed  InternalServerError", 10)]), "{}", route.api);
    }
}

#[tokio::test(start_paused = true)]
async fn results_count_although_counters_lag() {
    for route in [BULK2, BULK1] {
        let bench = planned(route, &[], Effect::LagCounters { rows: 4 }).await;
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done, "{}", route.api);
        assert_eq!(ends(&bench), counted([("deleted", 10)]), "{}", route.api);
        let files = bench.files(".sexton/runs");
        let (_, outcomes) = files.iter().find(|(path, _)| path.ends_with("outcomes/old-ones.csv")).expect("outcomes");
        let told = String::from_utf8_lossy(outcomes);
        assert!(!told.contains("presence-check"), "{}: nothing had to be looked at: {told}", route.api);
    }
}

#[tokio::test(start_paused = true)]
async fn results_that_are_empty_leave_the_records_to_be_looked_at() {
    for (route, path) in [(BULK2, "*/successfulResults"), (BULK1, "*/result")] {
        let bench = planned(route, &[], Effect::LagCounters { rows: 10 }).await;
        let nothing = Effect::Respond { status: 204, content_type: None, body: String::new(), retry_after: None };
        bench.sandbox.add_fault(Fault::on("GET", path, nothing));
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done, "{}", route.api);
        assert_eq!(ends(&bench), counted([("deleted", 10)]), "{}", route.api);
    }
}
