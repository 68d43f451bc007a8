//! Records that must not be sent any more when a run is continued.

use std::collections::BTreeSet;

use super::rig::{Rig, id, in_paused_time};
use super::scenario::{End, Scenario};
use super::world::Wrong;
use crate::apply::{SkipCause, Tally};

#[test]
fn what_is_held_has_changed_or_does_not_match_while_a_run_is_down_is_not_sent() {
    use SkipCause::{Changed, Held, NoLongerMatches};
    for jobs in [false, true] {
        in_paused_time(async {
            let mut scenario = Scenario::calm(12, jobs);
            scenario.parallel = 1;
            scenario.records[2].3 = 1;
            // One in every batch, and one of them locked when it is sent for the first time.
            scenario.excluded =
                [(2, Held), (7, Changed), (11, NoLongerMatches)].map(|(number, cause)| (1, 99, number, cause)).to_vec();
            let whole = Rig::new(Scenario { excluded: Vec::new(), ..scenario.clone() });
            whole.live_on().await;
            let (entries, requests) = (whole.entries().await.len() as u64, whole.world.inner().requests);
            let deaths = (1..entries).flat_map(|at| [End::Entry(at, false), End::Entry(at, true)]);
            let deaths = deaths.chain((1..=requests).flat_map(|at| [End::Request(at, false), End::Request(at, true)]));
            let mut kept = BTreeSet::new();
            for death in deaths {
                let rig = Rig::new(Scenario { ends: vec![death], ..scenario.clone() });
                let tally = rig.live_on().await;
                rig.check(&tally).await;
                // Of one whose request may still be at work it is not known whether it stays.
                assert_eq!((tally.deleted + tally.skipped + tally.unknown, tally.failed), (12, 0), "{death:?}");
                kept.insert(tally.skipped + tally.unknown);
            }
            assert_eq!(kept, (0..4).collect::<BTreeSet<u64>>(), "from all of them down to none");
        });
    }
}

#[test]
fn a_held_record_that_was_sent_before_and_stayed_is_not_sent_again() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(5, false);
        (scenario.records[1].3, scenario.records[3].3) = (1, 1);
        scenario.ends = vec![End::Request(1, true)];
        scenario.excluded = vec![(1, 99, 1, SkipCause::Held)];
        let rig = Rig::new(scenario);
        let tally = rig.live_on().await;
        rig.check(&tally).await;
        // The request that the other process sent may still be at work.
        assert_eq!(tally, Tally { deleted: 4, unknown: 1, ..Tally::default() });
        assert_eq!(rig.outcomes("policy").await[&id(1)], ["unknown", "", "", "none"]);
        assert_eq!(rig.world.inner().sends, [5, 1]);
    });
}

#[test]
fn what_an_abandoned_batch_left_in_the_files_is_no_answer_when_a_round_is_cut_short() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(10, true);
        scenario.parallel = 1;
        (scenario.faults, scenario.ends) = (vec![Wrong::Refused], vec![End::Entry(3, false)]);
        scenario.excluded = vec![(1, 99, 7, SkipCause::Held)];
        let rig = Rig::new(scenario);
        let tally = rig.live_on().await;
        rig.check(&tally).await;
        assert_eq!(tally, Tally { deleted: 9, skipped: 1, ..Tally::default() });
    });
}
