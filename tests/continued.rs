//! A run that is continued: what was begun comes to its end, and what is held, has changed or does not match by then stays.
#![expect(clippy::disallowed_methods, reason = "it damages files of a run")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sexton::base::{CommandError, Exit};
use sexton::command::{AbandonRequest, Abandoned, AppliedPlan, PlanToApply, abandon};
use sexton::sandbox::{RecordKey, World};
use support::{Bench, start};
use tokio_util::sync::CancellationToken;

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
        biased;
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
            let (mut kept_counts, mut in_doubt) = (BTreeSet::new(), false);
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
                    // The request that was not answered may still be at work.
                    let right =
                        if exists { told == ("skipped", "held") || told.0 == "unknown" } else { told.0 == "deleted" };
                    assert!(right, "{api}, request {request}: {key} is {told:?}");
                    in_doubt |= told.0 == "unknown";
                    assert!(!exists || held.contains(&key), "{api}, request {request}: {key} was left");
                }
                kept_counts.insert(there.len());
            }
            assert!(kept_counts.contains(&3) && kept_counts.len() > 1, "{api}: {kept_counts:?}");
            assert_eq!(in_doubt, api == "collections" && !done, "{api}: a job is asked what it has done");
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
                // An hour later, when no request is at work any more, somebody else works on leads; what matches by then and was not
                // planned waits.
                bench.sandbox.clock().advance(Duration::from_secs(3600));
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
fn what_was_begun_comes_to_its_end_however_late_it_is() {
    in_paused_time(async {
        let request = first_deletion("collections").await;
        let (bench, _) = planned("collections").await;
        assert!(die_at(&bench, request, true).await);
        bench.sandbox.clock().advance(Duration::from_secs(60 * 24 * 3600));
        let applied = settled(bench.apply().await);
        assert_eq!((applied.exit, applied.report.tally().deleted), (Exit::Done, u64::from(LEADS)));
    });
}

#[test]
fn a_run_that_a_restored_state_does_not_know_is_brought_to_its_end_before_another_plan() {
    in_paused_time(async {
        let request = first_deletion("collections").await;
        let (bench, _) = planned("collections").await;
        let run = bench.bundle().digest();
        let state = bench.path().join(".sexton/state.json");
        let older = std::fs::read(&state).expect("a state");
        assert!(die_at(&bench, request + 1, true).await);
        std::fs::write(&state, older).expect("restored");
        let left = bench.sandbox.world().ids("Lead").count();
        assert!(left < LEADS as usize, "something was deleted");

        // What was deleted is in no other plan: without its run nothing would ever say what became of it.
        let planned = bench.plan().await.expect("planned");
        assert_eq!(planned.header.selected(), left as u64);
        let told = bench.recorder.warnings().join("\n");
        let expected = format!("the state has no record of the run of the plan {}", run.short());
        assert!(told.contains(&expected) && told.contains("it has deleted"), "{told}");
        let error = bench.apply().await.expect_err("another run is unfinished");
        assert_eq!(error.exit, Exit::PlanUnusable);
        assert!(error.to_string().contains(&run.short()), "{error}");
        assert_eq!(bench.sandbox.world().ids("Lead").count(), left, "nothing is sent");

        let applied = settled(bench.apply_with(|request| request.plan = PlanToApply::Unfinished).await);
        assert_eq!((applied.exit, applied.report.tally().deleted), (Exit::Done, u64::from(LEADS)));
        let state = bench.state();
        assert_eq!((state.unfinished().count(), state.consumed[0].plan), (0, run));
    });
}

