//! One project over three systems: one plan, one apply, and whatever fails stops what waits for it and nothing else.

mod support;

use std::collections::BTreeMap;

use sexton::base::Exit;
use sexton::base::PolicyName;
use sexton::command::AppliedPlan;
use sexton::sandbox::{Effect, World};
use support::route::{BULK2, COLLECTIONS, FULCRUM_BATCH, Route, System, ZUORA_SOAP};
use support::{ADDRESS, Bench, start};

const RECORDS: usize = 230;

/// One policy for each system, named after its target.
const ROUTES: [Route; 3] = [COLLECTIONS, ZUORA_SOAP, FULCRUM_BATCH];

/// A project with old records in every system. `depends` says which target's policy waits for which.
fn bench(depends: &[(System, System)]) -> Bench {
    let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
    let mut text: String = System::ALL.map(|system| system.document(ADDRESS, None)).concat();
    for route in ROUTES {
        route.system.add(&bench.sandbox, RECORDS, "old");
        route.system.add(&bench.sandbox, 10, "young");
        let waits = depends.iter().filter(|(who, _)| *who == route.system).map(|(_, whom)| whom.target());
        let line = format!("dependsOn: [{}]", waits.collect::<Vec<_>>().join(", "));
        text += &route.policy_named(route.system.target(), &[&line]);
    }
    bench.write("sexton.yaml", &text);
    bench
}

fn old_left(bench: &Bench) -> BTreeMap<&'static str, usize> {
    let left = |system: System| (system.target(), system.live(&bench.sandbox).len() - 10);
    System::ALL.map(left).into()
}

/// How many records of a target's policy came to that end.
fn count(bench: &Bench, system: System, outcome: &str, cause: &str) -> usize {
    let rows = bench.outcomes(&PolicyName::new(system.target()).expect("a name"));
    assert_eq!(rows.len(), RECORDS);
    rows.iter().filter(|row| row.outcome == outcome && row.cause == cause).count()
}

async fn planned(bench: &Bench) {
    let planned = bench.plan().await.unwrap_or_else(|error| panic!("{error}: {:?}", error.notes));
    assert!(!planned.header.is_refused());
    assert_eq!(planned.header.policies.iter().map(|policy| policy.selected).sum::<u64>(), 3 * RECORDS as u64);
    assert_eq!(planned.header.targets.len(), 3);
}

async fn applied(bench: &Bench) -> AppliedPlan {
    bench.apply().await.unwrap_or_else(|error| panic!("{error}: {:?}", error.notes))
}

/// The systems in the order of the requests that named records.
fn order_of_demands(bench: &Bench) -> Vec<System> {
    let system = |path: &str| match path {
        _ if path.starts_with("/services/") => System::Salesforce,
        _ if path.starts_with("/api/v2/") => System::Fulcrum,
        _ => System::Zuora,
    };
    bench.transport.demands().iter().map(|demand| system(&demand.path)).collect()
}

