//! One policy: asks its machine what to do, and has it done.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, Shared};
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::excluded::ExcludedPlaces;
use super::execute_error::ExecuteError;
use super::finish::write_outcomes;
use super::hold_watch::HoldWatch;
use super::policy_run::{PolicyResultKind, PolicyRun};
use super::recheck::Recheck;
use super::replay::{ReplayedPolicy, restore_rounds};
use super::round::{OpenedRound, RoundFiles};
use super::round_writer::{RoundEnd, write_first_round, write_next_round};
use super::run::Run;
use super::step_runner::StepRunner;
use super::turns::Turns;
use crate::apply::{
    Batch, Event, Excluded, FaultKind, LONGEST_TOLD_WAIT, PolicyMachine, Rechecked, SkipCause, Step, StepEnd, Tally,
};
use crate::base::{CommandError, PolicyName, RecordId, counted};
use crate::plan::Row;
use crate::store::{IdNote, MessagesFile, RowSorter, SortOrder, SortedRows};

/// How long a wait lasts at least, so that two clocks that differ a little cannot keep the processor busy.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// The end of a policy, for all that wait for it; `None` when it broke off. Those that wait go on in the order in which they began to.
pub(super) type End = Shared<BoxFuture<'static, Option<PolicyResultKind>>>;

/// The policies one waits for, and the end of each.
pub(super) type Before = Vec<(PolicyName, End)>;

/// Carries out one policy.
pub(super) struct PolicyExecutor<'a> {
    run: &'a Run<'a>,
    input: &'a PolicyRun,
    machine: PolicyMachine,
    rounds: Vec<OpenedRound>,
    /// How many records the jobs under way have come to, by batch. For people.
    reached: BTreeMap<u64, u64>,
    /// What a recheck found that was made when the policy began, after it had waited.
    rechecked: Option<Recheck>,
    /// The records that were found to be held while the policy was under way, with the cause, and when holds were last read.
    held: Option<SortedRows>,
    holds_read: Timestamp,
    /// Why nothing new is sent for now.
    paused: Option<String>,
}

