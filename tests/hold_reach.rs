//! How far a hold reaches: to records that match no policy any more, over objects between, deeper than cascades are followed, and to
//! what comes to belong to a held record while a run is under way.

mod support;

use sexton::base::{Exit, PolicyName};
use sexton::plan::FindingKind;
use sexton::sandbox::{Effect, RecordKey, Value, World};
use support::route::{System, ZUORA_SOAP};
use support::{ADDRESS, Bench, login_without, object_below, start};

fn policy(name: &str, object: &str, filter: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: {name} }}\nspec:\n  target: crm\n  object: {object}\n  \
         filter: {filter}\n  limits: {{ maxRecords: 1000, maxPercent: 100 }}\n---\n"
    )
}

fn hold(target: &str, object: &str, filter: &str, more: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: Hold\nmetadata: {{ name: counsel }}\nspec:\n  target: {target}\n  object: {object}\n  \
         filter: {filter}\n  reason: Matter 7\n{more}---\n"
    )
}

/// The gate on cascades to held records, about the first policy.
async fn held_cascade(bench: &Bench) -> (FindingKind, String) {
    let header = bench.plan().await.expect("planned").header;
    let found = header.policies[0].gates.iter().find(|finding| finding.gate == "held-cascade").expect("asked");
    (found.kind, found.message.clone())
}

#[tokio::test(start_paused = true)]
async fn a_planned_record_that_is_held_by_now_is_told_as_held_whether_it_matches_or_not() {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", 4, 7).expect("leads");
    let bench = Bench::new(world);
    let leads: Vec<RecordKey> = bench.sandbox.world().ids("Lead").collect();
    for lead in &leads {
        bench.sandbox.world().update(*lead, "Company", "Old").expect("known");
    }
    let documents = policy("leads", "Lead", "Company = 'Old'") + &hold("crm", "Lead", "LastName = 'Held'", "");
    bench.declare(&documents);
    bench.plan().await.expect("planned");
    {
        let mut world = bench.sandbox.world();
        world.update(leads[0], "LastName", "Held").expect("known");
        for lead in &leads[..2] {
            world.update(*lead, "Company", "Young").expect("known");
        }
    }
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    let rows = bench.outcomes(&PolicyName::new("leads").expect("a name"));
    let ends: Vec<(&str, &str)> = rows.iter().map(|row| (row.outcome.as_str(), row.cause.as_str())).collect();
    assert_eq!(ends, [("skipped", "held"), ("skipped", "no-longer-matches"), ("deleted", ""), ("deleted", "")]);
}

#[tokio::test(start_paused = true)]
async fn what_would_take_the_children_of_a_held_record_along_is_kept() {
    let mut world = World::builder().start(start()).build().expect("a world");
    let account = world.insert("Account", [("Name", Value::from("Kept"))]).expect("an account");
    let [first, _] =
        ["First", "Second"].map(|name| world.insert("Contact", [("LastName", Value::from(name))]).expect("one"));
    let task = [("Subject", Value::from("a call")), ("WhatId", account.into()), ("WhoId", first.into())];
    world.insert("Task", task).expect("a task");
    let bench = Bench::new(world);
    let counsel = hold("crm", "Account", "Name = 'Kept'", "  children: [Task.WhatId]\n");
    bench.declare(&(policy("contacts", "Contact", "everything") + &counsel));
    let planned = bench.plan().await.expect("planned");
    assert_eq!((planned.header.policies[0].matched, planned.header.policies[0].selected), (2, 1));
    bench.apply().await.expect("applied");
    assert!(bench.sandbox.world().exists(first), "it would take the call with the held account along");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_seen_is_doubt_also_two_steps_above_a_held_record() {
    let mut world = World::builder()
        .start(start())
        .user(login_without(&["Middle__c"]))
        .object(object_below("Top__c", b'1', None))
        .object(object_below("Middle__c", b'2', Some("Top__c")))
        .object(object_below("Lower__c", b'3', Some("Middle__c")))
        .object(object_below("Leaf__c", b'4', Some("Lower__c")))
        .build()
        .expect("a world");
    world.insert("Top__c", [("Name", Value::from("top"))]).expect("a record");
    let bench = Bench::new(world);
    bench.declare(&(policy("tops", "Top__c", "everything") + &hold("crm", "Leaf__c", "everything", "")));
    let (kind, message) = held_cascade(&bench).await;
    assert!(kind == FindingKind::Refuse && message.contains("Top__c > Middle__c > Lower__c > Leaf__c"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_held_record_that_lies_deeper_than_cascades_are_followed_is_doubt() {
    let mut world =
        World::builder().start(start()).object(object_below("Node__c", b'1', Some("Node__c"))).build().expect("a world");
    let mut above = None;
    for number in 0..8 {
        let name = ("Name", Value::from(format!("node {number}").as_str()));
        let up = above.map(|above: RecordKey| ("Up__c", above.into()));
        above = Some(world.insert("Node__c", std::iter::once(name).chain(up)).expect("a node"));
    }
    let bench = Bench::new(world);
    let top = policy("top", "Node__c", "Name = 'node 0'");
    bench.declare(&(top.clone() + &hold("crm", "Node__c", "Name = 'node 7'", "")));
    let (kind, message) = held_cascade(&bench).await;
    assert!(kind == FindingKind::Refuse && message.contains("`Node__c`"), "{message}");
    // One that they reach keeps what is above it, and is no doubt.
    bench.declare(&(top + &hold("crm", "Node__c", "Name = 'node 3'", "")));
    let (kind, message) = held_cascade(&bench).await;
    assert_eq!((kind, bench.bundle().header().policies[0].held()), (FindingKind::Pass, 1), "{message}");
}

#[tokio::test(start_paused = true)]
async fn what_comes_to_belong_to_a_held_record_during_a_run_is_kept() {
    let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
    let mut ids = System::Zuora.add(&bench.sandbox, 500, "old");
    ids.sort();
    let account = bench.sandbox.zuora().insert("Account", [("Name", "Free"), ("Status", "Active")]).expect("an account");
    let last = ids[499].clone();
    bench.sandbox.zuora().update(&last, "AccountId", &account).expect("known");
    bench.sandbox.add_fault(ZUORA_SOAP.deletion_fault(Effect::Delay { milliseconds: 100_000 }));
    let documents = [
        "apiVersion: sexton/v1\nkind: Project\nmetadata: { name: retention }\nspec: { holdRefresh: 1 minute }\n---\n",
        &System::Zuora.document(ADDRESS, None),
        &hold("billing", "Account", "Name = 'Held'", "  children: [Usage.AccountId]\n"),
        &ZUORA_SOAP.policy(&[]),
    ];
    bench.write("sexton.yaml", &documents.concat());
    bench.plan().await.expect("planned");
    bench.transport.before_deletion(move |sandbox| sandbox.zuora().update(&account, "Name", "Held").expect("known"));
    let applied = bench.apply().await.expect("applied");
    assert_eq!((applied.report.tally().deleted, applied.report.tally().skipped), (499, 1));
    assert!(bench.sandbox.zuora().exists(&last));
}