#[test]
fn a_lowered_limit_stops_the_rest_of_a_policy_that_was_begun() {
    // One batch after the other, so that only the first one was sent.
    let serial = |most| policy("collections", most).replace("  via:", "  concurrency: serial\n  via:");
    in_paused_time(async {
        let request = first_deletion("collections").await;
        let (bench, _) = planned_by(&serial(1000)).await;
        assert!(die_at(&bench, request, true).await);
        bench.declare(&serial(300));
        let applied = settled(bench.apply().await);
        let tally = applied.report.tally();
        assert_eq!((applied.exit, tally.total()), (Exit::GateRefused, u64::from(LEADS)));
        assert_eq!((tally.deleted, tally.skipped), (200, u64::from(LEADS) - 200), "what was sent is settled, and no more");
        assert_eq!(bench.transport.demands(), []);
        let name = applied.report.policies[0].policy.clone();
        let causes: BTreeSet<String> = bench.outcomes(&name).into_iter().map(|row| row.cause).collect();
        assert_eq!(causes, ["", "refused"].map(str::to_owned).into());
    });
}

/// An interrupt before the first request must not make a plan immortal.
#[test]
fn a_policy_of_which_nothing_was_sent_has_to_pass_everything_again() {
    for change in ["expired", "limit", "filter"] {
        in_paused_time(async {
            let request = first_deletion("collections").await;
            let (bench, _) = planned("collections").await;
            // The last request before the first deletion.
            assert!(die_at(&bench, request - 1, true).await);
            match change {
                "expired" => bench.sandbox.clock().advance(Duration::from_secs(60 * 24 * 3600)),
                "limit" => bench.declare(&policy("collections", 1)),
                _ => bench.declare(&policy("collections", 1000).replace("everything", "Company = 'Nobody'")),
            }
            let refused = match bench.apply().await {
                // The run was begun by then, without a request: it ends.
                Ok(applied) => settled(Ok(applied)).exit,
                // It was not even begun.
                Err(error) => error.exit,
            };
            assert!(matches!(refused, Exit::GateRefused | Exit::PlanUnusable), "{change}: {refused:?}");
            assert_eq!(bench.sandbox.world().ids("Lead").count(), LEADS as usize, "{change}");
            assert_eq!(bench.transport.demands(), [], "{change}");
        });
    }
}

#[test]
fn nothing_more_is_sent_while_a_hold_cannot_be_read() {
    in_paused_time(async {
        let request = first_deletion("collections").await;
        let (bench, _) = planned("collections").await;
        assert!(die_at(&bench, request, true).await);
        bench.declare(&format!("{}{}", policy("collections", 1000), hold("Nonsense__c = 'x'")));
        let error = bench.apply().await.expect_err("the hold cannot be read");
        assert_eq!(error.exit, Exit::SomeFailed, "{error}: records are gone by then");
        assert_eq!(bench.transport.demands(), []);
        assert!(error.notes.iter().any(|note| note.contains("every hold can be read")), "{:?}", error.notes);
        bench.declare(&policy("collections", 1000));
        assert_eq!(settled(bench.apply().await).report.tally().deleted, u64::from(LEADS));
    });
}

#[test]
fn objects_of_a_run_that_are_lost_are_named_with_the_way_out() {
    in_paused_time(async {
        let request = first_deletion("collections").await;
        let (bench, _) = planned("collections").await;
        assert!(die_at(&bench, request, true).await);
        let run = bench.run();
        let (segment, round) = (run.join("journal/00000000.jsonl"), run.join("rounds/leads.0.ids"));
        let journal = std::fs::read_to_string(&segment).expect("a segment");
        let (head, _) = journal.split_once('\n').expect("lines");
        let newer = journal.replace("\"format\":1", "\"format\":2");
        let damages = [
            (&segment, None, "journal/00000000.jsonl` is damaged: it is missing"),
            (&segment, Some(String::new()), "journal/00000000.jsonl` is damaged: it is cut off"),
            (&segment, Some(format!("{head}\n{{}}\n")), "journal/00000000.jsonl` is damaged: line 2"),
            (&segment, Some(newer), "journal/00000000.jsonl` was written by a newer sexton"),
            (&round, None, "rounds/leads.0.ids` is damaged: it is not there"),
            (&round, Some("0".repeat(3800)), "rounds/leads.0.ids` is damaged: its digest is"),
        ];
        for (path, damage, told) in damages {
            let whole = std::fs::read(path).expect("an object");
            match &damage {
                Some(text) => std::fs::write(path, text).expect("damaged"),
                None => std::fs::remove_file(path).expect("removed"),
            }
            let error = bench.apply().await.expect_err("it is lost");
            let words = format!("{error}\n{}", error.notes.join("\n"));
            assert!(words.contains(told) && !words.contains("internal"), "{told}: {words}");
            assert_ne!(error.exit, Exit::Error, "{told}: records are gone by then");
            if !told.contains("newer") {
                assert!(
                    error.help.as_deref().is_some_and(|help| help.contains("state abandon")),
                    "{told}: {:?}",
                    error.help
                );
            }
            std::fs::write(path, whole).expect("restored");
        }
        assert_eq!(bench.transport.demands(), []);
        assert_eq!(settled(bench.apply().await).report.tally().deleted, u64::from(LEADS));
    });
}

