//! `kill -9` at any moment of an apply, and the same command again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sexton::sandbox::{Sandbox, Settings};

use super::service::{Asked, Service, Tap, Verdict, builder, start};
use super::support::route::{BULK1, BULK2, COLLECTIONS, COMPOSITE, FULCRUM_BATCH, Route, ZUORA_SOAP};
use super::workplace::Workplace;

/// How many moments there are for each API.
const MOMENTS: u64 = 20;
/// How many of them run at the same time.
const AT_ONCE: usize = 5;

/// A moment of an apply, by its progress and never by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// Never: the run is left alone.
    Never,
    /// The sandbox sees this request, from 1, and does not carry it out.
    BeforeRequest(usize),
    /// The sandbox has carried out this request, and its answer is never read.
    AfterRequest(usize),
    /// The journal has this many lines.
    JournalLines(usize),
}

/// What the sandbox saw that matters to records.
#[derive(Debug)]
enum Seen {
    /// These records may be deleted by this, from now on; by a job, where one is named.
    Deletes { run: usize, ids: BTreeSet<String>, job: Option<String> },
    /// These records were looked at.
    Looks { run: usize, ids: BTreeSet<String> },
    /// A job was asked for.
    Asks { run: usize, job: String },
}

/// Watches one project's runs, and kills the present one at its moment.
struct Killer {
    moment: Mutex<Moment>,
    /// The process under watch, 0 when there is none.
    process: AtomicU32,
    run: AtomicUsize,
    requests: AtomicUsize,
    /// Whether the present process was killed.
    struck: Mutex<bool>,
    seen: Mutex<Vec<Seen>>,
    /// The ids of jobs that were uploaded before their start.
    uploads: Mutex<BTreeMap<String, BTreeSet<String>>>,
    /// The ids of all records there are in the beginning.
    known: BTreeSet<String>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Killer {
    fn new(known: BTreeSet<String>) -> Self {
        Self {
            known,
            moment: Mutex::new(Moment::Never),
            process: AtomicU32::new(0),
            run: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            struck: Mutex::new(false),
            seen: Mutex::default(),
            uploads: Mutex::default(),
        }
    }

    /// Kills the process of this run, once. An answer to an earlier one may leave when the next is under watch already.
    fn strike(&self, run: usize) {
        let mut struck = locked(&self.struck);
        let process = self.process.load(Ordering::SeqCst);
        if !*struck && process != 0 && self.run.load(Ordering::SeqCst) == run {
            let killed = Command::new("kill").args(["-9", &process.to_string()]).status().expect("kill");
            assert!(killed.success(), "process {process} could not be killed");
            *struck = true;
        }
    }

    /// Runs `command` and kills it at `moment`; gives its output and whether it was killed.
    fn run(&self, place: &Workplace, moment: Moment) -> (Output, bool) {
        // The moment first: whoever knows of the new run does not take the old moment for its own.
        *locked(&self.moment) = moment;
        self.requests.store(0, Ordering::SeqCst);
        self.run.fetch_add(1, Ordering::SeqCst);
        let child = {
            // No request may be seen before the process is known.
            let mut struck = locked(&self.struck);
            *struck = false;
            let mut command = place.command(&["apply", "plan"]);
            // Hard deletes need it, and to the others it is all the same.
            let targets = place.read("target.yaml");
            for name in ["crm", "billing", "field"].iter().filter(|name| targets.contains(&format!("{{ name: {name} }}"))) {
                command.args(["--confirm-target", name]);
            }
            let child =
                command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
            self.process.store(child.id(), Ordering::SeqCst);
            child
        };
        let output = std::thread::scope(|scope| {
            let watching = scope.spawn(|| self.watch_journal(place, moment));
            let output = child.wait_with_output().expect("its end");
            self.process.store(0, Ordering::SeqCst);
            watching.join().expect("watched");
            output
        });
        (output, *locked(&self.struck))
    }

    fn watch_journal(&self, place: &Workplace, moment: Moment) {
        let Moment::JournalLines(wanted) = moment else { return };
        let run = self.run.load(Ordering::SeqCst);
        while self.process.load(Ordering::SeqCst) != 0 && !*locked(&self.struck) {
            if journal_lines(place) >= wanted {
                self.strike(run);
            }
            std::thread::yield_now();
        }
    }
}

impl Tap for Killer {
    fn arrived(&self, asked: &Asked) -> Verdict {
        let run = self.run.load(Ordering::SeqCst);
        self.remember(run, asked);
        // How often a job is asked for depends on the machine's speed, so those requests are no measure of progress.
        let counts = !(asked.method == "GET" && job_of(asked).is_some());
        let number = self.requests.fetch_add(usize::from(counts), Ordering::SeqCst) + 1;
        if counts && *locked(&self.moment) == Moment::BeforeRequest(number) {
            self.strike(run);
            return Verdict::Ignore;
        }
        if counts && *locked(&self.moment) == Moment::AfterRequest(number) {
            // The very request is marked, since others may come before its answer leaves.
            *locked(&self.moment) = Moment::AfterRequest(0);
            locked(&self.seen).push(Seen::Asks { run, job: marker(asked) });
        }
        Verdict::CarryOut
    }

