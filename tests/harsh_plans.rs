//! Whole plans and applies in a harsh organization, through objects that lack what most have.

mod support;

use std::collections::BTreeMap;

use sexton::base::PolicyName;
use sexton::sandbox::{Value, World};
use support::{Bench, start};

/// A harsh organization with so many records of an object.
fn bench(object: &str, count: usize, fields: &[(&str, Value)], seed: u64) -> Bench {
    let mut world = World::builder().start(start()).seed(seed).harsh().build().expect("a world");
    for _ in 0..count {
        world.insert(object, fields.iter().cloned()).expect("known fields");
    }
    Bench::harsh(world, seed)
}

fn declare(bench: &Bench, object: &str, filter: &str, more: &str) {
    bench.declare(&format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: old-ones }}\nspec:\n  target: crm\n  object: {object}\n  \
         filter: {filter}\n  limits: {{ maxRecords: 5000, maxPercent: 100 }}\n{more}---\n"
    ));
}

/// Plans and applies, and gives how many records have which outcome.
async fn carried_out(bench: &Bench) -> BTreeMap<String, usize> {
    let planned = bench.plan().await.unwrap_or_else(|error| panic!("{error}: {:?} {:?}", error.notes, error.help));
    let findings: Vec<_> = planned.header.policies.iter().flat_map(|policy| policy.refusals()).collect();
    assert!(findings.is_empty(), "{findings:?}");
    bench.apply().await.unwrap_or_else(|error| panic!("{error}: {:?} {:?}", error.notes, error.help));
    let mut outcomes = BTreeMap::new();
    for row in bench.outcomes(&PolicyName::new("old-ones").expect("a name")) {
        *outcomes.entry(row.outcome).or_default() += 1;
    }
    outcomes
}

fn all(count: usize) -> BTreeMap<String, usize> {
    BTreeMap::from([("deleted".to_owned(), count)])
}

#[tokio::test(start_paused = true)]
async fn an_object_that_bulk_jobs_refuse_is_read_and_deleted_otherwise_also_where_it_cannot_be_counted() {
    let bench = bench("ApexLog", 2_500, &[("Status", "Success".into())], 3);
    declare(&bench, "ApexLog", "Status = 'Success'", "");
    assert_eq!(carried_out(&bench).await, all(2_500));
    assert_eq!(bench.sandbox.world().count("ApexLog"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_does_not_say_what_is_deleted_is_selected_deleted_and_looked_at() {
    let bench = bench("GroupMember", 300, &[("GroupId", "00G000000000001".into())], 4);
    declare(&bench, "GroupMember", "GroupId = '00G000000000001'", "");
    // One is gone meanwhile, and its absence is looked up by its id alone.
    bench.transport.before_deletion(|sandbox| {
        let mut world = sandbox.world();
        let key = world.ids("GroupMember").nth(7).expect("one");
        let user = world.first_user();
        let deletion = sexton::sandbox::Deletion { mode: sexton::sandbox::DeleteMode::Hard, all_or_none: false, user };
        let first = world.delete(&[key.to_string()], deletion).remove(0);
        first.or_else(|_| world.delete(&[key.to_string()], deletion).remove(0)).expect("deleted");
    });
    let outcomes = carried_out(&bench).await;
    assert_eq!(outcomes, BTreeMap::from([("deleted".to_owned(), 299), ("already-gone".to_owned(), 1)]));
}

#[tokio::test(start_paused = true)]
async fn an_account_with_everything_that_lies_below_it_is_planned_and_deleted_with_its_archived_tasks() {
    let bench = bench("Account", 60, &[("Type", "Other".into())], 5);
    {
        let mut world = bench.sandbox.world();
        let accounts: Vec<_> = world.ids("Account").collect();
        for (number, account) in accounts.iter().enumerate() {
            let archived = Value::Boolean(number % 2 == 0);
            world.insert("Task", [("WhatId", (*account).into()), ("IsArchived", archived)]).expect("known");
            world.insert("vendor__Score__c", [("vendor__Account__c", (*account).into())]).expect("known");
            world.insert("ContentDocumentLink", [("LinkedEntityId", (*account).into())]).expect("known");
        }
    }
    declare(&bench, "Account", "Type = 'Other'", "");
    let planned = bench.plan().await.expect("planned");
    let along = &planned.header.policies[0].cascades;
    let counted = |child: &str| along.iter().find(|cascade| cascade.child == child).and_then(|cascade| cascade.records);
    assert_eq!(counted("Task"), Some(60), "archived ones are counted");
    assert_eq!((counted("vendor__Score__c"), counted("ContentDocumentLink")), (Some(60), Some(60)));
    assert_eq!(carried_out(&bench).await, all(60));
    assert_eq!(bench.sandbox.world().count("Task"), 0);
}

#[tokio::test(start_paused = true)]
async fn many_records_go_through_bulk_jobs_and_pages_in_any_order() {
    for (seed, delete) in [(6, "soft"), (7, "hard\n  justification: the law")] {
        let bench = bench("Lead", 4_700, &[("Company", "old".into()), ("LastName", "x".into())], seed);
        let user = bench.sandbox.world().first_user();
        let rights = sexton::sandbox::Permissions { hard_delete: true, ..sexton::sandbox::Permissions::default() };
        bench.sandbox.world().set_permissions(user, rights);
        declare(&bench, "Lead", "Company = 'old'", &format!("  delete: {delete}\n"));
        assert_eq!(carried_out(&bench).await, all(4_700), "{delete}");
    }
}
