//! What integration tests share: a sandbox reached without a network, a host whose clock is the sandbox's own, a project on
//! disk, and the verbs run in this process.
//!
//! A [`Bench`] belongs into a runtime whose time is paused: then no wait takes any time, and the same test does the same.
#![allow(dead_code, reason = "each test file uses its own part")]
#![expect(clippy::disallowed_methods, reason = "tests write projects and read evidence back")]

pub mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use axum::body::Body;
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use secrecy::SecretString;
use sexton::base::{Clock, PolicyName};
use sexton::command::{self, AppliedPlan, ApplyRequest, CommandError, Connector, Host, PlanRequest, Planned, Watcher};
use sexton::manifest::{SecretReference, Target};
use sexton::provider::salesforce::{CommandOutput, CommandRunner};
use sexton::provider::transport::{ByteStream, Request, RequestBody, Response, Transport, TransportError};
use sexton::provider::{Provider, SecretError, SecretSource, Surroundings, open};
use sexton::sandbox::{DroppedConnection, ItemError, RecordKey, Sandbox, Settings, World};
use sexton::state::State;
use sexton::store::{Bundle, CallMemoryFile, OutcomeRow, RunDirectory, StateStore, read_outcomes};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Where the sandbox of a [`Bench`] seems to listen. Plain http is for loopback only.
pub const ADDRESS: &str = "http://127.0.0.1:8800";

/// A target `crm` at [`ADDRESS`], as a document of its own.
pub const TARGET: &str = r#"
apiVersion: sexton/v1
kind: Target
metadata: { name: crm }
spec:
  environment: sandbox
  salesforce:
    loginUrl: http://127.0.0.1:8800
    apiVersion: "66.0"
    auth:
      clientCredentials:
        clientId: { env: CLIENT_ID }
        clientSecret: { env: CLIENT_SECRET }
---
"#;

/// The moment most tests begin at.
pub fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().expect("a moment")
}

/// One request that asks for deletions by id: the ids, in the order sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// `DELETE` for a collection call, `PUT` for the upload of a job, `POST` for a composite call and for a batch of an older job.
    pub method: String,
    /// The ids.
    pub ids: Vec<String>,
}

type Hook = Box<dyn FnOnce(&Sandbox) + Send>;

