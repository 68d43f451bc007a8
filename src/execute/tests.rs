//! Faults and crashes at every step, against a system that knows the truth.

mod excluded;
mod isolate;
mod lost;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use self::world::{Death, Record, World, Wrong};
use super::{ExecuteError, PlannedIds, PolicyResult, PolicyResultKind, PolicyRun, Recheck, Replay, Run, execute};
use crate::apply::{BatchSpecification, Event, MachineSettings, SkipCause, Tally};
use crate::base::Observer;
use crate::base::{Clock, Digest, PolicyName, RecordId, Timer};
use crate::plan::{Route, Row};
use crate::store::{
    Backend, IdNote, IdsWriter, Journal, JournalError, MemoryStore, Place, RowSorter, RunJournal, RunScratch, RunStore,
    SortOrder, read_journal,
};
use crate::system::{Api, ApiShape, DeleteMode};

/// A clock that moves with tokio's, which a test can stop.
struct TestClock(tokio::time::Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let base = Timestamp::from_second(1_790_000_000).expect("valid");
        base.checked_add(self.0.elapsed()).expect("in range")
    }
}

/// Lets tokio's time pass, which a test can stop.
struct TestTimer;

#[async_trait::async_trait]
impl Timer for TestTimer {
    async fn sleep(&self, duration: std::time::Duration) {
        tokio::time::sleep(duration).await;
    }
}

struct Unobserved;

impl Observer for Unobserved {
    fn progress(&self, _: Option<&PolicyName>, _: &str, _: u64, _: Option<u64>) {}

    fn warn(&self, _: &str) {}
}

/// A journal at whose n-th entry the process dies, before or after the entry is durable.
struct MortalJournal {
    journal: RunJournal,
    world: Arc<World>,
    left: AtomicI64,
    durable: bool,
}

#[async_trait::async_trait]
impl Journal for MortalJournal {
    async fn append(&self, policy: Option<&PolicyName>, events: &[Event]) -> Result<(), JournalError> {
        let dies = self.left.fetch_sub(1, Ordering::Relaxed) <= 1;
        if !dies || self.durable {
            self.journal.append(policy, events).await?;
            events.iter().for_each(|event| self.world.inner().announce(event));
        }
        if dies { Err(JournalError::Closed) } else { Ok(()) }
    }
}

/// Where one process of a run dies.
#[derive(Clone, Copy, Debug)]
enum End {
    /// At a request, counted from the start of this process.
    Request(u64, bool),
    /// At a journal entry.
    Entry(u64, bool),
    /// Not at all.
    Natural,
}

#[derive(Clone, Debug)]
struct Scenario {
    /// For each planned record: whether it is kept back, gone, refused by the system, and how often it is locked.
    records: Vec<(bool, bool, bool, u32)>,
    api: Api,
    atomic: bool,
    /// Whether failing records of atomic batches are isolated.
    isolates: bool,
    /// Whether an atomic request with a record that fails is refused as a whole, without a word about which.
    nameless: bool,
    grouped: bool,
    batch_size: u64,
    parallel: u32,
    faults: Vec<Wrong>,
    ends: Vec<End>,
    /// Whether answers lie in objects of their own.
    stored_answers: bool,
    /// What rechecks find when processes begin: the first process, the first that does not find it any more, the record, and why
    /// it is not to be sent.
    excluded: Vec<(usize, usize, usize, SkipCause)>,
}

impl Scenario {
    fn calm(count: usize, jobs: bool) -> Self {
        let records = vec![(false, false, false, 0); count];
        let (faults, ends, excluded) = (Vec::new(), Vec::new(), Vec::new());
        let api = if jobs { Api::Bulk2 } else { Api::Collections };
        Self {
            records,
            api,
            atomic: false,
            isolates: false,
            nameless: false,
            grouped: false,
            batch_size: 5,
            parallel: 2,
            faults,
            ends,
            stored_answers: false,
            excluded,
        }
    }
}

