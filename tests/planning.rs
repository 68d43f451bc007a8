//! Planning many policies: side by side, with each question asked once, and with the same result whatever answers first.

mod support;

use std::time::Duration;

use sexton::base::{CommandError, Digest};
use sexton::sandbox::{Effect, Fault, RecordKey, RequestMatch, Value, World};
use support::{Bench, start};

fn policy(number: usize, object: &str, filter: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: policy-{number:03} }}\nspec:\n  target: crm\n  object: {object}\n  \
         filter: {filter}\n  limits: {{ maxRecords: 1000, maxPercent: 100 }}\n---\n"
    )
}

fn hold(name: &str, object: &str, filter: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: Hold\nmetadata: {{ name: {name} }}\nspec:\n  target: crm\n  object: {object}\n  \
         filter: {filter}\n  reason: Matter 7\n---\n"
    )
}

fn world(object: &str, count: u32) -> World {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate(object, count, 7).expect("records");
    world
}

/// Cases, and tasks about the first ten of them, which go with them; the tasks are named `Counsel` and a number.
fn cases_with_tasks() -> (World, Vec<RecordKey>) {
    let mut world = world("Case", 300);
    let cases: Vec<RecordKey> = world.ids("Case").collect();
    for (number, case) in cases.iter().take(10).enumerate() {
        let subject = format!("Counsel {number}");
        let fields = [("Subject", Value::from(subject.as_str())), ("WhatId", Value::from(*case))];
        world.insert("Task", fields).expect("a task");
    }
    (world, cases)
}

/// How many requests it takes to plan these documents.
async fn requests(world: World, documents: &str) -> usize {
    let bench = Bench::new(world);
    bench.declare(documents);
    bench.plan().await.expect("planned");
    bench.sandbox.requests().len()
}

#[tokio::test(start_paused = true)]
async fn a_hundred_policies_of_one_object_take_two_requests_each_and_a_few_for_all() {
    let documents = |count| -> String {
        (0..count).map(|number| policy(number, "Log__c", &format!("Duration__c > {number}"))).collect()
    };
    let hundred = requests(world("Log__c", 150), &documents(100)).await;
    assert!(hundred < 250, "{hundred} requests");
    // Two for each: how many match, and one page of them.
    assert_eq!(hundred - requests(world("Log__c", 150), &documents(50)).await, 100);
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_read_once_for_all_policies_that_it_concerns() {
    let documents = |count| -> String {
        let policies = (0..count).map(|number| policy(number, "Case", &format!("CaseNumber != '{number}'")));
        let matter = format!("Id = '{}'", cases_with_tasks().1[11]);
        let holds = [hold("counsel", "Task", "Subject LIKE 'Counsel%'"), hold("matter", "Case", &matter)];
        policies.chain(holds).collect()
    };
    let ten = requests(cases_with_tasks().0, &documents(10)).await;
    let twenty = requests(cases_with_tasks().0, &documents(20)).await;
    // How many match, one page of them, and how many tasks go with them.
    assert_eq!(twenty - ten, 30, "{ten} and {twenty}");

    let bench = Bench::new(cases_with_tasks().0);
    bench.declare(&documents(3));
    for planned in bench.plan().await.expect("planned").header.policies {
        let holds: Vec<String> =
            planned.holds.iter().map(|held| format!("{} {} {:?}", held.hold, held.records, held.ways[0].because)).collect();
        assert_eq!(holds, ["counsel 10 Cascade", "matter 1 Named"], "{}", planned.policy);
        assert_eq!((planned.matched, planned.selected + planned.elsewhere()), (300, 289), "{}", planned.policy);
    }
}

/// Plans with answers that come as late as these faults say: the plan's digest, its samples and what was told.
async fn planned_under(faults: &[Fault]) -> Result<(Digest, String, Vec<String>), CommandError> {
    let bench = Bench::new(cases_with_tasks().0);
    let policies = (0..12).map(|number| policy(number, ["Case", "Log__c", "Task"][number % 3], "everything"));
    let holds = (0..6).map(|number| hold(&format!("hold-{number}"), "Task", &format!("Subject = 'Counsel {number}'")));
    bench.declare(&policies.chain(holds).collect::<String>());
    faults.iter().for_each(|fault| bench.sandbox.add_fault(fault.clone()));
    // The sandbox has the runtime's time, and a plan that is begun later would have another name.
    let planned = bench.plan().await?;
    let mut progress = bench.recorder.progress();
    // Nobody is shown the same line twice.
    progress.dedup();
    Ok((planned.digest, format!("{:?}", planned.samples), progress))
}

fn late(every: u64, milliseconds: u64) -> Fault {
    let path = Some("/services/data/*".to_owned());
    Fault { on: RequestMatch { path, every: Some(every), ..RequestMatch::default() }, then: Effect::Delay { milliseconds } }
}

#[tokio::test(start_paused = true)]
async fn plan_samples_and_progress_are_the_same_whatever_answers_first() {
    let begun = tokio::time::Instant::now();
    let expected = planned_under(&[]).await.expect("planned");
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(expected.2.iter().filter(|line| line.contains("selecting")).count(), 12);
    for faults in [&[late(2, 300)][..], &[late(3, 500), late(7, 4_000)], &[late(5, 50), late(2, 1_000), late(3, 70)]] {
        let found = planned_under(faults).await.expect("planned");
        assert_eq!(found, expected, "{faults:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn slow_answers_are_waited_for_side_by_side() {
    let bench = Bench::new(world("Log__c", 20));
    bench.declare(&(0..40).map(|number| policy(number, "Log__c", "everything")).collect::<String>());
    bench.sandbox.add_fault(late(1, 1_000));
    let begun = tokio::time::Instant::now();
    bench.plan().await.expect("planned");
    // 80 answers after a second each, four at once.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn of_several_policies_that_cannot_be_planned_the_first_is_named() {
    let bench = Bench::new(world("Log__c", 20));
    let broken = |number| policy(number, "Log__c", "Missing__c = 1");
    bench.declare(&format!("{}{}{}", policy(0, "Log__c", "everything"), broken(1), policy(2, "Nothing__c", "everything")));
    // The last one hears first that it cannot be planned.
    let path = Some("/services/data/*/sobjects/Log__c/describe".to_owned());
    let then = Effect::Delay { milliseconds: 1_000 };
    bench.sandbox.add_fault(Fault { on: RequestMatch { path, ..RequestMatch::default() }, then });
    let error = bench.plan().await.expect_err("no such field");
    assert!(error.title.contains("the manifests do not fit"), "{error}");
    let found = &error.diagnostics.as_ref().expect("a place in the manifests").0;
    assert!(found.iter().all(|one| one.title.contains("Missing__c")) && !found.is_empty(), "{found:?}");
    assert!(!bench.plan_directory().exists());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_planned_while_a_hold_cannot_be_read() {
    let bench = Bench::new(cases_with_tasks().0);
    bench.declare(&format!("{}{}", policy(0, "Case", "everything"), hold("lost", "Nothing__c", "everything")));
    let error = bench.plan().await.expect_err("no such object");
    assert!(error.notes.iter().any(|note| note == "while reading hold `lost`"), "{error:?}");
    assert!(!bench.plan_directory().exists());
}
