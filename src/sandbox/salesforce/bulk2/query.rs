//! `/jobs/query` over HTTP.

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::faults::JobFaults;
use super::ingest::{no_content, not_supported};
use super::job_info::{JobHead, JobState};
use super::list::{JobList, ListQuery};
use super::query_job::{CheckedQuery, QueryJob};
use super::request::{CreateQuery, JobPath, Transition, bad_request, may_abort_any, no_such_job, not_ended, not_yours};
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::salesforce::bulk::BulkState;
use crate::sandbox::salesforce::error::{ApiError, json};
use crate::sandbox::salesforce::gate::ApiVersion;
use crate::sandbox::salesforce::query::{RowScope, Statement};
use crate::sandbox::session::Session;
use crate::sandbox::{RecordKey, Sandbox};

/// How many pages one answer names. Source: documented.
const PAGES_NAMED: usize = 5;

/// `POST /jobs/query`
pub async fn create(
    State(sandbox): State<Sandbox>,
    Extension(session): Extension<Session>,
    Extension(version): Extension<ApiVersion>,
    Extension(faults): Extension<WorkFaults>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let wanted = CreateQuery::read(&body)?;
    let (statement, object) = check(&sandbox, session.user, &wanted)?;
    let columns = statement.columns().iter().map(|column| column.name.clone()).collect();
    let now = sandbox.now();
    let mut bulk = sandbox.bulk();
    let key = bulk.next_key();
    let head = JobHead {
        id: key,
        operation: wanted.operation,
        object,
        created_by: session.user,
        created: now,
        modified: now,
        api_version: version.dotted(),
        dialect: wanted.dialect,
    };
    let job = QueryJob::new(head, JobFaults::of(sandbox.settings(), &faults.0), columns);
    let query = bulk.query.entry(key).or_insert(CheckedQuery { job, statement });
    Ok(json(StatusCode::OK, &query.job.created_info(now)))
}

/// Reads a statement, and refuses what this interface cannot carry out. The object's name comes with it.
fn check(sandbox: &Sandbox, user: RecordKey, wanted: &CreateQuery) -> Result<(Statement, String), ApiError> {
    let world = sandbox.world();
    let text = &*wanted.query;
    let rows = if wanted.operation == "queryAll" { RowScope::All } else { RowScope::Usual };
    let checked = Statement::check(&world, text, rows).and_then(|statement| {
        statement.check_access(&world, user, text)?;
        Ok(statement)
    });
    let statement = checked.map_err(|problem| bad_request(problem.code, problem.message))?;
    // That these are not supported is documented; the code is recorded for similar cases, the texts are guesses.
    if statement.is_aggregate() {
        return Err(bad_request("API_ERROR", "Aggregate Relationships not supported in Bulk Query"));
    }
    if statement.has_offset() {
        return Err(bad_request("API_ERROR", "Implementation restriction: OFFSET is not supported in Bulk Query"));
    }
    let object = statement.object(&world).to_owned();
    if !world.table(&object).is_some_and(|table| table.definition().bulk) {
        return Err(not_supported(&object));
    }
    Ok((statement, object))
}

/// `GET /jobs/query`
pub async fn list(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Query(query): Query<ListQuery>,
) -> Response {
    let now = sandbox.now();
    let bulk = sandbox.bulk();
    let jobs = if query.wants("V2Query") { bulk.query.values().collect() } else { Vec::new() };
    let infos = jobs.into_iter().map(|query| query.job.listed_info(now));
    json(StatusCode::OK, &JobList::page(infos, &query, &format!("/services/data/v{}/jobs/query", version.dotted())))
}

/// `GET /jobs/query/{id}`
pub async fn info(State(sandbox): State<Sandbox>, Path(path): Path<JobPath>) -> Result<Response, ApiError> {
    let bulk = sandbox.bulk();
    let job = job(&bulk, &path)?;
    Ok(json(StatusCode::OK, &job.info(sandbox.now())))
}

fn job<'a>(bulk: &'a BulkState, path: &JobPath) -> Result<&'a QueryJob, ApiError> {
    bulk.query.get(&path.key()?).map(|query| &query.job).ok_or_else(no_such_job)
}

/// `PATCH /jobs/query/{id}`
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
    let job = bulk.query.get_mut(&path.key()?).map(|query| &mut query.job).ok_or_else(no_such_job)?;
    if job.head.created_by != session.user && !may_abort_any {
        return Err(not_yours());
    }
    if transition == Transition::Close || job.state(now).is_terminal() {
        return Err(transition.refusal(job.state(now)));
    }
    job.abort(now);
    Ok(json(StatusCode::OK, &job.changed_info(now)))
}

