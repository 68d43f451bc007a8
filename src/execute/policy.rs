//! One policy: asks its machine what to do, and does it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::watch;

use super::excluded::ExcludedPlaces;
use super::finish::write_outcomes;
use super::lost::lost_answers;
use super::run::{ExecuteError, PolicyResultKind, PolicyRun, ReplayedHistory, Run};
use super::step_runner::{RoundFiles, StepRunner};
use crate::apply::{Batch, Event, Excluded, PolicyMachine, SkipCause, Step, StepEnd, Tally};
use crate::base::{Digest, PolicyName, counted};
use crate::store::{EncodedStatus, IdNote, IdsFile, IdsWriter, MessagesFile, StatusFile, read_skipped};

/// How long a wait lasts at least, so that two clocks that differ a little cannot keep the processor busy.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// The policies one waits for, and where each tells its end.
pub(super) type Before = Vec<(PolicyName, watch::Receiver<Option<PolicyResultKind>>)>;

/// Drives one policy's machine.
pub(super) struct PolicyExecutor<'a> {
    run: &'a Run<'a>,
    input: &'a PolicyRun,
    machine: PolicyMachine,
    rounds: Vec<(Digest, Option<Digest>)>,
    skipped: u64,
    /// How many records the jobs under way have come to, by batch. For people.
    reached: BTreeMap<u64, u64>,
}

type InFlight<'a> = FuturesUnordered<BoxFuture<'a, Result<(Step, StepEnd), ExecuteError>>>;

impl<'a> PolicyExecutor<'a> {
    pub(super) fn new(run: &'a Run<'a>, input: &'a PolicyRun, history: ReplayedHistory) -> Self {
        Self {
            run,
            input,
            machine: history.machine,
            rounds: history.rounds,
            skipped: history.skipped,
            reached: BTreeMap::new(),
        }
    }

