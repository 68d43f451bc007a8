//! Bulk API 2.0 queries, proven complete.
//!
//! Making a query job is a `POST`, but it changes no record: a plan that uses it still only reads.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::json;

use super::call::Call;
use super::csv_rows::{CsvError, CsvRows};
use super::hostile;
use super::query::row;
use super::session::Session;
use super::soql::{self, Selection};
use crate::provider::common::{error, incomplete, not_kept, pause_or_fail};
use crate::provider::{Completeness, ErrorClass, ProviderError, RowSink};
use crate::system::canonical_salesforce_id;

/// Rows of one page of results. A page is streamed, so that this bounds only what a broken download costs.
const PAGE_ROWS: &str = "250000";
/// The pause before the first poll of a job: small queries are ready at once.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// How much longer each pause is than the one before it: so much that a pause comes to a quarter of the time waited so far, and
/// little of it is wasted.
const GROWTH: f64 = 1.25;
/// The longest pause between two polls. Each costs one API call.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest a job is waited for, in pauses. The vendor ends a query after 32 minutes and repeats it up to 15 times (documented).
const LONGEST_JOB: Duration = Duration::from_secs(9 * 3600);

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
        "operation": selection.resource,
        "query": selection.statement,
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    });
    let create = Call::new(doing.clone(), Method::POST, "jobs/query").json(&body);
    // One whose making was not answered changes nothing, and is left to the system.
    let job: QueryJob = session.read_json(&create).await?;
    // The key becomes part of an address.
    let id = canonical_salesforce_id(&job.id).map_err(|_| create.unreadable("the query job's id is none"))?;
    let path = format!("jobs/query/{id}");
    let result = read_results(session, selection, &path, sink).await;
    // This process created the job. If not removed here, the system would remove it some days later.
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
        let (page_rows, next) = whole_page(session, selection, &call, sink).await?;
        rows += page_rows;
        if rows > declared {
            return Err(incomplete(doing, format!("{rows} rows arrived, but the system declared {declared}")));
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
        return Err(incomplete(doing, format!("{rows} rows arrived, but the system declared {declared}")));
    }
    Ok(Completeness { rows, declared })
}

/// What of a page of results has been taken so far, in case that its download breaks off.
#[derive(Default)]
struct Taken {
    rows: u64,
    /// Over these rows, as they came.
    digest: u64,
}

/// Why a page was not read to its end.
enum PageError {
    /// The download broke off.
    Broken(ProviderError),
    /// It is not what was asked for.
    Wrong(ProviderError),
}

impl From<ProviderError> for PageError {
    fn from(error: ProviderError) -> Self {
        Self::Wrong(error)
    }
}

/// Streams one page of results, which is asked for again where its download breaks off: "you can use the locator to retrieve a set of
/// results multiple times" (documented). The rows that were taken before must come again as they were, and are passed over. Gives how
/// many rows there are, which is what the page declares, and the locator of the next page.
async fn whole_page(
    session: &Session,
    selection: &Selection,
    call: &Call,
    sink: &mut dyn RowSink,
) -> Result<(u64, String), ProviderError> {
    let mut taken = Taken::default();
    let mut repeats = 0;
    loop {
        let response = session.read(call).await?;
        let header = |name| text_header(&response.headers, name);
        let (Some(declared), Some(next)) =
            (header("sforce-numberofrecords").and_then(|text| text.parse::<u64>().ok()), header("sforce-locator"))
        else {
            let message = "a page of results has no `Sforce-NumberOfRecords` or no `Sforce-Locator`";
            return Err(incomplete(&selection.doing, message));
        };
        let next = next.to_owned();
        match read_page(selection, CsvRows::new(response.body), declared, &mut taken, sink).await {
            Ok(()) => return Ok((declared, next)),
            Err(PageError::Broken(error)) => pause_or_fail(error, &mut repeats).await?,
            Err(PageError::Wrong(error)) => return Err(error),
        }
    }
}

/// Waits until the job is complete, and gives the number of rows it says it found.
async fn wait_for(session: &Session, doing: &str, path: &str) -> Result<u64, ProviderError> {
    let call = Call::get(doing, path);
    let mut pause = FIRST_PAUSE;
    let mut waited = Duration::ZERO;
    while waited < LONGEST_JOB {
        tokio::time::sleep(pause).await;
        waited += pause;
        pause = pause.mul_f64(GROWTH).min(LONGEST_PAUSE);
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
            _ => return Err(call.unreadable("the query job is in an unknown state")),
        }
    }
    Err(incomplete(doing, format!("the query job was not done in {} hours", LONGEST_JOB.as_secs() / 3600)))
}

