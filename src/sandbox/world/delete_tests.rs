//! The rules of deletion, on small worlds.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{DeleteMode, Deletion, FieldKind, ItemError, Lookup, ObjectDefinition, OnDelete, RecordKey, Value, World};

fn world() -> World {
    World::builder().start(start()).build().expect("consistent")
}

fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().expect("valid")
}

fn add(world: &mut World, object: &str, fields: &[(&str, Value)]) -> RecordKey {
    world.insert(object, fields.iter().cloned()).expect("known fields")
}

fn delete(world: &mut World, mode: DeleteMode, all_or_none: bool, keys: &[RecordKey]) -> Vec<Result<(), ItemError>> {
    let ids: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let user = world.first_user();
    world.delete(&ids, Deletion { mode, all_or_none, user })
}

fn soft(world: &mut World, key: RecordKey) -> Result<(), ItemError> {
    delete(world, DeleteMode::Soft, false, &[key]).remove(0)
}

fn code(outcome: &Result<(), ItemError>) -> &str {
    outcome.as_ref().map_or_else(|error| error.status_code.as_str(), |()| "deleted")
}

#[test]
fn a_deletion_takes_children_along_and_clears_plain_lookups() {
    let mut world = world();
    let account = add(&mut world, "Account", &[("Name", "Acme".into())]);
    let child = add(&mut world, "Account", &[("ParentId", account.into())]);
    let contact = add(&mut world, "Contact", &[("AccountId", account.into())]);
    let task = add(&mut world, "Task", &[("WhoId", contact.into())]);
    let log = add(&mut world, "Log__c", &[("Account__c", account.into())]);
    let other = add(&mut world, "Contact", &[("LastName", "Free".into())]);
    world.set_now(start() + SignedDuration::from_secs(60));
    assert_eq!(soft(&mut world, account), Ok(()));
    for gone in [account, contact, task] {
        assert!(world.in_bin(gone) && !world.exists(gone), "{gone}");
        assert_eq!(world.value(gone, "IsDeleted"), Some(Value::Boolean(true)));
        assert_eq!(world.value(gone, "SystemModstamp"), Some(Value::DateTime(world.now())));
    }
    for kept in [child, log, other] {
        assert!(world.exists(kept), "{kept}");
    }
    assert_eq!(world.value(child, "ParentId"), Some(Value::Null));
    assert_eq!(world.value(log, "Account__c"), Some(Value::Null));
    assert_eq!(world.value(log, "SystemModstamp"), Some(Value::DateTime(world.now())));
    assert_eq!(world.value(log, "LastModifiedDate"), Some(Value::DateTime(start())));
    assert_eq!(world.value(contact, "AccountId"), Some(Value::Reference(account)), "restoring needs it");
}

#[test]
fn cases_and_won_opportunities_block_their_account() {
    let mut world = world();
    let account = add(&mut world, "Account", &[("Name", "Acme".into())]);
    let case = add(&mut world, "Case", &[("AccountId", account.into())]);
    let error = soft(&mut world, account).expect_err("blocked");
    assert_eq!(error.status_code, "DELETE_FAILED");
    assert_eq!(
        error.message,
        "Your attempt to delete Acme could not be completed because it is associated with the following cases.: 00001000\n"
    );
    assert_eq!(soft(&mut world, case), Ok(()));
    let won =
        add(&mut world, "Opportunity", &[("Name", "Deal".into()), ("AccountId", account.into()), ("IsWon", true.into())]);
    assert_eq!(
        soft(&mut world, account).expect_err("blocked").message,
        "Your attempt to delete Acme could not be completed because it is associated with the following opportunities.: Deal\n"
    );
    world.update(won, "IsWon", false).expect("live");
    assert_eq!(soft(&mut world, account), Ok(()));
    assert!(world.in_bin(won));
}

#[test]
fn a_blocked_child_blocks_the_whole_cascade() {
    let mut world = world();
    let account = add(&mut world, "Account", &[]);
    let contact = add(&mut world, "Contact", &[("AccountId", account.into())]);
    add(&mut world, "Case", &[("ContactId", contact.into())]);
    assert_eq!(code(&soft(&mut world, account)), "DELETE_FAILED");
    assert!(world.exists(account) && world.exists(contact));
}