/// Sends requests straight into a sandbox's router.
pub struct RouterTransport {
    sandbox: Sandbox,
    demands: Mutex<Vec<Demand>>,
    before_deletion: Mutex<Option<Hook>>,
    /// The parents that collection calls under way have locked, and the field that names them.
    contention: Mutex<Option<(String, Vec<String>)>>,
    /// The request at which this process stops for ever, counted down, and whether the sandbox still does its part.
    end: Mutex<Option<(u64, bool)>>,
    ended: tokio::sync::watch::Sender<bool>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RouterTransport {
    /// The way to this sandbox and to nothing else.
    pub fn new(sandbox: Sandbox) -> Self {
        Self {
            sandbox,
            demands: Mutex::default(),
            before_deletion: Mutex::default(),
            contention: Mutex::default(),
            end: Mutex::default(),
            ended: tokio::sync::watch::Sender::new(false),
        }
    }

    /// What was asked to be deleted so far.
    pub fn demands(&self) -> Vec<Demand> {
        locked(&self.demands).clone()
    }

    /// Forgets what was asked so far.
    pub fn forget(&self) {
        locked(&self.demands).clear();
    }

    /// Does this once, just before the next request that deletes: a collection call, or the start of a job.
    pub fn before_deletion(&self, hook: impl FnOnce(&Sandbox) + Send + 'static) {
        *locked(&self.before_deletion) = Some(Box::new(hook));
    }

    /// From now on collection calls take a while, and a record whose parent, by this field, is the parent of a record in another
    /// call under way cannot be locked.
    pub fn contend(&self, field: &str) {
        *locked(&self.contention) = Some((field.to_owned(), Vec::new()));
    }

    /// Takes the locks of one call, and tells which.
    fn lock_parents(&self, ids: &[String]) -> Option<Vec<String>> {
        let mut contention = locked(&self.contention);
        let (field, taken) = contention.as_mut()?;
        let mut world = self.sandbox.world();
        let mut parents = Vec::new();
        for key in ids.iter().map(|id| RecordKey::parse(id).expect("an id")) {
            let parent = world.value(key, field).expect("a field").to_text();
            if taken.contains(&parent) {
                world.refuse(key, ItemError::locked(&[key]), Some(1));
            } else if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        taken.extend_from_slice(&parents);
        Some(parents)
    }

    /// The request of this number from now on, counted from 1, is never answered; `done` says whether the sandbox carries it out.
    pub fn end_at(&self, request: u64, done: bool) {
        self.ended.send_replace(false);
        *locked(&self.end) = Some((request, done));
    }

    /// Takes [`Self::end_at`] back.
    pub fn go_on(&self) {
        self.ended.send_replace(false);
        *locked(&self.end) = None;
    }

    /// Comes when the request that is never answered was sent.
    pub async fn ended(&self) {
        self.ended.subscribe().wait_for(|ended| *ended).await.expect("the sender is here");
    }

    fn ends_now(&self) -> Option<bool> {
        let mut end = locked(&self.end);
        let (left, done) = end.as_mut()?;
        *left = left.saturating_sub(1);
        (*left == 0).then_some(*done)
    }
}

async fn bytes_of(body: RequestBody) -> Vec<u8> {
    match body {
        RequestBody::Empty => Vec::new(),
        RequestBody::Bytes(bytes) => bytes.to_vec(),
        RequestBody::Stream { length, open } => {
            let mut whole = Vec::new();
            let mut stream = open();
            while let Some(piece) = stream.next().await {
                whole.extend(piece.expect("what is uploaded can be read"));
            }
            assert_eq!(whole.len() as u64, length, "an upload is as long as it says");
            whole
        }
    }
}

/// The ids a request asks to be deleted.
fn demanded(request: &http::Request<Vec<u8>>) -> Option<Vec<String>> {
    let path = request.uri().path();
    let of_query = |query: &str| -> Vec<String> {
        let ids = query.split('&').find_map(|pair| pair.strip_prefix("ids=")).expect("ids");
        ids.split(',').map(str::to_owned).collect()
    };
    let json = || -> serde_json::Value { serde_json::from_slice(request.body()).expect("JSON") };
    let texts = |list: &serde_json::Value, name: &str| -> Vec<String> {
        let text = |item: &serde_json::Value| item[name].as_str().expect("a text").to_owned();
        list.as_array().expect("a list").iter().map(text).collect()
    };
    match request.method().as_str() {
        "DELETE" if path.ends_with("/composite/sobjects") => Some(of_query(request.uri().query().unwrap_or_default())),
        "POST" if path.ends_with("/composite") => {
            let addresses = texts(&json()["compositeRequest"], "url");
            Some(addresses.iter().flat_map(|url| of_query(url.split_once('?').expect("a query").1)).collect())
        }
        "POST" if path.ends_with("/batch") && request.body().starts_with(b"[") => Some(texts(&json(), "Id")),
        "POST" | "PUT" if path.ends_with("/batch") || path.ends_with("/batches") => {
            let text = String::from_utf8(request.body().clone()).expect("CSV is text");
            let mut lines = text.lines();
            assert_eq!(lines.next(), Some("Id"), "an upload begins with its header");
            Some(lines.map(str::to_owned).collect())
        }
        // Whatever else could delete is none of the ways this program may go.
        "DELETE" if path.contains("/sobjects") => panic!("an unexpected deletion: {path}"),
        _ => None,
    }
}

/// Whether a request makes the sandbox delete, now or soon.
fn deletes(request: &http::Request<Vec<u8>>) -> bool {
    let path = request.uri().path();
    match request.method().as_str() {
        "DELETE" => path.ends_with("/composite/sobjects"),
        "POST" => path.ends_with("/composite") || path.ends_with("/batch"),
        "PATCH" => path.contains("/jobs/ingest/"),
        _ => false,
    }
}

#[async_trait]
impl Transport for RouterTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let origin = request.url.origin().ascii_serialization();
        assert_eq!(origin, ADDRESS, "a request for another host: {} {}", request.method, request.url.path());
        let host = request.url.authority().to_owned();
        let mut sent = http::Request::builder().method(request.method).uri(request.url.as_str());
        if let Some(headers) = sent.headers_mut() {
            *headers = request.headers;
            headers.insert(http::header::HOST, host.parse().expect("a host"));
        }
        let sent = sent.body(bytes_of(request.body).await).expect("a request");
        if let Some(ids) = demanded(&sent) {
            let parents = if sent.method() == http::Method::DELETE { self.lock_parents(&ids) } else { None };
            locked(&self.demands).push(Demand { method: sent.method().to_string(), ids });
            if let Some(parents) = parents {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                let mut contention = locked(&self.contention);
                if let Some((_, taken)) = contention.as_mut() {
                    taken.retain(|parent| !parents.contains(parent));
                }
            }
        }
        if deletes(&sent)
            && let Some(hook) = locked(&self.before_deletion).take()
        {
            hook(&self.sandbox);
        }
        let end = self.ends_now();
        let answer = match end {
            Some(false) => None,
            _ => Some(self.sandbox.router().oneshot(sent.map(Body::from)).await.expect("infallible")),
        };
        if end.is_some() {
            self.ended.send_replace(true);
            std::future::pending::<()>().await;
        }
        let Some(answer) = answer else { return std::future::pending().await };
        if answer.extensions().get::<DroppedConnection>().is_some() {
            return Err(TransportError::NoAnswer { host, cause: "connection reset".into() });
        }
        let (parts, body) = answer.into_parts();
        let body: ByteStream = Box::pin(body.into_data_stream().map_err(std::io::Error::other));
        Ok(Response { status: parts.status, headers: parts.headers, body })
    }
}

