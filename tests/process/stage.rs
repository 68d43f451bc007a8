//! A project, its sandbox, and processes that are stopped when one of their requests comes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use sexton::sandbox::{Sandbox, Settings};

use super::service::{Asked, Service, Tap, Verdict, builder, start};
use super::support::route::{Route, System};
use super::workplace::Workplace;

/// The policies, each of which waits for the one before it, so that their requests come one after the other.
pub const POLICIES: [&str; 3] = ["alpha", "beta", "gamma"];
/// How many records each of them selects.
pub const EACH: usize = 8;

/// The request at which something is to happen.
#[derive(Clone, Copy, Debug)]
pub enum Cue {
    /// The first request that asks for leads, when it arrives.
    FirstQuery,
    /// The deletion of this number, from 1, when it arrives: nothing is deleted by it yet.
    BeforeDeletion(usize),
    /// The same when it is carried out, and its answer is about to leave.
    AfterDeletion(usize),
}

type Act = Box<dyn FnOnce(u32) -> Verdict + Send>;

/// Does something to a process when its cue comes.
#[derive(Default)]
struct Director {
    /// The process on the stage. Held while it starts, so that none of its requests is seen before it is known.
    process: Mutex<u32>,
    /// What is still to come: the cue, how many of its requests have been seen, and what is to be done.
    next: Mutex<Option<(Cue, usize, Act)>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Director {
    /// Counts the request, and acts when it is the one.
    fn see(&self, counts: impl Fn(Cue) -> Option<usize>) -> Verdict {
        let process = *locked(&self.process);
        let act = {
            let mut next = locked(&self.next);
            let Some((wanted, seen, _)) = next.as_mut().and_then(|(cue, seen, act)| Some((counts(*cue)?, seen, act))) else {
                return Verdict::CarryOut;
            };
            *seen += 1;
            if *seen < wanted {
                return Verdict::CarryOut;
            }
            next.take()
        };
        act.map_or(Verdict::CarryOut, |(.., act)| act(process))
    }
}

impl Tap for Director {
    fn arrived(&self, asked: &Asked) -> Verdict {
        let deletes = asked.request().deletes();
        self.see(|cue| match cue {
            Cue::FirstQuery => asked.asks_for_leads().then_some(1),
            Cue::BeforeDeletion(number) => deletes.then_some(number),
            Cue::AfterDeletion(_) => None,
        })
    }

    fn done(&self, asked: &Asked) {
        let deletes = asked.request().deletes();
        self.see(|cue| match cue {
            Cue::AfterDeletion(number) => deletes.then_some(number),
            Cue::FirstQuery | Cue::BeforeDeletion(_) => None,
        });
    }
}

/// Sends a signal, and says whether the process was there.
pub fn send(signal: &str, process: u32) -> bool {
    let kill = Command::new("kill").args([signal, &process.to_string()]).stderr(Stdio::null()).status();
    kill.expect("kill").success()
}

/// Ends a process so that it does nothing more.
pub fn kill(process: u32) -> Verdict {
    assert!(send("-9", process), "process {process} could not be killed");
    Verdict::Ignore
}

/// Asks until it is so.
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: it never came to that");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// One row of a run's outcomes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ended {
    pub run: String,
    pub policy: String,
    pub id: String,
    pub outcome: String,
    pub cause: String,
    pub code: String,
}

/// A project whose three policies select the records of one word each, and its sandbox.
pub struct Stage {
    pub route: Route,
    pub service: Service,
    pub place: Workplace,
    director: Arc<Director>,
    /// Every record there ever was.
    known: Mutex<BTreeSet<String>>,
}

impl Stage {
    pub fn new(route: Route) -> Self {
        Self::declared(route, &documents(route, &[]))
    }

    /// The same with other documents beside the target.
    pub fn declared(route: Route, documents: &str) -> Self {
        let sandbox = Sandbox::new(builder().build().expect("a world"), Settings::starting_at(start()));
        let director = Arc::new(Director::default());
        let service = Service::tapped(sandbox, director.clone());
        let place = Workplace::new(&service.url, documents);
        place.write("target.yaml", &route.system.document(&service.url, None));
        let stage = Self { route, service, place, director, known: Mutex::default() };
        POLICIES.iter().for_each(|word| stage.add(EACH, word));
        stage.add(5, "young");
        stage
    }

    pub fn system(&self) -> System {
        self.route.system
    }

    /// Adds records with this word.
    pub fn add(&self, count: usize, word: &str) {
        let added = self.system().add(&self.service.sandbox, count, word);
        locked(&self.known).extend(added);
    }