/// `DELETE /jobs/query/{id}`
pub async fn remove(State(sandbox): State<Sandbox>, Path(path): Path<JobPath>) -> Result<StatusCode, ApiError> {
    let mut bulk = sandbox.bulk();
    if !job(&bulk, &path)?.state(sandbox.now()).is_terminal() {
        return Err(not_ended());
    }
    bulk.query.remove(&path.key()?);
    Ok(StatusCode::NO_CONTENT)
}

/// What a request for a page may ask for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PageQuery {
    max_records: Option<String>,
    locator: Option<String>,
}

/// `GET /jobs/query/{id}/results`
pub async fn results(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Path(path): Path<JobPath>,
    Query(query): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let bulk = sandbox.bulk();
    let job = finished(&bulk, &path, version, &sandbox)?;
    let most = most_rows(&query, sandbox.settings().bulk_page_rows)?;
    let first = first_row(job, &query)?;
    let page = job.page(first, most).ok_or_else(invalid_locator)?;
    // A literal `null` says that this was the last page. Source: documented.
    let locator = page.next.map_or_else(|| "null".to_owned(), |next| job.locator(next));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv")),
        (HeaderName::from_static("sforce-numberofrecords"), HeaderValue::from(page.rows)),
        (
            HeaderName::from_static("sforce-locator"),
            HeaderValue::from_str(&locator).unwrap_or(HeaderValue::from_static("null")),
        ),
    ];
    if page.rows == 0 && sandbox.settings().empty_result_files {
        return Ok((headers, no_content(sandbox.settings().seed, &job.head.id.to_string())).into_response());
    }
    let parts = [page.header, page.text].into_iter().filter(|part| !part.is_empty()).map(Ok::<_, std::convert::Infallible>);
    Ok((headers, Body::from_stream(futures::stream::iter(parts))).into_response())
}

/// Where pages may be had, several at a time.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultPages {
    result_pages: Vec<ResultPage>,
    next_records_url: Option<String>,
    done: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultPage {
    result_url: String,
}

/// `GET /jobs/query/{id}/resultPages`
pub async fn result_pages(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Path(path): Path<JobPath>,
    Query(query): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let bulk = sandbox.bulk();
    let job = finished(&bulk, &path, version, &sandbox)?;
    let most = most_rows(&query, sandbox.settings().bulk_page_rows)?;
    let address = format!("/services/data/v{}/jobs/query/{}", version.dotted(), job.head.id);
    let mut next = Some(first_row(job, &query)?);
    let mut result_pages = Vec::new();
    while let Some(first) = next
        && result_pages.len() < PAGES_NAMED
    {
        result_pages.push(ResultPage { result_url: format!("{address}/results?locator={}", job.locator(first)) });
        next = job.page(first, most).ok_or_else(invalid_locator)?.next;
    }
    // Documented as `nextRecordsUrl` and, elsewhere, as `nextRecordUrl`.
    let next_records_url = next.map(|next| format!("{address}/resultPages?locator={}", job.locator(next)));
    let pages = ResultPages { result_pages, done: next_records_url.is_none(), next_records_url };
    Ok(json(StatusCode::OK, &pages))
}

/// A job whose results may be read, in the version it was made in.
fn finished<'a>(
    bulk: &'a BulkState,
    path: &JobPath,
    version: ApiVersion,
    sandbox: &Sandbox,
) -> Result<&'a QueryJob, ApiError> {
    let job = job(bulk, path)?;
    if job.head.api_version != version.dotted() {
        // The status is documented, code and text are guesses.
        let message = format!("The job was created in API version {}", job.head.api_version);
        return Err(ApiError::bulk(StatusCode::CONFLICT, "INVALIDVERSION", message));
    }
    if job.state(sandbox.now()) != JobState::JobComplete {
        return Err(bad_request("INVALIDJOBSTATE", "Results of a Job that is not complete are not available"));
    }
    Ok(job)
}

fn most_rows(query: &PageQuery, default: usize) -> Result<usize, ApiError> {
    let Some(text) = &query.max_records else { return Ok(default) };
    match text.parse::<usize>() {
        Ok(rows) if rows > 0 => Ok(rows.min(default)),
        _ => Err(bad_request("INVALIDJOB", "maxRecords must be a number above 0")),
    }
}

fn first_row(job: &QueryJob, query: &PageQuery) -> Result<usize, ApiError> {
    query.locator.as_deref().map_or(Ok(0), |locator| job.row_of(locator).ok_or_else(invalid_locator))
}

/// Code and text are those of the REST query; what this interface says is unknown.
fn invalid_locator() -> ApiError {
    bad_request("INVALID_QUERY_LOCATOR", "invalid query locator")
}
