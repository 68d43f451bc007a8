//! Records that a system says are gone: only a look tells whether they are.

mod support;

use std::collections::BTreeMap;

use sexton::base::{Exit, PolicyName};
use sexton::sandbox::{DeleteMode, Deletion, Fault, ItemError, Permissions, RecordKey, Sandbox, World, WorldBuilder};
use support::route::{BULK1, BULK2, COLLECTIONS, COMPOSITE, Route, System, ZUORA_SOAP};
use support::{ADDRESS, Bench, start};

/// A planned policy for ten old records, with further lines of its `spec`.
async fn planned(route: Route, more: &[&str]) -> (Bench, Vec<String>) {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.set_permissions(WorldBuilder::user_key(1), Permissions { hard_delete: true, ..Permissions::default() });
    let bench = Bench::new(world);
    let ids = route.system.add(&bench.sandbox, 10, "old");
    bench.write("sexton.yaml", &[route.system.document(ADDRESS, None), route.policy(more)].concat());
    bench.plan().await.expect("planned");
    (bench, ids)
}

/// From now on the system says of a living record that it is gone, in these words.
fn deny(sandbox: &Sandbox, system: System, id: &str, code: &str) {
    match system {
        System::Salesforce => {
            let key = RecordKey::parse(id).expect("an id");
            sandbox.world().refuse(key, ItemError::new(code, "entity is deleted"), None);
        }
        _ => sandbox.zuora().refuse(id, code, "entity is deleted", None),
    }
}

/// How many records came to which end, with the code. What is there must not be called gone, and what is gone not
/// failed.
fn ends(bench: &Bench, route: Route) -> BTreeMap<String, usize> {
    let live = route.system.live(&bench.sandbox);
    let mut ends = BTreeMap::new();
    for row in bench.outcomes(&PolicyName::new("old-ones").expect("a name")) {
        let is_gone = matches!(row.outcome.as_str(), "deleted" | "already-gone");
        assert_eq!(live.contains(row.id.as_str()), !is_gone, "{} is {}", row.id, row.outcome);
        *ends.entry([row.outcome, row.cause, row.code].join(" ").trim().to_owned()).or_default() += 1;
    }
    ends
}

