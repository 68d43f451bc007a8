//! What was reviewed: which documents a plan is bound to, and several reviewed plans that wait side by side.

mod support;

use sexton::base::{CommandError, Exit};
use sexton::command::{self, ApplyRequest, PlanRequest, PlanToApply};
use sexton::sandbox::World;
use support::{Bench, start};
use tokio_util::sync::CancellationToken;

fn policy(name: &str, object: &str, filter: &str) -> String {
    format!(
        "---\napiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: {name} }}\nspec:\n  target: crm\n  object: {object}\n  \
         filter: {filter}\n  limits: {{ maxRecords: 100, maxPercent: 100 }}\n"
    )
}

const PROJECT: &str = "---\napiVersion: sexton/v1\nkind: Project\nmetadata: { name: shop }\nspec:\n";
const HOLD: &str = "---\napiVersion: sexton/v1\nkind: Hold\nmetadata: { name: none }\nspec: { target: crm, object: Lead, filter: \"LastName = 'x'\", reason: a matter }\n";

fn bench(documents: &str) -> Bench {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", 3, 7).expect("leads");
    world.generate("Case", 2, 7).expect("cases");
    let bench = Bench::new(world);
    bench.declare(documents);
    bench
}

/// Plans into a directory of the project.
async fn plan_into(bench: &Bench, directory: &str) {
    let request = PlanRequest { project: bench.path().to_owned(), out: Some(bench.path().join(directory)) };
    command::plan(&bench.host(), &request).await.expect("planned");
}

/// Applies the plan in a directory of the project.
async fn apply(bench: &Bench, directory: &str) -> Result<Exit, CommandError> {
    let request = ApplyRequest {
        project: bench.path().to_owned(),
        plan: PlanToApply::Bundle(bench.path().join(directory)),
        confirmed_targets: Vec::new(),
        isolate_failures: false,
    };
    command::apply(&bench.host(), &request, &CancellationToken::new()).await.map(|applied| applied.exit)
}

fn left(bench: &Bench) -> (u64, u64) {
    let world = bench.sandbox.world();
    (world.count("Lead"), world.count("Case"))
}

#[tokio::test(start_paused = true)]
async fn what_is_merged_elsewhere_leaves_a_reviewed_plan_usable() {
    let leads = policy("leads", "Lead", "everything");
    for elsewhere in [
        policy("cases", "Case", "everything"),
        HOLD.to_owned(),
        format!("{PROJECT}  planDirectory: plans/main\n  limits: {{ maxRecords: 7 }}\n"),
    ] {
        let bench = bench(&leads);
        bench.plan().await.expect("planned");
        bench.declare(&format!("{leads}{elsewhere}"));
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done, "{elsewhere}");
        assert_eq!(left(&bench), (0, 2), "{elsewhere}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_that_the_plan_uses_is_named_when_it_was_changed() {
    let (leads, cases) = (policy("leads", "Lead", "everything"), policy("cases", "Case", "everything"));
    for (changed, expected) in [
        (
            format!("{leads}{}", policy("cases", "Case", "Subject = 'x'")),
            "policy `cases` was changed since the plan, in sexton.yaml",
        ),
        (leads.clone(), "policy `cases` was removed since the plan; it was in sexton.yaml"),
        (
            format!("{leads}{cases}{PROJECT}  timeZone: Europe/Berlin\n"),
            "the Project's `timeZone` was changed since the plan, from `UTC` to `Europe/Berlin`",
        ),
        (
            format!("{leads}{cases}{PROJECT}  planExpiresAfter: 2 days\n"),
            "the Project's `planExpiresAfter` was changed since the plan, from `7 days` to `2 days`",
        ),
    ] {
        let bench = bench(&format!("{leads}{cases}"));
        let planned = bench.plan().await.expect("planned");
        bench.declare(&changed);
        let error = bench.apply().await.expect_err("stale");
        assert_eq!(error.exit, Exit::PlanUnusable);
        assert_eq!(error.title, format!("the plan {} is stale: {expected}", planned.digest.short()));
        assert_eq!(left(&bench), (3, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn two_reviewed_plans_wait_side_by_side_and_are_applied_one_after_the_other() {
    let (leads, cases) = (policy("leads", "Lead", "everything"), policy("cases", "Case", "everything"));
    let bench = bench(&leads);
    plan_into(&bench, "plans/pr-17").await;
    bench.declare(&cases);
    plan_into(&bench, "plans/pr-18").await;
    // Both were merged.
    bench.declare(&format!("{leads}{cases}"));
    assert_eq!(apply(&bench, "plans/pr-18").await.expect("applied"), Exit::Done);
    assert_eq!(left(&bench), (3, 0));
    assert_eq!(apply(&bench, "plans/pr-17").await.expect("applied"), Exit::Done);
    assert_eq!(left(&bench), (0, 0));
    assert_eq!(apply(&bench, "plans/pr-17").await.expect_err("used").exit, Exit::PlanUnusable);
}
