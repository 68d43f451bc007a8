//! How much of a change the policy made and how much the data did, and the limit on what the policy may add.

#![expect(clippy::disallowed_methods, reason = "it takes a plan out of the working tree and out of the store")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use sexton::base::Exit;
use sexton::command::{self, PlanRequest, Planned};
use sexton::manifest::OnRefusal;
use sexton::plan::{Attribution, CountCause, GateFinding, PlanHeader};
use sexton::sandbox::{Effect, Fault, FieldKind, Lookup, ObjectDefinition, Sandbox, Settings, Value, World};
use support::wire::RouterTransport;
use support::{Bench, start};

/// A policy for leads.
fn policy(filter: &str, max_widened: &str) -> String {
    named("leads", "Lead", filter, max_widened)
}

fn named(name: &str, object: &str, filter: &str, more: &str) -> String {
    format!(
        "---\napiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: {name} }}\nspec:\n  target: crm\n  object: {object}\n  \
         filter: {filter}\n  limits: {{ maxRecords: 100, maxPercent: 100{more} }}\n"
    )
}

/// What an earlier policy asked for in most tests here, and a wider condition.
const OLD: &str = "Company = 'Old'";
const WIDER: &str = "Company IN ('Old', 'Other')";

fn project(settings: &str) -> String {
    format!("---\napiVersion: sexton/v1\nkind: Project\nmetadata: {{ name: shop }}\nspec:\n  {settings}\n")
}

fn hold(company: &str) -> String {
    format!(
        "---\napiVersion: sexton/v1\nkind: Hold\nmetadata: {{ name: matter }}\nspec: {{ target: crm, object: Lead, filter: \"LastName \
         = '{company}'\", reason: a matter }}\n"
    )
}

fn add(bench: &Bench, count: usize, company: &str) {
    for _ in 0..count {
        let fields = [("LastName", Value::from(company)), ("Company", company.into())];
        bench.sandbox.world().insert("Lead", fields).expect("a lead");
    }
}

/// A bench with three old leads, two others and five to stay, and the plan of `documents` in `reviewed`.
async fn reviewed(documents: &str) -> Bench {
    let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
    for (count, company) in [(3, "Old"), (2, "Other"), (5, "Stays")] {
        add(&bench, count, company);
    }
    bench.declare(documents);
    plan_into(&bench, "reviewed").await;
    bench
}

async fn plan_into(bench: &Bench, directory: &str) -> Planned {
    let out = Some(bench.path().join(directory));
    let request = PlanRequest { project: bench.path().to_owned(), out, base: None, policies: Vec::new() };
    command::plan(&bench.host(), &request).await.expect("planned")
}

/// Plans with a base.
async fn plan(bench: &Bench, base: Option<&str>) -> PlanHeader {
    let base = base.map(|base| bench.path().join(base).to_str().expect("text").to_owned());
    let request = PlanRequest { project: bench.path().to_owned(), out: None, base, policies: Vec::new() };
    command::plan(&bench.host(), &request).await.expect("planned").header
}

/// Plans these documents with the reviewed plan as its base.
async fn against(bench: &Bench, documents: &str) -> PlanHeader {
    bench.declare(documents);
    plan(bench, Some("reviewed")).await
}

/// More by the policy and by the data, fewer by the policy and by the data; of the first policy.
fn moved(header: &PlanHeader) -> Option<[u64; 4]> {
    header.policies[0].comparison.as_ref().expect("compared").attribution.map(numbers)
}

fn numbers(moved: Attribution) -> [u64; 4] {
    [moved.added_by_policy, moved.added_by_data, moved.dropped_by_policy, moved.dropped_by_data]
}

fn cause(header: &PlanHeader) -> CountCause {
    header.policies[0].comparison.as_ref().expect("compared").cause
}

