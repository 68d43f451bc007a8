//! Row locks between the batches of Bulk API 1.0 that the sandbox works on side by side: what makes a lock storm, and what ends it.

mod support;

use sexton::base::Exit;
use sexton::sandbox::{RecordKey, Settings, Value, World};
use support::{Bench, start};

/// Contacts of a few accounts, and more of them than one batch takes.
const CONTACTS: usize = 12_000;
const ACCOUNTS: usize = 8;

/// Deletes all contacts with these lines in the policy: how many jobs it took, one for each batch that was sent.
async fn jobs_with(lines: &str) -> usize {
    let mut world = World::builder().start(start()).build().expect("a world");
    let accounts: Vec<RecordKey> =
        (0..ACCOUNTS).map(|_| world.insert("Account", [("Name", "account".into())]).expect("known")).collect();
    for number in 0..CONTACTS {
        let parent = Value::Reference(accounts[number % ACCOUNTS]);
        world.insert("Contact", [("LastName", "contact".into()), ("AccountId", parent)]).expect("known");
    }
    let settings = Settings { bulk_lock_contention: true, ..Settings::starting_at(start()) };
    let bench = Bench::with(world, settings);
    bench.declare(&format!(
        "
apiVersion: sexton/v1
kind: DeletionPolicy
metadata: {{ name: contacts }}
spec:
  target: crm
  object: Contact
  filter: everything
  {lines}
  limits: {{ maxRecords: 100000, maxPercent: 100 }}
"
    ));
    bench.plan().await.expect("planned");
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    assert_eq!(bench.sandbox.world().count("Contact"), 0);
    let requests = bench.sandbox.requests();
    requests.iter().filter(|request| request.method == "POST" && request.path.ends_with("/services/async/66.0/job")).count()
}

#[tokio::test(start_paused = true)]
async fn batches_side_by_side_lock_each_other_and_have_to_be_sent_again() {
    assert!(jobs_with("via: bulk1").await > 2);
}

#[tokio::test(start_paused = true)]
async fn one_batch_at_a_time_ends_the_storm() {
    assert_eq!(jobs_with("concurrency: serial").await, 2);
}

#[tokio::test(start_paused = true)]
async fn children_of_one_parent_in_one_batch_end_the_storm() {
    assert_eq!(jobs_with("via: bulk1\n  groupBy: AccountId").await, 2);
}
