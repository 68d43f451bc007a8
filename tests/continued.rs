//! A run that is continued: what was begun comes to its end, and what is held, has changed or does not match by then stays.
#![expect(clippy::disallowed_methods, reason = "it damages files of a run")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sexton::base::PolicyName;
use sexton::base::{CommandError, Exit};
use sexton::command::AppliedPlan;
use sexton::sandbox::{RecordKey, World};
use support::{Bench, start};

const LEADS: u32 = 410;

/// A policy that leaves out what has changed or belongs to a company of that name.
fn choosy_policy(api: &str) -> String {
    policy(api, 1000).replace("filter: everything", "filter: Company != 'Keep'\n  recheck: unchanged")
}

fn policy(api: &str, most: u64) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: DeletionPolicy\nmetadata: {{ name: leads }}\nspec:\n  target: crm\n  object: Lead\n  \
         filter: everything\n  via: {api}\n  limits: {{ maxRecords: {most}, maxPercent: 100 }}\n---\n"
    )
}

fn hold(filter: &str) -> String {
    format!(
        "apiVersion: sexton/v1\nkind: Hold\nmetadata: {{ name: matter }}\nspec:\n  target: crm\n  object: Lead\n  \
         filter: {filter}\n  reason: Matter 7\n"
    )
}

/// A world of leads, and a plan to delete all of them.
async fn planned(api: &str) -> (Bench, Vec<RecordKey>) {
    planned_by(&policy(api, 1000)).await
}

async fn planned_by(policy: &str) -> (Bench, Vec<RecordKey>) {
    let mut world = World::builder().start(start()).build().expect("a world");
    world.generate("Lead", LEADS, 7).expect("leads");
    let leads = world.ids("Lead").collect();
    let bench = Bench::new(world);
    bench.declare(policy);
    bench.plan().await.expect("planned");
    (bench, leads)
}

/// Applies in a process that dies at a request; `false` when there is no such request.
async fn die_at(bench: &Bench, request: u64, done: bool) -> bool {
    bench.transport.end_at(request, done);
    let died = tokio::select! {
        ended = bench.apply() => { ended.expect("applied"); false }
        () = bench.transport.ended() => true,
    };
    bench.transport.go_on();
    bench.transport.forget();
    died
}

/// The number of the first request of an apply that asks for deletions.
async fn first_deletion(api: &str) -> u64 {
    let (bench, _) = planned(api).await;
    let before = bench.sandbox.requests().len();
    settled(bench.apply().await);
    let asks = |path: &str| path.ends_with("/composite/sobjects") || path.ends_with("/batches");
    let place = bench.sandbox.requests().iter().skip(before).position(|request| asks(&request.path));
    place.expect("a deletion") as u64 + 1
}

fn in_paused_time<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().expect("a runtime").block_on(test)
}

fn settled(applied: Result<AppliedPlan, CommandError>) -> AppliedPlan {
    let applied = applied.expect("applied");
    assert_eq!(applied.unfinished, Vec::<String>::new());
    applied
}

