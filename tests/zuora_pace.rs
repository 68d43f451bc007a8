//! Whole plans and applies against a tenant that refuses every call over its limit, in a time that only the waiting moves.

#![expect(clippy::disallowed_methods, reason = "it adds to the manifests of a project")]

mod support;

use std::time::Duration;

use sexton::sandbox::{CallLimit, Sandbox, Settings, World, ZuoraSettings};
use support::route::System;
use support::{ADDRESS, Bench, start};
use tokio::time::Instant;

/// The two policies of each project, and what each is for: together all usage.
const HALVES: [(&str, &str); 2] = [("small-usage", "Quantity < 600"), ("large-usage", "Quantity >= 600")];

/// A project of two policies of one tenant that has so much usage and takes so many calls in any ten minutes.
fn bench(usage: u32, calls: u32) -> Bench {
    bench_with(usage, vec![CallLimit::in_ten_minutes(calls as usize)], &calls.to_string())
}

/// The same of a tenant with these limits, and a target that says so.
fn bench_with(usage: u32, limits: Vec<CallLimit>, calls: &str) -> Bench {
    let world = World::builder().start(start()).build().expect("a world");
    let zuora = ZuoraSettings { calls: limits, ..ZuoraSettings::default() };
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
async fn an_api_sandbox_of_today_is_kept_to_in_all_its_windows() {
    let window = |calls, seconds| CallLimit { calls, seconds };
    // More calls than an hour has at once.
    let limits = vec![window(250, 60), window(500, 3_600), window(4_000, 86_400)];
    let bench = bench_with(30_000, limits, "{ minute: 250, hour: 500, day: 4000 }");
    let foretold = foretold(&bench).await;
    let started = Instant::now();
    bench.apply().await.expect("applied");
    nothing_is_left_and_no_call_was_refused(&bench.sandbox);
    // The plan's own calls are gone from the hour, and a session ends every fifteen minutes: of so few calls these are many.
    let took = started.elapsed();
    assert!(foretold <= took && took < foretold.mul_f64(1.25), "{took:?}, {foretold:?} foretold");
    assert!(took > Duration::from_secs(3_600), "{took:?}");
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

/// A hold on usage, and how old a reading of it may be.
fn add_hold(bench: &Bench, refresh: &str) {
    let place = bench.path().join("sexton.yaml");
    let documents = std::fs::read_to_string(&place).expect("manifests");
    let more = format!(
        "apiVersion: sexton/v1\nkind: Project\nmetadata: {{ name: retention }}\nspec: {{ holdRefresh: {refresh} }}\n---\n\
         apiVersion: sexton/v1\nkind: Hold\nmetadata: {{ name: matter }}\nspec:\n  target: billing\n  object: Usage\n  \
         filter: Quantity < 0\n  reason: Matter 7\n---\n"
    );
    bench.write("sexton.yaml", &format!("{documents}{more}"));
}

#[tokio::test(start_paused = true)]
async fn reading_the_holds_again_is_among_the_calls_and_in_the_time_foretold() {
    let bench = bench(5_000, 50);
    let alone = foretold(&bench).await;
    add_hold(&bench, "5 minutes");
    let foretold = foretold(&bench).await;
    assert!(foretold > alone.mul_f64(1.05), "{foretold:?} with a hold, {alone:?} without");
    let bundle = bench.bundle();
    let quota = bundle.header().policies.iter().flat_map(|policy| &policy.gates).map(ToString::to_string);
    let quota: Vec<String> = quota.filter(|told| told.contains("read holds and matches again")).collect();
    assert!(!quota.is_empty(), "{:?}", bench.bundle().header().policies);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let started = Instant::now();
    bench.apply().await.expect("applied");
    nothing_is_left_and_no_call_was_refused(&bench.sandbox);
    // How often the holds are read depends on when a batch is cut.
    let share = started.elapsed().as_secs_f64() / foretold.as_secs_f64();
    assert!((1.0..1.1).contains(&share), "{:?}, {foretold:?} foretold", started.elapsed());
}

/// Otherwise each reading were too old as soon as it is there, and nothing would ever be sent.
#[tokio::test(start_paused = true)]
async fn a_reading_of_the_holds_that_takes_longer_than_their_refresh_leaves_time_to_send() {
    let bench = bench(400, 10);
    add_hold(&bench, "1 minute");
    let foretold = foretold(&bench).await;
    let started = Instant::now();
    bench.apply().await.expect("applied");
    nothing_is_left_and_no_call_was_refused(&bench.sandbox);
    assert!(started.elapsed() < foretold * 2, "{:?}, {foretold:?} foretold", started.elapsed());
}
