//! One life: a world, a project, a plan and its apply, and all that goes wrong with it. Everything comes from one number.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use fastrand::Rng;
use sexton::base::Exit;
use sexton::command::unfinished_run;
use sexton::provider::transport::Transport;
use sexton::sandbox::{Effect, Fault, Sandbox, Settings, World};
use sexton::select::Context;
use sexton::store::{DiskFault, FileKind, Files, OpenMode, SimulatedDisk, create_directories};
use tokio_util::sync::CancellationToken;

use crate::process::{BEAT, Process, RecordedTransport};
use crate::promises;
use crate::support::route::{BULK1, BULK2, COLLECTIONS, COMPOSITE, FULCRUM_BATCH, Route, System, ZUORA_SOAP};
use crate::support::wire::locked;
use crate::support::{ADDRESS, Bench, start};
use crate::transcript::{Recording, Transcript};

/// A command is repeated so often at most. From the half on nothing goes wrong any more, so that it must come to its end.
const ATTEMPTS: usize = 12;

/// So many policies that the one that is woken first goes on first: fewer are asked in turn, whoever was woken.
const CROWD: usize = 34;

/// The project, which is no directory of this machine.
const PROJECT: &str = "/simulated/project";

/// The words by which policies know their records, at most one policy each.
const WORDS: [&str; 2] = ["old", "ancient"];

/// Lives a whole life. Two of one number have the same transcript, in whatever process.
pub fn simulate(seed: u64) -> Transcript {
    println!("life {seed}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async { Life::new(seed).live().await })
}

/// What happens to a process.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// It dies with the request of this number, whether the system does its part or not; the power goes with it, or does not.
    Death { request: u64, done: bool, power: bool },
    /// It dies when so many more things were asked of the disk, with the power or alone.
    DeathAtDisk { operation: u64, power: bool },
    /// After so many things that were asked of it the disk fails at one.
    Disk(u64, DiskFault),
    /// The person wants it to stop after this time.
    Interrupt(Duration),
}

/// What others did to the records.
#[derive(Default)]
pub struct Others {
    /// The records that they deleted.
    pub removed: BTreeSet<String>,
    /// The records that they wrote to.
    pub changed: BTreeSet<String>,
    /// The records that they marked, so that a hold has them.
    pub held: BTreeSet<String>,
    /// Records that nobody can delete.
    pub stubborn: BTreeSet<String>,
}

pub struct Life {
    pub bench: Bench,
    pub systems: Vec<System>,
    pub others: Arc<Mutex<Others>>,
    pub recording: Recording,
    disk: SimulatedDisk,
    transport: Arc<RecordedTransport>,
    random: RefCell<Rng>,
    /// What somebody else does is drawn from it, once.
    meddler: Arc<Mutex<Option<Rng>>>,
}

/// Tells what a life had come to when it ended badly.
impl Drop for Life {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.recording.finish());
        }
    }
}

/// One of these.
fn one<T: Copy>(random: &mut Rng, of: &[T]) -> T {
    of[random.usize(..of.len())]
}

