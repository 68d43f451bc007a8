//! One policy's execution as a state machine.

mod failure;
mod poll;
mod size;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::active::{Active, Stage};
use super::{Batch, CheckedBatch, Event, Seal, SkipCause, Step, StepEnd, Tally, back_off};
use crate::plan::CLOCK_TOLERANCE;
use crate::system::{ApiShape, JobAbort};

/// The most rounds of a policy, apart from those that were cut short and those whose batches are halved. What the last one
/// leaves to be sent again has failed.
pub const ROUNDS: u32 = 6;

/// After this many consecutive requests refused as a whole the policy is halted: the next would be refused too.
const REFUSALS: u32 = 3;
/// An unanswered request may still be at work; it is given this long before the system is asked what came of it.
const DOUBT: Duration = Duration::from_secs(2);
/// So long an unanswered request may be at work: Salesforce ends a call after ten minutes, Zuora after two. For both of two clocks
/// that may be wrong is added what the gate on clocks allows.
const AT_WORK: SignedDuration = SignedDuration::from_mins(15);
/// The pauses before later rounds.
const ROUND_PAUSE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(120));

/// The pauses between polls of a job.
const POLL: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// What a machine is told once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineSettings {
    /// How the API takes records, and what its jobs allow.
    pub shape: ApiShape,
    /// Whether batches are as large in later rounds as in the first, apart from those that are halved: atomic ones,
    /// and those that keep groups together.
    pub same_size: bool,
    /// The most records in a batch of round 0.
    pub batch_size: u64,
    /// How many records of a batch the system deletes in one transaction, which is where halving begins to help.
    pub transaction: u64,
    /// The most batches under way at once.
    pub parallel: u32,
    /// What pauses are drawn from.
    pub seed: u64,
}

/// The state of a machine, for messages and for writing the outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineStatus {
    /// The last opened round.
    pub round: u32,
    /// The records whose outcome is final so far, including the excluded ones, as skipped.
    pub tally: Tally,
    /// Why nothing more is sent, and what becomes of what was never sent.
    pub halted: Option<(String, SkipCause)>,
    /// How the policy ended.
    pub finished: Option<(Tally, Seal)>,
}

/// A journal that does not tell a history: damaged, or of another program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal has `{event}` where it cannot be: {why}")]
pub struct MachineError {
    event: String,
    why: &'static str,
}

#[derive(Clone, Debug, Default)]
struct Round {
    number: u32,
    /// How many earlier rounds were sent completely, not counting those after which batches were halved.
    attempt: u32,
    /// The most records of a batch since batches were halved, to isolate records that fail or since they were too heavy.
    halved: Option<u64>,
    count: u64,
    /// The place of the first record that was never in a batch.
    cursor: u64,
    /// Records of it to be sent again in the next round.
    again: u64,
    /// Whether some of them go again in smaller batches, to isolate one that fails or since they were too heavy together.
    isolates: bool,
}

/// One policy's execution: a fold over journal events, and nothing besides but when to try what.
///
/// It holds counters and the batches under way, however many records there are. What became of a record follows from the events
/// given to [`PolicyMachine::record`] alone; the other methods only affect what is tried, and when.
///
/// **Invariants**: a record is in at most one batch under way; a record of an unclear batch is in no other batch until its
/// presence has been checked; only records of the rounds' files are sent.
#[derive(Clone, Debug)]
pub struct PolicyMachine {
    settings: MachineSettings,
    round: Option<Round>,
    /// Ranges of the round that an abandoned batch left, to be cut anew.
    free: VecDeque<(u64, u64)>,
    active: BTreeMap<u64, Active>,
    next_batch: u64,
    tally: Tally,
    refusals: u32,
    refusal: String,
    halted: Option<(String, SkipCause)>,
    finished: Option<(Tally, Seal)>,
    // What follows is forgotten by a crash.
    paused_until: Option<Timestamp>,
    setbacks: u32,
    round_due: Option<(u32, Timestamp)>,
    stuck: Option<String>,
    stopping: bool,
    /// The round has records that must not be sent any more: the rest of it goes in a round without them.
    cut_short: bool,
}

