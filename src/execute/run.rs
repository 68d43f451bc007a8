//! All policies of a plan side by side.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::policy::PolicyExecutor;
use crate::apply::{BatchSpecification, Event, MachineError, MachineSettings, PolicyMachine, Tally};
use crate::base::Observer;
use crate::base::{Clock, Digest, PolicyName, RecordId};
use crate::plan::Route;
use crate::provider::Provider;
use crate::store::{Journal, JournalError, RunDirectory, SortedRows, read_journal};

/// Gives all planned ids of a policy, sorted, from the first on.
pub type PlannedIds = Arc<dyn Fn() -> io::Result<Box<dyn Iterator<Item = io::Result<RecordId>> + Send>> + Send + Sync>;

/// One policy to carry out.
pub struct PolicyRun {
    /// What is the same for every batch.
    pub order: BatchSpecification,
    /// How its records go.
    pub route: Route,
    /// The policies that must have succeeded before. One that is not carried out in this run is the caller's business.
    pub depends_on: Vec<PolicyName>,
    /// The system, signed in to and known to be the right one.
    pub provider: Arc<dyn Provider>,
    /// How many records are planned.
    pub planned: u64,
    /// Which.
    pub planned_ids: PlannedIds,
    /// Whether the round's file says which records go in one batch.
    pub grouped: bool,
    /// Whether an atomic batch that was rolled back is sent again in halves, until the record that fails is alone.
    pub isolate_failures: bool,
    /// For a run that is continued: the planned records that must not be sent any more, by id, each with the word of its
    /// [`crate::apply::SkipCause`]. Those that this run has deleted may be among them.
    pub excluded: Option<Arc<SortedRows>>,
}

/// What all policies share.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// The files.
    pub directory: &'a RunDirectory,
    /// The journal in that directory, for appending.
    pub journal: &'a dyn Journal,
    /// The time.
    pub clock: &'a dyn Clock,
    /// What pauses are drawn from.
    pub seed: u64,
    /// Who looks on.
    pub observer: &'a dyn Observer,
    /// Cancelled when the user wants to stop: nothing new is sent, and what was sent is waited for.
    pub stop: &'a CancellationToken,
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
        /// Digest of the outcomes file.
        outcomes: Digest,
        /// Why nothing more was sent before all was, if so.
        halted: Option<String>,
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

/// Why a run broke off. What was journalled stands, and the same command continues when the cause is mended.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal does not tell a history.
    #[error("the journal of policy `{policy}` cannot be followed")]
    ReplayedHistory {
        /// The policy.
        policy: PolicyName,
        /// Where.
        source: MachineError,
    },
    /// A file of the run cannot be read or written.
    #[error("could not {doing} {path}", path = .path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the run is not the one that was journalled.
    #[error("{path} is not the file the journal speaks of: {why}", path = .path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// The books do not balance. This is a defect of this program; no outcomes are written.
    #[error("internal error: the outcomes of policy `{policy}` do not balance: {why}")]
    Unbalanced {
        /// The policy.
        policy: PolicyName,
        /// In numbers.
        why: String,
    },
    /// The caller gave policies that cannot be carried out.
    #[error("internal error: policy `{policy}` {why}")]
    Misuse {
        /// The policy.
        policy: PolicyName,
        /// What is wrong.
        why: &'static str,
    },
}

impl ExecuteError {
    /// Whether a file of the run is gone or is not what it was, so that the same command cannot go on without it.
    pub fn is_loss(&self) -> bool {
        match self {
            Self::Altered { .. } => true,
            Self::File { source, .. } => matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData),
            _ => false,
        }
    }

    /// For `map_err`: what was being done with which file.
    pub(super) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { doing, path: path.to_owned(), source }
    }
}

/// What the journal says of one policy.
pub(super) struct ReplayedHistory {
    pub machine: PolicyMachine,
    /// The digest of every round's ids file, and of the file of what was excluded from it.
    pub rounds: Vec<(Digest, Option<Digest>)>,
    /// Records the recheck kept back.
    pub skipped: u64,
}