/// The APIs of a system, and the most records that make its policy worth looking at.
fn routes(system: System) -> &'static [(Route, usize)] {
    match system {
        System::Salesforce => &[(COLLECTIONS, 450), (COMPOSITE, 450), (BULK2, 200), (BULK1, 200)],
        System::Zuora => &[(ZUORA_SOAP, 160)],
        System::Fulcrum => &[(FULCRUM_BATCH, 120)],
    }
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let world = World::builder().start(start()).build().expect("a world");
        let settings = Settings { bulk_rows_per_second: random.u64(20..2_000), ..Settings::starting_at(world.now()) };
        let bench = Bench::with(world, settings);
        let disk = SimulatedDisk::new(random.u64(..));
        create_directories(&disk, Path::new(PROJECT), true).expect("a directory");
        let recording = Recording::new();
        let transport = RecordedTransport::new(Arc::clone(&bench.transport), recording.clone(), random.u64(..));
        let mut systems: Vec<System> = System::ALL.into_iter().filter(|_| random.bool()).collect();
        if systems.is_empty() {
            systems.push(one(&mut random, &System::ALL));
        }
        let life = Self {
            bench,
            systems,
            others: Arc::default(),
            recording,
            disk,
            transport: Arc::new(transport),
            meddler: Arc::new(Mutex::new(Some(random.fork()))),
            random: RefCell::new(random),
        };
        life.declare(if seed.is_multiple_of(8) { CROWD } else { 0 });
        life
    }

    /// The records that a hold has now.
    pub fn held(&self) -> BTreeSet<String> {
        let others = locked(&self.others);
        let live = self.systems.iter().flat_map(|system| system.live(&self.bench.sandbox));
        live.filter(|id| others.held.contains(id)).collect()
    }

    /// Fills the systems and writes the manifests. `crowd` is how many policies more wait for the first one.
    fn declare(&self, crowd: usize) {
        let random = &mut *self.random.borrow_mut();
        let sandbox = &self.bench.sandbox;
        let mut text = String::new();
        let mut declared: Vec<String> = Vec::new();
        for system in &self.systems {
            text += &system.document(ADDRESS, None);
            system.add(sandbox, random.usize(0..20), "young");
            let hold = routes(*system)[0].0.hold_document();
            text += &hold.replace("name: matter", &format!("name: matter-{}", system.target()));
            for word in &WORDS[..random.usize(1..=WORDS.len())] {
                let (route, most) = one(random, routes(*system));
                let ids = system.add(sandbox, random.usize(1..most), word);
                for id in ids.iter().filter(|_| random.u8(..) < 8) {
                    system.hold(sandbox, id);
                    locked(&self.others).held.insert(id.clone());
                }
                for id in ids.iter().filter(|_| random.u8(..) < 2) {
                    if system.refuse(sandbox, id) {
                        locked(&self.others).stubborn.insert(id.clone());
                    }
                }
                let name = format!("{}-{word}", system.target());
                let lines = lines(random, route, word, &declared);
                text += &route.policy_named(&name, &lines.iter().map(String::as_str).collect::<Vec<_>>());
                declared.push(name);
            }
        }
        for number in 0..crowd {
            let (system, word) = (self.systems[0], format!("crowd-{number}"));
            system.add(sandbox, 1, &word);
            let filter = format!("filter: {}", system.condition(&word));
            let lines = [filter.as_str(), &format!("dependsOn: [{}]", declared[0])];
            text += &routes(system)[0].0.policy_named(&word, &lines);
        }
        let manifest = self.disk.open(&Path::new(PROJECT).join("sexton.yaml"), OpenMode::CreateNew).expect("made");
        manifest.write_all_at(text.as_bytes(), 0).and_then(|()| manifest.sync()).expect("written");
        self.disk.sync_directory(Path::new(PROJECT)).expect("durable");
        self.recording.add(text);
    }

    /// What a new process has of the world.
    fn process(&self) -> Process {
        let recording = self.recording.clone();
        let context = Context {
            files: Arc::new(self.disk.clone()),
            observer: Arc::new(recording.clone()),
            seed: self.random.borrow_mut().u64(..),
            ..self.bench.host_through(Arc::clone(&self.transport) as Arc<dyn Transport>)
        };
        Process { project: PROJECT.into(), context, recording, stop: CancellationToken::new() }
    }

    /// Runs a command line in a process of its own; `None` when it died. Trouble begins with the process, or `late`: with the first
    /// deletion, when somebody else meddles as well.
    async fn run(&self, words: &[&str], trouble: Option<Trouble>, late: bool) -> Option<Exit> {
        self.recording.add(format_args!("$ sexton {} {trouble:?} {late}", words.join(" ")));
        // With this operation of the disk it dies.
        let last = Arc::new(AtomicU64::new(u64::MAX));
        let begin = {
            let (way, disk, last) = (Arc::clone(&self.bench.transport), self.disk.clone(), Arc::clone(&last));
            move || match trouble {
                Some(Trouble::Death { request, done, .. }) => way.end_at(request, done),
                Some(Trouble::DeathAtDisk { operation, .. }) => {
                    last.store(disk.operations() + operation, Ordering::Relaxed);
                    disk.fail_at(operation, DiskFault::PowerLoss);
                }
                Some(Trouble::Disk(number, fault)) => disk.fail_at(number, fault),
                Some(Trouble::Interrupt(_)) | None => {}
            }
        };
        let patience = if let Some(Trouble::Interrupt(after)) = trouble { after } else { Duration::MAX };
        if late {
            let (systems, others) = (self.systems.clone(), Arc::clone(&self.others));
            let (meddler, recording) = (Arc::clone(&self.meddler), self.recording.clone());
            self.bench.transport.before_deletion(move |sandbox| {
                begin();
                if let Some(mut random) = locked(&meddler).take() {
                    meddle(&mut random, sandbox, &systems, &others, &recording);
                }
            });
        } else {
            begin();
        }
        let process = self.process();
        let mut work = Box::pin(process.run(words));
        let mut dead = pin!(self.bench.transport.ended());
        let mut interrupted = pin!(tokio::time::sleep(patience));
        let end = std::future::poll_fn(|context| {
            if !process.stop.is_cancelled() && interrupted.as_mut().poll(context).is_ready() {
                process.stop.cancel();
            }
            let end = work.as_mut().poll(context);
            let at_disk = self.disk.operations() > last.load(Ordering::Relaxed);
            if at_disk || dead.as_mut().poll(context).is_ready() { Poll::Ready(None) } else { end.map(Some) }
        });
        let end = end.await;
        if end.is_none() {
            // What is dropped now must not tidy up any more.
            self.disk.fail_at(0, DiskFault::PowerLoss);
        }
        drop(work);
        self.disk.heal();
        match (end, trouble) {
            (None, Some(Trouble::Death { power: true, .. } | Trouble::DeathAtDisk { power: true, .. })) => self.disk.crash(),
            (None, _) => self.disk.kill(),
            (Some(_), _) => {}
        }
        self.bench.transport.go_on();
        self.bench.transport.before_deletion(|_| {});
        self.recording.add(format_args!("ended {end:?}"));
        end
    }

    /// What happens to the next process, if anything does.
    fn trouble(&self, late: bool) -> Option<Trouble> {
        let random = &mut *self.random.borrow_mut();
        let most = 1 << random.u32(2..12);
        let operation = random.u64(0..most);
        let requests = 1 << if late { random.u32(0..4) } else { random.u32(2..7) };
        let faults = [DiskFault::Refused, DiskFault::DoneButFailed, DiskFault::Short, DiskFault::NoSpace];
        match random.u8(..8) {
            0 | 1 => Some(Trouble::Death { request: random.u64(1..=requests), done: random.bool(), power: random.bool() }),
            2 | 3 => Some(Trouble::DeathAtDisk { operation, power: random.bool() }),
            4 => Some(Trouble::Disk(operation, one(random, &faults))),
            5 => Some(Trouble::Interrupt(BEAT * random.u32(0..300))),
            _ => None,
        }
    }

    /// Lets some of the next requests go wrong.
    fn arm(&self) {
        let random = &mut *self.random.borrow_mut();
        for _ in 0..random.usize(0..8) {
            let system = one(random, &self.systems);
            let fault = fault(random, system);
            self.recording.add(format_args!("{fault:?}"));
            self.bench.sandbox.add_fault(fault);
        }
    }

    async fn live(&self) -> Transcript {
        self.plan().await;
        self.bench.sandbox.clock().advance(Duration::from_secs(self.random.borrow_mut().u64(0..5_000)));
        meddle(&mut self.random.borrow_mut(), &self.bench.sandbox, &self.systems, &self.others, &self.recording);
        let before = self.systems.iter().flat_map(|system| system.live(&self.bench.sandbox)).collect();
        let mut promises = promises::Promises::new(self, before);
        let begun = self.apply(&mut promises).await;
        self.show_disk();
        if !begun {
            promises.check_untouched();
            return self.recording.finish();
        }
        promises.check();
        promises.before_apply();
        let plan = format!("{PROJECT}/plan");
        assert_eq!(self.run(&["apply", &plan], None, false).await, Some(Exit::PlanUnusable), "a plan is used once");
        assert_eq!(self.bench.transport.demands(), [], "a used plan deletes nothing");
        self.recording.finish()
    }

    /// Plans until there is a plan.
    async fn plan(&self) {
        if self.random.borrow_mut().bool() {
            self.arm();
        }
        for attempt in 0..ATTEMPTS {
            let quiet = attempt >= ATTEMPTS / 2;
            if quiet {
                self.bench.sandbox.clear_faults();
            }
            let end = self.run(&["plan"], self.trouble(false).filter(|_| !quiet), false).await;
            assert_eq!(self.bench.transport.demands(), [], "a plan only reads");
            match end {
                Some(Exit::Done) => return self.export(),
                Some(exit) => assert!(!quiet && exit == Exit::Error, "{exit:?} of a plan"),
                None => {}
            }
        }
        panic!("a plan that never ends");
    }

    /// Applies until the run is finished; `false` when a gate never let it begin.
    async fn apply(&self, promises: &mut promises::Promises<'_>) -> bool {
        self.bench.sandbox.clear_faults();
        self.arm();
        let plan = format!("{PROJECT}/plan");
        for attempt in 0..ATTEMPTS {
            let quiet = attempt >= ATTEMPTS / 2;
            if quiet {
                self.bench.sandbox.clear_faults();
            }
            let begun = unfinished_run(&self.process().context, Path::new(PROJECT)).await.expect("a state").is_some();
            let ways: &[&[&str]] =
                if begun { &[&["apply", &plan], &["apply", "--continue"], &["apply"]] } else { &[&["apply", &plan]] };
            let words = one(&mut self.random.borrow_mut(), ways);
            promises.before_apply();
            let late = self.random.borrow_mut().u8(..4) > 0;
            let end = self.run(words, self.trouble(late).filter(|_| !quiet), late).await;
            promises.after_apply(end);
            self.export();
            let finished = self.bench.path().join(".sexton/state.json").is_file()
                && self.bench.state().consumed.iter().any(|plan| plan.finished.is_some());
            match end {
                // It may have died after its last word to the store.
                None if finished => return true,
                Some(Exit::Done) => {
                    assert!(finished, "done, and not finished");
                    return true;
                }
                Some(Exit::SomeFailed) if finished => return true,
                // A whole of which a part is held or changed by now does not go: in this run, or not even that.
                Some(Exit::GateRefused) if finished => return true,
                Some(Exit::GateRefused) if quiet && !begun => return false,
                Some(exit) => {
                    let excused =
                        !quiet && matches!(exit, Exit::Error | Exit::SomeFailed | Exit::GateRefused | Exit::Interrupted);
                    assert!(excused, "{exit:?} of an apply");
                }
                None => {}
            }
        }
        panic!("an apply that never ends");
    }

    /// Copies the simulated project to the machine's, where the usual ways of reading it back are.
    fn export(&self) {
        for directory in ["plan", ".sexton"].map(|name| self.bench.path().join(name)) {
            if directory.is_dir() {
                std::fs::remove_dir_all(directory).expect("removed");
            }
        }
        for (path, bytes) in files_below(&self.disk, Path::new(PROJECT)) {
            let path = self.bench.path().join(path.strip_prefix(PROJECT).expect("below it"));
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            std::fs::write(path, bytes).expect("written");
        }
    }

    fn show_disk(&self) {
        for (path, bytes) in files_below(&self.disk, Path::new("/")) {
            self.recording.add_bytes(path.display(), &bytes);
        }
    }
}

