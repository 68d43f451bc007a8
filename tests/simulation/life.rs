//! One life: a world, a project, what a person types there, and all that goes wrong with it. Everything comes from one number.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use sexton::base::{Clock, Exit};
use sexton::plan::CLOCK_TOLERANCE;
use sexton::provider::transport::Transport;
use sexton::sandbox::{Effect, Fault, Settings, World};
use sexton::select::Context;
use sexton::store::{DiskFault, SimulatedDisk};
use tokio_util::sync::CancellationToken;

use crate::process::{Process, RecordedTransport};
use crate::project::{DAYS, Hold, PLACES, PROJECT, Policy, Project, WORDS, one, routes};
use crate::promises::Promises;
use crate::stage::Stage;
use crate::step::{Line, Step, ToApply, Trouble, Typed, next};
use crate::support::route::{Route, System};
use crate::support::wire::Asked;
use crate::support::{Bench, SandboxTime, start};
use crate::transcript::{Recording, Transcript};

/// A run that nothing stops is finished by so many commands.
const ATTEMPTS: usize = 3;

/// So many policies that the one that is woken first goes on first: fewer are asked in turn, whoever was woken.
const CROWD: usize = 34;

/// What it takes to send, and to read the holds, where nothing is slow.
const SENDING: SignedDuration = SignedDuration::from_secs(2);
const READING: SignedDuration = SignedDuration::from_secs(8);

/// How a command ends that a gate refused.
const REFUSED: Option<Exit> = Some(Exit::GateRefused);

/// Lives a whole life. Two of one number have the same transcript, in whatever process.
pub fn simulate(seed: u64) -> Transcript {
    println!("life {seed}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async { Life::new(seed).live().await })
}

pub struct Life {
    pub bench: Bench,
    pub stage: Stage,
    transport: Arc<RecordedTransport>,
    random: RefCell<Rng>,
    /// So many times as long as usual everything takes.
    slowness: u32,
    /// What was typed and done in it so far.
    steps: RefCell<Vec<Step>>,
    /// Whether a request was ever to go wrong.
    pub is_faulty: Cell<bool>,
}

/// The sandbox's clock, set wrong.
struct Wrong(SandboxTime, SignedDuration);

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        self.0.now() + self.1
    }
}

