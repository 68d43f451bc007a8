//! Atomic groups that fail, halved until the failing records are alone.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::rig::{Rig, id, in_paused_time};
use super::scenario::{End, Scenario};
use crate::apply::Event;
use crate::base::RecordId;

fn group(size: usize, culprits: &BTreeSet<usize>, nameless: bool) -> Scenario {
    let mut scenario = Scenario::calm(size, false);
    (scenario.atomic, scenario.isolates, scenario.nameless) = (true, true, nameless);
    culprits.iter().for_each(|culprit| scenario.records[*culprit].2 = true);
    scenario
}

impl Rig {
    async fn failed(&self) -> BTreeSet<RecordId> {
        let outcomes = self.outcomes("policy").await.into_iter();
        outcomes
            .filter(|(_, row)| row[0] != "deleted")
            .inspect(|(id, row)| assert_eq!(row[0], "failed", "{id}"))
            .map(|(id, _)| id)
            .collect()
    }

    /// How many rounds there were beside the first one.
    async fn rounds(&self) -> u32 {
        self.entries().await.iter().filter(|event| matches!(event, Event::RoundOpened { round: 1.., .. })).count() as u32
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn exactly_the_failing_records_stay(
        count in 1..90_usize,
        batch_size in 1..70_u64,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        nameless in any::<bool>(),
        grouped in any::<bool>(),
        ends in prop::collection::vec((1..12_u64, any::<bool>()), 0..4),
        by_request in any::<bool>(),
    ) {
        in_paused_time(async {
            let culprits: BTreeSet<usize> = picks.iter().map(|pick| pick.index(count)).collect();
            let mut scenario = group(count, &culprits, nameless);
            (scenario.batch_size, scenario.grouped) = (batch_size, grouped);
            let end = |(at, after)| if by_request { End::Request(at, after) } else { End::Entry(at, after) };
            scenario.ends = ends.into_iter().map(end).collect();
            let died = !scenario.ends.is_empty();
            let rig = Rig::new(scenario);
            let tally = rig.live_on().await;
            rig.check(&tally).await;
            assert_eq!(rig.failed().await, culprits.iter().map(|culprit| id(*culprit)).collect());
            let halvings = batch_size.next_power_of_two().ilog2();
            // A request that died with its process goes once more.
            assert!(died || rig.rounds().await <= halvings, "{} rounds for groups of {batch_size}", rig.rounds().await);
        });
    }
}

#[test]
fn two_hundred_records_take_eight_halvings_at_most() {
    in_paused_time(async {
        let mut scenario = group(200, &[3, 117, 118].into(), true);
        (scenario.batch_size, scenario.parallel) = (200, 1);
        let rig = Rig::new(scenario);
        rig.live_on().await;
        assert_eq!(rig.failed().await, [3, 117, 118].map(id).into());
        assert_eq!(rig.rounds().await, 8);
        assert!(rig.world.inner().requests < 60, "{}", rig.world.inner().requests);
        assert_eq!(rig.outcomes("policy").await[&id(117)][2], "ACCESS_OF_SOME_RECORD");
    });
}

#[test]
fn a_named_record_is_found_at_once() {
    in_paused_time(async {
        let mut scenario = group(200, &[50].into(), false);
        (scenario.batch_size, scenario.parallel) = (200, 1);
        let rig = Rig::new(scenario);
        rig.live_on().await;
        assert_eq!(rig.failed().await, [id(50)].into());
        assert_eq!(rig.world.inner().sends, [200, 100, 99]);
    });
}

#[test]
fn records_that_stay_locked_do_not_make_halves() {
    in_paused_time(async {
        let mut scenario = group(40, &BTreeSet::new(), false);
        (scenario.batch_size, scenario.parallel) = (20, 1);
        scenario.records[7].3 = 2;
        let rig = Rig::new(scenario);
        let tally = rig.live_on().await;
        assert_eq!((tally.deleted, rig.world.inner().sends.clone()), (40, vec![20, 20, 20, 20]));
    });
}