#[tokio::test(start_paused = true)]
async fn one_apply_deletes_from_all_of_them_side_by_side() {
    let bench = bench(&[]);
    planned(&bench).await;
    for route in ROUTES {
        bench.sandbox.add_fault(route.deletion_fault(Effect::Delay { milliseconds: 5_000 }));
    }
    let applied = applied(&bench).await;
    assert_eq!((applied.exit, applied.unfinished.len()), (Exit::Done, 0));
    assert_eq!(applied.report.tally().deleted, 3 * RECORDS as u64);
    assert_eq!(old_left(&bench), BTreeMap::from([("billing", 0), ("crm", 0), ("field", 0)]));
    let order = order_of_demands(&bench);
    let last_of_zuora = order.iter().rposition(|system| *system == System::Zuora).expect("sent");
    for system in System::ALL {
        let first = order.iter().position(|other| *other == system).expect("sent");
        assert!(first < last_of_zuora, "{system:?} waited for Zuora: {order:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_waits_for_one_of_another_system() {
    let bench = bench(&[(System::Zuora, System::Fulcrum), (System::Salesforce, System::Zuora)]);
    planned(&bench).await;
    let applied = applied(&bench).await;
    assert_eq!(applied.report.tally().deleted, 3 * RECORDS as u64);
    let mut order = order_of_demands(&bench);
    order.dedup();
    assert_eq!(order, [System::Fulcrum, System::Zuora, System::Salesforce]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_stops_what_waits_for_it_and_nothing_else() {
    let bench = bench(&[(System::Fulcrum, System::Zuora)]);
    planned(&bench).await;
    let stubborn = System::Zuora.live(&bench.sandbox).first().expect("a record").clone();
    System::Zuora.refuse(&bench.sandbox, &stubborn);
    let applied = applied(&bench).await;
    assert_eq!((applied.exit, applied.unfinished.len()), (Exit::SomeFailed, 0));
    assert_eq!(count(&bench, System::Salesforce, "deleted", ""), RECORDS);
    assert_eq!(count(&bench, System::Zuora, "deleted", ""), RECORDS - 1);
    assert_eq!(count(&bench, System::Zuora, "failed", ""), 1);
    assert_eq!(count(&bench, System::Fulcrum, "skipped", "dependency"), RECORDS);
    assert_eq!(old_left(&bench), BTreeMap::from([("billing", 1), ("crm", 0), ("field", RECORDS)]));
    assert!(!order_of_demands(&bench).contains(&System::Fulcrum));
}

#[tokio::test(start_paused = true)]
async fn a_system_that_is_down_holds_up_what_waits_for_it_until_the_same_command_goes_on() {
    let bench = bench(&[(System::Fulcrum, System::Zuora)]);
    planned(&bench).await;
    bench.sandbox.add_fault(ZUORA_SOAP.deletion_fault(Effect::DailyLimit));
    let first = applied(&bench).await;
    assert!(!first.unfinished.is_empty());
    assert_eq!(old_left(&bench), BTreeMap::from([("billing", RECORDS), ("crm", 0), ("field", RECORDS)]));
    bench.sandbox.clear_faults();
    // It asked to be left alone for longer than anybody waits.
    bench.sandbox.clock().advance(std::time::Duration::from_secs(3_600));
    let second = applied(&bench).await;
    assert_eq!((second.exit, second.unfinished.len()), (Exit::Done, 0));
    assert_eq!(old_left(&bench), BTreeMap::from([("billing", 0), ("crm", 0), ("field", 0)]));
    assert_eq!(second.report.tally().deleted, 3 * RECORDS as u64);
}

#[tokio::test(start_paused = true)]
async fn one_wrong_organization_keeps_anything_from_being_sent_to_any() {
    let bench = bench(&[]);
    planned(&bench).await;
    bench.sandbox.fulcrum().id = System::Fulcrum.another_organization().to_owned();
    let error = bench.apply().await.expect_err("another organization");
    assert_eq!(error.exit, Exit::PlanUnusable, "{error}");
    assert_eq!(bench.transport.demands(), []);
    assert_eq!(old_left(&bench), BTreeMap::from([("billing", RECORDS), ("crm", RECORDS), ("field", RECORDS)]));
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_request_is_survived_in_all_of_them() {
    for done in [true, false] {
        for request in (1..).step_by(5) {
            let bench = bench(&[(System::Zuora, System::Salesforce)]);
            planned(&bench).await;
            bench.transport.end_at(request, done);
            let died = tokio::select! {
                biased;
                ended = bench.apply() => { ended.expect("applied"); false }
                () = bench.transport.ended() => true,
            };
            bench.transport.go_on();
            if !died {
                break;
            }
            let applied = applied(&bench).await;
            assert_eq!((applied.exit, applied.unfinished.len()), (Exit::Done, 0), "request {request}, done: {done}");
            let tally = applied.report.tally();
            assert_eq!((tally.deleted, tally.total()), (3 * RECORDS as u64, 3 * RECORDS as u64), "request {request}");
        }
    }
}

/// An API that is pinned is one of the policy's own system.
#[tokio::test(start_paused = true)]
async fn an_api_of_another_system_is_refused() {
    let bench = bench(&[]);
    let target = System::Zuora.document(ADDRESS, None);
    bench.write("sexton.yaml", &format!("{target}{}", ZUORA_SOAP.policy(&[&format!("via: {}", BULK2.api)])));
    let error = bench.plan().await.expect_err("no such API there");
    let codes: Vec<&str> = error.diagnostics.iter().flat_map(|all| &all.0).map(|one| one.code.0).collect();
    assert_eq!(codes, ["C0004"]);
}

/// Zuora deletes what belongs to an account with it, and does not say so; a hold on usage has to keep the account all the same.
#[tokio::test(start_paused = true)]
async fn a_hold_on_usage_keeps_the_account_that_it_belongs_to() {
    let bench = Bench::new(World::builder().start(start()).build().expect("a world"));
    let (kept, taken) = {
        let mut tenant = bench.sandbox.zuora();
        let kept = tenant.insert("Account", [("Name", "Kept"), ("Status", "Active")]).expect("an account");
        let taken = tenant.insert("Account", [("Name", "Taken"), ("Status", "Active")]).expect("an account");
        for (owner, unit, count) in [(&kept, "Held", 3), (&kept, "Free", 200), (&taken, "Free", 5)] {
            for _ in 0..count {
                tenant.insert("Usage", [("AccountId", owner.as_str()), ("UOM", unit)]).expect("a usage");
            }
        }
        (kept, taken)
    };
    let policy = "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: { name: accounts }\nspec:\n  target: billing\n  object: Account\n  \
        filter: Status != 'Canceled'\n  delete: hard\n  justification: closed\n  limits: { maxRecords: 300, maxPercent: 100 }\n";
    let hold = "---\napiVersion: sexton/v1\nkind: Hold\nmetadata: { name: audit }\nspec:\n  target: billing\n  object: Usage\n  \
        filter: UOM = 'Held'\n  reason: audit\n---\n";
    bench.write("sexton.yaml", &(System::Zuora.document(ADDRESS, None) + policy));
    let before = bench.plan().await.expect("a plan");
    assert_eq!(before.header.policies[0].selected, 2);
    assert!(
        before.header.policies[0].cascades.iter().any(|cascade| cascade.child == "Usage" && cascade.records == Some(208))
    );
    bench.write("hold.yaml", hold);
    let applied = applied(&bench).await;
    assert_eq!((applied.report.tally().deleted, applied.report.tally().skipped), (1, 1));
    assert!(bench.sandbox.zuora().exists(&kept));
    assert!(!bench.sandbox.zuora().exists(&taken));
}
