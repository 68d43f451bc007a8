//! `/jobs/ingest` over HTTP.

use std::io;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};

use super::dialect::Dialect;
use super::faults::JobFaults;
use super::ingest_job::IngestJob;
use super::ingest_result::ResultKind;
use super::job_info::{JobHead, JobState};
use super::list::{JobList, ListQuery};
use super::request::{
    CreateIngest, JobPath, ResultPath, Transition, bad_request, job_key, may_abort_any, no_such_job, not_ended, not_yours,
};
use super::upload::{Upload, UploadReader, UploadTooLarge};
use crate::sandbox::draw::draw;
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::gate::read_to_end;
use crate::sandbox::salesforce::bulk::BulkState;
use crate::sandbox::salesforce::error::{ApiError, json};
use crate::sandbox::salesforce::gate::ApiVersion;
use crate::sandbox::session::Session;
use crate::sandbox::world::Table;
use crate::sandbox::{RecordKey, Sandbox};

/// About how much of a result file is made at a time.
const PART_BYTES: usize = 64 * 1024;
/// How long an open job takes data. Source: documented.
const OPEN_FOR: SignedDuration = SignedDuration::from_hours(24);
/// The longest data of a job made in one request, in characters. Source: documented.
const MOST_CHARACTERS_AT_ONCE: usize = 100_000;

/// Who asks, in which version.
#[derive(Clone, Copy)]
struct Caller {
    user: RecordKey,
    version: ApiVersion,
}

/// `POST /jobs/ingest`
pub async fn create(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Extension(version): Extension<ApiVersion>,
    Extension(faults): Extension<WorkFaults>,
    request: Request,
) -> Result<Response, ApiError> {
    let caller = Caller { user: session.user, version };
    let faults = JobFaults::of(sandbox.settings(), &faults.0);
    if !media_type(request.headers()).eq_ignore_ascii_case("multipart/form-data") {
        let body = whole_body(request).await?;
        return create_job(&sandbox, caller, faults, &CreateIngest::read(&body)?, None);
    }
    let (job, content) = two_parts(request).await?;
    let wanted = CreateIngest::read(&job)?;
    if String::from_utf8_lossy(&content).chars().count() > MOST_CHARACTERS_AT_ONCE {
        let message = format!("The job data is longer than {MOST_CHARACTERS_AT_ONCE} characters.");
        return Err(bad_request("CLIENTINPUTERROR", message));
    }
    let mut reader = UploadReader::new(wanted.dialect, sandbox.settings().bulk_upload_bytes);
    reader.push(&content).map_err(too_large)?;
    create_job(&sandbox, caller, faults, &wanted, Some(reader.finish()))
}

/// Makes the job; one that comes with its data is closed at once.
fn create_job(
    sandbox: &Sandbox,
    caller: Caller,
    faults: JobFaults,
    wanted: &CreateIngest,
    upload: Option<Upload>,
) -> Result<Response, ApiError> {
    let object = {
        let world = sandbox.world();
        let object = world.table(&wanted.object).map(Table::definition).ok_or_else(|| {
            // Recorded. What there is and this interface refuses is another code.
            bad_request("INVALIDJOB", format!("InvalidJob : Unable to find object: {}", wanted.object))
        })?;
        if !object.bulk {
            return Err(not_supported(&wanted.object));
        }
        let object = object.name.clone();
        let may_purge = world.user(caller.user).is_some_and(|user| user.permissions.hard_delete);
        if wanted.operation == "hardDelete" && !may_purge {
            // Recorded for Bulk API 1.0 and mapped by clients of 2.0; the status 400 is a guess.
            let message =
                "hardDelete operation requires special user profile permission, please contact your system administrator";
            return Err(bad_request("FEATURENOTENABLED", message));
        }
        object
    };
    let now = sandbox.now();
    let mut bulk = sandbox.bulk();
    if bulk.batches_spent(now) >= sandbox.settings().daily_batches {
        return Err(bad_request("EXCEEDEDQUOTA", "ApiBatchItems Limit exceeded."));
    }
    let key = bulk.next_key();
    let head = JobHead {
        id: key,
        operation: wanted.operation,
        object,
        created_by: caller.user,
        created: now,
        modified: now,
        api_version: caller.version.dotted(),
        dialect: wanted.dialect,
    };
    let mut job = IngestJob::new(head, faults);
    if let Some(upload) = upload {
        job.take(upload);
        close(&mut job, &mut bulk, sandbox);
    }
    let job = bulk.ingest.entry(key).or_insert(job);
    Ok(json(StatusCode::OK, &job.created_info(now)))
}

/// What is said of an object that bulk jobs do not take. Code and text are recorded.
pub fn not_supported(object: &str) -> ApiError {
    bad_request("INVALIDENTITY", format!("Entity '{object}' is not supported by the Bulk API."))
}

