//! What integration tests share: a sandbox reached without a network, a host whose clock is the sandbox's own, a project on
//! disk, and the verbs run in this process.
//!
//! A [`Bench`] belongs into a runtime whose time is paused: then no wait takes any time, and the same test does the same.
#![allow(dead_code, reason = "each test file uses its own part")]
#![expect(clippy::disallowed_methods, reason = "tests write projects and read evidence back")]

pub mod plan_fault;
pub mod route;
pub mod story;
pub mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use sexton::base::{Actor, Clock, PolicyName, Timer};
use sexton::base::{CommandError, Observer};
use sexton::command::{self, AppliedPlan, ApplyRequest, PlanRequest, PlanToApply, Planned};
use sexton::manifest::{SecretReference, Target};
use sexton::provider::salesforce::{CommandOutput, CommandRunner};
use sexton::provider::transport::Transport;
use sexton::provider::{Provider, ProviderDependencies, SecretError, SecretSource, open};
use sexton::sandbox::{
    FieldKind, Lookup, ObjectDefinition, OnDelete, Permissions, Sandbox, Settings, User, World, WorldBuilder,
};
use sexton::select::{Connector, Context};
use sexton::state::State;
use sexton::store::{Backend, Bundle, LocalFiles, OutcomeRow, Place, StoredCalls, SystemGit, read_outcomes};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use self::route::System;
use self::wire::{RouterTransport, locked};

/// Where the sandbox of a [`Bench`] seems to listen. Plain http is for loopback only.
pub const ADDRESS: &str = "http://127.0.0.1:8800";

/// A login that does not see these objects.
pub fn login_without(hidden: &[&str]) -> User {
    let read_denied = hidden.iter().map(|name| (*name).to_owned()).collect();
    User {
        key: WorldBuilder::user_key(1),
        username: "sexton@bench.example".into(),
        name: "sexton".into(),
        active: true,
        permissions: Permissions { read_denied, ..Permissions::default() },
    }
}

/// An object whose records go with the one above them, of that object.
pub fn object_below(name: &str, letter: u8, parent: Option<&str>) -> ObjectDefinition {
    let object = ObjectDefinition::new(name, name, name, [b'a', b'0', letter]).with("Name", FieldKind::Text(80));
    let lookup = |parent: &str| Lookup::to(&[parent], "Up__r").children(&format!("{name}_r")).on_delete(OnDelete::Cascade);
    parent.into_iter().fold(object, |object, parent| object.with("Up__c", lookup(parent).into()))
}

/// The moment most tests begin at.
pub fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().expect("a moment")
}

/// What every sandbox takes, by the names in the targets of [`route::System::target`].
pub const SECRETS: [(&str, &str); 4] = [
    ("CLIENT_ID", "sandbox-client"),
    ("CLIENT_SECRET", "sandbox-secret"),
    ("BILLING_PASSWORD", "sandbox-password"),
    ("FIELD_TOKEN", "sandbox-token"),
];

/// An environment that has [`SECRETS`].
struct SandboxSecrets;

impl SecretSource for SandboxSecrets {
    fn resolve(&self, reference: &SecretReference) -> Result<SecretString, SecretError> {
        let known = SECRETS.into_iter().find(|(known, _)| *reference == SecretReference::Environment((*known).into()));
        known.map(|(_, secret)| secret.into()).ok_or_else(|| SecretError::NotSet(format!("{reference:?}")))
    }

    fn may_wait(&self) -> bool {
        false
    }
}

struct NoCommands;

