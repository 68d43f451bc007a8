//! Bulk API 1.0 jobs that delete.
//!
//! One job carries exactly one batch, so that the apply machine's own batches, groups and recovery govern. Adding the batch begins the work;
//! closing the job afterwards only tells the system that no more will come.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde_json::json;

use super::bulk_ingest::{operation, repeatable};
use super::bulk1_info::{Info, list, one};
use super::call::Call;
use super::hostile;
use super::session::Session;
use super::soql::check_names;
use super::soql::is_canonical;
use crate::apply::{BatchSpecification, IdSource, JobProgress, JobStage, Ticket};
use crate::base::RecordId;
use crate::provider::common::{check_ids, error};
use crate::provider::transport::RequestBody;
use crate::provider::{ErrorClass, ProviderError};
use crate::system::DeleteMode;
use crate::system::canonical_salesforce_id;
use crate::system::salesforce::BULK1_MOST_IDS;

/// The form of a batch and of its results.
///
/// Each operation takes the form of the vendor's own instructions for it (documented): the guide's batches are CSV, and the article on
/// hard deletes makes a JSON job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Csv,
    Json,
}

impl Content {
    /// The form for an order: always the same one, so that a resumed run knows it.
    pub(super) fn of(specification: &BatchSpecification) -> Self {
        match specification.delete {
            DeleteMode::Soft => Self::Csv,
            DeleteMode::Hard => Self::Json,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
        }
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Json => "application/json",
        }
    }

    /// A batch. It has ids and nothing else, or it would fail (recorded).
    fn batch(self, ids: &[RecordId]) -> Bytes {
        Bytes::from(match self {
            Self::Csv => ids.iter().fold("Id\n".to_owned(), |lines, id| lines + id.as_str() + "\n"),
            Self::Json => {
                let items: Vec<String> = ids.iter().map(|id| format!(r#"{{"Id":"{id}"}}"#)).collect();
                format!("[{}]", items.join(","))
            }
        })
    }
}

/// The path of a job. The ticket may come from a journal, so it is checked too.
pub(super) fn path(doing: &str, ticket: &Ticket) -> Result<String, ProviderError> {
    let id = canonical_salesforce_id(&ticket.0)
        .map_err(|cause| error(ErrorClass::Invalid, doing, "malformed-ticket", cause.to_string()))?;
    Ok(format!("job/{id}"))
}

/// Makes a job. It is open and deletes nothing until it has a batch, so that making another one is harmless.
pub(super) async fn create(
    session: &Session,
    specification: &BatchSpecification,
    count: u64,
) -> Result<Ticket, ProviderError> {
    let doing = format!("create a Bulk API 1.0 {} job for {}", operation(specification), specification.object);
    check_names(&doing, &specification.object, [])?;
    let mode = if specification.serial { "Serial" } else { "Parallel" };
    let call = Call::new(doing, Method::POST, "job").bulk1().json(&json!({
        "operation": operation(specification),
        "object": specification.object,
        "concurrencyMode": mode,
        "contentType": Content::of(specification).name(),
    }));
    if count == 0 || count > BULK1_MOST_IDS {
        return Err(call.error(ErrorClass::Invalid, "batch-size", format!("a batch has 1 to {BULK1_MOST_IDS} ids")));
    }
    let job = one(session, &call).await.map_err(repeatable)?;
    let id = job.text("id").and_then(|text| canonical_salesforce_id(text).ok());
    let id = id.ok_or_else(|| call.unreadable("the job's id is not a valid id"))?;
    let expected = [
        ("state", "Open"),
        ("operation", operation(specification)),
        ("object", &specification.object),
        ("concurrencyMode", mode),
        ("contentType", Content::of(specification).name()),
    ];
    for (name, value) in expected {
        if job.text(name).is_some_and(|text| !text.eq_ignore_ascii_case(value)) {
            return Err(call.unreadable(format!("the new job has a different `{name}` than was asked for")));
        }
    }
    Ok(Ticket(id.to_string()))
}

/// Adds the job's only batch, and with that begins the work.
pub(super) async fn load(
    session: &Session,
    specification: &BatchSpecification,
    ticket: &Ticket,
    ids: Arc<dyn IdSource>,
) -> Result<(), ProviderError> {
    let doing = format!("add the ids of {} to Bulk API 1.0 job {}", specification.object, ticket.0);
    let path = path(&doing, ticket)?;
    let content = Content::of(specification);
    let call = Call::new(doing, Method::POST, format!("{path}/batch")).bulk1();
    let batch = read_all(&call, &*ids)?;
    check_ids(&call.doing, &batch, BULK1_MOST_IDS as usize, is_canonical)?;
    let call = Call { body: Some((content.media_type(), RequestBody::Bytes(content.batch(&batch)))), ..call }.deleting();
    let info = one(session, &call).await?;
    check_batch(&call, &info, ticket)
}

/// All ids of a batch.
pub(super) fn read_all(call: &Call, ids: &dyn IdSource) -> Result<Vec<RecordId>, ProviderError> {
    let unread =
        |cause: String| call.error(ErrorClass::Local, "ids-unread", format!("the ids cannot be read back: {cause}"));
    let read = ids.read(0, BULK1_MOST_IDS as usize).map_err(|error| unread(error.to_string()))?;
    if read.len() as u64 != ids.count() {
        return Err(unread(format!("they end at {} of {}", read.len(), ids.count())));
    }
    Ok(read)
}

fn check_batch(call: &Call, batch: &Info, ticket: &Ticket) -> Result<(), ProviderError> {
    if batch.text("jobId").and_then(|text| canonical_salesforce_id(text).ok()) == canonical_salesforce_id(&ticket.0).ok() {
        return Ok(());
    }
    Err(call.unreadable("the system answers with a batch of a different job than the one asked for"))
}

/// Closes the job: no more batches will come. The one it has is at work already.
pub(super) async fn close(session: &Session, ticket: &Ticket) -> Result<(), ProviderError> {
    change_state(session, ticket, "close", "Closed").await
}

async fn change_state(session: &Session, ticket: &Ticket, verb: &str, state: &str) -> Result<(), ProviderError> {
    let doing = format!("{verb} Bulk API 1.0 job {}", ticket.0);
    let call = Call::new(doing.clone(), Method::POST, path(&doing, ticket)?).bulk1().json(&json!({"state": state}));
    match session.call(&call).await {
        // It has ended already, or is not there: `poll` tells.
        Err(error) if error.code.eq_ignore_ascii_case("InvalidJobState") || is_unknown_job(&error) => Ok(()),
        answer => answer.map(drop),
    }
}

/// Only the system's own word: a page of some proxy between here and there says nothing about the job.
fn is_unknown_job(error: &ProviderError) -> bool {
    error.code.eq_ignore_ascii_case("InvalidJob") || error.code == "NOT_FOUND"
}

/// The batches of a job.
pub(super) async fn batches(session: &Session, ticket: &Ticket) -> Result<Vec<Info>, ProviderError> {
    let doing = format!("list the batches of Bulk API 1.0 job {}", ticket.0);
    let call = Call::get(doing.clone(), format!("{}/batch", path(&doing, ticket)?)).bulk1();
    let batches = list(session, &call).await.map_err(repeatable)?;
    batches.iter().try_for_each(|batch| check_batch(&call, batch, ticket))?;
    Ok(batches)
}

/// The stage of a batch. `NotProcessed` is spelt in three ways (documented, client).
pub(super) fn batch_stage(batch: &Info) -> Option<JobStage> {
    let state: String = batch.text("state")?.chars().filter(char::is_ascii_alphabetic).collect();
    Some(match state.to_ascii_lowercase().as_str() {
        "queued" | "inprogress" => JobStage::Running,
        "completed" => JobStage::Complete,
        "failed" | "notprocessed" => JobStage::Broken,
        _ => return None,
    })
}

/// How far the job is: as far as its batch, whatever the job's own state says (documented: it stays closed, or open where we never closed it).
pub(super) async fn poll(session: &Session, ticket: &Ticket) -> Result<JobProgress, ProviderError> {
    let stage_alone = |stage| JobProgress { stage, processed: None, failed: None, message: None };
    let batches = match batches(session, ticket).await {
        Err(error) if is_unknown_job(&error) => return Ok(stage_alone(JobStage::Gone)),
        batches => batches?,
    };
    let Some(batch) = batches.first() else { return stage_without_batch(session, ticket).await.map(stage_alone) };
    let doing = format!("poll Bulk API 1.0 job {}", ticket.0);
    let unknown = || error(ErrorClass::Malformed, &doing, "unknown-state", "a batch is in an unknown state");
    let stages = batches.iter().map(|batch| batch_stage(batch).ok_or_else(unknown)).collect::<Result<Vec<_>, _>>()?;
    let stage = match stages[..] {
        [stage] => stage,
        // More than we ever add. Its results are not believed either.
        _ if stages.contains(&JobStage::Running) => JobStage::Running,
        _ => JobStage::Broken,
    };
    Ok(progress_of(batch, stage))
}

/// How far a batch at this stage is.
pub(super) fn progress_of(batch: &Info, stage: JobStage) -> JobProgress {
    JobProgress {
        stage,
        processed: batch.count("numberRecordsProcessed"),
        failed: batch.count("numberRecordsFailed"),
        message: batch.text("stateMessage").map(hostile::words),
    }
}

/// The stage of a job that shows no batch.
async fn stage_without_batch(session: &Session, ticket: &Ticket) -> Result<JobStage, ProviderError> {
    let doing = format!("poll Bulk API 1.0 job {}", ticket.0);
    let call = Call::get(doing.clone(), path(&doing, ticket)?).bulk1();
    let job = one(session, &call).await.map_err(repeatable)?;
    Ok(match job.text("state") {
        // A batch that came in between, or is not listed yet.
        _ if job.count("numberBatchesTotal").unwrap_or(0) > 0 => JobStage::Running,
        Some("Open") => JobStage::Open,
        Some("Closed" | "Aborted" | "Failed") => JobStage::Broken,
        _ => return Err(call.unreadable("the job is in an unknown state")),
    })
}

/// Asks the system to give up the job. A batch that is under way goes to its end all the same, and one that waits does not (documented).
///
/// # Errors
///
/// Also when the job has a batch: an upload without an answer may come in after all, and then the job's results tell what it did.
pub(super) async fn abort(session: &Session, ticket: &Ticket) -> Result<(), ProviderError> {
    change_state(session, ticket, "abort", "Aborted").await?;
    match batches(session, ticket).await {
        Err(error) if is_unknown_job(&error) => Ok(()),
        Ok(batches) if batches.is_empty() => Ok(()),
        Ok(_) => {
            let doing = format!("abort Bulk API 1.0 job {}", ticket.0);
            Err(error(ErrorClass::Invalid, &doing, "job-has-begun", "it has a batch, whose results show what it did"))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::provider::transport::scripted::{Reply, Seen, answer, json};
    use crate::system::Api;

    const BATCH: &str = "751ak000009BkrxAAC";

    fn soft() -> BatchSpecification {
        BatchSpecification { serial: true, ..specification(Api::Bulk1, DeleteMode::Soft, false) }
    }

    fn hard() -> BatchSpecification {
        specification(Api::Bulk1, DeleteMode::Hard, false)
    }

    fn ticket() -> Ticket {
        Ticket(JOB.into())
    }

    fn job(state: &str, more: &str) -> Reply {
        json(
            200,
            format!(r#"{{"apexProcessingTime":0,"apiVersion":66.0,"id":"{JOB}","object":"Lead","state":"{state}"{more}}}"#),
        )
    }

    fn batch(state: &str, more: &str) -> String {
        format!(r#"{{"id":"{BATCH}","jobId":"{JOB}","state":"{state}","createdDate":"2015-12-15T21:56:43.000+0000"{more}}}"#)
    }

    fn xml_batch(state: &str) -> String {
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><batchInfo xmlns="http://www.force.com/2009/06/asyncapi/dataload">
            <id>{BATCH}</id><jobId>{JOB}</jobId><state>{state}</state><numberRecordsProcessed>3</numberRecordsProcessed></batchInfo>"#
        )
    }

    fn is_list(seen: &Seen) -> bool {
        seen.method == Method::GET && seen.path.ends_with("/batch")
    }

    fn list_of(batches: &[String]) -> Reply {
        json(200, format!(r#"{{"batchInfo":[{}]}}"#, batches.join(",")))
    }

    fn job_error(code: &str) -> Reply {
        json(400, format!(r#"{{"exceptionCode":"{code}","exceptionMessage":"words"}}"#))
    }

    async fn poll(reply: impl Fn(&Seen) -> Reply + Send + 'static) -> Result<JobProgress, ProviderError> {
        org(move |seen| reply(seen)).0.jobs(&soft()).poll(&ticket()).await
    }

    #[tokio::test]
    async fn a_soft_delete_goes_as_csv_and_is_answered_in_xml() {
        let (provider, transport) = org(|seen| match seen.path.ends_with("/batch") {
            true => answer(201, &[("content-type", "application/xml")], xml_batch("Queued")),
            false => job(if seen.body.contains("Closed") { "Closed" } else { "Open" }, r#","concurrencyMode":"Serial""#),
        });
        let ids = Arc::new(Ids(leads(2)));
        let ticket = provider.jobs(&soft()).create(&*ids).await.expect("made");
        provider.jobs(&soft()).load(&ticket, ids).await.expect("loaded");
        provider.jobs(&soft()).start(&ticket).await.expect("closed");
        let seen = asked(&transport);
        let told: Vec<String> = seen
            .iter()
            .map(|seen| format!("{} {} {}", seen.line(), seen.headers["content-type"].to_str().expect("text"), seen.body))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        POST /services/async/66.0/job application/json {"concurrencyMode":"Serial","contentType":"CSV","object":"Lead","operation":"delete"}
        POST /services/async/66.0/job/750ak000009BkrxAAC/batch text/csv Id
        00Q000000000000EAA
        00Q000000000001EAA

        POST /services/async/66.0/job/750ak000009BkrxAAC application/json {"state":"Closed"}
        "#);
        assert!(seen.iter().all(|seen| seen.headers["x-sfdc-session"] == TOKEN && seen.authorization.is_none()));
    }

    #[tokio::test]
    async fn a_hard_delete_goes_as_json() {
        let (provider, transport) = org(|seen| match seen.path.ends_with("/batch") {
            true => json(201, batch("Queued", "")),
            false => job("Open", r#","concurrencyMode":"Parallel","contentType":"JSON","operation":"hardDelete""#),
        });
        let ids = Arc::new(Ids(leads(2)));
        let ticket = provider.jobs(&hard()).create(&*ids).await.expect("made");
        provider.jobs(&hard()).load(&ticket, ids).await.expect("loaded");
        let seen = asked(&transport);
        insta::assert_snapshot!(seen[0].body, @r#"{"concurrencyMode":"Parallel","contentType":"JSON","object":"Lead","operation":"hardDelete"}"#);
        insta::assert_snapshot!(seen[1].body, @r#"[{"Id":"00Q000000000000EAA"},{"Id":"00Q000000000001EAA"}]"#);
        assert_eq!(seen[1].headers["content-type"], "application/json");
    }

    #[tokio::test]
    async fn a_job_that_is_another_one_is_refused() {
        for (state, more) in [
            ("Closed", ""),
            ("Open", r#","operation":"hardDelete""#),
            ("Open", r#","contentType":"JSON""#),
            // Without it the job would meet the locks that it was to avoid.
            ("Open", r#","concurrencyMode":"Parallel""#),
        ] {
            let (provider, _) = org(move |_| job(state, more));
            let error = provider.jobs(&soft()).create(&Ids(leads(1))).await.expect_err("another job");
            assert_eq!(error.class, ErrorClass::Malformed, "{state} {more}");
        }
        let (provider, transport) = org(|_| panic!("nothing may be sent"));
        for ids in [vec![], leads(10_001)] {
            assert_eq!(provider.jobs(&soft()).create(&Ids(ids)).await.expect_err("refused").class, ErrorClass::Invalid);
        }
        assert_eq!(
            provider.jobs(&soft()).poll(&Ticket("../x".into())).await.expect_err("no ticket").class,
            ErrorClass::Invalid
        );
        assert!(asked(&transport).is_empty());
    }

    #[tokio::test]
    async fn a_missing_permission_says_what_to_grant() {
        let words =
            "hardDelete operation requires special user profile permission, please contact your system administrator";
        let (provider, _) =
            org(move |_| json(400, format!(r#"{{"exceptionCode":"FeatureNotEnabled","exceptionMessage":"{words}"}}"#)));
        let error = provider.jobs(&hard()).create(&Ids(leads(1))).await.expect_err("denied");
        assert_eq!(
            (error.class, error.help.as_deref()),
            (ErrorClass::Denied, Some(super::super::error_table::HARD_DELETE_HELP))
        );
    }

    #[tokio::test]
    async fn a_batch_refused_for_an_ended_session_is_for_the_caller_to_send_again() {
        let xml = "<error xmlns='http://www.force.com/2009/06/asyncapi/dataload'><exceptionCode>InvalidSessionId</exceptionCode>\
                   <exceptionMessage>Invalid session id</exceptionMessage></error>";
        for ended in [r#"{"exceptionCode":"InvalidSessionId","exceptionMessage":"Invalid session id"}"#, xml] {
            let mut sign_ins = 0;
            let (provider, transport) = connect(&target(), move |seen| {
                let known = handshake(seen, sign_ins);
                sign_ins += u32::from(seen.path.ends_with("/token"));
                known.unwrap_or_else(|| if sign_ins == 1 { answer(400, &[], ended) } else { json(201, batch("Queued", "")) })
            });
            let load = || async { provider.jobs(&soft()).load(&ticket(), Arc::new(Ids(leads(1)))).await };
            let error = load().await.expect_err("a hold may have been set meanwhile");
            assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "session-ended"));
            load().await.expect("loaded");
            let bodies: Vec<String> = asked(&transport).into_iter().map(|seen| seen.body).collect();
            assert_eq!(bodies, ["Id\n00Q000000000000EAA\n"; 2]);
        }
    }

    #[tokio::test]
    async fn a_batch_without_a_clear_answer_is_ambiguous_and_a_refused_one_is_not() {
        let load = |reply: fn() -> Reply| async move {
            org(move |_| reply()).0.jobs(&soft()).load(&ticket(), Arc::new(Ids(leads(1)))).await.expect_err("no batch").class
        };
        for reply in [
            || Reply::NoAnswer,
            || answer(503, &[], "<html>"),
            || json(201, "{"),
            || json(201, "{}"),
            || answer(201, &[], "<batchInfo>"),
            || json(201, batch("Queued", "").replace(JOB, "750ak000009Bkry")),
            || job_error("Timeout"),
        ] {
            assert_eq!(load(reply).await, ErrorClass::Ambiguous);
        }
        assert_eq!(load(|| job_error("InvalidJobState")).await, ErrorClass::Invalid);
        assert_eq!(load(|| job_error("ExceededQuota")).await, ErrorClass::Quota);
        assert_eq!(load(|| Reply::NotSent).await, ErrorClass::Transient);
    }

    #[tokio::test]
    async fn a_job_is_as_far_as_its_batch_in_either_form() {
        for (state, stage) in [
            ("Queued", JobStage::Running),
            ("InProgress", JobStage::Running),
            ("Completed", JobStage::Complete),
            ("Failed", JobStage::Broken),
            ("NotProcessed", JobStage::Broken),
            ("Not Processed", JobStage::Broken),
            ("NOT_PROCESSED", JobStage::Broken),
        ] {
            let told = poll(move |seen| if is_list(seen) { list_of(&[batch(state, "")]) } else { job("Open", "") }).await;
            assert_eq!(told.expect("known").stage, stage, "{state}");
            let list = format!("<batchInfoList xmlns='x'>{}</batchInfoList>", xml_batch(state).split_off(38));
            let told = poll(move |_| answer(200, &[], list.clone())).await.expect("known");
            assert_eq!((told.stage, told.processed), (stage, Some(3)), "{state}");
        }
        let failed = r#","stateMessage":"InvalidBatch : The 'delete' batch must contain only ids","numberRecordsProcessed":0,"numberRecordsFailed":0"#;
        assert_eq!(
            poll(move |_| list_of(&[batch("Failed", failed)])).await.expect("known"),
            JobProgress {
                stage: JobStage::Broken,
                processed: Some(0),
                failed: Some(0),
                message: Some("InvalidBatch : The 'delete' batch must contain only ids".into())
            }
        );
    }

    #[tokio::test]
    async fn a_job_without_a_batch_is_open_until_it_is_closed() {
        for (state, more, stage) in [
            ("Open", r#","numberBatchesTotal":0"#, JobStage::Open),
            ("Open", r#","numberBatchesTotal":1"#, JobStage::Running),
            ("Closed", r#","numberBatchesTotal":1"#, JobStage::Running),
            ("Closed", "", JobStage::Broken),
            ("Aborted", "", JobStage::Broken),
            ("Failed", "", JobStage::Broken),
        ] {
            let told = poll(move |seen| if is_list(seen) { list_of(&[]) } else { job(state, more) }).await;
            assert_eq!(told.expect("known").stage, stage, "{state} {more}");
        }
        assert_eq!(poll(|_| job_error("InvalidJob")).await.expect("unknown").stage, JobStage::Gone);
    }

    #[tokio::test]
    async fn what_cannot_be_understood_is_no_stage() {
        for (reply, class) in [
            ((|| list_of(&[batch("Melted", "")])) as fn() -> Reply, ErrorClass::Malformed),
            (|| list_of(&[batch("Queued", "").replace(JOB, "750ak000009Bkry")]), ErrorClass::Malformed),
            (|| json(200, "[]"), ErrorClass::Malformed),
            (|| answer(200, &[], "<html><body/></html>"), ErrorClass::Malformed),
            (|| answer(200, &[], "<!DOCTYPE x [<!ENTITY y 'z'>]><batchInfoList/>"), ErrorClass::Malformed),
            (|| answer(200, &[], "<batchInfoList>"), ErrorClass::Transient),
            (|| answer(404, &[], "<html>"), ErrorClass::Transient),
            (|| Reply::NoAnswer, ErrorClass::Transient),
        ] {
            assert_eq!(poll(move |_| reply()).await.expect_err("no stage").class, class);
        }
    }

    #[tokio::test]
    async fn a_job_is_given_up_for_good_only_when_it_has_no_batch() {
        let abort = |reply: fn(&Seen) -> Reply| async move { org(reply).0.jobs(&soft()).abort(&ticket()).await };
        abort(|seen| if is_list(seen) { list_of(&[]) } else { job("Aborted", "") }).await.expect("given up");
        abort(|_| job_error("InvalidJob")).await.expect("nothing to give up");
        let late = abort(|seen| if is_list(seen) { list_of(&[batch("InProgress", "")]) } else { job("Aborted", "") });
        assert_eq!(late.await.expect_err("it came in after all").code, "job-has-begun");
        abort(|_| job_error("InvalidUser")).await.expect_err("somebody else's");
    }
}
