//! Every documented exit code, by a real command that earns it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use sexton::sandbox::{DeleteMode, Deletion, ItemError, Organization, Permissions, RecordKey, Sandbox, Settings, World};
use sexton::state::LockInfo;
use sexton::store::{Backend, DirectoryStore, LocalFiles};

use super::service::{Asked, Memory, Service, Tap, Verdict, add_leads, builder, start};
use super::workplace::{Workplace, policy, stop_signals};

/// The lines about gates that refused.
fn refusals(output: &std::process::Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .filter(|line| line.contains("REFUSED") || line.starts_with("Plan:"))
        .map(|line| format!("{line}\n"))
        .collect()
}

fn delete(world: &mut World, keys: &[RecordKey]) {
    let ids: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let deletion = Deletion { mode: DeleteMode::Soft, all_or_none: false, user: world.first_user() };
    assert!(world.delete(&ids, deletion).iter().all(Result::is_ok));
}

#[test]
fn done_is_0_and_deletions_present_are_2_only_where_asked_for() {
    let (service, _keys) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["validate"]);
    place.expect(0, &["plan"]);
    place.expect(2, &["plan", "--detailed-exitcode", "--out", "later"]);
    place.expect(0, &["diff", "plan", "later", "--detailed-exitcode"]);
    add_leads(&mut service.sandbox.world(), 1, "Old");
    place.expect(2, &["plan", "--detailed-exitcode", "--out", "later"]);
    place.expect(0, &["diff", "plan", "later"]);
    place.expect(2, &["diff", "plan", "later", "--detailed-exitcode"]);
    place.expect(0, &["show"]);
    place.expect(0, &["apply", "later"]);
    assert_eq!(service.sandbox.world().count("Lead"), 0);
    place.expect(0, &["plan", "--detailed-exitcode"]);
    place.expect(0, &["apply", "--auto-approve"]);
    // A refusal is no "there is something to delete".
    add_leads(&mut service.sandbox.world(), 1, "Old");
    place.write("policies.yaml", &policy("reviewBy: 2020-01-31"));
    place.expect(4, &["plan", "--detailed-exitcode"]);
    place.expect(0, &["--help"]);
    place.expect(0, &["--version"]);
}

#[test]
fn an_error_is_1_and_nothing_was_deleted() {
    let (service, _keys) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(1, &["show"]);
    place.expect(1, &["apply", "plan"]);
    place.expect(1, &["state", "list"]);
    place.expect(1, &["plan", "--no-such-flag"]);
    place.expect(1, &["plna"]);
    place.expect(1, &[]);
    place.write("policies.yaml", &policy("colour: red"));
    place.expect(1, &["validate"]);
    place.expect(1, &["plan"]);
    assert_eq!(service.sandbox.world().count("Lead"), 3);
}

#[test]
fn records_that_failed_are_3() {
    let (service, keys) = Service::of_leads(3);
    service.sandbox.world().refuse(keys[1], ItemError::new("DELETE_FAILED", "your trigger says no"), None);
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["plan"]);
    let output = place.expect(3, &["apply", "plan"]);
    assert_shown!(place.redacted(&String::from_utf8_lossy(&output.stdout)), @"
    policy stale-leads:
               2 deleted
               1 failed: DELETE_FAILED

    evidence in .sexton/runs/[plan]
    Apply: 2 deleted, 1 failed; 3 planned.
    ");
    assert_eq!(service.sandbox.world().ids("Lead").collect::<Vec<_>>(), [keys[1]]);
}

/// A plan that a gate refuses, and its apply.
fn refused(service: &Service, more: &str) -> String {
    let place = Workplace::new(&service.url, &policy(more));
    refused_in(&place)
}

fn refused_in(place: &Workplace) -> String {
    let planned = place.expect(4, &["plan"]);
    let applied = place.expect(4, &["apply", "plan", "--confirm-target", "crm"]);
    assert_eq!(applied.stdout, b"");
    format!("{}{}", refusals(&planned), place.told(&applied))
}