/// Closes a job for data. Rows beyond the day's batches will not be tried.
fn close(job: &mut IngestJob, bulk: &mut BulkState, sandbox: &Sandbox) {
    let now = sandbox.now();
    let rows = job.rows();
    let paid = bulk.spend_batches(rows, sandbox.settings().daily_batches, now);
    if paid < rows {
        job.faults.fail_after = Some(job.faults.fail_after.map_or(paid, |after| after.min(paid)));
    }
    job.close(now);
}

/// `GET /jobs/ingest`
pub async fn list(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Query(query): Query<ListQuery>,
) -> Response {
    let now = sandbox.now();
    let bulk = sandbox.bulk();
    let jobs = if query.wants("V2Ingest") { bulk.ingest.values().collect() } else { Vec::new() };
    let infos = jobs.into_iter().map(|job| job.listed_info(now));
    json(StatusCode::OK, &JobList::page(infos, &query, &format!("/services/data/v{}/jobs/ingest", version.dotted())))
}

/// `GET /jobs/ingest/{id}`
pub async fn info(State(sandbox): State<Sandbox>, Path(path): Path<JobPath>) -> Result<Response, ApiError> {
    let bulk = sandbox.bulk();
    let job = bulk.ingest.get(&path.key()?).ok_or_else(no_such_job)?;
    Ok(json(StatusCode::OK, &job.info(sandbox.now())))
}

/// `PUT /jobs/ingest/{id}/batches`
pub async fn upload(
    State(sandbox): State<Sandbox>,
    Path(path): Path<JobPath>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let key = path.key()?;
    let (parts, body) = request.into_parts();
    let dialect = match may_upload(&sandbox, key, &parts.headers) {
        Ok(dialect) => dialect,
        Err(refusal) => {
            read_to_end(body).await;
            return Err(refusal);
        }
    };
    let mut reader = UploadReader::new(dialect, sandbox.settings().bulk_upload_bytes);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        // A body that breaks off leaves the job as it was: no data has arrived.
        let piece = piece.map_err(|_| bad_request("CLIENTINPUTERROR", "The job data ended before its time."))?;
        if let Err(refusal) = reader.push(&piece) {
            read_to_end(Body::from_stream(pieces)).await;
            return Err(too_large(refusal));
        }
    }
    let mut bulk = sandbox.bulk();
    takes_data(&bulk, key, sandbox.now())?;
    bulk.ingest.get_mut(&key).ok_or_else(no_such_job)?.take(reader.finish());
    Ok(StatusCode::CREATED)
}

/// The dialect of a job that may take this upload.
fn may_upload(sandbox: &Sandbox, key: RecordKey, headers: &HeaderMap) -> Result<Dialect, ApiError> {
    let dialect = takes_data(&sandbox.bulk(), key, sandbox.now())?;
    if media_type(headers).eq_ignore_ascii_case("text/csv") {
        return Ok(dialect);
    }
    // A guess, as is the text.
    let message = "The content type of job data must be text/csv.";
    Err(ApiError::bulk(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message))
}

/// The dialect of a job that may take data now.
fn takes_data(bulk: &BulkState, key: RecordKey, now: Timestamp) -> Result<Dialect, ApiError> {
    let job = bulk.ingest.get(&key).ok_or_else(no_such_job)?;
    if job.upload().is_some() {
        // The code and the beginning of the text are recorded, the misspelling with it; the rest and the status are guesses.
        let message = format!(
            "Found multipe contents for job: <{}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new \
             Job and make sure you only do 'PUT' once on a given Job.",
            key.fifteen()
        );
        return Err(bad_request("BULK_API_ERROR", message));
    }
    if job.state(now) != JobState::Open || job.head.created.duration_until(now) > OPEN_FOR {
        return Err(bad_request("INVALIDJOBSTATE", "Uploading data to a Job that is not open is not allowed"));
    }
    Ok(job.head.dialect)
}

/// `PATCH /jobs/ingest/{id}`
pub async fn change(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Path(path): Path<JobPath>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let transition = Transition::read(&body)?;
    let now = sandbox.now();
    let may_abort_any = may_abort_any(&sandbox, session.user);
    let mut bulk = sandbox.bulk();
    let key = path.key()?;
    // Taken out, so that closing it can spend the organization's batches.
    let mut job = bulk.ingest.remove(&key).ok_or_else(no_such_job)?;
    let may_change = job.head.created_by == session.user || (transition == Transition::Abort && may_abort_any);
    let changed = match transition {
        _ if !may_change => Err(not_yours()),
        Transition::Close if job.state(now) == JobState::Open => {
            close(&mut job, &mut bulk, &sandbox);
            Ok(())
        }
        Transition::Abort if !job.state(now).is_terminal() => {
            job.abort(now);
            Ok(())
        }
        _ => Err(transition.refusal(job.state(now))),
    };
    let job = bulk.ingest.entry(key).or_insert(job);
    changed.map(|()| json(StatusCode::OK, &job.changed_info(now)))
}