impl PolicyMachine {
    /// A machine to which nothing has happened.
    pub fn new(settings: MachineSettings) -> Self {
        Self {
            settings,
            round: None,
            free: VecDeque::new(),
            active: BTreeMap::new(),
            next_batch: 0,
            tally: Tally::default(),
            refusals: 0,
            refusal: String::new(),
            halted: None,
            finished: None,
            paused_until: None,
            setbacks: 0,
            round_due: None,
            stuck: None,
            stopping: false,
            cut_short: false,
        }
    }

    /// Its present state.
    pub fn status(&self) -> MachineStatus {
        MachineStatus {
            round: self.round.as_ref().map_or(0, |round| round.number),
            tally: self.tally,
            halted: self.halted.clone(),
            finished: self.finished,
        }
    }

    /// Whether a batch was ever about to be sent.
    pub fn has_begun(&self) -> bool {
        self.next_batch > 0
    }

    /// Takes one event of the journal, old or new.
    ///
    /// # Errors
    ///
    /// When the event cannot follow what came before.
    pub fn record(&mut self, event: &Event) -> Result<(), MachineError> {
        let wrong = |why| MachineError { event: format!("{event:?}").chars().take(120).collect(), why };
        if self.finished.is_some() {
            return Err(wrong("the policy is done"));
        }
        match event {
            Event::RunOpened { .. } | Event::RunAbandoned { .. } => {}
            Event::RoundOpened { round: 0, count, excluded, .. } => {
                if self.round.is_some() {
                    return Err(wrong("the first round was opened before"));
                }
                self.round = Some(Round { count: *count, ..Round::default() });
                self.tally.skipped += excluded.map_or(0, |excluded| excluded.count);
            }
            Event::RoundOpened { round: number, count, excluded, .. } => {
                let excluded = excluded.map_or(0, |excluded| excluded.count);
                let unsent: u64 = self.unsent().iter().map(|(_, count)| count).sum();
                let before = self.round.as_ref().filter(|round| {
                    round.number + 1 == *number && round.again + unsent == *count + excluded && self.active.is_empty()
                });
                let before =
                    before.ok_or_else(|| wrong("the round before it is not done, or left a different number of records"))?;
                let halved = if before.isolates { Some(self.half_of(before)) } else { before.halved };
                let attempt = before.attempt + u32::from(unsent == 0 && !before.isolates);
                self.round = Some(Round { number: *number, attempt, halved, count: *count, ..Round::default() });
                self.free.clear();
                self.tally.skipped += excluded;
                self.cut_short = false;
            }
            Event::Intended { batch, round, first, count } => {
                let batch = Batch { number: *batch, round: *round, first: *first, count: *count };
                if !self.allot(&batch) {
                    return Err(wrong("these records are not free to be sent"));
                }
                self.next_batch = batch.number + 1;
                self.active.insert(batch.number, Active::new(batch));
            }
            Event::Created { batch, ticket } => {
                let active = self.at(*batch, &[Stage::Intended]).ok_or_else(|| wrong("the batch is at another stage"))?;
                active.ticket = Some(ticket.clone());
                active.enter(Stage::Created);
            }
            Event::Loading { batch } => {
                self.advance(*batch, &[Stage::Created, Stage::Loading], Stage::Loading).map_err(wrong)?;
            }
            Event::Loaded { batch } => self.advance(*batch, &[Stage::Loading], Stage::Loaded).map_err(wrong)?,
            Event::Starting { batch } => {
                self.advance(*batch, &[Stage::Loaded, Stage::Starting], Stage::Starting).map_err(wrong)?;
            }
            Event::Started { batch } => {
                let before = [Stage::Created, Stage::Loading, Stage::Loaded, Stage::Starting];
                self.advance(*batch, &before, Stage::Started).map_err(wrong)?;
                self.setbacks = 0;
            }
            Event::Ended { batch, .. } => self.advance(*batch, &[Stage::Started], Stage::Ended).map_err(wrong)?,
            Event::Unclear { batch, .. } => {
                let active = self.active.get_mut(batch).ok_or_else(|| wrong("the batch is not under way"))?;
                active.moment.over |= matches!(active.stage, Stage::Ended | Stage::Incomplete);
                active.enter(Stage::Unclear);
            }
            Event::Answered { batch, again, missing, tally, refused, isolates, .. } => {
                // At `Loading` when the system did not accept the job's records, so that it is never started.
                self.at(*batch, &[Stage::Intended, Stage::Loading, Stage::Ended])
                    .ok_or_else(|| wrong("the batch is at another stage"))?;
                self.count(*batch, *again, *missing, tally).map_err(wrong)?;
                self.refusals = if refused.is_some() { self.refusals + 1 } else { 0 };
                self.refusal = refused.clone().unwrap_or_default();
                if let Some(round) = self.round.as_mut() {
                    round.isolates |= *isolates;
                }
            }
            Event::PresenceChecked { batch, again, tally, isolates, .. } => {
                self.at(*batch, &[Stage::Unclear, Stage::Incomplete])
                    .ok_or_else(|| wrong("the batch is at another stage"))?;
                self.count(*batch, *again, 0, tally).map_err(wrong)?;
                if let Some(round) = self.round.as_mut() {
                    round.isolates |= *isolates;
                }
            }
            Event::Lost { batch, round: number, first, count, again, tally } => {
                let batch = Batch { number: *batch, round: *number, first: *first, count: *count };
                self.take_back(batch, *again, *tally).ok_or_else(|| wrong("no such answers were booked"))?;
            }
            Event::Abandoned { batch, .. } => {
                let active = self.active.get(batch).filter(|active| active.may_be_abandoned(self.settings.shape));
                let active = active.ok_or_else(|| wrong("the batch may have had an effect"))?;
                self.free.push_back((active.batch.first, active.batch.count));
                self.active.remove(batch);
            }
            Event::Halted { cause, skip } => self.halted = Some((cause.clone(), *skip)),
            Event::Finished { tally, outcomes } => {
                if !self.active.is_empty() {
                    return Err(wrong("batches are under way"));
                }
                self.finished = Some((*tally, *outcomes));
            }
        }
        Ok(())
    }

