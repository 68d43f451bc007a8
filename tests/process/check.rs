//! `check`: whether a plan that waits can still be applied, asked of no system.

use std::process::Output;

use sexton::base::Digest;

use super::operating::crash;
use super::service::Service;
use super::workplace::{Workplace, policy};

fn planned() -> (Service, Workplace) {
    let (service, _keys) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["plan"]);
    (service, place)
}

fn shown(place: &Workplace, output: &Output) -> String {
    place.shown(output)
}

#[test]
fn a_plan_that_can_be_applied_is_0_asks_no_system_and_writes_nothing() {
    let (service, place) = planned();
    let asked = service.sandbox.requests().len();
    let before = place.files("");
    let output = place.expect(0, &["check", "--strict"]);
    assert_shown!(shown(&place, &output), @"
    plan [plan] in plan: 3 records to delete, whole, expires [moment]
    Check: can be applied.
    ");
    assert_eq!(service.sandbox.requests().len(), asked);
    assert_eq!(place.files(""), before);
    drop(service);
    place.expect(0, &["check", "plan"]);
}

#[test]
fn a_plan_that_was_left_behind_by_its_manifests_is_5_while_show_and_validate_see_nothing() {
    let (_service, place) = planned();
    place.write("policies.yaml", &policy("").replace("Company = 'Old'", "Company = 'Elder'"));
    place.expect(0, &["validate"]);
    place.expect(0, &["show"]);
    assert_shown!(shown(&place, &place.expect(5, &["check"])), @"
    plan [plan] in plan: 3 records to delete, whole, expires [moment]
    REFUSED the plan [plan] is stale: policy `stale-leads` was changed since the plan, in policies.yaml
      = --- DeletionPolicy stale-leads in policies.yaml (planned before)
      = +++ DeletionPolicy stale-leads in policies.yaml (now)
      = @@ -5,4 +5,4 @@
      =    target: crm
      =    object: Lead
      = -  filter: Company = 'Old'
      = +  filter: Company = 'Elder'
      =    limits: { maxRecords: 5000, maxPercent: 100 }
      help: make a new plan with `sexton plan` and review it
    Check: cannot be applied.
    ");
}

#[test]
fn a_used_an_expired_an_altered_and_a_foreign_plan_are_5() {
    let (service, place) = planned();
    place.expect(0, &["apply", "plan"]);
    let mut told = vec![shown(&place, &place.expect(5, &["check"]))];
    place.write("plan/records/stale-leads.csv", "Id\n");
    told.push(shown(&place, &place.expect(5, &["check"])));

    let other = Workplace::new(&service.url, &policy(""));
    other.plan_at("2020-01-01T10:00:00Z");
    told.push(shown(&other, &other.expect(5, &["check"])));
    let foreign = other.path().join("plan");
    let (_third_service, third) = planned();
    let output = third.expect(5, &["check", foreign.to_str().expect("text")]);
    assert!(third.told(&output).is_empty());
    assert!(String::from_utf8_lossy(&output.stdout).contains("belongs to another project"));
    assert_shown!(told.join("\n"), @"
    plan [plan] in plan: 3 records to delete, whole, expires [moment]
    REFUSED the plan [plan] was used: its apply finished at [moment]
      help: make a new plan with `sexton plan` and review it
    Check: cannot be applied.

    error: `records/stale-leads.csv` was altered after the plan was sealed: its digest is [digest] and should be [digest]; restore it, or plan again

    plan [plan] in plan: 0 records to delete, whole, expires [moment]
    REFUSED the plan [plan] expired at [moment]
      help: make a new plan with `sexton plan` and review it
    Check: cannot be applied.
    ");
}

#[test]
fn a_plan_that_a_gate_refused_is_4() {
    let (service, _keys) = Service::of_leads(300);
    let place = Workplace::new(&service.url, &policy("").replace("maxRecords: 5000", "maxRecords: 100"));
    place.expect(4, &["plan"]);
    let told = shown(&place, &place.expect(4, &["check"]));
    assert!(told.contains("REFUSED a gate refused this plan when it was made"), "{told}");
    assert!(told.contains("max-records: 300 records"), "{told}");
}

#[test]
fn without_a_state_it_is_not_known_whether_the_plan_was_used_and_strict_does_not_take_that() {
    let (_service, place) = planned();
    place.write("more.yaml", &policy("").replace("stale-leads", "later"));
    std::fs::remove_dir_all(place.path().join(".sexton")).expect("removed");
    assert_shown!(shown(&place, &place.expect(0, &["check"])), @"
    plan [plan] in plan: 3 records to delete, whole, expires [moment]
    note: not known whether used: there is no state here
    note: policy `later` is not in this plan
    Check: can be applied, unless it was used.
    ");
    place.expect(5, &["check", "--strict"]);
    let json = place.expect(5, &["check", "--strict", "--json"]);
    let events: Vec<serde_json::Value> =
        json.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let check = events.iter().find(|event| event["type"] == "plan_check").expect("checked");
    assert_eq!(check["used"], serde_json::Value::Null);
    assert_eq!((&check["applicable"], &check["exitCode"]), (&false.into(), &5.into()));
    assert_eq!(check["leftOut"], serde_json::json!(["later"]));
    assert!(!place.path().join(".sexton").exists(), "it writes nothing");
}

/// The verdict on the plan in `plan` is 5, and among its reasons is this one.
fn cannot_be_applied(place: &Workplace, reason: &str) {
    let told = shown(place, &place.expect(5, &["check", "plan"]));
    assert!(told.contains(reason), "{told}");
}

#[test]
fn a_begun_plan_and_every_other_one_beside_it_are_5() {
    let (service, place) = planned();
    crash(&service, &place, "begun");
    cannot_be_applied(&place, "is unfinished");
    let told = shown(&place, &place.expect(5, &["check", "begun"]));
    assert!(told.contains("was used: its apply began at"), "{told}");
    assert!(told.contains("sexton apply --continue"), "{told}");
}

#[test]
fn an_older_or_a_damaged_state_does_not_say_that_a_plan_is_unused() {
    let (_service, place) = planned();
    let older = place.read(".sexton/state.json");
    place.expect(0, &["apply", "plan"]);
    place.expect(0, &["plan"]);
    for state in [older.as_str(), "{"] {
        place.write(".sexton/state.json", state);
        let told = shown(&place, &place.expect(0, &["check"]));
        assert!(told.contains("not known whether used: ") && told.contains("unless it was used"), "{told}");
        place.expect(5, &["check", "--strict"]);
    }
}

#[test]
fn a_plan_of_another_project_is_5_also_where_only_the_manifests_tell() {
    let (_service, place) = planned();
    let project = "apiVersion: sexton/v1\nkind: Project\nmetadata: { name: other }\nspec: { lineage: 5f9d0f4e-0000-4000-8000-000000000009 }\n";
    place.write("project.yaml", project);
    std::fs::remove_dir_all(place.path().join(".sexton")).expect("removed");
    cannot_be_applied(&place, "belongs to another project");
}

#[test]
fn a_policy_that_was_to_be_reviewed_by_now_is_4() {
    let (service, _keys) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy("reviewBy: 2020-06-30"));
    place.write(
        "project.yaml",
        "apiVersion: sexton/v1\nkind: Project\nmetadata: { name: old }\nspec: { planExpiresAfter: 100 years }\n",
    );
    place.plan_at("2020-01-01T10:00:00Z");
    let told = shown(&place, &place.expect(4, &["check"]));
    assert!(told.contains("policy `stale-leads` was to be reviewed by 2020-06-30"), "{told}");
}

#[test]
fn a_plan_that_a_gate_refused_and_that_is_stale_as_well_is_5_with_both_reasons() {
    let (service, _keys) = Service::of_leads(300);
    let limited = policy("").replace("maxRecords: 5000", "maxRecords: 100");
    let place = Workplace::new(&service.url, &limited);
    place.expect(4, &["plan"]);
    place.write("policies.yaml", &policy(""));
    cannot_be_applied(&place, "a gate refused this plan");
    cannot_be_applied(&place, "is stale: policy `stale-leads` was changed");
}

/// Its digests are right, and its documents are those of the project: what it says of a policy is not.
#[test]
fn a_plan_that_says_something_else_than_its_manifests_is_5() {
    let (_service, place) = planned();
    let (plan, sums) = (place.read("plan/plan.json"), place.read("plan/SHA256SUMS"));
    let other = plan.replace("\"maxRecords\": 5000", "\"maxRecords\": 6000");
    assert_ne!(other, plan);
    let digest = |text: &str| Digest::of(text.as_bytes()).to_string();
    place.write("plan/SHA256SUMS", &sums.replace(&digest(&plan), &digest(&other)));
    place.write("plan/plan.json", &other);
    cannot_be_applied(&place, "policy `stale-leads`: the manifests give a different `limits`");
}

#[test]
fn a_run_that_an_older_state_does_not_know_is_found_in_the_store() {
    let (_service, place) = planned();
    let older = place.read(".sexton/state.json");
    place.expect(0, &["apply", "plan"]);
    place.write(".sexton/state.json", &older);
    let mut told = shown(&place, &place.expect(5, &["check", "--strict"]));
    std::fs::remove_file(place.path().join(".sexton/state.json")).expect("removed");
    told.push_str(&shown(&place, &place.expect(5, &["check"])));
    assert_shown!(told, @"
    plan [plan] in plan: 3 records to delete, whole, expires [moment]
    REFUSED the plan [plan] was used: its run ended, and the state here has no record of it
      = the state is probably an older copy
      help: restore the newer state, if there is one; or run `sexton apply` with this plan, which sends nothing and tells the state how the run ended; then make a new plan
    Check: cannot be applied.
    plan [plan] in plan: 3 records to delete, whole, expires [moment]
    REFUSED the plan [plan] was used: its run ended, and the state here has no record of it
      = `.sexton/state.json` was lost: it is not there, but the store has 1 run ([plan])
      help: restore the state of this project
    Check: cannot be applied.
    ");
}

#[test]
fn a_comment_has_room_for_its_totals_or_is_refused() {
    let (_service, place) = planned();
    let show = |code: i32, most: &str| place.expect(code, &["show", "--format", "markdown", "--max-bytes", most]);
    assert_shown!(shown(&place, &show(1, "0")), @"
    error: invalid value '0' for '--max-bytes <N>': write a whole number of at least 1000: the totals need that

    For more information, try '--help'.
    ");
    assert!(show(0, "1000").stdout.len() <= 1_000);
}

#[test]
fn a_plan_and_its_show_give_the_same_records_the_same_symbols() {
    let (service, place) = planned();
    let records = |output: &Output| -> Vec<String> {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().filter(|line| line.starts_with("    ")).map(str::to_owned).collect()
    };
    super::service::add_leads(&mut service.sandbox.world(), 2, "Old");
    for base in [&[][..], &["--base", "reviewed"]] {
        place.expect(0, &["plan", "--out", "reviewed"]);
        super::service::add_leads(&mut service.sandbox.world(), 1, "Old");
        let words: Vec<&str> = ["plan"].iter().chain(base).copied().collect();
        let planned = records(&place.expect(0, &words));
        assert_eq!(records(&place.expect(0, &["show"])), planned);
        let reviewed = planned.iter().filter(|line| line.starts_with("    = ")).count();
        assert_eq!(reviewed, if base.is_empty() { 0 } else { 5 }, "{planned:?}");
        let markdown = place.expect(0, &["show", "--format", "markdown"]);
        let markdown = String::from_utf8_lossy(&markdown.stdout).into_owned();
        assert_eq!(markdown.matches("| = | ").count() + markdown.matches("| \\= | ").count(), reviewed, "{markdown}");
    }
}
