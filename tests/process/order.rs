//! `plan` beside and after an apply that broke off, and every order of verbs that a person may type then.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::service::Verdict;
use super::stage::{Cue, EACH, POLICIES, Stage};
use super::support::route::COLLECTIONS;
use sexton::sandbox::{Effect, Fault};

const PLANNED: usize = POLICIES.len() * EACH;

#[test]
fn a_plan_beside_a_running_apply_disturbs_nothing_and_says_that_a_run_is_unfinished() {
    let stage = Arc::new(Stage::new(COLLECTIONS));
    let run = stage.plan();
    stage.add(3, "alpha");
    let told = Arc::new(Mutex::new(String::new()));
    let (beside, words) = (Arc::clone(&stage), Arc::clone(&told));
    let plan = move |_| {
        *words.lock().expect("whole") = beside.expect(0, &["plan"]);
        Verdict::CarryOut
    };
    let (output, came) = stage.run_with(&["apply", "plan"], Cue::BeforeDeletion(2), plan);
    assert!(came && output.status.code() == Some(0), "{}", stage.place.shown(&output));
    let told = told.lock().expect("whole").clone();
    assert!(
        told.contains(&format!("the run of the plan {run} is unfinished; it has deleted {EACH} of {PLANNED}")),
        "{told}"
    );
    stage.everything_has_its_outcome(false);
    assert_eq!(stage.gone(), PLANNED, "what came meanwhile waits for its own plan");
    // The plan that was made meanwhile names what is gone by now, and what is new.
    stage.expect(0, &["apply", "plan"]);
    stage.everything_has_its_outcome(false);
    assert_eq!(stage.live().len(), 5);
}

#[test]
fn another_plan_is_refused_while_a_run_is_unfinished_and_the_run_is_finished_without_its_bundle() {
    let stage = Stage::new(COLLECTIONS);
    let run = stage.plan();
    stage.kill_at(&["apply", "plan"], Cue::BeforeDeletion(2));
    stage.add(3, "gamma");
    let told = stage.expect(0, &["plan"]);
    assert!(
        told.contains(&format!("the run of the plan {run} is unfinished; it has deleted {EACH} of {PLANNED}")),
        "{told}"
    );
    assert!(told.contains(&format!("sexton state abandon {run}")) && told.contains("sexton apply --continue"), "{told}");
    let told = stage.expect(5, &["apply", "plan"]);
    let unfinished = format!("no other plan can be applied while the run of the plan {run} is unfinished");
    // The run has deleted something: that nothing was would be read of it.
    assert!(told.contains(&unfinished) && !told.contains("nothing was deleted"), "{told}");
    let checked = stage.place.expect(5, &["check"]);
    assert!(stage.place.shown(&checked).contains(&unfinished), "{}", stage.place.shown(&checked));
    assert_eq!(stage.gone(), EACH);

    std::fs::remove_dir_all(stage.place.path().join("plan")).expect("the other plan");
    let told = stage.expect(0, &["apply", "--continue"]);
    assert!(told.contains(&format!("Continuing the unfinished run of the plan {run}")), "{told}");
    assert_eq!(stage.gone(), PLANNED);
    stage.everything_has_its_outcome(false);
}

/// Records are gone by then, so that nothing may say that none are.
#[test]
fn a_continued_run_that_cannot_sign_in_is_3_and_not_1() {
    let stage = Stage::new(COLLECTIONS);
    stage.plan();
    stage.kill_at(&["apply", "plan"], Cue::BeforeDeletion(2));
    stage.service.sandbox.add_fault(Fault::on("POST", "*/token", Effect::Unavailable { retry_after: None }));
    for words in [&["apply", "plan"][..], &["apply", "--continue"], &["apply", "--auto-approve"]] {
        stage.expect(3, words);
    }
    stage.service.sandbox.clear_faults();
    stage.expect(0, &["apply", "--continue"]);
    stage.everything_has_its_outcome(false);
}

/// What a person may type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Typed {
    Plan,
    Apply,
    Continue,
    AutoApprove,
    Abandon,
}

const VERBS: [Typed; 5] = [Typed::Plan, Typed::Apply, Typed::Continue, Typed::AutoApprove, Typed::Abandon];