/// So many records are in each group of a grouped scenario.
const GROUP: usize = 3;

fn id(number: usize) -> RecordId {
    RecordId::new(&format!("00Q{number:015}")).expect("valid")
}

fn policy(name: &str) -> PolicyName {
    PolicyName::new(name).expect("valid")
}

/// A run in memory and the system it runs against.
struct Rig {
    folder: tempfile::TempDir,
    store: RunStore,
    memory: MemoryStore,
    world: Arc<World>,
    scenario: Scenario,
    clock: Arc<TestClock>,
}

impl Rig {
    fn new(scenario: Scenario) -> Self {
        let memory_disk = std::path::Path::new("/dev/shm");
        let folder =
            if memory_disk.is_dir() { tempfile::tempdir_in(memory_disk) } else { tempfile::tempdir() }.expect("folder");
        let clock = Arc::new(TestClock(tokio::time::Instant::now()));
        let memory = MemoryStore::new();
        let store = RunStore::new(Arc::new(memory.clone()), Digest::of(b"plan"));
        let store = if scenario.stored_answers { store.with_inline_runs(0) } else { store };
        let rig = Self { folder, store, memory, world: Arc::new(World::default()), scenario, clock };
        {
            let mut inner = rig.world.inner();
            inner.nameless = rig.scenario.nameless;
            inner.schedule = rig.scenario.faults.iter().copied().collect();
            for (number, (kept, gone, refuses, locks)) in rig.scenario.records.iter().enumerate() {
                let record = Record { present: !gone, by_us: false, locks: *locks, refuses: *refuses };
                inner.records.insert(id(number), record);
                if !kept {
                    inner.allowed.insert(id(number));
                }
            }
        }
        rig
    }

    fn settings(&self) -> MachineSettings {
        MachineSettings {
            shape: self.scenario.api.shape(),
            same_size: self.scenario.atomic || self.scenario.grouped,
            batch_size: self.scenario.batch_size,
            parallel: self.scenario.parallel,
            seed: 7,
        }
    }

    async fn replay(&self) -> Result<Replay, ExecuteError> {
        let policies = ["policy", "later"].map(|name| (policy(name), self.settings()));
        Replay::read(&self.store, policies).await
    }

    fn journal(&self, replay: &Replay) -> RunJournal {
        let backend = Arc::new(self.memory.clone()) as Arc<dyn Backend>;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let writer = format!("process-{}", self.world.inner().processes);
        RunJournal::new(backend, self.store.journal().expect("a key"), clock, writer, replay.end.clone())
    }

    async fn entries(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let prefix = self.store.journal().expect("a key");
        read_journal(&self.memory, &prefix, |entry| events.push(entry.event)).await.expect("read");
        events
    }

    fn scratch(&self) -> RunScratch {
        RunScratch::new(&Place::of_machine(self.folder.path()), "one").expect("made")
    }

    fn machine(&self, name: &str) -> PolicyRun {
        let planned: Vec<RecordId> = (0..self.scenario.records.len()).map(id).collect();
        let planned_ids: PlannedIds = Arc::new(move || {
            Ok(Box::new(planned.clone().into_iter().map(io::Result::Ok)) as Box<dyn Iterator<Item = _> + Send>)
        });
        let api = self.scenario.api;
        PolicyRun {
            specification: BatchSpecification {
                policy: policy(name),
                object: "Lead".into(),
                delete: DeleteMode::Soft,
                api,
                atomic: self.scenario.atomic,
                serial: false,
                matching: None,
            },
            route: Route {
                api,
                batch_size: self.scenario.batch_size,
                batches: 0,
                parallel: self.scenario.parallel,
                atomic: self.scenario.atomic,
                calls: 0,
                reason: String::new(),
            },
            depends_on: Vec::new(),
            provider: Some(Arc::clone(&self.world) as Arc<dyn crate::provider::Provider>),
            planned: self.scenario.records.len() as u64,
            planned_ids,
            grouped: self.scenario.grouped,
            isolate_failures: self.scenario.isolates,
            recheck: Some(self.recheck()),
            checks_presence: self.world.inner().processes > 0,
            stopped: None,
        }
    }

