//! How a verb ends: exit codes, and errors in words for people.
//!
//! Every error of every room is put into words here or in the step that knows more about it, and the exit code follows from
//! the kind alone.

use std::fmt;

use crate::base::{Diagnostic, PolicyName, SourceMap};
use crate::provider::ProviderError;
use crate::store::{BundleError, FileError, LockError, StateError};

/// The exit codes. They are a contract: scripts branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// 0: done; also `plan --detailed-exitcode` with nothing to delete.
    Done,
    /// 1: an error; nothing was deleted by this run.
    Error,
    /// 2: only with `--detailed-exitcode`: deletions are present, or two plans differ. Never an error.
    ChangesPresent,
    /// 3: an apply ended, and some records failed or are unknown.
    SomeFailed,
    /// 4: a gate refused.
    GateRefused,
    /// 5: the plan is stale, expired, used, altered or for another target.
    PlanUnusable,
    /// 6: another process holds the lock.
    LockHeld,
    /// 130: interrupted; the same command continues.
    Interrupted,
}

impl Exit {
    /// The number the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::ChangesPresent => 2,
            Self::SomeFailed => 3,
            Self::GateRefused => 4,
            Self::PlanUnusable => 5,
            Self::LockHeld => 6,
            Self::Interrupted => 130,
        }
    }
}

/// Why a verb did not do what was asked: what happened, further facts, and what to do next.
#[derive(Debug)]
pub struct CommandError {
    /// The exit code.
    pub exit: Exit,
    /// What happened, in one sentence without a full stop.
    pub title: String,
    /// Further facts, one a line.
    pub notes: Vec<String>,
    /// What to do next.
    pub help: Option<String>,
    /// What is wrong in the manifests, where that is it.
    pub diagnostics: Option<Box<(Vec<Diagnostic>, SourceMap)>>,
}

impl CommandError {
    /// An error of that kind.
    pub fn new(exit: Exit, title: impl Into<String>) -> Self {
        Self { exit, title: title.into(), notes: Vec::new(), help: None, diagnostics: None }
    }

    /// An error with exit code 1: nothing was deleted by this run.
    pub fn plain(title: impl Into<String>) -> Self {
        Self::new(Exit::Error, title)
    }

    /// The same, with one more fact.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same, with what to do next.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, with the policy it happened for, where neither its words nor a place in the manifests tell.
    #[must_use]
    pub(super) fn about_policy(self, policy: &PolicyName) -> Self {
        let told = self.diagnostics.is_some() || self.title.contains(policy.as_str());
        if told { self } else { self.with_note(format!("in policy `{policy}`")) }
    }

    /// The same, with the causes of `error`, and not its own sentence, as facts.
    #[must_use]
    pub fn caused_by_source(self, error: &dyn std::error::Error) -> Self {
        match error.source() {
            Some(cause) => self.caused_by(cause),
            None => self,
        }
    }

    /// The same, with every cause of `error` as a fact.
    #[must_use]
    pub fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            self.notes.push(cause.to_string());
            next = cause.source();
        }
        self
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.title)
    }
}

impl std::error::Error for CommandError {}

impl From<ProviderError> for CommandError {
    fn from(error: ProviderError) -> Self {
        let mut converted = Self::plain(error.to_string());
        converted.help = error.help;
        converted
    }
}

/// The sentence of an error, and its causes as facts.
fn from_error(exit: Exit, error: &dyn std::error::Error) -> CommandError {
    CommandError::new(exit, error.to_string()).caused_by_source(error)
}

impl From<FileError> for CommandError {
    fn from(error: FileError) -> Self {
        from_error(Exit::Error, &error)
    }
}

impl From<BundleError> for CommandError {
    fn from(error: BundleError) -> Self {
        let exit = match &error {
            BundleError::NewerFormat { .. }
            | BundleError::Altered { .. }
            | BundleError::SumsDiffer { .. }
            | BundleError::FileMissing { .. }
            | BundleError::Extra { .. }
            | BundleError::Malformed { .. } => Exit::PlanUnusable,
            _ => Exit::Error,
        };
        from_error(exit, &error)
    }
}

impl From<StateError> for CommandError {
    fn from(error: StateError) -> Self {
        from_error(Exit::Error, &error)
    }
}

impl From<LockError> for CommandError {
    fn from(error: LockError) -> Self {
        let exit = if matches!(error, LockError::Held(_)) { Exit::LockHeld } else { Exit::Error };
        let converted = from_error(exit, &error);
        match error {
            LockError::Held(_) => converted.with_help(
                "nothing was done; wait for it to end, or end that process: a lock never outlives the process that holds it",
            ),
            _ => converted,
        }
    }
}