    fn done(&self, asked: &Asked) {
        let run = self.run.load(Ordering::SeqCst);
        let marked = locked(&self.seen).iter().any(|seen| matches!(seen, Seen::Asks { job, .. } if *job == marker(asked)));
        if *locked(&self.moment) == Moment::AfterRequest(0) && marked {
            self.strike(run);
        }
    }
}

/// A text that names a request among those of its run.
fn marker(asked: &Asked) -> String {
    format!("{} {} {:?}", asked.method, asked.path, asked.query)
}

impl Killer {
    fn remember(&self, run: usize, asked: &Asked) {
        let mut seen = locked(&self.seen);
        let (request, job) = (asked.request(), job_of(asked));
        let ids: Option<BTreeSet<String>> = request.demanded().map(|ids| ids.into_iter().collect());
        match (request.deletes(), ids, job) {
            (true, Some(ids), job) => seen.push(Seen::Deletes { run, ids, job }),
            (true, None, Some(job)) => {
                let uploads = locked(&self.uploads);
                let ids = uploads.get(&job).or(uploads.get("")).cloned().unwrap_or_default();
                seen.push(Seen::Deletes { run, ids, job: Some(job) });
            }
            // A system that takes the ids with the job itself names the job only in its answer.
            (false, Some(ids), job) => {
                locked(&self.uploads).insert(job.unwrap_or_default(), ids);
            }
            (false, None, Some(job)) if asked.method == "GET" => seen.push(Seen::Asks { run, job }),
            (false, None, None) => {
                let query: String = percent_decoded(&asked.query) + &String::from_utf8_lossy(&asked.body);
                let words = query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
                let ids: BTreeSet<String> = words.filter(|word| self.known.contains(*word)).map(str::to_owned).collect();
                if !ids.is_empty() {
                    seen.push(Seen::Looks { run, ids });
                }
            }
            _ => {}
        }
    }

    /// Fails when a record was sent again by a later process that had not looked at it, or asked for its job, in between.
    fn nothing_was_sent_blindly(&self) {
        let seen = locked(&self.seen);
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, event) in seen.iter().enumerate() {
            let Seen::Deletes { run, ids, .. } = event else { continue };
            for id in ids {
                if let Some(before) = last.insert(id, place)
                    && let Seen::Deletes { run: earlier, job: sent_by, .. } = &seen[before]
                    && earlier < run
                {
                    let cleared = seen[before + 1..place].iter().any(|between| match between {
                        Seen::Looks { run: looked, ids } => looked > earlier && ids.contains(id),
                        Seen::Asks { run: asked, job } => asked > earlier && sent_by.as_ref() == Some(job),
                        Seen::Deletes { .. } => false,
                    });
                    assert!(
                        cleared,
                        "{id} was sent in process {earlier} and again in process {run}, without a look between"
                    );
                }
            }
        }
        assert!(!last.is_empty(), "nothing was sent at all");
    }
}

fn percent_decoded(query: &str) -> String {
    url::form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value.into_owned() + " ").collect()
}

/// The job a request is about, if its path names one.
fn job_of(asked: &Asked) -> Option<String> {
    let places = ["/jobs/ingest/", "/job/", "/api/v2/batch/"].into_iter();
    let (_, rest) = places.filter_map(|place| asked.path.split_once(place)).next()?;
    rest.split(['/', '.']).next().filter(|job| !job.is_empty()).map(str::to_owned)
}

/// How many entries the journal has: every segment begins with a line of its own.
fn journal_lines(place: &Workplace) -> usize {
    let runs = std::fs::read_dir(place.path().join(".sexton/runs")).into_iter().flatten().flatten();
    let segments = runs.flat_map(|run| std::fs::read_dir(run.path().join("journal")).into_iter().flatten().flatten());
    segments
        .filter(|segment| segment.path().extension().is_some_and(|ending| ending == "jsonl"))
        .map(|segment| std::fs::read_to_string(segment.path()).unwrap_or_default().lines().skip(1).count())
        .sum()
}

/// A project, its sandbox, and what must be true of it.
struct Scene {
    route: Route,
    service: Service,
    place: Workplace,
    killer: Arc<Killer>,
    planned: BTreeSet<String>,
    /// Everything there was right before the apply.
    before: BTreeSet<String>,
    /// How many records do not match any more or are held.
    kept_back: usize,
    /// How many records cannot be deleted.
    refused: usize,
}

