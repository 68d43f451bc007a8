//! Bulk API 2.0 ingest jobs that delete.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::call::{Call, Effect};
use super::collections::verdict;
use super::csv_rows::{CsvError, CsvRows};
use super::hostile;
use super::query::{incomplete, not_kept};
use super::session::Session;
use super::soql::check_names;
use crate::apply::{Answer, AnswerVerdict, IdSource, JobProgress, JobStage, Order, Ticket};
use crate::base::{Failure, FailureClass, RecordId, canonical_salesforce_id};
use crate::manifest::DeleteMode;
use crate::provider::transport::{ByteStream, RequestBody};
use crate::provider::{AnswerSink, ErrorClass, ProviderError};

/// The most ids of one job.
///
/// An upload may have 100 MB (documented), which is 5 million ids. A fifth of that keeps what a broken upload costs small, and the journal learns
/// something at least every million records.
pub(super) const MOST_IDS: u64 = 1_000_000;
/// The header of an upload. Any other column would fail the job (recorded).
const HEADER: &[u8] = b"Id\n";
/// The bytes of one id and its line end.
const LINE: u64 = 19;
/// How many ids are read and sent at a time.
const WINDOW: usize = 4_096;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    id: String,
    state: String,
    object: Option<String>,
    operation: Option<String>,
    number_records_processed: Option<u64>,
    number_records_failed: Option<u64>,
    error_message: Option<String>,
}

fn operation(order: &Order) -> &'static str {
    match order.delete {
        DeleteMode::Soft => "delete",
        DeleteMode::Hard => "hardDelete",
    }
}

/// The path of a job. The ticket may come from a journal and is looked at like anything else.
fn path(doing: &str, ticket: &Ticket) -> Result<String, ProviderError> {
    let id = canonical_salesforce_id(&ticket.0)
        .map_err(|error| super::call::error(ErrorClass::Invalid, doing, "malformed-ticket", error.to_string()))?;
    Ok(format!("jobs/ingest/{id}"))
}

/// Checks that an answer is about the job asked for, and about what was ordered.
fn check(call: &Call, job: &Job, order: &Order, ticket: Option<&Ticket>) -> Result<(), ProviderError> {
    let id = canonical_salesforce_id(&job.id).map_err(|_| call.unreadable("the job's id is none"))?;
    let other_job = ticket.is_some_and(|ticket| canonical_salesforce_id(&ticket.0) != Ok(id));
    let other_object = job.object.as_ref().is_some_and(|object| !object.eq_ignore_ascii_case(&order.object));
    let other_operation = job.operation.as_ref().is_some_and(|name| name != operation(order));
    if other_job || other_object || other_operation {
        return Err(call.unreadable("the system answers with another job than the one asked for"));
    }
    Ok(())
}

/// A broken answer to a request that is harmless to repeat.
fn repeatable(error: ProviderError) -> ProviderError {
    match error.class {
        ErrorClass::Incomplete => ProviderError { class: ErrorClass::Transient, ..error },
        _ => error,
    }
}

/// Makes a job. It is open and deletes nothing until it is started; one whose making was never answered stays open and is removed by the
/// system within days, so that making another is harmless.
pub(super) async fn create(session: &Session, order: &Order, count: u64) -> Result<Ticket, ProviderError> {
    let doing = format!("create a Bulk API 2.0 {} job for {}", operation(order), order.object);
    check_names(&doing, &order.object, [])?;
    let body = json!({
        "object": order.object,
        "operation": operation(order),
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    });
    let call = Call::new(doing, Method::POST, "jobs/ingest").json(&body);
    if count == 0 || count > MOST_IDS {
        return Err(call.error(ErrorClass::Invalid, "batch-size", format!("a job takes 1 to {MOST_IDS} ids")));
    }
    let job: Job = session.call_json(&call).await.map_err(repeatable)?;
    check(&call, &job, order, None)?;
    if job.state != "Open" {
        return Err(call.unreadable("the new job is not open"));
    }
    Ok(Ticket(job.id))
}

/// Uploads the job's ids in one request. A job takes one upload only (recorded), so that one without an answer is not repeated.
pub(super) async fn load(
    session: &Session,
    order: &Order,
    ticket: &Ticket,
    ids: Arc<dyn IdSource>,
) -> Result<(), ProviderError> {
    let doing = format!("upload the ids of Bulk API 2.0 job {}", ticket.0);
    let path = path(&doing, ticket)?;
    let length = HEADER.len() as u64 + LINE * ids.count();
    let open = Arc::new(move || -> ByteStream { Box::pin(futures::stream::iter(Upload::new(Arc::clone(&ids)))) });
    let call = Call {
        body: Some(("text/csv", RequestBody::Stream { length, open })),
        ..Call::new(format!("{doing} for {}", order.object), Method::PUT, format!("{path}/batches"))
    }
    .deleting();
    let response = session.call(&call).await?;
    // 201 is documented and recorded; nothing else is known to be sent.
    if matches!(response.status, StatusCode::CREATED | StatusCode::OK) {
        return Ok(());
    }
    Err(call.unreadable(format!("the answer has status {}, not 201", response.status.as_u16())))
}

