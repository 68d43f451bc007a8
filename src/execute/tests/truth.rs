//! The outcomes are the truth, whatever goes wrong and wherever a process dies.

use proptest::prelude::*;

use super::rig::{Rig, in_paused_time};
use super::scenario::{End, Scenario, scenarios};
use crate::apply::Tally;

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn whatever_goes_wrong_the_outcomes_are_the_truth(scenario in scenarios()) {
        in_paused_time(async {
            let rig = Rig::new(scenario);
            let tally = rig.live_on().await;
            rig.check(&tally).await;
        });
    }
}

#[test]
fn every_record_goes_when_nothing_goes_wrong() {
    for jobs in [false, true] {
        in_paused_time(async {
            let mut scenario = Scenario::calm(23, jobs);
            scenario.records[3].0 = true;
            scenario.records[4].1 = true;
            scenario.records[5].2 = true;
            scenario.records[6].3 = 2;
            let rig = Rig::new(scenario);
            let tally = rig.live_on().await;
            rig.check(&tally).await;
            assert_eq!(tally, Tally { deleted: 20, already_gone: 1, skipped: 1, failed: 1, unknown: 0 });
            let looked_at = rig.outcomes("policy").await.into_values().filter(|row| row[3] == "presence-check");
            let looked_at: Vec<String> = looked_at.map(|row| row[0].clone()).collect();
            assert_eq!(looked_at, ["already-gone"], "nothing else had to be looked at");
        });
    }
}

#[test]
fn a_run_that_dies_at_any_entry_or_request_ends_like_one_that_does_not() {
    for jobs in [false, true] {
        in_paused_time(async {
            let mut scenario = Scenario::calm(12, jobs);
            scenario.records[2].3 = 1;
            scenario.records[7].2 = true;
            let whole = Rig::new(scenario.clone());
            let expected = whole.live_on().await;
            let kinds =
                async |rig: &Rig| rig.outcomes("policy").await.into_values().map(|row| row[0].clone()).collect::<Vec<_>>();
            let (entries, requests) = (whole.entries().await.len() as u64, whole.world.inner().requests);
            let deaths = (1..entries).flat_map(|at| [End::Entry(at, false), End::Entry(at, true)]);
            let deaths = deaths.chain((1..=requests).flat_map(|at| [End::Request(at, false), End::Request(at, true)]));
            let mut died = 0;
            for death in deaths {
                let rig = Rig::new(Scenario { ends: vec![death], ..scenario.clone() });
                let tally = rig.live_on().await;
                rig.check(&tally).await;
                assert_eq!((tally, kinds(&rig).await), (expected, kinds(&whole).await), "{death:?}");
                died += 1;
            }
            assert!(died > 20, "only {died} deaths were tried");
        });
    }
}
