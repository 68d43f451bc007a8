//! Lists of ids: what people bring who have the ids already.
#![expect(clippy::disallowed_methods, reason = "it makes directories in a project")]

mod support;

use std::collections::BTreeSet;

use sexton::base::{CommandError, Exit, PolicyName, RecordId};
use sexton::plan::{FindingKind, Matching, MissingIds};
use sexton::sandbox::{DeleteMode, Deletion, Fault, FieldKind, Lookup, ObjectDefinition, OnDelete, RecordKey, Value};
use sexton::sandbox::{Effect, World, WorldBuilder};
use sexton::store::Files as _;

use support::route::System;
use support::{ADDRESS, Bench, start};

fn policy(object: &str, filter: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: ticket }}\nspec:\n  target: crm\n  object: {object}\n  \
         filter: {filter}\n  limits: {{ maxRecords: 100000, maxPercent: 100 }}\n---\n"
    )
}

const HOLD: &str = "apiVersion: sexton/v1\nkind: Hold\nmetadata: { name: counsel }\nspec:\n  target: crm\n  object: Account\n  \
    filter: { ids: { file: held.csv } }\n  reason: Matter 7\n---\n";

const TICKET: &str = "{ ids: { file: ticket.csv } }";

fn leads(count: u32) -> (Bench, Vec<RecordKey>) {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", count, 7).expect("leads");
    let bench = Bench::new(world);
    let keys = bench.sandbox.world().ids("Lead").collect();
    (bench, keys)
}

fn list<'a>(keys: impl IntoIterator<Item = &'a RecordKey>) -> String {
    keys.into_iter().map(|key| format!("{key}\n")).collect()
}

fn delete(bench: &Bench, key: RecordKey, mode: DeleteMode) {
    let somebody = Deletion { mode, all_or_none: false, user: WorldBuilder::user_key(1) };
    bench.sandbox.world().delete(&[key.to_string()], somebody).remove(0).expect("deleted");
}

fn name() -> PolicyName {
    PolicyName::new("ticket").expect("a name")
}

