//! One policy of a run: what is to be done, and how it ended.

use std::io;
use std::sync::Arc;

use super::execute_error::ExecuteError;
use super::recheck::Recheck;
use crate::apply::{BatchSpecification, Seal, SkipCause, Tally};
use crate::base::{PolicyName, RecordId};
use crate::plan::Route;
use crate::provider::Provider;

/// Gives all planned ids of a policy, sorted, from the first on.
pub type PlannedIds = Arc<dyn Fn() -> io::Result<Box<dyn Iterator<Item = io::Result<RecordId>> + Send>> + Send + Sync>;

/// One policy to carry out.
pub struct PolicyRun {
    /// What is the same for every batch.
    pub specification: BatchSpecification,
    /// How its records are deleted.
    pub route: Route,
    /// The policies that must have succeeded before. One that is not carried out in this run is the caller's business.
    pub depends_on: Vec<PolicyName>,
    /// The system, signed in to and known to be the right one; `None` where nothing is asked and nothing sent.
    pub provider: Option<Arc<dyn Provider>>,
    /// How many records are planned.
    pub planned: u64,
    /// The ids of the planned records.
    pub planned_ids: PlannedIds,
    /// Whether the ids of a round say which records go in one batch.
    pub grouped: bool,
    /// Whether an atomic batch that was rolled back is sent again in halves, until the record that fails is alone.
    pub isolate_failures: bool,
    /// What the recheck found. Only a policy that is stopped or at its end needs none.
    pub recheck: Option<Recheck>,
    /// Why nothing more is sent, where that is known beforehand, and what becomes of what was never sent. What was sent is
    /// settled all the same.
    pub stopped: Option<(String, SkipCause)>,
}

impl PolicyRun {
    /// The system.
    ///
    /// # Errors
    ///
    /// When there is none, and something is to be asked all the same.
    pub(super) fn provider(&self) -> Result<&Arc<dyn Provider>, ExecuteError> {
        let policy = &self.specification.policy;
        self.provider.as_ref().ok_or_else(|| ExecuteError::Misuse { policy: policy.clone(), why: "has no system to ask" })
    }

    /// Whether it is given up.
    pub fn is_abandoned(&self) -> bool {
        matches!(self.stopped, Some((_, SkipCause::Abandoned)))
    }
}

/// How a policy ended in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyResult {
    /// The policy.
    pub policy: PolicyName,
    /// How.
    pub kind: PolicyResultKind,
}

/// The ways a policy can end in a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyResultKind {
    /// Every planned record has its outcome.
    Finished {
        /// How many records came to which end; the sum is the number of planned ones.
        tally: Tally,
        /// The object of the outcomes.
        outcomes: Seal,
        /// Why nothing more was sent before all was, if so, and what became of what was never sent.
        halted: Option<(String, SkipCause)>,
    },
    /// It cannot go on now; the same command continues it.
    Unfinished {
        /// Why.
        cause: String,
        /// The ends that are known so far.
        settled: Tally,
    },
    /// The user asked to stop; the same command continues it.
    Interrupted {
        /// The ends that are known so far.
        settled: Tally,
    },
}

impl PolicyResultKind {
    /// Whether every record is where the policy wants it: policies that depend on it may start.
    pub fn succeeded(&self) -> bool {
        matches!(self, Self::Finished { tally, halted: None, .. } if tally.failed == 0 && tally.unknown == 0)
    }
}
