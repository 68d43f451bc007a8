//! Why a command did not do what was asked, in words for people.

use std::fmt;

use super::{Diagnostic, Exit, PolicyName, SourceMap};

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

    /// The same, with the policy it concerns, unless its text or a place in the manifests already names it.
    #[must_use]
    pub fn about_policy(self, policy: &PolicyName) -> Self {
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

    /// The sentence of an error, and its causes as facts.
    pub fn from_error(exit: Exit, error: &dyn std::error::Error) -> Self {
        Self::new(exit, error.to_string()).caused_by_source(error)
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
