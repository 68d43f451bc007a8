//! One ingest job: data in, rows tried 200 at a time when the clock says so, results out.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::faults::JobFaults;
use super::job_info::{JobHead, JobInfo, JobState};
use super::upload::Upload;
use crate::sandbox::salesforce::bulk_rows::{CHUNK_ROWS, milliseconds, rows_due, time_of};

/// Rows of one transaction, to be tried now.
pub struct Chunk<'a> {
    /// Whether a fault keeps all of them locked.
    pub locked: bool,
    /// What the rows name, as sent: not necessarily identifiers.
    pub ids: Vec<&'a str>,
}

/// The end of one row: gone, or the text of its error cell.
pub type RowResult = Result<(), String>;

#[derive(Debug)]
enum Phase {
    Open,
    Running { since: Timestamp },
    Complete { since: Timestamp, at: Timestamp },
    Failed { since: Timestamp, at: Timestamp, message: String },
    Aborted { since: Option<Timestamp>, at: Timestamp },
}

/// One job of `/jobs/ingest`.
///
/// It moves only when somebody looks: [`Self::advance`] does what is due by the given moment, and no more.
/// Invariant: rows are tried in the order of the upload, so that the untried ones are the last.
#[derive(Debug)]
pub struct IngestJob {
    /// What stays the same.
    pub head: JobHead,
    /// How it goes wrong.
    pub faults: JobFaults,
    phase: Phase,
    upload: Option<Upload>,
    /// For each tried row 0 when it was deleted, otherwise one more than the place of its error.
    outcomes: Vec<u32>,
    errors: Vec<String>,
    error_places: BTreeMap<String, u32>,
    failed: usize,
}

impl IngestJob {
    /// A new job that waits for data.
    pub fn new(head: JobHead, faults: JobFaults) -> Self {
        Self {
            head,
            faults,
            phase: Phase::Open,
            upload: None,
            outcomes: Vec::new(),
            errors: Vec::new(),
            error_places: BTreeMap::new(),
            failed: 0,
        }
    }