    /// What the recheck finds before each process.
    fn recheck(&self) -> Recheck {
        let inner = self.world.inner();
        let sorter = |order| RowSorter::new(&Place::of_machine(self.folder.path()), order, RowSorter::WINDOW);
        let (mut excluded, mut grouped) = (sorter(SortOrder::Id), sorter(SortOrder::FirstValueThenId));
        for (number, (id, record)) in inner.records.iter().enumerate() {
            let kept = self.scenario.records[number].0.then_some(SkipCause::Held);
            // The first process has just selected: what is gone since then is noticed when it is sent.
            let gone = !record.present && inner.processes > 0;
            let cause = kept.or(if gone { Some(SkipCause::NoLongerMatches) } else { inner.excluded.get(id).copied() });
            match cause {
                Some(cause) => excluded.push(&Row { id: *id, values: vec![cause.word().to_owned()] }).expect("taken"),
                // Groups in another order than that of the ids.
                None => {
                    let group = format!("{:06}", 999_999 - number / GROUP);
                    grouped.push(&Row { id: *id, values: vec![group] }).expect("taken");
                }
            }
        }
        let (excluded, grouped) = (excluded.finish().expect("sorted"), grouped.finish().expect("sorted"));
        let (cleared, population) = (grouped.count(), inner.records.len() as u64);
        let grouped = self.scenario.grouped.then_some(grouped);
        Recheck { excluded, grouped, cleared, waiting: 0, population, open: Vec::new() }
    }

    /// One process: goes on until the end or its death, which gives `None`.
    async fn live(&self, end: End, policies: Vec<PolicyRun>, stop: &CancellationToken) -> Option<Vec<PolicyResult>> {
        let (left, durable) = match end {
            End::Entry(left, durable) => (left as i64, durable),
            _ => (i64::MAX, true),
        };
        let replay = self.replay().await.expect("a journal");
        let journal = self.journal(&replay);
        let journal = MortalJournal { journal, world: Arc::clone(&self.world), left: AtomicI64::new(left), durable };
        {
            let mut inner = self.world.inner();
            inner.processes += 1;
            inner.death = match end {
                End::Request(request, after_effect) => Some(Death { request: inner.requests + request, after_effect }),
                _ => None,
            };
        }
        let scratch = self.scratch();
        let run = self.run(&scratch, &journal, stop);
        tokio::select! {
            biased;
            () = self.world.died.notified() => None,
            ended = execute(&run, policies, &replay) => match ended {
                Ok(ended) => Some(ended),
                Err(error) if matches!(end, End::Entry(..)) => {
                    assert!(matches!(error, ExecuteError::Journal(_)), "{error}");
                    None
                }
                Err(error) => panic!("{error:?}"),
            },
        }
    }

    fn run<'a>(&'a self, scratch: &'a RunScratch, journal: &'a dyn Journal, stop: &'a CancellationToken) -> Run<'a> {
        Run {
            store: &self.store,
            scratch,
            journal,
            clock: &*self.clock,
            timer: &TestTimer,
            seed: 7,
            observer: &Unobserved,
            stop,
            asks_what_happened: true,
        }
    }

    /// The error of a run that cannot go on.
    async fn error(&self) -> ExecuteError {
        let replay = match self.replay().await {
            Ok(replay) => replay,
            Err(error) => return error,
        };
        let (journal, stop) = (self.journal(&replay), CancellationToken::new());
        let scratch = self.scratch();
        let run = self.run(&scratch, &journal, &stop);
        execute(&run, vec![self.machine("policy")], &replay).await.expect_err("it cannot go on")
    }

