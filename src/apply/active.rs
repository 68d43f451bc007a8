//! A batch that is under way.

use std::time::Duration;

use jiff::Timestamp;

use super::{Batch, JobStage, SentState, Step, Ticket};
use crate::system::{ApiShape, JobStart};

/// The pauses before a record is looked at again that is shown as it was although the system should have deleted it, or said that it is
/// not there. That queries lag behind deletions is documented nowhere, and a minute is a guess; a record that is there costs this minute.
pub(super) const LOOK_AGAIN: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(40)];

/// How far a batch is, as the journal says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// A request is about to be sent, or a job to be made.
    Intended,
    /// The job exists.
    Created,
    /// Its data is about to be uploaded.
    Loading,
    /// Its data is there.
    Loaded,
    /// It is about to be started.
    Starting,
    /// It was started.
    Started,
    /// It has ended.
    Ended,
    /// Nobody knows what became of any of its records.
    Unclear,
    /// It has ended, and nobody knows what became of some of its records.
    Incomplete,
}

/// A batch that is under way: what the journal says of it, and what only this process knows.
#[derive(Clone, Debug)]
pub(super) struct Active {
    pub batch: Batch,
    pub stage: Stage,
    pub ticket: Option<Ticket>,
    pub moment: Moment,
}

/// What only this process knows of a batch. It decides when something is tried, never what became of a record, and is
/// forgotten by a crash.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    /// A step about it is under way.
    pub busy: bool,
    /// Its last step may have had its effect, so the system is asked before anything else.
    pub doubted: bool,
    /// Its job is to be given up.
    pub give_up: bool,
    /// Some of its records must not be sent any more, so that its job is given up if it was not started.
    pub excluded: bool,
    /// Some of those are known to be there still, so that its job is given up also if it runs.
    pub recalled: bool,
    /// Asking about it failed too often; the next run continues it.
    pub parked: bool,
    /// Nothing about it before this moment.
    pub due: Option<Timestamp>,
    /// Failed reads since the last good one.
    pub failures: u32,
    /// Polls that found it running.
    pub polls: u32,
    /// The place in the batch up to which the presence of its records has been checked.
    pub looked: u64,
    /// How often all of them were checked, and some were shown that should be gone.
    pub looks: usize,
    /// Its request or job is not at work any more: it has ended, or it was sent a good while ago.
    pub over: bool,
}

impl Moment {
    fn sent(&self) -> SentState {
        if self.over { SentState::Over } else { SentState::AtWork }
    }
}

impl Active {
    pub(super) fn new(batch: Batch) -> Self {
        Self { batch, stage: Stage::Intended, ticket: None, moment: Moment::default() }
    }

