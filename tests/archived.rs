//! Archived activities: `query` hides them, and they are what retention is about.

mod support;

use sexton::base::{Exit, PolicyName};
use sexton::sandbox::{DeleteMode, Deletion, FieldKind, Lookup, ObjectDefinition, RecordKey, Value, World, WorldBuilder};

use support::{Bench, start};

fn policy(name: &str, object: &str, filter: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: {name} }}\nspec:\n  target: crm\n  object: {object}\n  \
         filter: {filter}\n  limits: {{ maxRecords: 100000, maxPercent: 100 }}\n---\n"
    )
}

const HOLD: &str = "apiVersion: sexton/v1\nkind: Hold\nmetadata: { name: counsel }\nspec:\n  target: crm\n  object: Task\n  \
    filter: Subject = 'Disputed'\n  reason: Matter 7\n---\n";

/// An archived task of an account.
fn archived(world: &mut World, account: RecordKey, subject: &str) -> RecordKey {
    let task = [("Subject", Value::from(subject)), ("WhatId", account.into()), ("IsArchived", true.into())];
    world.insert("Task", task).expect("a task")
}

#[tokio::test(start_paused = true)]
async fn an_archived_task_that_is_held_keeps_its_account() {
    let mut world = World::builder().start(start()).build().expect("a world");
    let accounts: Vec<RecordKey> =
        (0..5).map(|_| world.insert("Account", [("Name", Value::from("Old"))]).expect("an account")).collect();
    let task = archived(&mut world, accounts[0], "Disputed");
    archived(&mut world, accounts[1], "Done");
    let bench = Bench::new(world);
    bench.declare(&(policy("accounts", "Account", "everything") + HOLD));
    let planned = bench.plan().await.expect("planned");
    let policy = &planned.header.policies[0];
    assert_eq!((policy.matched, policy.held(), policy.selected), (5, 1, 4));
    let tasks: Vec<Option<u64>> =
        policy.cascades.iter().filter(|cascade| cascade.child == "Task").map(|cascade| cascade.records).collect();
    assert_eq!(tasks, [Some(2)], "of all that match");
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    let world = bench.sandbox.world();
    assert!(world.exists(accounts[0]) && world.exists(task) && !world.exists(accounts[1]));
}

#[tokio::test(start_paused = true)]
async fn archived_tasks_are_deleted_through_rest_and_through_bulk_and_deleted_ones_are_not_selected_again() {
    for count in [40, 5_000] {
        let mut world = World::builder().start(start()).build().expect("a world");
        world.generate("Task", count, 7).expect("tasks");
        let bench = Bench::new(world);
        let tasks: Vec<RecordKey> = bench.sandbox.world().ids("Task").collect();
        bench.sandbox.world().update(tasks[0], "IsArchived", true).expect("known");
        let somebody = Deletion { mode: DeleteMode::Soft, all_or_none: false, user: WorldBuilder::user_key(1) };
        bench.sandbox.world().delete(&[tasks[1].to_string()], somebody).remove(0).expect("deleted");
        bench.declare(&policy("tasks", "Task", "everything"));
        let planned = bench.plan().await.expect("planned");
        assert_eq!(planned.header.policies[0].selected, u64::from(count) - 1);
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
        let outcomes = bench.outcomes(&PolicyName::new("tasks").expect("a name"));
        assert!(outcomes.iter().all(|row| row.outcome == "deleted"));
        assert!(!bench.sandbox.world().exists(tasks[0]));
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_with_archived_files_alone_is_not_one_without_files() {
    let file = ObjectDefinition::new("ContentDocument", "File", "Files", *b"069")
        .with("ParentId", Lookup::to(&["Account"], "Parent").into())
        .with("IsArchived", FieldKind::Boolean);
    let mut world = World::builder().start(start()).object(file).build().expect("a world");
    let accounts: Vec<RecordKey> =
        (0..3).map(|_| world.insert("Account", [("Name", Value::from("Old"))]).expect("an account")).collect();
    world.insert("ContentDocument", [("ParentId", accounts[0].into()), ("IsArchived", true.into())]).expect("a file");
    let bench = Bench::new(world);
    bench.declare(&policy("accounts", "Account", "Id NOT IN (SELECT ParentId FROM ContentDocument)"));
    let planned = bench.plan().await.expect("planned");
    assert_eq!(planned.header.policies[0].selected, 2);
}
