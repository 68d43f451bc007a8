//! What a system answers.

use serde::{Deserialize, Serialize};

use crate::base::{Failure, RecordId};
use crate::system::DeleteMode;

/// The system's answer about one record of a batch, already paired with it the way the API pairs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The record that was sent.
    pub id: RecordId,
    /// What the system said.
    pub verdict: AnswerVerdict,
}

/// What a system said about one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerVerdict {
    /// It deleted it.
    Deleted,
    /// It did not find it. That is said of living records as well: of one that logic in the system deleted in a transaction which was
    /// then taken back. Only a look tells.
    SaidGone(Failure),
    /// It did not delete it.
    Failed(Failure),
    /// It took it back because another record of the same atomic request failed.
    RolledBack(Failure),
    /// It never came to it.
    NotProcessed,
}

/// The system's own key of a job, batch or other work under way; safe to write down.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(pub String);

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobProgress {
    /// Its stage.
    pub stage: JobStage,
    /// Records the system has come to so far, failures among them; `None` where it does not say.
    pub processed: Option<u64>,
    /// Records that failed so far; `None` where it does not say.
    pub failed: Option<u64>,
    /// The system's words about a job that failed as a whole.
    pub message: Option<String>,
}

/// The stages of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobStage {
    /// Made and not started: it has deleted nothing, and without a start it never will.
    Open,
    /// Started; it may have deleted some.
    Running,
    /// Ended by itself; results can be fetched.
    Complete,
    /// Ended before its end, by a failure or an abort; what was deleted stays so, and results can be fetched.
    Broken,
    /// The system does not know it (any more).
    Gone,
}

/// What a presence check shows of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It is there.
    Present,
    /// It is in the recycle bin.
    InBin,
    /// The system shows nothing under this key.
    Absent,
}

impl Presence {
    /// Whether the record is where this way of deleting puts it. One in the recycle bin is not hard-deleted.
    pub fn is_gone(self, delete: DeleteMode) -> bool {
        match self {
            Self::Present => false,
            Self::InBin => delete == DeleteMode::Soft,
            Self::Absent => true,
        }
    }
}
