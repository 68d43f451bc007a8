//! Whole plans and applies against a tenant that refuses every call over its limit, in a time that only the waiting moves.

mod support;

use std::time::Duration;

use sexton::sandbox::{Sandbox, Settings, World, ZuoraSettings};
use support::route::System;
use support::{ADDRESS, Bench, start};
use tokio::time::Instant;

/// The two policies of each project, and what each is for: together all usage.
const HALVES: [(&str, &str); 2] = [("small-usage", "Quantity < 600"), ("large-usage", "Quantity >= 600")];

/// A project of two policies of one tenant that has so much usage and takes so many calls in any ten minutes.
fn bench(usage: u32, calls: u32) -> Bench {
    let world = World::builder().start(start()).build().expect("a world");
    let zuora = ZuoraSettings { calls: Some(calls as usize), ..ZuoraSettings::default() };
    let bench = Bench::with(world, Settings { zuora, ..Settings::starting_at(start()) });
    bench.sandbox.zuora().generate("Usage", usage, 7).expect("an object");
    let target = System::Zuora.document(ADDRESS, None);
    let mut documents = target.replace("  zuora:\n", &format!("  zuora:\n    maxCalls: {calls}\n"));
    for (name, condition) in HALVES {
        documents += &format!(
            "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: {name} }}\nspec:\n  target: billing\n  \
             object: Usage\n  filter: {condition}\n  delete: hard\n  justification: the law\n  \
             limits: {{ maxRecords: {usage}, maxPercent: 100 }}\n---\n"
        );
    }
    bench.write("sexton.yaml", &documents);
    bench
}

/// Plans, and gives the least time that the plan foretells for its apply.
async fn foretold(bench: &Bench) -> Duration {
    let planned = bench.plan().await.expect("planned");
    assert!(!planned.header.is_refused(), "{:?}", planned.header.policies);
    let target = planned.header.targets.values().next().expect("a target");
    Duration::from_secs(target.least_seconds.expect("a system that counts calls"))
}

/// Applies in a process that dies at a request.
async fn die_at(bench: &Bench, request: u64) {
    bench.transport.end_at(request, true);
    tokio::select! {
        biased;
        ended = bench.apply() => panic!("it came to its end: {ended:?}"),
        () = bench.transport.ended() => bench.transport.go_on(),
    }
}

fn nothing_is_left_and_no_call_was_refused(sandbox: &Sandbox) {
    let tenant = sandbox.zuora();
    assert_eq!((tenant.count("Usage"), tenant.calls_refused()), (0, 0));
}

/// Within 5 % of what the plan foretold.
fn took_as_long(took: Duration, foretold: Duration) {
    let share = took.as_secs_f64() / foretold.as_secs_f64();
    assert!((1.0..1.05).contains(&share), "{took:?}, {foretold:?} foretold");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_records_go_in_the_time_the_plan_foretold() {
    let bench = bench(100_000, 1_000);
    let foretold = foretold(&bench).await;
    let started = Instant::now();
    bench.apply().await.expect("applied");
    nothing_is_left_and_no_call_was_refused(&bench.sandbox);
    took_as_long(started.elapsed(), foretold);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_dies_goes_on_at_the_pace_it_had() {
    let bench = bench(10_000, 50);
    let foretold = foretold(&bench).await;
    let started = Instant::now();
    for request in [60, 30, 90] {
        die_at(&bench, request).await;
    }
    bench.apply().await.expect("applied");
    nothing_is_left_and_no_call_was_refused(&bench.sandbox);
    assert!(started.elapsed() >= foretold);
}

#[tokio::test(start_paused = true)]
async fn plans_are_calls_too() {
    let bench = bench(100, 50);
    let started = Instant::now();
    for _ in 0..12 {
        foretold(&bench).await;
    }
    bench.apply().await.expect("applied");
    nothing_is_left_and_no_call_was_refused(&bench.sandbox);
    assert!(started.elapsed() > Duration::from_secs(600));
}