#[async_trait]
impl CommandRunner for NoCommands {
    async fn run(&self, _: &str, _: &[&str]) -> std::io::Result<CommandOutput> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// The runtime's own timer, which is mostly paused.
pub struct RuntimeTimer;

#[async_trait]
impl Timer for RuntimeTimer {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The sandbox's clock, as the machine's.
pub struct SandboxTime(pub Sandbox);

impl Clock for SandboxTime {
    fn now(&self) -> Timestamp {
        self.0.clock().now()
    }
}

struct BenchConnector {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

impl Connector for BenchConnector {
    fn connect(&self, target: &Target, _: &Path, store: Arc<dyn Backend>) -> Arc<dyn Provider> {
        let dependencies = ProviderDependencies {
            transport: Arc::clone(&self.transport),
            secrets: Arc::new(SandboxSecrets),
            clock: Arc::clone(&self.clock),
            calls: Arc::new(StoredCalls::new(store, &target.name)),
            commands: Arc::new(NoCommands),
        };
        open(target, dependencies)
    }
}

/// Remembers what a verb told.
#[derive(Default)]
pub struct Recorder {
    warnings: Mutex<Vec<String>>,
    progress: Mutex<Vec<String>>,
}

impl Recorder {
    /// The warnings so far.
    pub fn warnings(&self) -> Vec<String> {
        locked(&self.warnings).clone()
    }

    /// The progress that was told so far, a line each.
    pub fn progress(&self) -> Vec<String> {
        locked(&self.progress).clone()
    }
}

impl Observer for Recorder {
    fn progress(&self, policy: Option<&PolicyName>, doing: &str, done: u64, total: Option<u64>) {
        // A selection may grow between the count and the read, so that only nonsense is refused here.
        assert!(total != Some(0) || done == 0, "{done} of nothing");
        let policy = policy.map_or_else(String::new, |policy| format!("{policy}: "));
        locked(&self.progress).push(format!("{policy}{doing} {done}"));
    }

    fn warn(&self, message: &str) {
        locked(&self.warnings).push(message.to_owned());
    }
}

/// A sandbox, a project on disk, and the verbs.
pub struct Bench {
    /// The sandbox, to see the truth and to change it.
    pub sandbox: Sandbox,
    /// The way to it.
    pub transport: Arc<RouterTransport>,
    /// What was told.
    pub recorder: Arc<Recorder>,
    directory: TempDir,
    ids: Arc<AtomicU64>,
}

impl Bench {
    /// A bench around a world with the usual settings.
    pub fn new(world: World) -> Self {
        let settings = Settings::starting_at(world.now());
        Self::with(world, settings)
    }

    /// A bench around a world whose systems do everything that vendors may do and seldom do; the rest is drawn from a seed.
    pub fn harsh(world: World, seed: u64) -> Self {
        let settings = Settings::harsh(world.now(), seed);
        Self::with(world, settings)
    }

    /// A bench around a world.
    pub fn with(world: World, settings: Settings) -> Self {
        let sandbox = Sandbox::new(world, settings);
        Self {
            transport: Arc::new(RouterTransport::new(sandbox.clone())),
            recorder: Arc::default(),
            directory: tempfile::tempdir().expect("a directory"),
            ids: Arc::default(),
            sandbox,
        }
    }

    /// The project's directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Where the plan goes.
    pub fn plan_directory(&self) -> PathBuf {
        self.path().join("plan")
    }

    /// Writes a file of the project.
    pub fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path().join(file), text).expect("written");
    }

    /// Writes the Salesforce target and these documents as the project's only manifest.
    pub fn declare(&self, documents: &str) {
        self.write("sexton.yaml", &format!("{}{documents}", System::Salesforce.document(ADDRESS, None)));
    }

    /// What a new process would have.
    pub fn host(&self) -> Context {
        self.host_through(Arc::clone(&self.transport) as Arc<dyn Transport>)
    }

    /// The same, with another way to the sandbox.
    pub fn host_through(&self, transport: Arc<dyn Transport>) -> Context {
        self.host_with(transport, Arc::new(SandboxTime(self.sandbox.clone())))
    }

