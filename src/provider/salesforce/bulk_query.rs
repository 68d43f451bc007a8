//! Bulk API 2.0 queries, proven complete.
//!
//! Making a query job is a `POST`, but it changes no record: a plan that uses it still only reads.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::json;

use super::call::Call;
use super::csv_rows::{CsvError, CsvRows};
use super::hostile;
use super::query::{incomplete, not_kept, row};
use super::session::Session;
use super::soql::{self, Selection};
use crate::base::canonical_salesforce_id;
use crate::provider::{Completeness, ErrorClass, ProviderError, RowSink};

/// Rows of one page of results. A page is streamed, so that this bounds only what a broken download costs.
const PAGE_ROWS: &str = "250000";
/// The pause before the first look at a job: small queries are ready at once.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The pause after the first look; it grows by half each time.
const SECOND_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two looks. Each look costs one API call.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest a job is waited for, in pauses. The vendor ends a query after 32 minutes and repeats it up to 15 times (documented).
const PATIENCE: Duration = Duration::from_secs(9 * 3600);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryJob {
    id: String,
    state: String,
    number_records_processed: Option<u64>,
    error_message: Option<String>,
}

/// Streams a query's rows through a query job, and removes the job.
///
/// It ends well only when each page had as many rows as its own header declared, the last page was marked as such, and all rows
/// together are as many as the job says it found.
pub(super) async fn select(
    session: &Session,
    selection: &Selection,
    sink: &mut dyn RowSink,
) -> Result<Completeness, ProviderError> {
    let doing = &selection.doing;
    let body = json!({
        "operation": "query",
        "query": selection.statement,
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    });
    let create = Call::new(doing.clone(), Method::POST, "jobs/query").json(&body);
    let job: QueryJob = session.call_json(&create).await?;
    // The key becomes part of an address.
    let id = canonical_salesforce_id(&job.id).map_err(|_| create.unreadable("the query job's id is none"))?;
    let path = format!("jobs/query/{id}");
    let result = read_results(session, selection, &path, sink).await;
    // The job is ours, since it was made a moment ago. Left behind it would only be removed some days later.
    if let Err(error) = session.call(&Call::new("remove a finished query job", Method::DELETE, path)).await {
        tracing::debug!(%error, "a query job was left behind");
    }
    result
}

async fn read_results(
    session: &Session,
    selection: &Selection,
    path: &str,
    sink: &mut dyn RowSink,
) -> Result<Completeness, ProviderError> {
    let doing = &selection.doing;
    let declared = wait_for(session, doing, path).await?;
    let results = format!("{path}/results");
    let mut locator: Option<String> = None;
    let mut visited = BTreeSet::new();
    let mut rows = 0;
    loop {
        let mut parameters = vec![("maxRecords", PAGE_ROWS)];
        parameters.extend(locator.as_deref().map(|locator| ("locator", locator)));
        let call = Call::get(doing.clone(), results.clone()).parameters(&parameters).csv();
        let response = session.read(&call).await?;
        let header = |name| text_header(&response.headers, name);
        let (Some(page_declared), Some(next)) =
            (header("sforce-numberofrecords").and_then(|text| text.parse::<u64>().ok()), header("sforce-locator"))
        else {
            return Err(incomplete(doing, "a page of results has no `Sforce-NumberOfRecords` or no `Sforce-Locator`"));
        };
        let next = next.to_owned();
        let page_rows = read_page(selection, CsvRows::new(response.body), page_declared, sink).await?;
        rows += page_rows;
        if page_rows != page_declared || rows > declared {
            return Err(incomplete(
                doing,
                format!(
                    "a page brought {page_rows} rows and declared {page_declared}; {rows} of the job's {declared} have come"
                ),
            ));
        }
        if next == "null" {
            break;
        }
        if page_rows == 0 {
            return Err(incomplete(doing, "a page of results that is not the last is empty"));
        }
        if next.is_empty() || next.len() > 1_000 || !visited.insert(next.clone()) {
            return Err(incomplete(doing, "two pages of results name the same next one, or one names none"));
        }
        locator = Some(next);
    }
    if rows != declared {
        return Err(incomplete(doing, format!("{rows} rows came, and the system declared {declared}")));
    }
    Ok(Completeness { rows, declared })
}

/// Waits until the job is complete, and gives the number of rows it says it found.
async fn wait_for(session: &Session, doing: &str, path: &str) -> Result<u64, ProviderError> {
    let call = Call::get(doing, path);
    let mut pause = FIRST_PAUSE;
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        tokio::time::sleep(pause).await;
        waited += pause;
        pause = pause.mul_f64(1.5).clamp(SECOND_PAUSE, LONGEST_PAUSE);
        let job: QueryJob = session.read_json(&call).await?;
        match job.state.as_str() {
            "UploadComplete" | "InProgress" => {}
            "JobComplete" => {
                let missing = || incomplete(doing, "the query job does not say how many rows it found");
                return job.number_records_processed.ok_or_else(missing);
            }
            "Failed" | "Aborted" => {
                let reason = job.error_message.as_deref().map_or("the system gives no reason".to_owned(), hostile::words);
                let code = if job.state == "Failed" { "query-job-failed" } else { "query-job-aborted" };
                return Err(call.error(ErrorClass::Incomplete, code, reason));
            }
            _ => return Err(call.unreadable("the query job is in a state that is not known")),
        }
    }
    Err(incomplete(doing, format!("the query job was not done in {} hours", PATIENCE.as_secs() / 3600)))
}

/// Streams one page of results. It stops at the first row beyond the declared number.
async fn read_page(
    selection: &Selection,
    mut rows: CsvRows,
    declared: u64,
    sink: &mut dyn RowSink,
) -> Result<u64, ProviderError> {
    let doing = &selection.doing;
    let broken = |error: CsvError| incomplete(doing, error.to_string());
    let malformed = |message: String| super::call::error(ErrorClass::Malformed, doing, "malformed-results", message);
    let Some(header) = rows.next().await.map_err(broken)? else {
        // An empty result is a header alone, or nothing at all in older orgs (client).
        return Ok(0);
    };
    // Columns come as asked for since version 50 (documented); before, only their names say which is which.
    let places = selection
        .columns
        .iter()
        .map(|column| header.place_of(column).ok_or_else(|| malformed(format!("the results have no column `{column}`"))));
    let places: Vec<usize> = places.collect::<Result<_, _>>()?;
    let width = header.len();
    let mut count = 0;
    while let Some(record) = rows.next().await.map_err(broken)? {
        count += 1;
        if count > declared {
            return Err(incomplete(doing, format!("a page of results has more than the {declared} rows it declares")));
        }
        if record.len() != width {
            return Err(incomplete(
                doing,
                format!("row {count} of a page of results has {} fields, not {width}", record.len()),
            ));
        }
        let value = |place: usize| {
            record.field(places[place]).ok_or_else(|| malformed(format!("row {count} of a page of results is not UTF-8")))
        };
        let values = || selection.values.iter().map(|place| value(*place).map(soql::plain)).collect();
        if let Some(row) = row(selection, value(selection.key)?, values)? {
            sink.row(row).map_err(|cause| not_kept(doing, &cause))?;
        }
    }
    Ok(count)
}

fn text_header<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name)?.to_str().ok()
}
