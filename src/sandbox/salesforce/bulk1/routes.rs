//! Which path below `/services/async/{version}` does what.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::{HeaderMap, StatusCode};
use jiff::SignedDuration;
use serde::Deserialize;

use super::answer::{Format, batch_list, media_type, object, respond, result_list};
use super::batch::{Batch, End};
use super::data::ContentType;
use super::job::{Job, State as JobState};
use super::jobs::ClassicJobs;
use super::request::{CreateJob, Transition};
use super::{query, refusal, result};
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::salesforce::bulk2::{JobFaults, may_abort_any};
use crate::sandbox::salesforce::error::ApiError;
use crate::sandbox::salesforce::gate::ApiVersion;
use crate::sandbox::session::Session;
use crate::sandbox::{RecordKey, Sandbox};

/// The most bytes of one batch (documented as 10 MB and as 10,000,000 characters; the number is in a recorded message).
const MOST_BYTES: usize = 10_000_000;
/// The largest request that is read at all.
const LARGEST_BODY: usize = 64 << 20;
/// How long a job takes batches. Source: documented.
const OPEN_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The routes.
pub(in crate::sandbox::salesforce) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/job", post(create))
        .route("/job/{job}", get(info).post(change))
        .route("/job/{job}/batch", get(list).post(add_batch))
        .route("/job/{job}/batch/{batch}", get(batch_info))
        .route("/job/{job}/batch/{batch}/request", get(request))
        .route("/job/{job}/batch/{batch}/result", get(results))
        .route("/job/{job}/batch/{batch}/result/{result}", get(found))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

#[derive(Deserialize)]
struct JobPath {
    job: String,
}

#[derive(Deserialize)]
struct ResultPath {
    job: String,
    batch: String,
    result: String,
}

#[derive(Deserialize)]
struct BatchPath {
    job: String,
    batch: String,
}

/// The job a path names. It is looked for in the version it was made with alone (documented for batches; the code is a guess,
/// as are the texts).
fn find<'a>(jobs: &'a mut ClassicJobs, id: &str, version: ApiVersion) -> Result<&'a mut Job, ApiError> {
    let key = RecordKey::parse(id).ok();
    let job =
        key.and_then(|key| jobs.jobs.get_mut(&key)).ok_or_else(|| refusal("InvalidJob", format!("Invalid job id: {id}")))?;
    if job.version != version.0 {
        return Err(refusal("InvalidVersion", format!("The job was created in API version {}.0", job.version)));
    }
    Ok(job)
}

fn find_batch<'a>(job: &'a Job, id: &str) -> Result<&'a Batch, ApiError> {
    let key = RecordKey::parse(id).ok();
    let batch = job.batches.iter().find(|batch| Some(batch.id) == key);
    batch.ok_or_else(|| refusal("InvalidBatch", format!("Invalid batch id: {id}")))
}

/// The format of an answer about a job: that of the request, or else the one that goes with the job's batches.
fn format(headers: &HeaderMap, content: ContentType) -> Format {
    let fitting = if content == ContentType::Json { Format::Json } else { Format::Xml };
    Format::asked(headers).unwrap_or(fitting)
}

/// The format of an answer about batches: JSON where the batches are JSON, unless the request is XML (salesforce-bulk reads it so), and
/// XML of all others, whatever the request says (tap-salesforce asks with `application/json` and reads XML).
fn batch_format(headers: &HeaderMap, content: ContentType) -> Format {
    if content == ContentType::Json { format(headers, content) } else { Format::Xml }
}

/// `POST /job`
async fn create(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Extension(version): Extension<ApiVersion>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let format = Format::asked(&headers).unwrap_or(Format::Xml);
    let mut wanted = CreateJob::read(format, &body)?;
    let chunking = headers.get("sforce-enable-pkchunking").and_then(|value| value.to_str().ok()).unwrap_or("false");
    if !chunking.trim().eq_ignore_ascii_case("false") {
        return Err(refusal("InvalidJob", "The sandbox does not split queries by primary keys (Sforce-Enable-PKChunking)."));
    }
    {
        let world = sandbox.world();
        let table = world.table(&wanted.object).ok_or_else(|| {
            // Recorded.
            refusal("InvalidJob", format!("Unable to find object: {}", wanted.object))
        })?;
        if !table.definition().bulk {
            return Err(refusal("InvalidEntity", format!("Entity '{}' is not supported by the Bulk API.", wanted.object)));
        }
        wanted.object = table.definition().name.clone();
        if wanted.operation == "hardDelete" && !world.user(session.user).is_some_and(|user| user.permissions.hard_delete) {
            // Recorded.
            let message =
                "hardDelete operation requires special user profile permission, please contact your system administrator";
            return Err(refusal("FeatureNotEnabled", message));
        }
    }
    let now = sandbox.now();
    let mut bulk = sandbox.bulk();
    let key = bulk.next_key();
    let job = Job::new(key, wanted, session.user, now, version.0);
    let answer = object(StatusCode::CREATED, format, "jobInfo", &job.info(now));
    bulk.classic.jobs.insert(key, job);
    Ok(answer)
}

/// `GET /job/{job}`
async fn info(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Path(path): Path<JobPath>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut bulk = sandbox.bulk();
    let job = find(&mut bulk.classic, &path.job, version)?;
    Ok(object(StatusCode::OK, format(&headers, job.wanted.content), "jobInfo", &job.info(sandbox.now())))
}

