//! A run in memory, the system it runs against, and the processes that carry it out.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::scenario::{End, Scenario};
use super::world::{Death, Record, World, Wrong};
use crate::apply::{BatchSpecification, Event, MachineSettings, SkipCause, Tally};
use crate::base::{Clock, Digest, Observer, PolicyName, RecordId, Timer};
use crate::execute::{ExecuteError, PlannedIds, PolicyResult, PolicyResultKind, PolicyRun, Recheck, Replay, Run, execute};
use crate::plan::{Population, Route, Row};
use crate::store::{
    Backend, Journal, JournalError, MemoryStore, Place, RowSorter, RunJournal, RunScratch, RunStore, SortOrder, read_journal,
};
use crate::system::DeleteMode;

/// A clock that moves with tokio's, which a test can stop.
pub(super) struct TestClock(tokio::time::Instant);

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

/// So many records are in each group of a grouped scenario.
const GROUP: usize = 3;

pub(super) fn id(number: usize) -> RecordId {
    RecordId::new(&format!("00Q{number:015}")).expect("valid")
}

pub(super) fn policy(name: &str) -> PolicyName {
    PolicyName::new(name).expect("valid")
}

/// A run in memory and the system it runs against.
pub(super) struct Rig {
    pub(super) folder: tempfile::TempDir,
    pub(super) store: RunStore,
    pub(super) memory: MemoryStore,
    pub(super) world: Arc<World>,
    pub(super) scenario: Scenario,
    pub(super) clock: Arc<TestClock>,
}

impl Rig {
    pub(super) fn new(scenario: Scenario) -> Self {
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
            inner.denied = rig.scenario.denied;
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

    pub(super) fn settings(&self) -> MachineSettings {
        MachineSettings {
            shape: self.scenario.api.shape(),
            same_size: self.scenario.atomic || self.scenario.grouped,
            batch_size: self.scenario.batch_size,
            transaction: self.scenario.batch_size,
            parallel: self.scenario.parallel,
            seed: 7,
        }
    }

    pub(super) async fn replay(&self) -> Result<Replay, ExecuteError> {
        let policies = ["policy", "later"].map(|name| (policy(name), self.settings()));
        Replay::read(&self.store, policies).await
    }

    pub(super) fn journal(&self, replay: &Replay) -> RunJournal {
        let backend = Arc::new(self.memory.clone()) as Arc<dyn Backend>;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let writer = format!("process-{}", self.world.inner().processes);
        RunJournal::new(backend, self.store.journal().expect("a key"), clock, writer, replay.end.clone())
    }

    pub(super) async fn entries(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let prefix = self.store.journal().expect("a key");
        read_journal(&self.memory, &prefix, |entry| events.push(entry.event)).await.expect("read");
        events
    }

    pub(super) fn scratch(&self) -> RunScratch {
        RunScratch::new(&Place::of_machine(self.folder.path()), "one").expect("made")
    }

    pub(super) fn machine(&self, name: &str) -> PolicyRun {
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
            stopped: None,
        }
    }

    /// What the recheck finds before each process.
    pub(super) fn recheck(&self) -> Recheck {
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
        let (cleared, population) = (grouped.count(), Population::Exact(inner.records.len() as u64));
        let grouped = self.scenario.grouped.then_some(grouped);
        Recheck { excluded, grouped, cleared, waiting: 0, population, calls: Default::default(), open: Vec::new() }
    }

    /// One process: goes on until the end or its death, which gives `None`.
    pub(super) async fn live(
        &self,
        end: End,
        policies: Vec<PolicyRun>,
        stop: &CancellationToken,
    ) -> Option<Vec<PolicyResult>> {
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

    pub(super) fn run<'a>(
        &'a self,
        scratch: &'a RunScratch,
        journal: &'a dyn Journal,
        stop: &'a CancellationToken,
    ) -> Run<'a> {
        Run {
            store: &self.store,
            scratch,
            journal,
            clock: &*self.clock,
            timer: &TestTimer,
            seed: 7,
            observer: &Unobserved,
            stop,
            holds: None,
            earlier: None,
            asks_what_happened: true,
        }
    }

    /// The error of a run that cannot go on.
    pub(super) async fn error(&self) -> ExecuteError {
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
    pub(super) async fn live_on(&self) -> Tally {
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
    pub(super) async fn outcomes(&self, name: &str) -> BTreeMap<RecordId, [String; 4]> {
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
    pub(super) async fn check(&self, tally: &Tally) {
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
                // It was still there, and a request that was announced and not answered might have been at work.
                "unknown" => {
                    let lost =
                        |fault: &Wrong| !matches!(fault, Wrong::Nothing | Wrong::Throttled | Wrong::Quota | Wrong::Refused);
                    let in_doubt = inner.processes > 1 || self.scenario.faults.iter().any(lost);
                    assert!(in_doubt && record.present && !record.by_us, "{told}");
                }
                _ => panic!("{told}"),
            }
            let number: usize = id.as_str()[3..].parse().expect("a number");
            let (kept, gone, ..) = self.scenario.records[number];
            let was_excluded =
                self.scenario.excluded.iter().any(|(.., excluded, why)| *excluded == number && why.word() == cause);
            let is_gone = cause == "no-longer-matches" && !record.present;
            let is_other = ["", "rolled-back", "stopped"].contains(&cause.as_str());
            assert!(is_other || (cause == "held" && kept) || was_excluded || is_gone, "{told}");
            assert!(!kept || cause == "held" || outcome == "unknown", "{told}");
            let never_sent = !inner.sent.contains(id);
            assert!(is_other || evidence != "recheck" || never_sent, "{told}");
            if inner.excluded.contains_key(id) && never_sent && record.present && !kept {
                // An earlier process may have found another cause.
                assert!(was_excluded || outcome == "failed" || outcome == "unknown", "{told}");
            }
            assert!(outcome != "deleted" || record.by_us || gone, "{told}");
        }
    }
}

/// Runs a test on its own runtime, whose time stands still while anything else can be done.
pub(super) fn in_paused_time<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a runtime").block_on(test)
}