    /// Takes the records of `batch` out of those that are free; `false` when they are not.
    fn allot(&mut self, batch: &Batch) -> bool {
        let Some(round) = self.round.as_mut().filter(|round| round.number == batch.round) else { return false };
        if batch.number != self.next_batch || batch.count == 0 {
            return false;
        }
        if batch.first == round.cursor {
            let fits = batch.count <= round.count - round.cursor;
            if fits {
                round.cursor += batch.count;
            }
            return fits;
        }
        let range = self.free.iter_mut().find(|range| range.0 == batch.first && range.1 >= batch.count);
        let Some(range) = range else { return false };
        *range = (range.0 + batch.count, range.1 - batch.count);
        self.free.retain(|range| range.1 > 0);
        true
    }

    fn at(&mut self, batch: u64, stages: &[Stage]) -> Option<&mut Active> {
        self.active.get_mut(&batch).filter(|active| stages.contains(&active.stage))
    }

    fn advance(&mut self, batch: u64, from: &[Stage], to: Stage) -> Result<(), &'static str> {
        self.at(batch, from).ok_or("the batch is at another stage")?.enter(to);
        Ok(())
    }

    /// Books the statuses of a batch, which ends with that unless some are missing.
    fn count(&mut self, batch: u64, again: u64, missing: u64, tally: &Tally) -> Result<(), &'static str> {
        let Some(active) = self.active.get_mut(&batch) else { return Err("the batch is not under way") };
        if again + missing + tally.total() != active.batch.count {
            return Err("the numbers do not add up to the batch's records");
        }
        self.setbacks = 0;
        if missing > 0 {
            // Nothing is counted yet: the presence check ends the batch and counts all of it.
            active.enter(Stage::Incomplete);
            return Ok(());
        }
        let number = active.batch.round;
        self.active.remove(&batch);
        match self.round.as_mut().filter(|round| round.number == number) {
            Some(round) => round.again += again,
            // Its round is over, so that nothing of it is sent again but what the next one has anyway.
            None => self.tally.failed += again,
        }
        self.tally += *tally;
        Ok(())
    }

    /// Takes back what was booked for a batch that has ended.
    fn take_back(&mut self, batch: Batch, again: u64, tally: Tally) -> Option<()> {
        if batch.number >= self.next_batch || self.active.contains_key(&batch.number) {
            return None;
        }
        let round = self.round.as_mut().filter(|round| batch.round <= round.number)?;
        if batch.round == round.number {
            round.again = round.again.checked_sub(again)?;
        }
        self.tally = self.tally.without(tally)?;
        let mut active = Active::new(batch);
        active.enter(Stage::Unclear);
        // It was answered.
        active.moment.over = true;
        self.active.insert(active.batch.number, active);
        Some(())
    }

    /// After a journal has been told, whose last entry was written at `last`: nothing is under way in this process, so whatever was
    /// begun and not answered is in doubt. The request of a process that has just died may still be at work.
    pub fn resume(&mut self, now: Timestamp, last: Option<Timestamp>) {
        let long_ago = last.is_some_and(|last| now.duration_since(last) > AT_WORK + CLOCK_TOLERANCE * 2);
        for active in self.active.values_mut() {
            active.moment.doubted = true;
            active.moment.over |= long_ago;
            if active.stage == Stage::Intended {
                active.moment.due = Some(later(now, DOUBT));
            }
        }
    }

    /// The ranges of the round's places, each with its length, whose records are in no batch.
    pub fn unsent(&self) -> Vec<(u64, u64)> {
        let rest = self.round.iter().map(|round| (round.cursor, round.count - round.cursor)).filter(|(_, count)| *count > 0);
        self.free.iter().copied().chain(rest).collect()
    }

    /// The record at this place of the round must not be sent any more.
    ///
    /// When it was not, the round is cut short: what is under way is settled, and the rest goes in a new round without it. A
    /// job that has it is given up if it was not started, and also one that runs when the record is certainly `there`: one
    /// that is not may just have been deleted by that job. Whoever writes the next round leaves the record out in any case.
    ///
    /// Gives the number of the batch that has it, where that was sent and cannot be taken back.
    pub fn exclude(&mut self, place: u64, there: bool) -> Option<u64> {
        let within = |first: u64, count: u64| (first..first + count).contains(&place);
        let number = self.round.as_ref().map_or(0, |round| round.number);
        let has_it = |active: &&mut Active| active.batch.round == number && within(active.batch.first, active.batch.count);
        match self.active.values_mut().find(has_it) {
            Some(active) => {
                active.moment.excluded = true;
                active.moment.recalled |= there;
                let can_be_taken_back = active.may_be_abandoned(self.settings.shape);
                // A request is never sent again in the same round.
                self.cut_short |= self.settings.shape.creates_idle_jobs() && can_be_taken_back;
                (!can_be_taken_back).then_some(active.batch.number)
            }
            None => {
                self.cut_short |= self.unsent().iter().any(|(first, count)| within(*first, *count));
                None
            }
        }
    }

    /// The run is given up: every job under way that can be stopped is to be stopped, also one that runs.
    pub fn give_up(&mut self) {
        for active in self.active.values_mut() {
            active.moment.excluded = true;
            active.moment.recalled = true;
        }
    }

    /// How many records are in batches under way, of which it is not known what became of them.
    pub fn in_doubt(&self) -> u64 {
        self.active.values().map(|active| active.batch.count).sum()
    }

    /// The batches under way without answers that are not recorded as unclear yet.
    pub fn unanswered(&self) -> impl Iterator<Item = &Batch> {
        let answered = |active: &&Active| matches!(active.stage, Stage::Unclear | Stage::Incomplete);
        self.active.values().filter(move |active| !answered(active)).map(|active| &active.batch)
    }

    /// Hands out nothing more; steps under way are still told to [`PolicyMachine::close`].
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// The next step. Once its intent is written and recorded, a step about a batch must be passed to [`PolicyMachine::begin`].
    pub fn next(&mut self, now: Timestamp) -> Step {
        let under_way = self.active.values().filter(|active| active.moment.busy).count();
        let (busy, all_hands) = (under_way > 0, under_way >= self.settings.parallel.max(1) as usize);
        if self.stopping {
            return if busy { Step::Wait(None) } else { Step::Stop };
        }
        if let Some(event) = self.duty() {
            return Step::Write(event);
        }
        let retiring = self.halted.is_some() || self.stuck.is_some();
        let collecting = self.active.values().any(|active| active.moment.busy && active.stage == Stage::Ended);
        let mut earliest: Option<Timestamp> = None;
        let mut sooner = |moment: Timestamp| earliest = Some(earliest.map_or(moment, |known| known.min(moment)));
        // More batches than that are there only when answers were lost.
        let idle = self.active.values().filter(|active| !all_hands && !active.moment.busy && !active.moment.parked);
        for active in idle {
            // One download at a time: each needs its own window of memory.
            let waits_its_turn = active.stage == Stage::Ended && collecting;
            if waits_its_turn || (self.stuck.is_some() && !active.outlasts_a_stop(self.settings.shape)) {
                continue;
            }
            match active.moment.due {
                Some(due) if due > now => sooner(due),
                _ => {
                    if let Some(step) = active.step(self.settings.shape, retiring) {
                        return step;
                    }
                }
            }
        }
        if !retiring
            && !self.cut_short
            && let Some(batch) = self.cut()
        {
            let due = self.paused_until.max(self.round_pause(now));
            match due.filter(|due| *due > now) {
                Some(due) => sooner(due),
                None => {
                    return match self.settings.shape {
                        ApiShape::Requests => Step::Send(batch),
                        ApiShape::Jobs(_) => Step::Create(batch),
                    };
                }
            }
        }
        if busy || earliest.is_some() {
            return Step::Wait(earliest);
        }
        self.ending()
    }

    /// What is to be written before anything else.
    fn duty(&self) -> Option<Event> {
        if self.refusals >= REFUSALS && self.halted.is_none() {
            let cause = format!("{REFUSALS} requests in a row were refused as a whole, the last one with {}", self.refusal);
            return Some(Event::Halted { cause, skip: SkipCause::Stopped });
        }
        let orphan = self
            .active
            .values()
            .find(|active| active.stage == Stage::Intended && active.moment.doubted && !active.moment.busy)?;
        let batch = orphan.batch.number;
        Some(if self.settings.shape.creates_idle_jobs() {
            // Whether the job exists is not known, and need not be: it was never started, so it has deleted nothing and never
            // will. The system removes it by itself some days later. It is not aborted, since without its id it cannot be told
            // from one that another program has just made.
            Event::Abandoned {
                batch,
                cause: "the run ended before the system gave the job's id; it was never started".into(),
            }
        } else {
            Event::Unclear { batch, cause: "the run ended before the answer came".into() }
        })
    }

    /// The next batch of the round, and `None` when all of it was handed out or no more batches may be under way.
    fn cut(&self) -> Option<Batch> {
        let round = self.round.as_ref()?;
        if self.active.len() >= self.settings.parallel.max(1) as usize {
            return None;
        }
        let size = self.size(round);
        let (first, left) = self.free.front().copied().unwrap_or((round.cursor, round.count - round.cursor));
        (left > 0).then(|| Batch { number: self.next_batch, round: round.number, first, count: left.min(size) })
    }

    /// When a later round may begin: it waits, so that whatever held the locks can end.
    fn round_pause(&mut self, now: Timestamp) -> Option<Timestamp> {
        let round = self.round.as_ref().filter(|round| round.attempt > 0)?;
        if self.round_due.is_none_or(|(number, _)| number != round.number) {
            let pause = back_off(ROUND_PAUSE.0, ROUND_PAUSE.1, round.attempt, self.settings.seed);
            self.round_due = Some((round.number, later(now, pause)));
        }
        self.round_due.map(|(_, due)| due)
    }

    /// What to do when nothing is under way and nothing can be begun.
    fn ending(&self) -> Step {
        let Some(round) = &self.round else { return Step::Pause("its records have not been cleared yet".into()) };
        let unsent = !self.unsent().is_empty();
        let cut_short = unsent && self.cut_short;
        if !self.active.is_empty() || (unsent && !cut_short && self.halted.is_none()) {
            return Step::Pause(self.stuck.clone().unwrap_or_else(|| "no step is left".into()));
        }
        if cut_short {
            return Step::OpenRound(round.number + 1);
        }
        if self.halted.is_some()
            || round.again == 0
            || (!self.may_be_halved(round) && (round.isolates || round.attempt + 1 >= ROUNDS))
        {
            return Step::Finish;
        }
        match &self.stuck {
            Some(cause) => Step::Pause(cause.clone()),
            None => Step::OpenRound(round.number + 1),
        }
    }

    /// Notes that the caller has begun this step.
    pub fn begin(&mut self, step: &Step) {
        if let Some(active) = step.batch().and_then(|batch| self.active.get_mut(&batch.number)) {
            active.moment.busy = true;
            if step.intent().is_some() {
                active.moment.over = false;
            }
        }
    }

    /// A step about a batch has ended. What comes back must be written and recorded before anything else is asked.
    pub fn close(&mut self, step: &Step, end: StepEnd, now: Timestamp) -> Option<Event> {
        let number = step.batch()?.number;
        self.active.get_mut(&number)?.moment.busy = false;
        if let StepEnd::Failed(fault) = end {
            return self.failed(step, number, &fault, now);
        }
        let may_be_recalled = self.may_be_aborted(JobAbort::AnyTime);
        let active = self.active.get_mut(&number)?;
        active.moment.failures = 0;
        match (step, end) {
            (_, StepEnd::Created(ticket)) => Some(Event::Created { batch: number, ticket }),
            (Step::Load(..), StepEnd::Done) => Some(Event::Loaded { batch: number }),
            (Step::Start(..), StepEnd::Done) => {
                active.moment.due = Some(later(now, POLL.0));
                Some(Event::Started { batch: number })
            }
            (Step::Abort(..), StepEnd::Done) => match active.stage {
                Stage::Started => {
                    active.moment.give_up = false;
                    None
                }
                _ if active.may_be_abandoned(self.settings.shape) => Some(Event::Abandoned {
                    batch: number,
                    cause: "the job was found not started, and was abandoned".into(),
                }),
                // It may have come to some of its records before it was stopped. Its answers tell.
                _ if may_be_recalled => Some(Event::Started { batch: number }),
                _ => {
                    active.moment.due = Some(later(now, DOUBT));
                    Some(Event::Unclear { batch: number, cause: "the job was not started, and cannot be stopped".into() })
                }
            },
            (_, StepEnd::Polled(progress)) => self.polled(number, progress.stage, now),
            (_, StepEnd::Answered { again, missing, tally, answers, refused, isolates }) => {
                Some(Event::Answered { batch: number, again, missing, tally, answers, refused, isolates })
            }
            (_, StepEnd::ShownStill) => {
                active.look_again(now);
                None
            }
            (_, StepEnd::PresenceChecked { next, ended }) => {
                active.moment.looked = next;
                ended.map(|CheckedBatch { again, tally, answers, isolates }| Event::PresenceChecked {
                    batch: number,
                    again,
                    tally,
                    answers,
                    isolates,
                })
            }
            _ => None,
        }
    }

    fn may_be_aborted(&self, when: JobAbort) -> bool {
        self.settings.shape.jobs().is_some_and(|jobs| jobs.may_be_aborted == when)
    }
}

/// The moment `pause` after `now`, or the end of time.
fn later(now: Timestamp, pause: Duration) -> Timestamp {
    now.checked_add(pause).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
