//! The steps of a machine, done.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::fault_of;
use super::run::{ExecuteError, PolicyRun, Run};
use crate::apply::{
    Answer, AnswerVerdict, AtomicStatuses, Batch, Evidence, Fault, FaultKind, IdSource, RecordStatus, Step, StepEnd, Ticket,
    statuses_of_atomic,
};
use crate::base::RecordId;
use crate::provider::{AnswerSink, ProviderError};
use crate::store::{AnswerPairing, BatchIds, EncodedStatus, IdsFile, StatusFile};

/// The files of one round.
#[derive(Clone)]
pub(super) struct RoundFiles {
    pub number: u32,
    pub ids: Arc<IdsFile>,
    /// What was left before it and is not sent any more.
    pub excluded: Option<Arc<IdsFile>>,
    pub statuses: Arc<StatusFile>,
    /// Whether the ids are in ascending order.
    pub ascending: bool,
}

/// Does the steps of one policy's machine: one call of the provider each, and its answers into the statuses file.
pub(super) struct StepRunner<'a> {
    run: &'a Run<'a>,
    input: &'a PolicyRun,
}

/// Hands a job's answers on to their pairing, and keeps the first error of this machine.
struct PairingSink<'a> {
    pairing: AnswerPairing<'a>,
    error: Option<std::io::Error>,
}