#[test]
fn answers_every_kind_of_id_in_the_order_of_the_request() {
    let mut world = world();
    let lead = add(&mut world, "Lead", &[]);
    let binned = add(&mut world, "Lead", &[]);
    let gone = add(&mut world, "Lead", &[]);
    assert_eq!(soft(&mut world, binned), Ok(()));
    assert_eq!(delete(&mut world, DeleteMode::Hard, false, &[gone]), [Ok(())]);
    let user = world.first_user();
    let foreign = "701000000000001AAA".to_owned();
    let swapped: String = lead.to_string().chars().map(|c| if c == 'Q' { 'q' } else { c }).collect();
    let ids = [
        binned.to_string(),
        gone.to_string(),
        lead.fifteen().to_owned(),
        lead.to_string(),
        "abc".to_owned(),
        foreign,
        swapped,
        user.to_string(),
    ];
    let outcomes = world.delete(&ids, Deletion { mode: DeleteMode::Soft, all_or_none: false, user });
    let shown: Vec<String> = outcomes
        .iter()
        .map(|outcome| {
            outcome.as_ref().map_or_else(|error| format!("{}: {}", error.status_code, error.message), |()| "ok".into())
        })
        .collect();
    assert_snapshot!(shown.join("\n"), @"
    ENTITY_IS_DELETED: entity is deleted
    INVALID_CROSS_REFERENCE_KEY: invalid cross reference id
    ok
    DUPLICATE_VALUE: duplicate id specified: 00QS00000000001MAA
    MALFORMED_ID: malformed id abc
    INVALID_CROSS_REFERENCE_KEY: invalid cross reference id
    MALFORMED_ID: malformed id 00qS00000000001MAA
    INVALID_TYPE_FOR_OPERATION: entity type User does not support delete
    ");
}

#[test]
fn all_or_none_leaves_everything_as_it_was() {
    let mut world = world();
    let account = add(&mut world, "Account", &[]);
    let contact = add(&mut world, "Contact", &[("AccountId", account.into())]);
    let log = add(&mut world, "Log__c", &[("Account__c", account.into())]);
    let lead = add(&mut world, "Lead", &[]);
    let blocked = add(&mut world, "Account", &[]);
    add(&mut world, "Case", &[("AccountId", blocked.into())]);
    let outcomes = delete(&mut world, DeleteMode::Soft, true, &[account, blocked, lead]);
    let codes: Vec<&str> = outcomes.iter().map(code).collect();
    assert_eq!(codes, ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "DELETE_FAILED", "ALL_OR_NONE_OPERATION_ROLLED_BACK"]);
    for kept in [account, contact, log, lead, blocked] {
        assert!(world.exists(kept));
    }
    assert_eq!(world.value(log, "Account__c"), Some(Value::Reference(account)));
    assert_eq!(delete(&mut world, DeleteMode::Hard, true, &[account, lead]), [Ok(()), Ok(())]);
    assert!(!world.exists(contact) && !world.in_bin(contact), "a hard deletion takes its children the same way");
}

#[test]
fn the_bin_empties_after_fifteen_days() {
    let mut world = world();
    let account = add(&mut world, "Account", &[]);
    let contact = add(&mut world, "Contact", &[("AccountId", account.into())]);
    assert_eq!(soft(&mut world, account), Ok(()));
    world.set_now(start() + SignedDuration::from_hours(15 * 24) - SignedDuration::from_secs(1));
    assert!(world.in_bin(account) && world.in_bin(contact));
    world.set_now(start() + SignedDuration::from_hours(15 * 24));
    assert!(!world.in_bin(account) && !world.in_bin(contact));
    assert_eq!(code(&soft(&mut world, account)), "INVALID_CROSS_REFERENCE_KEY");
}

#[test]
fn a_hard_deletion_purges_what_is_in_the_bin() {
    let mut world = world();
    let account = add(&mut world, "Account", &[]);
    let contact = add(&mut world, "Contact", &[("AccountId", account.into())]);
    assert_eq!(soft(&mut world, account), Ok(()));
    assert_eq!(delete(&mut world, DeleteMode::Hard, false, &[account]), [Ok(())]);
    assert!(!world.in_bin(account) && !world.in_bin(contact));
}

#[test]
fn rights_are_asked_for_the_record_and_for_its_cascade() {
    let mut world = world();
    let account = add(&mut world, "Account", &[]);
    let contact = add(&mut world, "Contact", &[("AccountId", account.into())]);
    let user = world.first_user();
    let mut permissions = world.user(user).expect("there").permissions.clone();
    permissions.delete_denied.insert("Contact".to_owned());
    world.set_permissions(user, permissions);
    assert_eq!(code(&soft(&mut world, contact)), "INSUFFICIENT_ACCESS_OR_READONLY");
    assert_eq!(code(&soft(&mut world, account)), "DELETE_REQUIRED_ON_CASCADE");
}

#[test]
fn a_refusal_lasts_as_often_as_it_is_told_to() {
    let mut world = world();
    let lead = add(&mut world, "Lead", &[]);
    world.refuse(lead, ItemError::locked(&[lead]), Some(2));
    let outcomes = [soft(&mut world, lead), soft(&mut world, lead), soft(&mut world, lead)];
    assert_eq!(outcomes.each_ref().map(code), ["UNABLE_TO_LOCK_ROW", "UNABLE_TO_LOCK_ROW", "deleted"]);
}

#[test]
fn a_lock_error_names_ten_rows_and_counts_the_rest() {
    let keys: Vec<RecordKey> = (1..=200).map(|number| RecordKey::numbered(*b"00Q", number)).collect();
    let message = ItemError::locked(&keys).message;
    assert!(message.starts_with("unable to obtain exclusive access to this record or 200 records: 00QS00000000001MAA,"));
    assert!(message.ends_with(", ... (190 more)"), "{message}");
}

