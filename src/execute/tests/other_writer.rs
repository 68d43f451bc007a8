//! Somebody else writes into the run.

use tokio_util::sync::CancellationToken;

use super::rig::{Rig, id, in_paused_time, policy};
use super::scenario::{End, Scenario};
use crate::apply::Event;
use crate::execute::{ExecuteError, execute};
use crate::store::{IdNote, IdsWriter, Journal};

#[test]
fn a_round_that_names_an_unplanned_record_is_not_sent() {
    in_paused_time(async {
        let rig = Rig::new(Scenario::calm(10, false));
        // Whoever wrote this wrote the journal, too.
        let scratch = rig.scratch();
        let mut round = IdsWriter::create(&scratch.round(&policy("policy"), 0)).expect("made");
        (1..11).for_each(|number| round.push(&id(number), IdNote::None).expect("written"));
        let count = round.finish().expect("finished");
        let name = rig.store.round(&policy("policy"), 0);
        let ids = rig.store.publish(name, &scratch.round(&policy("policy"), 0)).await.expect("published");
        let journal = rig.journal(&rig.replay().await.expect("empty"));
        let opened = Event::RoundOpened { round: 0, count, ids, excluded: None, rechecked: None };
        journal.append(Some(&policy("policy")), &[opened]).await.expect("written");
        let error = rig.error().await;
        assert!(matches!(&error, ExecuteError::Unplanned { id: found, .. } if *found == id(10)), "{error}");
        assert!(error.is_loss());
        assert_eq!(rig.world.inner().requests, 0);
    });
}

#[test]
fn a_process_that_was_overtaken_sends_nothing_more() {
    in_paused_time(async {
        let rig = Rig::new(Scenario::calm(10, false));
        let stale = rig.replay().await.expect("empty");
        assert!(rig.live(End::Request(1, true), vec![rig.machine("policy")], &CancellationToken::new()).await.is_none());
        let sends = rig.world.inner().sends.clone();
        let (journal, stop) = (rig.journal(&stale), CancellationToken::new());
        let scratch = rig.scratch();
        let run = rig.run(&scratch, &journal, &stop);
        let error = execute(&run, vec![rig.machine("policy")], &stale).await.expect_err("overtaken");
        assert!(error.is_overtaken(), "{error}");
        assert_eq!(rig.world.inner().sends, sends, "not even the first intent could be written");
        let tally = rig.live_on().await;
        rig.check(&tally).await;
    });
}
