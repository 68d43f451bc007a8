//! A policy that writes a long file does not keep the others from asking how far their jobs are.

use std::future::poll_fn;
use std::pin::pin;

use super::rig::{Rig, in_paused_time};
use super::scenario::Scenario;
use crate::execute::turns::Turns;

/// How often the task of a run with one job comes to an end of what it can do, so that others could go on.
fn rests(records: usize) -> u64 {
    in_paused_time(async {
        let rig = Rig::new(Scenario { batch_size: 1_000_000, parallel: 1, ..Scenario::calm(records, true) });
        let (mut life, mut polls) = (pin!(rig.live_on()), 0);
        let tally = poll_fn(|context| {
            polls += 1;
            life.as_mut().poll(context)
        })
        .await;
        assert_eq!(tally.deleted, records as u64);
        polls
    })
}

#[test]
fn a_long_file_is_written_in_turns() {
    let turns = 4;
    let more = rests((Turns::ROWS * turns) as usize) - rests(10);
    assert!(more >= 2 * turns, "the first round and the outcomes take {turns} turns each, and there were {more} in all");
}
