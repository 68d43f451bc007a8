//! Bulk API 2.0 ingest jobs that delete.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::call::Call;
use super::hostile;
use super::session::Session;
use super::soql::check_names;
use crate::apply::{BatchSpecification, IdSource, JobProgress, JobStage, Ticket};
use crate::base::RecordId;
use crate::provider::common::error;
use crate::provider::transport::{ByteStream, RequestBody};
use crate::provider::{ErrorClass, ProviderError};
use crate::system::DeleteMode;
use crate::system::canonical_salesforce_id;
use crate::system::salesforce::BULK2_MOST_IDS;

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

/// The operation as both Bulk APIs spell it.
pub(super) fn operation(specification: &BatchSpecification) -> &'static str {
    match specification.delete {
        DeleteMode::Soft => "delete",
        DeleteMode::Hard => "hardDelete",
    }
}

/// The path of a job. The ticket may come from a journal, so it is checked too.
pub(super) fn path(doing: &str, ticket: &Ticket) -> Result<String, ProviderError> {
    let id = canonical_salesforce_id(&ticket.0)
        .map_err(|cause| error(ErrorClass::Invalid, doing, "malformed-ticket", cause.to_string()))?;
    Ok(format!("jobs/ingest/{id}"))
}

/// Checks that an answer is about the job asked for, and about what was ordered.
fn check(call: &Call, job: &Job, specification: &BatchSpecification, ticket: Option<&Ticket>) -> Result<(), ProviderError> {
    let id = canonical_salesforce_id(&job.id).map_err(|_| call.unreadable("the job's id is not a valid id"))?;
    let other_job = ticket.is_some_and(|ticket| canonical_salesforce_id(&ticket.0) != Ok(id));
    let other_object = job.object.as_ref().is_some_and(|object| !object.eq_ignore_ascii_case(&specification.object));
    let other_operation = job.operation.as_ref().is_some_and(|name| name != operation(specification));
    if other_job || other_object || other_operation {
        return Err(call.unreadable("the system answers with a different job than the one asked for"));
    }
    Ok(())
}

/// A broken answer to a request that is harmless to repeat, or one of something between here and there, which says nothing about a job.
pub(super) fn repeatable(error: ProviderError) -> ProviderError {
    match error.class {
        ErrorClass::NotFound if error.code == "no-code" => ProviderError { class: ErrorClass::Transient, ..error },
        ErrorClass::Incomplete => ProviderError { class: ErrorClass::Transient, ..error },
        _ => error,
    }
}

/// Makes a job. It is open and deletes nothing until it is started; one whose making was never answered stays open and is removed by the
/// system within days, so that making another is harmless.
pub(super) async fn create(
    session: &Session,
    specification: &BatchSpecification,
    count: u64,
) -> Result<Ticket, ProviderError> {
    let doing = format!("create a Bulk API 2.0 {} job for {}", operation(specification), specification.object);
    check_names(&doing, &specification.object, [])?;
    let body = json!({
        "object": specification.object,
        "operation": operation(specification),
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    });
    let call = Call::new(doing, Method::POST, "jobs/ingest").json(&body);
    if count == 0 || count > BULK2_MOST_IDS {
        return Err(call.error(ErrorClass::Invalid, "batch-size", format!("a job takes 1 to {BULK2_MOST_IDS} ids")));
    }
    let job: Job = session.call_json(&call).await.map_err(repeatable)?;
    check(&call, &job, specification, None)?;
    if job.state != "Open" {
        return Err(call.unreadable("the new job is not open"));
    }
    Ok(Ticket(job.id))
}

/// Uploads the job's ids in one request. A job takes one upload only (recorded), so that one without an answer is not repeated.
pub(super) async fn load(
    session: &Session,
    specification: &BatchSpecification,
    ticket: &Ticket,
    ids: Arc<dyn IdSource>,
) -> Result<(), ProviderError> {
    let doing = format!("upload the ids of Bulk API 2.0 job {}", ticket.0);
    let path = path(&doing, ticket)?;
    let length = HEADER.len() as u64 + LINE * ids.count();
    let open = Arc::new(move || -> ByteStream { Box::pin(futures::stream::iter(Upload::new(Arc::clone(&ids)))) });
    let call = Call {
        body: Some(("text/csv", RequestBody::Stream { length, open })),
        ..Call::new(format!("{doing} for {}", specification.object), Method::PUT, format!("{path}/batches"))
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
                return Some(Err(std::io::Error::other(format!("`{id}` is not a full Salesforce id"))));
            }
            lines.extend_from_slice(id.as_bytes());
            lines.push(b'\n');
        }
        Some(Ok(lines.into()))
    }
}

