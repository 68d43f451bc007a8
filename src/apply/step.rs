//! The steps that a policy machine asks for, and how they end.

use jiff::Timestamp;

use super::{Answers, Batch, Event, Fault, JobProgress, SentState, Tally, Ticket};

/// What a policy machine asks for next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write this into the journal; nothing else is to be done.
    Write(Event),
    /// Send the batch in one request.
    Send(Batch),
    /// Make a job for the batch.
    Create(Batch),
    /// Upload the job's records.
    Load(Batch, Ticket),
    /// Start the job.
    Start(Batch, Ticket),
    /// Ask how far the job is.
    Poll(Batch, Ticket),
    /// Give up a job that was not started.
    Abort(Batch, Ticket),
    /// Fetch the ended job's answers.
    Collect(Batch, Ticket),
    /// Look at some of the batch's records.
    CheckPresence {
        /// The batch.
        batch: Batch,
        /// The place in the batch of the first record that is still to be checked.
        from: u64,
        /// What is known of the request or job that had them.
        sent: SentState,
        /// Whether only those are looked at that the look before has left open.
        again: bool,
        /// Whether a record that is shown as it was, although its request or job is over, counts as still there. Until the last look it is
        /// left open: a query may lag behind a deletion.
        last: bool,
    },
    /// Write the ids that are to be sent again into this round's file.
    OpenRound(u32),
    /// Nothing can be done before this moment, or before a step under way has ended; with `None` only the latter.
    Wait(Option<Timestamp>),
    /// Write the outcomes.
    Finish,
    /// Nothing more can be done in this run; the same command continues. The text says why.
    Pause(String),
    /// Nothing more is wanted, since the run was asked to stop; the same command continues.
    Stop,
}

impl Step {
    /// The event that must be durable in the journal before a step that cannot be undone.
    pub fn intent(&self) -> Option<Event> {
        match self {
            Self::Write(event) => Some(event.clone()),
            Self::Send(batch) | Self::Create(batch) => {
                Some(Event::Intended { batch: batch.number, round: batch.round, first: batch.first, count: batch.count })
            }
            Self::Load(batch, _) => Some(Event::Loading { batch: batch.number }),
            Self::Start(batch, _) => Some(Event::Starting { batch: batch.number }),
            _ => None,
        }
    }

    /// The batch the step is about.
    pub fn batch(&self) -> Option<&Batch> {
        match self {
            Self::Send(batch)
            | Self::Create(batch)
            | Self::Load(batch, _)
            | Self::Start(batch, _)
            | Self::Poll(batch, _)
            | Self::Abort(batch, _)
            | Self::Collect(batch, _)
            | Self::CheckPresence { batch, .. } => Some(batch),
            _ => None,
        }
    }
}

/// How a step about a batch ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepEnd {
    /// A load, a start or an abort was accepted.
    Done,
    /// The job was made.
    Created(Ticket),
    /// The job is so far.
    Polled(JobProgress),
    /// Every record of the batch has a status.
    Answered {
        /// Records of status [`super::RecordStatus::Again`].
        again: u64,
        /// Records whose presence must be checked.
        missing: u64,
        /// The others.
        tally: Tally,
        /// What became of every record.
        answers: Answers,
        /// Why, when the request was refused as a whole.
        refused: Option<String>,
        /// Whether the records to be sent again are to go in smaller batches, until one that fails is alone.
        isolates: bool,
    },
    /// The presence of some records was checked, and they have a status.
    PresenceChecked {
        /// The place in the batch of the first record still to be checked; the batch's count if none is.
        next: u64,
        /// If none is: what became of the batch.
        ended: Option<CheckedBatch>,
    },
    /// All were checked, and some that the system should have deleted are shown as they were: these are left open.
    ShownStill,
    /// It failed.
    Failed(Fault),
}

/// What became of a batch, once the presence of all its records in doubt was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedBatch {
    /// Records of status [`super::RecordStatus::Again`].
    pub again: u64,
    /// The others.
    pub tally: Tally,
    /// What became of every record.
    pub answers: Answers,
    /// Whether the records to be sent again are to go in smaller batches, until one that fails is alone.
    pub isolates: bool,
}
