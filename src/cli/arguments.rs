//! What may be typed after `sexton`.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

/// The grammar of the command line: for completion scripts, and for checking that a command line shown on a page can be typed.
pub fn grammar() -> clap::Command {
    Arguments::command()
}

/// Deletion as code: declare which records must not exist, plan, review, apply.
#[derive(Debug, Parser)]
#[command(
    name = "sexton",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Start here: `sexton demo` shows the whole way on a simulated org; `sexton init` writes a first manifest.\n\n\
                  Exit codes:\n    \
                    0  done\n    \
                    1  error; nothing was deleted by this run\n    \
                    2  there is something to delete (plan --detailed-exitcode), or two plans differ (diff)\n    \
                    3  the apply ended, and some records failed or are unknown\n    \
                    4  a gate refused\n    \
                    5  the plan is stale, expired, used, altered or for another target\n    \
                    6  the lock is held\n  \
                  130  interrupted; run the same command to continue"
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// What every verb takes.
    #[command(flatten)]
    pub global: Global,
}

/// What every verb takes.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The directory that holds the manifests
    #[arg(long, short = 'C', global = true, default_value = ".", value_name = "DIR")]
    pub project: PathBuf,
    /// Print one JSON object a line instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// Never use colours (so does the environment variable NO_COLOR)
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Log to standard error; twice for more, three times for every request
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a first manifest, with comments, into the project's directory
    Init,
    /// Check the manifests, offline
    Validate,
    /// Compute which records would be deleted, and write that down for review
    ///
    /// Signs in to every target, selects what each policy matches, takes out what a hold keeps, judges the gates, compares
    /// with the plan that lies there already, and writes a sealed bundle of files. It sends no request that changes anything.
    Plan(PlanArguments),
    /// Compare two plans record by record, offline
    Diff(DiffArguments),
    /// Show a plan, as text, JSON or Markdown, offline
    Show(ShowArguments),
    /// Delete the records of a reviewed plan, and nothing else
    ///
    /// Selects again first: a record that no longer matches or is held now is skipped, and one that is not in the plan is
    /// left alone. After an interruption the same command goes on where it was.
    Apply(ApplyArguments),
    /// Look at what was done, or forget a policy's history
    #[command(subcommand)]
    State(StateVerb),
    /// Clear what a dead process left in the lock file
    ForceUnlock(ForceUnlockArguments),
    /// Print the JSON Schema of the manifests, or of the lines of --json
    Schema(SchemaArguments),
    /// Serve a simulated Salesforce org on loopback
    Sandbox(SandboxArguments),
    /// Show the whole way, from manifests to an empty second plan, on a simulated org
    Demo(DemoArguments),
    /// Print a shell completion script
    Completions(CompletionsArguments),
    /// Print the version
    Version,
}

/// `sexton plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Where to write the plan; it is compared with the one that lies there [default: plan, or what the project says]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when there is something to delete
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// `sexton diff`.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The earlier plan's directory
    pub before: PathBuf,
    /// The later plan's directory
    pub after: PathBuf,
    /// Exit with 2 when they differ
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Print the counts only
    #[arg(long)]
    pub summary: bool,
}

/// How a bundle is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// Text for people.
    Human,
    /// One JSON object a line.
    Json,
    /// Markdown for a pull request comment.
    Markdown,
}

/// `sexton show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The plan's directory [default: plan, or what the project says]
    pub plan: Option<PathBuf>,
    /// How to show it
    #[arg(long, value_enum, default_value = "human")]
    pub format: ShowFormat,
    /// The most bytes of Markdown; GitHub takes 65,536
    #[arg(long, default_value_t = 65_000, value_name = "N")]
    pub max_bytes: usize,
    /// Print every record id instead of a sample
    #[arg(long)]
    pub records: bool,
}

/// `sexton apply`.
#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// The plan's directory; without one, a plan is made and shown, and you are asked
    pub plan: Option<PathBuf>,
    /// Do not ask; hard deletes also need --confirm-target
    #[arg(long)]
    pub auto_approve: bool,
    /// Confirm a target by its name, for hard deletes without a question
    #[arg(long, value_name = "NAME")]
    pub confirm_target: Vec<String>,
    /// For `allOrNone: perRequest`: send a group that fails again in halves, until the record that fails is alone
    #[arg(long)]
    pub isolate_failures: bool,
}

/// `sexton state`.
#[derive(Debug, Subcommand)]
pub enum StateVerb {
    /// One line a policy
    List,
    /// Everything, or one policy
    Show {
        /// The policy
        policy: Option<String>,
    },
    /// Forget the history of a policy that is no longer declared
    Rm {
        /// The policy
        policy: String,
    },
}

/// `sexton force-unlock`.
#[derive(Debug, Args)]
pub struct ForceUnlockArguments {
    /// The lock's id, as the refused command printed it
    pub id: String,
}

/// Which schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// The manifests.
    Manifest,
    /// The lines of `--json`.
    Output,
}

/// `sexton schema`.
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// Which schema
    #[arg(value_enum, default_value = "manifest")]
    pub kind: SchemaKind,
}

/// `sexton sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArguments {
    /// Where to listen; loopback only, port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8800", value_name = "ADDR")]
    pub listen: std::net::SocketAddr,
    /// A directory with CSV files named after objects, and world.yaml
    #[arg(long, value_name = "PATH")]
    pub seed: Option<PathBuf>,
    /// Generate records, as in Lead=1000; may be repeated
    #[arg(long, value_name = "OBJECT=N")]
    pub generate: Vec<String>,
    /// A YAML file of faults to inject
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
}

/// `sexton demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Where to put the demo project; must be empty or absent
    #[arg(default_value = "sexton-demo")]
    pub directory: PathBuf,
}

/// `sexton completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell
    pub shell: clap_complete::Shell,
}