/// What the gate said of the first policy.
fn gate(header: &PlanHeader) -> Option<String> {
    let findings = header.policies[0].gates.iter();
    let mut found = findings.filter(|finding| finding.gate == "max-widened");
    found.next().map(|GateFinding { kind, message, .. }| format!("{kind:?}: {message}"))
}

#[tokio::test(start_paused = true)]
async fn a_wider_condition_is_the_policys_doing_and_new_matches_are_the_datas() {
    let bench = reviewed(&policy(OLD, "")).await;
    let header = against(&bench, &policy(WIDER, "")).await;
    assert_eq!((moved(&header), cause(&header)), (Some([2, 0, 0, 0]), CountCause::Policy));
    add(&bench, 4, "Old");
    let header = against(&bench, &policy(OLD, "")).await;
    assert_eq!((moved(&header), cause(&header)), (Some([0, 4, 0, 0]), CountCause::Data));
    let header = against(&bench, &policy(WIDER, "")).await;
    assert_eq!((moved(&header), cause(&header)), (Some([2, 4, 0, 0]), CountCause::PolicyAndData));
    assert_eq!(header.policies[0].comparison.as_ref().map(|since| since.newly_selected), Some(6));
}

#[tokio::test(start_paused = true)]
async fn a_narrower_condition_is_the_policys_doing_and_what_does_not_match_any_more_is_the_datas() {
    let bench = reviewed(&policy(WIDER, "")).await;
    let first = bench.sandbox.world().ids("Lead").next().expect("a lead");
    bench.sandbox.world().update(first, "Company", "Stays").expect("updated");
    let header = against(&bench, &policy(OLD, "")).await;
    assert_eq!((moved(&header), cause(&header)), (Some([0, 0, 2, 1]), CountCause::PolicyAndData));
    let header = against(&bench, &policy("Company IN ('Old', 'Stays')", "")).await;
    assert_eq!(moved(&header), Some([5, 0, 2, 0]), "the one that changed is in both again");
}

/// The requests that a plan sends to select.
async fn selections(bench: &Bench, documents: &str) -> usize {
    bench.sandbox.forget_requests();
    against(bench, documents).await;
    bench.sandbox.requests().iter().filter(|request| request.path.ends_with("/query")).count()
}

#[tokio::test(start_paused = true)]
async fn what_reads_otherwise_and_means_the_same_is_not_asked_again() {
    let bench = reviewed(&policy("{ field: Company, equals: Old }", "")).await;
    let same = selections(&bench, &policy("{ field: Company, equals: Old }", "")).await;
    for documents in [
        policy(OLD, ""),
        policy("{ all: [{ field: Company, equals: Old }] }", ", maxWidened: 0"),
        format!("{}{}", policy(OLD, ""), hold("nobody")).replace("limits", "recheck: unchanged\n  limits"),
    ] {
        let holds = usize::from(documents.contains("kind: Hold"));
        let more = selections(&bench, &documents).await - same;
        assert!(more <= 2 * holds, "{more} more: {documents}");
    }
    assert_eq!(selections(&bench, &policy(WIDER, "")).await, same + 2, "a count, and a page");
}

