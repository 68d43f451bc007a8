//! Clocks: a plan or an apply by a clock that is not the system's deletes nothing.

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use http::header::DATE;
use jiff::{SignedDuration, Timestamp};
use sexton::base::{Clock, CommandError, Exit};
use sexton::command::{self, AppliedPlan, ApplyRequest, PlanRequest, PlanToApply, Planned};
use sexton::plan::FindingKind;
use sexton::provider::transport::{Request, Response, Transport, TransportError};
use sexton::sandbox::World;
use sexton::select::Context;
use support::wire::RouterTransport;
use support::{Bench, SandboxTime, start};
use tokio_util::sync::CancellationToken;

fn bench(leads: u32) -> Bench {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", leads, 7).expect("leads");
    let bench = Bench::new(world);
    bench.declare(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: { name: leads }\nspec:\n  target: crm\n  object: Lead\n  \
         filter: everything\n  concurrency: serial\n  via: collections\n  limits: { maxRecords: 1000, maxPercent: 100 }\n",
    );
    bench
}

/// The sandbox's clock, set wrong.
struct Wrong(SandboxTime, SignedDuration);

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        self.0.now() + self.1
    }
}

/// The way to a system that does not say what time it is.
struct Undated(Arc<RouterTransport>);

#[async_trait]
impl Transport for Undated {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let mut response = self.0.send(request).await?;
        response.headers.remove(DATE).expect("the sandbox says what time it is");
        Ok(response)
    }
}

/// A machine whose clock is ahead.
fn ahead(bench: &Bench, by: SignedDuration, dated: bool) -> Context {
    let transport = Arc::clone(&bench.transport);
    let transport: Arc<dyn Transport> = if dated { transport } else { Arc::new(Undated(transport)) };
    bench.host_with(transport, Arc::new(Wrong(SandboxTime(bench.sandbox.clone()), by)))
}

async fn plans(bench: &Bench, host: &Context) -> Planned {
    let request = PlanRequest { project: bench.path().to_owned(), out: None, base: None, policies: Vec::new() };
    command::plan(host, &request).await.expect("planned")
}

async fn applies(bench: &Bench, host: &Context, stop: &CancellationToken) -> Result<AppliedPlan, CommandError> {
    let request = ApplyRequest {
        project: bench.path().to_owned(),
        plan: PlanToApply::Bundle(bench.plan_directory()),
        confirmed_targets: Vec::new(),
        isolate_failures: false,
        max_records: None,
        on_refusal: None,
    };
    command::apply(host, &request, stop).await
}

/// What the gate found.
fn found(planned: &Planned) -> (FindingKind, String) {
    let clock = planned.header.policies[0].gates.iter().find(|finding| finding.gate == "clock");
    clock.map(|finding| (finding.kind, finding.message.clone())).expect("asked")
}

const DAYS: fn(i64) -> SignedDuration = |days| SignedDuration::from_hours(24 * days);

#[tokio::test(start_paused = true)]
async fn a_plan_by_a_wrong_clock_is_refused_when_it_is_made_and_when_it_is_applied() {
    for (by, words) in [(DAYS(1_500), "1,500 days ahead of"), (DAYS(-3), "3 days behind")] {
        let bench = bench(3);
        let planned = plans(&bench, &ahead(&bench, by, true)).await;
        let (kind, message) = found(&planned);
        assert!(kind == FindingKind::Refuse && message.contains(words), "{message}");
        let refused = bench.apply().await.expect_err("refused");
        // What was made in the future is told first: it may not be the plan's clock that is wrong.
        assert_eq!(refused.exit, if by.is_positive() { Exit::PlanUnusable } else { Exit::GateRefused }, "{refused:?}");
        assert_eq!(bench.sandbox.world().count("Lead"), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn an_apply_by_a_wrong_clock_is_refused() {
    // Not so far that the plan has expired, or is from the future.
    for by in [DAYS(3), SignedDuration::from_mins(6)] {
        let bench = bench(3);
        plans(&bench, &bench.host()).await;
        let refused = applies(&bench, &ahead(&bench, by, true), &CancellationToken::new()).await.expect_err("refused");
        assert_eq!(refused.exit, Exit::GateRefused);
        assert!(refused.notes[0].contains("clock: this machine's clock is "), "{:?}", refused.notes);
        assert_eq!(bench.sandbox.world().count("Lead"), 3);
    }
    let bench = bench(3);
    plans(&bench, &bench.host()).await;
    let within = ahead(&bench, SignedDuration::from_mins(4), true);
    assert_eq!(applies(&bench, &within, &CancellationToken::new()).await.expect("applied").exit, Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_stops_the_rest_of_a_begun_run() {
    let bench = bench(410);
    plans(&bench, &bench.host()).await;
    let stop = CancellationToken::new();
    let wish = stop.clone();
    bench.transport.before_deletion(move |_| wish.cancel());
    let interrupted = applies(&bench, &bench.host(), &stop).await.expect("begun");
    assert_eq!((interrupted.exit, bench.sandbox.world().count("Lead")), (Exit::Interrupted, 210));
    let ended = applies(&bench, &ahead(&bench, DAYS(40), true), &CancellationToken::new()).await.expect("ended");
    assert_eq!(ended.exit, Exit::GateRefused);
    assert!(ended.report.policies[0].halted.as_ref().is_some_and(|cause| cause.contains("40 days ahead of")));
    assert_eq!(bench.sandbox.world().count("Lead"), 210);
}

#[tokio::test(start_paused = true)]
async fn a_plan_from_the_future_is_5_where_no_system_tells_the_time() {
    for (by, exit) in [(SignedDuration::from_mins(6), Exit::PlanUnusable), (SignedDuration::from_mins(4), Exit::Done)] {
        let bench = bench(3);
        let planned = plans(&bench, &ahead(&bench, by, false)).await;
        let (kind, message) = found(&planned);
        assert!(kind == FindingKind::Warn && message.contains("do not say what time it is"), "{message}");
        let ended = applies(&bench, &ahead(&bench, SignedDuration::ZERO, false), &CancellationToken::new()).await;
        let words = ended.as_ref().map_or_else(|error| error.title.clone(), |_| String::new());
        assert_eq!(ended.map_or_else(|error| error.exit, |applied| applied.exit), exit, "{words}");
        assert_eq!(
            words.contains("is from the future: it was made at 2026-11-21T10:06"),
            exit == Exit::PlanUnusable,
            "{words}"
        );
        assert_eq!(bench.sandbox.world().count("Lead") == 0, exit == Exit::Done);
    }
}
