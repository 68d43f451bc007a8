//! Runs that are given up at every moment, through every API: each record has its outcome, and nothing more is sent.

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sexton::base::Exit;
use sexton::command::{AbandonRequest, Abandoned, abandon};
use sexton::sandbox::{Settings, World};
use support::route::{BULK1, BULK2, COLLECTIONS, COMPOSITE, FULCRUM_BATCH, Route, ZUORA_SOAP};
use support::{ADDRESS, Bench, start};
use tokio_util::sync::CancellationToken;

/// How many records are planned: several requests, or for a bulk job two of its chunks.
fn records(route: Route) -> usize {
    if route.api == "bulk2" { 390 } else { 120 }
}

/// A plan for records whose jobs take a while.
async fn planned(route: Route) -> Bench {
    let settings = Settings { bulk_rows_per_second: 400, ..Settings::starting_at(start()) };
    let bench = Bench::with(World::builder().start(start()).build().expect("a world"), settings);
    bench.sandbox.fulcrum().settings.batch_records_per_second = 200;
    route.system.add(&bench.sandbox, records(route), "old");
    bench.write("sexton.yaml", &format!("{}{}", route.system.document(ADDRESS, None), route.policy(&[])));
    bench.plan().await.expect("planned");
    bench
}

/// The number of the first request of an apply that changes something.
async fn first_change(route: Route) -> u64 {
    let bench = planned(route).await;
    let before = bench.sandbox.requests().len();
    bench.apply().await.expect("applied");
    let requests = bench.sandbox.requests();
    let place = requests.iter().skip(before).position(|request| !route.system.reads(request));
    place.expect("something changes") as u64 + 1
}

/// Says when the sandbox is asked to delete.
fn watch(bench: &Bench) -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&asked);
    bench.transport.before_deletion(move |_| told.store(true, Ordering::SeqCst));
    asked
}

/// What one run came to: whether the system was asked to delete, and how many of its records are gone in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Given {
    asked: bool,
    gone: usize,
}

/// An apply that dies at a request and is given up; `None` when there is no such request.
async fn given_up(route: Route, request: u64, done: bool, without_looking: bool) -> Option<Given> {
    let told = format!("{}, request {request}, done {done}, without looking {without_looking}", route.api);
    let bench = planned(route).await;
    let before = route.system.live(&bench.sandbox);
    let asked = watch(&bench);
    bench.transport.end_at(request, done);
    tokio::select! {
        biased;
        ended = bench.apply() => { ended.expect("applied"); return None }
        () = bench.transport.ended() => {}
    }
    bench.transport.go_on();
    bench.transport.forget();
    let asked = asked.load(Ordering::SeqCst);
    let asked_again = watch(&bench);
    let run = bench.bundle().digest().short();
    if bench.state().unfinished().next().is_none() {
        return Some(Given { asked, gone: 0 });
    }

    let sent = bench.sandbox.requests().len();
    let request = AbandonRequest { project: bench.path().to_owned(), run: run.clone(), without_looking };
    let abandoned = abandon(&bench.host(), &request, &CancellationToken::new()).await.expect("given up");
    let Abandoned::Settled(applied) = abandoned else { panic!("{told}: {abandoned:?}") };
    assert_eq!((applied.unfinished.len(), applied.report.tally().total()), (0, before.len() as u64), "{told}");
    assert!(!asked_again.load(Ordering::SeqCst) && bench.transport.demands().is_empty(), "{told}: something was sent");
    if without_looking {
        assert_eq!(bench.sandbox.requests().len(), sent, "{told}: a system was asked");
    }
    let right_then = route.system.live(&bench.sandbox);
    let name = applied.report.policies[0].policy.clone();
    let outcomes = bench.outcomes(&name);

    // A job that nobody has stopped comes to its end, and another plan sees it.
    bench.sandbox.clock().advance(Duration::from_secs(3600));
    let planned = bench.plan().await.expect("planned");
    assert!(!planned.header.is_refused(), "{told}: {:?}", planned.header.policies[0].gates);
    let live = route.system.live(&bench.sandbox);
    let mut ended = BTreeSet::new();
    for row in outcomes {
        let is_there = live.contains(row.id.as_str());
        let right = match row.outcome.as_str() {
            "deleted" => !is_there,
            "skipped" => is_there && row.cause == "abandoned",
            // It was sent, and no answer came; it was there when it was looked at, and what was sent may have been at work yet.
            "unknown" => is_there || without_looking,
            // The job that was stopped says so.
            "failed" => is_there && !without_looking && route.api.starts_with("bulk"),
            _ => false,
        };
        assert!(right, "{told}: {row:?}, and is there: {is_there}");
        assert!(ended.insert(row.id.to_string()), "{told}: {} has two outcomes", row.id);
    }
    assert_eq!(ended, before, "{told}");
    assert!(without_looking || right_then == live, "{told}: a job was still at work");
    let state = bench.state();
    assert!(state.unfinished().next().is_none() && state.consumed[0].abandoned, "{told}");

    if planned.header.selected() > 0 {
        let applied = bench.apply().await.expect("applied");
        assert_eq!((applied.exit, applied.unfinished.len()), (Exit::Done, 0), "{told}");
    }
    assert_eq!(route.system.live(&bench.sandbox).len(), 0, "{told}");
    Some(Given { asked, gone: before.len() - live.len() })
}