/// Carries out policies, given in the order of apply, each as soon as those it depends on have succeeded. The same call begins
/// a run and continues one, whatever happened in between.
///
/// A policy whose dependency has ended without success is skipped for good; one whose dependency is only unfinished waits
/// with it for the next run.
///
/// # Errors
///
/// When the journal or another file fails, is damaged or does not balance. The other policies are stopped then, as if by the user.
pub async fn execute(run: &Run<'_>, policies_to_run: Vec<PolicyRun>) -> Result<Vec<PolicyResult>, ExecuteError> {
    let histories = read_histories(run, &policies_to_run)?;
    let mut ends: BTreeMap<PolicyName, watch::Receiver<Option<PolicyResultKind>>> = BTreeMap::new();
    let names: Vec<PolicyName> = policies_to_run.iter().map(|machine| machine.order.policy.clone()).collect();
    let mut drives = Vec::new();
    for (machine, history) in policies_to_run.iter().zip(histories) {
        let policy = machine.order.policy.clone();
        let mut before = Vec::new();
        for name in &machine.depends_on {
            match ends.get(name) {
                Some(end) => before.push((name.clone(), end.clone())),
                None if names.contains(name) => {
                    return Err(ExecuteError::Misuse { policy, why: "comes before a policy it depends on" });
                }
                None => {}
            }
        }
        let (tell, end) = watch::channel(None);
        ends.insert(policy.clone(), end);
        drives.push(async move {
            let driver = PolicyExecutor::new(run, machine, history);
            let result = driver.execute(before).await;
            match &result {
                Ok(kind) => {
                    tell.send_replace(Some(kind.clone()));
                }
                // Whatever it was, the others cannot be better off going on: it is this machine, not the system.
                Err(_) => run.stop.cancel(),
            }
            result.map(|kind| PolicyResult { policy, kind })
        });
    }
    join_all(drives).await.into_iter().collect()
}

fn read_histories(run: &Run<'_>, policies_to_run: &[PolicyRun]) -> Result<Vec<ReplayedHistory>, ExecuteError> {
    let mut histories: BTreeMap<PolicyName, ReplayedHistory> = BTreeMap::new();
    for machine in policies_to_run {
        let settings = MachineSettings {
            api: machine.order.api,
            same_size: machine.order.atomic || machine.grouped,
            batch_size: machine.route.batch_size,
            parallel: if machine.order.serial { 1 } else { machine.route.parallel },
            // Policies of one run do not all come back at the same moment.
            seed: run.seed.wrapping_add(histories.len() as u64),
        };
        let history = ReplayedHistory { machine: PolicyMachine::new(settings), rounds: Vec::new(), skipped: 0 };
        if histories.insert(machine.order.policy.clone(), history).is_some() {
            return Err(ExecuteError::Misuse { policy: machine.order.policy.clone(), why: "is given twice" });
        }
    }
    let mut broken = None;
    read_journal(&run.directory.journal(), |entry| {
        let Some(policy) = entry.policy else { return };
        let Some(history) = histories.get_mut(&policy) else { return };
        match &entry.event {
            Event::Cleared { digest, skipped, .. } => {
                history.rounds.push((*digest, None));
                history.skipped = *skipped;
            }
            Event::RoundOpened { digest, excluded, .. } => {
                history.rounds.push((*digest, excluded.map(|excluded| excluded.digest)));
            }
            _ => {}
        }
        if let Err(source) = history.machine.record(&entry.event) {
            broken.get_or_insert(ExecuteError::ReplayedHistory { policy, source });
        }
    })?;
    if let Some(error) = broken {
        return Err(error);
    }
    let mut ordered = Vec::new();
    for machine in policies_to_run {
        let policy = &machine.order.policy;
        let mut history = histories
            .remove(policy)
            .filter(|history| !history.rounds.is_empty())
            .ok_or_else(|| ExecuteError::Misuse { policy: policy.clone(), why: "was not cleared" })?;
        history.machine.resume(run.clock.now());
        ordered.push(history);
    }
    Ok(ordered)
}
