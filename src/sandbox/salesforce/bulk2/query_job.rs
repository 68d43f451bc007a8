//! One query job: a statement in, the matching rows as they were when it ran, read in pages.

use std::ops::Deref;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use jiff::Timestamp;

use super::dialect::Dialect;
use super::faults::JobFaults;
use super::job_info::{JobHead, JobInfo, JobState};
use crate::sandbox::salesforce::bulk_rows::{milliseconds, rows_due};
use crate::sandbox::salesforce::query::Statement;
use crate::sandbox::{Value, World};

/// The rows a query found, already written as CSV.
///
/// Not a list of identifiers: values are kept as they were when the query ran, whatever happens to the records later.
#[derive(Debug, Default)]
pub struct Snapshot {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Snapshot {
    /// Adds one row.
    pub fn push<'a>(&mut self, dialect: Dialect, cells: impl IntoIterator<Item = &'a str>) {
        dialect.write_quoted(&mut self.text, cells);
        self.ends.push(self.text.len());
    }
}

/// A query job and what it runs.
#[derive(Debug)]
pub struct CheckedQuery {
    /// The job.
    pub job: QueryJob,
    /// What it asks for.
    pub statement: Statement,
}

impl CheckedQuery {
    /// Does what is due. The world is asked for only when the query runs.
    pub fn advance<W: Deref<Target = World>>(&mut self, now: Timestamp, rows_per_second: u64, world: impl FnOnce() -> W) {
        let statement = &self.statement;
        self.job.advance(now, rows_per_second, |head| {
            let world = world();
            let mut snapshot = Snapshot::default();
            for key in statement.run(&world, head.created_by) {
                let cells: Vec<String> = statement.values(&world, key).iter().map(Value::to_text).collect();
                snapshot.push(head.dialect, cells.iter().map(String::as_str));
            }
            snapshot
        });
    }
}

#[derive(Debug)]
enum Phase {
    Waiting,
    Running { text: Bytes, ends: Vec<usize> },
    Complete { text: Bytes, ends: Vec<usize>, at: Timestamp },
    Aborted { at: Timestamp },
}

/// One page of results.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The header line, which every page repeats.
    pub header: Bytes,
    /// The rows.
    pub text: Bytes,
    /// How many rows it claims to have.
    pub rows: usize,
    /// Where the next page begins; none after the last.
    pub next: Option<usize>,
}

/// One job of `/jobs/query`.
///
/// Like an ingest job it moves only when somebody looks.
#[derive(Debug)]
pub struct QueryJob {
    /// What stays the same.
    pub head: JobHead,
    /// How it goes wrong.
    pub faults: JobFaults,
    columns: Vec<String>,
    phase: Phase,
}

impl QueryJob {
    /// A new job, at once ready to run: a query job has no `Open` state. Source: documented.
    pub fn new(head: JobHead, faults: JobFaults, columns: Vec<String>) -> Self {
        Self { head, faults, columns, phase: Phase::Waiting }
    }

    /// Where it is at that moment.
    pub fn state(&self, now: Timestamp) -> JobState {
        match self.phase {
            Phase::Waiting if now <= self.head.created => JobState::UploadComplete,
            Phase::Waiting | Phase::Running { .. } => JobState::InProgress,
            Phase::Complete { .. } => JobState::JobComplete,
            Phase::Aborted { .. } => JobState::Aborted,
        }
    }

