//! An apply that is interrupted before its first deletion, or twice in a row, or whose output is closed.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::service::Verdict;
use super::stage::{Cue, EACH, POLICIES, Stage, documents, send, wait_until};
use super::support::route::COLLECTIONS;
use super::workplace::stop_signals;

/// What a person may have made of the manifests by then.
const CHANGES: [&str; 2] =
    ["limits: { maxRecords: 1, maxPercent: 100 }", "filter: { field: CreatedDate, olderThan: 50 years }"];

#[test]
fn an_apply_that_is_interrupted_before_its_first_request_has_to_pass_everything_again() {
    for signal in stop_signals() {
        for change in CHANGES {
            let stage = Stage::new(COLLECTIONS);
            stage.plan();
            let interrupt = move |process| {
                assert!(send(signal, process));
                Verdict::CarryOut
            };
            let (output, came) = stage.run_with(&["apply", "plan"], Cue::FirstQuery, interrupt);
            let told = stage.place.told(&output);
            assert!(came && output.status.code() == Some(130), "{signal}: {told}");
            assert!(told.contains("interrupted; nothing was sent"), "{told}");
            assert!(told.contains("the plan is still unused: the same command applies it"), "{told}");
            assert_eq!(stage.runs(), [], "{signal}");

            stage.declare(&documents(COLLECTIONS, &[change]));
            let told = stage.expect(5, &["apply", "plan"]);
            assert!(told.contains("is stale: policy `"), "{told}");
            let told = stage.expect(1, &["apply", "--continue"]);
            assert!(told.contains("there is no unfinished run to continue"), "{told}");
            // What finds nothing to delete is a run all the same.
            let refused = change.contains("limits");
            stage.expect(if refused { 4 } else { 0 }, &["apply", "--auto-approve"]);
            assert_eq!((stage.gone(), stage.runs().len()), (0, usize::from(!refused)), "{signal}, {change}");

            stage.declare(&documents(COLLECTIONS, &[]));
            stage.plan();
            stage.expect(0, &["apply", "plan"]);
            assert_eq!(stage.gone(), POLICIES.len() * EACH);
            stage.everything_has_its_outcome(false);
        }
    }
}

#[test]
fn a_run_that_was_begun_without_a_request_ends_when_the_manifests_refuse_it_by_then() {
    for words in [&["apply", "plan"][..], &["apply", "--continue"], &["apply"], &["apply", "--auto-approve"]] {
        for change in CHANGES {
            let stage = Stage::new(COLLECTIONS);
            stage.begin_without_a_request();
            stage.declare(&documents(COLLECTIONS, &[change]));
            stage.expect(4, words);
            assert_eq!(stage.gone(), 0, "{words:?}, {change}");
            assert_eq!(stage.tally(), [("skipped".to_owned(), POLICIES.len() * EACH)].into(), "{words:?}, {change}");
            stage.everything_has_its_outcome(false);

            stage.declare(&documents(COLLECTIONS, &[]));
            stage.plan();
            stage.expect(0, &["apply", "plan"]);
            stage.everything_has_its_outcome(false);
            assert_eq!(stage.gone(), POLICIES.len() * EACH);
        }
    }
}

#[test]
fn a_second_interrupt_ends_an_apply_at_once_and_the_next_one_finds_every_outcome() {
    for answered in [true, false] {
        let stage = Stage::new(COLLECTIONS);
        stage.plan();
        let gone = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&gone);
        // The request is not answered before the process is gone, so the first interrupt alone would wait for ever.
        let interrupt = move |process| {
            wait_until("the end of the process", || !send("-INT", process));
            told.store(true, Ordering::SeqCst);
            if answered { Verdict::CarryOut } else { Verdict::Ignore }
        };
        let (output, came) = stage.run_with(&["apply", "plan"], Cue::BeforeDeletion(2), interrupt);
        assert!(came && output.status.code() == Some(130), "{}", stage.place.shown(&output));
        wait_until("an end that does not wait for the answer", || gone.load(Ordering::SeqCst));
        wait_until("the sandbox to do its part", || stage.gone() == if answered { 2 * EACH } else { EACH });
        let told = stage.expect(0, &["apply", "plan"]);
        assert!(told.contains(&format!("Apply: {} deleted", POLICIES.len() * EACH)), "{told}");
        stage.everything_has_its_outcome(false);
    }
}

#[test]
fn an_apply_whose_reader_has_gone_comes_to_its_end_and_is_no_error() {
    for everything in [false, true] {
        let stage = Stage::new(COLLECTIONS);
        stage.plan();
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut command = stage.command(&["apply", "plan"]);
        command.stdin(Stdio::null()).stdout(writer.try_clone().expect("a pipe"));
        command.stderr(if everything { Stdio::from(writer) } else { Stdio::null() });
        drop(reader);
        let status = command.status().expect("the program");
        assert_eq!((status.code(), stage.gone()), (Some(0), POLICIES.len() * EACH), "all of it: {everything}");
        stage.everything_has_its_outcome(false);
    }
}
