//! The steps of a machine, done.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::execute_error::ExecuteError;
use super::fault::fault_of;
use super::policy_run::PolicyRun;
use super::round::RoundFiles;
use super::run::Run;
use crate::apply::{
    Answer, AnswerVerdict, AtomicStatuses, Batch, CheckedBatch, Evidence, Fault, FaultKind, IdSource, Presence,
    RecordStatus, SentState, Step, StepEnd, Ticket, settled_atomic, statuses_of_atomic,
};
use crate::base::{Failure, FailureClass, RecordId, coded};
use crate::provider::{AnswerSink, DeleteHalf, DeleteJobs, DeleteRequests, ProviderError};
use crate::store::{AnswerPairing, BatchIds, EncodedStatus, write_answers};

/// How many records are settled in one step if no system is asked about them.
const UNASKED_AT_ONCE: usize = 1_000;

/// Does the steps of one policy's machine: one call of the provider each, and its answers into the statuses file.
pub(super) struct StepRunner<'a> {
    run: &'a Run<'a>,
    input: &'a PolicyRun,
}

/// One check of the presence of some records of a batch, as [`Step::CheckPresence`] asks for it.
#[derive(Clone, Copy)]
struct Look {
    from: u64,
    sent: SentState,
    again: bool,
    /// Whether a record that is shown as it was is left open, since queries may lag behind deletions.
    may_lag: bool,
}

/// Hands a job's answers on to their pairing, and keeps the first error of this machine.
struct PairingSink<'a> {
    pairing: AnswerPairing<'a>,
    /// How many records the job has.
    count: u64,
    /// Whether some were too heavy together.
    halves: bool,
    /// Whether one was deleted.
    deleted: bool,
    error: Option<std::io::Error>,
}

impl AnswerSink for PairingSink<'_> {
    fn answer(&mut self, answer: Answer) -> std::io::Result<()> {
        self.deleted |= answer.verdict == AnswerVerdict::Deleted;
        self.halves |= self.count > 1 && is_too_heavy(&answer.verdict);
        self.pairing.push(&answer.id, &RecordStatus::of_verdict(answer.verdict, self.count)).map_err(|error| {
            let words = std::io::Error::new(error.kind(), "the answer could not be kept");
            self.error = Some(error);
            words
        })
    }
}

impl<'a> StepRunner<'a> {
    pub(super) fn new(run: &'a Run<'a>, input: &'a PolicyRun) -> Self {
        Self { run, input }
    }

    /// Does one step about a batch. One that only asks is given up when the run is to stop: a system may have asked for a wait of
    /// minutes, and the next command asks again.
    pub(super) async fn run(&self, step: Step, round: &RoundFiles) -> Result<(Step, StepEnd), ExecuteError> {
        if !matches!(step, Step::Poll(..) | Step::Collect(..) | Step::CheckPresence { .. }) {
            return self.run_whole(step, round).await;
        }
        tokio::select! {
            biased;
            ended = self.run_whole(step.clone(), round) => ended,
            () = self.run.stop.cancelled() => {
                let message = "what became of a batch is not asked any more, since the run is to stop".to_owned();
                let failure = Failure { class: FailureClass::Transient, code: "interrupted".to_owned(), message };
                Ok((step, StepEnd::Failed(Fault { kind: FaultKind::Later { wait: None }, failure })))
            }
        }
    }