fn counted<const N: usize>(ends: [(&str, usize); N]) -> BTreeMap<String, usize> {
    ends.into_iter().map(|(end, count)| (end.to_owned(), count)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_living_record_that_is_said_to_be_gone_has_failed() {
    for (route, codes) in [
        (COLLECTIONS, ["ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"]),
        (BULK2, ["ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"]),
        (BULK1, ["ENTITY_IS_DELETED", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"]),
        (ZUORA_SOAP, ["INVALID_VALUE", "INVALID_ID"]),
    ] {
        let (bench, ids) = planned(route, &[]).await;
        for (id, code) in ids.iter().zip(codes) {
            deny(&bench.sandbox, route.system, id, code);
        }
        let applied = bench.apply().await.expect("applied");
        let failed = codes.map(|code| format!("failed  {code}"));
        let expected = [("deleted", 8), (failed[0].as_str(), 1), (failed[1].as_str(), 1)];
        assert_eq!(ends(&bench, route), counted(expected), "{}", route.api);
        assert_eq!(applied.exit, Exit::SomeFailed, "{}", route.api);
        let sent: usize = bench.transport.demands().iter().map(|demand| demand.ids.len()).sum();
        assert_eq!(sent, 10, "{}: nothing is sent twice", route.api);
    }
}

#[tokio::test(start_paused = true)]
async fn an_atomic_request_that_was_taken_back_for_a_record_said_to_be_gone_has_deleted_nothing() {
    for (route, more) in [(COMPOSITE, &[][..]), (COLLECTIONS, &["allOrNone: perRequest"])] {
        let (bench, ids) = planned(route, more).await;
        deny(&bench.sandbox, route.system, &ids[4], "ENTITY_IS_DELETED");
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::SomeFailed, "{}", route.api);
        let expected = [("failed  ENTITY_IS_DELETED", 1), ("skipped rolled-back", 9)];
        assert_eq!(ends(&bench, route), counted(expected), "{}", route.api);
    }
    let (bench, ids) = planned(COLLECTIONS, &["allOrNone: perRequest"]).await;
    deny(&bench.sandbox, System::Salesforce, &ids[4], "ENTITY_IS_DELETED");
    bench.apply_isolating().await.expect("applied");
    let expected = [("deleted", 9), ("failed  ENTITY_IS_DELETED", 1)];
    assert_eq!(ends(&bench, COLLECTIONS), counted(expected));
}

#[tokio::test(start_paused = true)]
async fn an_atomic_request_goes_on_without_a_record_that_is_gone() {
    for (route, more) in [(COMPOSITE, &[][..]), (COLLECTIONS, &["allOrNone: perRequest"])] {
        let (bench, ids) = planned(route, more).await;
        let id = ids[4].clone();
        bench.transport.before_deletion(move |sandbox| System::Salesforce.remove(sandbox, &id));
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done, "{}", route.api);
        let expected = [("already-gone", 1), ("deleted", 9)];
        assert_eq!(ends(&bench, route), counted(expected), "{}", route.api);
    }
}

#[tokio::test(start_paused = true)]
async fn a_purged_record_has_not_failed() {
    for route in [COLLECTIONS, BULK2, BULK1] {
        let (bench, ids) = planned(route, &[]).await;
        let key = RecordKey::parse(&ids[4]).expect("an id");
        bench.transport.before_deletion(move |sandbox| {
            let purge = Deletion { mode: DeleteMode::Hard, all_or_none: false, user: WorldBuilder::user_key(1) };
            sandbox.world().delete(&[key.to_string()], purge).remove(0).expect("deleted");
        });
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done, "{}", route.api);
        let expected = [("already-gone", 1), ("deleted", 9)];
        assert_eq!(ends(&bench, route), counted(expected), "{}", route.api);
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_once_is_made_again() {
    for route in [COLLECTIONS, BULK2, BULK1, ZUORA_SOAP] {
        let (bench, ids) = planned(route, &[]).await;
        let code = if route.system == System::Zuora { "INVALID_ID" } else { "ENTITY_IS_DELETED" };
        deny(&bench.sandbox, route.system, &ids[0], code);
        bench.transport.before_deletion(move |sandbox| {
            let fault = match route.system {
                System::Zuora => route.system.reading_fault(sexton::sandbox::Effect::Unavailable { retry_after: None }),
                _ => Fault::on("GET", "*/queryAll", sexton::sandbox::Effect::Unavailable { retry_after: None }),
            };
            sandbox.add_fault(fault.times(12));
        });
        bench.apply().await.expect("applied");
        let failed = format!("failed  {code}");
        assert_eq!(ends(&bench, route), counted([("deleted", 9), (&failed, 1)]), "{}", route.api);
    }
}

/// A planned hard delete of ten old records.
async fn planned_hard(route: Route) -> (Bench, Vec<String>) {
    planned(route, &["delete: hard"]).await
}

fn in_bin(bench: &Bench, id: &str) -> bool {
    bench.sandbox.world().in_bin(RecordKey::parse(id).expect("an id"))
}

#[tokio::test(start_paused = true)]
async fn a_record_in_the_recycle_bin_is_not_hard_deleted() {
    for route in [BULK2, BULK1] {
        // Before anything is sent.
        let (bench, ids) = planned_hard(route).await;
        System::Salesforce.remove(&bench.sandbox, &ids[2]);
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::Done, "{}", route.api);
        assert!(in_bin(&bench, &ids[2]), "it was not sent");
        assert_eq!(hard_ends(&bench), counted([("deleted", 9), ("skipped in-recycle-bin", 1)]), "{}", route.api);
        // Just before it is sent, where the system does not take what is in the bin.
        let (bench, ids) = planned_hard(route).await;
        let key = RecordKey::parse(&ids[2]).expect("an id");
        bench.transport.before_deletion(move |sandbox| {
            System::Salesforce.remove(sandbox, &key.to_string());
            sandbox.world().refuse(key, ItemError::new("ENTITY_IS_DELETED", "entity is deleted"), None);
        });
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::SomeFailed, "{}", route.api);
        assert!(in_bin(&bench, &ids[2]));
        assert_eq!(hard_ends(&bench), counted([("deleted", 9), ("failed  ENTITY_IS_DELETED", 1)]), "{}", route.api);
        // In a job whose results do not mention it.
        let (bench, ids) = planned_hard(route).await;
        let key = RecordKey::parse(&ids[0]).expect("an id");
        bench.transport.before_deletion(move |sandbox| {
            System::Salesforce.remove(sandbox, &key.to_string());
            sandbox.world().refuse(key, ItemError::new("ENTITY_IS_DELETED", "entity is deleted"), None);
        });
        let creates = if route.api == "bulk1" { "/services/async/*/batch" } else { "*/jobs/ingest" };
        bench.sandbox.add_fault(Fault::on("POST", creates, sexton::sandbox::Effect::OmitRows { rows: 1 }));
        assert_eq!(bench.apply().await.expect("applied").exit, Exit::SomeFailed, "{}", route.api);
        assert_eq!(hard_ends(&bench)["deleted"], 9, "{}", route.api);
    }
}

/// How many records came to which end.
fn hard_ends(bench: &Bench) -> BTreeMap<String, usize> {
    let mut ends = BTreeMap::new();
    for row in bench.outcomes(&PolicyName::new("old-ones").expect("a name")) {
        let is_gone = matches!(row.outcome.as_str(), "deleted" | "already-gone");
        let key = RecordKey::parse(row.id.as_str()).expect("an id");
        let world = bench.sandbox.world();
        assert_eq!(world.exists(key) || world.in_bin(key), !is_gone, "{key} is {}", row.outcome);
        *ends.entry([row.outcome, row.cause, row.code].join(" ").trim().to_owned()).or_default() += 1;
    }
    ends
}
