//! All policies of a plan side by side.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::policy::PolicyDriver;
use crate::apply::{Event, Lane, LaneError, LaneSettings, Order, Tally};
use crate::base::Observer;
use crate::base::{Clock, Digest, PolicyName, RecordId};
use crate::plan::Route;
use crate::provider::Provider;
use crate::store::{Journal, JournalError, RunDirectory, SortedRows, read_journal};

/// Gives all planned ids of a policy, sorted, from the first on.
pub type PlannedIds = Arc<dyn Fn() -> io::Result<Box<dyn Iterator<Item = io::Result<RecordId>> + Send>> + Send + Sync>;

/// One policy to carry out.
pub struct DriveLane {
    /// What is the same for every batch.
    pub order: Order,
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
    /// Whether the wave's file says which records go in one batch.
    pub grouped: bool,
    /// Whether an atomic batch that was rolled back is sent again in halves, until the record that fails is alone.
    pub isolate_failures: bool,
    /// For a run that is continued: the planned records that must not be sent any more, by id, each with the word of its
    /// [`crate::apply::SkipCause`]. Those that this run has deleted may be among them.
    pub withheld: Option<Arc<SortedRows>>,
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
pub struct LaneEnd {
    /// The policy.
    pub policy: PolicyName,
    /// How.
    pub kind: LaneEndKind,
}

/// The ways a policy can end in a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaneEndKind {
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

impl LaneEndKind {
    /// Whether every record is where the policy wants it: policies that depend on it may start.
    pub fn succeeded(&self) -> bool {
        matches!(self, Self::Finished { tally, halted: None, .. } if tally.failed == 0 && tally.unknown == 0)
    }
}

/// Why a run broke off. What was journalled stands, and the same command continues when the cause is mended.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal does not tell a story.
    #[error("the journal of policy `{policy}` cannot be followed")]
    Story {
        /// The policy.
        policy: PolicyName,
        /// Where.
        source: LaneError,
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

impl DriveError {
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
pub(super) struct Story {
    pub lane: Lane,
    /// The digest of every wave's ids file, and of the file of what was withheld from it.
    pub waves: Vec<(Digest, Option<Digest>)>,
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
pub async fn drive(run: &Run<'_>, lanes: Vec<DriveLane>) -> Result<Vec<LaneEnd>, DriveError> {
    let stories = read_stories(run, &lanes)?;
    let mut ends: BTreeMap<PolicyName, watch::Receiver<Option<LaneEndKind>>> = BTreeMap::new();
    let names: Vec<PolicyName> = lanes.iter().map(|lane| lane.order.policy.clone()).collect();
    let mut drives = Vec::new();
    for (lane, story) in lanes.iter().zip(stories) {
        let policy = lane.order.policy.clone();
        let mut before = Vec::new();
        for name in &lane.depends_on {
            match ends.get(name) {
                Some(end) => before.push((name.clone(), end.clone())),
                None if names.contains(name) => {
                    return Err(DriveError::Misuse { policy, why: "comes before a policy it depends on" });
                }
                None => {}
            }
        }
        let (tell, end) = watch::channel(None);
        ends.insert(policy.clone(), end);
        drives.push(async move {
            let driver = PolicyDriver::new(run, lane, story);
            let result = driver.drive(before).await;
            match &result {
                Ok(kind) => {
                    tell.send_replace(Some(kind.clone()));
                }
                // Whatever it was, the others cannot be better off going on: it is this machine, not the system.
                Err(_) => run.stop.cancel(),
            }
            result.map(|kind| LaneEnd { policy, kind })
        });
    }
    join_all(drives).await.into_iter().collect()
}

fn read_stories(run: &Run<'_>, lanes: &[DriveLane]) -> Result<Vec<Story>, DriveError> {
    let mut stories: BTreeMap<PolicyName, Story> = BTreeMap::new();
    for lane in lanes {
        let settings = LaneSettings {
            api: lane.order.api,
            same_size: lane.order.atomic || lane.grouped,
            batch_size: lane.route.batch_size,
            parallel: if lane.order.serial { 1 } else { lane.route.parallel },
            // Policies of one run do not all come back at the same moment.
            seed: run.seed.wrapping_add(stories.len() as u64),
        };
        let story = Story { lane: Lane::new(settings), waves: Vec::new(), skipped: 0 };
        if stories.insert(lane.order.policy.clone(), story).is_some() {
            return Err(DriveError::Misuse { policy: lane.order.policy.clone(), why: "is given twice" });
        }
    }
    let mut broken = None;
    read_journal(&run.directory.journal(), |entry| {
        let Some(policy) = entry.policy else { return };
        let Some(story) = stories.get_mut(&policy) else { return };
        match &entry.event {
            Event::Cleared { digest, skipped, .. } => {
                story.waves.push((*digest, None));
                story.skipped = *skipped;
            }
            Event::WaveOpened { digest, withheld, .. } => {
                story.waves.push((*digest, withheld.map(|withheld| withheld.digest)));
            }
            _ => {}
        }
        if let Err(source) = story.lane.record(&entry.event) {
            broken.get_or_insert(DriveError::Story { policy, source });
        }
    })?;
    if let Some(error) = broken {
        return Err(error);
    }
    let mut ordered = Vec::new();
    for lane in lanes {
        let policy = &lane.order.policy;
        let mut story = stories
            .remove(policy)
            .filter(|story| !story.waves.is_empty())
            .ok_or_else(|| DriveError::Misuse { policy: policy.clone(), why: "was not cleared" })?;
        story.lane.resume(run.clock.now());
        ordered.push(story);
    }
    Ok(ordered)
}
