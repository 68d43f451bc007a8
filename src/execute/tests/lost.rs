//! Files of a run that are lost or cut between two processes.
#![expect(clippy::disallowed_methods, reason = "it damages files")]

use std::path::PathBuf;

use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::{End, Rig, Run, Scenario, Unobserved, id, in_paused_time, policy, scenarios};
use crate::apply::{Event, Tally};
use crate::execute::{ExecuteError, execute};

fn cut(path: &PathBuf, left: u64) {
    let file = std::fs::OpenOptions::new().write(true).open(path).expect("opened");
    let length = file.metadata().expect("known").len();
    file.set_len(left.min(length)).expect("cut");
}

impl Rig {
    /// The answers files that there are.
    fn answers(&self) -> Vec<PathBuf> {
        let rounds = (0..20).map(|round| self.directory.statuses(&policy("policy"), round));
        rounds.chain([self.directory.messages(&policy("policy"))]).filter(|path| path.exists()).collect()
    }

    async fn error(&self) -> ExecuteError {
        let (journal, stop) = (self.journal(), CancellationToken::new());
        let run = Run {
            directory: &self.directory,
            journal: &journal,
            clock: &*self.clock,
            seed: 0,
            observer: &Unobserved,
            stop: &stop,
        };
        execute(&run, vec![self.machine("policy")]).await.expect_err("something is lost")
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn lost_answers_are_looked_for_and_the_run_ends_with_the_truth(
        scenario in scenarios(),
        end in 5..40_u64,
        which in any::<prop::sample::Index>(),
        left in prop_oneof![Just(0_u64), 0..400_u64],
    ) {
        in_paused_time(async {
            // Who was gone before, and who kept records back, is what lost answers cannot tell.
            let mut scenario = Scenario { ends: Vec::new(), excluded: Vec::new(), ..scenario };
            scenario.records.iter_mut().for_each(|record| record.1 = false);
            let rig = Rig::new(scenario);
            rig.live(End::Entry(end, true), vec![rig.machine("policy")], &CancellationToken::new()).await;
            let files = rig.answers();
            if !files.is_empty() {
                cut(&files[which.index(files.len())], left);
            }
            let tally = rig.live_on().await;
            rig.check(&tally);
        });
    }
}

#[test]
fn a_run_whose_answers_are_all_lost_after_its_first_wave_comes_to_its_end() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(12, false);
        scenario.records[2].3 = 2;
        scenario.records[7].2 = true;
        let whole = Rig::new(scenario.clone());
        whole.live_on().await;
        let opened = whole.entries().iter().position(|event| matches!(event, Event::RoundOpened { .. })).expect("a round");
        let rig = Rig::new(scenario);
        let end = End::Entry(opened as u64, true);
        assert_eq!(rig.live(end, vec![rig.machine("policy")], &CancellationToken::new()).await, None);
        rig.answers().iter().for_each(|path| std::fs::remove_file(path).expect("removed"));
        let tally = rig.live_on().await;
        rig.check(&tally);
        assert_eq!(tally, Tally { deleted: 11, failed: 1, ..Tally::default() });
        assert_eq!(rig.outcomes("policy")[&id(7)], ["failed", "", "no-answer", "presence-check"]);
        assert_eq!(rig.outcomes("policy")[&id(2)][0], "deleted");
    });
}

#[test]
fn what_nothing_can_replace_is_named_before_anything_is_sent() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(12, false);
        scenario.records[0].0 = true;
        scenario.records[2].3 = 99;
        let rig = Rig::new(scenario);
        assert_eq!(rig.live(End::Entry(12, true), vec![rig.machine("policy")], &CancellationToken::new()).await, None);
        let requests = rig.world.inner().requests;
        let name = policy("policy");
        for path in [rig.directory.round(&name, 0), rig.directory.round(&name, 1), rig.directory.skipped(&name)] {
            let whole = std::fs::read(&path).expect("read");
            for damage in [None, Some(0), Some(whole.len() / 2)] {
                match damage {
                    None => std::fs::remove_file(&path).expect("removed"),
                    Some(left) => std::fs::write(&path, &whole[..left]).expect("cut"),
                }
                let error = rig.error().await;
                assert!(error.to_string().contains(&*path.to_string_lossy()), "{damage:?}: {error}");
                assert!(error.is_loss(), "{damage:?}: {error}");
            }
            std::fs::write(&path, &whole).expect("restored");
        }
        assert_eq!(rig.world.inner().requests, requests);
        let tally = rig.live_on().await;
        rig.check(&tally);
    });
}
