//! A system asks to be left alone for minutes, and somebody presses Ctrl-C meanwhile: nobody waits for the wait to end.

mod support;

use std::time::Duration;

use sexton::base::{Exit, PolicyName};
use sexton::sandbox::{Effect, Fault, World};
use support::{Bench, start};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const POLICY: &str = "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: { name: logs }\nspec:\n  target: crm\n  \
    object: Log__c\n  filter: everything\n  limits: { maxRecords: 1000, maxPercent: 100 }\n";

const WAIT: Effect = Effect::TooManyRequests { retry_after: Some(600) };

async fn planned() -> Bench {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Log__c", 500, 7).expect("logs");
    let bench = Bench::new(world);
    bench.declare(POLICY);
    bench.plan().await.expect("planned");
    bench
}

/// Applies, and interrupts after a minute: the way it ends, which is long before the system may be asked again.
async fn interrupted(bench: &Bench) -> Exit {
    let (stop, began) = (CancellationToken::new(), Instant::now());
    let press = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(bench.apply_confirmed(&[], &stop), press);
    assert_eq!(began.elapsed().as_secs(), 60, "it waited");
    ended.map_or_else(|error| error.exit, |applied| applied.exit)
}

async fn goes_on_to_its_end(bench: &Bench) {
    bench.sandbox.clear_faults();
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    let outcomes = bench.outcomes(&PolicyName::new("logs").expect("a name"));
    assert_eq!(outcomes.iter().filter(|row| row.outcome == "deleted").count(), 500);
}

#[tokio::test(start_paused = true)]
async fn while_it_reads_again_before_anything_is_sent() {
    let bench = planned().await;
    bench.sandbox.add_fault(Fault::on("GET", "*/query", WAIT).nth(2));
    assert_eq!(interrupted(&bench).await, Exit::Interrupted);
    assert_eq!(bench.transport.demands(), [], "nothing was sent");
    goes_on_to_its_end(&bench).await;
}

#[tokio::test(start_paused = true)]
async fn while_it_looks_what_became_of_a_batch() {
    let bench = planned().await;
    bench.sandbox.add_fault(Fault::on("DELETE", "*/composite/sobjects", Effect::DropAfter).nth(2));
    bench.sandbox.add_fault(Fault::on("GET", "*/queryAll", WAIT));
    assert_eq!(interrupted(&bench).await, Exit::Interrupted);
    assert_eq!(bench.sandbox.world().count("Log__c"), 0, "all of it was sent");
    goes_on_to_its_end(&bench).await;
}