#[test]
fn generated_records_take_part_like_any_other() {
    let mut world = world();
    world.generate("Account", 20, 7).expect("known");
    world.generate("Contact", 200, 7).expect("known");
    let account = world.ids("Account").next().expect("some");
    let owned = |world: &World| {
        world.ids("Contact").filter(|contact| world.value(*contact, "AccountId") == Some(account.into())).count()
    };
    let before = world.count("Contact");
    let children = owned(&world);
    assert!(children > 0);
    assert_eq!(soft(&mut world, account), Ok(()));
    assert_eq!(world.count("Contact"), before - children as u64);
    assert_eq!(owned(&world), 0);
}

#[test]
fn the_same_seed_makes_the_same_records() {
    let make = || {
        let mut world = world();
        world.generate("Account", 50, 3).expect("known");
        world.generate("Lead", 50, 4).expect("known");
        let leads: Vec<RecordKey> = world.ids("Lead").collect();
        leads
            .iter()
            .map(|lead| {
                ["Name", "Company", "Email", "CreatedDate", "LastActivityDate", "IsConverted", "ConvertedAccountId"]
                    .map(|field| world.value(*lead, field).expect("known").to_text())
                    .join("|")
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(make(), make());
    assert_eq!(make().iter().collect::<std::collections::BTreeSet<_>>().len(), 50);
}

/// `Node__c` with one lookup of each kind to itself.
fn family() -> World {
    let lookup = |rule| FieldKind::from(Lookup::to(&["Node__c"], "X__r").on_delete(rule));
    let node = ObjectDefinition::new("Node__c", "Node", "Nodes", *b"a0N")
        .with("Name", FieldKind::Text(80))
        .with("Cascade__c", lookup(OnDelete::Cascade))
        .with("Restrict__c", lookup(OnDelete::Restrict))
        .with("Clear__c", lookup(OnDelete::Clear));
    World::builder().start(start()).object(node).build().expect("consistent")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is linked to whatever and deleted in whatever way: no live record has a cascading or restricting lookup to
    /// a record that is not live, no plain lookup is left dangling, an atomic call does everything or nothing, and only
    /// what was named or cascaded is gone.
    #[test]
    fn lookups_never_dangle(
        links in prop::collection::vec((0usize..3, 0usize..12, 0usize..12), 0..30),
        calls in prop::collection::vec((prop::collection::vec(0usize..12, 1..5), any::<bool>(), any::<bool>()), 1..8),
    ) {
        const FIELDS: [&str; 3] = ["Cascade__c", "Restrict__c", "Clear__c"];
        let mut world = family();
        let nodes: Vec<RecordKey> = (0..12).map(|_| add(&mut world, "Node__c", &[])).collect();
        for (field, child, parent) in links {
            world.update(nodes[child], FIELDS[field], nodes[parent]).expect("live");
        }
        for (chosen, all_or_none, hard) in calls {
            let live = |world: &World| nodes.iter().map(|node| (*node, world.exists(*node))).collect::<BTreeMap<_, _>>();
            let parents = |world: &World, node: RecordKey| FIELDS.map(|field| match world.value(node, field) {
                Some(Value::Reference(parent)) => Some(parent),
                _ => None,
            });
            let before = live(&world);
            let links_before: BTreeMap<_, _> = nodes.iter().map(|node| (*node, parents(&world, *node))).collect();
            let named: Vec<RecordKey> = chosen.iter().map(|node| nodes[*node]).collect();
            let mode = if hard { DeleteMode::Hard } else { DeleteMode::Soft };
            let outcomes = delete(&mut world, mode, all_or_none, &named);
            let after = live(&world);
            prop_assert_eq!(outcomes.len(), named.len());
            if all_or_none && outcomes.iter().any(Result::is_err) {
                prop_assert_eq!(&before, &after);
                for node in nodes.iter().filter(|node| world.exists(**node)) {
                    prop_assert_eq!(links_before[node], parents(&world, *node));
                }
            }
            for (node, outcome) in named.iter().zip(&outcomes) {
                if outcome.is_ok() {
                    prop_assert!(!after[node]);
                }
            }
            for node in &nodes {
                if after[node] {
                    for parent in parents(&world, *node).into_iter().flatten() {
                        prop_assert!(after[&parent], "{} points at {}, which is gone", node, parent);
                    }
                } else if before[node] {
                    let mut ancestor = Some(*node);
                    let mut steps = 0;
                    while let Some(key) = ancestor.filter(|key| !named.contains(key) && steps < 13) {
                        ancestor = links_before[&key][0];
                        steps += 1;
                    }
                    prop_assert!(ancestor.is_some_and(|key| named.contains(&key)), "{} went without a reason", node);
                }
            }
        }
    }
}
