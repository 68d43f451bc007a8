//! Several policies of one plan: a record that more than one selects is planned, deleted and told once; limits that bind them
//! together; and what becomes of the others when one is refused.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use sexton::base::{Exit, PolicyName};
use sexton::command::ApplyRequest;
use sexton::manifest::OnRefusal;
use sexton::report::{MarkdownView, Palette, PlanView, View as _};
use sexton::sandbox::{FieldKind, Lookup, ObjectDefinition, OnDelete, RecordKey, World};
use support::{Bench, start};
use tokio_util::sync::CancellationToken;

const LEADS: usize = 300;

fn policy(name: &str, filter: &str, more: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: {name} }}\nspec:\n  target: crm\n  object: Lead\n  \
         filter: {filter}\n  limits: {{ maxRecords: 1000, maxPercent: 100 }}\n{more}---\n"
    )
}

/// Leads of companies `A`, `B` and `C`, a hundred of each.
fn bench(documents: &str) -> (Bench, Vec<RecordKey>) {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", LEADS as u32, 7).expect("leads");
    let leads: Vec<RecordKey> = world.ids("Lead").collect();
    for (place, lead) in leads.iter().enumerate() {
        world.update(*lead, "Company", ["A", "B", "C"][place % 3]).expect("known");
    }
    let bench = Bench::new(world);
    bench.declare(documents);
    (bench, leads)
}

fn name(text: &str) -> PolicyName {
    PolicyName::new(text).expect("a name")
}

/// What the plan that lies there says of each policy: records planned, and planned elsewhere by whom.
fn numbers(bench: &Bench) -> Vec<String> {
    let said = |policy: &sexton::plan::PlannedPolicy| {
        let elsewhere = policy.planned_elsewhere.iter().map(|others| format!(" {} {}", others.policy, others.records));
        format!("{} {} of {}{}", policy.policy, policy.selected, policy.matched, elsewhere.collect::<String>())
    };
    bench.bundle().header().policies.iter().map(said).collect()
}

/// How many records of a policy came to which end.
fn ends(bench: &Bench, policy: &str) -> BTreeMap<String, usize> {
    let mut ends = BTreeMap::new();
    for row in bench.outcomes(&name(policy)) {
        *ends.entry([row.outcome, row.cause].join(" ").trim().to_owned()).or_default() += 1;
    }
    ends
}

