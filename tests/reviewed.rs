//! What was reviewed: which documents a plan is bound to, and several reviewed plans that wait side by side.

#![expect(clippy::disallowed_methods, reason = "it makes a git repository, and alters files of a plan")]

mod support;

use sexton::base::{CommandError, Exit};
use sexton::command::{self, ApplyRequest, PlanRequest, PlanToApply};
use sexton::plan::{BaseKind, Comparison, Symbol};
use sexton::sandbox::{ItemError, World};
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
    let request = PlanRequest {
        project: bench.path().to_owned(),
        out: Some(bench.path().join(directory)),
        base: None,
        policies: Vec::new(),
    };
    command::plan(&bench.host(), &request).await.expect("planned");
}

/// Applies the plan in a directory of the project.
async fn apply(bench: &Bench, directory: &str) -> Result<Exit, CommandError> {
    let request = ApplyRequest {
        project: bench.path().to_owned(),
        plan: PlanToApply::Bundle(bench.path().join(directory)),
        confirmed_targets: Vec::new(),
        isolate_failures: false,
        max_records: None,
        on_refusal: None,
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

/// Plans with a base, and gives the counts of the one policy: newly selected, of them in what was compared with, tried again,
/// reviewed, no longer selected.
async fn compared(bench: &Bench, base: Option<&str>) -> Result<(Option<BaseKind>, Option<[u64; 5]>), CommandError> {
    let request =
        PlanRequest { project: bench.path().to_owned(), out: None, base: base.map(str::to_owned), policies: Vec::new() };
    let header = command::plan(&bench.host(), &request).await?.header;
    let counts = header.policies[0].comparison.as_ref().map(|comparison| {
        let Comparison { newly_selected, unreviewed, retried, reviewed, no_longer_selected, .. } = comparison;
        [*newly_selected, *unreviewed, *retried, *reviewed, *no_longer_selected]
    });
    let symbols: Vec<Symbol> = header.policies[0].sample.iter().map(|sampled| sampled.symbol).collect();
    assert_eq!(symbols.contains(&Symbol::Reviewed), counts.is_some_and(|counts| counts[3] > 0));
    Ok((header.base.map(|base| base.kind), counts))
}

#[tokio::test(start_paused = true)]
async fn what_lies_where_the_plan_goes_is_compared_with_and_reviews_nothing() {
    let bench =
        bench(&policy("leads", "Lead", "everything").replace("spec:\n", "spec:\n  delete: hard\n  justification: a law\n"));
    assert_eq!(compared(&bench, None).await.expect("planned"), (None, None));
    assert_eq!(compared(&bench, None).await.expect("planned"), (Some(BaseKind::LayHere), Some([3, 3, 0, 0, 0])));
    let here = bench.plan_directory();
    let here = here.to_str().expect("text");
    assert_eq!(compared(&bench, Some(here)).await.expect("planned"), (Some(BaseKind::LayHere), Some([3, 3, 0, 0, 0])));
    assert!(bench.recorder.warnings().iter().any(|warning| warning.contains("reviews nothing")));
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_was_named_is_a_base() {
    let bench = bench(&policy("leads", "Lead", "everything"));
    plan_into(&bench, "reviewed").await;
    bench.sandbox.world().generate("Lead", 2, 8).expect("leads");
    let reviewed = bench.path().join("reviewed");
    let found = compared(&bench, reviewed.to_str()).await.expect("planned");
    assert_eq!(found, (Some(BaseKind::Directory), Some([2, 0, 0, 3, 0])));
}

#[tokio::test(start_paused = true)]
async fn of_the_plan_last_applied_only_what_it_did_not_delete_counts() {
    let bench = bench(&policy("leads", "Lead", "everything"));
    let lead = bench.sandbox.world().ids("Lead").next().expect("a lead");
    bench.sandbox.world().refuse(lead, ItemError::new("DELETE_FAILED", "a trigger says no"), None);
    let applied = bench.plan().await.expect("planned").digest;
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::SomeFailed);
    bench.sandbox.world().generate("Lead", 2, 8).expect("leads");
    // The bundle is gone from the working tree, and was another one anyway.
    std::fs::remove_dir_all(bench.plan_directory()).expect("removed");
    let expected = Some([2, 0, 1, 0, 0]);
    assert_eq!(compared(&bench, None).await.expect("planned"), (Some(BaseKind::Applied), expected));
    for digits in [applied.to_string(), applied.short()] {
        assert_eq!(compared(&bench, Some(&digits)).await.expect("planned"), (Some(BaseKind::Store), expected));
    }
    // What was skipped was reviewed, and is no more failed.
    bench.declare(&format!(
        "{}{}",
        policy("leads", "Lead", "everything"),
        HOLD.replace("LastName = 'x'", &format!("Id = '{lead}'"))
    ));
    bench.apply().await.expect("applied");
    bench.declare(&policy("leads", "Lead", "everything"));
    assert_eq!(compared(&bench, None).await.expect("planned"), (Some(BaseKind::Applied), Some([0, 0, 0, 1, 0])));
}

#[tokio::test(start_paused = true)]
async fn of_several_plans_that_were_applied_the_last_one_is_the_base() {
    let bench = bench(&policy("leads", "Lead", "everything"));
    let lead = bench.sandbox.world().ids("Lead").next().expect("a lead");
    bench.sandbox.world().refuse(lead, ItemError::new("DELETE_FAILED", "a trigger says no"), Some(1));
    for expected in [Exit::SomeFailed, Exit::Done] {
        bench.plan().await.expect("planned");
        assert_eq!(bench.apply().await.expect("applied").exit, expected);
    }
    bench.sandbox.world().generate("Lead", 2, 8).expect("leads");
    // The first one had left a record, which the second one deleted.
    assert_eq!(compared(&bench, None).await.expect("planned"), (Some(BaseKind::Applied), Some([2, 0, 0, 0, 0])));
}

#[tokio::test(start_paused = true)]
async fn a_damaged_plan_that_lies_where_the_new_one_goes_is_told_and_compared_with_nothing() {
    let bench = bench(&policy("leads", "Lead", "everything"));
    bench.plan().await.expect("planned");
    std::fs::write(bench.plan_directory().join("records/leads.csv"), "Id\n").expect("written");
    assert_eq!(compared(&bench, None).await.expect("planned"), (None, None));
    let told = bench.recorder.warnings().concat();
    assert!(told.contains("is not compared with it") && told.contains("records/leads.csv"), "{told}");
}

/// Runs `git` in the project.
fn git(bench: &Bench, words: &[&str]) {
    let mut command = std::process::Command::new("git");
    command.args(["-c", "user.name=ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]);
    let output = command.args(words).current_dir(bench.path()).output().expect("git");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(start_paused = true)]
async fn a_git_revision_is_a_base_with_the_bundle_that_it_has() {
    let bench = bench(&policy("leads", "Lead", "everything"));
    git(&bench, &["init", "-q", "-b", "main"]);
    git(&bench, &["commit", "-q", "--allow-empty", "-m", "empty"]);
    git(&bench, &["tag", "empty"]);
    plan_into(&bench, "plan").await;
    plan_into(&bench, "plans/pr-17").await;
    git(&bench, &["add", "."]);
    git(&bench, &["commit", "-q", "-m", "reviewed"]);
    bench.sandbox.world().generate("Lead", 2, 8).expect("leads");
    // A plan that nobody reviewed lies in the working tree.
    bench.plan().await.expect("planned");
    assert_eq!(compared(&bench, Some("main")).await.expect("planned"), (Some(BaseKind::Revision), Some([2, 0, 0, 3, 0])));
    std::fs::remove_dir_all(bench.plan_directory()).expect("removed");
    std::fs::remove_dir_all(bench.path().join("plans")).expect("removed");
    let elsewhere = format!("HEAD:{}", bench.path().join("plans/pr-17").display());
    let found = compared(&bench, Some(&elsewhere)).await.expect("planned");
    assert_eq!(found, (Some(BaseKind::Revision), Some([2, 0, 0, 3, 0])));

    assert_eq!(compared(&bench, Some("empty")).await.expect("planned"), (None, None));
    assert!(bench.recorder.warnings().iter().any(|warning| warning.contains("nothing was reviewed yet")));
    let before = bench.files("plan");
    for wrong in ["nowhere", "--output=stolen", "-h", "", "main 'x'", "main..empty"] {
        let error = compared(&bench, Some(wrong)).await.expect_err(wrong);
        assert_eq!(error.exit, Exit::Error, "{wrong}");
    }
    assert!(!bench.path().join("stolen").exists());
    assert_eq!(bench.files("plan"), before);
}

#[tokio::test(start_paused = true)]
async fn a_base_that_was_altered_in_its_revision_is_no_base() {
    let bench = bench(&policy("leads", "Lead", "everything"));
    git(&bench, &["init", "-q", "-b", "main"]);
    plan_into(&bench, "plan").await;
    std::fs::write(bench.plan_directory().join("records/leads.csv"), "Id\n").expect("written");
    git(&bench, &["add", "."]);
    git(&bench, &["commit", "-q", "-m", "altered"]);
    let error = compared(&bench, Some("main")).await.expect_err("altered");
    assert_eq!(error.exit, Exit::Error);
    assert!(error.title.contains("was altered"), "{error}");
}

const CHAIN: [(&str, &str); 3] = [("leads", "Lead"), ("cases", "Case"), ("logs", "Log__c")];

/// Three policies; the later two begin when the first one has ended.
fn chain() -> String {
    let after = |name: &str| if name == "leads" { "" } else { "  dependsOn: [leads]\n" };
    CHAIN.iter().map(|(name, object)| format!("{}{}", policy(name, object, "everything"), after(name))).collect()
}

async fn chain_planned() -> Bench {
    let bench = bench(&chain());
    bench.sandbox.world().generate("Log__c", 4, 7).expect("logs");
    bench.plan().await.expect("planned");
    bench
}

#[tokio::test(start_paused = true)]
async fn of_a_run_that_is_continued_a_changed_document_stops_the_policies_that_use_it_and_no_others() {
    let whole = chain_planned().await;
    let before = whole.sandbox.requests().len();
    whole.apply().await.expect("applied");
    let requests = whole.sandbox.requests();
    let deletion = requests.iter().skip(before).position(|request| request.path.ends_with("/composite/sobjects"));

    let bench = chain_planned().await;
    bench.transport.end_at(deletion.expect("a deletion") as u64 + 1, true);
    tokio::select! {
        biased;
        ended = bench.apply() => panic!("it ended: {ended:?}"),
        () = bench.transport.ended() => {}
    }
    bench.transport.go_on();
    assert_eq!(left(&bench), (0, 2), "the leads went, and nobody heard of it");
    let changed = chain().replace("name: cases }", "name: cases } # another one");
    bench.declare(&format!("{changed}{}", policy("others", "Contact", "LastName = 'nobody'")));
    let applied = bench.apply().await.expect("continued");
    assert_eq!(applied.exit, Exit::GateRefused);
    assert_eq!(left(&bench), (0, 2));
    assert_eq!(bench.sandbox.world().count("Log__c"), 0);
    let halted: Vec<Option<&str>> = applied.report.policies.iter().map(|policy| policy.halted.as_deref()).collect();
    let told = halted.iter().flatten().collect::<Vec<_>>();
    assert!(matches!(told[..], [one] if one.contains("policy `cases` was changed since the plan")), "{halted:?}");
}
