//! What the journal of a run says.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{JobStage, SkipCause, Tally, Ticket};
use crate::base::{Digest, PolicyName};

/// One line of a run's journal.
///
/// Intents are durable before the request they announce; answers are durable before anything that rests on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// Counts the entries of a journal from 0, without a gap.
    pub sequence: u64,
    /// When it was written. For people; nothing is decided by it.
    pub at: Timestamp,
    /// The policy it is about; `None` for the run as a whole.
    pub policy: Option<PolicyName>,
    /// What happened or is about to happen.
    pub event: Event,
}

/// Records that a run left out of a round when it was continued: held, changed or not matching by then. Those that the recheck
/// kept back before the first round are not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Excluded {
    /// How many; 1 or more.
    pub count: u64,
    /// Digest of the file of their ids and causes.
    pub digest: Digest,
}

/// What happened or is about to happen to one policy's records.
///
/// This list is the whole memory of a run: a machine's state is a fold over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Event {
    /// The run began (or went on): the plan it executes.
    RunOpened {
        /// The plan.
        plan: Digest,
        /// The version of sexton.
        tool: String,
    },
    /// The recheck is done; its files are in place.
    Cleared {
        /// Records in round 0.
        cleared: u64,
        /// Records skipped by the recheck.
        skipped: u64,
        /// Digest of round 0's ids file.
        digest: Digest,
    },
    /// A later round's ids file is in place: what the round before it left to be sent again, and, when records are excluded,
    /// also what it had not sent yet.
    RoundOpened {
        /// Which round; 1 or more.
        round: u32,
        /// Its records.
        count: u64,
        /// Digest of its ids file.
        digest: Digest,
        /// What was left as well, and is not sent any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        excluded: Option<Excluded>,
    },
    /// Intent: this batch is about to be sent (a request) or made (a job).
    Intended {
        /// The batch.
        batch: u64,
        /// Its round.
        round: u32,
        /// The place of its first record in the round.
        first: u64,
        /// How many records.
        count: u64,
    },
    /// The system made a job for the batch. It has not been started.
    Created {
        /// The batch.
        batch: u64,
        /// The job.
        ticket: Ticket,
    },
    /// Intent: the job's data is about to be uploaded. For an API whose upload starts the work this is the point of no
    /// return.
    Loading {
        /// The batch.
        batch: u64,
    },
    /// The upload was accepted.
    Loaded {
        /// The batch.
        batch: u64,
    },
    /// Intent: the job is about to be started.
    Starting {
        /// The batch.
        batch: u64,
    },
    /// The system accepted the start.
    Started {
        /// The batch.
        batch: u64,
    },
    /// The job ended.
    Ended {
        /// The batch.
        batch: u64,
        /// How.
        stage: JobStage,
    },
    /// The batch's answers are in the answers files.
    Answered {
        /// The batch.
        batch: u64,
        /// Records that are to be sent again: locked, transient, not processed, rolled back with such a one.
        again: u64,
        /// Records the system did not mention; they must be looked at before the batch is done.
        missing: u64,
        /// Ends that are final.
        tally: Tally,
        /// The length in bytes up to which the policy's texts file is valid.
        texts: u64,
        /// Why, when the system refused the request as a whole and every record of the batch failed with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
        /// Whether the records to be sent again went back with one that fails: they go in smaller batches, until it is alone.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        isolates: bool,
    },
    /// The request or job may or may not have taken effect: every record of the batch must be looked at before anything
    /// else is sent for it.
    Unclear {
        /// The batch.
        batch: u64,
        /// Why.
        cause: String,
    },
    /// The records that had to be looked at have been, which ends the batch; what was seen is in the answers files.
    PresenceChecked {
        /// The batch.
        batch: u64,
        /// Records of the batch that are to be sent again, whether looked at or answered for.
        again: u64,
        /// Ends that are final.
        tally: Tally,
        /// The length in bytes up to which the policy's texts file is valid.
        texts: u64,
    },
    /// The files have not what the journal says was answered or seen for a batch that had ended: it is taken back, and what
    /// became of its records is unclear once more.
    Lost {
        /// The batch.
        batch: u64,
        /// Its round; one before the last may be meant.
        round: u32,
        /// The place of its first record in the round.
        first: u64,
        /// How many records.
        count: u64,
        /// Records that were to be sent again.
        again: u64,
        /// Ends that were final.
        tally: Tally,
    },
    /// The batch certainly had no effect; its records are free to be sent in another batch.
    Abandoned {
        /// The batch.
        batch: u64,
        /// Why.
        cause: String,
    },
    /// The policy will send nothing more; what is under way is still settled.
    Halted {
        /// Why.
        cause: String,
        /// What becomes of the records that were never sent.
        skip: SkipCause,
    },
    /// The outcomes file is in place and the policy is done.
    Finished {
        /// How its records ended.
        tally: Tally,
        /// Digest of the outcomes file.
        outcomes: Digest,
    },
}