    pub fn live(&self) -> BTreeSet<String> {
        self.system().live(&self.service.sandbox)
    }

    /// How many records are gone.
    pub fn gone(&self) -> usize {
        locked(&self.known).len() - self.live().len()
    }

    /// Declares other documents beside the target.
    pub fn declare(&self, documents: &str) {
        self.place.write("policies.yaml", documents);
    }

    /// The program with these words, with every target confirmed where it applies.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = self.place.command(words);
        if words.first() == Some(&"apply") {
            command.args(["--confirm-target", self.system().target()]);
        }
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).stdin(Stdio::null()).output().expect("the program")
    }

    /// Runs it, and fails unless it ends with `code`; gives what a person is told.
    pub fn expect(&self, code: i32, words: &[&str]) -> String {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(code), "sexton {}\n{}", words.join(" "), self.place.shown(&output));
        self.place.shown(&output)
    }

    /// Starts the program, and does something to it when the cue comes.
    pub fn start(&self, command: &mut Command, cue: Cue, act: impl FnOnce(u32) -> Verdict + Send + 'static) -> Child {
        let mut process = locked(&self.director.process);
        *locked(&self.director.next) = Some((cue, 0, Box::new(act)));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
        *process = child.id();
        child
    }

    /// Runs the program to its end, and does something to it when the cue comes; gives whether it came.
    pub fn run_with(&self, words: &[&str], cue: Cue, act: impl FnOnce(u32) -> Verdict + Send + 'static) -> (Output, bool) {
        let child = self.start(&mut self.command(words), cue, act);
        let output = child.wait_with_output().expect("its end");
        let came = locked(&self.director.next).take().is_none();
        (output, came)
    }

    /// Kills an apply when the cue comes.
    pub fn kill_at(&self, words: &[&str], cue: Cue) {
        let (output, came) = self.run_with(words, cue, kill);
        assert!(came && output.status.code().is_none(), "{cue:?}: {}", self.place.shown(&output));
    }

    pub fn state(&self) -> Value {
        serde_json::from_str(&self.place.read(".sexton/state.json")).expect("the state")
    }

    /// The runs that were begun, each by its plan's first digits, and whether it is at its end.
    pub fn runs(&self) -> Vec<(String, bool)> {
        let state = self.state();
        let consumed = state["consumed"].as_array().expect("a list").iter();
        consumed.map(|run| (run["plan"].as_str().expect("a digest")[..12].to_owned(), run["finished"].is_string())).collect()
    }

    /// Plans, and gives the first digits of the plan's digest.
    pub fn plan(&self) -> String {
        let told = self.expect(0, &["plan"]);
        let line = told.lines().find_map(|line| line.strip_prefix("plan ")).expect("the plan's name");
        line[..12].to_owned()
    }

    /// Plans and applies, so that the run is begun and its first request is never sent: its records cannot be written down.
    pub fn begin_without_a_request(&self) {
        let rounds = format!(".sexton/runs/{}/rounds", self.plan());
        self.place.write(&rounds, "no directory");
        self.expect(3, &["apply", "plan"]);
        std::fs::remove_file(self.place.path().join(rounds)).expect("removed");
        assert!(self.unfinished().is_some() && self.gone() == 0);
    }

    pub fn unfinished(&self) -> Option<String> {
        self.runs().into_iter().find(|(_, finished)| !finished).map(|(run, _)| run)
    }

    /// The rows of the tables below a directory of the store, each with the run's name, the policy's, and its cells.
    fn rows(&self, root: &str, below: &str) -> Vec<(String, String, Vec<String>)> {
        if !self.place.path().join(".sexton").join(root).is_dir() {
            return Vec::new();
        }
        let mut rows = Vec::new();
        for (path, bytes) in self.place.files(&format!(".sexton/{root}")) {
            let path = path.display().to_string();
            let parts: Vec<&str> = path.split('/').collect();
            let [_, _, run, folder, file] = parts.as_slice() else { continue };
            let (true, Some(policy)) = (*folder == below, file.strip_suffix(".csv")) else { continue };
            let text = String::from_utf8(bytes).expect("text");
            let cells = |line: &str| line.split(',').map(str::to_owned).collect();
            rows.extend(text.lines().skip(1).map(|line| ((*run).to_owned(), policy.to_owned(), cells(line))));
        }
        rows
    }

    /// The outcomes of all runs. Of a policy that a process wrote down and did not live to seal, the next attempt counts.
    pub fn outcomes(&self) -> Vec<Ended> {
        let mut attempts: BTreeMap<(String, String), BTreeMap<String, Vec<Ended>>> = BTreeMap::new();
        for (run, file, mut cells) in self.rows("runs", "outcomes") {
            let (policy, attempt) = file.split_once('.').unwrap_or((&file, ""));
            let mut cell = |place: usize| std::mem::take(&mut cells[place]);
            let (id, outcome, cause, code) = (cell(0), cell(1), cell(2), cell(3));
            let ended = Ended { run: run.clone(), policy: policy.to_owned(), id, outcome, cause, code };
            let rows = attempts.entry((run, policy.to_owned())).or_default();
            rows.entry(attempt.to_owned()).or_default().push(ended);
        }
        attempts.into_values().filter_map(|mut attempts| Some(attempts.pop_last()?.1)).flatten().collect()
    }

    /// How many records ended how, over all runs.
    pub fn tally(&self) -> BTreeMap<String, usize> {
        let mut tally = BTreeMap::new();
        self.outcomes().into_iter().for_each(|ended| *tally.entry(ended.outcome).or_default() += 1);
        tally
    }

    /// What must be true when no run is unfinished, by the sandbox's own truth: every planned record has one outcome in its run,
    /// every record that is gone was planned and has exactly one outcome that says so, and the state has the same sums.
    /// `unknown`: a run was given up without looking, so that nothing may say of a record how it went.
    pub fn everything_has_its_outcome(&self, unknown: bool) {
        assert_eq!(self.unfinished(), None);
        let live = self.live();
        let mut planned: BTreeSet<(String, String)> = BTreeSet::new();
        for (run, _, cells) in self.rows("plans", "records") {
            planned.insert((run, cells[0].clone()));
        }
        let outcomes = self.outcomes();
        let mut ended: BTreeSet<(String, String)> = BTreeSet::new();
        let mut gone_by: BTreeMap<&str, Vec<&Ended>> = BTreeMap::new();
        let mut sums: BTreeMap<(&str, &str), BTreeMap<&str, u64>> = BTreeMap::new();
        for row in &outcomes {
            assert!(ended.insert((row.run.clone(), row.id.clone())), "two outcomes in one run: {row:?}");
            *sums.entry((&row.run, &row.policy)).or_default().entry(&row.outcome).or_default() += 1;
            match row.outcome.as_str() {
                "deleted" => gone_by.entry(&row.id).or_default().push(row),
                // The request had no answer, and the record was there when it was looked at: the next plan settles it.
                "unknown" => {}
                "skipped" => assert!(!row.cause.is_empty(), "{row:?}"),
                // Another plan of the project deleted it.
                "already-gone" => {
                    let elsewhere =
                        |other: &&Ended| other.id == row.id && other.run != row.run && other.outcome == "deleted";
                    assert!(unknown || outcomes.iter().any(|other| elsewhere(&other)), "nobody deleted it: {row:?}");
                }
                _ => panic!("nothing should end like that: {row:?}"),
            }
            assert!(row.outcome != "deleted" || !live.contains(&row.id), "it is still there: {row:?}");
        }
        assert_eq!(ended, planned, "the outcomes are not those of the planned records");
        for id in locked(&self.known).iter().filter(|id| !live.contains(*id)) {
            let said = gone_by.get(id.as_str()).map_or(0, Vec::len);
            let unsure = unknown && outcomes.iter().any(|row| row.id == *id && row.outcome == "unknown");
            assert!(said == 1 || (said == 0 && unsure), "{id} is gone, and {said} outcomes say so");
        }
        for policy in self.state()["policies"].as_object().expect("policies") {
            for run in policy.1["runs"].as_array().expect("runs") {
                let name = &run["plan"].as_str().expect("a digest")[..12];
                // A run that found nothing has no row.
                let counted = sums.get(&(name, policy.0.as_str())).cloned().unwrap_or_default();
                for outcome in ["deleted", "skipped", "failed", "unknown"] {
                    let said = run["tally"][outcome].as_u64();
                    assert_eq!(
                        said,
                        Some(counted.get(outcome).copied().unwrap_or_default()),
                        "{name} {}: {outcome}",
                        policy.0
                    );
                }
            }
        }
    }
}

/// The documents of the three policies; `more` are further lines of each one's `spec`, which may take the place of the usual ones.
pub fn documents(route: Route, more: &[&str]) -> String {
    let document = |(place, name): (usize, &&str)| {
        let filter = format!("filter: {}", route.system.condition(name));
        let before = place.checked_sub(1).map(|before| format!("dependsOn: [{}]", POLICIES[before]));
        let lines: Vec<&str> =
            std::iter::once(filter.as_str()).chain(before.as_deref()).chain(more.iter().copied()).collect();
        route.policy_named(name, &lines)
    };
    POLICIES.iter().enumerate().map(document).collect()
}
