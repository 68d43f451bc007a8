//! Records that are sent again in later rounds.

use super::rig::{Rig, id, in_paused_time};
use super::scenario::Scenario;
use crate::base::Clock;

#[test]
fn locked_records_go_in_later_and_smaller_rounds() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(200, false);
        scenario.batch_size = 100;
        scenario.parallel = 1;
        scenario.records.iter_mut().for_each(|record| record.3 = 2);
        let rig = Rig::new(scenario);
        let started = rig.clock.now();
        let tally = rig.live_on().await;
        rig.check(&tally).await;
        assert_eq!(tally.deleted, 200);
        assert_eq!(rig.world.inner().sends, [vec![100; 2], vec![50; 4], vec![25; 8]].concat());
        assert!(rig.clock.now().duration_since(started).as_secs() >= 5, "it does not wait for locks to go");
    });
}

#[test]
fn a_record_that_stays_locked_has_failed_with_the_systems_code() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(3, false);
        scenario.records[1].3 = 99;
        let rig = Rig::new(scenario);
        let tally = rig.live_on().await;
        assert_eq!((tally.deleted, tally.failed), (2, 1));
        assert_eq!(rig.outcomes("policy").await[&id(1)], ["failed", "", "UNABLE_TO_LOCK_ROW", "answer"]);
        assert_eq!(rig.world.inner().sends, [3, 1, 1, 1, 1, 1]);
    });
}

#[test]
fn atomic_batches_keep_their_size_and_end_together() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(60, false);
        (scenario.atomic, scenario.batch_size, scenario.parallel) = (true, 30, 1);
        scenario.records[3].3 = 2;
        scenario.records[40].2 = true;
        let rig = Rig::new(scenario);
        let tally = rig.live_on().await;
        rig.check(&tally).await;
        assert_eq!((tally.deleted, tally.failed, tally.skipped), (30, 1, 29));
        assert_eq!(rig.world.inner().sends, [30, 30, 30, 30]);
    });
}
