//! Against row locks: children of one parent go together, and only what was locked is sent again, a bounded number of times.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use sexton::apply::ROUNDS;
use sexton::base::Exit;
use sexton::base::PolicyName;
use sexton::sandbox::{ItemError, RecordKey, Value, World};
use support::{Bench, start};

/// Contacts of one batch size and a half for each of a few accounts would never fit; these do, many times.
const ACCOUNTS: usize = 40;
const CONTACTS: usize = 900;

fn bench(api: &str, group_by: &str) -> Bench {
    let mut world = World::builder().start(start()).build().expect("a world");
    let accounts: Vec<RecordKey> = (0..ACCOUNTS)
        .map(|number| world.insert("Account", [("Name", format!("account {number}").as_str().into())]).expect("known"))
        .collect();
    let mut random = fastrand::Rng::with_seed(5);
    for number in 0..CONTACTS {
        let parent = Value::Reference(accounts[random.usize(0..ACCOUNTS)]);
        let fields = [("LastName", format!("contact {number}").as_str().into()), ("AccountId", parent)];
        world.insert("Contact", fields).expect("known");
    }
    let bench = Bench::new(world);
    bench.declare(&format!(
        "
apiVersion: sexton/v1
kind: DeletionPolicy
metadata: {{ name: contacts }}
spec:
  target: crm
  object: Contact
  filter: everything
  via: {api}
  {group_by}
  limits: {{ maxRecords: 100000, maxPercent: 100 }}
"
    ));
    bench
}

/// How many batches each parent has children in.
fn batches_of_parents(bench: &Bench) -> BTreeMap<String, usize> {
    let world = bench.sandbox.world();
    let mut batches: BTreeMap<String, usize> = BTreeMap::new();
    for demand in bench.transport.demands() {
        let parent =
            |id: &String| world.value(RecordKey::parse(id).expect("an id"), "AccountId").expect("a field").to_text();
        let parents: BTreeSet<String> = demand.ids.iter().map(parent).collect();
        for parent in parents {
            *batches.entry(parent).or_default() += 1;
        }
    }
    batches
}

#[tokio::test(start_paused = true)]
async fn children_of_one_parent_go_together_through_collections() {
    let grouped = bench("collections", "groupBy: AccountId");
    grouped.plan().await.expect("planned");
    grouped.apply().await.expect("applied");
    let sizes: Vec<usize> = grouped.transport.demands().iter().map(|demand| demand.ids.len()).collect();
    assert!(sizes.len() < 8 && sizes.iter().any(|size| *size < 200), "a batch ends where a parent does: {sizes:?}");
    assert!(batches_of_parents(&grouped).values().all(|batches| *batches == 1));

    let by_id = bench("collections", "");
    by_id.plan().await.expect("planned");
    by_id.apply().await.expect("applied");
    let split = batches_of_parents(&by_id).values().filter(|batches| **batches > 1).count();
    assert_eq!(split, ACCOUNTS, "without `groupBy` every parent is in several batches");
}

/// Applies while calls side by side lock each other's parents; gives how often records were sent, and the codes of failures.
async fn under_contention(group_by: &str) -> (usize, BTreeSet<String>) {
    let bench = bench("collections", group_by);
    bench.plan().await.expect("planned");
    bench.transport.contend("AccountId");
    bench.apply().await.expect("applied");
    let sent = bench.transport.demands().iter().map(|demand| demand.ids.len()).sum();
    let rows = bench.outcomes(&PolicyName::new("contacts").expect("a name"));
    (sent, rows.into_iter().map(|row| row.code).filter(|code| !code.is_empty()).collect())
}

#[tokio::test(start_paused = true)]
async fn grouped_children_meet_no_lock_of_each_other() {
    assert_eq!(under_contention("groupBy: AccountId").await, (CONTACTS, BTreeSet::new()));
    let (sent, _) = under_contention("").await;
    assert!(sent > CONTACTS, "without `groupBy` calls side by side lock each other");
}