/// Streams what of one page of results has not been taken yet. It stops at the first row beyond the declared number.
async fn read_page(
    selection: &Selection,
    mut rows: CsvRows,
    declared: u64,
    taken: &mut Taken,
    sink: &mut dyn RowSink,
) -> Result<(), PageError> {
    let doing = &selection.doing;
    let broken = |error: CsvError| PageError::Broken(incomplete(doing, error.to_string()));
    let short = |count: u64| {
        let message = format!("a page of results brought {count} of the {declared} rows that it declares");
        Err(PageError::Broken(incomplete(doing, message)))
    };
    let mut hasher = DefaultHasher::new();
    let malformed = |message: String| error(ErrorClass::Malformed, doing, "malformed-results", message);
    let Some(header) = rows.next().await.map_err(broken)? else {
        // An empty result is a header alone, or nothing at all in older orgs (client).
        return if declared == 0 { Ok(()) } else { short(0) };
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
            let message = format!("a page of results has more than the {declared} rows it declares");
            return Err(incomplete(doing, message).into());
        }
        if record.len() != width {
            let message = format!("row {count} of a page of results has {} fields, not {width}", record.len());
            return Err(incomplete(doing, message).into());
        }
        record.hash(&mut hasher);
        if count <= taken.rows {
            if count == taken.rows && hasher.finish() != taken.digest {
                return Err(incomplete(doing, "a page of results that was asked for again has other rows").into());
            }
            continue;
        }
        *taken = Taken { rows: count, digest: hasher.finish() };
        let value = |place: usize| {
            record.field(places[place]).ok_or_else(|| malformed(format!("row {count} of a page of results is not UTF-8")))
        };
        let values = || selection.values.iter().map(|place| value(*place).map(soql::plain)).collect();
        if let Some(row) = row(selection, value(selection.key)?, values)? {
            sink.row(row).map_err(|cause| not_kept(doing, &cause))?;
        }
    }
    if count < declared { short(count) } else { Ok(()) }
}

