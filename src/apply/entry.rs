//! What the journal of a run says.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answers, JobStage, Seal, SkipCause, Tally, Ticket};
use crate::base::{Actor, Digest, PolicyName};
use crate::plan::Population;

/// One line of a run's journal.
///
/// Intents are durable before the request they announce; answers are durable before anything that rests on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// Counts the entries of a journal from 0, without a gap.
    pub sequence: u64,
    /// When it was written. For people; and a run that goes on a good while later knows by it that no request is at work any more.
    pub at: Timestamp,
    /// The policy it is about; `None` for the run as a whole.
    pub policy: Option<PolicyName>,
    /// What happened or is about to happen.
    pub event: Event,
}

/// Planned records that are not sent any more from a round on: held, changed, not matching or gone when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Excluded {
    /// How many; 1 or more.
    pub count: u64,
    /// The object of their ids and causes.
    pub records: Seal,
}

/// What the recheck before the first round found beside the planned records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rechecked {
    /// How many records the object had.
    pub population: Population,
    /// How many records matched that are not in the plan; they wait for the next one.
    pub waiting: u64,
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
        /// Who began it, or continued it.
        by: Actor,
    },
    /// The run is given up: nothing more is sent, and what was sent is settled.
    RunAbandoned {
        /// The plan.
        plan: Digest,
        /// The version of sexton.
        tool: String,
        /// Who gave it up.
        by: Actor,
        /// Whether the systems are asked what became of what was sent. Where not, it ends unknown.
        looks: bool,
    },
    /// The ids of a round are in place: of the first one all planned records, of a later one what the round before it left to
    /// be sent again, and, where that was cut short, also what it had not sent yet; less what is excluded.
    RoundOpened {
        /// Which round, from 0.
        round: u32,
        /// Its records.
        count: u64,
        /// The object of their ids.
        ids: Seal,
        /// What is not sent any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        excluded: Option<Excluded>,
        /// What the recheck found; with the first round only, and not where the policy was refused before one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rechecked: Option<Rechecked>,
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
    /// The batch's answers came.
    Answered {
        /// The batch.
        batch: u64,
        /// Records that are to be sent again: locked, transient, not processed, rolled back with such a one.
        again: u64,
        /// Records the system did not mention, or said to be gone; their presence must be checked before the batch is done.
        missing: u64,
        /// Ends that are final.
        tally: Tally,
        /// What became of every record of the batch.
        answers: Answers,
        /// Why, when the system refused the request as a whole and every record of the batch failed with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
        /// Whether the records to be sent again went back with one that fails, or were too heavy together: they go in smaller
        /// batches, until one that fails is alone.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        isolates: bool,
    },
    /// The request or job may have taken effect: the presence of every record of the batch must be checked before any of them
    /// is sent again.
    Unclear {
        /// The batch.
        batch: u64,
        /// Why.
        cause: String,
    },
    /// The presence of all records in doubt was checked, which ends the batch; the results are among the answers.
    PresenceChecked {
        /// The batch.
        batch: u64,
        /// Records of the batch to be sent again, whether by an answer or by a presence check.
        again: u64,
        /// Ends that are final.
        tally: Tally,
        /// What became of every record of the batch.
        answers: Answers,
        /// As in [`Event::Answered`]; known only now where a record was said to be gone and is there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        isolates: bool,
    },
    /// The object with the answers to a batch that had ended is lost: it is taken back, and what
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
    /// The outcomes are in place and the policy is done.
    Finished {
        /// How its records ended.
        tally: Tally,
        /// The object of all outcomes.
        outcomes: Seal,
    },
}
