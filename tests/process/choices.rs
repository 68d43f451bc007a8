//! What a person may choose beside the manifests: some of the policies, what a refusal does to the others, and a lower limit.

use std::collections::BTreeSet;

use sexton::sandbox::ItemError;

use super::service::{Service, add_leads};
use super::workplace::Workplace;

/// Three leads each of `a`, `b` and `c`.
fn service() -> Service {
    let (service, _) = Service::of_leads(0);
    for company in ["a", "b", "c"] {
        add_leads(&mut service.sandbox.world(), 3, company);
    }
    service
}

/// A policy of that name for the leads of the company of that name; `more` are further lines of its `spec`.
fn policy(name: &str, more: &str) -> String {
    super::workplace::policy(more).replace("stale-leads", name).replace("'Old'", &format!("'{name}'")) + "---\n"
}

/// `b` depends on `a`, and `c` on nothing.
fn policies(of_a: &str) -> String {
    [policy("a", of_a), policy("b", "dependsOn: [a]"), policy("c", "")].concat()
}

const OVERDUE: &str = "reviewBy: 2020-01-31";

fn leads(service: &Service) -> u64 {
    service.sandbox.world().count("Lead")
}

/// The text without the day.
fn undated(text: &str) -> String {
    let parts = text.split("(today is ").enumerate();
    parts
        .map(|(number, part)| if number == 0 { part.to_owned() } else { format!("(today is [day]{}", &part[10..]) })
        .collect()
}

/// The events of one kind, without what differs from run to run.
fn events(output: &std::process::Output, kind: &str) -> Vec<serde_json::Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line));
    events.filter(|event| event["type"] == kind).collect()
}

