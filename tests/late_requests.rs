//! A process dies, and its last request arrives when another process has looked already: no record ends as one that was kept or
//! failed, and is gone a moment later.

mod support;

use std::collections::BTreeMap;

use sexton::base::Exit;
use sexton::command::{AbandonRequest, Abandoned, abandon};
use sexton::sandbox::World;
use support::route::{BULK1, BULK2, COLLECTIONS, COMPOSITE, FULCRUM_BATCH, Route, ZUORA_SOAP};
use support::{ADDRESS, Bench, start};
use tokio_util::sync::CancellationToken;

/// Several requests of those APIs that take few records.
const RECORDS: usize = 120;

/// What a person does after the death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Writes a hold on everything, and continues.
    Hold,
    /// Gives the run up.
    Abandon,
}

fn documents(route: Route) -> String {
    format!("{}{}", route.system.document(ADDRESS, None), route.policy(&[]))
}

async fn planned(route: Route) -> Bench {
    let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
    route.system.add(&bench.sandbox, RECORDS, "old");
    bench.write("sexton.yaml", &documents(route));
    bench.plan().await.expect("planned");
    bench
}

/// The numbers of the requests of an apply that change something.
async fn changes(route: Route) -> Vec<u64> {
    let bench = planned(route).await;
    let before = bench.sandbox.requests().len();
    bench.apply().await.expect("applied");
    let requests = bench.sandbox.requests();
    let numbered = requests.iter().skip(before).zip(1_u64..);
    numbered.filter(|(request, _)| !route.system.reads(request)).map(|(_, number)| number).collect()
}

/// How many records ended how, when the process died at that request, `then` was done that much later, and the request arrived at last,
/// if at all.
async fn ended(route: Route, request: u64, then: Then, hours: u64, arrives: bool) -> BTreeMap<String, usize> {
    let told = format!("{}, request {request}, {then:?} after {hours} h, arrives: {arrives}", route.api);
    let bench = planned(route).await;
    bench.transport.end_late_at(request);
    tokio::select! {
        biased;
        ended = bench.apply() => panic!("{told}: {ended:?}"),
        () = bench.transport.ended() => {}
    }
    bench.transport.go_on();
    bench.sandbox.clock().advance(std::time::Duration::from_secs(hours * 3600));
    let name = match then {
        Then::Hold => {
            for id in route.system.live(&bench.sandbox) {
                route.system.hold(&bench.sandbox, &id);
            }
            bench.write("sexton.yaml", &format!("{}{}", documents(route), route.hold_document()));
            let applied = bench.apply().await.expect("continued");
            assert_eq!(applied.unfinished, Vec::<String>::new(), "{told}");
            applied.report.policies[0].policy.clone()
        }
        Then::Abandon => {
            let request = AbandonRequest {
                project: bench.path().to_owned(),
                run: bench.bundle().digest().short(),
                without_looking: false,
            };
            match abandon(&bench.host(), &request, &CancellationToken::new()).await.expect("given up") {
                Abandoned::Settled(applied) => applied.report.policies[0].policy.clone(),
                other => panic!("{told}: {other:?}"),
            }
        }
    };
    if arrives {
        bench.transport.deliver().await;
        bench.sandbox.clock().advance(std::time::Duration::from_secs(3600));
    }
    let live = route.system.live(&bench.sandbox);
    let mut counted = BTreeMap::new();
    for row in bench.outcomes(&name) {
        let there = live.contains(row.id.as_str());
        let right = match row.outcome.as_str() {
            "deleted" => !there,
            "skipped" | "failed" => there,
            "unknown" => true,
            _ => false,
        };
        assert!(right, "{told}: {row:?}, and is there: {there}");
        *counted.entry(row.outcome.clone()).or_insert(0) += 1;
    }
    assert_eq!(counted.values().sum::<usize>(), RECORDS, "{told}");
    // The next plan settles what is unknown.
    bench.write("sexton.yaml", &documents(route));
    let planned = bench.plan().await.expect("planned");
    assert_eq!(planned.header.selected(), live.len() as u64, "{told}");
    if !live.is_empty() {
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done, "{told}");
    }
    assert_eq!(route.system.live(&bench.sandbox).len(), 0, "{told}");
    counted
}

#[tokio::test(start_paused = true)]
async fn what_a_late_request_may_still_delete_is_neither_kept_nor_failed() {
    for route in [COLLECTIONS, COMPOSITE, BULK2, BULK1, ZUORA_SOAP, FULCRUM_BATCH] {
        for then in [Then::Hold, Then::Abandon] {
            let changes = changes(route).await;
            for request in &changes {
                let counted = ended(route, *request, then, 0, true).await;
                // A request that deletes leaves nothing else to say, nor does the start of a job that cannot be stopped; any other job is.
                let cannot_be_stopped = match route.api {
                    "collections" | "composite" | "soap" => true,
                    "batch" => Some(request) == changes.last(),
                    _ => false,
                };
                let told = format!("{}, {request}, {then:?}: {counted:?}", route.api);
                assert_eq!(counted.contains_key("unknown"), cannot_be_stopped, "{told}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_there_long_after_the_request_was_kept_or_has_failed() {
    for route in [COLLECTIONS, COMPOSITE, ZUORA_SOAP] {
        let request = changes(route).await[0];
        let counted = ended(route, request, Then::Hold, 1, false).await;
        // Where all go or none, they are not skipped one by one.
        let word = if route.is_whole() { "failed" } else { "skipped" };
        assert_eq!(counted, BTreeMap::from([(word.to_owned(), RECORDS)]), "{}", route.api);
        let counted = ended(route, request, Then::Abandon, 1, false).await;
        assert!(!counted.contains_key("unknown") && counted.contains_key("failed"), "{}: {counted:?}", route.api);
    }
}