/// `DELETE /jobs/ingest/{id}`
pub async fn remove(State(sandbox): State<Sandbox>, Path(path): Path<JobPath>) -> Result<StatusCode, ApiError> {
    let now = sandbox.now();
    let mut bulk = sandbox.bulk();
    let key = path.key()?;
    let state = bulk.ingest.get(&key).ok_or_else(no_such_job)?.state(now);
    // Documented: an ingest job may go before it begins, and once it has ended.
    if !state.is_terminal() && state != JobState::UploadComplete {
        return Err(not_ended());
    }
    bulk.ingest.remove(&key);
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /jobs/ingest/{id}/successfulResults` and its two siblings
pub async fn results(State(sandbox): State<Sandbox>, Path(path): Path<ResultPath>) -> Result<Response, ApiError> {
    // The documentation prints the last one in two ways, and clients ask for both.
    let kind = match path.file.as_str() {
        "successfulResults" => ResultKind::Successful,
        "failedResults" => ResultKind::Failed,
        "unprocessedrecords" | "unprocessedRecords" => ResultKind::Unprocessed,
        _ => return Err(no_such_job()),
    };
    let key = job_key(&path.id)?;
    let state = sandbox.bulk().ingest.get(&key).ok_or_else(no_such_job)?.state(sandbox.now());
    if !state.is_terminal() {
        // Whether the service refuses or sends what it has is unknown.
        return Err(bad_request("INVALIDJOBSTATE", "Results of a Job that has not ended are not available"));
    }
    if sandbox.settings().empty_result_files && has_no_rows(&sandbox, key, kind) {
        return Ok(no_content(sandbox.settings().seed, &format!("{key} {kind:?}")));
    }
    let parts = futures::stream::unfold(Some(0), move |place| {
        let part = place.map(|place| result_part(&sandbox, key, kind, place));
        std::future::ready(part)
    });
    Ok(([(header::CONTENT_TYPE, "text/csv")], Body::from_stream(parts)).into_response())
}

/// Whether a result file is nothing but its header.
fn has_no_rows(sandbox: &Sandbox, key: RecordKey, kind: ResultKind) -> bool {
    let bulk = sandbox.bulk();
    bulk.ingest.get(&key).is_some_and(|job| (0..job.rows()).all(|row| !job.shows(kind, row)))
}

/// A result file without rows that has no header either: 204, or 200 with nothing in it, as the seed draws.
pub fn no_content(seed: u64, what: &str) -> Response {
    if draw(seed, what).is_multiple_of(2) {
        return StatusCode::NO_CONTENT.into_response();
    }
    ([(header::CONTENT_TYPE, "text/csv")], "").into_response()
}

/// One part of a result file, and where to go on. The job may be deleted while it is read: then the body breaks off.
fn result_part(sandbox: &Sandbox, key: RecordKey, kind: ResultKind, place: usize) -> (io::Result<Vec<u8>>, Option<usize>) {
    match sandbox.bulk().ingest.get(&key) {
        Some(job) => {
            let (part, next) = job.result_part(kind, place, PART_BYTES);
            (Ok(part), next)
        }
        None => (Err(io::Error::new(io::ErrorKind::NotFound, "the job was deleted")), None),
    }
}

/// The media type of a body, without its parameters.
fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

async fn whole_body(request: Request) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, &()).await.map_err(|_| bad_request("CLIENTINPUTERROR", "The request cannot be read."))
}

/// The parts `job` and `content` of a job that is made in one request.
async fn two_parts(request: Request) -> Result<(Bytes, Bytes), ApiError> {
    let unreadable = || bad_request("CLIENTINPUTERROR", "The parts of the request cannot be read.");
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| unreadable())?;
    let (mut job, mut content) = (None, None);
    while let Some(part) = parts.next_field().await.map_err(|_| unreadable())? {
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(|_| unreadable())?;
        match name.as_str() {
            "job" => job = Some(bytes),
            "content" => content = Some(bytes),
            _ => return Err(unreadable()),
        }
    }
    job.zip(content).ok_or_else(unreadable)
}

fn too_large(UploadTooLarge: UploadTooLarge) -> ApiError {
    // That too much data is refused is documented; how is a guess.
    bad_request("CLIENTINPUTERROR", "The job data is larger than 150 MB in base64, which is about 100 MB.")
}