#[test]
fn a_hold_written_while_a_run_is_down_keeps_whatever_is_still_there() {
    for (api, done) in [("collections", true), ("collections", false), ("bulk2", true), ("bulk2", false)] {
        in_paused_time(async {
            let mut kept_counts = BTreeSet::new();
            for request in first_deletion(api).await - 1.. {
                let (bench, leads) = planned(api).await;
                if !die_at(&bench, request, done).await {
                    break;
                }
                let held: BTreeSet<RecordKey> = [10, 250, 405].map(|place: usize| leads[place]).into();
                let there: BTreeSet<RecordKey> =
                    held.iter().copied().filter(|key| bench.sandbox.world().exists(*key)).collect();
                let listed: Vec<String> = held.iter().map(ToString::to_string).collect();
                let filter = format!("{{ field: Id, in: [{}] }}", listed.join(", "));
                bench.declare(&format!("{}{}", policy(api, 1000), hold(&filter)));
                let applied = settled(bench.apply().await);

                let sent: BTreeSet<String> = bench.transport.demands().into_iter().flat_map(|demand| demand.ids).collect();
                let texts: BTreeSet<String> = there.iter().map(ToString::to_string).collect();
                assert!(sent.is_disjoint(&texts), "{api}, request {request}: a held record was sent again");
                let name = applied.report.policies[0].policy.clone();
                let outcomes = bench.outcomes(&name);
                assert_eq!(outcomes.len(), LEADS as usize);
                for row in outcomes {
                    let key = RecordKey::parse(row.id.as_str()).expect("a record's id");
                    let exists = bench.sandbox.world().exists(key);
                    let told = (row.outcome.as_str(), row.cause.as_str());
                    assert_eq!(exists, told == ("skipped", "held"), "{api}, request {request}: {key} is {told:?}");
                    assert!(exists || told.0 == "deleted", "{api}, request {request}: {key} is {told:?}");
                    assert!(!exists || held.contains(&key), "{api}, request {request}: {key} was left");
                }
                kept_counts.insert(there.len());
            }
            assert!(kept_counts.contains(&3) && kept_counts.len() > 1, "{api}: {kept_counts:?}");
        });
    }
}

#[test]
fn what_has_changed_or_does_not_match_while_a_run_is_down_is_not_sent() {
    for (api, done) in [("collections", true), ("collections", false), ("bulk2", true), ("bulk2", false)] {
        in_paused_time(async {
            let mut kept_counts = BTreeSet::new();
            for request in first_deletion(api).await - 1.. {
                let (bench, leads) = planned_by(&choosy_policy(api)).await;
                if !die_at(&bench, request, done).await {
                    break;
                }
                // A minute later somebody else works on leads; what matches by then and was not planned waits.
                bench.sandbox.clock().advance(Duration::from_secs(60));
                let mut there = BTreeMap::new();
                {
                    let mut world = bench.sandbox.world();
                    world.insert("Lead", [("LastName", "New".into()), ("Company", "Other".into())]).expect("known");
                    for (place, field, value, cause) in [
                        (10, "Company", "Keep", "no-longer-matches"),
                        (250, "LastName", "Changed", "changed"),
                        (405, "Company", "Keep", "no-longer-matches"),
                    ] {
                        if world.exists(leads[place]) {
                            world.update(leads[place], field, value).expect("known");
                            there.insert(leads[place].to_string(), cause);
                        }
                    }
                }
                let applied = settled(bench.apply().await);

                let sent: BTreeSet<String> = bench.transport.demands().into_iter().flat_map(|demand| demand.ids).collect();
                assert!(there.keys().all(|id| !sent.contains(id)), "{api}, request {request}: one of {there:?} was sent");
                let name = applied.report.policies[0].policy.clone();
                for row in bench.outcomes(&name) {
                    let exists = bench.sandbox.world().exists(RecordKey::parse(row.id.as_str()).expect("a record's id"));
                    let kept = there.get(row.id.as_str()).filter(|_| exists);
                    let expected = kept.map_or(("deleted", ""), |cause| ("skipped", *cause));
                    assert_eq!((row.outcome.as_str(), row.cause.as_str()), expected, "{api}, {request}: {}", row.id);
                    assert_eq!(exists, kept.is_some(), "{api}, {request}: {}", row.id);
                }
                let left = bench.sandbox.world().ids("Lead").count() - 1;
                // A job that was started before deletes what it was given.
                assert!(left == there.len() || api == "bulk2", "{api}, request {request}: {left} of {there:?}");
                kept_counts.insert(left);
            }
            assert!(kept_counts.contains(&3) && kept_counts.len() > 1, "{api}: {kept_counts:?}");
        });
    }
}