/// The lines of an upload, a window of ids at a time.
struct Upload {
    ids: Arc<dyn IdSource>,
    /// The next id; `None` before the header.
    next: Option<u64>,
}

impl Upload {
    fn new(ids: Arc<dyn IdSource>) -> Self {
        Self { ids, next: None }
    }

    fn window(&self, first: u64) -> std::io::Result<Vec<RecordId>> {
        let ids = self.ids.read(first, WINDOW)?;
        if ids.is_empty() {
            return Err(std::io::Error::other(format!("the ids end at {first} of {}", self.ids.count())));
        }
        Ok(ids)
    }
}

impl Iterator for Upload {
    type Item = std::io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(first) = self.next else {
            self.next = Some(0);
            return Some(Ok(Bytes::from_static(HEADER)));
        };
        if first >= self.ids.count() {
            return None;
        }
        let ids = match self.window(first) {
            Ok(ids) => ids,
            Err(error) => return Some(Err(error)),
        };
        self.next = Some(first + ids.len() as u64);
        let mut lines = Vec::with_capacity(ids.len() * LINE as usize);
        for id in ids {
            // The length was declared on the strength of it.
            if id.as_bytes().len() as u64 + 1 != LINE {
                return Some(Err(std::io::Error::other(format!("`{id}` is not a whole Salesforce id"))));
            }
            lines.extend_from_slice(id.as_bytes());
            lines.push(b'\n');
        }
        Some(Ok(lines.into()))
    }
}

/// Starts the job.
pub(super) async fn start(session: &Session, order: &Order, ticket: &Ticket) -> Result<(), ProviderError> {
    let doing = format!("start Bulk API 2.0 job {}", ticket.0);
    let call =
        Call::new(doing.clone(), Method::PATCH, path(&doing, ticket)?).json(&json!({"state": "UploadComplete"})).deleting();
    let job: Job = session.call_json(&call).await?;
    check(&call, &job, order, Some(ticket))?;
    match stage(&job.state) {
        Some(JobStage::Running | JobStage::Complete) => Ok(()),
        _ => Err(call.unreadable("the job was to start and is in another state")),
    }
}

fn stage(state: &str) -> Option<JobStage> {
    Some(match state {
        "Open" => JobStage::Open,
        "UploadComplete" | "InProgress" => JobStage::Running,
        "JobComplete" => JobStage::Complete,
        "Failed" | "Aborted" => JobStage::Broken,
        _ => return None,
    })
}

/// How far the job is.
pub(super) async fn poll(session: &Session, order: &Order, ticket: &Ticket) -> Result<JobProgress, ProviderError> {
    let doing = format!("look at Bulk API 2.0 job {}", ticket.0);
    let call = Call::get(doing.clone(), path(&doing, ticket)?);
    let job: Job = match session.call_json(&call).await {
        // Only the system's own word: a page of some proxy between here and there says nothing about the job.
        Err(error) if error.class == ErrorClass::NotFound && error.code == "NOT_FOUND" => {
            return Ok(JobProgress { stage: JobStage::Gone, processed: None, failed: None, message: None });
        }
        answer => answer.map_err(repeatable)?,
    };
    check(&call, &job, order, Some(ticket))?;
    let stage = stage(&job.state).ok_or_else(|| call.unreadable("the job is in a state that is not known"))?;
    Ok(JobProgress {
        stage,
        processed: job.number_records_processed,
        failed: job.number_records_failed,
        message: job.error_message.as_deref().map(hostile::words),
    })
}

/// Asks the system to give up the job. One that has ended already, or is not there, has nothing to give up.
pub(super) async fn abort(session: &Session, ticket: &Ticket) -> Result<(), ProviderError> {
    let doing = format!("abort Bulk API 2.0 job {}", ticket.0);
    let call = Call::new(doing.clone(), Method::PATCH, path(&doing, ticket)?).json(&json!({"state": "Aborted"}));
    match session.call(&call).await {
        Err(error) if matches!(error.code.as_str(), "INVALIDJOBSTATE" | "NOT_FOUND") => Ok(()),
        answer => answer.map(drop),
    }
}

/// The three lists of results.
#[derive(Clone, Copy)]
enum Results {
    Successful,
    Failed,
    Unprocessed,
}