#[tokio::test(start_paused = true)]
async fn groups_stay_together_when_they_are_sent_again() {
    let bench = bench("collections", "groupBy: AccountId");
    let contacts: Vec<RecordKey> = bench.sandbox.world().ids("Contact").collect();
    for (times, key) in (1..4).cycle().zip(&contacts) {
        bench.sandbox.world().refuse(*key, ItemError::locked(&[*key]), Some(times));
    }
    bench.plan().await.expect("planned");
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    let demands = bench.transport.demands();
    let sizes: Vec<usize> = demands.iter().map(|demand| demand.ids.len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 900 + 900 + 600 + 300);
    // In each of the four rounds a parent's children that are left go in one call.
    assert!(batches_of_parents(&bench).values().all(|batches| *batches <= 4), "{sizes:?}");
}

#[tokio::test(start_paused = true)]
async fn children_of_one_parent_stand_side_by_side_in_the_upload_through_bulk2() {
    let bench = bench("bulk2", "groupBy: AccountId");
    bench.plan().await.expect("planned");
    bench.apply().await.expect("applied");
    let demands = bench.transport.demands();
    assert_eq!(demands.len(), 1);
    let world = bench.sandbox.world();
    let parent = |id: &String| world.value(RecordKey::parse(id).expect("an id"), "AccountId").expect("a field").to_text();
    let mut parents: Vec<String> = demands[0].ids.iter().map(parent).collect();
    parents.dedup();
    assert_eq!(parents.len(), ACCOUNTS, "each parent once");
}

async fn only_locked_rows_are_sent_again(api: &str) {
    let bench = bench(api, "");
    let contacts: Vec<RecordKey> = bench.sandbox.world().ids("Contact").collect();
    let for_a_while: BTreeMap<String, u32> =
        contacts.iter().step_by(60).zip((1..ROUNDS).cycle()).map(|(key, times)| (key.to_string(), times)).collect();
    let for_ever: BTreeSet<String> = contacts.iter().skip(7).step_by(300).map(ToString::to_string).collect();
    for (id, times) in for_a_while.iter().map(|(id, times)| (id, Some(*times))).chain(for_ever.iter().map(|id| (id, None))) {
        let key = RecordKey::parse(id).expect("an id");
        bench.sandbox.world().refuse(key, ItemError::locked(&[key]), times);
    }
    bench.plan().await.expect("planned");
    let applied = bench.apply().await.expect("applied");
    assert_eq!(applied.exit, Exit::SomeFailed);

    let mut sent: BTreeMap<String, u32> = BTreeMap::new();
    for id in bench.transport.demands().into_iter().flat_map(|demand| demand.ids) {
        *sent.entry(id).or_default() += 1;
    }
    for key in &contacts {
        let id = key.to_string();
        let expected = if for_ever.contains(&id) { ROUNDS } else { 1 + for_a_while.get(&id).copied().unwrap_or(0) };
        assert_eq!(sent.get(&id), Some(&expected), "{id}");
        assert_eq!(bench.sandbox.world().exists(*key), for_ever.contains(&id), "{id}");
    }
    let policy = PolicyName::new("contacts").expect("a name");
    let failed: BTreeMap<String, String> = bench
        .outcomes(&policy)
        .into_iter()
        .filter(|row| row.outcome != "deleted")
        .map(|row| (row.id.to_string(), format!("{} {}", row.outcome, row.code)))
        .collect();
    let expected = for_ever.iter().map(|id| (id.clone(), "failed UNABLE_TO_LOCK_ROW".to_owned())).collect();
    assert_eq!(failed, expected);
    let open: BTreeSet<String> = bench.state().policies[&policy].open.iter().map(|open| open.id.to_string()).collect();
    assert_eq!(open, for_ever);
}

#[tokio::test(start_paused = true)]
async fn only_locked_rows_are_sent_again_and_not_for_ever_through_collections() {
    only_locked_rows_are_sent_again("collections").await;
}

#[tokio::test(start_paused = true)]
async fn only_locked_rows_are_sent_again_and_not_for_ever_through_bulk2() {
    only_locked_rows_are_sent_again("bulk2").await;
}