/// `POST /job/{job}`
async fn change(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Extension(version): Extension<ApiVersion>,
    Path(path): Path<JobPath>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let may_abort_any = may_abort_any(&sandbox, session.user);
    let now = sandbox.now();
    let mut bulk = sandbox.bulk();
    let job = find(&mut bulk.classic, &path.job, version)?;
    let format = format(&headers, job.wanted.content);
    let transition = Transition::read(format, &body)?;
    if job.created_by != session.user && !(transition == Transition::Abort && may_abort_any) {
        // Documented; the text is a guess.
        return Err(refusal("InvalidUser", "The user who created the job must be the one who changes it"));
    }
    job.change(transition, now)?;
    Ok(object(StatusCode::OK, format, "jobInfo", &job.info(now)))
}

/// `POST /job/{job}/batch`
async fn add_batch(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Extension(faults): Extension<WorkFaults>,
    Path(path): Path<JobPath>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let too_large =
        || refusal("ClientInputError", format!("Failed to read request. Exceeded max size limit of {MOST_BYTES}"));
    let data = body.ok().filter(|data| data.len() <= MOST_BYTES).ok_or_else(too_large)?;
    let now = sandbox.now();
    let mut bulk = sandbox.bulk();
    let job = find(&mut bulk.classic, &path.job, version)?;
    let (key, wanted) = (job.id, job.wanted.clone());
    if job.state != JobState::Open || job.created.duration_until(now) > OPEN_FOR {
        return Err(refusal("InvalidJobState", "Adding a batch to a Job that is not open is not allowed"));
    }
    if media_type(&headers) != wanted.content.media_type() {
        // The code is recorded, the text is a guess.
        let message = format!("The content type of a batch of this job must be {}", wanted.content.media_type());
        return Err(refusal("UnsupportedContentType", message));
    }
    if bulk.spend_batches(1, sandbox.settings().daily_batches, now) == 0 {
        return Err(refusal("ExceededQuota", "ApiBatchItems Limit exceeded."));
    }
    let rows = if wanted.reads() { Ok(Vec::new()) } else { wanted.content.read(wanted.operation, &data) };
    let batch = Batch::new(bulk.classic.next_batch_key(), now, data, rows, JobFaults::of(sandbox.settings(), &faults.0));
    let fields = batch.info(key, now);
    bulk.classic.add(key, batch);
    Ok(object(StatusCode::CREATED, batch_format(&headers, wanted.content), "batchInfo", &fields))
}

/// `GET /job/{job}/batch`
async fn list(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Path(path): Path<JobPath>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let now = sandbox.now();
    let mut bulk = sandbox.bulk();
    let job = find(&mut bulk.classic, &path.job, version)?;
    let batches: Vec<_> = job.batches.iter().map(|batch| batch.info(job.id, now)).collect();
    Ok(batch_list(batch_format(&headers, job.wanted.content), &batches))
}

/// `GET /job/{job}/batch/{batch}`
async fn batch_info(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Path(path): Path<BatchPath>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut bulk = sandbox.bulk();
    let job = find(&mut bulk.classic, &path.job, version)?;
    let fields = find_batch(job, &path.batch)?.info(job.id, sandbox.now());
    Ok(object(StatusCode::OK, batch_format(&headers, job.wanted.content), "batchInfo", &fields))
}

/// `GET /job/{job}/batch/{batch}/request`: what was sent, as it was sent (documented).
async fn request(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Path(path): Path<BatchPath>,
) -> Result<Response, ApiError> {
    let mut bulk = sandbox.bulk();
    let job = find(&mut bulk.classic, &path.job, version)?;
    let data = find_batch(job, &path.batch)?.data.clone();
    Ok(respond(StatusCode::OK, job.wanted.content.media_type(), data))
}

/// `GET /job/{job}/batch/{batch}/result`: of what was tried, be it all or less (documented); of a batch that asks, where its rows are.
async fn results(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Path(path): Path<BatchPath>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut bulk = sandbox.bulk();
    let job = find(&mut bulk.classic, &path.job, version)?;
    let batch = find_batch(job, &path.batch)?;
    match batch.end() {
        None => Err(refusal("InvalidBatch", "Batch not completed")),
        // Recorded by a client's own tests; the text before the end is a guess.
        Some(End::Failed(_) | End::NotProcessed) if batch.tried().0 == 0 => {
            Err(refusal("InvalidBatch", "Records not processed"))
        }
        Some(_) if job.wanted.reads() => {
            let result = batch.found().map(|_| query::result_of(batch.id).to_string());
            Ok(result_list(batch_format(&headers, job.wanted.content), &Vec::from_iter(result)))
        }
        Some(_) => {
            let content = job.wanted.content;
            Ok(respond(StatusCode::OK, content.media_type(), result::write(batch, content)))
        }
    }
}

/// `GET /job/{job}/batch/{batch}/result/{result}`: the rows that a batch found.
async fn found(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Path(path): Path<ResultPath>,
) -> Result<Response, ApiError> {
    let mut bulk = sandbox.bulk();
    let job = find(&mut bulk.classic, &path.job, version)?;
    let batch = find_batch(job, &path.batch)?;
    let is_its_own = RecordKey::parse(&path.result) == Ok(query::result_of(batch.id));
    let file = batch.found().filter(|_| is_its_own);
    // Code and text are guesses.
    let file = file.ok_or_else(|| refusal("InvalidBatch", format!("Invalid result id: {}", path.result)))?;
    Ok(respond(StatusCode::OK, job.wanted.content.media_type(), file.clone()))
}
