//! A run that was begun in one copy of a project, and is continued in another.

use std::process::Command;

use super::stage::{Cue, Stage};
use super::support::route::COLLECTIONS;
use super::workplace::Workplace;

/// Everything, one batch of 200 after the other.
const EVERYTHING: [&str; 2] = ["filter: everything", "concurrency: serial"];
const RECORDS: usize = 429;

/// A run for everything that was begun: nothing was sent, or one batch of three is gone.
fn begun(sent: bool) -> Stage {
    let stage = Stage::declared(COLLECTIONS, &COLLECTIONS.policy(&EVERYTHING));
    stage.add(400, "old");
    if sent {
        stage.plan();
        stage.kill_at(&["apply", "plan"], Cue::AfterDeletion(1));
        assert_eq!(stage.gone(), 200);
    } else {
        stage.begin_without_a_request();
    }
    assert!(stage.unfinished().is_some());
    stage
}

/// Another copy of the project, with these policies, into which everything or a part of the store was copied.
fn copied(stage: &Stage, documents: &str, parts: &[&str]) -> Workplace {
    let place = Workplace::new(&stage.service.url, documents);
    place.write("target.yaml", &stage.system().document(&stage.service.url, None));
    for part in parts {
        let (from, to) = (stage.place.path().join(part), place.path().join(part));
        std::fs::create_dir_all(to.parent().expect("within the project")).expect("a directory");
        assert!(Command::new("cp").arg("-a").args([from, to]).status().expect("cp").success());
    }
    place
}

/// Continues a begun run where these policies are declared, in all ways there are.
fn refused_by(documents: &str, sent: bool) {
    for words in [&["apply"][..], &["apply", "plan"], &["apply", "--continue"], &["apply", "--auto-approve"]] {
        let mut stage = begun(sent);
        let gone = stage.gone();
        stage.place = copied(&stage, documents, &[".sexton", "plan"]);
        stage.expect(4, words);
        assert_eq!(stage.gone(), gone, "{words:?} {documents}");
        stage.everything_has_its_outcome(false);
        let skipped = stage.outcomes().into_iter().filter(|ended| ended.outcome == "skipped");
        assert_eq!(skipped.filter(|ended| ended.cause == "refused").count(), RECORDS - gone, "{words:?}");
    }
}

#[test]
fn a_begun_run_from_elsewhere_deletes_nothing_beyond_the_limits_of_here() {
    let few = "limits: { maxRecords: 10, maxPercent: 100 }";
    let enough_for_the_first_batch = "limits: { maxRecords: 300, maxPercent: 100 }";
    std::thread::scope(|scope| {
        for documents in [
            COLLECTIONS.policy(&[few]),
            COLLECTIONS.policy(&[&EVERYTHING[..], &[few]].concat()),
            COLLECTIONS.policy(&[&EVERYTHING[..], &[enough_for_the_first_batch]].concat()),
            COLLECTIONS.policy_named("another", &[few]),
        ] {
            for sent in [false, true] {
                let documents = documents.clone();
                scope.spawn(move || refused_by(&documents, sent));
            }
        }
    });
}

#[test]
fn a_begun_run_is_not_taken_for_nothing_where_the_state_did_not_come_along() {
    let stage = begun(true);
    let run = stage.unfinished().expect("a run");
    let policy = COLLECTIONS.policy(&EVERYTHING);
    let bundle = stage.place.path().join("plan").display().to_string();
    // No state at all: a new one would not know of the run, and the next plan would be applied beside it.
    let place = copied(&stage, &policy, &[".sexton/runs", ".sexton/plans"]);
    for words in [&["plan"][..], &["apply"], &["apply", "--continue"], &["apply", &bundle], &["state", "list"]] {
        let output = place.expect(1, words);
        let lost = format!("`.sexton/state.json` was lost: it is not there, but the store has 1 run ({run})");
        assert!(place.told(&output).contains(&lost), "{words:?}: {}", place.told(&output));
    }
    assert_eq!(stage.gone(), 200);
    // That of another project.
    let place = copied(&stage, &policy, &[]);
    place.expect(0, &["plan", "--out", "own"]);
    let state = place.read(".sexton/state.json");
    let place = copied(&stage, &policy, &[".sexton/runs", ".sexton/plans"]);
    place.write(".sexton/state.json", &state);
    let output = place.expect(1, &["apply", "--continue"]);
    assert!(place.told(&output).contains("there is no unfinished run to continue"), "{}", place.told(&output));
    let output = place.expect(5, &["apply", &bundle]);
    assert!(place.told(&output).contains(&run), "{}", place.told(&output));
    assert_eq!(stage.gone(), 200);
    stage.expect(0, &["apply", "--continue"]);
    stage.everything_has_its_outcome(false);
    assert_eq!(stage.gone(), RECORDS);
}