/// Every file of a disk below a directory, with its bytes.
fn files_below(disk: &SimulatedDisk, directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for name in disk.list(directory).unwrap_or_default() {
        let path = directory.join(name);
        match disk.metadata(&path).expect("it is there").kind {
            FileKind::Directory => found.extend(files_below(disk, &path)),
            _ => {
                let file = disk.open(&path, OpenMode::Read).expect("a file");
                found.push((path, file.read_whole(u64::MAX).expect("readable")));
            }
        }
    }
    found
}

/// What a policy says besides what every policy does.
fn lines(random: &mut Rng, route: Route, word: &str, declared: &[String]) -> Vec<String> {
    let mut lines = vec![format!("filter: {}", route.system.condition(word))];
    if route.serial && random.u8(..3) == 0 {
        lines.push("concurrency: serial".to_owned());
    }
    if route.atomic > 0 && !route.is_whole() && random.u8(..3) == 0 {
        lines.push("allOrNone: perRequest".to_owned());
    }
    if !declared.is_empty() && random.u8(..3) == 0 {
        lines.push(format!("dependsOn: [{}]", declared[random.usize(..declared.len())]));
    }
    lines
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

/// What somebody else does to a few records.
fn meddle(random: &mut Rng, sandbox: &Sandbox, systems: &[System], others: &Mutex<Others>, recording: &Recording) {
    let others = &mut *locked(others);
    for _ in 0..random.usize(0..6) {
        let system = one(random, systems);
        let live: Vec<String> = system.live(sandbox).into_iter().collect();
        let Some(id) = random.choice(&live) else { continue };
        let what = random.u8(..5);
        recording.add(format_args!("somebody does {what} to {id} in {}", system.target()));
        match what {
            0 => {
                system.renew(sandbox, id);
                others.changed.insert(id.clone());
            }
            1 => {
                system.hold(sandbox, id);
                others.held.insert(id.clone());
            }
            2 if !others.held.contains(id) => {
                system.touch(sandbox, id);
                others.changed.insert(id.clone());
            }
            3 if !others.stubborn.contains(id) => {
                system.remove(sandbox, id);
                others.removed.insert(id.clone());
            }
            _ => _ = system.add(sandbox, 2, WORDS[0]),
        }
    }
}