    /// When it ended, if it has.
    pub fn ended(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Waiting | Phase::Running { .. } => None,
            Phase::Complete { at, .. } | Phase::Aborted { at } => Some(at),
        }
    }

    /// Does what is due: runs the query at the first look after its creation, and completes when its rows had time to be written.
    pub fn advance(&mut self, now: Timestamp, rows_per_second: u64, run: impl FnOnce(&JobHead) -> Snapshot) {
        if now <= self.head.created {
            return;
        }
        if matches!(self.phase, Phase::Waiting) {
            self.head.modified = now;
            let snapshot = run(&self.head);
            self.phase = Phase::Running { text: snapshot.text.into(), ends: snapshot.ends };
        }
        if let Phase::Running { text, ends } = &mut self.phase
            && ends.len() <= rows_due(self.head.created, now, rows_per_second)
        {
            self.head.modified = now;
            self.phase = Phase::Complete { text: std::mem::take(text), ends: std::mem::take(ends), at: now };
        }
    }

    /// Ends it early.
    pub fn abort(&mut self, now: Timestamp) {
        self.head.modified = now;
        self.phase = Phase::Aborted { at: now };
    }

    /// As the request that made it is answered.
    pub fn created_info(&self, now: Timestamp) -> JobInfo<'_> {
        self.changed_info(now).with_dialect(self.head.dialect)
    }

    /// As a change of its state is answered.
    pub fn changed_info(&self, now: Timestamp) -> JobInfo<'_> {
        JobInfo::new(&self.head, self.state(now))
    }

    /// As a list of jobs shows it.
    pub fn listed_info(&self, now: Timestamp) -> JobInfo<'_> {
        self.created_info(now).with_type("V2Query")
    }

    /// As a request for the job itself is answered.
    pub fn info(&self, now: Timestamp) -> JobInfo<'_> {
        let rows = match &self.phase {
            Phase::Complete { ends, .. } => ends.len().saturating_add_signed(self.faults.wrong_total),
            Phase::Waiting | Phase::Running { .. } | Phase::Aborted { .. } => 0,
        };
        let total = self.ended().map_or(0, |at| milliseconds(self.head.created, at));
        self.listed_info(now).with_processed(rows).with_times(total, None).with_chunking()
    }

    /// The page that begins at that row. None when the job is not complete, or has no such row.
    pub fn page(&self, first: usize, most_rows: usize) -> Option<Page> {
        let Phase::Complete { text, ends, .. } = &self.phase else { return None };
        if first > 0 && first >= ends.len() {
            return None;
        }
        let last = ends.len().min(first.saturating_add(most_rows));
        let byte = |row: usize| row.checked_sub(1).map_or(0, |before| ends[before]);
        let shown = last.min(ends.len().saturating_sub(self.faults.short_by)).max(first);
        let mut header = Vec::new();
        self.head.dialect.write_quoted(&mut header, self.columns.iter().map(String::as_str));
        Some(Page {
            header: header.into(),
            text: text.slice(byte(first)..byte(shown)),
            rows: last - first,
            next: (last < ends.len()).then_some(last),
        })
    }

    /// The opaque word for the page that begins at that row, in the form of the recorded ones.
    pub fn locator(&self, row: usize) -> String {
        STANDARD_NO_PAD.encode(format!("0:{}:{row}", self.head.id))
    }

    /// The row that one of this job's own locators stands for.
    pub fn row_of(&self, locator: &str) -> Option<usize> {
        let text = String::from_utf8(STANDARD_NO_PAD.decode(locator.trim_end_matches('=')).ok()?).ok()?;
        text.strip_prefix("0:")?.strip_prefix(&self.head.id.to_string())?.strip_prefix(':')?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::sandbox::RecordKey;

    fn moment(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_725_914_491_000 + milliseconds).expect("in range")
    }

    fn job() -> QueryJob {
        let head = JobHead {
            id: RecordKey::parse("750ak000009BkrxAAC").expect("valid"),
            operation: "query",
            object: "Account".into(),
            created_by: RecordKey::parse("005ak000005hvjJAAQ").expect("valid"),
            created: moment(0),
            modified: moment(0),
            api_version: "60.0".into(),
            dialect: Dialect::default(),
        };
        QueryJob::new(head, JobFaults::default(), vec!["Id".into(), "Name".into()])
    }

    fn three_rows(_: &JobHead) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for row in ["1", "2", "3"] {
            snapshot.push(Dialect::default(), [row, "a\n\"b\""]);
        }
        snapshot
    }

    fn json(info: &JobInfo<'_>) -> String {
        serde_json::to_string(info).expect("text and numbers")
    }

    #[test]
    fn a_new_job_is_shown_as_recorded() {
        assert_snapshot!(json(&job().created_info(moment(0))), @r#"{"id":"750ak000009BkrxAAC","operation":"query","object":"Account","createdById":"005ak000005hvjJAAQ","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"UploadComplete","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"lineEnding":"LF","columnDelimiter":"COMMA"}"#);
    }

    #[test]
    fn a_finished_job_has_its_counters() {
        let mut job = job();
        job.advance(moment(1_500), 100, three_rows);
        assert_snapshot!(json(&job.info(moment(9_000))), @r#"{"id":"750ak000009BkrxAAC","operation":"query","object":"Account","createdById":"005ak000005hvjJAAQ","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:32.000+0000","state":"JobComplete","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"jobType":"V2Query","lineEnding":"LF","columnDelimiter":"COMMA","numberRecordsProcessed":3,"retries":0,"totalProcessingTime":1500,"isPkChunkingSupported":true}"#);
        job.faults.wrong_total = 1;
        assert!(json(&job.info(moment(9_000))).contains("\"numberRecordsProcessed\":4"));
    }

    #[test]
    fn rows_take_their_time() {
        let mut job = job();
        let mut states = Vec::new();
        for at in [0, 1, 29, 30] {
            job.advance(moment(at), 100, three_rows);
            states.push(job.state(moment(at)));
        }
        assert_eq!(states, [JobState::UploadComplete, JobState::InProgress, JobState::InProgress, JobState::JobComplete]);
    }

    #[test]
    fn pages_repeat_the_header_and_end_with_none() {
        let mut job = job();
        assert_eq!(job.page(0, 2), None);
        job.advance(moment(1_500), 100, three_rows);
        let first = job.page(0, 2).expect("complete");
        assert_eq!((first.rows, first.next), (2, Some(2)));
        let last = job.page(2, 2).expect("complete");
        assert_eq!((last.rows, last.next), (1, None));
        assert_eq!(first.header, last.header);
        assert_eq!(String::from_utf8_lossy(&last.text), "\"3\",\"a\n\"\"b\"\"\"\n");
        assert_eq!(job.page(3, 2), None);
    }

    #[test]
    fn a_fault_leaves_out_the_last_rows_and_counts_them() {
        let mut job = job();
        job.faults.short_by = 1;
        job.advance(moment(1_500), 100, three_rows);
        let page = job.page(0, 10).expect("complete");
        assert_eq!((page.rows, page.text.iter().filter(|byte| **byte == b'\n').count()), (3, 4));
    }

    #[test]
    fn an_empty_result_is_a_header() {
        let mut job = job();
        job.advance(moment(1), 100, |_| Snapshot::default());
        let page = job.page(0, 2).expect("complete");
        assert_eq!((page.rows, page.next, page.text.len()), (0, None, 0));
        assert_eq!(&page.header[..], b"\"Id\",\"Name\"\n");
    }

    #[test]
    fn a_locator_belongs_to_its_job() {
        let job = job();
        assert_eq!(job.row_of(&job.locator(250_000)), Some(250_000));
        assert_eq!(job.row_of("MDowR2FIbjAwMDAwNXMyVDRLQUk6MQ"), None);
        assert_eq!(job.row_of("??"), None);
    }
}
