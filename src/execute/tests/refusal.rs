//! Requests and jobs that are refused as a whole.

use super::rig::{Rig, id, in_paused_time};
use super::scenario::Scenario;
use super::world::Wrong;
use crate::apply::Tally;
use crate::system::Api;

#[test]
fn requests_that_are_refused_one_after_the_other_end_the_policy() {
    for jobs in [false, true] {
        in_paused_time(async {
            let mut scenario = Scenario::calm(50, jobs);
            scenario.parallel = 1;
            scenario.faults = vec![Wrong::Refused; 3];
            let rig = Rig::new(scenario);
            let tally = rig.live_on().await;
            rig.check(&tally).await;
            assert_eq!((tally.failed, tally.skipped), (15, 35));
            assert_eq!(rig.outcomes("policy").await[&id(49)][1], "stopped");
            assert_eq!(rig.world.inner().requests, 3, "nothing is sent after that");
        });
    }
}

#[test]
fn a_job_that_is_not_what_was_asked_for_is_left_unstarted_and_told() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(5, true);
        (scenario.api, scenario.faults) = (Api::FulcrumBatch, vec![Wrong::Nothing, Wrong::Refused]);
        let rig = Rig::new(scenario);
        let tally = rig.live_on().await;
        rig.check(&tally).await;
        assert_eq!(tally, Tally { failed: 5, ..Tally::default() });
        assert_eq!(rig.outcomes("policy").await[&id(1)], ["failed", "", "CLIENTINPUTERROR", "answer"]);
        assert_eq!(rig.world.inner().requests, 2, "it was made and compared, and no more");
    });
}