#[test]
fn some_policies_are_planned_with_all_they_depend_on_or_not_at_all() {
    let service = service();
    let place = Workplace::new(&service.url, &policies(""));
    let told = ["b,c", "a,bb"].map(|names| place.told(&place.expect(1, &["plan", "--policy", names])));
    assert_shown!(told.join("\n"), @"
    error: policies of this plan depend on policies that are not in it
      = `b` depends on `a`
      help: add a to `--policy`

    error: the manifests have no policy `bb`
      help: did you mean `b`?
    ");
    assert!(!place.path().join("plan").exists(), "a plan was written");
    let output = place.expect(1, &["plan", "--policy", "b", "--json"]);
    let error = &events(&output, "error")[0];
    assert_eq!(error["notes"], serde_json::json!(["`b` depends on `a`"]));
    assert_eq!(error["help"], "add a to `--policy`");

    let output = place.expect(0, &["plan", "--policy", "b,a", "--json"]);
    let planned: Vec<String> = events(&output, "policy_planned").iter().map(|event| event["policy"].to_string()).collect();
    assert_eq!(planned, ["\"a\"", "\"b\""]);
    assert_eq!(events(&output, "plan_summary")[0]["only"], serde_json::json!(["a", "b"]));
    assert!(place.shown(&place.expect(0, &["show"])).contains("only the policies that were asked for: a, b\n"));
    place.expect(0, &["apply", "plan"]);
    assert_eq!(leads(&service), 3);
}

#[test]
fn a_refusal_stops_everything_or_is_skipped_as_the_command_or_the_project_says() {
    let service = service();
    let place = Workplace::new(&service.url, &policies(OVERDUE));
    let planned = place.expect(4, &["plan"]);
    let stopped = [&["apply", "plan"][..], &["apply", "plan", "--on-refusal", "stop"]]
        .map(|words| place.told(&place.expect(4, words)));
    assert_eq!(stopped[0], stopped[1], "to stop is the default");
    assert_shown!(undated(&format!("{}\n{}", place.told(&planned), stopped[0])), @"
    signing in to crm
    a: selecting: 3 of 3
    b: selecting: 3 of 3
    c: selecting: 3 of 3
    To delete what passed and skip what was refused: sexton apply plan --on-refusal skip

    error: a gate refused this plan when it was made; nothing was deleted
      = policy a: review-by: `reviewBy` 2020-01-31 has passed (today is [day]): review the policy, set a later day, and plan again
      help: mend what was refused and make a new plan, or apply the other policies with `--on-refusal skip`: the records of what was refused, and of what depends on it, are skipped
    ");
    let told = place.told(&place.expect(1, &["apply", "plan", "--on-refusal", "ask"]));
    assert!(told.contains("write `stop` or `skip`"), "{told}");
    assert_eq!(leads(&service), 9);

    // What is skipped, and what depends on it, is no part of what the command bounds.
    let told = place.told(&place.expect(4, &["apply", "plan", "--on-refusal", "skip", "--max-records", "2"]));
    assert!(told.contains("policy c: plan-limits: 3 records go in all and `--max-records` is 2"), "{told}");
    let skipped = place.expect(4, &["apply", "plan", "--on-refusal", "skip", "--max-records", "3"]);
    assert_shown!(undated(&place.redacted(&String::from_utf8_lossy(&skipped.stdout))), @"
    policy a:
               0 deleted
               3 skipped: the policy was refused
      nothing was sent: review-by: `reviewBy` 2020-01-31 has passed (today is [day]): review the policy, set a later day, and plan again
    policy b:
               0 deleted
               3 skipped: a dependency did not succeed
      nothing was sent: policy a, on which it depends, was refused

    policy  target  object  planned  deleted  gone  skipped  failed  unknown
    a       crm     Lead          3        0     0        3       0        0
    b       crm     Lead          3        0     0        3       0        0
    c       crm     Lead          3        3     0        0       0        0

    evidence in .sexton/runs/[plan]
    Apply: 3 deleted, 6 skipped; 9 planned.
    ");
    assert_eq!(leads(&service), 6);
    let again = place.told(&place.expect(5, &["apply", "plan", "--on-refusal", "skip"]));
    assert!(again.contains("was used"), "{again}");

    // The project says `skip`; the command may still say `stop`.
    let project = "apiVersion: sexton/v1\nkind: Project\nmetadata: { name: p }\nspec: { onRefusal: skip }\n";
    place.write("project.yaml", project);
    add_leads(&mut service.sandbox.world(), 2, "c");
    place.expect(4, &["plan"]);
    place.expect(4, &["apply", "plan", "--on-refusal", "stop"]);
    assert_eq!(leads(&service), 8);
    let skipped = place.expect(4, &["apply", "plan", "--json"]);
    let ends: Vec<String> = events(&skipped, "policy_applied")
        .iter()
        .map(|event| format!("{}: {} deleted, skipped {}", event["policy"], event["tally"]["deleted"], event["skipped"]))
        .collect();
    assert_shown!(ends.join("\n"), @r#"
    "a": 0 deleted, skipped {"refused":3}
    "b": 0 deleted, skipped {"dependency":3}
    "c": 2 deleted, skipped {}
    "#);
    assert_eq!(leads(&service), 6);
}

#[test]
fn records_that_fail_beside_a_refusal_are_3() {
    let service = service();
    let last = service.sandbox.world().ids("Lead").last().expect("a lead of c");
    service.sandbox.world().refuse(last, ItemError::new("DELETE_FAILED", "a trigger says no"), None);
    let place = Workplace::new(&service.url, &policies(OVERDUE));
    place.expect(4, &["plan"]);
    place.expect(3, &["apply", "plan", "--on-refusal", "skip"]);
    assert_eq!(leads(&service), 7);
}

#[test]
fn where_nothing_is_left_a_refusal_is_not_skipped_and_no_such_way_is_shown() {
    let service = service();
    let place = Workplace::new(&service.url, &policy("a", OVERDUE));
    let planned = place.expect(4, &["plan"]);
    let applied = place.expect(4, &["apply", "plan", "--on-refusal", "skip"]);
    let told = format!("{}{}", place.shown(&planned), place.told(&applied));
    assert!(!told.contains("--on-refusal"), "{told}");
    assert_eq!(leads(&service), 9);
    // The plan was not used.
    place.write("policies.yaml", &policy("a", ""));
    place.expect(0, &["plan"]);
    place.expect(0, &["apply", "plan"]);
    assert_eq!(leads(&service), 6);
}

#[test]
fn a_target_that_is_confirmed_and_not_in_the_manifests_is_an_error_whatever_the_plan_deletes() {
    let mut told = BTreeSet::new();
    for more in ["", "delete: hard\njustification: article 17"] {
        let service = service();
        let place = Workplace::new(&service.url, &policy("a", more));
        for words in
            [&["apply", "plan", "--confirm-target", "crmm"][..], &["apply", "--confirm-target", "crmm", "--auto-approve"]]
        {
            told.insert(place.shown(&place.expect(1, words)));
        }
        assert!(!place.path().join("plan").exists(), "it is said before a plan is made");
        assert_eq!(leads(&service), 9);
    }
    assert_shown!(told.into_iter().collect::<String>(), @"
    error: `--confirm-target crmm`: the manifests have no such target; nothing was deleted
      help: did you mean `crm`?
    ");
}

#[test]
fn a_command_lowers_the_limits_of_a_plan_and_never_raises_them() {
    let service = service();
    let place = Workplace::new(&service.url, &policies(""));
    place.expect(0, &["plan"]);
    let sealed = place.read("plan/plan.json");
    let told = place.told(&place.expect(4, &["apply", "plan", "--max-records", "8"]));
    assert_shown!(told, @"
    signing in to crm
    a: selecting: 3 of 3
    b: selecting: 3 of 3
    c: selecting: 3 of 3
    error: a gate refused on the fresh numbers; nothing was deleted
      = policies a, b, c: plan-limits: 9 records go in all and `--max-records` is 8: raise it to 9, or plan fewer policies with `--policy`
      help: mend what was refused and run the same command again, or make a new plan
    ");
    let output = place.expect(4, &["apply", "plan", "--max-records", "8", "--on-refusal", "skip", "--json"]);
    assert_eq!(events(&output, "error")[0]["exitCode"], 4);
    assert_eq!(leads(&service), 9);
    // It is the command's, not the plan's: the same plan goes with another number.
    assert_eq!(place.read("plan/plan.json"), sealed);
    place.expect(0, &["apply", "plan", "--max-records", "9"]);
    assert_eq!(leads(&service), 0);

    add_leads(&mut service.sandbox.world(), 3, "c");
    place.write("policies.yaml", &policy("c", "").replace("maxRecords: 5000", "maxRecords: 2"));
    place.expect(4, &["plan"]);
    let told = place.told(&place.expect(4, &["apply", "plan", "--max-records", "100"]));
    assert!(told.contains("`limits.maxRecords` is 2"), "{told}");
    assert_eq!(leads(&service), 3);
}