/// The secrets of the sandbox's first client.
struct ClientSecrets;

impl SecretSource for ClientSecrets {
    fn resolve(&self, reference: &SecretReference) -> Result<SecretString, SecretError> {
        match reference {
            SecretReference::Environment(name) if name == "CLIENT_ID" => Ok("sandbox-client".into()),
            SecretReference::Environment(name) if name == "CLIENT_SECRET" => Ok("sandbox-secret".into()),
            other => Err(SecretError::NotSet(format!("{other:?}"))),
        }
    }
}

struct NoCommands;

#[async_trait]
impl CommandRunner for NoCommands {
    async fn run(&self, _: &str, _: &[&str]) -> std::io::Result<CommandOutput> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// The sandbox's clock, as the machine's.
struct SandboxTime(Sandbox);

impl Clock for SandboxTime {
    fn now(&self) -> Timestamp {
        self.0.clock().now()
    }
}

struct RouterConnector {
    transport: Arc<RouterTransport>,
    clock: Arc<dyn Clock>,
}

impl Connector for RouterConnector {
    fn connect(&self, target: &Target, _: &Path, runs: &Path) -> Arc<dyn Provider> {
        let surroundings = Surroundings {
            transport: Arc::clone(&self.transport) as Arc<dyn Transport>,
            secrets: Arc::new(ClientSecrets),
            clock: Arc::clone(&self.clock),
            calls: Arc::new(CallMemoryFile::new(runs, &target.name)),
            commands: Arc::new(NoCommands),
        };
        open(target, surroundings)
    }
}

/// Remembers what a verb told.
#[derive(Default)]
pub struct Recorder {
    warnings: Mutex<Vec<String>>,
}

impl Recorder {
    /// The warnings so far.
    pub fn warnings(&self) -> Vec<String> {
        locked(&self.warnings).clone()
    }
}

impl Watcher for Recorder {
    fn progress(&self, _: Option<&PolicyName>, _: &str, done: u64, total: Option<u64>) {
        // A selection may grow between the count and the read, so that only nonsense is refused here.
        assert!(total != Some(0) || done == 0, "{done} of nothing");
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

    /// Writes [`TARGET`] and these documents as the project's only manifest.
    pub fn declare(&self, documents: &str) {
        self.write("sexton.yaml", &format!("{TARGET}{documents}"));
    }

    /// What a new process would have.
    pub fn host(&self) -> Host {
        let clock: Arc<dyn Clock> = Arc::new(SandboxTime(self.sandbox.clone()));
        let connector = RouterConnector { transport: Arc::clone(&self.transport), clock: Arc::clone(&clock) };
        let ids = Arc::clone(&self.ids);
        Host {
            clock,
            connector: Arc::new(connector),
            watcher: Arc::clone(&self.recorder) as Arc<dyn Watcher>,
            who: "ada@bench".into(),
            seed: 7,
            fresh_id: Arc::new(move || format!("00000000-0000-4000-8000-{:012}", ids.fetch_add(1, Ordering::Relaxed))),
        }
    }

    /// Plans.
    pub async fn plan(&self) -> Result<Planned, CommandError> {
        let request = PlanRequest { project: self.path().to_owned(), out: None };
        command::plan(&self.host(), &request).await
    }

    /// Applies what was planned, with every target confirmed.
    pub async fn apply(&self) -> Result<AppliedPlan, CommandError> {
        self.apply_confirmed(&["crm"], &CancellationToken::new()).await
    }

    /// Applies what was planned.
    pub async fn apply_confirmed(&self, targets: &[&str], stop: &CancellationToken) -> Result<AppliedPlan, CommandError> {
        let request = ApplyRequest {
            project: self.path().to_owned(),
            plan: self.plan_directory(),
            confirmed_targets: targets.iter().map(|target| (*target).to_owned()).collect(),
        };
        command::apply(&self.host(), &request, stop).await
    }

    /// The bundle that was planned.
    pub fn bundle(&self) -> Bundle {
        Bundle::open(&self.plan_directory()).expect("a bundle")
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

    /// The evidence of the run of the bundle that lies there.
    pub fn run(&self) -> RunDirectory {
        RunDirectory::open(&self.path().join("runs"), &self.bundle().digest()).expect("a run")
    }

    /// The outcomes of a policy in that run.
    pub fn outcomes(&self, policy: &PolicyName) -> Vec<OutcomeRow> {
        read_outcomes(&self.run().outcomes(policy)).expect("outcomes").map(|row| row.expect("readable")).collect()
    }

    /// The state.
    pub fn state(&self) -> State {
        StateStore::new(self.path().join("sexton.state.json")).load().expect("readable").expect("a state")
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