    /// One process after the other, until the policy is done.
    async fn live_on(&self) -> Tally {
        let mut ends = self.scenario.ends.iter().copied();
        for process in 0..200 {
            let end = ends.next().unwrap_or(End::Natural);
            let found = self.scenario.excluded.iter().filter(|(from, until, ..)| (*from..*until).contains(&process));
            self.world.inner().excluded = found.map(|(.., number, cause)| (id(*number), *cause)).collect();
            let ended = self.live(end, vec![self.machine("policy")], &CancellationToken::new()).await;
            if let Some([PolicyResult { kind: PolicyResultKind::Finished { tally, .. }, .. }]) = ended.as_deref() {
                return *tally;
            }
        }
        panic!(
            "the run does not end; the last entries are {:#?}",
            self.entries().await.iter().rev().take(8).collect::<Vec<_>>()
        );
    }

    /// What the outcomes say, by id: outcome, cause, code and evidence.
    async fn outcomes(&self, name: &str) -> BTreeMap<RecordId, [String; 4]> {
        let mut seals = BTreeMap::new();
        let prefix = self.store.journal().expect("a key");
        let take = |entry: crate::apply::Entry| {
            if let (Some(policy), Event::Finished { outcomes, .. }) = (entry.policy, entry.event) {
                seals.insert(policy, outcomes);
            }
        };
        read_journal(&self.memory, &prefix, take).await.expect("read");
        let mut reader = self.store.read(self.store.outcomes(&policy(name)), seals[&policy(name)]);
        let mut bytes = Vec::new();
        while let Some(more) = reader.next().await.expect("whole") {
            bytes.extend(more);
        }
        let mut rows = csv::Reader::from_reader(bytes.as_slice());
        let mut found = BTreeMap::new();
        for row in rows.records() {
            let row = row.expect("a row");
            let cell = |column: usize| row[column].to_owned();
            let twice = found.insert(RecordId::new(&row[0]).expect("valid"), [cell(1), cell(2), cell(3), cell(5)]);
            assert_eq!(twice, None, "a record has two outcomes");
        }
        found
    }

    /// Checks the outcomes against what the system knows, and that it was never treated carelessly.
    async fn check(&self, tally: &Tally) {
        let outcomes = self.outcomes("policy").await;
        let inner = self.world.inner();
        assert_eq!(inner.violations, Vec::<String>::new());
        let planned: BTreeSet<RecordId> = (0..self.scenario.records.len()).map(id).collect();
        assert_eq!(outcomes.keys().copied().collect::<BTreeSet<_>>(), planned);
        assert_eq!(tally.total(), planned.len() as u64);
        for (id, [outcome, cause, code, evidence]) in &outcomes {
            let record = &inner.records[id];
            let told = format!("{id} is {outcome} {cause} {code} by {evidence}, and in truth {record:?}");
            match outcome.as_str() {
                // A look cannot tell who deleted a record that was sent and not answered for.
                "deleted" => {
                    assert!(
                        !record.present && (record.by_us || evidence == "presence-check" || evidence == "answer"),
                        "{told}"
                    )
                }
                "already-gone" => assert!(!record.present && !record.by_us, "{told}"),
                // A request refused as a whole says nothing about a record that another program has deleted.
                "failed" => assert!(
                    !record.by_us
                        && !code.is_empty()
                        && (record.present || ["ACCESS", "FEATURE", "CLIENTINPUT"].iter().any(|word| code.contains(word))),
                    "{told}"
                ),
                "skipped" => assert!(!record.by_us && !cause.is_empty(), "{told}"),
                _ => panic!("{told}"),
            }
            let number: usize = id.as_str()[3..].parse().expect("a number");
            let (kept, gone, ..) = self.scenario.records[number];
            let was_withheld =
                self.scenario.excluded.iter().any(|(.., excluded, why)| *excluded == number && why.word() == cause);
            let is_gone = cause == "no-longer-matches" && !record.present;
            let is_other = ["", "rolled-back", "stopped"].contains(&cause.as_str());
            assert!(is_other || (cause == "held" && kept) || was_withheld || is_gone, "{told}");
            assert!(!kept || cause == "held", "{told}");
            let never_sent = !inner.sent.contains(id);
            assert!(is_other || evidence != "recheck" || never_sent, "{told}");
            if inner.excluded.contains_key(id) && never_sent && record.present && !kept {
                // An earlier process may have found another cause.
                assert!(was_withheld || outcome == "failed", "{told}");
            }
            assert!(outcome != "deleted" || record.by_us || gone, "{told}");
        }
    }
}