#[test]
fn a_run_that_is_given_up_has_an_outcome_for_every_record_and_makes_room_for_another_plan() {
    let serial = policy("collections", 1000).replace("  via:", "  concurrency: serial\n  via:");
    for without_looking in [false, true] {
        in_paused_time(async {
            let request = first_deletion("collections").await;
            let (bench, _) = planned_by(&serial).await;
            assert!(die_at(&bench, request, true).await);
            let run = bench.bundle().digest().short();
            // Another plan has to wait, whatever lies in the working tree.
            bench.sandbox.world().generate("Lead", 3, 8).expect("leads");
            bench.plan().await.expect("planned");
            let error = bench.apply().await.expect_err("a run is unfinished");
            assert_eq!(error.exit, Exit::PlanUnusable);
            assert!(error.to_string().contains(&run), "{error}");

            let request = AbandonRequest { project: bench.path().to_owned(), run: run.clone(), without_looking };
            let abandoned = abandon(&bench.host(), &request, &CancellationToken::new()).await.expect("given up");
            let Abandoned::Settled(applied) = abandoned else { panic!("the store has all of it: {abandoned:?}") };
            let tally = applied.report.tally();
            let sent = if without_looking { tally.unknown } else { tally.deleted };
            assert_eq!((sent, tally.skipped, tally.total()), (200, u64::from(LEADS) - 200, u64::from(LEADS)));
            assert_eq!(bench.transport.demands(), [], "nothing more is sent");
            let outcomes = bench.path().join(format!(".sexton/runs/{run}/outcomes/leads.csv"));
            let text = std::fs::read_to_string(outcomes).expect("outcomes");
            assert_eq!(text.matches(",skipped,abandoned,").count(), LEADS as usize - 200);
            assert_eq!(settled(bench.apply().await).exit, Exit::Done, "the other plan is applied now");
            assert_eq!(bench.sandbox.world().ids("Lead").count(), 0);
        });
    }
}

/// Who restores an older copy of a run's directory takes the knowledge of a request away. Its records are gone, and nothing may
/// say that they were left alone.
#[test]
fn an_older_copy_of_the_journal_makes_nobody_say_that_deleted_records_were_skipped() {
    in_paused_time(async {
        let request = first_deletion("collections").await;
        let (bench, _) = planned("collections").await;
        assert!(die_at(&bench, request, true).await);
        let journal = bench.run().join("journal");
        let mut segments: Vec<_> =
            std::fs::read_dir(&journal).expect("a journal").map(|entry| entry.expect("an entry").path()).collect();
        segments.sort();
        let is_intent =
            |path: &std::path::PathBuf| std::fs::read_to_string(path).expect("a segment").contains("\"type\":\"intended\"");
        let first = segments.iter().position(is_intent).expect("an intent");
        segments[first..].iter().for_each(|path| std::fs::remove_file(path).expect("removed"));
        let tally = settled(bench.apply().await).report.tally();
        assert_eq!((tally.skipped, tally.total()), (0, u64::from(LEADS)));
        assert!(tally.already_gone > 0, "{tally:?}");
    });
}