impl Scene {
    /// Six that do not match any more, and three that are held.
    const KEPT_BACK: usize = 9;

    /// A plan of some 900 records, after which the data moved: some changed, some went, some came, some are held, and some
    /// cannot be deleted.
    fn new(route: Route) -> Self {
        let system = route.system;
        let sandbox = Sandbox::new(builder().build().expect("a world"), Settings::starting_at(start()));
        // While a batch that cannot be stopped still deletes, no read is complete and the run is to be continued later.
        sandbox.fulcrum().settings.batch_records_per_second = 10_000_000;
        let old = system.add(&sandbox, 900, "old");
        system.add(&sandbox, 20, "young");
        old[0..15].iter().for_each(|id| system.hold(&sandbox, id));
        let killer = Arc::new(Killer::new(system.live(&sandbox)));
        let service = Service::tapped(sandbox.clone(), killer.clone());
        let place = Workplace::new(&service.url, &format!("{}{}", route.policy(&[]), route.hold_document()));
        place.write("target.yaml", &system.document(&service.url, None));
        place.expect(0, &["plan"]);

        // Where all goes or nothing, one that is kept back would be the end of it.
        let kept_back = if route.is_whole() { 0 } else { Self::KEPT_BACK };
        old[20..].iter().take(kept_back * 2 / 3).for_each(|id| system.renew(&sandbox, id));
        old[30..].iter().take(kept_back / 3).for_each(|id| system.hold(&sandbox, id));
        old[40..44].iter().for_each(|id| system.remove(&sandbox, id));
        let stubborn = if route.is_whole() { 50..50 } else { 50..53 };
        let refused = old[stubborn].iter().filter(|id| system.refuse(&sandbox, id)).count();
        system.add(&sandbox, 7, "old");
        let before = system.live(&sandbox);
        let planned = old[15..].iter().cloned().collect();
        Self { route, service, place, killer, planned, before, kept_back, refused }
    }

    fn live(&self) -> BTreeSet<String> {
        self.route.system.live(&self.service.sandbox)
    }

    /// What the program ends with when it comes to its end.
    fn exit_code(&self) -> i32 {
        if self.refused > 0 { 3 } else { 0 }
    }

    /// What must hold at every moment, also between a crash and the next run.
    fn nothing_else_is_gone(&self) {
        let live = self.live();
        let lost: Vec<_> = self.before.iter().filter(|key| !live.contains(*key) && !self.planned.contains(*key)).collect();
        assert!(lost.is_empty(), "records outside the plan are gone: {lost:?}");
    }

    /// What must hold at the end.
    fn everything_balances(&self) {
        self.nothing_else_is_gone();
        self.killer.nothing_was_sent_blindly();
        let live = self.live();
        let mut runs =
            std::fs::read_dir(self.place.path().join(".sexton/runs")).expect("runs").flatten().map(|entry| entry.path());
        let run = runs.find(|path| path.is_dir()).expect("a run");
        let text = std::fs::read_to_string(run.join("outcomes/old-ones.csv")).expect("outcomes");
        let mut ended = BTreeSet::new();
        let mut tally: BTreeMap<String, u64> = BTreeMap::new();
        for line in text.lines().skip(1) {
            let mut cells = line.split(',');
            let (id, outcome) = (cells.next().expect("an id"), cells.next().expect("an outcome"));
            assert!(ended.insert(id.to_owned()), "{id} has two outcomes");
            assert!(self.planned.contains(id), "{id} was not planned");
            let there = match outcome {
                "deleted" | "already-gone" => false,
                "failed" => true,
                "skipped" => self.before.contains(id),
                other => panic!("{id} ended as {other}"),
            };
            assert_eq!(live.contains(id), there, "{id} is said to be {outcome}");
            *tally.entry(outcome.to_owned()).or_default() += 1;
        }
        assert_eq!(ended, self.planned, "not every planned record has an outcome");
        let count = |outcome: &str| tally.get(outcome).copied().unwrap_or_default();
        // Which of two runs a record fell to cannot always be told, only that it is gone.
        let (refused, kept_back) = (self.refused as u64, self.kept_back as u64);
        // Four went before the apply began. A run that is continued checks whether such a record is there, and says so.
        let gone = kept_back + 4 - count("skipped");
        assert!(gone == 0 || gone == 4, "{tally:?}");
        let expected = (881 - kept_back - refused + gone, kept_back + 4 - gone, refused);
        assert_eq!((count("deleted") + count("already-gone"), count("skipped"), count("failed")), expected, "{tally:?}");

        let state: serde_json::Value = serde_json::from_str(&self.place.read(".sexton/state.json")).expect("the state");
        assert!(state["consumed"][0]["finished"].is_string(), "{state}");
        let said = &state["policies"]["old-ones"]["runs"][0]["tally"];
        for (word, key) in
            [("deleted", "deleted"), ("already-gone", "alreadyGone"), ("skipped", "skipped"), ("failed", "failed")]
        {
            assert_eq!(said[key].as_u64(), Some(count(word)), "{word}: {state}");
        }
        assert_eq!(said["unknown"].as_u64(), Some(0));
    }