/// Tells what a life had come to when it ended badly.
impl Drop for Life {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.stage.recording.finish());
            println!("what was typed:\n{}", self.told());
        }
    }
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let world = World::builder().start(start()).build().expect("a world");
        // Queries do not lag: what a plan names that an earlier one has just deleted is another story, which the judge does not know.
        let settings = Settings {
            bulk_rows_per_second: random.u64(20..2_000),
            query_lag: Duration::ZERO,
            ..Settings::harsh(world.now(), seed)
        };
        let bench = Bench::with(world, settings);
        let disk = SimulatedDisk::new(random.u64(..));
        let recording = Recording::new();
        let slowness = one(&mut random, &[1, 1, 30, 60]);
        let transport = RecordedTransport::new(Arc::clone(&bench.transport), recording.clone(), slowness, random.u64(..));
        let mut systems: Vec<System> = System::ALL.into_iter().filter(|_| random.bool()).collect();
        if systems.is_empty() {
            systems.push(one(&mut random, &System::ALL));
        }
        let project =
            Project { systems, refresh: one(&mut random, &[1, 1, 1, 2, 5]), policies: Vec::new(), holds: Vec::new() };
        let stage = Stage::new(bench.sandbox.clone(), disk, recording, project);
        let steps = RefCell::default();
        let transport = Arc::new(transport);
        let life =
            Self { bench, stage, transport, random: RefCell::new(random), slowness, steps, is_faulty: Cell::new(false) };
        life.declare(if seed.is_multiple_of(8) { CROWD } else { 0 });
        life
    }

    /// What was typed and done in it so far, a line each.
    fn told(&self) -> String {
        self.steps.borrow().iter().map(|step| format!("  {step}\n")).collect()
    }

    /// Fills the systems and writes the manifests. `crowd` is how many policies more wait for the first one.
    fn declare(&self, crowd: usize) {
        let random = &mut *self.random.borrow_mut();
        let systems = self.stage.known().project.systems.clone();
        let (mut policies, mut holds): (Vec<Policy>, Vec<Hold>) = (Vec::new(), Vec::new());
        for system in systems.iter().copied() {
            self.stage.add(system, random.usize(0..20), "young");
            holds.push(Hold { name: format!("matter-{}", system.target()), system, word: None });
            let words = &WORDS[..random.usize(1..=WORDS.len())];
            for word in words {
                let (route, most) = one(random, routes(system));
                for _ in 0..2 {
                    for id in self.stage.add(system, random.usize(1..most.div_ceil(2)), word) {
                        if random.u8(..) < 8 {
                            self.stage.mark(&id);
                        }
                        if random.u8(..) < 2 {
                            self.stage.make_stubborn(&id);
                        }
                    }
                    self.bench.sandbox.clock().advance(Duration::from_secs(random.u64(0..6 * 24 * 3_600)));
                }
                policies.push(policy(random, route, &format!("{}-{word}", system.target()), &[word], &policies));
            }
            // What others select as well.
            for number in 0..one(random, &[0, 0, 1, 1, 2]) {
                let route = one(random, routes(system)).0;
                let words = if random.u8(..3) == 0 { &words[..1] } else { words };
                policies.push(policy(random, route, &format!("{}-any-{number}", system.target()), words, &policies));
            }
        }
        for number in 0..crowd {
            let (system, word) = (systems[0], format!("crowd-{number}"));
            self.stage.add(system, 1, &word);
            let route = routes(system)[0].0;
            let lines = vec![format!("dependsOn: [{}]", policies[0].name)];
            policies.push(Policy { lines, ..plain(word.clone(), route, vec![word]) });
        }
        {
            let project = &mut self.stage.known().project;
            (project.policies, project.holds) = (policies, holds);
        }
        self.stage.find_held();
        self.stage.write_manifests();
        self.stage.recording.add(self.stage.known().project.text());
    }

    /// What a new process has of the world.
    pub fn process(&self, ahead: SignedDuration) -> Process {
        let recording = self.stage.recording.clone();
        let clock = Arc::new(Wrong(SandboxTime(self.bench.sandbox.clone()), ahead));
        let context = Context {
            files: Arc::new(self.stage.disk.clone()),
            observer: Arc::new(recording.clone()),
            seed: self.random.borrow_mut().u64(..),
            ..self.bench.host_with(Arc::clone(&self.transport) as Arc<dyn Transport>, clock)
        };
        Process { project: PROJECT.into(), context, recording, stop: CancellationToken::new() }
    }

    /// What is seen of every request: whether it may be sent at all, and what happens with it.
    fn watcher(
        &self,
        typed: &Typed,
        begin: impl Fn() + Send + 'static,
        stop: CancellationToken,
    ) -> impl FnMut(&Asked<'_>) + Send + 'static {
        let (stage, typed, began) = (self.stage.clone(), typed.clone(), self.stage.now());
        let (sending, reading) = (SENDING * self.slowness as i32, READING * self.slowness as i32);
        let mut stopped = None;
        let (mut on, mut count, mut meanwhile) = (!typed.late, 0, typed.meanwhile.clone().into_iter().peekable());
        if on {
            begin();
        }
        move |asked| {
            for id in asked.demanded().into_iter().flatten() {
                may_be_sent(&stage, &id, began, (sending, reading));
            }
            stopped = stopped.or(stop.is_cancelled().then(|| stage.now()));
            if asked.deletes() {
                let slept = stage.known().jumped;
                let late = stopped.max(stopped.and(slept)).is_some_and(|stopped| stage.now() - sending > stopped);
                assert!(!late, "sent at {}, and it was to stop at {stopped:?}", stage.now());
                let wrong = typed.clock.abs() > CLOCK_TOLERANCE + SignedDuration::from_mins(1);
                assert!(!wrong, "sent by a clock that is {:?} ahead", typed.clock);
                if !on {
                    on = true;
                    begin();
                }
            }
            if on {
                count += 1;
                while let Some((_, edit)) = meanwhile.next_if(|(request, _)| *request <= count) {
                    stage.edit(&edit);
                }
                if matches!(typed.trouble, Some(Trouble::StopAt(request)) if request == count) {
                    stop.cancel();
                }
            }
        }
    }

    /// Runs a command line in a process of its own; `None` when it died.
    async fn run(&self, text: &str, typed: &Typed) -> Option<Exit> {
        self.stage.recording.add(format_args!("$ sexton {text}"));
        self.stage.recording.add(format_args!("{typed:?}"));
        let (disk, trouble) = (&self.stage.disk, typed.trouble);
        // With this operation of the disk it dies.
        let last = Arc::new(AtomicU64::new(u64::MAX));
        let begin = {
            let (way, disk, last) = (Arc::clone(&self.bench.transport), disk.clone(), Arc::clone(&last));
            move || match trouble {
                Some(Trouble::Death { request, done, .. }) => way.end_at(request, done),
                Some(Trouble::DeathAtDisk { operation, .. }) => {
                    last.store(disk.operations() + operation, Ordering::Relaxed);
                    disk.fail_at(operation, DiskFault::PowerLoss);
                }
                Some(Trouble::Disk(number, fault)) => disk.fail_at(number, fault),
                Some(Trouble::Interrupt(_) | Trouble::StopAt(_)) | None => {}
            }
        };
        let patience = if let Some(Trouble::Interrupt(after)) = trouble { after * self.slowness } else { Duration::MAX };
        let process = self.process(typed.clock);
        self.transport.watch(self.watcher(typed, begin, process.stop.clone()));
        let words: Vec<&str> = text.split(' ').collect();
        let mut work = Box::pin(process.run(&words));
        let mut dead = pin!(self.bench.transport.ended());
        let mut interrupted = pin!(tokio::time::sleep(patience));
        let end = std::future::poll_fn(|context| {
            if !process.stop.is_cancelled() && interrupted.as_mut().poll(context).is_ready() {
                process.stop.cancel();
            }
            let end = work.as_mut().poll(context);
            let at_disk = disk.operations() > last.load(Ordering::Relaxed);
            if at_disk || dead.as_mut().poll(context).is_ready() { Poll::Ready(None) } else { end.map(Some) }
        });
        let end = end.await;
        if end.is_none() {
            // What is dropped now must not tidy up any more.
            disk.fail_at(0, DiskFault::PowerLoss);
        }
        drop(work);
        disk.heal();
        match (end, trouble) {
            (None, Some(Trouble::Death { power: true, .. } | Trouble::DeathAtDisk { power: true, .. })) => disk.crash(),
            (None, _) => disk.kill(),
            (Some(_), _) => {}
        }
        self.bench.transport.go_on();
        self.transport.watch(|_| {});
        self.stage.recording.add(format_args!("ended {end:?}"));
        end
    }

    /// Lets some of the next requests go wrong.
    fn arm(&self, count: usize) {
        let random = &mut *self.random.borrow_mut();
        let systems = self.stage.known().project.systems.clone();
        for _ in 0..count {
            let system = one(random, &systems);
            let fault = fault(random, system);
            self.stage.recording.add(format_args!("{fault:?}"));
            self.bench.sandbox.add_fault(fault);
        }
    }

    /// Types a command line, and looks whether every promise was kept.
    async fn type_in(&self, typed: &Typed, promises: &mut Promises) -> Option<Exit> {
        self.arm(typed.faults);
        self.is_faulty.set(self.is_faulty.get() || typed.faults > 0);
        let before = promises.before(self, typed).await;
        let text = typed.line.text(&self.stage.known().project, before.unfinished);
        let end = self.run(&text, typed).await;
        promises.after(self, typed, &before, end).await;
        end
    }

    async fn live(&self) -> Transcript {
        let mut promises = Promises::default();
        let lines = self.random.borrow_mut().usize(3..13);
        for _ in 0..lines {
            let seen = promises.seen(self).await;
            let steps = next(&mut self.random.borrow_mut(), &seen);
            for step in steps {
                self.steps.borrow_mut().push(step.clone());
                match step {
                    Step::Type(typed) => _ = self.type_in(&typed, &mut promises).await,
                    Step::Edit(edit) => {
                        self.stage.recording.add(format_args!("{edit:?}"));
                        self.stage.edit(&edit);
                    }
                }
            }
        }
        self.settle(&mut promises).await;
        promises.check_all(self);
        for (path, bytes) in self.stage.files_below(Path::new("/")) {
            self.stage.recording.add_bytes(path.display(), &bytes);
        }
        self.stage.recording.finish()
    }

    /// Brings everything to its end: nothing goes wrong any more, so that it must come to it.
    async fn settle(&self, promises: &mut Promises) {
        self.bench.sandbox.clear_faults();
        let apply = |what| Line::Apply { what, auto_approve: false, max_records: None, skip: true };
        // With an older state there may be several of them.
        while let Some(run) = promises.unfinished(self).await {
            let place = Path::new(PROJECT).join(PLACES[0]);
            self.stage.write_tree(&place, promises.bundle(run));
            let mut ends = Vec::new();
            while promises.unfinished(self).await == Some(run) {
                assert!(ends.len() < ATTEMPTS, "a run that never ends: {ends:?}");
                ends.push(self.type_in(&Typed::quiet(apply(ToApply::Place(0))), promises).await);
            }
        }
        let planned = self.type_in(&Typed::quiet(Line::Plan { place: 0, only: None }), promises).await;
        assert!(matches!(planned, Some(Exit::Done | Exit::GateRefused)), "{planned:?} of a plan");
        assert_eq!(self.type_in(&Typed::quiet(Line::Check { place: 0 }), promises).await, planned, "of a check");
        let end = self.type_in(&Typed::quiet(apply(ToApply::Place(0))), promises).await;
        // Nobody touched anything, so that what a gate let pass it lets pass again.
        let right = matches!(end, Some(Exit::Done | Exit::SomeFailed)) || (end, planned) == (REFUSED, REFUSED);
        assert!(right, "{end:?} of an apply, and {planned:?} of its plan");
        if promises.is_used(self) {
            for line in [apply(ToApply::Place(0)), Line::Check { place: 0 }] {
                let end = self.type_in(&Typed::quiet(line), promises).await;
                assert_eq!(end, Some(Exit::PlanUnusable), "a plan is used once");
            }
        }
    }
}

