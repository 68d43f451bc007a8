//! What may be typed after `sexton`.

use std::path::PathBuf;

use clap::{Args, ColorChoice, CommandFactory, Parser};

use crate::command::{self, verbs};

/// The grammar of the command line: for completion scripts, and for checking that a command line shown on a page can be typed.
pub fn grammar() -> clap::Command {
    Arguments::command()
}

/// What a newcomer types first.
const START_HERE: &str = if cfg!(feature = "sandbox") {
    "Start here: `sexton demo` walks through everything on three simulated systems; `sexton init` writes a first project."
} else {
    "Start here: `sexton init` writes a first project."
};

const EXIT_CODES: &str = "Exit codes:
    0  done
    1  error; nothing was deleted by this command
    2  with --detailed-exitcode: there is something to delete (plan), or two plans differ (diff)
    3  the apply ended or broke off; records failed or are unknown, or a policy is not finished
    4  a gate refused
    5  the plan cannot be used (stale, expired, used, altered, for another target or project), or another run is unfinished
    6  another process holds the lock or has taken over the run
  130  interrupted; run the same command to continue";

/// Deletion as code: declare which records must not exist, plan, review, apply.
#[derive(Debug, Parser)]
#[command(
    name = "sexton",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = format!("{START_HERE}\n\n{EXIT_CODES}")
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verbs,
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
    /// Print JSON instead of text, one object per line
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colours; unless said, on a terminal where the environment variable NO_COLOR is not set
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
    /// The same as --color never
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Log to standard error; twice for more, three times for every request
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

verbs! {
    /// The verbs, in the order in which help names them.
    Verbs {
        Init(command::Init),
        Validate(command::Validate),
        Plan(command::Plan),
        Check(command::Check),
        Diff(command::Diff),
        Show(command::Show),
        Apply(command::Apply),
        State(command::State),
        ForceUnlock(command::ForceUnlock),
        Schema(command::Schema),
        #[cfg(feature = "sandbox")]
        Sandbox(command::Sandbox),
        #[cfg(feature = "sandbox")]
        Demo(command::Demo),
        Completions(command::Completions),
        Version(command::Version),
    }
}
