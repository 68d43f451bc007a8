//! A project directory, and the program run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use sexton::base::Observer;
use sexton::base::{Actor, Clock, PolicyName};
use sexton::command::{PlanRequest, plan};
use sexton::manifest::{SecretReference, Target};
use sexton::provider::salesforce::SystemCommands;
use sexton::provider::transport::{HttpTransport, Timeouts};
use sexton::provider::{Provider, ProviderDependencies, SecretError, SecretSource, open};
use sexton::select::{Connector, Context};
use sexton::store::{Backend, LocalFiles, StoredCalls, SystemGit};
use tempfile::TempDir;

/// The sandbox's usual client.
pub const CLIENT: (&str, &str) = ("sandbox-client", "sandbox-secret");

/// A project directory of its own.
pub struct Workplace {
    home: TempDir,
    url: String,
}

impl Workplace {
    /// A project whose target `crm` is the organization at `url`, with further documents.
    pub fn new(url: &str, documents: &str) -> Self {
        let place = Self { home: tempfile::tempdir().expect("a directory"), url: url.to_owned() };
        place.write("target.yaml", &target(url));
        place.write("policies.yaml", documents);
        place
    }

    /// The project's directory.
    pub fn path(&self) -> PathBuf {
        self.home.path().join("project")
    }

    /// Writes a file of the project.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("within the project")).expect("a directory");
        std::fs::write(path, text).expect("written");
    }

    /// Reads a file of the project.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program with these words, in the project, in an environment that has nothing but what is said here.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sexton"));
        command
            .args(words)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("USER", "ada")
            .env("HOSTNAME", "desk")
            .env("CRM_CLIENT_ID", CLIENT.0)
            .env("CRM_CLIENT_SECRET", CLIENT.1)
            .envs(crate::support::SECRETS);
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("the program")
    }

    /// Runs it, and fails unless it ends with `code`.
    pub fn expect(&self, code: i32, words: &[&str]) -> Output {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(code), "sexton {}\n{}", words.join(" "), self.shown(&output));
        output
    }

    /// What a person sees, with everything that differs from run to run replaced.
    pub fn shown(&self, output: &Output) -> String {
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        self.redacted(&text)
    }

    /// What a person is told on standard error, where everything but data goes.
    pub fn told(&self, output: &Output) -> String {
        self.redacted(&String::from_utf8_lossy(&output.stderr))
    }

    /// Plans at another time than now, in this process.
    pub fn plan_at(&self, moment: &str) {
        let host = Context {
            files: Arc::new(LocalFiles),
            clock: Arc::new(Still(moment.parse().expect("a moment"))),
            timer: Arc::new(crate::support::RuntimeTimer),
            git: Arc::new(SystemGit),
            connector: Arc::new(Network),
            observer: Arc::new(Nobody),
            actor: Actor { user: "ada".into(), host: "desk".into(), pipeline: None },
            process: 7,
            seed: 1,
            fresh_id: Arc::new(|| "5f9d0f4e-0000-4000-8000-000000000001".into()),
        };
        let request = PlanRequest { project: self.path(), out: None, base: None, policies: Vec::new() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(plan(&host, &request)).expect("planned");
    }

    /// A text with the places of this test replaced.
    pub fn redacted(&self, text: &str) -> String {
        let host = self.url.trim_start_matches("http://");
        text.replace(&self.path().display().to_string(), "[project]").replace(&self.url, "[org]").replace(host, "[host]")
    }

    /// The files below a directory of the project, or all of it for `""`, with their bytes.
    pub fn files(&self, below: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut open = vec![self.path().join(below)];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(&directory).expect("a directory").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.push((relative(&path, &self.path()), std::fs::read(&path).expect("read")));
                }
            }
        }
        found.sort();
        found
    }
}

fn relative(path: &Path, to: &Path) -> PathBuf {
    path.strip_prefix(to).map_or_else(|_| path.to_owned(), Path::to_owned)
}

/// The document of the target `crm`.
pub fn target(url: &str) -> String {
    format!(
        "apiVersion: sexton/v1
kind: Target
metadata: {{ name: crm }}
spec:
  environment: sandbox
  salesforce:
    loginUrl: {url}
    apiVersion: \"66.0\"
    auth:
      clientCredentials:
        clientId: {{ env: CRM_CLIENT_ID }}
        clientSecret: {{ env: CRM_CLIENT_SECRET }}
"
    )
}

/// The document of a policy `stale-leads`; `more` are further lines of its `spec`.
pub fn policy(more: &str) -> String {
    let more = more.lines().map(|line| format!("  {line}\n")).collect::<String>();
    format!(
        "apiVersion: sexton/v1
kind: DeletionPolicy
metadata: {{ name: stale-leads }}
spec:
  target: crm
  object: Lead
  filter: Company = 'Old'
  limits: {{ maxRecords: 5000, maxPercent: 100 }}
{more}"
    )
}

/// What differs from run to run, and what stands for it in snapshots.
pub fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"\b[0-9a-f]{64}\b", "[digest]"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[uuid]"),
        (r"\b[0-9a-f]{12}\b", "[plan]"),
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[moment]"),
        (r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[moment]"),
        (r"process \d+", "process [number]"),
        (r"version \d+\.\d+\.\d+", "version [version]"),
    ]
}

/// A clock that stands still.
struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Nobody looks on.
struct Nobody;

impl Observer for Nobody {
    fn progress(&self, _: Option<&PolicyName>, _: &str, _: u64, _: Option<u64>) {}

    fn warn(&self, _: &str) {}
}

/// The way to a sandbox from this process.
struct Network;

struct Client;

impl SecretSource for Client {
    fn resolve(&self, reference: &SecretReference) -> Result<SecretString, SecretError> {
        match reference {
            SecretReference::Environment(name) if name == "CRM_CLIENT_ID" => Ok(CLIENT.0.to_owned().into()),
            SecretReference::Environment(name) if name == "CRM_CLIENT_SECRET" => Ok(CLIENT.1.to_owned().into()),
            other => panic!("{other:?}"),
        }
    }
}

impl Connector for Network {
    fn connect(&self, target: &Target, _: &Path, store: Arc<dyn Backend>) -> Arc<dyn Provider> {
        let dependencies = ProviderDependencies {
            transport: Arc::new(HttpTransport::new(Timeouts::default()).expect("a network")),
            secrets: Arc::new(Client),
            clock: Arc::new(Still(crate::service::start())),
            calls: Arc::new(StoredCalls::new(store, &target.name)),
            commands: Arc::new(SystemCommands),
        };
        open(target, dependencies)
    }
}

/// The signals that ask the program to stop. A hangup is not among them where these tests were started by `nohup` or the like: it
/// is inherited, and the program keeps to it.
#[expect(clippy::print_stdout, reason = "it tells what was not tried")]
pub fn stop_signals() -> Vec<&'static str> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1);
    if ignored {
        println!("SIGHUP is ignored here: not tried");
    }
    ["-INT", "-TERM", "-HUP"].into_iter().filter(|signal| *signal != "-HUP" || !ignored).collect()
}