/// Streams the per-record answers of an ended job.
///
/// The lists are in no order. Rows are paired by the `Id` column as it was sent, since `sf__Id` is empty in some failures (recorded).
/// Rows of batches beyond the daily allocation are in no list (documented).
pub(super) async fn collect(
    session: &Session,
    order: &Order,
    ticket: &Ticket,
    count: u64,
    answers: &mut dyn AnswerSink,
) -> Result<(), ProviderError> {
    let doing = format!("download the results of Bulk API 2.0 job {}", ticket.0);
    let progress = poll(session, order, ticket).await?;
    if !matches!(progress.stage, JobStage::Complete | JobStage::Broken) {
        return Err(super::call::error(ErrorClass::Invalid, &doing, "job-not-ended", "the job has not ended, or is gone"));
    }
    let path = path(&doing, ticket)?;
    let mut seen = 0;
    let mut download = Download { session, doing: &doing, path: &path, count, seen: &mut seen };
    let successes = download.list(Results::Successful, answers).await?;
    let failures = download.list(Results::Failed, answers).await?;
    download.list(Results::Unprocessed, answers).await?;

    // The counters of a job that broke may lag (recorded); what its lists do not mention is looked at anyhow.
    let processed = progress.processed.unwrap_or(successes + failures);
    let failed = progress.failed.unwrap_or(failures);
    if progress.stage == JobStage::Complete && (processed, failed) != (successes + failures, failures) {
        return Err(incomplete(
            &doing,
            format!(
                "{successes} successes and {failures} failures came, and the job counts {processed} records with {failed} failures"
            ),
        ));
    }
    Ok(())
}

struct Download<'job> {
    session: &'job Session,
    doing: &'job str,
    path: &'job str,
    count: u64,
    seen: &'job mut u64,
}

impl Download<'_> {
    async fn list(&mut self, results: Results, answers: &mut dyn AnswerSink) -> Result<u64, ProviderError> {
        let doing = self.doing;
        let name = match results {
            Results::Successful => "successfulResults",
            Results::Failed => "failedResults",
            // Documented in two spellings; this is the one clients use.
            Results::Unprocessed => "unprocessedrecords",
        };
        let call = Call::get(doing, format!("{}/{name}", self.path)).csv();
        debug_assert_eq!(call.effect, Effect::Harmless);
        let mut rows = CsvRows::new(self.session.call(&call).await?.body);
        let broken = |error: CsvError| incomplete(doing, format!("{name}: {error}"));
        let malformed = |message: String| super::call::error(ErrorClass::Malformed, doing, "malformed-results", message);
        let Some(header) = rows.next().await.map_err(broken)? else { return Ok(0) };
        let key = header.place_of("Id").ok_or_else(|| malformed(format!("{name} has no column `Id`")))?;
        let error = match results {
            Results::Failed => {
                Some(header.place_of("sf__Error").ok_or_else(|| malformed(format!("{name} has no column `sf__Error`")))?)
            }
            Results::Successful | Results::Unprocessed => None,
        };
        let width = header.len();
        let mut count = 0;
        while let Some(row) = rows.next().await.map_err(broken)? {
            count += 1;
            *self.seen += 1;
            if *self.seen > self.count {
                return Err(malformed(format!("the results have more than the {} records that were sent", self.count)));
            }
            if row.len() != width {
                return Err(incomplete(doing, format!("row {count} of {name} has {} fields, not {width}", row.len())));
            }
            let id = canonical_salesforce_id(row.field(key).unwrap_or_default())
                .map_err(|error| malformed(format!("row {count} of {name}: {error}")))?;
            let verdict = match (results, error) {
                (Results::Successful, _) => AnswerVerdict::Deleted,
                (Results::Unprocessed, _) => AnswerVerdict::NotProcessed,
                (Results::Failed, place) => failed(place.and_then(|place| row.field(place)).unwrap_or_default()),
            };
            answers.answer(Answer { id, verdict }).map_err(|cause| not_kept(doing, &cause))?;
        }
        Ok(count)
    }
}

/// Understands an error cell: `CODE:message:fields --`, where the message may have colons of its own (recorded).
fn failed(cell: &str) -> AnswerVerdict {
    let parts = cell.split_once(':').filter(|(code, _)| hostile::code(code) == *code);
    let Some((code, rest)) = parts else {
        return AnswerVerdict::Failed(Failure {
            class: FailureClass::Unrecognized,
            code: "unreadable-answer".into(),
            message: hostile::words(cell),
        });
    };
    let message = rest.rsplit_once(':').map_or(rest, |(message, _)| message);
    verdict(code, message)
}
