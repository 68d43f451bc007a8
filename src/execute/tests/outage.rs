//! A run that cannot go on for now, and goes on later.

use tokio_util::sync::CancellationToken;

use super::rig::{Rig, in_paused_time};
use super::scenario::{End, Scenario};
use super::world::Wrong;
use crate::apply::Event;
use crate::base::Clock;
use crate::execute::PolicyResultKind;

#[test]
fn a_used_up_quota_leaves_the_run_unfinished_and_the_same_call_continues_it() {
    for jobs in [false, true] {
        in_paused_time(async {
            let mut scenario = Scenario::calm(20, jobs);
            scenario.faults = vec![Wrong::Quota; 4];
            let rig = Rig::new(scenario);
            let ended = rig.live(End::Natural, vec![rig.machine("policy")], &CancellationToken::new()).await;
            let kind = &ended.expect("alive")[0].kind;
            assert!(
                matches!(kind, PolicyResultKind::Unfinished { cause, .. } if cause.contains("REQUEST_LIMIT_EXCEEDED")),
                "{kind:?}"
            );
            let finished = rig.entries().await.iter().any(|event| matches!(event, Event::Finished { .. }));
            assert!(!finished, "no outcome is made up");
            let tally = rig.live_on().await;
            rig.check(&tally).await;
            assert_eq!(tally.deleted, 20);
        });
    }
}

#[test]
fn an_outage_ends_the_run_after_a_while_and_not_the_records() {
    for jobs in [false, true] {
        in_paused_time(async {
            let mut scenario = Scenario::calm(20, jobs);
            scenario.faults = vec![Wrong::Transient; 60];
            let rig = Rig::new(scenario);
            let started = rig.clock.now();
            let ended = rig.live(End::Natural, vec![rig.machine("policy")], &CancellationToken::new()).await;
            assert!(matches!(ended.expect("alive")[0].kind, PolicyResultKind::Unfinished { .. }));
            let minutes = rig.clock.now().duration_since(started).as_secs() / 60;
            assert!((1..20).contains(&minutes), "it gave up after {minutes} minutes");
            let tally = rig.live_on().await;
            assert_eq!(tally.deleted, 20);
        });
    }
}

#[test]
fn an_interrupted_run_takes_in_what_was_sent_and_goes_on_later() {
    for jobs in [false, true] {
        in_paused_time(async {
            let rig = Rig::new(Scenario::calm(50, jobs));
            let stop = CancellationToken::new();
            let ended = tokio::join!(rig.live(End::Natural, vec![rig.machine("policy")], &stop), async {
                tokio::time::sleep(std::time::Duration::from_millis(35)).await;
                stop.cancel();
            });
            assert!(matches!(ended.0.expect("alive")[0].kind, PolicyResultKind::Interrupted { .. }));
            let requests = rig.world.inner().requests;
            assert!((2..20).contains(&requests), "{requests} requests before the interruption was noticed");
            let tally = rig.live_on().await;
            rig.check(&tally).await;
            let unanswered = rig.entries().await.iter().filter(|event| matches!(event, Event::Unclear { .. })).count();
            assert_eq!(unanswered, 0, "an answer under way was not waited for");
            assert_eq!(tally.deleted, 50);
        });
    }
}

#[test]
fn what_an_unanswered_request_deletes_late_was_deleted_by_us() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(5, false);
        scenario.faults = vec![Wrong::LostLate];
        let rig = Rig::new(scenario);
        let tally = rig.live_on().await;
        rig.check(&tally).await;
        assert_eq!(tally.deleted, 5);
        assert_eq!(rig.world.inner().sends, [5, 5], "they were there when looked at, and sent once more");
    });
}