fn told(error: &CommandError) -> String {
    let diagnostics = error.diagnostics.iter().flat_map(|found| &found.0);
    let lines = diagnostics.flat_map(|found| std::iter::once(found.title.clone()).chain(found.notes.iter().cloned()));
    std::iter::once(error.title.clone()).chain(error.notes.iter().cloned()).chain(lines).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn the_records_of_a_list_are_deleted_and_each_other_id_is_accounted_for() {
    let (bench, leads) = leads(1_500);
    // In the recycle bin, and past it.
    delete(&bench, leads[1], DeleteMode::Soft);
    delete(&bench, leads[2], DeleteMode::Hard);
    let rows: String = leads[..1_000].iter().rev().map(|key| format!("x,{}\r\n", &key.to_string()[..15])).collect();
    bench.write("ticket.csv", &format!("\u{feff}NAME,ID\r\n{rows}"));
    bench.declare(&policy("Lead", TICKET));
    let planned = bench.plan().await.expect("planned");
    let policy = &planned.header.policies[0];
    assert_eq!((policy.matched, policy.selected), (998, 998));
    let gone = RecordId::new(&leads[2].to_string()).expect("an id");
    let missing = MissingIds { already_gone: 1, not_found: 1, first_not_found: vec![gone] };
    assert_eq!(policy.missing_ids, Some(missing));
    let Matching::Listed(list) = &policy.query.matching else { panic!("{:?}", policy.query) };
    assert_eq!((list.file.as_str(), list.ids), ("ticket.csv", 1_000));
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    let world = bench.sandbox.world();
    let left: BTreeSet<RecordKey> = world.ids("Lead").collect();
    assert_eq!(left, leads[1_000..].iter().copied().collect());
    drop(world);
    let outcomes = bench.outcomes(&name());
    assert!(outcomes.len() == 998 && outcomes.iter().all(|row| row.outcome == "deleted"));
}

#[tokio::test(start_paused = true)]
async fn every_system_takes_lists_longer_than_one_condition() {
    for (system, via, delete) in
        [(System::Salesforce, "collections", "soft"), (System::Zuora, "soap", "hard"), (System::Fulcrum, "batch", "hard")]
    {
        let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
        let ids = system.add(&bench.sandbox, 2_300, "old");
        system.remove(&bench.sandbox, &ids[5]);
        let (stay, go) = ids.split_at(100);
        let listed: String = go.iter().chain([&ids[5]]).map(|id| format!("{id}\n")).collect();
        bench.write("ticket.csv", &listed);
        let policy = format!(
            "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: ticket }}\nspec:\n  target: {}\n  object: {}\n  \
             filter: {TICKET}\n  via: {via}\n  delete: {delete}\n  justification: the law\n  limits: {{ maxRecords: 100000, maxPercent: 100 }}\n",
            system.target(),
            system.object()
        );
        bench.write("sexton.yaml", &(system.document(ADDRESS, None) + &policy));
        let planned = bench.plan().await.expect("planned");
        let policy = &planned.header.policies[0];
        let missing = match system {
            System::Salesforce => MissingIds { already_gone: 1, ..MissingIds::default() },
            System::Zuora | System::Fulcrum => {
                let gone = RecordId::new(&ids[5]).expect("an id");
                MissingIds { already_gone: 0, not_found: 1, first_not_found: vec![gone] }
            }
        };
        assert_eq!((policy.selected, policy.missing_ids.as_ref()), (2_200, Some(&missing)), "{system:?}");
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done, "{system:?}");
        let left: BTreeSet<String> = stay.iter().filter(|id| **id != ids[5]).cloned().collect();
        assert_eq!(system.live(&bench.sandbox), left, "{system:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_along_is_counted_by_the_listed_records_and_not_by_all() {
    let mut world = World::builder().start(start()).build().expect("a world");
    let accounts: Vec<RecordKey> =
        (0..4).map(|_| world.insert("Account", [("Name", Value::from("Old"))]).expect("an account")).collect();
    for account in &accounts {
        world.insert("Contact", [("LastName", Value::from("One")), ("AccountId", (*account).into())]).expect("a contact");
    }
    world.insert("Case", [("Subject", Value::from("Open")), ("AccountId", accounts[0].into())]).expect("a case");
    world.insert("Case", [("Subject", Value::from("Open")), ("AccountId", accounts[3].into())]).expect("a case");
    let bench = Bench::new(world);
    bench.write("ticket.csv", &list(&accounts[..3]));
    bench.declare(&policy("Account", TICKET));
    let planned = bench.plan().await.expect("planned");
    let policy = &planned.header.policies[0];
    let of = |counts: &[sexton::plan::CascadeCount], child: &str| {
        counts.iter().find(|count| count.child == child).map(|count| count.records)
    };
    assert_eq!(of(&policy.cascades, "Contact"), Some(Some(3)));
    assert_eq!(of(&policy.restricted_by, "Case"), Some(Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_held_list_keeps_what_it_names_and_what_is_above_it_and_is_read_anew() {
    let mut world = World::builder().start(start()).build().expect("a world");
    let accounts: Vec<RecordKey> =
        (0..5).map(|_| world.insert("Account", [("Name", Value::from("Old"))]).expect("an account")).collect();
    let bench = Bench::new(world);
    bench.write("held.csv", &list(&accounts[..1]));
    bench.declare(&(policy("Account", "everything") + HOLD));
    let planned = bench.plan().await.expect("planned");
    assert_eq!((planned.header.policies[0].selected, planned.header.policies[0].held()), (4, 1));
    assert_eq!(planned.header.holds[0].matched, Some(1));
    // Somebody adds one while the plan waits: a hold is what it is now.
    bench.write("held.csv", &list(&accounts[..2]));
    bench.apply().await.expect("applied");
    let world = bench.sandbox.world();
    assert!(world.exists(accounts[0]) && world.exists(accounts[1]) && !world.exists(accounts[2]));
}

#[tokio::test(start_paused = true)]
async fn a_held_list_that_cannot_be_read_refuses_everything() {
    let (bench, keys) = leads(3);
    bench.declare(&(policy("Lead", "everything") + HOLD));
    let error = bench.plan().await.expect_err("refused");
    assert!(told(&error).contains("the list of ids `held.csv` cannot be read"), "{}", told(&error));
    bench.declare(&(policy("Lead", "everything") + &HOLD.replace("object: Account", "object: Lead")));
    bench.write("held.csv", &format!("{}001D000000ISUr3IAH\n", list(&keys[..1])));
    let error = bench.plan().await.expect_err("refused");
    assert!(told(&error).contains("line 2: "), "an account is no lead: {}", told(&error));
    bench.write("held.csv", "");
    let error = bench.plan().await.expect_err("refused");
    assert!(told(&error).contains("lists no id"), "{}", told(&error));
}

#[tokio::test(start_paused = true)]
async fn a_list_is_sealed_and_one_that_was_changed_makes_the_plan_stale() {
    let (bench, leads) = leads(6);
    bench.write("ticket.csv", &list(&leads[..2]));
    bench.declare(&policy("Lead", TICKET));
    bench.plan().await.expect("planned");
    bench.write("ticket.csv", &list(&leads[..3]));
    let error = bench.apply().await.expect_err("stale");
    assert_eq!(error.exit, Exit::PlanUnusable);
    assert!(told(&error).contains(
        "the ids in ticket.csv, the list of policy `ticket`, or their order were changed since the plan (2 then, 3 now)"
    ));
    let path = bench.path().join("ticket.csv");
    sexton::store::LocalFiles.remove_file(&path).expect("removed");
    let error = bench.apply().await.expect_err("stale");
    assert!(told(&error).contains("cannot be used any more"), "{}", told(&error));
    // In another order and form they would be other ids to a digest, with other line ends they are the same.
    bench.write("ticket.csv", &list(&leads[..2]).replace('\n', "\r\n"));
    assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done);
    assert_eq!(bench.sandbox.world().count("Lead"), 4);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_the_plan_itself_would_replace_is_refused() {
    let (bench, leads) = leads(2);
    for place in [".sexton/ticket.csv", "./other/../.sexton/a/ticket.csv"] {
        bench.declare(&policy("Lead", &format!("{{ ids: {{ file: {place} }} }}")));
        std::fs::create_dir_all(bench.path().join(place).parent().expect("a directory")).expect("made");
        bench.write(place, &list(&leads));
        let error = bench.plan().await.expect_err("refused");
        assert!(told(&error).contains("lies in a directory that Sexton writes"), "{}", told(&error));
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_policy_adds_is_bounded_by_what_is_new_where_the_lists_differ() {
    let (bench, leads) = leads(10);
    bench.write("ticket.csv", &list(&leads[..4]));
    let limited = policy("Lead", TICKET).replace("maxPercent: 100", "maxPercent: 100, maxWidened: 2");
    bench.declare(&limited);
    bench.plan().await.expect("planned");
    bench.apply().await.expect("applied");
    for (listed, refused) in [(6, false), (7, true)] {
        bench.write("ticket.csv", &list(&leads[..listed]));
        let planned = bench.plan().await.expect("planned");
        let gates: Vec<String> = planned.header.policies[0].refusals().map(ToString::to_string).collect();
        assert_eq!(planned.header.is_refused(), refused, "{gates:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_begun_run_needs_no_file() {
    let (bench, leads) = leads(450);
    bench.write("ticket.csv", &list(&leads[..400]));
    bench.declare(&policy("Lead", TICKET));
    bench.plan().await.expect("planned");
    bench.sandbox.add_fault(Fault::on("DELETE", "*/composite/sobjects", Effect::DailyLimit).nth(2));
    let first = bench.apply().await.expect("begun");
    assert_ne!(first.exit, Exit::Done, "{first:?}");
    bench.sandbox.clear_faults();
    sexton::store::LocalFiles.remove_file(&bench.path().join("ticket.csv")).expect("removed");
    assert_eq!(bench.apply().await.expect("continued").exit, Exit::Done);
    assert_eq!(bench.sandbox.world().count("Lead"), 50);
}

#[tokio::test(start_paused = true)]
async fn mistakes_are_told_by_line_and_repeated_ids_with_both() {
    let (bench, leads) = leads(3);
    bench.declare(&policy("Lead", TICKET));
    bench.write("ticket.csv", &format!("Id\n{}{}\n", list(&leads[..2]), leads[0]));
    let error = bench.plan().await.expect_err("refused");
    let expected = format!("line 4: `{}` is on line 2 as well", leads[0]);
    assert!(told(&error).contains(&expected), "{}", told(&error));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_does_not_come_although_it_is_there_is_no_selection() {
    let (bench, leads) = leads(5);
    bench.write("ticket.csv", &list(&leads));
    bench.declare(&policy("Lead", TICKET));
    // The page loses a record and says so nowhere: the total of the very page is as wrong.
    bench.plan().await.expect("planned");
    let queries = bench.sandbox.requests().iter().filter(|request| request.path.ends_with("/query")).count();
    let mut refused = 0;
    for first in 1..=queries as u64 {
        bench.sandbox.clear_faults();
        // Three readings of the part, whichever of the queries it is.
        for nth in first..first + 3 {
            for effect in [Effect::ShortPage { rows: 1 }, Effect::WrongTotal { by: -1 }] {
                bench.sandbox.add_fault(Fault::on("GET", "*/query", effect).nth(nth));
            }
        }
        match bench.plan().await {
            Ok(planned) => assert_eq!(planned.header.policies[0].matched, 5, "a plan is complete or is none"),
            Err(error) => {
                refused += u32::from(told(&error).contains("is there, and did not come when it was asked for"));
            }
        }
    }
    assert_eq!(refused, 1);
}

#[tokio::test(start_paused = true)]
async fn another_list_than_in_the_base_is_told_as_not_attributed() {
    let (bench, leads) = leads(6);
    bench.write("ticket.csv", &list(&leads[..2]));
    bench.declare(&policy("Lead", TICKET));
    bench.plan().await.expect("planned");
    bench.apply().await.expect("applied");
    bench.write("ticket.csv", &list(&leads[..4]));
    let planned = bench.plan().await.expect("planned");
    let comparison = planned.header.policies[0].comparison.as_ref().expect("compared");
    assert_eq!(comparison.newly_selected, 2);
    assert!(comparison.not_attributed.as_deref().is_some_and(|why| why.contains("another list of ids")), "{comparison:?}");
    assert!(planned.header.policies[0].gates.iter().all(|gate| gate.kind != FindingKind::Refuse));
}

/// Objects and lookups that another test does not need.
#[tokio::test(start_paused = true)]
async fn a_child_in_a_held_list_keeps_its_parent() {
    let child = ObjectDefinition::new("Note__c", "Note", "Notes", *b"a0N")
        .with("Name", FieldKind::Text(80))
        .with("Account__c", Lookup::to(&["Account"], "Account__r").children("Notes__r").on_delete(OnDelete::Cascade).into());
    let mut world = World::builder().start(start()).object(child).build().expect("a world");
    let accounts: Vec<RecordKey> =
        (0..3).map(|_| world.insert("Account", [("Name", Value::from("Old"))]).expect("an account")).collect();
    let note = world.insert("Note__c", [("Name", Value::from("n")), ("Account__c", accounts[1].into())]).expect("a note");
    let bench = Bench::new(world);
    bench.write("held.csv", &list([&note]));
    bench.declare(&(policy("Account", "everything") + &HOLD.replace("object: Account", "object: Note__c")));
    let planned = bench.plan().await.expect("planned");
    assert_eq!((planned.header.policies[0].selected, planned.header.policies[0].held()), (2, 1));
}