/// Whether a record may be sent at this moment by a command that began then: what is held may not, where that could be known. Between
/// the moment at which a record is held and the one at which it is sent no more than the age of a reading may lie, and what it takes to
/// send and to read.
fn may_be_sent(stage: &Stage, id: &str, began: Timestamp, (sending, reading): (SignedDuration, SignedDuration)) {
    let (known, now) = (stage.known(), stage.now());
    let Some(record) = known.records.get(id) else { panic!("{id} was sent, and nobody made it") };
    let refresh = SignedDuration::from_mins(i64::from(known.project.refresh));
    // What was under way when the machine slept goes on.
    let has_slept = known.jumped.is_some_and(|jumped| jumped > now - sending);
    let old = if has_slept { began } else { now - refresh.max(reading) - sending };
    let since = record.held_since;
    assert!(since.is_none_or(|since| since >= began && since >= old), "{id} was sent at {now}, and is held since {since:?}");
}

/// A policy that says no more than it must.
fn plain(name: String, route: Route, words: Vec<String>) -> Policy {
    let lines = Vec::new();
    Policy { name, route, hard: !route.soft, words, days: None, max_records: 1_000, review_by: None, lines }
}

/// A policy for words.
fn policy(random: &mut Rng, route: Route, name: &str, words: &[&str], declared: &[Policy]) -> Policy {
    let mut policy = plain(name.to_owned(), route, words.iter().map(|word| (*word).to_owned()).collect());
    policy.hard |= route.hard && random.u8(..3) == 0;
    policy.days = (random.u8(..3) == 0).then(|| one(random, &DAYS));
    if random.u8(..12) == 0 {
        policy.max_records = random.u64(0..300);
    }
    if route.serial && random.u8(..3) == 0 {
        policy.lines.push("concurrency: serial".to_owned());
    }
    if route.atomic > 0 && !route.is_whole() && random.u8(..3) == 0 {
        policy.lines.push("allOrNone: perRequest".to_owned());
    } else if route.system == System::Salesforce && !route.is_whole() && random.u8(..3) == 0 {
        policy.lines.push(format!("groupBy: {}", route.system.columns().0));
    }
    if !declared.is_empty() && random.u8(..3) == 0 {
        policy.lines.push(format!("dependsOn: [{}]", declared[random.usize(..declared.len())].name));
    }
    policy
}