impl AnswerSink for PairingSink<'_> {
    fn answer(&mut self, answer: Answer) -> std::io::Result<()> {
        self.pairing.push(&answer.id, &RecordStatus::of_verdict(answer.verdict)).map_err(|error| {
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

    /// Does one step about a batch.
    pub(super) async fn perform(&self, step: Step, round: &RoundFiles) -> Result<(Step, StepEnd), ExecuteError> {
        let (provider, order) = (&self.input.provider, &self.input.order);
        let done = |result: Result<(), ProviderError>| result.map_or_else(|error| failed(&error), |()| StepEnd::Done);
        let end = match &step {
            Step::Send(batch) => self.send(batch, round).await?,
            Step::Create(batch) => {
                let ids = BatchIds::new(Arc::clone(&round.ids), batch);
                match provider.create(order, &ids).await {
                    Ok(ticket) => StepEnd::Created(ticket),
                    Err(error) => self.refused(batch, round, &error)?,
                }
            }
            Step::Load(batch, ticket) => {
                let ids = Arc::new(BatchIds::new(Arc::clone(&round.ids), batch));
                match provider.load(order, ticket, ids).await {
                    Ok(()) => StepEnd::Done,
                    // The job is not what was asked for. It is left as it is, and never started.
                    Err(error) if order.api.loads_again() => self.refused(batch, round, &error)?,
                    Err(error) => failed(&error),
                }
            }
            Step::Start(_, ticket) => done(provider.start(order, ticket).await),
            Step::Abort(_, ticket) => done(provider.abort(order, ticket).await),
            Step::Poll(_, ticket) => match provider.poll(order, ticket).await {
                Ok(progress) => {
                    if let Some(message) = &progress.message {
                        self.run.observer.warn(&format!("{}: job {}: {message}", order.policy, ticket.0));
                    }
                    StepEnd::Polled(progress)
                }
                Err(error) => failed(&error),
            },
            Step::Collect(batch, ticket) => self.collect(batch, ticket, round).await?,
            Step::CheckPresence { batch, from, missing_only } => {
                self.check_presence(batch, *from, *missing_only, round).await?
            }
            Step::Write(_) | Step::OpenRound(_) | Step::Wait(_) | Step::Finish | Step::Pause(_) | Step::Stop => {
                return Err(ExecuteError::Misuse {
                    policy: order.policy.clone(),
                    why: "was asked to perform no batch's step",
                });
            }
        };
        Ok((step, end))
    }

    /// For errors about the files of a round.
    fn status_error(&self, round: &RoundFiles) -> impl Fn(std::io::Error) -> ExecuteError {
        let path = self.run.directory.statuses(&self.input.order.policy, round.number);
        move |source| ExecuteError::File { doing: "use the answers in", path: path.clone(), source }
    }

    async fn send(&self, batch: &Batch, round: &RoundFiles) -> Result<StepEnd, ExecuteError> {
        let error = self.status_error(round);
        let ids = BatchIds::new(Arc::clone(&round.ids), batch).read(0, usize::MAX).map_err(&error)?;
        let answers = match self.input.provider.send(&self.input.order, &ids).await {
            Ok(answers) => answers,
            Err(error) => return self.refused(batch, round, &error),
        };
        let (verdicts, mut distrusted) = pair(&ids, answers);
        let deleted = verdicts.iter().flatten().filter(|verdict| **verdict == AnswerVerdict::Deleted).count();
        if self.input.order.atomic && deleted < ids.len() {
            // All or none: where one is not deleted, none can be.
            distrusted += deleted as u64;
        }
        if distrusted > 0 {
            self.warn_of_answers(batch, distrusted);
            if self.input.order.atomic {
                // All or none: without every answer nobody knows which.
                let cause = "the answers are not one for each record of the batch";
                return Ok(StepEnd::Failed(unclear("answers-mismatch", cause)));
            }
        }
        let AtomicStatuses { statuses, isolates } = if self.input.order.atomic {
            statuses_of_atomic(verdicts.into_iter().flatten(), self.input.isolate_failures)
        } else {
            let mark = |verdict: Option<AnswerVerdict>| verdict.map_or(RecordStatus::Missing, RecordStatus::of_verdict);
            AtomicStatuses { statuses: verdicts.into_iter().map(mark).collect(), isolates: false }
        };
        let raw = statuses.iter().map(|mark| round.statuses.encode(mark)).collect::<Result<Vec<_>, _>>().map_err(&error)?;
        round.statuses.write(batch.first, &raw).map_err(&error)?;
        self.answered(batch, round, None, isolates)
    }

    /// A request or a job that was not accepted: when it never can be, every record of the batch has failed with it.
    fn refused(&self, batch: &Batch, round: &RoundFiles, error: &ProviderError) -> Result<StepEnd, ExecuteError> {
        let fault = fault_of(error);
        if !matches!(fault.kind, FaultKind::Refused | FaultKind::Missing) {
            return Ok(StepEnd::Failed(fault));
        }
        self.run.observer.warn(&format!("{}: {error}", self.input.order.policy));
        let error = self.status_error(round);
        // While failing records are isolated, a refusal is about one of them, and does not tell that the next one comes too.
        let cause = (!self.input.isolate_failures).then(|| fault.to_string());
        let isolates = self.input.isolate_failures && batch.count > 1;
        let mark = if isolates {
            RecordStatus::again(fault.failure)
        } else {
            RecordStatus::Failed(fault.failure, Evidence::Answer)
        };
        let mark = round.statuses.encode(&mark).map_err(&error)?;
        round.statuses.fill(batch.first, batch.count, mark).map_err(&error)?;
        self.answered(batch, round, cause, isolates)
    }

    async fn collect(&self, batch: &Batch, ticket: &Ticket, round: &RoundFiles) -> Result<StepEnd, ExecuteError> {
        let error = self.status_error(round);
        let ids = BatchIds::new(Arc::clone(&round.ids), batch);
        let scratch =
            self.run.directory.scratch(&format!("{}.{}", self.input.order.policy, batch.number)).map_err(&error)?;
        let pairing = AnswerPairing::new(&ids, &round.statuses, batch.first, round.ascending, scratch).map_err(&error)?;
        let mut sink = PairingSink { pairing, error: None };
        let collected = self.input.provider.collect(&self.input.order, ticket, &ids, &mut sink).await;
        if let Some(source) = sink.error {
            return Err(error(source));
        }
        if let Err(error) = collected {
            return Ok(failed(&error));
        }
        let report = sink.pairing.finish().map_err(&error)?;
        self.warn_of_answers(batch, report.foreign + report.contradicted);
        self.answered(batch, round, None, false)
    }

    /// The statuses of a batch are written: makes them durable and counts them.
    fn answered(
        &self,
        batch: &Batch,
        round: &RoundFiles,
        refused: Option<String>,
        isolates: bool,
    ) -> Result<StepEnd, ExecuteError> {
        let error = self.status_error(round);
        let texts = round.statuses.sync().map_err(&error)?;
        let count = round.statuses.count(batch.first, batch.count).map_err(&error)?;
        Ok(StepEnd::Answered { again: count.again, missing: count.missing, tally: count.tally, texts, refused, isolates })
    }

    fn warn_of_answers(&self, batch: &Batch, distrusted: u64) {
        if distrusted > 0 {
            self.run.observer.warn(&format!(
                "{}: {distrusted} answers to batch {} are missing, contradict others, or are about records that were not sent; \
                 they are not believed, and the records are looked at",
                self.input.order.policy, batch.number
            ));
        }
    }

    async fn check_presence(
        &self,
        batch: &Batch,
        from: u64,
        missing_only: bool,
        round: &RoundFiles,
    ) -> Result<StepEnd, ExecuteError> {
        let error = self.status_error(round);
        let size = self.input.provider.capabilities().presence_size.max(1) as u64;
        let (mut places, mut next) = (Vec::new(), batch.count);
        if missing_only {
            let found = |place: u64, mark: EncodedStatus| {
                if mark.is_missing() {
                    places.push(place - batch.first);
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
            let statuses = match self.input.provider.check_presence(&self.input.order.object, &ids).await {
                Ok(seen) if seen.len() == ids.len() => {
                    seen.into_iter().map(|presence| RecordStatus::of_presence(presence, !missing_only)).collect()
                }
                Ok(seen) => {
                    let cause = format!("{} records were looked at and {} were shown", ids.len(), seen.len());
                    return Ok(StepEnd::Failed(unclear("look-mismatch", &cause)));
                }
                Err(error) => match fault_of(&error) {
                    // It will never be seen: honest ignorance.
                    fault if matches!(fault.kind, FaultKind::Refused | FaultKind::Missing) => {
                        self.run.observer.warn(&format!("{}: {error}", self.input.order.policy));
                        vec![RecordStatus::Unknown; ids.len()]
                    }
                    fault => return Ok(StepEnd::Failed(fault)),
                },
            };
            for (place, mark) in places.iter().zip(&statuses) {
                let raw = round.statuses.encode(mark).map_err(&error)?;
                round.statuses.write(batch.first + place, &[raw]).map_err(&error)?;
            }
        }
        if next < batch.count {
            return Ok(StepEnd::PresenceChecked { next, ended: None, texts: 0 });
        }
        let texts = round.statuses.sync().map_err(&error)?;
        let count = round.statuses.count(batch.first, batch.count).map_err(&error)?;
        Ok(StepEnd::PresenceChecked { next, ended: Some((count.again, count.tally)), texts })
    }
}

fn failed(error: &ProviderError) -> StepEnd {
    StepEnd::Failed(fault_of(error))
}

fn unclear(code: &str, message: &str) -> Fault {
    let class = crate::base::FailureClass::Unrecognized;
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