#[test]
fn what_was_begun_comes_to_its_end_whatever_gates_and_days_say_by_then() {
    in_paused_time(async {
        let request = first_deletion("collections").await;
        let (bench, _) = planned("collections").await;
        assert!(die_at(&bench, request, true).await);
        // A new run would be refused for three reasons by now.
        bench.declare(&policy("collections", 1));
        bench.sandbox.clock().advance(Duration::from_secs(60 * 24 * 3600));
        let applied = settled(bench.apply().await);
        assert_eq!((applied.exit, applied.report.tally().deleted), (Exit::Done, u64::from(LEADS)));
    });
}

#[test]
fn nothing_more_is_sent_while_a_hold_cannot_be_read() {
    in_paused_time(async {
        let request = first_deletion("collections").await;
        let (bench, _) = planned("collections").await;
        assert!(die_at(&bench, request, true).await);
        bench.declare(&format!("{}{}", policy("collections", 1000), hold("Nonsense__c = 'x'")));
        let error = bench.apply().await.expect_err("the hold cannot be read");
        assert_eq!(error.exit, Exit::Error, "{error}");
        assert_eq!(bench.transport.demands(), []);
        assert!(error.notes.iter().any(|note| note.contains("every hold can be read")), "{:?}", error.notes);
        bench.declare(&policy("collections", 1000));
        assert_eq!(settled(bench.apply().await).report.tally().deleted, u64::from(LEADS));
    });
}

#[test]
fn files_of_a_run_that_are_lost_are_named_with_the_way_out() {
    in_paused_time(async {
        let request = first_deletion("collections").await;
        let (bench, _) = planned("collections").await;
        assert!(die_at(&bench, request, true).await);
        let run = bench.run();
        let name = PolicyName::new("leads").expect("a name");
        let journal = std::fs::read_to_string(run.journal()).expect("a journal");
        let (first, rest) = journal.split_once('\n').expect("lines");
        let damages = [
            (run.journal(), Some(String::new()), "has lost entries in"),
            (run.journal(), Some(format!("{first}\n")), "has lost entries in"),
            (run.journal(), Some(rest.to_owned()), "journal.jsonl is damaged at line 1"),
            (run.round(&name, 0), None, "rounds/leads.0.ids"),
            (run.round(&name, 0), Some("0".repeat(3800)), "leads.0.ids is damaged at line 1"),
            (run.skipped(&name), None, "skipped/leads.csv"),
        ];
        for (path, damage, told) in damages {
            let whole = std::fs::read(&path).expect("a file");
            match &damage {
                Some(text) => std::fs::write(&path, text).expect("damaged"),
                None => std::fs::remove_file(&path).expect("removed"),
            }
            let error = bench.apply().await.expect_err("it is lost");
            let words = format!("{error}\n{}", error.notes.join("\n"));
            assert!(words.contains(told) && !words.contains("internal"), "{told}: {words}");
            assert!(error.help.as_deref().is_some_and(|help| help.contains("make a new plan")), "{told}: {:?}", error.help);
            std::fs::write(&path, whole).expect("restored");
        }
        assert_eq!(bench.transport.demands(), []);
        assert_eq!(settled(bench.apply().await).report.tally().deleted, u64::from(LEADS));
    });
}

/// Who restores an older copy of a run's directory takes the knowledge of a request away. Its records are gone, and nothing may
/// say that they were left alone.
#[test]
fn an_older_copy_of_the_journal_makes_nobody_say_that_deleted_records_were_skipped() {
    in_paused_time(async {
        let request = first_deletion("collections").await;
        let (bench, _) = planned("collections").await;
        assert!(die_at(&bench, request, true).await);
        let run = bench.run();
        let journal = std::fs::read_to_string(run.journal()).expect("a journal");
        let (before, _) = journal.split_once("\"type\":\"intended\"").expect("an intent");
        let (older, _) = before.rsplit_once('\n').expect("lines");
        std::fs::write(run.journal(), format!("{older}\n")).expect("restored");
        let tally = settled(bench.apply().await).report.tally();
        assert_eq!((tally.skipped, tally.total()), (0, u64::from(LEADS)));
        assert!(tally.already_gone > 0, "{tally:?}");
    });
}