    /// The same, with another clock too.
    pub fn host_with(&self, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Context {
        let connector = BenchConnector { transport, clock: Arc::clone(&clock) };
        let ids = Arc::clone(&self.ids);
        Context {
            files: Arc::new(LocalFiles),
            clock,
            timer: Arc::new(RuntimeTimer),
            git: Arc::new(SystemGit),
            connector: Arc::new(connector),
            observer: Arc::clone(&self.recorder) as Arc<dyn Observer>,
            actor: Actor { user: "ada".into(), host: "bench".into(), pipeline: None },
            process: 7,
            seed: 7,
            fresh_id: Arc::new(move || format!("00000000-0000-4000-8000-{:012}", ids.fetch_add(1, Ordering::Relaxed))),
        }
    }

    /// Plans.
    pub async fn plan(&self) -> Result<Planned, CommandError> {
        let request = PlanRequest { project: self.path().to_owned(), out: None, base: None, policies: Vec::new() };
        command::plan(&self.host(), &request).await
    }

    /// Plans some of the policies only.
    pub async fn plan_only(&self, policies: &[&str]) -> Result<Planned, CommandError> {
        let policies = policies.iter().map(|name| PolicyName::new(*name).expect("a name")).collect();
        let request = PlanRequest { project: self.path().to_owned(), out: None, base: None, policies };
        command::plan(&self.host(), &request).await
    }

    /// Applies what was planned in another way.
    pub async fn apply_with(&self, change: impl FnOnce(&mut ApplyRequest)) -> Result<AppliedPlan, CommandError> {
        let mut request = self.request(&System::ALL.map(System::target));
        change(&mut request);
        command::apply(&self.host(), &request, &CancellationToken::new()).await
    }

    /// Applies what was planned, with every target confirmed.
    pub async fn apply(&self) -> Result<AppliedPlan, CommandError> {
        self.apply_confirmed(&System::ALL.map(System::target), &CancellationToken::new()).await
    }

    /// Applies what was planned.
    pub async fn apply_confirmed(&self, targets: &[&str], stop: &CancellationToken) -> Result<AppliedPlan, CommandError> {
        command::apply(&self.host(), &self.request(targets), stop).await
    }

    /// Applies what was planned, with records that fail isolated from their atomic groups.
    pub async fn apply_isolating(&self) -> Result<AppliedPlan, CommandError> {
        let request = ApplyRequest { isolate_failures: true, ..self.request(&System::ALL.map(System::target)) };
        command::apply(&self.host(), &request, &CancellationToken::new()).await
    }

    /// A request to apply what was planned.
    pub fn request(&self, targets: &[&str]) -> ApplyRequest {
        ApplyRequest {
            project: self.path().to_owned(),
            plan: PlanToApply::Bundle(self.plan_directory()),
            confirmed_targets: targets.iter().map(|target| (*target).to_owned()).collect(),
            isolate_failures: false,
            max_records: None,
            on_refusal: None,
        }
    }

    /// The bundle that was planned.
    pub fn bundle(&self) -> Bundle {
        Bundle::open(&Place::of_machine(self.plan_directory())).expect("a bundle")
    }

    /// The planned ids of every policy.
    pub fn planned(&self) -> BTreeMap<PolicyName, BTreeSet<String>> {
        let bundle = self.bundle();
        let ids = |policy: &PolicyName| {
            let rows = bundle.rows(policy).expect("planned").expect("readable");
            rows.map(|row| row.expect("readable").id.to_string()).collect()
        };
        bundle.header().policies.iter().map(|planned| (planned.policy.clone(), ids(&planned.policy))).collect()
    }

    /// Where the run of the bundle that lies there is kept.
    pub fn run(&self) -> PathBuf {
        self.path().join(".sexton/runs").join(self.bundle().digest().short())
    }

    /// The outcomes of a policy in that run.
    pub fn outcomes(&self, policy: &PolicyName) -> Vec<OutcomeRow> {
        let path = self.run().join(format!("outcomes/{policy}.csv"));
        read_outcomes(&Place::of_machine(path)).expect("outcomes").map(|row| row.expect("readable")).collect()
    }

    /// The state.
    pub fn state(&self) -> State {
        let text = std::fs::read(self.path().join(".sexton/state.json")).expect("a state");
        serde_json::from_slice(&text).expect("readable")
    }

    /// Every byte below a directory of the project, by path: to see that nothing changed.
    pub fn files(&self, directory: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut waiting = vec![self.path().join(directory)];
        while let Some(place) = waiting.pop() {
            for entry in std::fs::read_dir(&place).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    waiting.push(path);
                } else {
                    files.insert(path.clone(), std::fs::read(&path).expect("a file"));
                }
            }
        }
        files
    }
}