/// Runs a test on its own runtime, whose time stands still while anything else can be done.
fn in_paused_time<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a runtime").block_on(test)
}

fn wrongs() -> impl Strategy<Value = Wrong> {
    prop_oneof![
        20 => Just(Wrong::Nothing),
        2 => Just(Wrong::Transient),
        1 => Just(Wrong::Throttled),
        1 => Just(Wrong::Quota),
        1 => Just(Wrong::Refused),
        3 => Just(Wrong::LostBefore),
        3 => Just(Wrong::LostAfter),
        2 => Just(Wrong::Breaks),
        2 => Just(Wrong::Missing),
        1 => Just(Wrong::Foreign),
        1 => Just(Wrong::Contradiction),
        1 => Just(Wrong::Forgotten),
        1 => Just(Wrong::Malformed),
    ]
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        (1..20_u64, any::<bool>()).prop_map(|(request, after)| End::Request(request, after)),
        (1..20_u64, any::<bool>()).prop_map(|(entry, durable)| End::Entry(entry, durable)),
    ]
}

fn scenarios() -> impl Strategy<Value = Scenario> {
    let locks = prop_oneof![8 => Just(0_u32), 3 => 1..4_u32, 1 => Just(99)];
    let record = (prop::bool::weighted(0.1), prop::bool::weighted(0.1), prop::bool::weighted(0.1), locks);
    let api =
        prop_oneof![3 => Just(Api::Collections), 3 => Just(Api::Bulk2), 1 => Just(Api::Bulk1), 1 => Just(Api::FulcrumBatch)];
    let shape = (api, prop::bool::weighted(0.3), any::<(bool, bool, bool)>(), any::<bool>(), 1..12_u64, 1..4_u32);
    let causes = prop::sample::select(vec![SkipCause::Held, SkipCause::Changed, SkipCause::NoLongerMatches]);
    let excluded = (1..4_usize, 1..3_usize, any::<prop::sample::Index>(), causes);
    (
        prop::collection::vec(record, 0..40),
        shape,
        prop::collection::vec(wrongs(), 0..60),
        prop::collection::vec(ends(), 0..5),
        prop::collection::vec(excluded, 0..5),
    )
        .prop_map(
            |(
                records,
                (api, atomic, (isolates, nameless, stored_answers), grouped, batch_size, parallel),
                faults,
                ends,
                excluded,
            )| {
                let count = records.len();
                let excluded = excluded.into_iter().filter(|_| count > 0);
                let excluded = excluded
                    .map(|(from, length, record, cause)| (from, from + length, record.index(count), cause))
                    .collect();
                let atomic = atomic && api.shape() == ApiShape::Requests;
                let isolates = isolates && atomic;
                Scenario {
                    records,
                    api,
                    atomic,
                    isolates,
                    nameless,
                    grouped,
                    batch_size,
                    parallel,
                    faults,
                    ends,
                    stored_answers,
                    excluded,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn whatever_goes_wrong_the_outcomes_are_the_truth(scenario in scenarios()) {
        in_paused_time(async {
            let rig = Rig::new(scenario);
            let tally = rig.live_on().await;
            rig.check(&tally).await;
        });
    }
}

#[test]
fn every_record_goes_when_nothing_goes_wrong() {
    for jobs in [false, true] {
        in_paused_time(async {
            let mut scenario = Scenario::calm(23, jobs);
            scenario.records[3].0 = true;
            scenario.records[4].1 = true;
            scenario.records[5].2 = true;
            scenario.records[6].3 = 2;
            let rig = Rig::new(scenario);
            let tally = rig.live_on().await;
            rig.check(&tally).await;
            assert_eq!(tally, Tally { deleted: 20, already_gone: 1, skipped: 1, failed: 1, unknown: 0 });
            assert!(
                !rig.outcomes("policy").await.values().any(|row| row[3] == "presence-check"),
                "nothing had to be looked at"
            );
        });
    }
}

#[test]
fn a_run_that_dies_at_any_entry_or_request_ends_like_one_that_does_not() {
    for jobs in [false, true] {
        in_paused_time(async {
            let mut scenario = Scenario::calm(12, jobs);
            scenario.records[2].3 = 1;
            scenario.records[7].2 = true;
            let whole = Rig::new(scenario.clone());
            let expected = whole.live_on().await;
            let kinds =
                async |rig: &Rig| rig.outcomes("policy").await.into_values().map(|row| row[0].clone()).collect::<Vec<_>>();
            let (entries, requests) = (whole.entries().await.len() as u64, whole.world.inner().requests);
            let deaths = (1..entries).flat_map(|at| [End::Entry(at, false), End::Entry(at, true)]);
            let deaths = deaths.chain((1..=requests).flat_map(|at| [End::Request(at, false), End::Request(at, true)]));
            let mut died = 0;
            for death in deaths {
                let rig = Rig::new(Scenario { ends: vec![death], ..scenario.clone() });
                let tally = rig.live_on().await;
                rig.check(&tally).await;
                assert_eq!((tally, kinds(&rig).await), (expected, kinds(&whole).await), "{death:?}");
                died += 1;
            }
            assert!(died > 20, "only {died} deaths were tried");
        });
    }
}

#[test]
fn locked_records_go_in_later_and_smaller_waves() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(200, false);
        scenario.batch_size = 100;
        scenario.parallel = 1;
        scenario.records.iter_mut().for_each(|record| record.3 = 2);
        let rig = Rig::new(scenario);
        let started = rig.clock.now();
        let tally = rig.live_on().await;
        rig.check(&tally).await;
        assert_eq!(tally.deleted, 200);
        assert_eq!(rig.world.inner().sends, [vec![100; 2], vec![50; 4], vec![25; 8]].concat());
        assert!(rig.clock.now().duration_since(started).as_secs() >= 5, "it does not wait for locks to go");
    });
}