/// Starts the job.
pub(super) async fn start(
    session: &Session,
    specification: &BatchSpecification,
    ticket: &Ticket,
) -> Result<(), ProviderError> {
    let doing = format!("start Bulk API 2.0 job {}", ticket.0);
    let call =
        Call::new(doing.clone(), Method::PATCH, path(&doing, ticket)?).json(&json!({"state": "UploadComplete"})).deleting();
    let job: Job = session.call_json(&call).await?;
    check(&call, &job, specification, Some(ticket))?;
    match stage(&job.state) {
        Some(JobStage::Running | JobStage::Complete) => Ok(()),
        _ => Err(call.unreadable("the job should have started, but is in another state")),
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
pub(super) async fn poll(
    session: &Session,
    specification: &BatchSpecification,
    ticket: &Ticket,
) -> Result<JobProgress, ProviderError> {
    let doing = format!("poll Bulk API 2.0 job {}", ticket.0);
    let call = Call::get(doing.clone(), path(&doing, ticket)?);
    let job: Job = match session.call_json(&call).await {
        // Only the system's own word: a page of some proxy between here and there says nothing about the job.
        Err(error) if error.class == ErrorClass::NotFound && error.code == "NOT_FOUND" => {
            return Ok(JobProgress { stage: JobStage::Gone, processed: None, failed: None, message: None });
        }
        answer => answer.map_err(repeatable)?,
    };
    check(&call, &job, specification, Some(ticket))?;
    let stage = stage(&job.state).ok_or_else(|| call.unreadable("the job is in an unknown state"))?;
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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::provider::transport::scripted::{Reply, Seen, answer, json};
    use crate::system::Api;

    fn soft() -> BatchSpecification {
        specification(Api::Bulk2, DeleteMode::Soft, false)
    }

    fn ticket() -> Ticket {
        Ticket(JOB.into())
    }

    /// A job as it is recorded, in the key order of the recording.
    fn job(state: &str, counters: &str) -> Reply {
        json(
            200,
            format!(
                r#"{{"id":"{JOB}","operation":"delete","object":"Lead","createdById":"005ak000005hvjJAAQ",
                "createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"{state}",
                "concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,
                "contentUrl":"services/data/v60.0/jobs/ingest/{JOB}/batches"{counters}}}"#
            ),
        )
    }

    #[tokio::test]
    async fn makes_loads_and_starts_a_job() {
        let (provider, transport) = org(|seen| match seen.method.as_str() {
            "POST" => job("Open", ""),
            "PUT" => answer(201, &[], ""),
            _ => job("UploadComplete", ""),
        });
        let ids = Arc::new(Ids(leads(10_000)));
        let ticket = provider.jobs(&soft()).create(&*ids).await.expect("made");
        assert_eq!(ticket, Ticket(JOB.into()));
        provider.jobs(&soft()).load(&ticket, ids).await.expect("loaded");
        provider.jobs(&soft()).start(&ticket).await.expect("started");
        let seen = asked(&transport);
        let lines: Vec<String> = seen.iter().map(Seen::line).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        POST /services/data/v66.0/jobs/ingest
        PUT /services/data/v66.0/jobs/ingest/750ak000009BkrxAAC/batches
        PATCH /services/data/v66.0/jobs/ingest/750ak000009BkrxAAC
        ");
        insta::assert_snapshot!(seen[0].body,
            @r#"{"columnDelimiter":"COMMA","contentType":"CSV","lineEnding":"LF","object":"Lead","operation":"delete"}"#);
        assert_eq!(seen[1].headers["content-type"], "text/csv");
        assert_eq!(seen[1].body.len(), 3 + 19 * 10_000);
        assert!(seen[1].body.starts_with("Id\n00Q000000000000EAA\n00Q000000000001EAA\n"), "{}", &seen[1].body[..60]);
        assert_eq!(seen[2].body, r#"{"state":"UploadComplete"}"#);
    }

    #[tokio::test]
    async fn a_missing_permission_says_what_to_grant() {
        let (provider, _) = org(|seen| {
            assert!(seen.body.contains(r#""operation":"hardDelete""#), "{}", seen.body);
            json(
                400,
                r#"[{"errorCode":"FEATURENOTENABLED","message":"hardDelete operation requires special user profile permission, please contact your system administrator"}]"#,
            )
        });
        let error = provider
            .jobs(&specification(Api::Bulk2, DeleteMode::Hard, false))
            .create(&Ids(leads(1)))
            .await
            .expect_err("denied");
        assert_eq!(
            (error.class, error.help.as_deref()),
            (ErrorClass::Denied, Some(super::super::error_table::HARD_DELETE_HELP))
        );
    }

    #[tokio::test]
    async fn a_job_that_is_another_one_is_refused() {
        for body in [
            r#"{"id":"750ak000009BkrxAAC","operation":"hardDelete","object":"Lead","state":"Open"}"#,
            r#"{"id":"750ak000009BkrxAAC","operation":"delete","object":"Account","state":"Open"}"#,
            r#"{"id":"750ak000009BkrxAAC","operation":"delete","object":"Lead","state":"UploadComplete"}"#,
            r#"{"id":"../x","operation":"delete","object":"Lead","state":"Open"}"#,
        ] {
            let (provider, _) = org(move |_| json(200, body));
            let error = provider.jobs(&soft()).create(&Ids(leads(1))).await.expect_err("another job");
            assert_eq!(error.class, ErrorClass::Malformed, "{body}");
        }
    }

    #[tokio::test]
    async fn a_job_whose_making_was_not_answered_is_harmless() {
        for reply in [|| Reply::NoAnswer, || answer(503, &[], ""), || json(200, "{\"id\":")] {
            let (provider, _) = org(move |_| reply());
            assert_eq!(
                provider.jobs(&soft()).create(&Ids(leads(1))).await.expect_err("no answer").class,
                ErrorClass::Transient
            );
        }
        let (provider, transport) = org(|_| panic!("nothing may be sent"));
        assert_eq!(provider.jobs(&soft()).create(&Ids(vec![])).await.expect_err("empty").class, ErrorClass::Invalid);
        assert_eq!(
            provider.jobs(&soft()).poll(&Ticket("../x".into())).await.expect_err("no ticket").class,
            ErrorClass::Invalid
        );
        assert!(transport.seen().is_empty());
    }

    #[tokio::test]
    async fn an_upload_or_a_start_without_a_clear_answer_is_ambiguous() {
        let unclear = |reply: fn() -> Reply| org(move |_| reply()).0;
        for reply in [|| Reply::NoAnswer, || answer(503, &[], ""), || answer(302, &[], "")] {
            let error = unclear(reply).jobs(&soft()).load(&ticket(), Arc::new(Ids(leads(1)))).await.expect_err("unclear");
            assert_eq!(error.class, ErrorClass::Ambiguous);
            assert_eq!(
                unclear(reply).jobs(&soft()).start(&ticket()).await.expect_err("unclear").class,
                ErrorClass::Ambiguous
            );
        }
        for reply in [|| job("Open", ""), || job("Aborted", ""), || json(200, "x"), || json(200, "{")] {
            assert_eq!(
                unclear(reply).jobs(&soft()).start(&ticket()).await.expect_err("unclear").class,
                ErrorClass::Ambiguous
            );
        }
        let twice = || json(400, r#"[{"errorCode":"CLIENTINPUTERROR","message":"Found multiple contents for job: <750>"}]"#);
        let error = unclear(twice).jobs(&soft()).load(&ticket(), Arc::new(Ids(leads(1)))).await.expect_err("refused");
        assert_eq!(error.class, ErrorClass::Invalid);
    }

    #[tokio::test]
    async fn an_upload_refused_for_an_ended_session_is_for_the_caller_to_send_again() {
        let mut sign_ins = 0;
        let (provider, transport) = connect(&target(), move |seen| {
            let known = handshake(seen, sign_ins);
            sign_ins += u32::from(seen.path.ends_with("/token"));
            let ended = || json(401, r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#);
            known.unwrap_or_else(|| if sign_ins == 1 { ended() } else { answer(201, &[], "") })
        });
        let load = || async { provider.jobs(&soft()).load(&ticket(), Arc::new(Ids(leads(2)))).await };
        let error = load().await.expect_err("a hold may have been set meanwhile");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "session-ended"));
        load().await.expect("loaded");
        let bodies: Vec<String> = asked(&transport).into_iter().map(|seen| seen.body).collect();
        assert_eq!(bodies, ["Id\n00Q000000000000EAA\n00Q000000000001EAA\n"; 2]);
    }

    #[test]
    fn an_upload_ends_with_an_error_when_the_ids_do() {
        struct Cut;
        impl IdSource for Cut {
            fn count(&self) -> u64 {
                5_000
            }
            fn read(&self, first: u64, most: usize) -> std::io::Result<Vec<RecordId>> {
                Ok(leads(4_500).into_iter().skip(first as usize).take(most).collect())
            }
        }
        let pieces: Vec<_> = Upload::new(Arc::new(Cut)).take(4).collect();
        assert!(pieces[..3].iter().all(Result::is_ok) && pieces[3].is_err(), "{pieces:?}");
        let short = vec![RecordId::new("00Q000000000001").expect("an id, but not a whole one")];
        assert!(Upload::new(Arc::new(Ids(short))).nth(1).expect("a piece").is_err());
    }

    #[tokio::test]
    async fn tells_how_far_a_job_is() {
        let poll = |reply: fn() -> Reply| async move { org(move |_| reply()).0.jobs(&soft()).poll(&ticket()).await };
        let progress =
            poll(|| job("InProgress", r#","numberRecordsProcessed":2000,"numberRecordsFailed":1"#)).await.expect("there");
        assert_eq!(
            progress,
            JobProgress { stage: JobStage::Running, processed: Some(2000), failed: Some(1), message: None }
        );
        let broken =
            || job("Failed", r#","numberRecordsProcessed":0,"errorMessage":"InvalidBatch : Field name not found : X""#);
        let progress = poll(broken).await.expect("there");
        assert_eq!(
            (progress.stage, progress.message.as_deref()),
            (JobStage::Broken, Some("InvalidBatch : Field name not found : X"))
        );
        for (reply, stage) in [
            ((|| job("Open", "")) as fn() -> Reply, JobStage::Open),
            (|| job("UploadComplete", ""), JobStage::Running),
            (|| job("JobComplete", ""), JobStage::Complete),
            (|| job("Aborted", ""), JobStage::Broken),
            (
                || json(404, r#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#),
                JobStage::Gone,
            ),
        ] {
            assert_eq!(poll(reply).await.expect("known").stage, stage);
        }
        assert_eq!(poll(|| job("Melted", "")).await.expect_err("unknown").class, ErrorClass::Malformed);
        assert_eq!(poll(|| answer(404, &[], "<html>")).await.expect_err("a proxy").class, ErrorClass::Transient);
        assert_eq!(poll(|| Reply::NoAnswer).await.expect_err("no answer").class, ErrorClass::Transient);
    }

    #[tokio::test]
    async fn a_job_that_has_ended_has_nothing_to_give_up() {
        let abort = |reply: fn() -> Reply| async move { org(move |_| reply()).0.jobs(&soft()).abort(&ticket()).await };
        abort(|| job("Aborted", "")).await.expect("given up");
        abort(|| json(400, r#"[{"errorCode":"INVALIDJOBSTATE","message":"Aborting already Completed Job not allowed"}]"#))
            .await
            .expect("ended");
        assert!(abort(|| json(403, r#"[{"errorCode":"INSUFFICIENT_ACCESS","message":"x"}]"#)).await.is_err());
    }
}
