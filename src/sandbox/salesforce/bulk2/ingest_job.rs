//! One ingest job: data in, rows tried 200 at a time when the clock says so, results out.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use super::dialect::Dialect;
use super::job_info::{JobHead, JobInfo, JobState};
use super::upload::Upload;

/// Rows in one transaction. Source: documented.
pub const CHUNK_ROWS: usize = 200;

/// How fast jobs go, and how they go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPace {
    /// Rows per second of the sandbox's clock; at least one.
    pub rows_per_second: u64,
    /// The job fails after this many rows, and leaves the others unprocessed.
    pub fail_after: Option<usize>,
}

/// Rows of one transaction, to be tried now.
pub struct Chunk<'a> {
    /// Counted from 1.
    pub number: usize,
    /// What the rows name, as sent: not necessarily identifiers.
    pub ids: Vec<&'a str>,
}

/// The end of one row: gone, or the text of its error cell.
pub type RowResult = Result<(), String>;

/// Which rows a result file lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// Deleted rows.
    Successful,
    /// Rows that were tried and refused.
    Failed,
    /// Rows that were not tried.
    Unprocessed,
}

/// How result files deviate from the plain case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultFaults {
    /// Rows come in another order. The service promises none.
    pub shuffled: bool,
    /// The first so many rows are in no file.
    pub missing: usize,
    /// Which failed rows have an empty `sf__Id`.
    pub empty_id: EmptyId,
}

