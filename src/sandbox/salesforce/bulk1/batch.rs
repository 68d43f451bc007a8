//! One batch: rows tried 200 at a time, each with its end.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;

use super::answer::{Field, Fields};
use super::query::Found;
use crate::sandbox::salesforce::bulk_rows::{CHUNK_ROWS, milliseconds, time_of};
use crate::sandbox::salesforce::bulk2::JobFaults;
use crate::sandbox::{ItemError, RecordKey};

/// The message of a batch that dies on its way: a guess. Its state and what it leaves behind are documented.
const DIED: &str = "InternalServerError : Unable to process the batch after 10 retries";

/// How a batch ended. Source: documented.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// Every row was tried; rows may have failed all the same.
    Completed,
    /// The service gave up, for this reason. What it did before stays done.
    Failed(String),
    /// Its job was aborted before its turn came.
    NotProcessed,
}

/// Rows of one transaction, to be tried now.
pub struct Chunk<'a> {
    /// When the transaction begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// Whether a fault keeps all of them locked.
    pub locked: bool,
    /// What the rows name, as sent: not necessarily identifiers.
    pub ids: Vec<&'a str>,
}

/// One batch of a job.
///
/// It moves only when [`Self::next_chunk`] is called. Invariant: rows are tried in the order of the request, so that the
/// untried ones are the last.
#[derive(Debug)]
pub struct Batch {
    /// Its identifier, with the prefix `751`.
    pub id: RecordKey,
    /// When it was added.
    pub created: Timestamp,
    /// The request, as sent.
    pub data: Bytes,
    /// When its work began or will begin; nothing while it waits for others.
    pub begun: Option<Timestamp>,
    rows: Result<Vec<String>, String>,
    found: Option<Bytes>,
    faults: JobFaults,
    tried: usize,
    errors: BTreeMap<usize, ItemError>,
    end: Option<(Timestamp, End)>,
    modified: Timestamp,
}

impl Batch {
    /// A new batch: what it names, or the message with which it will fail.
    pub fn new(
        id: RecordKey,
        created: Timestamp,
        data: Bytes,
        rows: Result<Vec<String>, String>,
        faults: JobFaults,
    ) -> Self {
        Self {
            id,
            created,
            data,
            begun: None,
            rows,
            found: None,
            faults,
            tried: 0,
            errors: BTreeMap::new(),
            end: None,
            modified: created,
        }
    }

    /// How it ended, if it has.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref().map(|(_, end)| end)
    }

    /// The service's word for where it is at that moment.
    pub fn state(&self, now: Timestamp) -> &'static str {
        match self.end() {
            Some(End::Completed) => "Completed",
            Some(End::Failed(_)) => "Failed",
            Some(End::NotProcessed) => "NotProcessed",
            None if self.begun.is_some_and(|begun| now > begun) => "InProgress",
            None => "Queued",
        }
    }

    /// How many rows were tried, and how many of them failed.
    pub fn tried(&self) -> (usize, usize) {
        (self.tried, self.errors.len())
    }

    /// When its next transaction begins and ends, if its work begins or began at that moment.
    pub fn next_due(&self, begun: Timestamp, rows_per_second: u64) -> (Timestamp, Timestamp) {
        // A batch that asks has no rows before its end, and takes as long as one transaction.
        let done = self.tried.div_ceil(CHUNK_ROWS);
        let at = |chunks: usize| begun + time_of(chunks * CHUNK_ROWS, rows_per_second);
        (at(done), at(done + 1))
    }

    /// Does the next transaction: `delete` tries the rows and answers for each of them, in order.
    pub fn next_chunk(
        &mut self,
        (from, until): (Timestamp, Timestamp),
        delete: impl FnOnce(&Chunk<'_>) -> Vec<Result<(), ItemError>>,
    ) {
        self.modified = until;
        let rows = match (&self.rows, &self.faults.refusal) {
            (Ok(rows), None) => rows,
            (Err(message), _) | (_, Some(message)) => {
                self.end = Some((until, End::Failed(message.clone())));
                return;
            }
        };
        let last = self.faults.fail_after.map_or(rows.len(), |after| after.min(rows.len()));
        let ids: Vec<&str> = rows[self.tried..last.min(self.tried + CHUNK_ROWS)].iter().map(String::as_str).collect();
        let number = (self.tried / CHUNK_ROWS + 1) as u64;
        let chunk = Chunk { from, until, locked: self.faults.locked_chunks.contains(&number), ids };
        let results = delete(&chunk);
        assert_eq!(results.len(), chunk.ids.len(), "an answer for every row");
        for result in results {
            if let Err(error) = result {
                self.errors.insert(self.tried, error);
            }
            self.tried += 1;
        }
        if self.tried == last {
            let failed = self.faults.fail_after.is_some_and(|after| after <= rows.len());
            self.end = Some((until, if failed { End::Failed(DIED.to_owned()) } else { End::Completed }));
        }
    }

    /// Ends a batch that asks: with what it found, or with the message of its state.
    pub fn answer(&mut self, at: Timestamp, found: Result<Found, String>) {
        self.modified = at;
        let found = match &self.faults.refusal {
            Some(message) => Err(message.clone()),
            None if self.faults.fail_after.is_some() => Err(DIED.to_owned()),
            None => found,
        };
        let end = match found {
            Ok(Found { rows, file }) => {
                self.tried = rows;
                self.found = Some(file);
                End::Completed
            }
            Err(message) => End::Failed(message),
        };
        self.end = Some((at, end));
    }

    /// What it found, if it asks and has ended well.
    pub fn found(&self) -> Option<&Bytes> {
        self.found.as_ref()
    }

    /// Its job was aborted: a batch that waits will not be processed, one at work goes on to its end (documented).
    pub fn abort(&mut self, now: Timestamp) {
        if self.state(now) == "Queued" {
            self.end = Some((now, End::NotProcessed));
            self.modified = now;
        }
    }

    /// The end of each tried row, in the order of the request: the identifier as sent, and the error if it failed.
    pub fn results(&self) -> impl Iterator<Item = (&str, Option<&ItemError>)> {
        let rows = self.rows.as_deref().unwrap_or_default();
        let ends = rows.iter().take(self.tried).enumerate().map(|(row, id)| (id.as_str(), self.errors.get(&row)));
        ends.skip(self.faults.omitted)
    }

    /// How long it was at work up to that moment, in milliseconds.
    pub fn time(&self, now: Timestamp) -> u64 {
        let until = self.end.as_ref().map_or(now, |(at, _)| *at);
        self.begun.map_or(0, |begun| milliseconds(begun, until))
    }

    /// What is told about it. Source of the order: documented.
    pub fn info(&self, job: RecordKey, now: Timestamp) -> Fields {
        let mut fields = vec![
            ("id", Field::Text(self.id.to_string())),
            ("jobId", Field::Text(job.to_string())),
            ("state", Field::Text(self.state(now).to_owned())),
        ];
        if let Some(End::Failed(message)) = self.end() {
            fields.push(("stateMessage", Field::Text(message.clone())));
        }
        fields.extend([
            ("createdDate", Field::Moment(self.created)),
            ("systemModstamp", Field::Moment(self.modified)),
            ("numberRecordsProcessed", Field::Count(self.tried.saturating_sub(self.faults.uncounted) as u64)),
            ("numberRecordsFailed", Field::Count(self.errors.len().saturating_sub(self.faults.uncounted) as u64)),
            ("totalProcessingTime", Field::Count(self.time(now))),
            ("apiActiveProcessingTime", Field::Count(self.time(now))),
            ("apexProcessingTime", Field::Count(0)),
        ]);
        fields
    }
}
