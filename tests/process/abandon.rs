//! `state abandon`: it gives a run up whatever was lost by then, and says what that means.

use super::service::{builder, start};
use super::stage::{Cue, EACH, POLICIES, Stage, documents};
use super::support::route::COLLECTIONS;
use sexton::sandbox::{Effect, Fault, Organization, RecordKey, Sandbox, Settings};

const PLANNED: usize = POLICIES.len() * EACH;

/// A run of which the first policy is done, the second had no answer, and nothing of the third was sent.
fn broken_off() -> (Stage, String) {
    let stage = Stage::new(COLLECTIONS);
    let run = stage.plan();
    stage.kill_at(&["apply", "plan"], Cue::AfterDeletion(2));
    assert_eq!(stage.gone(), 2 * EACH);
    (stage, run)
}

/// What a person is told on standard error.
fn told(stage: &Stage, code: i32, words: &[&str]) -> String {
    let output = stage.run(words);
    assert_eq!(output.status.code(), Some(code), "sexton {}\n{}", words.join(" "), stage.place.shown(&output));
    stage.place.told(&output)
}

fn tally(ends: &[(&str, usize)]) -> std::collections::BTreeMap<String, usize> {
    ends.iter().map(|(outcome, count)| ((*outcome).to_owned(), *count)).collect()
}

/// Other plans can be made and applied, until nothing that matches is left.
fn goes_on(stage: &Stage) {
    stage.expect(0, &["plan"]);
    stage.expect(0, &["apply", "plan"]);
    assert_eq!(stage.live().len(), 5, "something that matches was left");
    stage.expect(0, &["plan"]);
}

#[test]
fn a_run_is_given_up_without_looking_when_its_system_cannot_be_asked_any_more() {
    let document = |stage: &Stage, way: &str| {
        let usual = stage.system().document(&stage.service.url, None);
        match way {
            "nobody answers" => usual.replace(&stage.service.url, "http://127.0.0.1:9"),
            "no secret" => usual.replace("CLIENT_SECRET", "CLIENT_ID"),
            "another target" => usual.replace("name: crm", "name: other"),
            _ => usual,
        }
    };
    for (way, code) in [("nobody answers", 1), ("no secret", 1), ("another target", 5)] {
        let more: &[&str] = if code == 5 { &["target: other"] } else { &[] };
        let (stage, run) = broken_off();
        stage.place.write("target.yaml", &document(&stage, way));
        stage.declare(&documents(COLLECTIONS, more));
        let refused = told(&stage, code, &["state", "abandon", &run]);
        let way_out = format!(
            "the run was not abandoned; where a system can no longer be asked, `sexton state abandon {run} --without-looking`"
        );
        assert!(refused.contains(&way_out) && refused.contains("help: "), "{refused}");
        assert_eq!(stage.unfinished().as_ref(), Some(&run));

        let done = told(&stage, 0, &["state", "abandon", &run, "--without-looking"]);
        assert!(done.contains(&format!("the run of the plan {run} was abandoned")), "{done}");
        assert_eq!(stage.tally(), tally(&[("deleted", EACH), ("unknown", EACH), ("skipped", EACH)]));
        stage.everything_has_its_outcome(true);
        let shown = stage.expect(0, &["state", "show"]);
        assert!(shown.contains("  abandoned 20") && shown.contains("  unknown\n"), "{shown}");

        stage.place.write("target.yaml", &document(&stage, "as usual"));
        stage.declare(&documents(COLLECTIONS, &[]));
        goes_on(&stage);
        stage.everything_has_its_outcome(true);
    }
}

#[test]
fn a_run_is_given_up_without_looking_where_another_organization_answers() {
    let (mut stage, run) = broken_off();
    let key = RecordKey::parse("00DS00000000009").expect("an id");
    let organization = Organization { key, ..builder().build().expect("a world").organization().clone() };
    let world = builder().organization(organization).build().expect("a world");
    let other = Sandbox::new(world, Settings::starting_at(start()));
    let own = stage.service.sandbox.clone();
    stage.service.becomes(other);
    let refused = told(&stage, 5, &["state", "abandon", &run]);
    assert!(refused.contains("is not the organization the plan was made for"), "{refused}");
    assert!(refused.contains("--without-looking` abandons it"), "{refused}");
    stage.expect(0, &["state", "abandon", &run, "--without-looking"]);
    stage.service.becomes(own);
    assert_eq!(stage.tally(), tally(&[("deleted", EACH), ("unknown", EACH), ("skipped", EACH)]));
    stage.everything_has_its_outcome(true);
    goes_on(&stage);
}