/// Gives a run up at every moment, and tells what came of it.
fn at_every_moment(route: Route) -> BTreeSet<Given> {
    let mut given = BTreeSet::new();
    let in_paused_time = |test| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().expect("a runtime").block_on(test)
    };
    in_paused_time(Box::pin(async {
        let first = first_change(route).await;
        // From there on a job is polled, and most requests have been sent.
        let moments = if matches!(route.api, "bulk1" | "bulk2" | "batch") { 7 } else { 2 };
        for request in first - 1..first + moments {
            for (done, without_looking) in [(false, false), (true, false), (true, true)] {
                given.extend(given_up(route, request, done, without_looking).await);
            }
        }
    }) as std::pin::Pin<Box<dyn Future<Output = ()>>>);
    given
}

#[test]
fn a_run_of_requests_is_given_up_at_any_moment() {
    for route in [COLLECTIONS, COMPOSITE] {
        let given = at_every_moment(route);
        assert!(given.iter().any(|given| !given.asked) && given.iter().any(|given| given.gone > 0), "{given:?}");
    }
}

#[test]
fn a_run_in_zuora_is_given_up_at_any_moment() {
    let given = at_every_moment(ZUORA_SOAP);
    assert!(given.iter().any(|given| !given.asked) && given.iter().any(|given| given.gone > 0), "{given:?}");
}

#[test]
fn a_job_that_can_be_stopped_is_stopped_when_its_run_is_given_up() {
    let given = at_every_moment(BULK2);
    // One that was never started, one that was stopped on its way, and one that nobody stopped.
    assert!(given.contains(&Given { asked: false, gone: 0 }), "{given:?}");
    assert!(given.iter().any(|given| (1..records(BULK2)).contains(&given.gone)), "{given:?}");
    assert!(given.contains(&Given { asked: true, gone: records(BULK2) }), "{given:?}");
}

#[test]
fn a_batch_of_bulk_1_is_waited_for_or_stopped_when_its_run_is_given_up() {
    let given = at_every_moment(BULK1);
    assert!(given.contains(&Given { asked: false, gone: 0 }) && given.iter().any(|given| given.gone > 0), "{given:?}");
}

#[test]
fn a_batch_that_cannot_be_stopped_is_waited_for_when_its_run_is_given_up() {
    let given = at_every_moment(FULCRUM_BATCH);
    let wanted = [(false, 0), (true, 0), (true, records(FULCRUM_BATCH))].map(|(asked, gone)| Given { asked, gone });
    assert_eq!(given, wanted.into(), "all of a batch or nothing");
}