/// Which rows of `failedResults` come without `sf__Id`.
///
/// Documented as filled from version 53 on; recorded as empty for rows that could not be locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EmptyId {
    /// None but malformed ones, which name no record.
    Never,
    /// Those that could not be locked.
    #[default]
    LockErrors,
    /// All.
    Always,
}

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
    pub fn new(head: JobHead) -> Self {
        Self {
            head,
            phase: Phase::Open,
            upload: None,
            outcomes: Vec::new(),
            errors: Vec::new(),
            error_places: BTreeMap::new(),
            failed: 0,
        }
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

    /// Whether data was uploaded.
    pub fn has_data(&self) -> bool {
        self.upload.is_some()
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

    /// Does what is due: `delete` tries one chunk and answers for each of its rows, in their order.
    pub fn advance(&mut self, now: Timestamp, pace: &JobPace, delete: &mut dyn FnMut(&Chunk<'_>) -> Vec<RowResult>) {
        let Phase::Running { since } = self.phase else { return };
        if now <= since {
            return;
        }
        if let Some(message) = self.upload.as_ref().and_then(|upload| upload.refusal(self.head.operation)) {
            self.end(now, Phase::Failed { since, at: now, message });
            return;
        }
        let due = rows_due(since, now, pace.rows_per_second);
        let total = self.rows();
        let last = pace.fail_after.map_or(total, |after| after.min(total));
        while self.outcomes.len() < last && self.outcomes.len() + CHUNK_ROWS <= due {
            self.next_chunk(last, delete);
        }
        if self.outcomes.len() < last || due < CHUNK_ROWS {
            return;
        }
        let at = now.min(since + time_of(last.div_ceil(CHUNK_ROWS).max(1) * CHUNK_ROWS, pace.rows_per_second));
        if pace.fail_after.is_some_and(|after| after <= total) {
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

    fn next_chunk(&mut self, last: usize, delete: &mut dyn FnMut(&Chunk<'_>) -> Vec<RowResult>) {
        let Some(upload) = &self.upload else { return };
        let first = self.outcomes.len();
        let rows: Range<usize> = first..last.min(first + CHUNK_ROWS);
        let chunk = Chunk { number: first / CHUNK_ROWS + 1, ids: rows.map(|row| upload.id(row)).collect() };
        let results = delete(&chunk);
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

    fn rows(&self) -> usize {
        self.upload.as_ref().map_or(0, Upload::len)
    }

    /// As the request that made it is answered.
    pub fn created_info(&self, now: Timestamp) -> JobInfo<'_> {
        let state = self.state(now);
        let info = JobInfo::new(&self.head, state).with_dialect(self.head.dialect);
        if state == JobState::Open { info.with_content_url(&self.head) } else { info }
    }

    /// As a change of its state is answered. Source: recorded.
    pub fn closed_info(&self, now: Timestamp) -> JobInfo<'_> {
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
            info.with_processed(self.outcomes.len()).with_failed(self.failed)
        }
    }

    /// The next part of a result file: its text, and the place from which to go on unless it was the last.
    ///
    /// A file begins at place 0 with its header, which comes even without rows. A part is about `size` bytes.
    pub fn result_part(
        &self,
        kind: ResultKind,
        faults: &ResultFaults,
        place: usize,
        size: usize,
    ) -> (Vec<u8>, Option<usize>) {
        let mut out = Vec::with_capacity(size + 1024);
        let dialect = self.head.dialect;
        let uploaded = self.upload.as_ref().map_or(&[][..], Upload::header);
        if place == 0 {
            match kind {
                ResultKind::Successful => dialect.write_result_header(&mut out, &["sf__Id", "sf__Created"], uploaded),
                ResultKind::Failed => dialect.write_result_header(&mut out, &["sf__Id", "sf__Error"], uploaded),
                ResultKind::Unprocessed if uploaded.is_empty() => {}
                ResultKind::Unprocessed => dialect.write_result_header(&mut out, &[], uploaded),
            }
        }
        let total = self.rows();
        for place in place..total {
            if out.len() >= size {
                return (out, Some(place));
            }
            let row = if faults.shuffled { shuffled(place, total) } else { place };
            if row >= faults.missing {
                self.write_row(&mut out, dialect, kind, faults.empty_id, row);
            }
        }
        (out, None)
    }

    fn write_row(&self, out: &mut Vec<u8>, dialect: Dialect, kind: ResultKind, empty_id: EmptyId, row: usize) {
        let Some(upload) = &self.upload else { return };
        let own = match (kind, self.outcomes.get(row).map(|outcome| outcome.checked_sub(1))) {
            (ResultKind::Unprocessed, None) => None,
            // `sf__Created` tells inserts from updates, and is `false` for a delete. Source: recorded.
            (ResultKind::Successful, Some(None)) => Some((result_id(upload.id(row)), "false")),
            (ResultKind::Failed, Some(Some(error))) => {
                let error = self.errors[error as usize].as_str();
                let empty = error.starts_with("MALFORMED_ID:")
                    || match empty_id {
                        EmptyId::Never => false,
                        EmptyId::LockErrors => error.starts_with("UNABLE_TO_LOCK_ROW:"),
                        EmptyId::Always => true,
                    };
                Some((if empty { String::new() } else { result_id(upload.id(row)) }, error))
            }
            _ => return,
        };
        let own = own.as_ref().map(|(id, second)| [id.as_str(), second]);
        dialect.write_quoted(out, own.into_iter().flatten().chain(upload.cells(row)));
    }
}

/// Results name records by the 18 character form, whatever was sent.
fn result_id(sent: &str) -> String {
    crate::base::canonical_salesforce_id(sent).map_or_else(|_| sent.to_owned(), |id| id.as_str().to_owned())
}

/// A fixed order that is not the upload's: every row once, no table needed.
fn shuffled(place: usize, total: usize) -> usize {
    // A prime above any number of rows shares no factor with it, so that no two places meet.
    const PRIME: u64 = 4_294_967_291;
    let total = total as u64;
    let row = (place as u64 * (PRIME % total) + total / 2) % total;
    usize::try_from(row).expect("less than the total")
}

/// How long that many rows take.
fn time_of(rows: usize, rows_per_second: u64) -> SignedDuration {
    SignedDuration::from_nanos_i128(rows as i128 * 1_000_000_000 / i128::from(rows_per_second.max(1)))
}

/// How many rows a pace allows between two moments.
pub fn rows_due(since: Timestamp, now: Timestamp, rows_per_second: u64) -> usize {
    let nanoseconds = u128::try_from(now.as_nanosecond() - since.as_nanosecond()).unwrap_or_default();
    usize::try_from(nanoseconds * u128::from(rows_per_second) / 1_000_000_000).unwrap_or(usize::MAX)
}

/// Whole milliseconds between two moments; none when they are the wrong way round.
pub fn milliseconds(since: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.as_millisecond() - since.as_millisecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::super::upload::UploadReader;
    use super::*;

    const PLAIN: JobPace = JobPace { rows_per_second: 200, fail_after: None };

    fn moment(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_725_914_491_000 + milliseconds).expect("in range")
    }

    fn head(operation: &'static str) -> JobHead {
        JobHead {
            id: "750ak000009BkrxAAC".into(),
            operation,
            object: "Opportunity".into(),
            created_by: "005ak000005hvjJAAQ".into(),
            created: moment(0),
            modified: moment(0),
            api_version: "60.0".into(),
            dialect: Dialect::default(),
        }
    }

    fn upload(text: &str) -> Upload {
        let mut reader = UploadReader::new(Dialect::default());
        reader.push(text.as_bytes()).expect("small");
        reader.finish()
    }

    fn numbered(rows: usize) -> Upload {
        let mut text = String::from("Id\n");
        for row in 0..rows {
            text.push_str(&format!("006ak{row:010}\n"));
        }
        upload(&text)
    }

    fn closed(upload: Upload) -> IngestJob {
        let mut job = IngestJob::new(head("delete"));
        job.take(upload);
        job.close(moment(0));
        job
    }

    fn all_deleted(chunk: &Chunk<'_>) -> Vec<RowResult> {
        chunk.ids.iter().map(|_| Ok(())).collect()
    }

    fn json(info: &JobInfo<'_>) -> String {
        serde_json::to_string(info).expect("text and numbers")
    }

    fn file(job: &IngestJob, kind: ResultKind, faults: &ResultFaults) -> String {
        let mut text = Vec::new();
        let mut place = Some(0);
        while let Some(from) = place {
            let (part, next) = job.result_part(kind, faults, from, 64);
            text.extend(part);
            place = next;
        }
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn a_new_job_is_shown_as_recorded() {
        let job = IngestJob::new(head("delete"));
        assert_snapshot!(json(&job.created_info(moment(0))), @r#"{"id":"750ak000009BkrxAAC","operation":"delete","object":"Opportunity","createdById":"005ak000005hvjJAAQ","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"Open","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"contentUrl":"services/data/v60.0/jobs/ingest/750ak000009BkrxAAC/batches","lineEnding":"LF","columnDelimiter":"COMMA"}"#);
    }

    #[test]
    fn a_closed_job_is_shown_without_its_data_properties() {
        let job = closed(numbered(1));
        assert_snapshot!(json(&job.closed_info(moment(0))), @r#"{"id":"750ak000009BkrxAAC","operation":"delete","object":"Opportunity","createdById":"005ak000005hvjJAAQ","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"UploadComplete","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0}"#);
    }

    #[test]
    fn an_open_job_has_no_counters_yet() {
        assert_snapshot!(json(&IngestJob::new(head("delete")).info(moment(0))), @r#"{"id":"750ak000009BkrxAAC","operation":"delete","object":"Opportunity","createdById":"005ak000005hvjJAAQ","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"Open","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"jobType":"V2Ingest","contentUrl":"services/data/v60.0/jobs/ingest/750ak000009BkrxAAC/batches","lineEnding":"LF","columnDelimiter":"COMMA","retries":0,"totalProcessingTime":0,"apiActiveProcessingTime":0,"apexProcessingTime":0}"#);
    }

    #[test]
    fn the_counter_of_processed_rows_includes_the_failed_ones() {
        let mut job = closed(numbered(8));
        job.advance(moment(2_000), &PLAIN, &mut |chunk| {
            let mut results = all_deleted(chunk);
            results[3] = Err("ENTITY_IS_DELETED:entity is deleted:--".into());
            results
        });
        assert_snapshot!(json(&job.info(moment(9_000))), @r#"{"id":"750ak000009BkrxAAC","operation":"delete","object":"Opportunity","createdById":"005ak000005hvjJAAQ","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:32.000+0000","state":"JobComplete","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"jobType":"V2Ingest","lineEnding":"LF","columnDelimiter":"COMMA","numberRecordsProcessed":8,"numberRecordsFailed":1,"retries":0,"totalProcessingTime":1000,"apiActiveProcessingTime":1000,"apexProcessingTime":0}"#);
    }

    #[test]
    fn rows_become_due_chunk_by_chunk() {
        let mut job = closed(numbered(450));
        let mut seen = Vec::new();
        let mut states = Vec::new();
        for at in [0, 999, 1_000, 2_500, 2_999, 3_000] {
            job.advance(moment(at), &PLAIN, &mut |chunk| {
                seen.push((at, chunk.number, chunk.ids.len()));
                all_deleted(chunk)
            });
            states.push(job.state(moment(at)));
        }
        assert_eq!(seen, [(1_000, 1, 200), (2_500, 2, 200), (3_000, 3, 50)]);
        assert_eq!(states[0], JobState::UploadComplete);
        assert!(states[1..5].iter().all(|state| *state == JobState::InProgress));
        assert_eq!(states[5], JobState::JobComplete);
    }

    #[test]
    fn a_late_look_finds_the_end_where_it_was() {
        let mut job = closed(numbered(450));
        job.advance(moment(60_000), &PLAIN, &mut all_deleted);
        assert_eq!(job.ended(), Some(moment(3_000)));
    }

    #[test]
    fn a_job_without_data_completes_with_nothing() {
        let mut job = IngestJob::new(head("delete"));
        job.close(moment(0));
        job.advance(moment(1_000), &PLAIN, &mut all_deleted);
        assert_eq!(job.state(moment(1_000)), JobState::JobComplete);
        assert!(json(&job.info(moment(1_000))).contains("\"numberRecordsProcessed\":0,\"numberRecordsFailed\":0"));
    }

    #[test]
    fn a_refused_upload_fails_the_job_and_tries_nothing() {
        let mut job = closed(upload("Id,Name\n006ak0000000001,Acme\n"));
        job.advance(moment(1_000), &PLAIN, &mut |_| panic!("nothing may be tried"));
        assert_snapshot!(json(&job.info(moment(1_000))), @r#"{"id":"750ak000009BkrxAAC","operation":"delete","object":"Opportunity","createdById":"005ak000005hvjJAAQ","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:32.000+0000","state":"Failed","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"jobType":"V2Ingest","lineEnding":"LF","columnDelimiter":"COMMA","numberRecordsProcessed":0,"numberRecordsFailed":0,"retries":0,"totalProcessingTime":1000,"apiActiveProcessingTime":1000,"apexProcessingTime":0,"errorMessage":"InvalidBatch : InvalidBatch : The 'delete' batch must contain only ids."}"#);
        assert_eq!(file(&job, ResultKind::Unprocessed, &ResultFaults::default()), "Id,Name\n\"006ak0000000001\",\"Acme\"\n");
    }

    #[test]
    fn a_job_that_dies_leaves_the_rest_unprocessed() {
        let mut job = closed(numbered(450));
        let pace = JobPace { fail_after: Some(250), ..PLAIN };
        job.advance(moment(60_000), &pace, &mut all_deleted);
        assert_eq!(job.state(moment(60_000)), JobState::Failed);
        let lines = |kind| file(&job, kind, &ResultFaults::default()).lines().count() - 1;
        assert_eq!(
            (lines(ResultKind::Successful), lines(ResultKind::Failed), lines(ResultKind::Unprocessed)),
            (250, 0, 200)
        );
    }

    #[test]
    fn an_aborted_job_keeps_what_it_did() {
        let mut job = closed(numbered(450));
        job.advance(moment(1_000), &PLAIN, &mut all_deleted);
        job.abort(moment(1_200));
        job.advance(moment(60_000), &PLAIN, &mut |_| panic!("nothing may be tried"));
        assert_eq!(job.state(moment(60_000)), JobState::Aborted);
        assert_eq!(file(&job, ResultKind::Unprocessed, &ResultFaults::default()).lines().count(), 251);
    }

    fn three_ends() -> IngestJob {
        let mut job = closed(upload("Id\n006ak0000000001\n006ak0000000002AAA\nabc\n006ak0000000004\n"));
        job.advance(moment(1_000), &PLAIN, &mut |_| {
            vec![
                Ok(()),
                Err("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: 001:--".into()),
                Err("MALFORMED_ID:bad id abc:Id --".into()),
                Err("ENTITY_IS_DELETED:entity is deleted:--".into()),
            ]
        });
        job
    }

    #[test]
    fn results_echo_the_rows_as_sent() {
        let job = three_ends();
        assert_snapshot!(file(&job, ResultKind::Successful, &ResultFaults::default()), @r#"
        "sf__Id","sf__Created",Id
        "006ak0000000001AAA","false","006ak0000000001"
        "#);
        assert_snapshot!(file(&job, ResultKind::Failed, &ResultFaults::default()), @r#"
        "sf__Id","sf__Error",Id
        "","UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: 001:--","006ak0000000002AAA"
        "","MALFORMED_ID:bad id abc:Id --","abc"
        "006ak0000000004AAA","ENTITY_IS_DELETED:entity is deleted:--","006ak0000000004"
        "#);
        assert_snapshot!(file(&job, ResultKind::Unprocessed, &ResultFaults::default()), @"Id");
    }

    #[test]
    fn the_result_identifier_of_a_failed_row_may_be_empty_or_not() {
        let job = three_ends();
        let empty = |empty_id| {
            let faults = ResultFaults { empty_id, ..ResultFaults::default() };
            file(&job, ResultKind::Failed, &faults).matches("\"\",").count()
        };
        assert_eq!([EmptyId::Never, EmptyId::LockErrors, EmptyId::Always].map(empty), [1, 2, 3]);
    }

    #[test]
    fn missing_rows_are_in_no_file() {
        let job = three_ends();
        let faults = ResultFaults { missing: 2, ..ResultFaults::default() };
        assert_eq!(file(&job, ResultKind::Successful, &faults).lines().count(), 1);
        assert_eq!(file(&job, ResultKind::Failed, &faults).lines().count(), 3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_row_is_in_exactly_one_file(rows in 0_usize..900, seconds in 0_i64..6, fails in any::<bool>(), shuffled in any::<bool>()) {
            let mut job = closed(numbered(rows));
            job.advance(moment(seconds * 1_000), &PLAIN, &mut |chunk| {
                chunk.ids.iter().map(|id| if fails && id.ends_with('3') { Err("X:y:--".into()) } else { Ok(()) }).collect()
            });
            job.abort(moment(seconds * 1_000));
            let faults = ResultFaults { shuffled, ..ResultFaults::default() };
            let mut found: Vec<String> = [ResultKind::Successful, ResultKind::Failed, ResultKind::Unprocessed]
                .into_iter()
                .flat_map(|kind| {
                    file(&job, kind, &faults).lines().skip(1).map(|line| line.rsplit(',').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
                })
                .collect();
            found.sort();
            let expected: Vec<String> = (0..rows).map(|row| format!("\"006ak{row:010}\"")).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