    /// Whether it has rows to try, now or later.
    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running { .. })
    }

    /// Where it is at that moment.
    pub fn state(&self, now: Timestamp) -> JobState {
        match &self.phase {
            Phase::Open => JobState::Open,
            Phase::Running { since } if now <= *since => JobState::UploadComplete,
            Phase::Running { .. } => JobState::InProgress,
            Phase::Complete { .. } => JobState::JobComplete,
            Phase::Failed { .. } => JobState::Failed,
            Phase::Aborted { .. } => JobState::Aborted,
        }
    }

    /// When it ended, if it has.
    pub fn ended(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Open | Phase::Running { .. } => None,
            Phase::Complete { at, .. } | Phase::Failed { at, .. } | Phase::Aborted { at, .. } => Some(*at),
        }
    }

    /// Takes the data. To be called once, while the job is open.
    pub fn take(&mut self, upload: Upload) {
        self.upload = Some(upload);
    }

    /// Closes it for data; from this moment on rows become due.
    pub fn close(&mut self, now: Timestamp) {
        self.head.modified = now;
        self.phase = Phase::Running { since: now };
    }

    /// Ends it early. Rows tried before stay tried.
    pub fn abort(&mut self, now: Timestamp) {
        let since = match self.phase {
            Phase::Running { since } => Some(since),
            _ => None,
        };
        self.head.modified = now;
        self.phase = Phase::Aborted { since, at: now };
    }

    /// Does what is due at that many rows per second: `delete` tries one chunk and answers for each of its rows, in order.
    pub fn advance(
        &mut self,
        now: Timestamp,
        rows_per_second: u64,
        mut delete: impl FnMut(&JobHead, &Chunk<'_>) -> Vec<RowResult>,
    ) {
        let Phase::Running { since } = self.phase else { return };
        if now <= since {
            return;
        }
        let refusal = self.upload.as_ref().and_then(|upload| upload.refusal(self.head.operation));
        if let Some(message) = refusal.or_else(|| self.faults.refusal.clone()) {
            self.end(now, Phase::Failed { since, at: now, message });
            return;
        }
        let due = rows_due(since, now, rows_per_second);
        let total = self.rows();
        let last = self.faults.fail_after.map_or(total, |after| after.min(total));
        while self.outcomes.len() < last && self.outcomes.len() + CHUNK_ROWS <= due {
            self.next_chunk(last, &mut delete);
        }
        if self.outcomes.len() < last || due < CHUNK_ROWS {
            return;
        }
        let at = now.min(since + time_of(last.div_ceil(CHUNK_ROWS).max(1) * CHUNK_ROWS, rows_per_second));
        if self.faults.fail_after.is_some_and(|after| after <= total) {
            // The text of a job that dies on its way is a guess; its state and what it leaves behind are documented.
            let message = "InternalServerError : Unable to process the batch after 20 retries".to_owned();
            self.end(at, Phase::Failed { since, at, message });
        } else {
            self.end(at, Phase::Complete { since, at });
        }
    }

    fn end(&mut self, at: Timestamp, phase: Phase) {
        self.head.modified = at;
        self.phase = phase;
    }

    fn next_chunk(&mut self, last: usize, delete: &mut impl FnMut(&JobHead, &Chunk<'_>) -> Vec<RowResult>) {
        let Some(upload) = &self.upload else { return };
        let first = self.outcomes.len();
        let number = (first / CHUNK_ROWS + 1) as u64;
        let ids = (first..last.min(first + CHUNK_ROWS)).map(|row| upload.id(row)).collect();
        let chunk = Chunk { locked: self.faults.locked_chunks.contains(&number), ids };
        let results = delete(&self.head, &chunk);
        assert_eq!(results.len(), chunk.ids.len(), "an answer for every row");
        for result in results {
            let outcome = match result {
                Ok(()) => 0,
                Err(text) => {
                    self.failed += 1;
                    self.place_of(text) + 1
                }
            };
            self.outcomes.push(outcome);
        }
    }

    /// Most failed rows fail with the same few texts: each is kept once.
    fn place_of(&mut self, text: String) -> u32 {
        if let Some(place) = self.error_places.get(&text) {
            return *place;
        }
        let place = u32::try_from(self.errors.len()).expect("an upload of 100 MB has fewer rows");
        self.errors.push(text.clone());
        self.error_places.insert(text, place);
        place
    }

    /// The number of rows uploaded.
    pub fn rows(&self) -> usize {
        self.upload.as_ref().map_or(0, Upload::len)
    }

    /// The data, once it was uploaded.
    pub fn upload(&self) -> Option<&Upload> {
        self.upload.as_ref()
    }

    /// How a row ended: gone, or with the text of its error cell. None when it was not tried.
    pub fn outcome(&self, row: usize) -> Option<Result<(), &str>> {
        let outcome = *self.outcomes.get(row)?;
        Some(outcome.checked_sub(1).map_or(Ok(()), |place| Err(self.errors[place as usize].as_str())))
    }

    /// As the request that made it is answered.
    pub fn created_info(&self, now: Timestamp) -> JobInfo<'_> {
        let state = self.state(now);
        let info = JobInfo::new(&self.head, state).with_dialect(self.head.dialect);
        if state == JobState::Open { info.with_content_url(&self.head) } else { info }
    }

    /// As a change of its state is answered. Source: recorded.
    pub fn changed_info(&self, now: Timestamp) -> JobInfo<'_> {
        JobInfo::new(&self.head, self.state(now))
    }

    /// As a list of jobs shows it.
    pub fn listed_info(&self, now: Timestamp) -> JobInfo<'_> {
        self.created_info(now).with_type("V2Ingest")
    }

    /// As a request for the job itself is answered.
    ///
    /// The recorded jobs that are at work or done have the counters; the documented open one has not.
    pub fn info(&self, now: Timestamp) -> JobInfo<'_> {
        let (since, until) = match &self.phase {
            Phase::Open => (None, now),
            Phase::Running { since } => (Some(*since), now),
            Phase::Complete { since, at } | Phase::Failed { since, at, .. } => (Some(*since), *at),
            Phase::Aborted { since, at } => (*since, *at),
        };
        let elapsed = since.map_or(0, |since| milliseconds(since, until));
        // The total lags behind the active time while a job is at work. Source: recorded.
        let total = if self.ended().is_some() { elapsed } else { 0 };
        let message = match &self.phase {
            Phase::Failed { message, .. } => Some(message.as_str()),
            _ => None,
        };
        let info = self.listed_info(now).with_times(total, Some(elapsed)).with_error(message);
        if matches!(self.phase, Phase::Open) {
            info
        } else {
            {
                let lag = |count: usize| count.saturating_sub(self.faults.uncounted);
                info.with_processed(lag(self.outcomes.len())).with_failed(lag(self.failed))
            }
        }
    }
}
