//! `apply --auto-approve` that is killed, and typed again.

use std::process::Stdio;

use super::stage::{Cue, EACH, POLICIES, Stage, send, wait_until};
use super::support::route::{BULK1, BULK2, COLLECTIONS, FULCRUM_BATCH, Route, ZUORA_SOAP};

const REPEATED: [&str; 2] = ["apply", "--auto-approve"];
const PLANNED: usize = POLICIES.len() * EACH;

fn stage(route: Route) -> Stage {
    let stage = Stage::new(route);
    // A batch that cannot be stopped and still deletes keeps the next process from a complete read.
    stage.service.sandbox.fulcrum().settings.batch_records_per_second = 10_000_000;
    stage
}

/// What must be true after the same command came to its end, when records that match have come in between.
fn continued(stage: &Stage, told: &str) {
    assert!(told.contains("Continuing the unfinished run of the plan"), "{told}");
    assert!(!told.contains("to delete, "), "a new plan: {told}");
    let runs = stage.runs();
    assert!(matches!(runs.as_slice(), [(_, true)]), "{runs:?}");
    assert_eq!((stage.gone(), stage.tally()), (PLANNED, [("deleted".to_owned(), PLANNED)].into()), "{told}");
    stage.everything_has_its_outcome(false);
}

fn continues_after_a_kill(route: Route) {
    std::thread::scope(|scope| {
        for number in 1..=POLICIES.len() {
            for cue in [Cue::BeforeDeletion(number), Cue::AfterDeletion(number)] {
                scope.spawn(move || {
                    let stage = stage(route);
                    stage.kill_at(&REPEATED, cue);
                    let sealed = stage.place.read("plan/plan.json");
                    stage.add(3, "alpha");
                    if number == 1 {
                        // Once more, at the first deletion that is left.
                        stage.kill_at(&REPEATED, Cue::BeforeDeletion(1));
                        stage.add(2, "gamma");
                    }
                    let told = stage.expect(0, &REPEATED);
                    continued(&stage, &told);
                    assert_eq!(stage.place.read("plan/plan.json"), sealed, "{cue:?}: another plan was made");
                    // Typed once more it is a new plan, for what came meanwhile.
                    stage.expect(0, &REPEATED);
                    stage.everything_has_its_outcome(false);
                    assert_eq!(stage.live().len(), 5, "{cue:?}");
                });
            }
        }
    });
}

#[test]
fn an_auto_approved_apply_that_was_killed_is_continued_and_makes_no_new_plan_through_collections() {
    continues_after_a_kill(COLLECTIONS);
}

#[test]
fn an_auto_approved_apply_that_was_killed_is_continued_and_makes_no_new_plan_through_bulk2() {
    continues_after_a_kill(BULK2);
}

#[test]
fn an_auto_approved_apply_that_was_killed_is_continued_and_makes_no_new_plan_through_bulk1() {
    continues_after_a_kill(BULK1);
}

#[test]
fn an_auto_approved_apply_that_was_killed_is_continued_and_makes_no_new_plan_through_zuora_soap() {
    continues_after_a_kill(ZUORA_SOAP);
}

#[test]
fn an_auto_approved_apply_that_was_killed_is_continued_and_makes_no_new_plan_through_fulcrum_batch() {
    continues_after_a_kill(FULCRUM_BATCH);
}

#[test]
fn an_auto_approved_apply_that_was_killed_while_it_planned_begins_anew() {
    let stage = stage(COLLECTIONS);
    stage.kill_at(&REPEATED, Cue::FirstQuery);
    stage.add(3, "alpha");
    assert_eq!((stage.runs(), stage.gone()), (vec![], 0));
    let told = stage.expect(0, &REPEATED);
    assert!(told.contains(&format!("Plan: {} to delete", PLANNED + 3)), "{told}");
    assert_eq!(stage.gone(), PLANNED + 3);
    stage.everything_has_its_outcome(false);
}

#[test]
fn an_auto_approved_apply_that_is_killed_at_its_last_files_is_settled_by_the_next() {
    let stage = stage(COLLECTIONS);
    let mut child = stage.command(&REPEATED);
    let child = child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
    wait_until("the last outcomes", || stage.outcomes().iter().any(|ended| ended.policy == "gamma"));
    send("-9", child.id());
    child.wait_with_output().expect("its end");
    // Whether its last write came first or not, there is nothing left to do.
    let told = stage.expect(0, &REPEATED);
    let found_nothing = told.contains("Nothing to delete");
    assert!(told.contains("Continuing the unfinished run") || found_nothing, "{told}");
    // What finds nothing to delete is a run all the same.
    assert_eq!((stage.runs().len(), stage.gone()), (1 + usize::from(found_nothing), PLANNED));
    assert_eq!(stage.tally(), [("deleted".to_owned(), PLANNED)].into());
    stage.everything_has_its_outcome(false);
}