#[test]
fn every_gate_refuses_with_4() {
    let mut texts = Vec::new();
    let (service, keys) = Service::of_leads(300);
    let tight = |records: u64, percent: u64| {
        policy("").replace("maxRecords: 5000, maxPercent: 100", &format!("maxRecords: {records}, maxPercent: {percent}"))
    };
    texts.push(refused_in(&Workplace::new(&service.url, &tight(100, 100))));
    texts.push(refused_in(&Workplace::new(&service.url, &tight(1000, 50))));
    texts.push(refused(&service, "via: collections\nallOrNone: true"));
    texts.push(refused(&service, "delete: hard\njustification: article 17"));
    assert_eq!(service.sandbox.world().count("Lead"), keys.len() as u64);

    let user = service.sandbox.world().first_user();
    let denied = Permissions { delete_denied: BTreeSet::from(["Lead".to_owned()]), ..Permissions::default() };
    service.sandbox.world().set_permissions(user, denied);
    texts.push(refused(&service, ""));

    let production = Organization { is_sandbox: false, ..builder().build().expect("a world").organization().clone() };
    let mut world = builder().organization(production).build().expect("a world");
    add_leads(&mut world, 3, "Old");
    texts.push(refused(&Service::of(world), ""));
    assert_shown!(texts.join("\n"), @"
    stale-leads  Lead       300     0  REFUSED: max-records (soft)
      REFUSED    max-records: 300 records and `limits.maxRecords` is 100: raise it by 200 to 300, or narrow the filter
    Plan: 300 to delete; 1 policy refused by a gate.
    error: a gate refused this plan when it was made; nothing was deleted
      = policy stale-leads: max-records: 300 records and `limits.maxRecords` is 100: raise it by 200 to 300, or narrow the filter
      help: mend what was refused and make a new plan

    stale-leads  Lead       300     0  REFUSED: max-percent (soft)
      REFUSED    max-percent: 300 of 300 records and `limits.maxPercent` is 50, so at most 150 may go: raise it to 100, or narrow the filter by 150 records
    Plan: 300 to delete; 1 policy refused by a gate.
    error: a gate refused this plan when it was made; nothing was deleted
      = policy stale-leads: max-percent: 300 of 300 records and `limits.maxPercent` is 50, so at most 150 may go: raise it to 100, or narrow the filter by 150 records
      help: mend what was refused and make a new plan

    stale-leads  Lead       300     0  REFUSED: all-or-none (soft)
      REFUSED    all-or-none: 300 records cannot be deleted as a whole: `allOrNone: true` takes at most 200 (sObject Collections), which is 100 fewer; narrow the filter, or set `allOrNone: perRequest` for atomic groups of 200
    Plan: 300 to delete; 1 policy refused by a gate.
    error: a gate refused this plan when it was made; nothing was deleted
      = policy stale-leads: all-or-none: 300 records cannot be deleted as a whole: `allOrNone: true` takes at most 200 (sObject Collections), which is 100 fewer; narrow the filter, or set `allOrNone: perRequest` for atomic groups of 200
      help: mend what was refused and make a new plan

    stale-leads  Lead       300     0  REFUSED: hard-delete (hard, no undo)
      REFUSED    hard-delete: this login may not hard delete `Lead`: grant the system permission `Bulk API Hard Delete` to this user, in a permission set under System Permissions, or set `delete: soft`
    Plan: 300 to delete; 1 policy refused by a gate.
    error: a gate refused this plan when it was made; nothing was deleted
      = policy stale-leads: hard-delete: this login may not hard delete `Lead`: grant the system permission `Bulk API Hard Delete` to this user, in a permission set under System Permissions, or set `delete: soft`
      help: mend what was refused and make a new plan

    stale-leads  Lead       300     0  REFUSED: deletable (soft)
      REFUSED    deletable: this login may not delete `Lead`: grant it Delete on that object, or remove the policy
    Plan: 300 to delete; 1 policy refused by a gate.
    error: a gate refused this plan when it was made; nothing was deleted
      = policy stale-leads: deletable: this login may not delete `Lead`: grant it Delete on that object, or remove the policy
      help: mend what was refused and make a new plan

    stale-leads  Lead         3     0  REFUSED: production (soft)
      REFUSED    production: organization 00DS00000000001MAA (Sandbox Industries) is production and the target says `environment: sandbox`: sign in to the system you mean, or set `environment: production` in the target
    Plan: 3 to delete; 1 policy refused by a gate.
    error: a gate refused this plan when it was made; nothing was deleted
      = policy stale-leads: production: organization 00DS00000000001MAA (Sandbox Industries) is production and the target says `environment: sandbox`: sign in to the system you mean, or set `environment: production` in the target
      help: mend what was refused and make a new plan
    ");
}

#[test]
fn an_object_that_suddenly_looks_empty_is_4() {
    let (service, _keys) = Service::of_leads(3);
    let young = add_leads(&mut service.sandbox.world(), 2, "Young");
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["plan"]);
    place.expect(0, &["apply", "plan"]);
    delete(&mut service.sandbox.world(), &young);
    assert_shown!(refused_in(&place), @"
    stale-leads  Lead         0     0  REFUSED: emptiness (soft)
      REFUSED    emptiness: `Lead` shows no records at all, but the last apply left 2 in it: check that this login can still see them; if they are gone for good, remove the policy from the manifests, run `sexton state rm` for it, and add it again
    Plan: 0 to delete; 1 policy refused by a gate.
    error: a gate refused this plan when it was made; nothing was deleted
      = policy stale-leads: emptiness: `Lead` shows no records at all, but the last apply left 2 in it: check that this login can still see them; if they are gone for good, remove the policy from the manifests, run `sexton state rm` for it, and add it again
      help: mend what was refused and make a new plan
    ");
}

#[test]
fn gates_are_asked_again_on_the_fresh_numbers() {
    let (service, _keys) = Service::of_leads(10);
    let young = add_leads(&mut service.sandbox.world(), 20, "Young");
    let documents = policy("").replace("maxPercent: 100", "maxPercent: 50");
    let place = Workplace::new(&service.url, &documents);
    place.expect(0, &["plan"]);
    delete(&mut service.sandbox.world(), &young);
    let output = place.expect(4, &["apply", "plan"]);
    insta::assert_snapshot!(place.told(&output), @"
    signing in to crm
    stale-leads: selecting: 10 of 10
    error: a gate refused on the fresh numbers; nothing was deleted
      = policy stale-leads: max-percent: 10 of 10 records and `limits.maxPercent` is 50, so at most 5 may go: raise it to 100, or narrow the filter by 5 records
      help: mend what was refused and run the same command again, or make a new plan
    ");
    assert_eq!(service.sandbox.world().count("Lead"), 10);
}

#[test]
fn a_hard_delete_needs_its_target_confirmed_or_is_4() {
    let (service, _keys) = Service::of_leads(3);
    let user = service.sandbox.world().first_user();
    service.sandbox.world().set_permissions(user, Permissions { hard_delete: true, ..Permissions::default() });
    let place = Workplace::new(&service.url, &policy("delete: hard\njustification: article 17"));
    place.expect(0, &["plan"]);
    let refused = place.expect(4, &["apply", "plan"]);
    place.expect(1, &["apply", "plan", "--confirm-target", "cmr"]);
    place.expect(4, &["apply", "--auto-approve"]);
    assert_eq!(service.sandbox.world().count("Lead"), 3);
    assert_shown!(place.told(&refused), @"
    error: the plan hard deletes, and its target was not confirmed by name; nothing was deleted
      help: look at the plan with `sexton show`, then add --confirm-target crm
    ");

    // The permission went between plan and apply.
    service.sandbox.world().set_permissions(user, Permissions::default());
    let refused = place.expect(4, &["apply", "plan", "--confirm-target", "crm"]);
    assert_eq!(service.sandbox.world().count("Lead"), 3);
    assert_shown!(place.told(&refused), @"
    signing in to crm
    stale-leads: selecting: 3 of 3
    error: a gate refused on the fresh numbers; nothing was deleted
      = policy stale-leads: hard-delete: this login may not hard delete `Lead`: grant the system permission `Bulk API Hard Delete` to this user, in a permission set under System Permissions, or set `delete: soft`
      help: mend what was refused and run the same command again, or make a new plan
    ");

    service.sandbox.world().set_permissions(user, Permissions { hard_delete: true, ..Permissions::default() });
    place.expect(0, &["apply", "plan", "--confirm-target", "crm"]);
    assert_eq!(service.sandbox.world().count("Lead"), 0);
}

/// A project with a plan of three leads, nothing applied yet.
fn planned() -> (Service, Workplace) {
    let (service, _keys) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["plan"]);
    (service, place)
}

/// The words of an apply that refuses the plan, having sent nothing.
fn unusable(service: &Service, place: &Workplace) -> String {
    let before = service.sandbox.world().count("Lead");
    let output = place.expect(5, &["apply", "plan"]);
    assert_eq!(service.sandbox.world().count("Lead"), before);
    assert_eq!(output.stdout, b"");
    place.told(&output)
}

#[test]
fn a_used_plan_is_5() {
    let (service, place) = planned();
    place.expect(0, &["apply", "plan"]);
    add_leads(&mut service.sandbox.world(), 2, "Old");
    assert_shown!(unusable(&service, &place), @"
    error: the plan [plan] was used: its apply finished at [moment]
      help: make a new plan with `sexton plan` and review it
    ");
}

#[test]
fn an_expired_plan_is_5() {
    let (service, _keys) = Service::of_leads(3);
    let place = Workplace::new(&service.url, &policy(""));
    place.plan_at("2020-01-01T10:00:00Z");
    assert_shown!(unusable(&service, &place), @"
    error: the plan [plan] expired at [moment]
      help: make a new plan with `sexton plan` and review it
    ");
}

#[test]
fn an_altered_plan_is_5() {
    let (service, place) = planned();
    let records = place.read("plan/records/stale-leads.csv");
    let header = place.read("plan/plan.json");
    let mut texts = Vec::new();
    let more = format!("{records}00QS0000000000zMAA\n");
    place.write("plan/records/stale-leads.csv", &more);
    texts.push(unusable(&service, &place));
    place.write("plan/records/stale-leads.csv", &records);
    place.write(
        "plan/plan.json",
        &header.replace("\"selected\":3", "\"selected\":2").replace("\"selected\": 3", "\"selected\": 2"),
    );
    texts.push(unusable(&service, &place));
    place.write("plan/plan.json", &header);
    place.write("plan/records/other.csv", &records);
    texts.push(unusable(&service, &place));
    std::fs::remove_file(place.path().join("plan/records/other.csv")).expect("removed");
    std::fs::remove_file(place.path().join("plan/records/stale-leads.csv")).expect("removed");
    texts.push(unusable(&service, &place));
    place.write("plan/records/stale-leads.csv", &records);
    place.write("plan/plan.json", "[]");
    texts.push(unusable(&service, &place));
    place.write("plan/plan.json", &header);
    place.expect(0, &["apply", "plan"]);
    assert_shown!(texts.join("\n"), @"
    error: `records/stale-leads.csv` was altered after the plan was sealed: its digest is [digest] and should be [digest]; restore it, or plan again

    error: `plan.json` was altered after the plan was sealed: its digest is [digest] and should be [digest]; restore it, or plan again

    error: `records/other.csv` is not part of the plan: move it away

    error: `records/stale-leads.csv` is missing from the plan: restore it, or plan again

    error: `plan.json` was altered after the plan was sealed: its digest is [digest] and should be [digest]; restore it, or plan again
    ");
}

#[test]
fn a_stale_plan_is_5() {
    let (service, place) = planned();
    place.write("policies.yaml", &policy("").replace("Company = 'Old'", "Company = 'Elder'"));
    assert_shown!(unusable(&service, &place), @"
    error: the plan [plan] is stale: policy `stale-leads` was changed since the plan, in policies.yaml
      = --- DeletionPolicy stale-leads in policies.yaml (planned before)
      = +++ DeletionPolicy stale-leads in policies.yaml (now)
      = @@ -5,4 +5,4 @@
      =    target: crm
      =    object: Lead
      = -  filter: Company = 'Old'
      = +  filter: Company = 'Elder'
      =    limits: { maxRecords: 5000, maxPercent: 100 }
      help: make a new plan with `sexton plan` and review it
    ");
}

#[test]
fn a_plan_of_another_project_is_5() {
    let (service, place) = planned();
    let other = Workplace::new(&service.url, &policy(""));
    other.expect(0, &["plan"]);
    let foreign = other.path().join("plan");
    let output = place.expect(5, &["apply", foreign.to_str().expect("text")]);
    assert_eq!(service.sandbox.world().count("Lead"), 3);
    assert_shown!(place.told(&output), @"
    error: the plan [plan] belongs to another project
      = the plan's lineage is [uuid], this project's is [uuid]
      help: make a new plan with `sexton plan` and review it
    ");

    std::fs::remove_file(place.path().join(".sexton/state.json")).expect("removed");
    assert_shown!(unusable(&service, &place), @"
    error: the plan [plan] was made with a state that is not here: it belongs to another project, or the state was lost
      help: make a new plan with `sexton plan` and review it
    ");
}

#[test]
fn a_plan_of_another_organization_is_5() {
    let memory = Arc::new(Memory::default());
    let mut world = builder().build().expect("a world");
    add_leads(&mut world, 3, "Old");
    let mut service = Service::tapped(Sandbox::new(world, Settings::starting_at(start())), memory.clone());
    let place = Workplace::new(&service.url, &policy(""));
    place.expect(0, &["plan"]);
    let key = RecordKey::parse("00DS00000000009").expect("an id");
    let other = Organization { key, ..builder().build().expect("a world").organization().clone() };
    let mut world = builder().organization(other).build().expect("a world");
    add_leads(&mut world, 3, "Old");
    service.becomes(Sandbox::new(world, Settings::starting_at(start())));
    let told = unusable(&service, &place);
    assert_shown!(told, @"
    signing in to crm
    error: target `crm` is not the organization the plan was made for; nothing was sent
      = the plan was made for 00DS00000000001MAA, the login is for 00DS00000000009MAA
      help: check the credentials of this environment, or make a plan for this organization
    ");
    assert!(memory.all().iter().all(|asked| asked.method == "GET" || asked.path.ends_with("/token")), "something was sent");

    let pinned =
        super::workplace::target(&service.url).replace("    auth:", "    organizationId: 00DS00000000001MAA\n    auth:");
    let place = Workplace::new(&service.url, &policy(""));
    place.write("target.yaml", &pinned);
    let output = place.expect(5, &["plan"]);
    assert_shown!(place.told(&output), @"
    signing in to crm
    error: could not use this login: it is for organization 00DS00000000009MAA, but the target is 00DS00000000001MAA
      = while signing in to target `crm`
      help: sign in to the right organization, or correct the target's `organizationId`
    ");
}

/// Asks a process once to stop, when the first deletion is under way.
struct Interrupter {
    signal: &'static str,
    process: AtomicU32,
    /// Held while the process starts.
    starting: Mutex<()>,
}

impl Tap for Interrupter {
    fn arrived(&self, asked: &Asked) -> Verdict {
        if asked.method == "DELETE" {
            let _started = self.starting.lock();
            let process = self.process.swap(0, Ordering::SeqCst);
            if process != 0 {
                assert!(Command::new("kill").args([self.signal, &process.to_string()]).status().expect("kill").success());
            }
        }
        Verdict::CarryOut
    }
}

/// A project whose apply of 3,000 leads was interrupted in the middle.
fn interrupted(signal: &'static str) -> (Service, Workplace, String) {
    let interrupter = Arc::new(Interrupter { signal, process: AtomicU32::new(0), starting: Mutex::new(()) });
    let mut world = builder().build().expect("a world");
    add_leads(&mut world, 3_000, "Old");
    let sandbox = Sandbox::new(world, Settings::starting_at(start()));
    let service = Service::tapped(sandbox, interrupter.clone());
    let place = Workplace::new(&service.url, &policy("via: collections"));
    place.expect(0, &["plan"]);
    let child = {
        let _starting = interrupter.starting.lock();
        let mut command = place.command(&["apply", "plan"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
        interrupter.process.store(child.id(), Ordering::SeqCst);
        child
    };
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(130), "{}", place.shown(&output));
    let told = place.redacted(&String::from_utf8_lossy(&output.stderr));
    let told = told.lines().filter(|line| !line.contains("deleting:")).collect::<Vec<_>>().join("\n");
    (service, place, told)
}

#[test]
fn an_interrupted_apply_is_130_and_the_same_command_goes_on() {
    insta::allow_duplicates! {
        for signal in stop_signals() {
            interrupted_and_continued(signal);
        }
    }
}

fn interrupted_and_continued(signal: &'static str) {
    let (service, place, told) = interrupted(signal);
    let left = service.sandbox.world().count("Lead");
    assert!(left > 0 && left < 3_000, "{left} of 3,000 are left");
    assert_shown!(told, @"
    signing in to crm
    stale-leads: selecting: 3,000 of 3,000
    warning: policy stale-leads: interrupted
    warning: 1 policy not finished: run the same command again; it asks the system what happened before it sends anything
    ");
    place.expect(0, &["apply", "plan"]);
    assert_eq!(service.sandbox.world().count("Lead"), 0);
}

/// A sandbox as a process of its own, and the line that says where it answers.
fn sandbox_process(mut command: Command) -> (Child, String) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a process");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
    let url = line.trim_end().strip_prefix("listening on http://").expect("an address").to_owned();
    (child, url)
}

fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill").success());
}

#[test]
fn every_signal_to_stop_ends_a_sandbox_with_0() {
    let (service, _keys) = Service::of_leads(0);
    let place = Workplace::new(&service.url, &policy(""));
    for signal in stop_signals() {
        let (mut child, _) = sandbox_process(place.command(&["sandbox", "--listen", "127.0.0.1:0"]));
        send(signal, &child);
        assert_eq!(child.wait().expect("its end").code(), Some(0), "{signal}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_hangup_that_was_to_be_ignored_is() {
    let (service, _keys) = Service::of_leads(0);
    let place = Workplace::new(&service.url, &policy(""));
    let program = place.command(&[]).get_program().to_owned();
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$0\" sandbox --listen 127.0.0.1:0"]).arg(program).current_dir(place.path());
    let (mut child, url) = sandbox_process(command);
    send("-HUP", &child);
    // Were it not ignored, the port would be closed within moments, and the second signal would end the process with 130.
    for _ in 0..50 {
        std::net::TcpStream::connect(&url).expect("it still listens");
    }
    send("-TERM", &child);
    assert_eq!(child.wait().expect("its end").code(), Some(0));
}

#[test]
fn a_begun_plan_without_its_journal_is_5() {
    let (service, place, _) = interrupted("-INT");
    std::fs::rename(place.path().join(".sexton/runs"), place.path().join("elsewhere")).expect("moved");
    let told = unusable(&service, &place);
    std::fs::remove_dir_all(place.path().join(".sexton/runs")).unwrap_or_default();
    std::fs::rename(place.path().join("elsewhere"), place.path().join(".sexton/runs")).expect("moved back");
    place.expect(0, &["apply", "plan"]);
    assert_shown!(told, @"
    error: the plan [plan] was begun, but the journal of its run is not in .sexton/runs/[plan]
      = without the journal it is not known what was sent, so the run cannot be continued
      help: restore the store from a copy and run the same command again; or abandon the run with `sexton state abandon [plan]`
    ");
}

#[test]
fn a_run_that_an_older_state_does_not_know_is_told_to_it_again() {
    let (service, place) = planned();
    let older = place.read(".sexton/state.json");
    place.expect(0, &["apply", "plan"]);
    let newer = place.read(".sexton/state.json");
    add_leads(&mut service.sandbox.world(), 2, "Old");
    place.write(".sexton/state.json", &older);
    let output = place.expect(0, &["apply", "plan"]);
    assert_shown!(place.shown(&output), @"
    This run had ended before. Nothing was sent now; this is what was done then:

    policy stale-leads:
               3 deleted

    evidence in .sexton/runs/[plan]
    Apply: 0 deleted now; the run had ended before: 3 deleted; 3 planned.
    warning: the state has no record of the run of the plan [plan], which the store has: it is probably an older copy, and the run counts as unfinished until an apply has told the state how it ended
    signing in to crm
    stale-leads: settled: 3 of 3
    ");
    assert_eq!(service.sandbox.world().count("Lead"), 2, "nothing is deleted a second time");
    let tally = |state: &str| {
        let state: serde_json::Value = serde_json::from_str(state).expect("a state");
        state["policies"]["stale-leads"]["runs"][0]["tally"].clone()
    };
    assert_eq!(tally(&place.read(".sexton/state.json")), tally(&newer));
    place.expect(5, &["apply", "plan"]);
}

#[test]
fn a_held_lock_is_6_and_shows_its_holder() {
    let (service, place) = planned();
    let info = LockInfo {
        id: "9f2c".into(),
        operation: "apply".into(),
        who: "grace@pipeline".into(),
        process: 4711,
        version: "0.1.0".into(),
        created: start(),
    };
    let store = DirectoryStore::new(Arc::new(LocalFiles), place.path().join(".sexton"), "test");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let held = runtime.block_on(store.lease(&info)).expect("free");
    let output = place.expect(6, &["apply", "plan"]);
    let unlock = place.expect(6, &["force-unlock", "9f2c"]);
    assert_eq!(service.sandbox.world().count("Lead"), 3);
    assert_shown!(format!("{}\n{}", place.told(&output), place.told(&unlock)), @"
    error: the store is in use by `sexton apply` of grace@pipeline (process [number], since [moment], version [version], lock 9f2c)
      help: nothing was done; wait for it to end, or end that process: a lock never outlives the process that holds it

    error: the store is in use by `sexton apply` of grace@pipeline (process [number], since [moment], version [version], lock 9f2c)
      help: nothing was done; wait for it to end, or end that process: a lock never outlives the process that holds it
    ");
    drop(held);
    place.expect(0, &["apply", "plan"]);
}