#[test]
fn a_record_that_stays_locked_has_failed_with_the_systems_code() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(3, false);
        scenario.records[1].3 = 99;
        let rig = Rig::new(scenario);
        let tally = rig.live_on().await;
        assert_eq!((tally.deleted, tally.failed), (2, 1));
        assert_eq!(rig.outcomes("policy").await[&id(1)], ["failed", "", "UNABLE_TO_LOCK_ROW", "answer"]);
        assert_eq!(rig.world.inner().sends, [3, 1, 1, 1, 1, 1]);
    });
}

#[test]
fn atomic_batches_keep_their_size_and_end_together() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(60, false);
        (scenario.atomic, scenario.batch_size, scenario.parallel) = (true, 30, 1);
        scenario.records[3].3 = 2;
        scenario.records[40].2 = true;
        let rig = Rig::new(scenario);
        let tally = rig.live_on().await;
        rig.check(&tally).await;
        assert_eq!((tally.deleted, tally.failed, tally.skipped), (30, 1, 29));
        assert_eq!(rig.world.inner().sends, [30, 30, 30, 30]);
    });
}

#[test]
fn requests_that_are_refused_one_after_the_other_end_the_policy() {
    for jobs in [false, true] {
        in_paused_time(async {
            let mut scenario = Scenario::calm(50, jobs);
            scenario.parallel = 1;
            scenario.faults = vec![Wrong::Refused; 3];
            let rig = Rig::new(scenario);
            let tally = rig.live_on().await;
            rig.check(&tally).await;
            assert_eq!((tally.failed, tally.skipped), (15, 35));
            assert_eq!(rig.outcomes("policy").await[&id(49)][1], "stopped");
            assert_eq!(rig.world.inner().requests, 3, "nothing is sent after that");
        });
    }
}