impl Typed {
    /// Types it; the exit code must be one that the verb documents for what may have happened.
    fn enter(self, stage: &Stage, run: &str) {
        let (words, codes): (&[&str], &[i32]) = match self {
            Self::Plan => (&["plan"], &[0]),
            // The unfinished run stands in the way of another plan, and a plan is used once.
            Self::Apply => (&["apply", "plan"], &[0, 5]),
            Self::Continue => (&["apply", "--continue"], &[0, 1]),
            Self::AutoApprove => (&["apply", "--auto-approve"], &[0]),
            Self::Abandon => (&["state", "abandon", run], &[0, 1]),
        };
        let (before, gone) = (stage.unfinished(), stage.gone());
        let output = stage.run(words);
        let (code, told) = (output.status.code().expect("an end"), stage.place.shown(&output));
        assert!(codes.contains(&code), "{self:?} ended with {code}: {told}");
        let deleted = stage.gone() - gone;
        match (self, before) {
            (Self::Plan, _) | (Self::Abandon, None) | (Self::Continue, None) => assert_eq!(deleted, 0, "{told}"),
            (Self::Abandon | Self::Continue | Self::AutoApprove, Some(_)) => {
                assert_eq!((code, stage.unfinished()), (0, None), "{self:?}: {told}");
            }
            (Self::Apply, Some(run)) if code == 5 => assert!(deleted == 0 && told.contains(&run), "{told}"),
            _ => assert_eq!(stage.unfinished(), None, "{told}"),
        }
        assert!(code == 0 || deleted == 0, "{self:?} ended with {code} and deleted {deleted}: {told}");
    }
}

/// Every sequence of up to three, the shorter ones first.
fn sequences() -> Vec<Vec<Typed>> {
    let mut all = vec![vec![]];
    let mut longest = all.clone();
    for _ in 0..3 {
        longest = longest.iter().flat_map(|begin| VERBS.map(|verb| [begin.as_slice(), &[verb]].concat())).collect();
        all.extend_from_slice(&longest);
    }
    all
}

/// Kills an apply, has it all typed, and finishes whatever is left. Meanwhile records come that match.
fn comes_to_a_good_end(cue: Cue, typed: &[Typed]) {
    let stage = Stage::new(COLLECTIONS);
    let run = stage.plan();
    stage.kill_at(&["apply", "plan"], cue);
    for verb in typed {
        stage.add(1, "beta");
        verb.enter(&stage, &run);
        let planned_by_then = stage.outcomes().len();
        assert!(stage.unfinished().is_some() || planned_by_then >= PLANNED, "{planned_by_then} outcomes");
    }
    if stage.unfinished().is_some() {
        stage.expect(0, &["apply", "--continue"]);
    }
    stage.everything_has_its_outcome(false);
    stage.expect(0, &["plan"]);
    stage.expect(0, &["apply", "--auto-approve"]);
    stage.everything_has_its_outcome(false);
    assert_eq!(stage.live().len(), 5, "something that matches was left");
}

#[test]
fn whatever_order_of_verbs_is_typed_after_a_killed_apply_every_deletion_has_its_outcome_in_the_end() {
    let cues = [Cue::BeforeDeletion(1), Cue::AfterDeletion(1), Cue::BeforeDeletion(2), Cue::AfterDeletion(3)];
    let all: Vec<(Cue, Vec<Typed>)> =
        cues.into_iter().flat_map(|cue| sequences().into_iter().map(move |typed| (cue, typed))).collect();
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(40);
    let mut chosen = all.clone();
    fastrand::Rng::with_seed(7).shuffle(&mut chosen);
    chosen.truncate(wanted);
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some((cue, typed)) = chosen.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if std::panic::catch_unwind(|| comes_to_a_good_end(*cue, typed)).is_err() {
                        failed.lock().expect("whole").push(format!("killed at {cue:?}, then {typed:?}"));
                    }
                }
            });
        }
    });
    let explored = format!("orders of verbs after a killed apply: {} of {} tried\n", chosen.len(), all.len());
    // Past the runner's capture, so that the output says what was tried.
    let _ = std::io::stderr().write_all(explored.as_bytes());
    let failed = failed.into_inner().expect("whole");
    assert!(failed.is_empty(), "{failed:#?}");
}
