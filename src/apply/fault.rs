//! A step that did not do what it was to do.

use std::fmt;
use std::time::Duration;

use crate::base::{Failure, coded};

/// Why a step did not do what it was to do, and what that allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it allows.
    pub kind: FaultKind,
    /// The system's own code and words.
    pub failure: Failure,
}

/// What may be done after a step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing happened, and the same step may succeed after a pause.
    Later {
        /// How long the system asks to wait, where it does.
        wait: Option<Duration>,
    },
    /// Nothing happened, and nothing will until a person, or tomorrow, has changed something: a limit used up, a login that
    /// ended. The run stays unfinished and can be continued.
    Stuck,
    /// Nothing happened, and the same step can never succeed.
    Refused,
    /// What the step was about does not exist (any more).
    Missing,
    /// It may have had its effect, or its answer cannot be trusted.
    Unclear,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&coded(&self.failure.code, &self.failure.message))
    }
}
