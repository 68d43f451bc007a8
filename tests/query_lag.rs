//! Queries that show for a while what was deleted. No vendor documents that; none excludes it.

mod support;

use std::time::Duration;

use sexton::base::PolicyName;
use sexton::sandbox::{Effect, Settings, World};
use support::route::{BULK1, BULK2, COLLECTIONS, FULCRUM_BATCH, Route, ZUORA_SOAP};
use support::{ADDRESS, Bench, start};

const ROUTES: [Route; 5] = [COLLECTIONS, BULK1, BULK2, ZUORA_SOAP, FULCRUM_BATCH];

/// A bench where queries lag by so much, with five old records and a plan that all of them go.
async fn planned(route: Route, lag: Duration) -> (Bench, Vec<String>) {
    let world = World::builder().start(start()).build().expect("a world");
    let bench = Bench::with(world, Settings { query_lag: lag, ..Settings::starting_at(start()) });
    let ids = route.system.add(&bench.sandbox, 5, "old");
    bench.write("sexton.yaml", &(route.system.document(ADDRESS, None) + &route.policy(&[])));
    bench.plan().await.expect("planned");
    bench.sandbox.clock().advance(Duration::from_secs(60));
    (bench, ids)
}

fn outcomes(bench: &Bench) -> Vec<(String, String)> {
    let rows = bench.outcomes(&PolicyName::new("old-ones").expect("a name"));
    rows.into_iter().map(|row| (row.id.to_string(), row.outcome)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_others_deleted_a_moment_ago_is_already_gone_and_not_failed() {
    for route in ROUTES {
        let (bench, ids) = planned(route, Duration::from_secs(20)).await;
        let gone = ids[1].clone();
        bench.transport.before_deletion(move |sandbox| route.system.remove(sandbox, &gone));
        bench.apply().await.expect("applied");
        for (id, outcome) in outcomes(&bench) {
            // Fulcrum names no record that it did not find, so that a batch counts as what deleted it.
            let gone = if route.api == "batch" { "deleted" } else { "already-gone" };
            assert_eq!(outcome, if id == ids[1] { gone } else { "deleted" }, "{}: {id}", route.api);
        }
        assert!(route.system.live(&bench.sandbox).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_result_mentions_was_deleted_once_queries_show_it() {
    for route in [BULK2, FULCRUM_BATCH] {
        let (bench, _) = planned(route, Duration::from_secs(20)).await;
        if route.api != "batch" {
            bench.sandbox.add_fault(route.work_fault(Effect::OmitRows { rows: 2 }).nth(1));
        }
        bench.apply().await.expect("applied");
        assert!(outcomes(&bench).iter().all(|(_, outcome)| outcome == "deleted"), "{}: {:?}", route.api, outcomes(&bench));
        let demands = bench.transport.demands();
        assert_eq!(demands.len(), 1, "{}: what is looked at again is not sent again", route.api);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_said_to_be_gone_and_shown_after_a_minute_has_failed() {
    let (bench, ids) = planned(COLLECTIONS, Duration::from_secs(600)).await;
    let gone = ids[1].clone();
    bench.transport.before_deletion(move |sandbox| COLLECTIONS.system.remove(sandbox, &gone));
    let began = tokio::time::Instant::now();
    bench.apply().await.expect("applied");
    let failed: Vec<String> =
        outcomes(&bench).into_iter().filter(|(_, outcome)| outcome == "failed").map(|row| row.0).collect();
    assert_eq!(failed, [ids[1].clone()]);
    assert!(began.elapsed() < Duration::from_secs(70), "{:?}", began.elapsed());
}