    async fn run_whole(&self, step: Step, round: &RoundFiles) -> Result<(Step, StepEnd), ExecuteError> {
        let specification = &self.input.specification;
        let done = |result: Result<(), ProviderError>| result.map_or_else(|error| failed(&error), |()| StepEnd::Done);
        if let Step::CheckPresence { batch, from, sent, again, last } = &step {
            // What a request that may still be at work leaves is sent again, or ends unknown.
            let may_lag = *sent != SentState::AtWork && !last;
            let look = Look { from: *from, sent: *sent, again: *again, may_lag };
            let end = self.check_presence(batch, look, round).await?;
            return Ok((step, end));
        }
        let end = match (&step, self.input.provider()?.delete_half(specification)) {
            (Step::Send(batch), Ok(DeleteHalf::Requests(requests))) => self.send(&*requests, batch, round).await?,
            (Step::Create(batch), Ok(DeleteHalf::Jobs(jobs))) => {
                let ids = BatchIds::new(Arc::clone(&round.ids), batch);
                match jobs.create(&ids).await {
                    Ok(ticket) => StepEnd::Created(ticket),
                    Err(error) => self.refused(batch, round, &error).await?,
                }
            }
            (Step::Load(batch, ticket), Ok(DeleteHalf::Jobs(jobs))) => {
                let ids = Arc::new(BatchIds::new(Arc::clone(&round.ids), batch));
                match jobs.load(ticket, ids).await {
                    Ok(()) => StepEnd::Done,
                    // The job is not what was asked for. It is left as it is, and never started.
                    Err(error) if specification.api.shape().jobs().is_some_and(|jobs| jobs.may_be_loaded_again) => {
                        self.refused(batch, round, &error).await?
                    }
                    Err(error) => failed(&error),
                }
            }
            (Step::Start(_, ticket), Ok(DeleteHalf::Jobs(jobs))) => done(jobs.start(ticket).await),
            (Step::Abort(_, ticket), Ok(DeleteHalf::Jobs(jobs))) => done(jobs.abort(ticket).await),
            (Step::Poll(_, ticket), Ok(DeleteHalf::Jobs(jobs))) => match jobs.poll(ticket).await {
                Ok(progress) => {
                    if let Some(message) = &progress.message {
                        self.run.observer.warn(&format!("{}: job {}: {message}", specification.policy, ticket.0));
                    }
                    StepEnd::Polled(progress)
                }
                Err(error) => failed(&error),
            },
            (Step::Collect(batch, ticket), Ok(DeleteHalf::Jobs(jobs))) => self.collect(&*jobs, batch, ticket, round).await?,
            (Step::Send(batch) | Step::Create(batch), Err(error)) => self.refused(batch, round, &error).await?,
            (_, Err(error)) if step.batch().is_some() => failed(&error),
            _ => {
                return Err(ExecuteError::Misuse {
                    policy: specification.policy.clone(),
                    why: "was asked for a step that its API does not have, or that is about no batch",
                });
            }
        };
        Ok((step, end))
    }

    /// For errors about the files of a round.
    fn status_error(&self, round: &RoundFiles) -> impl Fn(std::io::Error) -> ExecuteError {
        let path = self.run.scratch.statuses(&self.input.specification.policy, round.number).path().to_owned();
        move |source| ExecuteError::File { doing: "use the answers in", path: path.clone(), source }
    }

    async fn send(&self, requests: &dyn DeleteRequests, batch: &Batch, round: &RoundFiles) -> Result<StepEnd, ExecuteError> {
        let error = self.status_error(round);
        let ids = BatchIds::new(Arc::clone(&round.ids), batch).read(0, usize::MAX).map_err(&error)?;
        let answers = match requests.send(&ids).await {
            Ok(answers) => answers,
            Err(error) => return self.refused(batch, round, &error).await,
        };
        let (verdicts, mut distrusted) = pair(&ids, answers);
        let deleted = verdicts.iter().flatten().filter(|verdict| **verdict == AnswerVerdict::Deleted).count();
        if self.input.specification.atomic && deleted < ids.len() {
            // All or none: where one is not deleted, none can be.
            distrusted += deleted as u64;
        }
        if distrusted > 0 {
            self.warn_of_answers(batch, distrusted);
            if self.input.specification.atomic {
                // All or none: without every answer nobody knows which.
                let cause = "there is not exactly one answer for each record of the batch";
                return Ok(StepEnd::Failed(unclear("answers-mismatch", cause)));
            }
        }
        let AtomicStatuses { statuses, isolates } = if self.input.specification.atomic {
            statuses_of_atomic(verdicts.into_iter().flatten(), self.input.isolate_failures)
        } else {
            let isolates = batch.count > 1 && verdicts.iter().flatten().any(is_too_heavy);
            let status = |verdict| RecordStatus::of_verdict(verdict, batch.count);
            let statuses = verdicts.into_iter().map(|verdict| verdict.map_or(RecordStatus::Missing, status)).collect();
            AtomicStatuses { statuses, isolates }
        };
        let raw =
            statuses.iter().map(|status| round.statuses.encode(status)).collect::<Result<Vec<_>, _>>().map_err(&error)?;
        round.statuses.write(batch.first, &raw).map_err(&error)?;
        self.answered(batch, round, None, isolates).await
    }