#[test]
fn a_run_that_cannot_be_settled_now_is_given_up_later_or_without_looking() {
    let (stage, run) = broken_off();
    // Only a look asks for what is in the recycle bin, too.
    stage.service.sandbox.add_fault(Fault::on("GET", "*/queryAll", Effect::DailyLimit));
    let refused = stage.expect(3, &["state", "abandon", &run]);
    assert_shown!(refused, @"
    policy beta:
               0 deleted
               8 not settled yet
    policy gamma:
               0 deleted
               8 skipped: not sent: the run was abandoned
      nothing was sent: the run was abandoned

    policy  target  object  planned  deleted  gone  skipped  failed  unknown
    alpha   crm     Lead          8        8     0        0       0        0
    beta    crm     Lead          8        0     0        0       0        0
    gamma   crm     Lead          8        0     0        8       0        0

    evidence in .sexton/runs/[plan]
    Apply: 8 deleted, 8 skipped; 24 planned; 1 policy not finished.
    signing in to crm
    alpha: settled: 8 of 8
    gamma: settled: 8 of 8
    warning: beta: REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.
    beta: deleting: 0 of 8
    warning: policy beta: REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.
    warning: 1 policy not finished: the run is not abandoned yet; run the same command again, or add --without-looking, by which what was or may have been sent ends unknown
    ");
    assert_eq!(stage.unfinished().as_ref(), Some(&run));
    stage.service.sandbox.clear_faults();
    stage.expect(0, &["state", "abandon", &run]);
    assert_eq!(stage.tally(), tally(&[("deleted", 2 * EACH), ("skipped", EACH)]));
    stage.everything_has_its_outcome(false);
    goes_on(&stage);
}

#[test]
fn a_run_whose_journal_or_plan_is_lost_is_given_up_and_all_of_it_may_have_been_sent() {
    for (lost, whole) in [
        ("runs", true),
        ("plans", true),
        ("plans beside", true),
        ("damaged", true),
        ("both", true),
        ("both beside", true),
        ("everything", false),
    ] {
        let (stage, run) = broken_off();
        let at = |what: &str| stage.place.path().join(format!(".sexton/{what}/{run}"));
        let remove = |what: &str| std::fs::remove_dir_all(at(what)).expect("it was there");
        match lost {
            "runs" | "plans" => remove(lost),
            "plans beside" => remove("plans"),
            "damaged" => std::fs::write(at("runs").join("journal/00000001.jsonl"), "{}").expect("written"),
            _ => ["runs", "plans"].into_iter().for_each(remove),
        }
        if lost == "everything" {
            std::fs::remove_dir_all(stage.place.path().join("plan")).expect("the bundle in the working tree");
        }
        if lost.ends_with("beside") {
            let place = stage.place.path();
            std::fs::create_dir_all(place.join("plans")).expect("made");
            std::fs::rename(place.join("plan"), place.join("plans/pr-17")).expect("moved");
        }
        let planned = stage.expect(0, &["plan", "--out", "other"]);
        let unreadable = "how many records it has deleted cannot be read from the store";
        assert!(planned.contains(unreadable), "{lost}: {planned}");
        let abandoned = told(&stage, 0, &["state", "abandon", &run]);
        if lost.starts_with("plans") {
            // The working tree has the plan, and the journal is whole.
            assert_eq!(stage.tally(), tally(&[("deleted", 2 * EACH), ("skipped", EACH)]), "{abandoned}");
        } else if whole {
            assert!(
                abandoned.contains(&format!("any of its {PLANNED} records may have been sent, so all of them end unknown")),
                "{abandoned}"
            );
            assert_eq!(stage.tally(), tally(&[("unknown", PLANNED)]), "{lost}");
        } else {
            assert!(abandoned.contains("was abandoned without outcomes: the store does not have the plan"), "{abandoned}");
            assert_eq!(stage.outcomes(), []);
        }
        assert_eq!(stage.runs(), [(run.clone(), true)], "{lost}");
        goes_on(&stage);
        assert_eq!(stage.gone(), PLANNED, "{lost}");
    }
}