#[test]
fn a_used_up_quota_leaves_the_run_unfinished_and_the_same_call_continues_it() {
    for jobs in [false, true] {
        in_paused_time(async {
            let mut scenario = Scenario::calm(20, jobs);
            scenario.faults = vec![Wrong::Quota; 4];
            let rig = Rig::new(scenario);
            let ended = rig.live(End::Natural, vec![rig.machine("policy")], &CancellationToken::new()).await;
            let kind = &ended.expect("alive")[0].kind;
            assert!(
                matches!(kind, PolicyResultKind::Unfinished { cause, .. } if cause.contains("REQUEST_LIMIT_EXCEEDED")),
                "{kind:?}"
            );
            let finished = rig.entries().await.iter().any(|event| matches!(event, Event::Finished { .. }));
            assert!(!finished, "no outcome is made up");
            let tally = rig.live_on().await;
            rig.check(&tally).await;
            assert_eq!(tally.deleted, 20);
        });
    }
}

#[test]
fn an_outage_ends_the_run_after_a_while_and_not_the_records() {
    for jobs in [false, true] {
        in_paused_time(async {
            let mut scenario = Scenario::calm(20, jobs);
            scenario.faults = vec![Wrong::Transient; 60];
            let rig = Rig::new(scenario);
            let started = rig.clock.now();
            let ended = rig.live(End::Natural, vec![rig.machine("policy")], &CancellationToken::new()).await;
            assert!(matches!(ended.expect("alive")[0].kind, PolicyResultKind::Unfinished { .. }));
            let minutes = rig.clock.now().duration_since(started).as_secs() / 60;
            assert!((1..20).contains(&minutes), "it gave up after {minutes} minutes");
            let tally = rig.live_on().await;
            assert_eq!(tally.deleted, 20);
        });
    }
}

#[test]
fn an_interrupted_run_takes_in_what_was_sent_and_goes_on_later() {
    for jobs in [false, true] {
        in_paused_time(async {
            let rig = Rig::new(Scenario::calm(50, jobs));
            let stop = CancellationToken::new();
            let ended = tokio::join!(rig.live(End::Natural, vec![rig.machine("policy")], &stop), async {
                tokio::time::sleep(std::time::Duration::from_millis(35)).await;
                stop.cancel();
            });
            assert!(matches!(ended.0.expect("alive")[0].kind, PolicyResultKind::Interrupted { .. }));
            let requests = rig.world.inner().requests;
            assert!((2..20).contains(&requests), "{requests} requests before the interruption was noticed");
            let tally = rig.live_on().await;
            rig.check(&tally).await;
            let unanswered = rig.entries().await.iter().filter(|event| matches!(event, Event::Unclear { .. })).count();
            assert_eq!(unanswered, 0, "an answer under way was not waited for");
            assert_eq!(tally.deleted, 50);
        });
    }
}

#[test]
fn a_policy_whose_dependency_failed_deletes_nothing() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(10, false);
        scenario.records[0].2 = true;
        let rig = Rig::new(scenario);
        let policies_to_run = || {
            let mut later = rig.machine("later");
            later.depends_on = vec![policy("policy")];
            vec![rig.machine("policy"), later]
        };
        let ended = rig.live(End::Natural, policies_to_run(), &CancellationToken::new()).await.expect("alive");
        assert!(matches!(ended[0].kind, PolicyResultKind::Finished { tally: Tally { deleted: 9, failed: 1, .. }, .. }));
        assert!(matches!(ended[1].kind, PolicyResultKind::Finished { tally: Tally { skipped: 10, .. }, .. }));
        assert_eq!(rig.outcomes("later").await[&id(3)], ["skipped", "dependency", "", "none"]);
        assert_eq!(
            rig.live(End::Natural, policies_to_run(), &CancellationToken::new()).await,
            Some(ended),
            "asked again, it says the same"
        );
    });
}

