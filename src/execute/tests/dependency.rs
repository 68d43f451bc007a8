//! Policies that depend on others.

use tokio_util::sync::CancellationToken;

use super::rig::{Rig, id, in_paused_time, policy};
use super::scenario::{End, Scenario};
use super::world::Wrong;
use crate::apply::Tally;
use crate::execute::{PolicyResultKind, PolicyRun};

/// A policy, and another one that depends on it.
fn one_and_a_later(rig: &Rig) -> Vec<PolicyRun> {
    let mut later = rig.machine("later");
    later.depends_on = vec![policy("policy")];
    vec![rig.machine("policy"), later]
}

#[test]
fn a_policy_whose_dependency_failed_deletes_nothing() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(10, false);
        scenario.records[0].2 = true;
        let rig = Rig::new(scenario);
        let ended = rig.live(End::Natural, one_and_a_later(&rig), &CancellationToken::new()).await.expect("alive");
        assert!(matches!(ended[0].kind, PolicyResultKind::Finished { tally: Tally { deleted: 9, failed: 1, .. }, .. }));
        assert!(matches!(ended[1].kind, PolicyResultKind::Finished { tally: Tally { skipped: 10, .. }, .. }));
        assert_eq!(rig.outcomes("later").await[&id(3)], ["skipped", "dependency", "", "none"]);
        assert_eq!(
            rig.live(End::Natural, one_and_a_later(&rig), &CancellationToken::new()).await,
            Some(ended),
            "asked again, it says the same"
        );
    });
}

#[test]
fn a_policy_whose_dependency_is_unfinished_waits_with_it() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(10, false);
        scenario.faults = vec![Wrong::Quota];
        let rig = Rig::new(scenario);
        let ended = rig.live(End::Natural, one_and_a_later(&rig), &CancellationToken::new()).await.expect("alive");
        assert!(ended.iter().all(|end| matches!(end.kind, PolicyResultKind::Unfinished { .. })));
        let ended = rig.live(End::Natural, one_and_a_later(&rig), &CancellationToken::new()).await.expect("alive");
        assert!(ended[0].kind.succeeded() && ended[1].kind.succeeded());
    });
}