/// The rows of two lists by id; of a record that is in both, the row of the first.
fn first_cause<'r>(
    first: impl Iterator<Item = std::io::Result<Row>> + 'r,
    second: impl Iterator<Item = std::io::Result<Row>> + 'r,
) -> impl Iterator<Item = std::io::Result<Row>> + 'r {
    let (mut first, mut second) = (first.peekable(), second.peekable());
    std::iter::from_fn(move || {
        let order = match (first.peek(), second.peek()) {
            (Some(Ok(one)), Some(Ok(other))) => one.id.cmp(&other.id),
            // An error is given at once.
            (Some(Err(_)), _) | (Some(_), None) => Ordering::Less,
            (_, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        match order {
            Ordering::Less => first.next(),
            Ordering::Greater => second.next(),
            Ordering::Equal => {
                second.next();
                first.next()
            }
        }
    })
}

/// A step, and how it ended.
type Ended = Result<(Step, StepEnd), ExecuteError>;

type InFlight<'a> = FuturesUnordered<BoxFuture<'a, Ended>>;

/// Awaits `work` while the steps under way go on, and gives those that ended meanwhile. They stand in the same line for calls to the
/// system as `work`, which would wait for ever behind one that nobody polls.
async fn alongside<T>(in_flight: &mut InFlight<'_>, work: impl Future<Output = T>) -> (T, Vec<Ended>) {
    let (mut work, mut ended) = (std::pin::pin!(work), Vec::new());
    loop {
        tokio::select! {
            biased;
            done = &mut work => return (done, ended),
            Some(end) = in_flight.next() => ended.push(end),
        }
    }
}

impl<'a> PolicyExecutor<'a> {
    pub(super) fn new(run: &'a Run<'a>, input: &'a PolicyRun, mut replayed: ReplayedPolicy) -> Self {
        replayed.machine.resume(run.clock.now(), replayed.last);
        Self {
            run,
            input,
            machine: replayed.machine,
            rounds: replayed.rounds,
            reached: BTreeMap::new(),
            rechecked: None,
            held: None,
            holds_read: run.holds.map_or_else(|| run.clock.now(), HoldWatch::begun),
            paused: None,
        }
    }

    fn policy(&self) -> &'a PolicyName {
        &self.input.specification.policy
    }

    /// Makes events durable together, and then lets the machine know.
    async fn write(&mut self, events: &[Event]) -> Result<(), ExecuteError> {
        if events.is_empty() {
            return Ok(());
        }
        self.run.journal.append(Some(self.policy()), events).await?;
        for event in events {
            self.machine
                .record(event)
                .map_err(|source| ExecuteError::Journalled { policy: self.policy().clone(), source })?;
            if let Event::RoundOpened { count, ids, excluded, .. } = event {
                self.rounds.push(OpenedRound { count: *count, ids: *ids, excluded: *excluded });
            }
        }
        Ok(())
    }

    /// Goes on until the policy has ended in one way or another.
    pub(super) async fn execute(mut self, before: Before, permits: &Semaphore) -> Result<PolicyResultKind, ExecuteError> {
        if let Some(end) = self.end() {
            return Ok(end);
        }
        let waits = !before.is_empty();
        if !self.machine.has_begun()
            && self.input.stopped.is_none()
            && let Some(end) = self.wait_for_dependencies(before).await?
        {
            return Ok(end);
        }
        // Limits how many policies have files open at once; those that wait for others have none.
        let Ok(_permit) = permits.acquire().await else {
            return Err(ExecuteError::Misuse { policy: self.policy().clone(), why: "was not admitted" });
        };
        // For others it depends on, or for its turn.
        let has_waited = match self.run.holds {
            Some(holds) => waits || holds.is_old(self.holds_read).await,
            None => false,
        };
        if has_waited
            && self.rounds.is_empty()
            && self.input.stopped.is_none()
            && self.machine.status().halted.is_none()
            && let Err(error) = self.recheck_again().await
        {
            return Ok(match self.run.stop.is_cancelled() {
                true => PolicyResultKind::Interrupted { settled: self.settled() },
                false => PolicyResultKind::Unfinished { cause: error.to_string(), settled: self.settled() },
            });
        }
        let place = self.run.scratch.messages(self.policy());
        let messages = Arc::new(MessagesFile::create(&place).map_err(ExecuteError::file("make", place.path()))?);
        let mut files = match self.open_rounds(&messages).await? {
            RoundEnd::Opened(files) => files,
            RoundEnd::NotNow(cause) => return Ok(PolicyResultKind::Unfinished { cause, settled: self.settled() }),
        };
        self.stop_if_refused().await?;
        let step_runner = Arc::new(StepRunner::new(self.run, self.input));
        let Some(mut round) = files.last().cloned() else {
            return Err(ExecuteError::Misuse { policy: self.policy().clone(), why: "has no round" });
        };
        if !self.input.is_abandoned() {
            for place in self.excluded_places(&round).await?.iter() {
                let (place, note) = place.map_err(|error| self.scratch_error(error))?;
                self.machine.exclude(place, note != IdNote::Excluded(SkipCause::NoLongerMatches));
            }
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
            if matches!(step, Step::Send(_) | Step::Create(_)) && self.refresh_holds(&round, &mut in_flight).await? {
                continue;
            }
            if let Some(intent) = step.intent() {
                self.write(&[intent]).await?;
            }
            match step {
                // Written already: it is its own intent.
                Step::Write(_) => {}
                Step::Wait(until) => self.wait(until, &mut in_flight).await?,
                Step::Pause(cause) => return Ok(PolicyResultKind::Unfinished { cause, settled: self.settled() }),
                Step::Stop => {
                    return Ok(match (self.paused.take(), self.run.stop.is_cancelled()) {
                        (Some(cause), false) => PolicyResultKind::Unfinished { cause, settled: self.settled() },
                        _ => PolicyResultKind::Interrupted { settled: self.settled() },
                    });
                }
                Step::OpenRound(number) => match self.open_next_round(number, &round, &messages).await? {
                    RoundEnd::Opened(opened) => {
                        round = opened.clone();
                        files.push(opened);
                    }
                    RoundEnd::NotNow(cause) => return Ok(PolicyResultKind::Unfinished { cause, settled: self.settled() }),
                },
                Step::Finish => {
                    let finished = write_outcomes(self.run, self.input, &files, &self.machine.status()).await?;
                    self.write(&[finished]).await?;
                }
                step => {
                    self.machine.begin(&step);
                    let number = step.batch().map_or(round.number, |batch| batch.round);
                    let (runner, round) = (Arc::clone(&step_runner), files[number as usize].clone());
                    in_flight.push(Box::pin(async move { runner.run(step, &round).await }));
                }
            }
        }
    }

    /// The rounds as scratch files: fetched from the store, or a first round if none was opened yet.
    async fn open_rounds(&mut self, messages: &Arc<MessagesFile>) -> Result<RoundEnd<Vec<RoundFiles>>, ExecuteError> {
        if self.rounds.is_empty() {
            let (count, excluded) = match write_first_round(self.run, self.input, self.recheck()).await? {
                RoundEnd::Opened(written) => written,
                RoundEnd::NotNow(cause) => return Ok(RoundEnd::NotNow(cause)),
            };
            let rechecked = self.recheck().map(|found| Rechecked { population: found.population, waiting: found.waiting });
            self.publish_round(0, count, excluded, rechecked).await?;
            let files = RoundFiles::open(self.run.scratch, self.policy(), 0, &self.rounds[0], messages)?;
            return Ok(RoundEnd::Opened(vec![files]));
        }
        let (store, scratch) = (self.run.store, self.run.scratch);
        let (files, lost) = restore_rounds(store, scratch, self.policy(), &self.rounds, messages).await?;
        for round in &files {
            self.refuse_unplanned(round).await?;
        }
        if !lost.is_empty() {
            let (policy, batches) = (self.policy(), lost.len());
            self.run.observer.warn(&format!(
                "{policy}: the store has lost the answers to {batches} of its batches; the presence of their records is checked"
            ));
        }
        self.write(&lost).await?;
        if !self.run.asks_what_happened {
            let doubted: Vec<Event> = self
                .machine
                .unanswered()
                .map(|batch| Event::Unclear { batch: batch.number, cause: "the run was abandoned without asking".into() })
                .collect();
            self.write(&doubted).await?;
        }
        Ok(RoundEnd::Opened(files))
    }

    /// Refuses a round that names a record which was not planned. The journal vouches for the round by its digest; this check also
    /// protects against a journal and a round that another program wrote.
    async fn refuse_unplanned(&self, round: &RoundFiles) -> Result<(), ExecuteError> {
        let planned_error = |source| ExecuteError::Planned { policy: self.policy().clone(), source };
        let mut turns = Turns::default();
        let sorted;
        let ids: Box<dyn Iterator<Item = std::io::Result<RecordId>> + Send> = if round.ascending {
            Box::new(round.ids.iter().map(|id| id.map(|(id, _)| id)))
        } else {
            let mut sorter = RowSorter::new(self.run.scratch.place(), SortOrder::Id, RowSorter::WINDOW);
            for id in round.ids.iter() {
                let pushed = id.and_then(|(id, _)| sorter.push(&Row { id, values: Vec::new() }));
                pushed.map_err(|error| self.scratch_error(error))?;
                turns.row().await;
            }
            sorted = sorter.finish().map_err(|error| self.scratch_error(error))?;
            Box::new(sorted.distinct_ids())
        };
        // Both are in ascending order.
        let mut planned = (self.input.planned_ids)().map_err(planned_error)?.peekable();
        for id in ids {
            turns.row().await;
            let id = id.map_err(planned_error)?;
            while planned.next_if(|planned| planned.as_ref().is_ok_and(|planned| *planned < id)).is_some() {
                turns.row().await;
            }
            match planned.next() {
                Some(Ok(planned)) if planned == id => {}
                Some(Err(error)) => return Err(planned_error(error)),
                _ => return Err(ExecuteError::Unplanned { policy: self.policy().clone(), round: round.number, id }),
            }
        }
        Ok(())
    }

    /// Writes down why nothing more is sent, where that is so already.
    async fn stop_if_refused(&mut self) -> Result<(), ExecuteError> {
        let Some((cause, skip)) = self.input.stopped.clone() else { return Ok(()) };
        if skip == SkipCause::Abandoned {
            self.machine.give_up();
        }
        // Who gives a run up does so for whatever was stopped for another cause as well.
        if self.machine.status().halted.is_none() {
            self.write(&[Event::Halted { cause, skip }]).await?;
        }
        Ok(())
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
        .map_err(|error| self.scratch_error(error))
    }

    /// The ends that are known so far, those of the recheck among them.
    fn settled(&self) -> Tally {
        self.machine.status().tally
    }

    /// Waits until every policy this one depends on has ended, and gives the end of this one if that decides it.
    async fn wait_for_dependencies(&mut self, before: Before) -> Result<Option<PolicyResultKind>, ExecuteError> {
        for (name, end) in before {
            let end = tokio::select! {
                biased;
                end = end => end,
                () = self.run.stop.cancelled() => None,
            };
            match end {
                Some(kind) if kind.succeeded() => {}
                Some(PolicyResultKind::Finished { .. }) => {
                    if self.machine.status().halted.is_none() {
                        let cause = format!("policy {name}, on which it depends, did not succeed");
                        self.write(&[Event::Halted { cause, skip: SkipCause::Dependency }]).await?;
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
                self.close(&step, end).await
            }
            () = self.run.timer.sleep(pause.unwrap_or(Duration::MAX)), if pause.is_some() => Ok(()),
            () = self.run.stop.cancelled(), if !stopping => Ok(()),
            else => Err(ExecuteError::Misuse { policy: self.policy().clone(), why: "waits for nothing" }),
        }
    }

    async fn close(&mut self, step: &Step, end: StepEnd) -> Result<(), ExecuteError> {
        if let StepEnd::Failed(fault) = &end {
            let waits = match fault.kind {
                FaultKind::Later { wait: Some(wait) } if wait <= LONGEST_TOLD_WAIT => {
                    format!("; as the system asks, the next attempt is in {} s", wait.as_secs())
                }
                _ => String::new(),
            };
            self.run.observer.warn(&format!("{}: {fault}{waits}", self.policy()));
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
            self.write(&[event]).await?;
        }
        let done = self.machine.status().tally.total() + self.reached.values().sum::<u64>();
        self.run.observer.progress(Some(self.policy()), "deleting", done, Some(self.input.planned));
        Ok(())
    }

    /// How the policy ended, when it has.
    fn end(&self) -> Option<PolicyResultKind> {
        let status = self.machine.status();
        let (tally, outcomes) = status.finished?;
        self.run.observer.progress(Some(self.policy()), "settled", tally.total(), Some(self.input.planned));
        Some(PolicyResultKind::Finished { tally, outcomes, halted: status.halted })
    }

    async fn excluded_places(&self, round: &RoundFiles) -> Result<ExcludedPlaces, ExecuteError> {
        let rechecked = self.recheck().into_iter().flat_map(|recheck| recheck.excluded.rows());
        let held = self.held.iter().flat_map(SortedRows::rows);
        ExcludedPlaces::find(round, first_cause(rechecked, held), self.run.scratch.place())
            .await
            .map_err(|error| self.scratch_error(error))
    }

    /// What the last whole recheck found.
    fn recheck(&self) -> Option<&Recheck> {
        self.rechecked.as_ref().or(self.input.recheck.as_ref())
    }

    /// Rechecks a policy that has waited and sent nothing: a hold may have been set meanwhile, and matches may have changed.
    async fn recheck_again(&mut self) -> Result<(), CommandError> {
        if let Some(holds) = self.run.holds {
            self.rechecked = Some(tokio::select! {
                biased;
                found = holds.recheck(self.policy()) => found?,
                () = self.run.stop.cancelled() => return Err(CommandError::plain("interrupted")),
            });
            self.holds_read = self.run.clock.now();
        }
        Ok(())
    }

    /// Reads the holds again before something new is sent, where the last reading is too old. Says whether it did: then the next
    /// step may be another one.
    async fn refresh_holds(&mut self, round: &RoundFiles, in_flight: &mut InFlight<'_>) -> Result<bool, ExecuteError> {
        let Some(holds) = self.run.holds else { return Ok(false) };
        let reading = async {
            tokio::select! {
                biased;
                found = holds.held_since(self.policy(), self.holds_read) => Some(found),
                () = self.run.stop.cancelled() => None,
            }
        };
        let (found, ended) = alongside(in_flight, reading).await;
        for ended in ended {
            let (step, end) = ended?;
            self.close(&step, end).await?;
        }
        let Some(found) = found else { return Ok(true) };
        let (read, rows) = match found {
            Ok(None) => return Ok(false),
            Ok(Some(reading)) => reading,
            Err(error) => {
                self.paused = Some(format!("nothing new is sent, since the holds could not be read again: {error}"));
                self.machine.stop();
                return Ok(true);
            }
        };
        self.holds_read = read;
        let places = ExcludedPlaces::find(round, rows.rows(), self.run.scratch.place()).await;
        for found in places.map_err(|error| self.scratch_error(error))?.records() {
            let (id, place, _) = found.map_err(|error| self.scratch_error(error))?;
            if let Some(batch) = self.machine.exclude(place, true) {
                self.run.observer.warn(&format!(
                    "{}: {id} is held by now, but was sent before in batch {batch}, which cannot be taken back",
                    self.policy()
                ));
            }
        }
        self.held = Some(match self.held.take() {
            None => rows,
            // What was held once stays out of this run, also where the hold is lifted.
            Some(earlier) => {
                let both = || -> std::io::Result<SortedRows> {
                    let mut sorter = RowSorter::new(self.run.scratch.place(), SortOrder::Id, RowSorter::WINDOW);
                    first_cause(earlier.rows(), rows.rows()).try_for_each(|row| sorter.push(&row?))?;
                    sorter.finish()
                };
                both().map_err(|error| self.scratch_error(error))?
            }
        });
        Ok(true)
    }

    fn scratch_error(&self, source: std::io::Error) -> ExecuteError {
        ExecuteError::file("use files in", self.run.scratch.place().path())(source)
    }

    /// Opens a round with what the one before it left to be sent again, or did not send.
    async fn open_next_round(
        &mut self,
        number: u32,
        last: &RoundFiles,
        messages: &Arc<MessagesFile>,
    ) -> Result<RoundEnd<RoundFiles>, ExecuteError> {
        let (provider, specification) = (self.input.provider()?.as_ref(), &self.input.specification);
        let (object, delete, scratch) = (&specification.object, specification.delete, self.run.scratch.place());
        let places = self.excluded_places(last).await?.check_presence(provider, object, delete, scratch).await;
        let places = match places.map_err(|error| self.scratch_error(error))? {
            Ok(places) => places,
            Err(error) => return Ok(RoundEnd::NotNow(error.to_string())),
        };
        let unsent = self.machine.unsent();
        let cut_short = !unsent.is_empty();
        let (count, excluded) = write_next_round(self.run, self.policy(), number, last, unsent, &places).await?;
        let policy = self.policy();
        if excluded > 0 {
            let records = counted(excluded, "record");
            self.run.observer.warn(&format!(
                "{policy}: {records} now held, changed, no longer matching or gone; nothing more is sent for them"
            ));
        }
        if !cut_short {
            let records = counted(count, "record");
            self.run.observer.warn(&format!("{policy}: {records} to be sent again after a pause, in round {number}"));
        }
        self.publish_round(number, count, excluded, None).await?;
        let opened = self.rounds[number as usize];
        RoundFiles::open(self.run.scratch, self.policy(), number, &opened, messages).map(RoundEnd::Opened)
    }

    /// Puts the ids of a round into the store, and then says in the journal that they are there.
    async fn publish_round(
        &mut self,
        round: u32,
        count: u64,
        excluded: u64,
        rechecked: Option<Rechecked>,
    ) -> Result<(), ExecuteError> {
        let (store, scratch, policy) = (self.run.store, self.run.scratch, self.policy());
        let ids = store.publish(store.round(policy, round), &scratch.round(policy, round)).await?;
        let excluded = if excluded > 0 {
            let records = store.publish(store.excluded(policy, round), &scratch.excluded(policy, round)).await?;
            Some(Excluded { count: excluded, records })
        } else {
            None
        };
        self.write(&[Event::RoundOpened { round, count, ids, excluded, rechecked }]).await
    }
}