    /// Moves on to what the journal says now.
    pub(super) fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.moment.doubted = false;
        self.moment.give_up = false;
        self.moment.failures = 0;
        self.moment.polls = 0;
    }

    /// All of its records are looked at once more, after a while.
    pub(super) fn look_again(&mut self, now: Timestamp) {
        let pause = LOOK_AGAIN.get(self.moment.looks).copied().unwrap_or_default();
        self.moment.looks += 1;
        self.moment.looked = 0;
        self.moment.due = Some(now.checked_add(pause).unwrap_or(Timestamp::MAX));
    }

    /// Whether it goes on although the policy has to wait for a person: only what the system may be working on.
    pub(super) fn outlasts_a_stop(&self, shape: ApiShape) -> bool {
        self.stage == Stage::Intended || !self.may_be_abandoned(shape)
    }

    /// Whether it has certainly had no effect, once it is known that it will have none.
    pub(super) fn may_be_abandoned(&self, shape: ApiShape) -> bool {
        let starts = shape.jobs().map(|jobs| jobs.starts);
        match self.stage {
            Stage::Intended => true,
            Stage::Created => starts != Some(JobStart::OnCreate),
            Stage::Loading | Stage::Loaded => starts == Some(JobStart::ByStart),
            _ => false,
        }
    }

    /// The next step, apart from waiting; `None` for a batch whose first step is under way. `retiring` says that no more
    /// records may be handed to the system.
    pub(super) fn step(&self, shape: ApiShape, retiring: bool) -> Option<Step> {
        let batch = self.batch.clone();
        let ticket = || self.ticket.clone().map(|ticket| (self.batch.clone(), ticket));
        let doubted = self.moment.doubted;
        let needs_no_load = shape.jobs().is_some_and(|jobs| jobs.starts == JobStart::OnCreate);
        match self.stage {
            Stage::Intended => None,
            Stage::Created | Stage::Loading | Stage::Loaded | Stage::Starting | Stage::Started if self.moment.give_up => {
                ticket().map(|(batch, ticket)| Step::Abort(batch, ticket))
            }
            // At `Loading` only when it was found that the load had no effect, or may be repeated.
            Stage::Created | Stage::Loading if !doubted && !retiring && !needs_no_load => {
                ticket().map(|(batch, ticket)| Step::Load(batch, ticket))
            }
            Stage::Loaded | Stage::Starting if !doubted && !retiring => {
                ticket().map(|(batch, ticket)| Step::Start(batch, ticket))
            }
            Stage::Created | Stage::Loading | Stage::Loaded | Stage::Starting | Stage::Started => {
                ticket().map(|(batch, ticket)| Step::Poll(batch, ticket))
            }
            Stage::Ended => ticket().map(|(batch, ticket)| Step::Collect(batch, ticket)),
            Stage::Unclear | Stage::Incomplete => {
                let sent = if self.stage == Stage::Unclear { self.moment.sent() } else { SentState::Ended };
                let (again, last) = (self.moment.looks > 0, self.moment.looks >= LOOK_AGAIN.len());
                Some(Step::CheckPresence { batch, from: self.moment.looked, sent, again, last })
            }
        }
    }
}

/// What a poll tells about a batch, see [`judge_poll`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PollVerdict {
    /// The start has taken effect.
    Started,
    /// The job has ended.
    Ended,
    /// It is still running.
    Running,
    /// It was not loaded, or may be loaded again, and may be loaded now.
    Loadable,
    /// It was not started and may be started now.
    Startable,
    /// It was not started, and its data may not be whole: it is to be given up.
    Useless,
    /// It was never started, and never will be.
    NeverWas,
    /// It may have run and does not exist any more.
    Lost,
}

/// What it means that the system says `seen` about a job at `stage`.
///
/// An API whose upload begins the work shows a job as [`JobStage::Open`] only when no upload has arrived; one whose jobs begin with
/// their creation, only when it has not come to it yet.
pub(super) fn judge_poll(shape: ApiShape, stage: &Stage, seen: JobStage) -> PollVerdict {
    let jobs = shape.jobs();
    let begins_at_once = jobs.is_some_and(|jobs| jobs.starts == JobStart::OnCreate);
    match (stage, seen) {
        (Stage::Created, JobStage::Gone) if begins_at_once => PollVerdict::Lost,
        (Stage::Created, _) if begins_at_once => PollVerdict::Started,
        (Stage::Started, JobStage::Complete | JobStage::Broken) => PollVerdict::Ended,
        (Stage::Started, JobStage::Open | JobStage::Running) => PollVerdict::Running,
        (Stage::Created, JobStage::Broken | JobStage::Gone) => PollVerdict::NeverWas,
        (_, JobStage::Running | JobStage::Complete | JobStage::Broken) => PollVerdict::Started,
        (Stage::Created, JobStage::Open) => PollVerdict::Loadable,
        (Stage::Loading, JobStage::Open) if jobs.is_some_and(|jobs| jobs.may_be_loaded_again) => PollVerdict::Loadable,
        (Stage::Loaded | Stage::Starting, JobStage::Open) => PollVerdict::Startable,
        (_, JobStage::Open) => PollVerdict::Useless,
        (_, JobStage::Gone) => PollVerdict::Lost,
    }
}
