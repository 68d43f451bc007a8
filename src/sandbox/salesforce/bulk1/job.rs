//! One job: what its batches are for.

use jiff::Timestamp;

use super::answer::{Field, Fields};
use super::batch::Batch;
use super::refusal;
use super::request::{CreateJob, Transition};
use crate::sandbox::RecordKey;
use crate::sandbox::salesforce::error::ApiError;

/// Where a job is in its life, in the service's words. It is not how far its batches are: a job whose work is done stays
/// closed (documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It takes batches, and begins them at once.
    Open,
    /// It takes no more batches.
    Closed,
    /// Somebody gave up. What was done before stays done.
    Aborted,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Closed => "Closed",
            Self::Aborted => "Aborted",
        }
    }
}

/// One job of `/services/async/{version}/job`.
#[derive(Debug)]
pub struct Job {
    /// Its identifier, with the prefix `750`.
    pub id: RecordKey,
    /// What was asked for; the object's name as the definitions spell it.
    pub wanted: CreateJob,
    /// Who made it.
    pub created_by: RecordKey,
    /// When it was made.
    pub created: Timestamp,
    /// The version of the path it was made with.
    pub version: u32,
    /// Where it is.
    pub state: State,
    /// Its batches, in the order they were added.
    pub batches: Vec<Batch>,
    modified: Timestamp,
}

impl Job {
    /// A new job that waits for batches.
    pub fn new(id: RecordKey, wanted: CreateJob, created_by: RecordKey, created: Timestamp, version: u32) -> Self {
        Self { id, wanted, created_by, created, version, state: State::Open, batches: Vec::new(), modified: created }
    }

    /// Closes or aborts it.
    ///
    /// `Aborting already Completed Job not allowed` is documented for query jobs of 2.0; its siblings are guesses after it.
    pub fn change(&mut self, transition: Transition, now: Timestamp) -> Result<(), ApiError> {
        let is_done = self.batches.iter().all(|batch| batch.end().is_some());
        let refused =
            |doing: &str, state: &str| Err(refusal("InvalidJobState", format!("{doing} already {state} Job not allowed")));
        match (transition, self.state) {
            (Transition::Close, State::Open) => self.state = State::Closed,
            (Transition::Close, state) => return refused("Closing", state.name()),
            (Transition::Abort, State::Aborted) => return refused("Aborting", "Aborted"),
            (Transition::Abort, State::Closed) if is_done => return refused("Aborting", "Completed"),
            (Transition::Abort, _) => {
                self.state = State::Aborted;
                self.batches.iter_mut().for_each(|batch| batch.abort(now));
            }
        }
        self.modified = now;
        Ok(())
    }

    /// What is told about it. Source of the order: documented.
    pub fn info(&self, now: Timestamp) -> Fields {
        let text = |text: &str| Field::Text(text.to_owned());
        let sum = |value: &dyn Fn(&Batch) -> u64| Field::Count(self.batches.iter().map(value).sum());
        let in_state = |state: &'static str| sum(&move |batch| u64::from(batch.state(now) == state));
        vec![
            ("id", Field::Text(self.id.to_string())),
            ("operation", text(self.wanted.operation)),
            ("object", text(&self.wanted.object)),
            ("createdById", Field::Text(self.created_by.to_string())),
            ("createdDate", Field::Moment(self.created)),
            ("systemModstamp", Field::Moment(self.modified)),
            ("state", text(self.state.name())),
            ("concurrencyMode", text(if self.wanted.serial { "Serial" } else { "Parallel" })),
            ("contentType", text(self.wanted.content.name())),
            ("numberBatchesQueued", in_state("Queued")),
            ("numberBatchesInProgress", in_state("InProgress")),
            ("numberBatchesCompleted", in_state("Completed")),
            ("numberBatchesFailed", in_state("Failed")),
            ("numberBatchesTotal", Field::Count(self.batches.len() as u64)),
            ("numberRecordsProcessed", sum(&|batch| batch.tried().0 as u64)),
            ("numberRetries", Field::Count(0)),
            ("apiVersion", Field::Version(self.version)),
            ("numberRecordsFailed", sum(&|batch| batch.tried().1 as u64)),
            ("totalProcessingTime", sum(&|batch| batch.time(now))),
            ("apiActiveProcessingTime", sum(&|batch| batch.time(now))),
            ("apexProcessingTime", Field::Count(0)),
        ]
    }
}
