//! One policy: asks its lane what to do, and does it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::watch;

use super::finish::write_outcomes;
use super::lost::lost_answers;
use super::perform::{Performer, WaveFiles};
use super::run::{DriveError, DriveLane, LaneEndKind, Run, Story};
use super::withheld::WithheldPlaces;
use crate::apply::{Batch, Event, Lane, SkipCause, Step, StepEnd, Tally, Withheld};
use crate::base::{Digest, PolicyName, counted};
use crate::store::{IdNote, IdsFile, IdsWriter, MarksFile, RawMark, TextsFile, read_skipped};

/// How long a wait lasts at least, so that two clocks that differ a little cannot keep the processor busy.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// The policies one waits for, and where each tells its end.
pub(super) type Before = Vec<(PolicyName, watch::Receiver<Option<LaneEndKind>>)>;

/// Drives one policy's lane.
pub(super) struct PolicyDriver<'a> {
    run: &'a Run<'a>,
    input: &'a DriveLane,
    lane: Lane,
    waves: Vec<(Digest, Option<Digest>)>,
    skipped: u64,
    /// How many records the jobs under way have come to, by batch. For people.
    reached: BTreeMap<u64, u64>,
}

type InFlight<'a> = FuturesUnordered<BoxFuture<'a, Result<(Step, StepEnd), DriveError>>>;

impl<'a> PolicyDriver<'a> {
    pub(super) fn new(run: &'a Run<'a>, input: &'a DriveLane, story: Story) -> Self {
        Self { run, input, lane: story.lane, waves: story.waves, skipped: story.skipped, reached: BTreeMap::new() }
    }