    /// A request or a job that was not accepted: when it never can be, every record of the batch has failed with it. One that was not
    /// accepted since something is not there says the same of each record, and whether that is so is checked.
    async fn refused(&self, batch: &Batch, round: &RoundFiles, error: &ProviderError) -> Result<StepEnd, ExecuteError> {
        let fault = fault_of(error);
        if !matches!(fault.kind, FaultKind::Refused | FaultKind::Missing) {
            return Ok(StepEnd::Failed(fault));
        }
        self.run.observer.warn(&format!("{}: {error}", self.input.specification.policy));
        let error = self.status_error(round);
        // Batches that are too heavy are halved, and an atomic one only where it may be taken apart.
        let halves = fault.failure.class == FailureClass::TooHeavy && !self.input.specification.atomic;
        let isolates = (self.input.isolate_failures || halves) && batch.count > 1;
        // While failing records are isolated, a refusal is about one of them, and does not tell that the next one comes too.
        let cause = (!self.input.isolate_failures && !halves).then(|| fault.to_string());
        let status = if isolates {
            RecordStatus::again(fault.failure)
        } else if fault.kind == FaultKind::Missing {
            RecordStatus::SaidGone(fault.failure)
        } else {
            RecordStatus::Failed(fault.failure, Evidence::Answer)
        };
        let status = round.statuses.encode(&status).map_err(&error)?;
        round.statuses.fill(batch.first, batch.count, status).map_err(&error)?;
        self.answered(batch, round, cause, isolates).await
    }

    async fn collect(
        &self,
        jobs: &dyn DeleteJobs,
        batch: &Batch,
        ticket: &Ticket,
        round: &RoundFiles,
    ) -> Result<StepEnd, ExecuteError> {
        let error = self.status_error(round);
        let ids = BatchIds::new(Arc::clone(&round.ids), batch);
        let scratch = self.run.scratch.place();
        let pairing = AnswerPairing::new(&ids, &round.statuses, batch.first, round.ascending, scratch).map_err(&error)?;
        let mut sink = PairingSink { pairing, count: batch.count, halves: false, deleted: false, error: None };
        let collected = jobs.collect(ticket, &ids, &mut sink).await;
        if let Some(source) = sink.error {
            return Err(error(source));
        }
        let broke = match collected {
            Ok(broke) => broke,
            Err(error) => return Ok(failed(&error)),
        };
        // Where the job failed for good and deleted no record, so will the next one.
        let refused = broke.as_ref().filter(|broke| !broke.class.may_be_retried() && !sink.deleted);
        let refused = refused.map(|broke| coded(&broke.code, &broke.message));
        let unmentioned = broke.map_or(RecordStatus::Missing, RecordStatus::Unmentioned);
        let unmentioned = round.statuses.encode(&unmentioned).map_err(&error)?;
        let halves = sink.halves;
        let report = sink.pairing.finish(unmentioned).map_err(&error)?;
        self.warn_of_answers(batch, report.foreign + report.contradicted);
        self.answered(batch, round, refused, halves).await
    }