#[tokio::test(start_paused = true)]
async fn the_passing_of_time_is_the_datas_doing_and_another_time_zone_the_policys() {
    let older = |days: u32| format!("{{ field: CreatedDate, olderThan: {days} days }}");
    let bench = reviewed(&policy(&older(30), "")).await;
    // The ten leads of the first day have become forty days old; both conditions are asked with the moment of now.
    bench.sandbox.clock().advance(Duration::from_secs(40 * 86_400));
    add(&bench, 3, "Old");
    bench.sandbox.clock().advance(Duration::from_secs(25 * 86_400));
    assert_eq!(moved(&against(&bench, &policy(&older(30), "")).await), Some([0, 10, 0, 0]));
    let header = against(&bench, &policy(&older(20), ", maxWidened: 2")).await;
    assert_eq!(moved(&header), Some([3, 10, 0, 0]));
    assert!(header.is_refused());

    // At ten in the morning in UTC it is the next day already where clocks are fourteen hours ahead.
    let day = "{ field: LastActivityDate, olderThan: 10 days }";
    let bench = reviewed(&policy(day, "")).await;
    let lead = bench.sandbox.world().ids("Lead").next().expect("a lead");
    let date = Value::Date("2026-11-11".parse().expect("a day"));
    bench.sandbox.world().update(lead, "LastActivityDate", date).expect("updated");
    assert_eq!(moved(&against(&bench, &policy(day, "")).await), Some([0, 0, 0, 0]));
    let moved_zone = format!("{}{}", policy(day, ""), project("timeZone: Pacific/Kiritimati"));
    assert_eq!(moved(&against(&bench, &moved_zone).await), Some([1, 0, 0, 0]));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_the_base_does_not_have_adds_all_that_it_selects() {
    let bench = reviewed(&policy(OLD, "")).await;
    let header = against(&bench, &policy(OLD, ", maxWidened: 2").replace("name: leads", "name: others")).await;
    assert_eq!((moved(&header), cause(&header)), (Some([3, 0, 0, 0]), CountCause::Policy));
    assert!(header.is_refused());
    bench.sandbox.world().generate("Case", 2, 7).expect("cases");
    let header = against(&bench, &named("leads", "Case", "everything", ", maxWidened: 2")).await;
    assert_eq!(moved(&header), Some([2, 0, 3, 0]), "the leads of the base are not asked for any more");
    assert!(!header.is_refused());
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_changed_may_have_done_what_the_data_seems_to() {
    let bench = reviewed(&format!("{}{}", policy(OLD, ""), hold("Old"))).await;
    let header = against(&bench, &policy(WIDER, ", maxWidened: 2")).await;
    assert_eq!((moved(&header), cause(&header)), (Some([2, 3, 0, 0]), CountCause::PolicyAndData));
    let since = header.policies[0].comparison.as_ref().expect("compared");
    assert!(since.attribution.is_some_and(|moved| moved.holds_changed));
    assert!(gate(&header).expect("asked").starts_with("Pass"));
    // Both conditions are held against the holds of now.
    let header = against(&bench, &format!("{}{}", policy(WIDER, ""), hold("Other"))).await;
    assert_eq!(moved(&header), Some([0, 3, 0, 0]));
}

#[tokio::test(start_paused = true)]
async fn what_a_policy_adds_is_bounded_and_to_raise_the_bound_accepts_it() {
    let bench = reviewed(&policy(OLD, "")).await;
    add(&bench, 4, "Old");
    let place = "sexton.yaml:22:47";
    let refused = format!(
        "Refuse: the policy adds 2 records to the base, and `limits.maxWidened` is 1: narrow the filter, or write `maxWidened: 2` at \
         {place} to accept them"
    );
    let header = against(&bench, &policy(WIDER, ", maxWidened: 1")).await;
    assert_eq!(gate(&header), Some(refused));
    assert!(header.is_refused());
    let error = bench.apply().await.expect_err("refused");
    assert_eq!(error.exit, Exit::GateRefused);
    let header = against(&bench, &policy(WIDER, ", maxWidened: 2")).await;
    assert_eq!(gate(&header).as_deref(), Some("Pass: the policy adds 2 records to the base, at most 2 may be added"));
    assert_eq!(header.policies[0].settings.max_widened, Some(2));
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    assert_eq!(bench.sandbox.world().count("Lead"), 5);
}

#[tokio::test(start_paused = true)]
async fn what_the_plan_refused_stays_refused_where_an_apply_skips_it() {
    let cases = named("cases", "Case", "everything", "");
    let bench = reviewed(&format!("{}{cases}", policy(OLD, ""))).await;
    bench.sandbox.world().generate("Case", 2, 7).expect("cases");
    against(&bench, &format!("{}{cases}", policy(WIDER, ", maxWidened: 1"))).await;
    let applied = bench.apply_with(|request| request.on_refusal = Some(OnRefusal::Skip)).await.expect("applied");
    assert_eq!(applied.exit, Exit::GateRefused);
    let world = bench.sandbox.world();
    assert_eq!((world.count("Lead"), world.count("Case")), (10, 0));
}

#[tokio::test(start_paused = true)]
async fn the_project_bounds_the_policies_that_have_no_bound_of_their_own() {
    let bench = reviewed(&policy(OLD, "")).await;
    let all = project("limits: { maxWidened: 1 }");
    let header = against(&bench, &format!("{}{all}", policy(WIDER, ""))).await;
    let told = gate(&header).expect("asked");
    assert!(told.starts_with("Refuse: the policy adds 2 records"), "{told}");
    let expected = "write `maxWidened: 2` into the policy's own `limits` (the limit of all policies is at sexton.yaml:";
    assert!(told.contains(expected), "{told}");
    let header = against(&bench, &format!("{}{all}", policy(WIDER, ", maxWidened: 2"))).await;
    assert!(!header.is_refused());
}

#[tokio::test(start_paused = true)]
async fn without_a_base_nothing_is_judged_and_that_is_said() {
    let bench = reviewed(&policy(OLD, "")).await;
    bench.declare(&policy(WIDER, ", maxWidened: 0"));
    let header = plan(&bench, None).await;
    assert_eq!(header.base, None);
    let told = gate(&header).expect("asked");
    assert!(told.starts_with("Warn: `limits.maxWidened` is 0, and judges nothing, since there is no base"), "{told}");
    // What lies where the plan goes shows what has changed since, and bounds nothing.
    bench.declare(&policy("Company != 'Old'", ", maxWidened: 0"));
    let header = plan(&bench, None).await;
    assert_eq!(moved(&header), Some([5, 0, 3, 0]));
    let told = gate(&header).expect("asked");
    assert!(
        told.starts_with(
            "Warn: `limits.maxWidened` is 0, and judges nothing, since nobody knows whether the plan that lay here"
        ),
        "{told}"
    );
    assert!(!header.is_refused());
    // Without the limit nobody is told.
    assert_eq!(gate(&against(&bench, &policy(WIDER, "")).await), None);
}

#[tokio::test(start_paused = true)]
async fn the_plan_last_applied_is_a_base_as_long_as_the_store_has_it() {
    let bench = reviewed(&policy(OLD, "")).await;
    bench.plan().await.expect("planned");
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    std::fs::remove_dir_all(bench.plan_directory()).expect("removed");
    add(&bench, 1, "Old");
    bench.declare(&policy(WIDER, ", maxWidened: 1"));
    let header = plan(&bench, None).await;
    assert_eq!(moved(&header), Some([2, 1, 0, 0]));
    assert!(header.is_refused());
    std::fs::remove_dir_all(bench.path().join(".sexton/plans")).expect("removed");
    let header = plan(&bench, None).await;
    let told = gate(&header).expect("asked");
    assert!(told.starts_with("Refuse: `limits.maxWidened` is 1, and it is not known how many"), "{told}");
}

/// A sandbox with three things that belong to an account; objects of the later one have no field `Old__c`.
fn things(later: bool) -> Sandbox {
    let object = |name: &str, prefix| {
        let object = ObjectDefinition::new(name, name, name, prefix).with("Name", FieldKind::Text(80));
        if later { object } else { object.with("Old__c", FieldKind::Text(80)) }
    };
    let parent = Lookup::to(&["Parent__c"], "Parent__r").into();
    let mut world = World::builder()
        .start(start())
        .object(object("Parent__c", *b"a76"))
        .object(object("Thing__c", *b"a77").with("Parent__c", parent))
        .build()
        .expect("a world");
    let parent = world.insert("Parent__c", [("Name", Value::from("x"))]).expect("a parent");
    for _ in 0..3 {
        let fields = [("Name", Value::from("x")), ("Parent__c", Value::Reference(parent))];
        world.insert("Thing__c", fields).expect("a thing");
    }
    let settings = Settings::starting_at(world.now());
    Sandbox::new(world, settings)
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_condition_that_is_not_taken_any_more_matched_is_not_known_and_refuses_where_it_is_bounded() {
    for (filter, reason) in [
        ("Old__c = null", "Thing__c has no field `Old__c`, or this login may not see it"),
        ("Parent__r.Old__c = null", "INVALID_FIELD"),
    ] {
        let mut bench = Bench::new(World::builder().start(start()).build().expect("a world"));
        let into = |bench: &mut Bench, sandbox: Sandbox| {
            bench.transport = Arc::new(RouterTransport::new(sandbox.clone()));
            bench.sandbox = sandbox;
        };
        into(&mut bench, things(false));
        bench.declare(&named("things", "Thing__c", filter, ""));
        assert_eq!(plan_into(&bench, "reviewed").await.header.selected(), 3, "{filter}");
        into(&mut bench, things(true));
        let one = bench.sandbox.world().ids("Thing__c").next().expect("a thing");
        let others = |more: &str| named("things", "Thing__c", &format!("Id != '{one}'"), more);
        let header = against(&bench, &others("")).await;
        assert_eq!((moved(&header), cause(&header)), (None, CountCause::PolicyAndData), "{filter}");
        let since = header.policies[0].comparison.as_ref().expect("compared");
        assert_eq!((since.newly_selected, since.reviewed, since.no_longer_selected), (0, 2, 1));
        let told = since.not_attributed.as_ref().expect("a reason");
        assert!(told.contains(reason), "{told}");
        assert!(!header.is_refused(), "a number that nothing rests on");
        // What is new bounds what the policy adds, whatever the earlier condition was.
        bench.sandbox.world().insert("Thing__c", [("Name", Value::from("new"))]).expect("a thing");
        let told = gate(&against(&bench, &others(", maxWidened: 1")).await).expect("asked");
        assert!(told.starts_with("Pass: 1 record is new, so that"), "{told}");
        let header = against(&bench, &others(", maxWidened: 0")).await;
        let told = gate(&header).expect("asked");
        assert!(told.starts_with("Refuse: `limits.maxWidened` is 0, and it is not known how many"), "{told}");
        assert!(told.contains(reason), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_earlier_condition_that_was_not_read_to_its_end_makes_no_plan() {
    let bench = reviewed(&policy(OLD, ", maxWidened: 9")).await;
    bench.declare(&policy(WIDER, ", maxWidened: 9"));
    bench.sandbox.forget_requests();
    plan(&bench, Some("reviewed")).await;
    let queries = bench.sandbox.requests().iter().filter(|request| request.path.ends_with("/query")).count() as u64;
    let mut failed = 0;
    for number in 1..=queries {
        let short = Effect::Respond {
            status: 200,
            content_type: None,
            body: r#"{"totalSize":1,"done":true,"records":[]}"#.into(),
            retry_after: None,
        };
        bench.sandbox.add_fault(Fault::on("GET", "/services/data/*/query", short).nth(number));
        let base = bench.path().join("reviewed").to_str().map(str::to_owned);
        let request = PlanRequest { project: bench.path().to_owned(), out: None, base, policies: Vec::new() };
        match command::plan(&bench.host(), &request).await {
            Ok(planned) => assert_eq!(moved(&planned.header), Some([2, 0, 0, 0]), "query {number} counts something else"),
            Err(_) => failed += 1,
        }
        bench.sandbox.clear_faults();
    }
    assert_eq!(failed, 2, "the page of either condition");
}

#[tokio::test(start_paused = true)]
async fn records_that_another_policy_plans_count_for_the_bound_and_not_for_what_moved() {
    let others = |filter: &str, more: &str| named("all-leads", "Lead", "Company != 'Stays'", "") + &policy(filter, more);
    let bench = reviewed(&others(OLD, "")).await;
    let header = against(&bench, &others(WIDER, ", maxWidened: 1")).await;
    let leads = header.policies.iter().find(|planned| planned.policy.as_str() == "leads").expect("planned");
    let refusal = leads.refusals().next().expect("refused");
    assert_eq!(refusal.gate, "max-widened");
    let header = against(&bench, &others(WIDER, ", maxWidened: 2")).await;
    let leads = header.policies.iter().find(|planned| planned.policy.as_str() == "leads").expect("planned");
    assert_eq!((leads.selected, leads.elsewhere()), (0, 5));
    let since = leads.comparison.as_ref().expect("compared");
    assert_eq!((since.newly_selected, since.attribution.map(numbers)), (0, Some([0; 4])));
}

#[tokio::test(start_paused = true)]
async fn the_calls_for_earlier_conditions_are_in_the_quota() {
    let quota = |header: &PlanHeader| {
        let findings = header.policies[0].gates.iter();
        findings.filter(|finding| finding.gate == "quota").map(|finding| finding.message.clone()).collect::<String>()
    };
    let bench = reviewed(&policy(OLD, "")).await;
    // One deletes, and two describe and count the tasks that go along.
    assert!(quota(&against(&bench, &policy(OLD, "")).await).starts_with("3 calls to `crm`, "));
    let header = against(&bench, &policy(WIDER, "")).await;
    let told = quota(&header);
    assert!(told.starts_with("5 calls to `crm` (2 of them to read what policies matched before), "), "{told}");
    assert_eq!(header.targets.values().map(|target| target.calls).sum::<u64>(), 3, "they are no calls of the apply");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_refused_a_policy_has_reviewed_nothing_of_it() {
    let bench = reviewed(&policy(OLD, "").replace("maxRecords: 100", "maxRecords: 1")).await;
    let header = against(&bench, &policy(OLD, ", maxWidened: 2")).await;
    let since = header.policies[0].comparison.as_ref().expect("compared");
    assert_eq!(
        (since.newly_selected, since.reviewed),
        (3, 0),
        "who merged a plan that could not be applied approved no record"
    );
    assert_eq!(moved(&header), Some([3, 0, 0, 0]));
    assert!(header.is_refused());
    // What lies where the new plan goes reviews nothing anyway, and shows what is the same.
    let header = plan(&bench, None).await;
    let since = header.policies[0].comparison.as_ref().expect("compared");
    assert_eq!((since.newly_selected, since.unreviewed), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_an_apply_skipped_as_refused_is_compared_with_the_last_that_did_not() {
    let cases = named("cases", "Case", "everything", "");
    let bench = reviewed(&format!("{}{cases}", policy(OLD, ""))).await;
    bench.plan().await.expect("planned");
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    bench.sandbox.world().generate("Case", 2, 7).expect("cases");
    bench.declare(&format!("{}{cases}", policy(WIDER, ", maxWidened: 1")));
    for _ in 0..2 {
        // The policy adds two records to what it deleted, however often it was refused and skipped in between.
        let header = plan(&bench, None).await;
        let leads = header.policies.iter().find(|planned| planned.policy.as_str() == "leads").expect("planned");
        let since = leads.comparison.as_ref().expect("compared");
        assert_eq!((since.newly_selected, since.reviewed, since.attribution.map(numbers)), (2, 0, Some([2, 0, 0, 0])));
        assert!(leads.is_refused());
        let applied = bench.apply_with(|request| request.on_refusal = Some(OnRefusal::Skip)).await.expect("applied");
        assert_eq!(applied.exit, Exit::GateRefused);
        bench.sandbox.world().generate("Case", 2, 7).expect("cases");
    }
    assert_eq!(bench.sandbox.world().count("Lead"), 7);
}