    fn policy(&self) -> &'a PolicyName {
        &self.input.order.policy
    }

    /// Makes an event durable, and then lets the machine know.
    fn write(&mut self, event: &Event) -> Result<(), ExecuteError> {
        self.run.journal.append(Some(self.policy()), event)?;
        self.machine.record(event).map_err(|source| ExecuteError::ReplayedHistory { policy: self.policy().clone(), source })
    }

    /// Goes on until the policy has ended in one way or another.
    pub(super) async fn execute(mut self, before: Before) -> Result<PolicyResultKind, ExecuteError> {
        if self.machine.status().finished.is_none()
            && !self.machine.has_begun()
            && let Some(end) = self.wait_for_dependencies(before).await?
        {
            return Ok(end);
        }
        if let Some(end) = self.end() {
            return Ok(end);
        }
        let texts = Arc::new(self.open_texts()?);
        let mut files =
            (0..=self.machine.status().round).map(|round| self.wave_files(round, &texts)).collect::<Result<Vec<_>, _>>()?;
        self.check_skipped()?;
        let lost = lost_answers(self.run, self.policy(), &files)?;
        if !lost.is_empty() {
            let (policy, batches) = (self.policy(), lost.len());
            let words = format!(
                "{policy}: the answers to {batches} batches are lost from the run's files; their records are looked at"
            );
            self.run.observer.warn(&words);
        }
        lost.iter().try_for_each(|lost| self.write(lost))?;
        let performer = Arc::new(StepRunner::new(self.run, self.input));
        let mut round = files[files.len() - 1].clone();
        for place in self.excluded_places(&round)?.iter() {
            let (place, note) = place.map_err(|error| self.unwritable(error))?;
            self.machine.withhold(place, note != IdNote::Excluded(SkipCause::NoLongerMatches));
        }
        let mut in_flight = InFlight::new();
        loop {
            if let Some(end) = self.end() {
                return Ok(end);
            }
            if self.run.stop.is_cancelled() {
                self.machine.stop();
            }
            let step = self.machine.next(self.run.clock.now());
            let step = self.whole_groups(step, &round)?;
            if let Some(intent) = step.intent() {
                self.write(&intent)?;
            }
            match step {
                // Written already: it is its own intent.
                Step::Write(_) => {}
                Step::Wait(until) => self.wait(until, &mut in_flight).await?,
                Step::Pause(cause) => return Ok(PolicyResultKind::Unfinished { cause, settled: self.settled() }),
                Step::Stop => return Ok(PolicyResultKind::Interrupted { settled: self.settled() }),
                Step::OpenRound(number) => {
                    let (provider, object) = (self.input.provider.as_ref(), &self.input.order.object);
                    let places = self.excluded_places(&round)?.check_presence(provider, object).await;
                    match places.map_err(|error| self.unwritable(error))? {
                        Ok(places) => self.write_round(number, &round, &places)?,
                        Err(error) => {
                            return Ok(PolicyResultKind::Unfinished { cause: error.to_string(), settled: self.settled() });
                        }
                    }
                    round = self.wave_files(number, &texts)?;
                    files.push(round.clone());
                }
                Step::Finish => {
                    let finished = write_outcomes(self.run, self.input, &files, self.skipped, &self.machine.status())?;
                    self.write(&finished)?;
                }
                step => {
                    self.machine.begin(&step);
                    let number = step.batch().map_or(round.number, |batch| batch.round);
                    let (performer, round) = (Arc::clone(&performer), files[number as usize].clone());
                    in_flight.push(Box::pin(async move { performer.perform(step, &round).await }));
                }
            }
        }
    }

    /// Ends a batch where a group ends, so that no other batch has records of the same one.
    fn whole_groups(&self, step: Step, round: &RoundFiles) -> Result<Step, ExecuteError> {
        let whole = |mut batch: Batch| {
            if self.input.grouped {
                batch.count = round.ids.whole_groups(batch.first, batch.count)?;
            }
            Ok(batch)
        };
        match step {
            Step::Send(batch) => whole(batch).map(Step::Send),
            Step::Create(batch) => whole(batch).map(Step::Create),
            step => Ok(step),
        }
        .map_err(ExecuteError::file("read", &self.run.directory.round(self.policy(), round.number)))
    }

    /// The ends that are known so far, those of the recheck among them.
    fn settled(&self) -> Tally {
        let mut settled = self.machine.status().tally;
        settled.skipped += self.skipped;
        settled
    }

    /// Waits until every policy this one depends on has ended, and gives the end of this one if that decides it.
    async fn wait_for_dependencies(&mut self, before: Before) -> Result<Option<PolicyResultKind>, ExecuteError> {
        for (name, mut end) in before {
            let end = tokio::select! {
                end = end.wait_for(Option::is_some) => end.ok().and_then(|end| end.clone()),
                () = self.run.stop.cancelled() => None,
            };
            match end {
                Some(kind) if kind.succeeded() => {}
                Some(PolicyResultKind::Finished { .. }) => {
                    if self.machine.status().halted.is_none() {
                        let cause = format!("policy {name}, on which it depends, did not succeed");
                        self.write(&Event::Halted { cause, skip: SkipCause::Dependency })?;
                    }
                    return Ok(None);
                }
                Some(PolicyResultKind::Unfinished { .. }) => {
                    return Ok(Some(PolicyResultKind::Unfinished {
                        cause: format!("it depends on {name}, which is unfinished"),
                        settled: self.settled(),
                    }));
                }
                Some(PolicyResultKind::Interrupted { .. }) | None => {
                    return Ok(Some(PolicyResultKind::Interrupted { settled: self.settled() }));
                }
            }
        }
        Ok(None)
    }

    /// Waits for the next step to end, the moment to come, or the user to stop.
    async fn wait(&mut self, until: Option<Timestamp>, in_flight: &mut InFlight<'_>) -> Result<(), ExecuteError> {
        let pause = until.map(|until| {
            let left = until.duration_since(self.run.clock.now());
            Duration::try_from(left).unwrap_or_default().max(SHORTEST_WAIT)
        });
        let stopping = self.run.stop.is_cancelled();
        tokio::select! {
            biased;
            Some(ended) = in_flight.next() => {
                let (step, end) = ended?;
                self.close(&step, end)
            }
            () = tokio::time::sleep(pause.unwrap_or(Duration::MAX)), if pause.is_some() => Ok(()),
            () = self.run.stop.cancelled(), if !stopping => Ok(()),
            else => Err(ExecuteError::Misuse { policy: self.policy().clone(), why: "waits for nothing" }),
        }
    }

    fn close(&mut self, step: &Step, end: StepEnd) -> Result<(), ExecuteError> {
        if let StepEnd::Failed(fault) = &end {
            self.run.observer.warn(&format!("{}: {fault}", self.policy()));
        }
        if let Some(batch) = step.batch() {
            match &end {
                StepEnd::Polled(progress) => {
                    self.reached.insert(batch.number, progress.processed.unwrap_or(0).min(batch.count))
                }
                _ => self.reached.remove(&batch.number),
            };
        }
        if let Some(event) = self.machine.close(step, end, self.run.clock.now()) {
            self.write(&event)?;
        }
        let done = self.skipped + self.machine.status().tally.total() + self.reached.values().sum::<u64>();
        self.run.observer.progress(Some(self.policy()), "deleting", done, Some(self.input.planned));
        Ok(())
    }

    /// How the policy ended, when it has.
    fn end(&self) -> Option<PolicyResultKind> {
        let status = self.machine.status();
        let (tally, outcomes) = status.finished?;
        self.run.observer.progress(Some(self.policy()), "settled", tally.total(), Some(self.input.planned));
        Some(PolicyResultKind::Finished { tally, outcomes, halted: status.halted.map(|(cause, _)| cause) })
    }

    fn open_texts(&self) -> Result<MessagesFile, ExecuteError> {
        let path = self.run.directory.messages(self.policy());
        let (texts, whole) =
            MessagesFile::open(&path, self.machine.status().texts).map_err(ExecuteError::file("open", &path))?;
        if !whole {
            let path = path.display();
            self.run.observer.warn(&format!("{path} has lost its end, and with it the words of some failures"));
        }
        Ok(texts)
    }

    /// The records that the recheck kept back are all there; without them the outcomes cannot be written.
    fn check_skipped(&self) -> Result<(), ExecuteError> {
        let path = self.run.directory.skipped(self.policy());
        let rows = read_skipped(&path).map_err(ExecuteError::file("open", &path))?;
        let mut count = 0;
        for row in rows {
            row.map_err(ExecuteError::file("read", &path))?;
            count += 1;
        }
        if count != self.skipped {
            let why = format!("it has {} and {} were written", counted(count, "record"), self.skipped);
            return Err(ExecuteError::Altered { path, why });
        }
        Ok(())
    }

    /// The files of a round, checked against the journal.
    fn wave_files(&self, number: u32, texts: &Arc<MessagesFile>) -> Result<RoundFiles, ExecuteError> {
        let (digest, excluded) = *self
            .rounds
            .get(number as usize)
            .ok_or_else(|| ExecuteError::Misuse { policy: self.policy().clone(), why: "has no such round" })?;
        let (ids, ascending) = open_ids(&self.run.directory.round(self.policy(), number), digest)?;
        let path = self.run.directory.excluded(self.policy(), number);
        let excluded = excluded.map(|digest| open_ids(&path, digest)).transpose()?.map(|(ids, _)| ids);
        let path = self.run.directory.statuses(self.policy(), number);
        let statuses = StatusFile::open(&path, Arc::clone(texts), ids.count()).map_err(ExecuteError::file("open", &path))?;
        Ok(RoundFiles { number, ids, excluded, statuses: Arc::new(statuses), ascending })
    }

    fn excluded_places(&self, round: &RoundFiles) -> Result<ExcludedPlaces, ExecuteError> {
        let scratch = || self.run.directory.scratch(&format!("excluded.{}", self.policy()));
        ExcludedPlaces::find(round, self.input.excluded.as_deref(), scratch).map_err(|error| self.unwritable(error))
    }

    fn unwritable(&self, source: std::io::Error) -> ExecuteError {
        let path = self.run.directory.path().to_owned();
        ExecuteError::File { doing: "put the records that are not sent any more in order in", path, source }
    }

    /// Puts what a round left to be sent again, or did not send, into the next round's file, in the same order. What must not be
    /// sent any more goes into a file of its own.
    fn write_round(&mut self, number: u32, last: &RoundFiles, places: &ExcludedPlaces) -> Result<(), ExecuteError> {
        let path = self.run.directory.round(self.policy(), number);
        let excluded_path = self.run.directory.excluded(self.policy(), number);
        let unsent = self.machine.unsent();
        let write = || {
            for (first, count) in unsent {
                // What an abandoned batch left there is no mark.
                last.statuses.clear(first, count)?;
            }
            last.statuses.sync()?;
            let mut writer = IdsWriter::create(&path)?;
            let mut excluded = if places.is_empty() { None } else { Some(IdsWriter::create(&excluded_path)?) };
            let (mut ids, mut places) = (last.ids.iter()?, places.iter());
            let mut next = places.next().transpose()?;
            let mut begins_group = false;
            last.statuses.scan(0, last.ids.count(), |place, mark| {
                let too_short = || std::io::Error::other("the round before it is too short");
                let (id, note) = ids.next().transpose()?.ok_or_else(too_short)?;
                begins_group |= note == IdNote::Group;
                let kept = next.and_then(|(next, note)| (next == place).then_some(note));
                if kept.is_some() {
                    next = places.next().transpose()?;
                }
                if mark.is_again() || mark == EncodedStatus::NONE {
                    match (&mut excluded, kept) {
                        (Some(excluded), Some(note)) => excluded.push(&id, note)?,
                        _ => {
                            let begins = std::mem::take(&mut begins_group);
                            writer.push(&id, if begins { IdNote::Group } else { IdNote::None })?;
                        }
                    }
                }
                Ok(true)
            })?;
            let excluded = excluded.map(IdsWriter::finish).transpose()?;
            Ok((writer.finish()?, excluded.filter(|(count, _)| *count > 0)))
        };
        let ((count, digest), excluded) = write().map_err(ExecuteError::file("write", &path))?;
        let excluded = excluded.map(|(count, digest)| Excluded { count, digest });
        self.rounds.push((digest, excluded.map(|excluded| excluded.digest)));
        let policy = self.policy();
        if let Some(Excluded { count, .. }) = excluded {
            let records = counted(count, "record");
            self.run.observer.warn(&format!(
                "{policy}: {records} held, changed, not matching any more or gone by now; nothing more is sent for them"
            ));
        }
        if self.machine.unsent().is_empty() {
            self.run.observer.warn(&format!("{policy}: {count} records are sent again after a pause, in round {number}"));
        }
        self.write(&Event::RoundOpened { round: number, count, digest, excluded })
    }
}

/// Opens an ids file that the journal speaks of, and says whether it is in ascending order.
fn open_ids(path: &Path, journalled: Digest) -> Result<(Arc<IdsFile>, bool), ExecuteError> {
    let ids = IdsFile::open(path).map_err(ExecuteError::file("open", path))?;
    let (digest, ascending) = ids.verify().map_err(ExecuteError::file("read", path))?;
    if digest != journalled {
        return Err(ExecuteError::Altered { path: path.to_owned(), why: format!("its digest is {digest}") });
    }
    Ok((Arc::new(ids), ascending))
}