fn ended<const N: usize>(ends: [(&str, usize); N]) -> BTreeMap<String, usize> {
    ends.into_iter().map(|(end, count)| (end.to_owned(), count)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_record_that_several_policies_select_is_planned_deleted_and_told_once() {
    let documents = [
        policy("alpha", "Company IN ('A', 'B')", ""),
        policy("beta", "Company IN ('B', 'C')", "  review: { fields: [Company] }\n"),
        policy("gamma", "everything", ""),
    ];
    let (bench, _) = bench(&documents.concat());
    let planned = bench.plan().await.expect("planned");
    assert_eq!(planned.header.selected(), LEADS as u64);
    let expected = ["alpha 200 of 200", "beta 100 of 200 alpha 100", "gamma 0 of 300 alpha 200 beta 100"];
    assert_eq!(numbers(&bench), expected);
    let mut all = BTreeSet::new();
    for ids in bench.planned().into_values().flatten() {
        assert!(all.insert(ids.clone()), "{ids} is planned twice");
    }
    assert_eq!(all.len(), LEADS);
    // Those that are shown are those that are planned here.
    let sample = &planned.samples[&name("beta")];
    assert_eq!((sample.rows.len() as u64 + sample.more, sample.rows.is_empty()), (100, false));
    assert!(sample.rows.iter().all(|row| row.values == ["C"]), "{:?}", sample.rows);

    let view = PlanView { header: &planned.header, digest: None, samples: &planned.samples, place: "plan" };
    let text = view.text(Palette::new(false));
    assert!(text.contains("Plan: 300 to delete"), "{text}");
    assert!(text.contains("elsewhere  100 more of its records are planned by policy alpha\n"), "{text}");
    let markdown = MarkdownView { plan: &view, most: 65_000 }.text(Palette::new(false));
    assert!(markdown.contains("- 200 more of its records are planned by policy alpha\n"), "{markdown}");
    let json: Vec<String> = view.events().iter().map(|event| event.line()).collect();
    assert!(json.iter().any(|line| line.contains(r#""plannedElsewhere":[{"policy":"alpha","records":100}]"#)), "{json:?}");

    let applied = bench.apply().await.expect("applied");
    assert_eq!(applied.exit, Exit::Done);
    assert_eq!(applied.report.tally().deleted, LEADS as u64);
    assert_eq!(ends(&bench, "alpha"), ended([("deleted", 200)]));
    assert_eq!(ends(&bench, "beta"), ended([("deleted", 100)]));
    // What another policy deletes does not wait for the next plan.
    assert!(applied.report.policies.iter().all(|policy| policy.waiting == 0), "{:?}", applied.report.policies);
    assert_eq!(bench.sandbox.world().count("Lead"), 0);
    // No policy takes what the others deleted for records that it may not see any more.
    bench.plan().await.expect("planned");
    assert_eq!(refusals(&bench), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_judged_by_its_own_selection() {
    let limited = policy("zeta", "everything", "").replace("maxRecords: 1000", "maxRecords: 299");
    let (bench, _) = bench(&format!("{}{limited}", policy("alpha", "Company != 'C'", "")));
    let planned = bench.plan().await.expect("planned");
    // It is refused for all it selects, and then leaves nothing to a policy that is not.
    assert_eq!(numbers(&bench), ["alpha 200 of 200", "zeta 100 of 300 alpha 200"]);
    let refused: Vec<String> = planned.header.policies[1].refusals().map(ToString::to_string).collect();
    assert!(
        refused.iter().any(|said| said.starts_with("max-records: 300 records and `limits.maxRecords` is 299")),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_a_gate_refuses_owns_nothing_that_another_selects() {
    let limited = policy("alpha", "everything", "").replace("maxRecords: 1000", "maxRecords: 299");
    let (bench, _) = bench(&format!("{limited}{}", policy("zeta", "Company != 'C'", "")));
    bench.plan().await.expect("planned");
    assert_eq!(numbers(&bench), ["alpha 100 of 300 zeta 200", "zeta 200 of 200"]);
}

#[tokio::test(start_paused = true)]
async fn records_that_belong_together_are_planned_together() {
    let whole = policy("zeta", "Company = 'B'", "  allOrNone: true\n");
    let (bench, _) = bench(&format!("{}{whole}", policy("alpha", "everything", "")));
    bench.plan().await.expect("planned");
    assert_eq!(numbers(&bench), ["zeta 100 of 100", "alpha 200 of 300 zeta 100"]);
}

#[tokio::test(start_paused = true)]
async fn a_soft_and_a_hard_policy_over_the_same_record_are_refused() {
    let hard = policy("purge", "Company IN ('B', 'C')", "  delete: hard\n  justification: a law\n");
    let (bench, leads) = bench(&format!("{}{hard}", policy("alpha", "Company IN ('A', 'B')", "")));
    let planned = bench.plan().await.expect("planned");
    let said: Vec<String> =
        planned.header.policies.iter().flat_map(|policy| policy.refusals().map(ToString::to_string)).collect();
    let said: Vec<String> = said.into_iter().filter(|said| said.starts_with("soft-and-hard")).collect();
    let example = leads[1].to_string();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("soft-and-hard: this policy soft deletes 100 records that `purge` would hard delete ("),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("soft-and-hard: this policy hard deletes 100 records that `alpha` would soft delete ("),
        "{said:?}"
    );
    assert!(said.iter().all(|said| said.contains(&example)), "{said:?}");
    assert_eq!(bench.apply().await.expect_err("refused").exit, Exit::GateRefused);
}

#[tokio::test(start_paused = true)]
async fn what_another_policy_plans_by_now_is_not_called_kept() {
    let (bench, _) = bench(&policy("beta", "Company IN ('B', 'C')", ""));
    bench.plan().await.expect("planned");
    bench.declare(&format!("{}{}", policy("alpha", "Company = 'B'", ""), policy("beta", "Company IN ('B', 'C')", "")));
    let planned = bench.plan().await.expect("planned");
    let compared: Vec<(u64, u64, u64)> = planned
        .header
        .policies
        .iter()
        .filter_map(|policy| policy.comparison.as_ref())
        .map(|since| (since.newly_selected, since.unreviewed, since.no_longer_selected))
        .collect();
    // The plan that lay there had the latter; nobody reviewed it.
    assert_eq!(compared, [(100, 0, 0), (100, 100, 0)]);
}

fn project(spec: &str) -> String {
    format!("apiVersion: sexton/v1\nkind: Project\nmetadata: {{ name: bench }}\nspec: {{ {spec} }}\n---\n")
}

/// A policy for a company's leads, a third of all, within its own limits.
fn third(company: &str) -> String {
    let name = company.to_lowercase();
    policy(&name, &format!("Company = '{company}'"), "")
        .replace("maxRecords: 1000, maxPercent: 100", "maxRecords: 100, maxPercent: 40")
}

fn refusals(bench: &Bench) -> Vec<String> {
    let of = |policy: &sexton::plan::PlannedPolicy| {
        policy.refusals().map(|finding| format!("{}: {finding}", policy.policy)).collect::<Vec<_>>()
    };
    bench.bundle().header().policies.iter().flat_map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn policies_that_are_each_within_their_limits_do_not_empty_an_object_together() {
    let all = ["A", "B", "C"].map(third).concat();
    let (bench, _) = bench(&all);
    bench.plan().await.expect("planned");
    let said = refusals(&bench);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(
        said[0].starts_with(
            "a: object-limits: 300 of 300 records of `Lead` go by 3 policies together and at most 100 and 40 % may"
        ),
        "{said:?}"
    );
    assert_eq!(bench.apply().await.expect_err("refused").exit, Exit::GateRefused);
    assert_eq!(bench.sandbox.world().count("Lead"), LEADS as u64);

    bench.declare(&format!("{}{all}", project("objectLimits: { maxRecords: 300, maxPercent: 99 }")));
    bench.plan().await.expect("planned");
    assert_eq!(refusals(&bench).len(), 3, "{:?}", refusals(&bench));
    bench.declare(&format!("{}{all}", project("objectLimits: { maxRecords: 300, maxPercent: 100 }")));
    bench.plan().await.expect("planned");
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    assert_eq!(bench.sandbox.world().count("Lead"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_plan_as_a_whole_is_bounded_by_the_project_and_lowered_by_the_command() {
    let limits = |most: u64| project(&format!("planLimits: {{ maxRecords: {most} }}"));
    let leads = policy("alpha", "Company != 'C'", "");
    let (bench, _) = bench(&format!("{}{leads}", limits(199)));
    bench.plan().await.expect("planned");
    let said = refusals(&bench);
    assert_eq!(
        said,
        [
            "alpha: plan-limits: 200 records go in all and `planLimits.maxRecords` is 199: raise it to 200, or plan fewer policies with `--policy`"
        ]
    );
    bench.declare(&format!("{}{leads}", limits(200)));
    bench.plan().await.expect("planned");
    let error = bench.apply_with(|request| request.max_records = Some(199)).await.expect_err("lowered");
    assert_eq!(error.exit, Exit::GateRefused);
    assert!(error.notes[0].contains("plan-limits: 200 records go in all and `--max-records` is 199"), "{error:?}");
    assert!(bench.state().consumed.is_empty());
    let applied = bench.apply_with(|request| request.max_records = Some(5_000)).await.expect("applied");
    assert_eq!(applied.report.tally().deleted, 200);
}

#[tokio::test(start_paused = true)]
async fn what_a_continued_run_has_not_sent_is_bounded_together_with_what_it_deleted() {
    let documents = format!("{}{}", third("A"), third("B").replace("spec:\n", "spec:\n  dependsOn: [a]\n"));
    let limits = |most: u64| project(&format!("objectLimits: {{ maxRecords: {most}, maxPercent: 100 }}"));
    let (bench, _) = bench(&format!("{}{documents}", limits(200)));
    bench.plan().await.expect("planned");
    let deletions = |bench: &Bench| bench.sandbox.world().count("Lead");
    // The process dies when the first policy is through.
    for request in 1.. {
        bench.transport.end_at(request, true);
        let ended = tokio::select! {
            biased;
            ended = bench.apply() => { ended.expect("applied"); panic!("the first policy was never through alone") }
            () = bench.transport.ended() => deletions(&bench),
        };
        bench.transport.go_on();
        if ended == 200 {
            break;
        }
    }
    let applied = bench.apply_with(|request| request.max_records = Some(199)).await.expect("continued");
    assert_eq!(applied.exit, Exit::GateRefused, "{:?}", applied.report);
    assert_eq!(deletions(&bench), 200);
    assert_eq!(ends(&bench, "b"), ended([("skipped refused", 100)]));
}

#[tokio::test(start_paused = true)]
async fn what_a_policy_has_deleted_that_is_at_its_end_is_bounded_with_the_rest_of_a_continued_run() {
    let documents = format!("{}{}", third("A"), third("B").replace("spec:\n", "spec:\n  dependsOn: [a]\n"));
    let (bench, _) = bench(&format!("{}{documents}", project("objectLimits: { maxRecords: 200, maxPercent: 100 }")));
    bench.plan().await.expect("planned");
    // The process dies when the first policy is at its end, and the other one has not begun.
    for request in 1.. {
        bench.transport.end_at(request, false);
        tokio::select! {
            biased;
            ended = bench.apply() => { ended.expect("applied"); panic!("the first policy was never at its end alone") }
            () = bench.transport.ended() => {}
        }
        bench.transport.go_on();
        if bench.run().join("outcomes/a.csv").is_file() {
            break;
        }
    }
    assert_eq!(bench.sandbox.world().count("Lead"), 200);
    let applied = bench.apply_with(|request| request.max_records = Some(199)).await.expect("continued");
    assert_eq!(applied.exit, Exit::GateRefused, "{:?}", applied.report);
    assert_eq!(ends(&bench, "a"), ended([("deleted", 100)]));
    assert_eq!(ends(&bench, "b"), ended([("skipped refused", 100)]));
}

#[tokio::test(start_paused = true)]
async fn a_lowered_limit_stops_the_rest_of_a_begun_policy_also_where_all_together_may_delete_more() {
    let wide = project("objectLimits: { maxRecords: 1000, maxPercent: 100 }");
    let leads = policy("alpha", "everything", "  via: collections\n  concurrency: serial\n");
    let (bench, _) = bench(&format!("{wide}{leads}"));
    bench.plan().await.expect("planned");
    let stop = CancellationToken::new();
    let wish = stop.clone();
    bench.transport.before_deletion(move |_| wish.cancel());
    let interrupted = bench.apply_confirmed(&[], &stop).await.expect("begun");
    assert_eq!((interrupted.exit, bench.sandbox.world().count("Lead")), (Exit::Interrupted, 100));
    bench.declare(&format!("{wide}{}", leads.replace("maxRecords: 1000", "maxRecords: 299")));
    assert_eq!(bench.apply().await.expect("continued").exit, Exit::GateRefused);
    assert_eq!(ends(&bench, "alpha"), ended([("deleted", 200), ("skipped refused", 100)]));
}

/// The records that a plan does not name are fewer by now, so that its share of the object has grown.
#[tokio::test(start_paused = true)]
async fn a_bound_that_was_raised_since_the_plan_does_not_loosen_it() {
    let leads = [policy("a", "Company = 'A'", ""), policy("b", "Company = 'B'", "")].concat();
    let most = |percent: u64| project(&format!("objectLimits: {{ maxRecords: 300, maxPercent: {percent} }}")) + &leads;
    let (bench, keys) = bench(&most(70));
    bench.plan().await.expect("planned");
    assert_eq!(refusals(&bench), Vec::<String>::new());
    let others: Vec<String> = keys.iter().skip(2).step_by(3).map(ToString::to_string).collect();
    delete(&bench, &others);
    bench.declare(&most(100));
    let error = bench.apply().await.expect_err("the plan was reviewed with the lower bound");
    assert_eq!(error.exit, Exit::GateRefused);
    assert!(error.notes[0].contains("object-limits: 200 of 200"), "{error:?}");
    assert_eq!(bench.sandbox.world().count("Lead"), 200);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_anyway_does_not_refuse_the_others() {
    let refused = policy("alpha", "Company = 'A'", "").replace("maxRecords: 1000", "maxRecords: 99");
    let bound = project("objectLimits: { maxRecords: 150, maxPercent: 100 }, planLimits: { maxRecords: 150 }");
    let (bench, _) = bench(&format!("{bound}{refused}{}", policy("beta", "Company = 'B'", "")));
    bench.plan().await.expect("planned");
    let said = refusals(&bench);
    assert!(matches!(&said[..], [one] if one.starts_with("alpha: max-records: 100 records")), "{said:?}");
}

/// Records that go away by somebody else's hand.
fn delete(bench: &Bench, ids: &[String]) {
    let deletion = sexton::sandbox::Deletion {
        mode: sexton::sandbox::DeleteMode::Soft,
        all_or_none: false,
        user: support::story::Story::user(),
    };
    bench.sandbox.world().delete(ids, deletion).into_iter().for_each(|deleted| deleted.expect("deleted"));
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_whole_goes_when_a_record_of_it_is_kept_back() {
    let whole = policy("alpha", "Company = 'A'", "  allOrNone: true\n");
    let hold = "apiVersion: sexton/v1\nkind: Hold\nmetadata: { name: matter }\nspec:\n  target: crm\n  object: Lead\n  \
                filter: LastName = 'Held'\n  reason: Matter 7\n";
    for (field, value, held) in [("LastName", "Held", true), ("Company", "Z", false)] {
        let (bench, leads) = self::bench(&whole);
        bench.plan().await.expect("planned");
        bench.sandbox.world().update(leads[3], field, value).expect("known");
        if held {
            bench.declare(&format!("{whole}{hold}"));
        }
        let error = bench.apply().await.expect_err("a part");
        assert_eq!(error.exit, Exit::GateRefused, "{error:?}");
        assert!(error.notes[0].contains("all-or-none: 1 record"), "{error:?}");
        assert_eq!(bench.sandbox.world().count("Lead"), LEADS as u64);
    }
    // What is gone is where the policy wants it.
    let (bench, leads) = self::bench(&whole);
    bench.plan().await.expect("planned");
    delete(&bench, &[leads[3].to_string()]);
    assert_eq!(bench.apply().await.expect("applied").report.tally().deleted, 99);
}

#[tokio::test(start_paused = true)]
async fn some_policies_are_planned_alone_if_they_depend_on_none_that_is_left_out() {
    let after = |name: &str, filter: &str, others: &str| policy(name, filter, &format!("  dependsOn: [{others}]\n"));
    let documents = [
        policy("alpha", "Company = 'A'", ""),
        after("beta", "Company IN ('A', 'B')", "alpha"),
        policy("gamma", "everything", ""),
    ];
    let (bench, _) = bench(&documents.concat());
    let error = bench.plan_only(&["beta", "gamma"]).await.expect_err("alpha is missing");
    assert_eq!(error.notes, ["`beta` depends on `alpha`"]);
    let error = bench.plan_only(&["alpa"]).await.expect_err("no such policy");
    assert_eq!(error.help.as_deref(), Some("did you mean `alpha`?"));
    let planned = bench.plan_only(&["beta", "alpha"]).await.expect("planned");
    assert_eq!(numbers(&bench), ["alpha 100 of 100", "beta 100 of 200 alpha 100"]);
    let view = PlanView { header: &planned.header, digest: None, samples: &planned.samples, place: "plan" };
    let text = view.text(Palette::new(false));
    assert!(text.contains("only the policies that were asked for: alpha, beta\n"), "{text}");
    assert_eq!(bench.apply().await.expect("applied").report.tally().deleted, 200);
    // The others are planned by the next one.
    bench.plan().await.expect("planned");
    assert_eq!(numbers(&bench)[2], "gamma 100 of 100");
}

#[tokio::test(start_paused = true)]
async fn policies_that_pass_are_applied_without_a_refused_one_where_the_project_or_the_command_says_so() {
    let refused = policy("alpha", "Company = 'A'", "  reviewBy: 2020-01-31\n");
    let dependent = policy("beta", "Company = 'B'", "  dependsOn: [alpha]\n");
    let documents = [refused, dependent, policy("gamma", "Company = 'C'", "")].concat();
    for by_project in [true, false] {
        let settings = if by_project { project("onRefusal: skip") } else { String::new() };
        let (bench, _) = self::bench(&format!("{settings}{documents}"));
        let planned = bench.plan().await.expect("planned");
        // Its numbers are shown for the next review.
        assert_eq!(planned.header.policies[0].selected, 100);
        assert!(
            refusals(&bench)[0].starts_with("alpha: review-by: `reviewBy` 2020-01-31 has passed"),
            "{:?}",
            refusals(&bench)
        );
        let applied = if by_project {
            bench.apply().await.expect("applied")
        } else {
            assert_eq!(bench.apply().await.expect_err("stops").exit, Exit::GateRefused);
            assert_eq!(bench.sandbox.world().count("Lead"), LEADS as u64);
            bench.apply_with(|request| request.on_refusal = Some(OnRefusal::Skip)).await.expect("applied")
        };
        assert_eq!(applied.exit, Exit::GateRefused, "{:?}", applied.report);
        assert_eq!(ends(&bench, "alpha"), ended([("skipped refused", 100)]));
        assert_eq!(ends(&bench, "beta"), ended([("skipped dependency", 100)]));
        assert_eq!(ends(&bench, "gamma"), ended([("deleted", 100)]));
        assert_eq!(bench.sandbox.world().count("Lead"), 200);
        assert!(bench.state().consumed[0].finished.is_some(), "the plan is used");
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_refused_on_fresh_numbers_or_has_no_route_does_not_stop_the_others_either() {
    let whole = policy("alpha", "Company = 'A'", "  allOrNone: true\n");
    let (bench, leads) = self::bench(&format!("{whole}{}", policy("gamma", "Company = 'C'", "")));
    bench.plan().await.expect("planned");
    bench.sandbox.world().update(leads[0], "Company", "Z").expect("known");
    let skip = |request: &mut ApplyRequest| {
        request.on_refusal = Some(OnRefusal::Skip);
        // What is refused does not count.
        request.max_records = Some(100);
    };
    let applied = bench.apply_with(skip).await.expect("applied");
    assert_eq!(applied.exit, Exit::GateRefused);
    assert_eq!(ends(&bench, "alpha"), ended([("skipped no-longer-matches", 1), ("skipped refused", 99)]));
    assert_eq!(ends(&bench, "gamma"), ended([("deleted", 100)]));

    // No API deletes so many as a whole by one request.
    let pinned = policy("alpha", "Company != 'C'", "  allOrNone: true\n  via: collections\n");
    let (bench, _) = self::bench(&format!(
        "{pinned}{}{}",
        policy("beta", "Company = 'Z'", "  dependsOn: [alpha]\n"),
        policy("gamma", "Company = 'C'", "")
    ));
    bench.sandbox.world().insert("Lead", [("LastName", "One".into()), ("Company", "A".into())]).expect("known");
    bench.plan().await.expect("planned");
    let applied = bench.apply_with(|request| request.on_refusal = Some(OnRefusal::Skip)).await.expect("applied");
    assert_eq!(applied.exit, Exit::GateRefused);
    assert_eq!(ends(&bench, "alpha"), ended([("skipped refused", 201)]));
    assert_eq!(ends(&bench, "gamma"), ended([("deleted", 100)]));
}

#[tokio::test(start_paused = true)]
async fn where_every_policy_is_refused_nothing_is_applied_and_the_plan_stays_unused() {
    let (bench, _) = bench(&policy("alpha", "Company = 'A'", "  reviewBy: 2020-01-31\n"));
    bench.plan().await.expect("planned");
    let error = bench.apply_with(|request| request.on_refusal = Some(OnRefusal::Skip)).await.expect_err("nothing is left");
    assert_eq!(error.exit, Exit::GateRefused);
    assert!(bench.state().consumed.is_empty());
}

#[tokio::test(start_paused = true)]
async fn children_that_keep_their_parents_are_counted_and_the_dependency_that_helps_is_named() {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Account", 3, 7).expect("accounts");
    let accounts: Vec<RecordKey> = world.ids("Account").collect();
    for account in &accounts[..2] {
        world.insert("Case", [("Subject", "Old".into()), ("AccountId", (*account).into())]).expect("a case");
    }
    let bench = Bench::new(world);
    let of = |text: String, object: &str| text.replace("object: Lead", &format!("object: {object}"));
    let accounts = of(policy("accounts", "everything", ""), "Account");
    let cases = of(policy("cases", "everything", ""), "Case");
    let told = async |documents: &str| {
        bench.declare(documents);
        let planned = bench.plan().await.expect("planned");
        let policy = planned.header.policies.iter().find(|policy| policy.policy == name("accounts")).expect("planned");
        let gate = policy.gates.iter().find(|finding| finding.gate == "restricting").expect("told");
        format!("{:?} {}", gate.kind, gate.message)
    };
    let these = "2 `Case` by `AccountId` keep their parents from being deleted";
    assert_eq!(told(&accounts).await, format!("Warn {these}: no policy of this plan deletes such records"));
    assert_eq!(
        told(&format!("{accounts}{cases}")).await,
        format!("Warn {these}: write `dependsOn: [cases]`, since policy `cases` deletes such records")
    );
    let waiting = accounts.replace("---\n", "  dependsOn: [cases]\n---\n");
    assert!(told(&format!("{waiting}{cases}")).await.starts_with(&format!("Pass {these}, and policy `cases`, on which")));
}

/// Nobody can make a policy depend on itself, so that it would be bad advice.
#[tokio::test(start_paused = true)]
async fn a_policy_whose_own_records_keep_each_other_is_not_told_to_depend_on_itself() {
    let up = Lookup::to(&["Node__c"], "Up__r").children("Nodes__r").on_delete(OnDelete::Restrict);
    let object = ObjectDefinition::new("Node__c", "Node", "Nodes", *b"a01").with("Name", FieldKind::Text(80));
    let mut world = World::builder().start(start()).object(object.with("Up__c", up.into())).build().expect("a world");
    let top = world.insert("Node__c", [("Name", "top".into())]).expect("a node");
    world.insert("Node__c", [("Name", "below".into()), ("Up__c", top.into())]).expect("a node");
    let bench = Bench::new(world);
    bench.declare(&policy("nodes", "everything", "").replace("object: Lead", "object: Node__c"));
    let planned = bench.plan().await.expect("planned");
    let gates = &planned.header.policies[0].gates;
    let told = gates.iter().find(|finding| finding.gate == "restricting").expect("told");
    assert!(told.message.contains("by `Up__c`") && !told.message.contains("dependsOn"), "{}", told.message);
}