    /// Every record of a batch has a status: makes them durable and counts them.
    async fn answered(
        &self,
        batch: &Batch,
        round: &RoundFiles,
        refused: Option<String>,
        isolates: bool,
    ) -> Result<StepEnd, ExecuteError> {
        let error = self.status_error(round);
        let count = round.statuses.count(batch.first, batch.count).map_err(&error)?;
        let answers = write_answers(self.run.store, &self.input.specification.policy, batch, &round.statuses).await?;
        Ok(StepEnd::Answered { again: count.again, missing: count.missing, tally: count.tally, answers, refused, isolates })
    }

    fn warn_of_answers(&self, batch: &Batch, distrusted: u64) {
        if distrusted > 0 {
            self.run.observer.warn(&format!(
                "{}: {distrusted} answers to batch {} are missing, contradict others, or are about records that were not sent; \
                 they are not trusted, and the presence of the records is checked",
                self.input.specification.policy, batch.number
            ));
        }
    }

    async fn check_presence(&self, batch: &Batch, look: Look, round: &RoundFiles) -> Result<StepEnd, ExecuteError> {
        let Look { from, sent, again, may_lag } = look;
        let error = self.status_error(round);
        let asked = self.input.provider.as_ref().map(|provider| provider.capabilities().presence_size);
        let size = asked.unwrap_or(UNASKED_AT_ONCE).max(1) as u64;
        let (mut places, mut next) = (Vec::new(), batch.count);
        // What the system said of those that it said to be gone.
        let mut said = Vec::new();
        // Where the answers are known, they tell what became of the others, and so does an earlier look.
        if sent == SentState::Ended || again {
            let found = |place: u64, status: EncodedStatus| {
                if status.needs_a_check() {
                    places.push(place - batch.first);
                    said.push(status);
                }
                let more = (places.len() as u64) < size;
                if !more {
                    next = place - batch.first + 1;
                }
                Ok(more)
            };
            round.statuses.scan(batch.first + from, batch.count - from, found).map_err(&error)?;
        } else {
            next = batch.count.min(from + size);
            places.extend(from..next);
        }
        if !places.is_empty() {
            let ids = ids_at(&BatchIds::new(Arc::clone(&round.ids), batch), &places).map_err(&error)?;
            let statuses = if !self.run.asks_what_happened {
                vec![RecordStatus::Unknown; ids.len()]
            } else {
                match self.input.provider()?.check_presence(&self.input.specification.object, &ids).await {
                    Ok(seen) if seen.len() == ids.len() => {
                        let delete = self.input.specification.delete;
                        let mut statuses = Vec::with_capacity(seen.len());
                        for (place, presence) in seen.into_iter().enumerate() {
                            let said = said.get(place).map(|said| round.statuses.decode(said)).transpose();
                            statuses.push(match said.map_err(&error)?.flatten() {
                                // It is left open, and looked at again.
                                said if may_lag && presence == Presence::Present => said.unwrap_or(RecordStatus::Missing),
                                Some(RecordStatus::SaidGone(failure)) => {
                                    RecordStatus::of_said_gone(failure, presence, delete)
                                }
                                Some(RecordStatus::Unmentioned(failure)) => {
                                    RecordStatus::of_unmentioned(failure, presence, delete)
                                }
                                _ => RecordStatus::of_presence(presence, sent, delete),
                            });
                        }
                        statuses
                    }
                    Ok(seen) => {
                        let cause = format!("{} records were checked, but {} were reported", ids.len(), seen.len());
                        return Ok(StepEnd::Failed(unclear("look-mismatch", &cause)));
                    }
                    Err(error) => match fault_of(&error) {
                        // It can never be checked, so the records end as unknown.
                        fault if matches!(fault.kind, FaultKind::Refused | FaultKind::Missing) => {
                            self.run.observer.warn(&format!("{}: {error}", self.input.specification.policy));
                            vec![RecordStatus::Unknown; ids.len()]
                        }
                        fault => return Ok(StepEnd::Failed(fault)),
                    },
                }
            };
            for (place, status) in places.iter().zip(&statuses) {
                let raw = round.statuses.encode(status).map_err(&error)?;
                round.statuses.write(batch.first + place, &[raw]).map_err(&error)?;
            }
        }
        if next < batch.count {
            return Ok(StepEnd::PresenceChecked { next, ended: None });
        }
        if may_lag && round.statuses.count(batch.first, batch.count).map_err(&error)?.missing > 0 {
            return Ok(StepEnd::ShownStill);
        }
        let isolates = sent == SentState::Ended && self.settle_atomic(batch, round).map_err(&error)?;
        let count = round.statuses.count(batch.first, batch.count).map_err(&error)?;
        let answers = write_answers(self.run.store, &self.input.specification.policy, batch, &round.statuses).await?;
        let ended = CheckedBatch { again: count.again, tally: count.tally, answers, isolates };
        Ok(StepEnd::PresenceChecked { next, ended: Some(ended) })
    }

