//! Objects of a run that are lost or damaged between two processes.

use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::rig::{Rig, id, in_paused_time};
use super::scenario::{End, Scenario, scenarios};
use crate::apply::{Event, Tally};
use crate::store::{Backend, Key};

impl Rig {
    /// The objects below a part of the run.
    async fn objects(&self, part: &str) -> Vec<Key> {
        let prefix = self.store.prefix().expect("a key");
        let keys = self.memory.list(&Key::new(format!("{prefix}/{part}")).expect("a key")).await;
        keys.expect("listed")
    }

    /// Takes an object away, or cuts it; gives what it was.
    async fn damage(&self, key: &Key, left: Option<usize>) -> Vec<u8> {
        let whole = self.memory.read(key).await.expect("read").expect("it is there").bytes;
        self.memory.remove(key).await.expect("removed");
        if let Some(left) = left {
            self.memory.create(key, whole[..left.min(whole.len())].to_vec().into()).await.expect("made");
        }
        whole
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn lost_answers_are_looked_for_and_the_run_ends_with_the_truth(
        scenario in scenarios(),
        end in 5..40_u64,
        which in any::<prop::sample::Index>(),
        left in prop_oneof![Just(None), (0..60_usize).prop_map(Some)],
    ) {
        in_paused_time(async {
            // Who was gone before, and who kept records back, is what lost answers cannot tell.
            let mut scenario = Scenario { ends: Vec::new(), excluded: Vec::new(), stored_answers: true, ..scenario };
            scenario.records.iter_mut().for_each(|record| record.1 = false);
            let rig = Rig::new(scenario);
            rig.live(End::Entry(end, true), vec![rig.machine("policy")], &CancellationToken::new()).await;
            let answers = rig.objects("answers").await;
            if !answers.is_empty() {
                rig.damage(&answers[which.index(answers.len())], left).await;
            }
            let tally = rig.live_on().await;
            rig.check(&tally).await;
        });
    }
}

#[test]
fn a_run_whose_answers_are_all_lost_after_its_first_round_comes_to_its_end() {
    in_paused_time(async {
        let mut scenario = Scenario { stored_answers: true, ..Scenario::calm(12, false) };
        scenario.records[2].3 = 2;
        scenario.records[7].2 = true;
        let whole = Rig::new(scenario.clone());
        whole.live_on().await;
        let entries = whole.entries().await;
        let opened =
            entries.iter().rposition(|event| matches!(event, Event::RoundOpened { round: 1, .. })).expect("a round");
        let rig = Rig::new(scenario);
        let end = End::Entry(opened as u64 + 1, true);
        assert_eq!(rig.live(end, vec![rig.machine("policy")], &CancellationToken::new()).await, None);
        let answers = rig.objects("answers").await;
        assert!(!answers.is_empty());
        for key in &answers {
            rig.damage(key, None).await;
        }
        let tally = rig.live_on().await;
        rig.check(&tally).await;
        assert_eq!(tally, Tally { deleted: 11, failed: 1, ..Tally::default() });
        assert_eq!(rig.outcomes("policy").await[&id(7)], ["failed", "", "no-answer", "presence-check"]);
        assert_eq!(rig.outcomes("policy").await[&id(2)][0], "deleted");
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
        let mut objects = rig.objects("rounds").await;
        assert!(objects.len() >= 3, "two rounds and what the recheck excluded: {objects:?}");
        // All of the journal but its end, whose loss cannot be told from a death before it was written.
        let mut segments = rig.objects("journal").await;
        segments.pop();
        objects.extend(segments);
        for key in objects {
            for left in [None, Some(0), Some(20)] {
                let whole = rig.damage(&key, left).await;
                let error = rig.error().await;
                assert!(error.to_string().contains(key.as_str()), "{key} {left:?}: {error}");
                assert!(error.is_loss(), "{key} {left:?}: {error}");
                rig.memory.remove(&key).await.expect("removed");
                rig.memory.create(&key, whole.into()).await.expect("restored");
            }
        }
        assert_eq!(rig.world.inner().requests, requests);
        let tally = rig.live_on().await;
        rig.check(&tally).await;
    });
}
