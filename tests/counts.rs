//! Counts that a system does not give: selections, populations and what goes along are planned all the same, or refused by name.

mod support;

use sexton::base::CommandError;
use sexton::plan::{PlannedPolicy, Population};
use sexton::sandbox::{CountLimit, CountRefusal, Effect, Fault, RequestMatch, Settings, World};
use support::{Bench, start};

const REFUSALS: [CountRefusal; 2] = [CountRefusal::QueryTimeout, CountRefusal::OperationTooLarge];

/// An org with so many leads in which counts get as far as `rows`.
fn bench(leads: u32, rows: u64, refusal: CountRefusal) -> Bench {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", leads, 7).expect("records");
    Bench::with(world, Settings { count_limit: Some(CountLimit { rows, refusal }), ..Settings::starting_at(start()) })
}

fn policy(filter: &str, limits: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: leads }}\nspec:\n  target: crm\n  object: Lead\n  \
         filter: {filter}\n  limits: {{ {limits} }}\n---\n"
    )
}

async fn planned(bench: &Bench) -> PlannedPolicy {
    bench.sandbox.forget_requests();
    let planned = bench.plan().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    planned.header.policies[0].clone()
}

fn told(error: &CommandError) -> String {
    format!("{error:?}")
}

/// What the gate of that name said.
fn said(policy: &PlannedPolicy, gate: &str) -> String {
    let finding = policy.gates.iter().find(|finding| finding.gate == gate).expect("asked");
    format!("{:?}: {}", finding.kind, finding.message)
}

/// How many requests had a path that ends so.
fn requests(bench: &Bench, end: &str) -> usize {
    bench.sandbox.requests().iter().filter(|request| request.path.ends_with(end)).count()
}

/// Nobody answers how many records there are about.
fn without_approximate_counts(bench: &Bench) {
    let path = Some("*/limits/recordCount".to_owned());
    let body = r#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#.to_owned();
    let then = Effect::Respond { status: 404, content_type: None, body, retry_after: None };
    bench.sandbox.add_fault(Fault { on: RequestMatch { path, ..RequestMatch::default() }, then });
}

#[tokio::test(start_paused = true)]
async fn a_selection_that_cannot_be_counted_is_read_in_bulk_and_deleted() {
    for refusal in REFUSALS {
        let bench = bench(300, 200, refusal);
        bench.declare(&policy("everything", "maxRecords: 1000, maxPercent: 100"));
        let leads = planned(&bench).await;
        assert_eq!((leads.matched, leads.selected, leads.population), (300, 300, Population::About(300)));
        assert!(!leads.is_refused(), "{:?}", leads.gates);
        // The selection is the population too, and takes minutes: it is counted once.
        let refused = bench.sandbox.requests().iter().filter(|request| request.status == Some(400)).count();
        assert_eq!((refused, requests(&bench, "/jobs/query"), requests(&bench, "/recordCount")), (1, 1, 1));
        bench.apply().await.unwrap_or_else(|error| panic!("{}", told(&error)));
        assert_eq!(bench.sandbox.world().count("Lead"), 0);
        let state = bench.state();
        let history = state.policies.values().next().expect("a policy");
        assert_eq!(history.population, None, "what was not counted left nobody knows how many");
    }
}

#[tokio::test(start_paused = true)]
async fn rows_that_are_not_as_many_as_the_query_job_says_are_no_selection() {
    for effect in [Effect::WrongTotal { by: 1 }, Effect::ShortPage { rows: 1 }] {
        let bench = bench(300, 200, CountRefusal::QueryTimeout);
        bench.declare(&policy("everything", "maxRecords: 1000, maxPercent: 100"));
        let path = Some("*/jobs/query*".to_owned());
        bench.sandbox.add_fault(Fault { on: RequestMatch { path, ..RequestMatch::default() }, then: effect.clone() });
        let error = bench.plan().await.expect_err("not complete");
        assert!(error.title.contains("rows"), "{effect:?}: {}", told(&error));
    }
}

#[tokio::test(start_paused = true)]
async fn half_of_an_approximate_population_bounds_the_share() {
    let of = async |percent: u64, limits: &str| {
        let mut world = World::builder().start(start()).build().expect("a world");
        world.generate("Lead", 400, 7).expect("records");
        let count_limit = Some(CountLimit { rows: 200, refusal: CountRefusal::QueryTimeout });
        let settings = Settings { count_limit, record_count_percent: percent, ..Settings::starting_at(start()) };
        let bench = Bench::with(world, settings);
        bench.declare(&policy("IsConverted = true", &format!("maxRecords: 1000, {limits}")));
        let leads = planned(&bench).await;
        assert!(leads.selected < 200, "the selection itself was counted");
        said(&leads, "max-percent")
    };
    let table = [of(100, "maxPercent: 99").await, of(100, "maxPercent: 20").await, of(300, "maxPercent: 20").await];
    insta::assert_snapshot!(table.join("\n"), @"
    Warn: 136 of about 400 records (they could not be counted, so the share is taken of half that number), at most 99 % may go
    Refuse: 136 of about 400 records (they could not be counted, so the share is taken of half that number) and `limits.maxPercent` is 20, so at most 40 may go: raise it to 68, or narrow the filter by 96 records
    Refuse: 136 of about 1,200 records (they could not be counted, so the share is taken of half that number) and `limits.maxPercent` is 20, so at most 120 may go: raise it to 22.67, or narrow the filter by 16 records
    ");
}

#[tokio::test(start_paused = true)]
async fn without_any_population_the_share_is_refused_with_the_line_that_answers_it() {
    let bench = bench(300, 200, CountRefusal::QueryTimeout);
    without_approximate_counts(&bench);
    bench.declare(&policy("everything", "maxRecords: 1000, maxPercent: 99"));
    let leads = planned(&bench).await;
    assert_eq!((leads.selected, leads.population, leads.refusals().count()), (300, Population::Unknown, 1));
    insta::assert_snapshot!(said(&leads, "max-percent"), @"Refuse: it is not known how many records `Lead` has, so the share of these 300 cannot be computed: if `maxRecords` alone is to bound them, write `limits: { maxRecords: 1000, maxPercent: 100 }` into the policy");
    bench.declare(&policy("everything", "maxRecords: 1000, maxPercent: 100"));
    let leads = planned(&bench).await;
    assert!(!leads.is_refused(), "{:?}", leads.gates);
    bench.apply().await.unwrap_or_else(|error| panic!("{}", told(&error)));
    assert_eq!(bench.sandbox.world().count("Lead"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_cannot_be_counted_holds() {
    let bench = bench(300, 200, CountRefusal::OperationTooLarge);
    let hold = "apiVersion: sexton/v1\nkind: Hold\nmetadata: { name: all }\nspec:\n  target: crm\n  object: Lead\n  \
                filter: everything\n  reason: Matter 7\n---\n";
    bench.declare(&(policy("everything", "maxRecords: 1000, maxPercent: 100") + hold));
    let leads = planned(&bench).await;
    assert_eq!((leads.matched, leads.selected, leads.holds[0].records), (300, 0, 300));
}