    /// Kills the apply at each moment in turn, then lets the same command come to its end. Gives a line about it.
    fn survives(&self, moments: &[Moment]) -> String {
        let mut story = Vec::new();
        for moment in moments {
            let (output, killed) = self.killer.run(&self.place, *moment);
            self.nothing_else_is_gone();
            if !killed {
                assert_eq!(output.status.code(), Some(self.exit_code()), "{}", self.place.shown(&output));
                story.push(format!("{moment:?} came after its end"));
                self.everything_balances();
                return story.join(", ");
            }
            assert_eq!(output.status.code(), None, "{}", self.place.shown(&output));
            story.push(format!("killed at {moment:?}"));
        }
        let (output, _) = self.killer.run(&self.place, Moment::Never);
        let finished = self.place.shown(&output).contains("its apply finished at");
        // Killed between its last write and its end, the run had nothing left to do, and says so.
        let code = if finished { 5 } else { self.exit_code() };
        assert_eq!(output.status.code(), Some(code), "{}", self.place.shown(&output));
        story.push(format!("then exit {code}"));
        self.everything_balances();
        story.join(", ")
    }
}

/// The measure of an apply that nobody disturbs: its requests and its journal's lines.
fn undisturbed(route: Route) -> (usize, usize) {
    let scene = Scene::new(route);
    let (output, _) = scene.killer.run(&scene.place, Moment::Never);
    assert_eq!(output.status.code(), Some(scene.exit_code()), "{}", scene.place.shown(&output));
    scene.everything_balances();
    (scene.killer.requests.load(Ordering::SeqCst), journal_lines(&scene.place))
}

fn moment(random: &mut fastrand::Rng, requests: usize, lines: usize) -> Moment {
    match random.u8(0..5) {
        0 | 1 => Moment::BeforeRequest(random.usize(1..=requests)),
        2 | 3 => Moment::AfterRequest(random.usize(1..=requests)),
        _ => Moment::JournalLines(random.usize(1..=lines)),
    }
}

fn survives_twenty_kills(route: Route, seed: u64) {
    let api = route.api;
    let (requests, lines) = undisturbed(route);
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let killed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst) as u64;
                    if number >= MOMENTS {
                        return;
                    }
                    let mut random = fastrand::Rng::with_seed(seed * 1_000 + number);
                    let mut moments = vec![moment(&mut random, requests, lines)];
                    if number % 3 == 2 {
                        moments.push(moment(&mut random, requests, lines));
                    }
                    let told = std::panic::catch_unwind(|| Scene::new(route).survives(&moments));
                    let line = match told {
                        Ok(story) => {
                            killed.fetch_add(usize::from(story.starts_with("killed")), Ordering::SeqCst);
                            format!("kill -9 through {api}, moment {:>2} of {MOMENTS}: {story}\n", number + 1)
                        }
                        Err(_) => {
                            let line = format!(
                                "kill -9 through {api}, moment {:>2} of {MOMENTS}: FAILED {moments:?}\n",
                                number + 1
                            );
                            locked(&failures).push(line.clone());
                            line
                        }
                    };
                    // Past the runner's capture, so that every moment is named in its output.
                    let _ = std::io::stderr().write_all(line.as_bytes());
                }
            });
        }
    });
    assert!(locked(&failures).is_empty(), "{}", locked(&failures).concat());
    assert!(killed.into_inner() >= 15, "hardly any process was killed: the moments are badly chosen");
}

#[test]
fn an_apply_survives_twenty_kills_through_collections() {
    survives_twenty_kills(COLLECTIONS, 1);
}

#[test]
fn an_apply_survives_twenty_kills_through_composite() {
    survives_twenty_kills(COMPOSITE, 3);
}

#[test]
fn an_apply_survives_twenty_kills_through_bulk2() {
    survives_twenty_kills(BULK2, 2);
}

#[test]
fn an_apply_survives_twenty_kills_through_bulk1() {
    survives_twenty_kills(BULK1, 4);
}

#[test]
fn an_apply_survives_twenty_kills_through_zuora_soap() {
    survives_twenty_kills(ZUORA_SOAP, 5);
}

#[test]
fn an_apply_survives_twenty_kills_through_fulcrum_batch() {
    survives_twenty_kills(FULCRUM_BATCH, 6);
}