    fn policy(&self) -> &'a PolicyName {
        &self.input.order.policy
    }

    /// Makes an event durable, and then lets the lane know.
    fn write(&mut self, event: &Event) -> Result<(), DriveError> {
        self.run.journal.append(Some(self.policy()), event)?;
        self.lane.record(event).map_err(|source| DriveError::Story { policy: self.policy().clone(), source })
    }

    /// Goes on until the policy has ended in one way or another.
    pub(super) async fn drive(mut self, before: Before) -> Result<LaneEndKind, DriveError> {
        if self.lane.status().finished.is_none()
            && !self.lane.has_begun()
            && let Some(end) = self.wait_for_dependencies(before).await?
        {
            return Ok(end);
        }
        if let Some(end) = self.end() {
            return Ok(end);
        }
        let texts = Arc::new(self.open_texts()?);
        let mut files =
            (0..=self.lane.status().wave).map(|wave| self.wave_files(wave, &texts)).collect::<Result<Vec<_>, _>>()?;
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
        let performer = Arc::new(Performer::new(self.run, self.input));
        let mut wave = files[files.len() - 1].clone();
        for place in self.withheld_places(&wave)?.iter() {
            let (place, note) = place.map_err(|error| self.unwritable(error))?;
            self.lane.withhold(place, note != IdNote::Withheld(SkipCause::NoLongerMatches));
        }
        let mut in_flight = InFlight::new();
        loop {
            if let Some(end) = self.end() {
                return Ok(end);
            }
            if self.run.stop.is_cancelled() {
                self.lane.stop();
            }
            let step = self.lane.next(self.run.clock.now());
            let step = self.whole_groups(step, &wave)?;
            if let Some(intent) = step.intent() {
                self.write(&intent)?;
            }
            match step {
                // Written already: it is its own intent.
                Step::Write(_) => {}
                Step::Wait(until) => self.wait(until, &mut in_flight).await?,
                Step::Pause(cause) => return Ok(LaneEndKind::Unfinished { cause, settled: self.settled() }),
                Step::Stop => return Ok(LaneEndKind::Interrupted { settled: self.settled() }),
                Step::OpenWave(number) => {
                    let (provider, object) = (self.input.provider.as_ref(), &self.input.order.object);
                    let places = self.withheld_places(&wave)?.look(provider, object).await;
                    match places.map_err(|error| self.unwritable(error))? {
                        Ok(places) => self.write_wave(number, &wave, &places)?,
                        Err(error) => {
                            return Ok(LaneEndKind::Unfinished { cause: error.to_string(), settled: self.settled() });
                        }
                    }
                    wave = self.wave_files(number, &texts)?;
                    files.push(wave.clone());
                }
                Step::Finish => {
                    let finished = write_outcomes(self.run, self.input, &files, self.skipped, &self.lane.status())?;
                    self.write(&finished)?;
                }
                step => {
                    self.lane.begin(&step);
                    let number = step.batch().map_or(wave.number, |batch| batch.wave);
                    let (performer, wave) = (Arc::clone(&performer), files[number as usize].clone());
                    in_flight.push(Box::pin(async move { performer.perform(step, &wave).await }));
                }
            }
        }
    }

    /// Ends a batch where a group ends, so that no other batch has records of the same one.
    fn whole_groups(&self, step: Step, wave: &WaveFiles) -> Result<Step, DriveError> {
        let whole = |mut batch: Batch| {
            if self.input.grouped {
                batch.count = wave.ids.whole_groups(batch.first, batch.count)?;
            }
            Ok(batch)
        };
        match step {
            Step::Send(batch) => whole(batch).map(Step::Send),
            Step::Create(batch) => whole(batch).map(Step::Create),
            step => Ok(step),
        }
        .map_err(DriveError::file("read", &self.run.directory.wave(self.policy(), wave.number)))
    }

    /// The ends that are known so far, those of the recheck among them.
    fn settled(&self) -> Tally {
        let mut settled = self.lane.status().tally;
        settled.skipped += self.skipped;
        settled
    }

    /// Waits until every policy this one depends on has ended, and gives the end of this one if that decides it.
    async fn wait_for_dependencies(&mut self, before: Before) -> Result<Option<LaneEndKind>, DriveError> {
        for (name, mut end) in before {
            let end = tokio::select! {
                end = end.wait_for(Option::is_some) => end.ok().and_then(|end| end.clone()),
                () = self.run.stop.cancelled() => None,
            };
            match end {
                Some(kind) if kind.succeeded() => {}
                Some(LaneEndKind::Finished { .. }) => {
                    if self.lane.status().halted.is_none() {
                        let cause = format!("policy {name}, on which it depends, did not succeed");
                        self.write(&Event::Halted { cause, skip: SkipCause::Dependency })?;
                    }
                    return Ok(None);
                }
                Some(LaneEndKind::Unfinished { .. }) => {
                    return Ok(Some(LaneEndKind::Unfinished {
                        cause: format!("it depends on {name}, which is unfinished"),
                        settled: self.settled(),
                    }));
                }
                Some(LaneEndKind::Interrupted { .. }) | None => {
                    return Ok(Some(LaneEndKind::Interrupted { settled: self.settled() }));
                }
            }
        }
        Ok(None)
    }

    /// Waits for the next step to end, the moment to come, or the user to stop.
    async fn wait(&mut self, until: Option<Timestamp>, in_flight: &mut InFlight<'_>) -> Result<(), DriveError> {
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
            else => Err(DriveError::Misuse { policy: self.policy().clone(), why: "waits for nothing" }),
        }
    }

    fn close(&mut self, step: &Step, end: StepEnd) -> Result<(), DriveError> {
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
        if let Some(event) = self.lane.close(step, end, self.run.clock.now()) {
            self.write(&event)?;
        }
        let done = self.skipped + self.lane.status().tally.total() + self.reached.values().sum::<u64>();
        self.run.observer.progress(Some(self.policy()), "deleting", done, Some(self.input.planned));
        Ok(())
    }

    /// How the policy ended, when it has.
    fn end(&self) -> Option<LaneEndKind> {
        let status = self.lane.status();
        let (tally, outcomes) = status.finished?;
        self.run.observer.progress(Some(self.policy()), "settled", tally.total(), Some(self.input.planned));
        Some(LaneEndKind::Finished { tally, outcomes, halted: status.halted.map(|(cause, _)| cause) })
    }

    fn open_texts(&self) -> Result<TextsFile, DriveError> {
        let path = self.run.directory.texts(self.policy());
        let (texts, whole) = TextsFile::open(&path, self.lane.status().texts).map_err(DriveError::file("open", &path))?;
        if !whole {
            let path = path.display();
            self.run.observer.warn(&format!("{path} has lost its end, and with it the words of some failures"));
        }
        Ok(texts)
    }

    /// The records that the recheck kept back are all there; without them the outcomes cannot be written.
    fn check_skipped(&self) -> Result<(), DriveError> {
        let path = self.run.directory.skipped(self.policy());
        let rows = read_skipped(&path).map_err(DriveError::file("open", &path))?;
        let mut count = 0;
        for row in rows {
            row.map_err(DriveError::file("read", &path))?;
            count += 1;
        }
        if count != self.skipped {
            let why = format!("it has {} and {} were written", counted(count, "record"), self.skipped);
            return Err(DriveError::Altered { path, why });
        }
        Ok(())
    }

    /// The files of a wave, checked against the journal.
    fn wave_files(&self, number: u32, texts: &Arc<TextsFile>) -> Result<WaveFiles, DriveError> {
        let (digest, withheld) = *self
            .waves
            .get(number as usize)
            .ok_or_else(|| DriveError::Misuse { policy: self.policy().clone(), why: "has no such wave" })?;
        let (ids, ascending) = open_ids(&self.run.directory.wave(self.policy(), number), digest)?;
        let path = self.run.directory.withheld(self.policy(), number);
        let withheld = withheld.map(|digest| open_ids(&path, digest)).transpose()?.map(|(ids, _)| ids);
        let path = self.run.directory.marks(self.policy(), number);
        let marks = MarksFile::open(&path, Arc::clone(texts), ids.count()).map_err(DriveError::file("open", &path))?;
        Ok(WaveFiles { number, ids, withheld, marks: Arc::new(marks), ascending })
    }

    fn withheld_places(&self, wave: &WaveFiles) -> Result<WithheldPlaces, DriveError> {
        let scratch = || self.run.directory.scratch(&format!("withheld.{}", self.policy()));
        WithheldPlaces::find(wave, self.input.withheld.as_deref(), scratch).map_err(|error| self.unwritable(error))
    }

    fn unwritable(&self, source: std::io::Error) -> DriveError {
        let path = self.run.directory.path().to_owned();
        DriveError::File { doing: "put the records that are not sent any more in order in", path, source }
    }

    /// Puts what a wave left to be sent again, or did not send, into the next wave's file, in the same order. What must not be
    /// sent any more goes into a file of its own.
    fn write_wave(&mut self, number: u32, last: &WaveFiles, places: &WithheldPlaces) -> Result<(), DriveError> {
        let path = self.run.directory.wave(self.policy(), number);
        let withheld_path = self.run.directory.withheld(self.policy(), number);
        let unsent = self.lane.unsent();
        let write = || {
            for (first, count) in unsent {
                // What an abandoned batch left there is no mark.
                last.marks.clear(first, count)?;
            }
            last.marks.sync()?;
            let mut writer = IdsWriter::create(&path)?;
            let mut withheld = if places.is_empty() { None } else { Some(IdsWriter::create(&withheld_path)?) };
            let (mut ids, mut places) = (last.ids.iter()?, places.iter());
            let mut next = places.next().transpose()?;
            let mut begins_group = false;
            last.marks.scan(0, last.ids.count(), |place, mark| {
                let too_short = || std::io::Error::other("the wave before it is too short");
                let (id, note) = ids.next().transpose()?.ok_or_else(too_short)?;
                begins_group |= note == IdNote::Group;
                let kept = next.and_then(|(next, note)| (next == place).then_some(note));
                if kept.is_some() {
                    next = places.next().transpose()?;
                }
                if mark.is_again() || mark == RawMark::NONE {
                    match (&mut withheld, kept) {
                        (Some(withheld), Some(note)) => withheld.push(&id, note)?,
                        _ => {
                            let begins = std::mem::take(&mut begins_group);
                            writer.push(&id, if begins { IdNote::Group } else { IdNote::None })?;
                        }
                    }
                }
                Ok(true)
            })?;
            let withheld = withheld.map(IdsWriter::finish).transpose()?;
            Ok((writer.finish()?, withheld.filter(|(count, _)| *count > 0)))
        };
        let ((count, digest), withheld) = write().map_err(DriveError::file("write", &path))?;
        let withheld = withheld.map(|(count, digest)| Withheld { count, digest });
        self.waves.push((digest, withheld.map(|withheld| withheld.digest)));
        let policy = self.policy();
        if let Some(Withheld { count, .. }) = withheld {
            let records = counted(count, "record");
            self.run.observer.warn(&format!(
                "{policy}: {records} held, changed, not matching any more or gone by now; nothing more is sent for them"
            ));
        }
        if self.lane.unsent().is_empty() {
            self.run.observer.warn(&format!("{policy}: {count} records are sent again after a pause, in wave {number}"));
        }
        self.write(&Event::WaveOpened { wave: number, count, digest, withheld })
    }
}

/// Opens an ids file that the journal speaks of, and says whether it is in ascending order.
fn open_ids(path: &Path, journalled: Digest) -> Result<(Arc<IdsFile>, bool), DriveError> {
    let ids = IdsFile::open(path).map_err(DriveError::file("open", path))?;
    let (digest, ascending) = ids.verify().map_err(DriveError::file("read", path))?;
    if digest != journalled {
        return Err(DriveError::Altered { path: path.to_owned(), why: format!("its digest is {digest}") });
    }
    Ok((Arc::new(ids), ascending))
}