#[test]
fn a_policy_whose_dependency_is_unfinished_waits_with_it() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(10, false);
        scenario.faults = vec![Wrong::Quota];
        let rig = Rig::new(scenario);
        let policies_to_run = || {
            let mut later = rig.machine("later");
            later.depends_on = vec![policy("policy")];
            vec![rig.machine("policy"), later]
        };
        let ended = rig.live(End::Natural, policies_to_run(), &CancellationToken::new()).await.expect("alive");
        assert!(ended.iter().all(|end| matches!(end.kind, PolicyResultKind::Unfinished { .. })));
        let ended = rig.live(End::Natural, policies_to_run(), &CancellationToken::new()).await.expect("alive");
        assert!(ended[0].kind.succeeded() && ended[1].kind.succeeded());
    });
}

#[test]
fn a_round_that_names_an_unplanned_record_is_not_sent() {
    in_paused_time(async {
        let rig = Rig::new(Scenario::calm(10, false));
        // Whoever wrote this wrote the journal, too.
        let scratch = rig.scratch();
        let mut round = IdsWriter::create(&scratch.round(&policy("policy"), 0)).expect("made");
        (1..11).for_each(|number| round.push(&id(number), IdNote::None).expect("written"));
        let count = round.finish().expect("finished");
        let name = rig.store.round(&policy("policy"), 0);
        let ids = rig.store.publish(name, &scratch.round(&policy("policy"), 0)).await.expect("published");
        let journal = rig.journal(&rig.replay().await.expect("empty"));
        let opened = Event::RoundOpened { round: 0, count, ids, excluded: None, rechecked: None };
        journal.append(Some(&policy("policy")), &[opened]).await.expect("written");
        let error = rig.error().await;
        assert!(matches!(&error, ExecuteError::Unplanned { id: found, .. } if *found == id(10)), "{error}");
        assert!(error.is_loss());
        assert_eq!(rig.world.inner().requests, 0);
    });
}

#[test]
fn a_process_that_was_overtaken_sends_nothing_more() {
    in_paused_time(async {
        let rig = Rig::new(Scenario::calm(10, false));
        let stale = rig.replay().await.expect("empty");
        assert!(rig.live(End::Request(1, true), vec![rig.machine("policy")], &CancellationToken::new()).await.is_none());
        let sends = rig.world.inner().sends.clone();
        let (journal, stop) = (rig.journal(&stale), CancellationToken::new());
        let scratch = rig.scratch();
        let run = rig.run(&scratch, &journal, &stop);
        let error = execute(&run, vec![rig.machine("policy")], &stale).await.expect_err("overtaken");
        assert!(error.is_overtaken(), "{error}");
        assert_eq!(rig.world.inner().sends, sends, "not even the first intent could be written");
        let tally = rig.live_on().await;
        rig.check(&tally).await;
    });
}

#[test]
fn what_an_unanswered_request_deletes_late_was_deleted_by_us() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(5, false);
        scenario.faults = vec![Wrong::LostLate];
        let rig = Rig::new(scenario);
        let tally = rig.live_on().await;
        rig.check(&tally).await;
        assert_eq!(tally.deleted, 5);
        assert_eq!(rig.world.inner().sends, [5, 5], "they were there when looked at, and sent once more");
    });
}

#[test]
fn a_job_that_is_not_what_was_asked_for_is_left_unstarted_and_told() {
    in_paused_time(async {
        let mut scenario = Scenario::calm(5, true);
        (scenario.api, scenario.faults) = (Api::FulcrumBatch, vec![Wrong::Nothing, Wrong::Refused]);
        let rig = Rig::new(scenario);
        let tally = rig.live_on().await;
        rig.check(&tally).await;
        assert_eq!(tally, Tally { failed: 5, ..Tally::default() });
        assert_eq!(rig.outcomes("policy").await[&id(1)], ["failed", "", "CLIENTINPUTERROR", "answer"]);
        assert_eq!(rig.world.inner().requests, 2, "it was made and compared, and no more");
    });
}