fn text_header<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::super::testing::*;
    use super::*;
    use crate::plan::Query;
    use crate::provider::transport::scripted::{Reply, Seen, answer, json};

    const MANY: u64 = 100_000;

    fn job(state: &str, processed: Option<u64>) -> Reply {
        let mut job = json!({"id": JOB, "operation": "query", "object": "Lead", "state": state, "apiVersion": 66.0});
        if let Some(processed) = processed {
            job["numberRecordsProcessed"] = processed.into();
        }
        json(200, job.to_string())
    }

    fn csv(count: u64, locator: &str, rows: &str) -> Reply {
        answer(200, &[("sforce-numberofrecords", &count.to_string()), ("sforce-locator", locator)], rows)
    }

    /// An org with a job that is complete at once, whose results come from `results`.
    fn with_results(
        processed: u64,
        mut results: impl FnMut(&Seen) -> Reply + Send + 'static,
    ) -> impl FnMut(&Seen) -> Reply + Send {
        move |seen| match seen.line().as_str() {
            "POST /services/data/v66.0/jobs/query" => job("UploadComplete", None),
            line if line.ends_with("/results") => results(seen),
            line if line.starts_with("GET") => job("JobComplete", Some(processed)),
            line if line.starts_with("DELETE") => answer(204, &[], ""),
            line => panic!("{line}"),
        }
    }

    async fn select(
        query: &Query,
        script: impl FnMut(&Seen) -> Reply + Send + 'static,
    ) -> (Rows, Result<Completeness, ProviderError>) {
        let (provider, transport) = org(script);
        let mut rows = Rows::default();
        let answer = provider.select(query, MANY, &mut rows).await;
        let last = transport.lines().pop().expect("asked");
        assert_eq!(last, format!("DELETE /services/data/v66.0/jobs/query/{JOB}"), "the job is left behind");
        (rows, answer)
    }

    async fn refused(processed: u64, results: impl FnMut(&Seen) -> Reply + Send + 'static) -> String {
        let error = select(&query(&[]), with_results(processed, results)).await.1.expect_err("not proven");
        assert_eq!(error.class, ErrorClass::Incomplete, "{error}");
        error.message
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_the_job_with_growing_pauses_and_follows_locators() {
        let mut polls = 0;
        let (provider, transport) = org(move |seen| match (seen.line().as_str(), seen.parameter("locator")) {
            ("POST /services/data/v66.0/jobs/query", _) => job("UploadComplete", None),
            (line, None) if line.ends_with("/results") => {
                csv(2, "MTAwMDA", "\"Id\"\n\"00Q000000000000EAA\"\n\"00Q000000000001EAA\"\n")
            }
            (line, Some("MTAwMDA")) if line.ends_with("/results") => csv(1, "null", "\"Id\"\n\"00Q000000000002\"\n"),
            (line, None) if line.starts_with("GET") => {
                polls += 1;
                if polls < 4 { job("InProgress", Some(1)) } else { job("JobComplete", Some(3)) }
            }
            _ => answer(204, &[], ""),
        });
        let started = Instant::now();
        let mut rows = Rows::default();
        let proof = provider.select(&query(&[]), MANY, &mut rows).await.expect("complete");
        assert_eq!(proof, Completeness { rows: 3, declared: 3 });
        assert_eq!(rows.0.iter().map(|row| row.id).collect::<Vec<_>>(), leads(3));
        assert_eq!(started.elapsed().as_millis(), 250 + 313 + 391 + 489);
        let seen = asked(&transport);
        insta::assert_snapshot!(seen[0].body,
            @r#"{"columnDelimiter":"COMMA","contentType":"CSV","lineEnding":"LF","operation":"query","query":"SELECT Id FROM Lead WHERE IsConverted = false"}"#);
        assert_eq!(seen[5].headers["accept"], "text/csv");
        assert_eq!(seen.len(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn reads_fields_by_the_name_of_their_column() {
        let fields = ["Owner.Name", "SystemModstamp"];
        let results = |_: &Seen| {
            csv(
                1,
                "null",
                "\"SystemModstamp\",\"Id\",\"Owner.Name\"\n\"2026-01-02T03:04:05.000Z\",\"00Q000000000000EAA\",\"O\"\"Neill, Ann\"\n",
            )
        };
        let (rows, proof) = select(&query(&fields), with_results(1, results)).await;
        proof.expect("complete");
        assert_eq!(rows.0[0].values, ["O\"Neill, Ann", "2026-01-02T03:04:05.000Z"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_result_is_a_header_or_nothing() {
        for body in ["\"Id\"\n", ""] {
            let (rows, proof) = select(&query(&[]), with_results(0, move |_| csv(0, "null", body))).await;
            assert_eq!((rows.0.len(), proof), (0, Ok(Completeness { rows: 0, declared: 0 })));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_a_page_shorter_or_longer_than_its_header() {
        let one = "\"Id\"\n\"00Q000000000000EAA\"\n";
        let message = refused(2, move |_| csv(2, "null", one)).await;
        assert_eq!(message, "a page of results brought 1 of the 2 rows that it declares");
        assert_eq!(refused(0, move |_| csv(0, "null", one)).await, "a page of results has more than the 0 rows it declares");
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_fewer_or_more_rows_than_the_job_found() {
        let one = "\"Id\"\n\"00Q000000000000EAA\"\n";
        assert_eq!(refused(2, move |_| csv(1, "null", one)).await, "1 rows arrived, but the system declared 2");
        assert_eq!(refused(0, move |_| csv(1, "null", one)).await, "1 rows arrived, but the system declared 0");
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_missing_headers_and_repeated_locators() {
        let one = "\"Id\"\n\"00Q000000000000EAA\"\n";
        for headers in [
            &[("sforce-numberofrecords", "1")][..],
            &[("sforce-locator", "null")],
            &[("sforce-numberofrecords", "x"), ("sforce-locator", "null")],
        ] {
            let message = refused(1, move |_| answer(200, headers, one)).await;
            assert_eq!(message, "a page of results has no `Sforce-NumberOfRecords` or no `Sforce-Locator`");
        }
        let message = refused(9, move |_| csv(1, "same", one)).await;
        assert_eq!(message, "two pages of results name the same next one, or one names none");
        assert_eq!(refused(9, move |_| csv(0, "next", "\"Id\"\n")).await, "a page of results that is not the last is empty");
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_a_body_that_breaks_off() {
        let broken = |_: &Seen| {
            let headers = vec![("sforce-numberofrecords", "2".to_owned()), ("sforce-locator", "null".to_owned())];
            Reply::Answer(
                200,
                headers,
                vec![Ok("\"Id\"\n\"00Q000000000000EAA\"\n".into()), Err(std::io::Error::other("reset"))],
            )
        };
        assert_eq!(refused(2, broken).await, "the download was cut off: reset");
        assert_eq!(
            refused(1, |_| csv(1, "null", "\"Id\"\n\"00Q000000000000")).await,
            "the download ends in the middle of a value"
        );
        assert_eq!(
            refused(1, |_| csv(1, "null", "\"Id\"\n\"00Q000000000000EAA\",\"x\"\n")).await,
            "row 1 of a page of results has 2 fields, not 1"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_breaks_off_is_asked_for_again_and_what_came_before_is_taken_once() {
        let whole = "\"Id\"\n\"00Q000000000000EAA\"\n\"00Q000000000001EAA\"\n";
        let cut = |at: usize| {
            let headers = vec![("sforce-numberofrecords", "2".to_owned()), ("sforce-locator", "null".to_owned())];
            Reply::Answer(200, headers, vec![Ok(whole[..at].into()), Err(std::io::Error::other("reset"))])
        };
        // Within the first row, between the rows, within the second; and once without a word of it.
        let mut answers = vec![cut(12), cut(26), cut(40), csv(2, "null", &whole[..26])].into_iter();
        let script = with_results(2, move |_| answers.next().unwrap_or_else(|| csv(2, "null", whole)));
        let (rows, proof) = select(&query(&[]), script).await;
        assert_eq!(proof, Ok(Completeness { rows: 2, declared: 2 }));
        assert_eq!(rows.0.iter().map(|row| row.id).collect::<Vec<_>>(), leads(2));
        // Other rows than before are not believed.
        let other = "\"Id\"\n\"00Q000000000002EAA\"\n\"00Q000000000001EAA\"\n";
        let mut first = Some(cut(26));
        let message = refused(2, move |_| first.take().unwrap_or_else(|| csv(2, "null", other))).await;
        assert_eq!(message, "a page of results that was asked for again has other rows");
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_whose_making_is_not_answered_is_made_again() {
        let mut lost = true;
        let mut script = with_results(0, |_| csv(0, "null", ""));
        let (_, proof) = select(&query(&[]), move |seen| match seen.method.as_str() {
            "POST" if std::mem::take(&mut lost) => Reply::NoAnswer,
            _ => script(seen),
        })
        .await;
        proof.expect("selected");
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_a_job_that_failed_or_does_not_say_what_it_found() {
        for (state, code) in
            [("Failed", "query-job-failed"), ("Aborted", "query-job-aborted"), ("JobComplete", "incomplete")]
        {
            let script = move |seen: &Seen| match seen.method.as_str() {
                "POST" => job("UploadComplete", None),
                "GET" => job(state, None),
                _ => answer(204, &[], ""),
            };
            let error = select(&query(&[]), script).await.1.expect_err("no result");
            assert_eq!((error.class, error.code.as_str()), (ErrorClass::Incomplete, code));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_never_ends_is_given_up() {
        let script = |seen: &Seen| match seen.method.as_str() {
            "POST" => job("UploadComplete", None),
            "GET" => job("InProgress", None),
            _ => json(
                400,
                r#"[{"errorCode":"API_ERROR","message":"Error encountered when deleting the job because the job is not terminated"}]"#,
            ),
        };
        let error = select(&query(&[]), script).await.1.expect_err("no end");
        assert_eq!((error.class, error.message.as_str()), (ErrorClass::Incomplete, "the query job was not done in 9 hours"));
    }

    #[tokio::test(start_paused = true)]
    async fn rest_is_asked_where_bulk_cannot_read_the_object() {
        let (provider, _) = org(|seen| match seen.method.as_str() {
            "POST" => {
                json(400, r#"[{"errorCode":"INVALIDENTITY","message":"Entity 'X' is not supported by the Bulk API."}]"#)
            }
            _ => json(200, page(0, true, None, vec![]).to_string()),
        });
        assert!(provider.select(&query(&[]), MANY, &mut Rows::default()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_condition_goes_into_a_job_however_few_rows_are_expected() {
        let long = Query { condition: Some(format!("Name IN ('{}')", "x','".repeat(3_000))), ..query(&[]) };
        let (provider, transport) = org(with_results(0, |_| csv(0, "null", "")));
        assert!(provider.select(&long, 1, &mut Rows::default()).await.is_ok());
        assert!(asked(&transport)[0].body.contains("Name IN"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_that_is_a_path_goes_nowhere() {
        let (provider, transport) = org(|_| json(200, r#"{"id":"../../../oauth2/revoke","state":"UploadComplete"}"#));
        assert_eq!(
            provider.select(&query(&[]), MANY, &mut Rows::default()).await.expect_err("no id").class,
            ErrorClass::Malformed
        );
        assert_eq!(asked(&transport).len(), 1);
    }
}