/// Something that goes wrong with a request.
fn fault(random: &mut Rng, system: System) -> Fault {
    let effects = [
        Effect::DropBefore,
        Effect::DropAfter,
        Effect::Unavailable { retry_after: None },
        Effect::TooManyRequests { retry_after: Some(2) },
        Effect::Respond { status: 500, content_type: None, body: "[]".into(), retry_after: None },
        Effect::Truncate { bytes: 50 },
        Effect::Cut { bytes: 50 },
        Effect::Delay { milliseconds: 5_000 },
    ];
    let effect = effects[random.usize(..effects.len())].clone();
    let route = one(random, routes(system)).0;
    let work = [
        Effect::LockRows { chunk: 1 },
        Effect::FailJob { after: random.u64(0..200) },
        Effect::OmitRows { rows: random.u64(1..60) },
        Effect::ShuffleResults,
        Effect::EmptyIds,
    ];
    let fault = match random.u8(..8) {
        0 => system.reading_fault(effect),
        1 => system.sign_in_fault(effect),
        2 if system.has_sessions() => route.deletion_fault(Effect::ExpireSession),
        3 | 4 if system == System::Salesforce => route.work_fault(work[random.usize(..work.len())].clone()),
        _ => route.deletion_fault(effect),
    };
    fault.nth(random.u64(1..3))
}