    /// What became of the records of an atomic request follows from all of them. Says whether those to be sent again go in smaller
    /// requests.
    fn settle_atomic(&self, batch: &Batch, round: &RoundFiles) -> std::io::Result<bool> {
        if !self.input.specification.atomic {
            return Ok(false);
        }
        // One request's worth.
        let read = round.statuses.read(batch.first, usize::try_from(batch.count).unwrap_or(usize::MAX))?;
        let statuses = read.iter().map(|status| Ok(round.statuses.decode(status)?.unwrap_or(RecordStatus::Missing)));
        let statuses = statuses.collect::<std::io::Result<Vec<_>>>()?;
        let AtomicStatuses { statuses, isolates } = settled_atomic(statuses, self.input.isolate_failures);
        let raw = statuses.iter().map(|status| round.statuses.encode(status)).collect::<std::io::Result<Vec<_>>>()?;
        round.statuses.write(batch.first, &raw)?;
        Ok(isolates)
    }
}

/// Whether the record did not go since the transaction was too much for the system.
fn is_too_heavy(verdict: &AnswerVerdict) -> bool {
    matches!(verdict, AnswerVerdict::Failed(failure) if failure.class == FailureClass::TooHeavy)
}

fn failed(error: &ProviderError) -> StepEnd {
    StepEnd::Failed(fault_of(error))
}

fn unclear(code: &str, message: &str) -> Fault {
    let class = FailureClass::Unrecognized;
    let failure = crate::base::Failure { class, code: code.into(), message: message.into() };
    Fault { kind: FaultKind::Unclear, failure }
}

/// The ids at these places of a batch, which are in ascending order.
fn ids_at(ids: &BatchIds, places: &[u64]) -> std::io::Result<Vec<RecordId>> {
    let mut found = Vec::with_capacity(places.len());
    for run in places.chunk_by(|one, next| one + 1 == *next) {
        found.extend(ids.read(run[0], run.len())?);
    }
    Ok(found)
}

/// Pairs the answers to one request with its records, and counts those that are missing, contradict each other or are about
/// other records.
fn pair(ids: &[RecordId], answers: Vec<Answer>) -> (Vec<Option<AnswerVerdict>>, u64) {
    let places: BTreeMap<RecordId, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    let mut verdicts = vec![None; ids.len()];
    let mut contradicted = vec![false; ids.len()];
    let mut distrusted = 0;
    for Answer { id, verdict } in answers {
        match places.get(&id) {
            None => distrusted += 1,
            Some(place) => match &verdicts[*place] {
                None => verdicts[*place] = Some(verdict),
                Some(known) if *known == verdict => {}
                Some(_) => contradicted[*place] = true,
            },
        }
    }
    for (verdict, contradicted) in verdicts.iter_mut().zip(contradicted) {
        if contradicted {
            *verdict = None;
        }
    }
    distrusted += verdicts.iter().filter(|verdict| verdict.is_none()).count() as u64;
    (verdicts, distrusted)
}
