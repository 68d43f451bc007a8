//! The Batch API: batches that delete.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, is_missing};
use super::query::{enclosed, listed, quoted};
use super::session::Session;
use crate::apply::{BatchSpecification, IdSource, JobProgress, JobStage, Ticket};
use crate::base::{RecordId, with_thousands};
use crate::provider::common::error;
use crate::provider::{ErrorClass, ProviderError};
use crate::system::fulcrum::{BATCH_MOST_IDS, KEY};

#[derive(Deserialize)]
struct Batch {
    id: String,
    status: String,
    objects_total: Option<u64>,
    objects_success: Option<u64>,
}

impl Batch {
    /// Reads an answer: `{"batch":{…}}` for a creation (documented). For the others the bare object is taken too (guess).
    fn read(call: &Call, answer: &Value, ticket: Option<&Ticket>) -> Result<Self, ProviderError> {
        let batch = Self::deserialize(answer.get("batch").unwrap_or(answer));
        let batch = batch.map_err(|_| call.unreadable("the answer is not a batch"))?;
        if RecordId::new(&batch.id).is_err() || ticket.is_some_and(|ticket| ticket.0 != batch.id) {
            return Err(call.unreadable("the system answers with a different batch than the one asked for"));
        }
        Ok(batch)
    }

    fn stage(&self) -> Option<JobStage> {
        Some(match self.status.as_str() {
            "pending" => JobStage::Open,
            "running" => JobStage::Running,
            "success" => JobStage::Complete,
            "failed" => JobStage::Broken,
            _ => return None,
        })
    }

    fn total(&self) -> u64 {
        self.objects_total.unwrap_or(0)
    }

    /// Refuses a batch that is about more records than were sent.
    ///
    /// The ids bound it: one that is about fewer misses those that are gone by now or are not of the form, and one that shows no total
    /// yet may count later (whether it has counted before its start is not documented). What became of each is looked at afterwards.
    fn refuse_larger_total(&self, doing: &str, sent: u64) -> Result<(), ProviderError> {
        if self.total() <= sent {
            return Ok(());
        }
        let message = format!(
            "batch {} is about {} records, but {} were sent; it was never started",
            self.id,
            with_thousands(self.total()),
            with_thousands(sent)
        );
        Err(ProviderError {
            help: Some("that must not happen: ask Fulcrum what the batch is about before anything else is deleted".into()),
            ..error(ErrorClass::Invalid, doing, "total-mismatch", message)
        })
    }
}

/// The path of a batch. The ticket may come from a journal, so it is checked too.
fn path(doing: &str, ticket: &Ticket) -> Result<String, ProviderError> {
    let id = RecordId::new(&ticket.0);
    let id = id.map_err(|cause| error(ErrorClass::Invalid, doing, "malformed-ticket", cause.to_string()))?;
    Ok(format!("batch/{id}"))
}

async fn get(session: &Session, doing: &str, ticket: &Ticket) -> Result<Batch, ProviderError> {
    let call = Call::get(doing, format!("{}.json", path(doing, ticket)?));
    Batch::read(&call, &session.read_json(&call).await?, Some(ticket))
}

/// Makes a batch that waits to be started, and refuses one that says it is about more records than were sent.
///
/// A batch whose making was never answered waits for ever and deletes nothing, so that making another is harmless. So does one
/// whose number is wrong.
pub(super) async fn create(
    session: &Session,
    specification: &BatchSpecification,
    ids: &dyn IdSource,
) -> Result<Ticket, ProviderError> {
    let doing = format!("create a batch for form {}", specification.object);
    let sent = ids.count();
    if sent == 0 || sent > BATCH_MOST_IDS {
        let message = format!("a batch takes 1 to {} records", with_thousands(BATCH_MOST_IDS));
        return Err(error(ErrorClass::Invalid, &doing, "batch-size", message));
    }
    let read = ids.read(0, BATCH_MOST_IDS as usize);
    let ids = read.map_err(|cause| error(ErrorClass::Local, &doing, "unreadable-ids", cause.to_string()))?;
    if ids.len() as u64 != sent {
        return Err(error(ErrorClass::Local, &doing, "unreadable-ids", format!("{} of {sent} ids are there", ids.len())));
    }
    let mut operation = json!({ "action": "delete", "resource": "record", "form_id": specification.object });
    match &specification.matching {
        None => operation["ids"] = json!(ids),
        // Ids and a query cannot be combined (documented). The query contains the ids too, so it can only select fewer.
        Some(condition) => {
            let (key, form, condition) = (quoted(KEY), quoted(&specification.object), enclosed(&doing, condition)?);
            let query = format!("SELECT {key} AS id FROM {form} WHERE {condition} AND {key} IN ({})", listed(&ids));
            operation["query"] = query.into();
        }
    }
    // Only the first operation of a batch runs (documented).
    let call = Call::new(doing.clone(), Method::POST, "batch.json")
        .json(&json!({ "batch": { "start": false, "operations": [operation] } }));
    let batch = Batch::read(&call, &session.call_json(&call).await?, None)?;
    let ticket = Ticket(batch.id.clone());
    match batch.stage() {
        Some(JobStage::Open) => batch.refuse_larger_total(&doing, sent).map(|()| ticket),
        // It was not to run yet and does: the journal must know it, and the polls tell the rest.
        _ => Ok(ticket),
    }
}

/// Compares once more, right before the start.
pub(super) async fn compare(session: &Session, ticket: &Ticket, sent: u64) -> Result<(), ProviderError> {
    let doing = format!("compare batch {} with what was sent", ticket.0);
    let batch = get(session, &doing, ticket).await?;
    match batch.stage() {
        Some(JobStage::Open) => batch.refuse_larger_total(&doing, sent),
        // The documented sample calls a new batch `running`, and it may be one that waits (guess). To start one that runs is harmless:
        // it is about the same records.
        Some(JobStage::Running) if batch.total() <= sent => Ok(()),
        _ => Err(error(ErrorClass::Ambiguous, &doing, "already-started", "it should not run yet, but does")),
    }
}

/// Starts a batch. From here on it cannot be stopped (documented).
///
/// What the answer holds is nowhere documented, so that the batch itself is asked, once, whether it has begun. One that still waits was
/// perhaps never started: the caller looks again after a while, and starting it again is harmless, since it is about the same records.
pub(super) async fn start(session: &Session, ticket: &Ticket) -> Result<(), ProviderError> {
    let doing = format!("start batch {}", ticket.0);
    let call = Call::new(doing.clone(), Method::POST, format!("{}/start.json", path(&doing, ticket)?)).deleting();
    session.call(&call).await?;
    match get(session, &doing, ticket).await {
        Ok(batch) if batch.stage() == Some(JobStage::Open) => {
            let message = "the start was accepted, but the batch is still waiting for one";
            Err(error(ErrorClass::Ambiguous, &doing, "still-pending", message))
        }
        // Whatever else there is to know, the polls tell.
        _ => Ok(()),
    }
}

/// How far a batch is.
pub(super) async fn poll(session: &Session, ticket: &Ticket) -> Result<JobProgress, ProviderError> {
    let doing = format!("poll batch {}", ticket.0);
    let batch = match get(session, &doing, ticket).await {
        Err(error) if is_missing(&error) => {
            return Ok(JobProgress { stage: JobStage::Gone, processed: None, failed: None, message: None });
        }
        answer => answer?,
    };
    let unknown = || error(ErrorClass::Malformed, &doing, "unreadable-answer", "the batch is in an unknown state");
    let stage = batch.stage().ok_or_else(unknown)?;
    let ended = matches!(stage, JobStage::Complete | JobStage::Broken);
    // `success` is not documented to mean all of them.
    let whole = stage == JobStage::Complete && batch.objects_success == batch.objects_total;
    let message = (ended && !whole).then(|| {
        let success = with_thousands(batch.objects_success.unwrap_or(0));
        format!("it ended as `{}` with {success} of {} records", batch.status, with_thousands(batch.total()))
    });
    Ok(JobProgress { stage, processed: batch.objects_success, failed: None, message })
}

/// Fails if the batch may be running: it cannot be stopped (documented). A waiting one does nothing until it is started.
pub(super) async fn abort(session: &Session, ticket: &Ticket) -> Result<(), ProviderError> {
    let doing = format!("stop batch {}", ticket.0);
    let stage = match get(session, &doing, ticket).await {
        Err(error) if is_missing(&error) => return Ok(()),
        answer => answer?.stage(),
    };
    match stage {
        Some(JobStage::Open | JobStage::Complete | JobStage::Broken) => Ok(()),
        _ => Err(error(
            ErrorClass::Unsupported,
            &doing,
            "cannot-be-stopped",
            "a Fulcrum batch that was started cannot be stopped",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json as value;

    use super::super::testing::*;
    use super::*;
    use crate::provider::Provider as _;
    use crate::provider::transport::scripted::{Reply, Seen, answer, json};

    fn shown(status: &str, total: u64, success: u64) -> Reply {
        let batch = value!({"status": status, "objects_total": total, "objects_success": success, "id": BATCH,
            "created_at": "2023-10-06T02:56:34Z"});
        json(200, value!({ "batch": batch }).to_string())
    }

    fn source(count: usize) -> Ids {
        Ids(ids(count))
    }

    #[tokio::test]
    async fn a_batch_is_made_without_being_started() {
        let (provider, transport) = organization(|_| shown("pending", 2, 0));
        assert_eq!(provider.jobs(&specification()).create(&source(2)).await, Ok(ticket()));
        let seen = asked(&transport);
        assert_eq!(seen.iter().map(Seen::line).collect::<Vec<_>>(), ["POST /api/v2/batch.json"]);
        insta::assert_snapshot!(seen[0].body, @r#"{"batch":{"operations":[{"action":"delete","form_id":"81413088-71b9-11ee-b962-0242ac120002","ids":["00000000-71b9-11ee-b962-0242ac120002","00000001-71b9-11ee-b962-0242ac120002"],"resource":"record"}],"start":false}}"#);
    }

    #[tokio::test]
    async fn a_query_is_about_nothing_but_the_ids() {
        let (provider, transport) = organization(|_| shown("pending", 2, 0));
        let by_query =
            crate::apply::BatchSpecification { matching: Some("_status = 'a' OR _status = 'b'".into()), ..specification() };
        provider.jobs(&by_query).create(&source(2)).await.expect("made");
        let body: Value = serde_json::from_str(&asked(&transport)[0].body).expect("JSON");
        let operation = &body["batch"]["operations"][0];
        assert!(operation.get("ids").is_none(), "{operation}");
        insta::assert_snapshot!(operation["query"].as_str().expect("a query"), @r#"SELECT "_record_id" AS id FROM "81413088-71b9-11ee-b962-0242ac120002" WHERE (_status = 'a' OR _status = 'b') AND "_record_id" IN ('00000000-71b9-11ee-b962-0242ac120002', '00000001-71b9-11ee-b962-0242ac120002')"#);
        let evil = crate::apply::BatchSpecification { matching: Some("TRUE) OR (_status = 'a'".into()), ..specification() };
        assert_eq!(provider.jobs(&evil).create(&source(2)).await.expect_err("refused").class, ErrorClass::Invalid);
    }

    #[tokio::test]
    async fn a_batch_that_has_not_counted_or_misses_some_goes_on_without_a_pause() {
        let replies: [fn() -> Reply; 3] = [
            || shown("pending", 0, 0),
            || shown("pending", 1, 0),
            || json(200, value!({"batch": {"id": BATCH, "status": "pending", "objects_success": 0}}).to_string()),
        ];
        for reply in replies {
            let (provider, transport) = organization(move |_| reply());
            assert_eq!(provider.jobs(&specification()).create(&source(2)).await, Ok(ticket()));
            assert_eq!(provider.jobs(&specification()).load(&ticket(), Arc::new(source(2))).await, Ok(()));
            assert_eq!(asked(&transport).len(), 2);
        }
    }

    #[tokio::test]
    async fn a_larger_total_than_was_sent_leaves_the_batch_unstarted() {
        for total in [3, 10_000] {
            let (provider, transport) = organization(move |_| shown("pending", total, 0));
            let error = provider.jobs(&specification()).create(&source(2)).await.expect_err("refused");
            assert_eq!((error.class, error.code.as_str()), (ErrorClass::Invalid, "total-mismatch"));
            assert!(error.message.contains("but 2 were sent"), "{error}");
            let error = provider.jobs(&specification()).load(&ticket(), Arc::new(source(2))).await.expect_err("refused");
            assert_eq!((error.class, error.code.as_str()), (ErrorClass::Invalid, "total-mismatch"));
            assert!(transport.lines().iter().all(|line| !line.contains("start")));
        }
    }

    #[tokio::test]
    async fn a_batch_that_runs_although_it_was_not_to_is_kept_in_sight() {
        let (provider, _) = organization(|_| shown("running", 2, 0));
        assert_eq!(provider.jobs(&specification()).create(&source(2)).await, Ok(ticket()));
        assert_eq!(provider.jobs(&specification()).load(&ticket(), Arc::new(source(2))).await, Ok(()), "it may be waiting");
        for (status, total) in [("running", 3), ("success", 2)] {
            let (provider, _) = organization(move |_| shown(status, total, 0));
            assert_eq!(provider.jobs(&specification()).create(&source(2)).await, Ok(ticket()));
            let error = provider.jobs(&specification()).load(&ticket(), Arc::new(source(2))).await.expect_err("it ran");
            assert_eq!(error.class, ErrorClass::Ambiguous);
        }
    }

    #[tokio::test]
    async fn a_batch_that_cannot_be_right_is_not_sent() {
        let (provider, _) = organization(|_| panic!("nothing may be sent"));
        for count in [0, 10_001] {
            assert_eq!(
                provider.jobs(&specification()).create(&source(count)).await.expect_err("size").class,
                ErrorClass::Invalid
            );
        }
        let other = crate::apply::BatchSpecification { atomic: true, ..specification() };
        assert_eq!(provider.delete_half(&other).err().expect("atomic").class, ErrorClass::Unsupported);
        let evil = Ticket("../forms".into());
        assert_eq!(provider.jobs(&specification()).start(&evil).await.expect_err("no ticket").class, ErrorClass::Invalid);
    }

    #[tokio::test]
    async fn a_start_has_no_body_and_any_success_is_one() {
        for reply in [|| shown("running", 2, 0), || answer(204, &[], ""), || json(201, "{}")] {
            let (provider, transport) = organization(move |_| reply());
            provider.jobs(&specification()).start(&ticket()).await.expect("started");
            let seen = &asked(&transport)[0];
            assert_eq!((seen.line(), seen.body.as_str()), (format!("POST /api/v2/batch/{BATCH}/start.json"), ""));
        }
    }

    #[tokio::test]
    async fn a_start_that_was_accepted_and_did_nothing_is_not_taken_for_one() {
        let (provider, transport) = organization(|_| shown("pending", 2, 0));
        let error = provider.jobs(&specification()).start(&ticket()).await.expect_err("it waits still");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Ambiguous, "still-pending"));
        assert_eq!(transport.lines().iter().filter(|line| line.contains("start")).count(), 1);
    }

    #[tokio::test]
    async fn a_start_without_a_clear_answer_is_sent_once_and_ambiguous() {
        for reply in [|| Reply::NoAnswer, || answer(500, &[], ""), || answer(302, &[], "")] {
            let (provider, transport) = organization(move |_| reply());
            let error = provider.jobs(&specification()).start(&ticket()).await.expect_err("unclear");
            assert_eq!((error.class, asked(&transport).len()), (ErrorClass::Ambiguous, 1));
        }
    }

    #[tokio::test]
    async fn polls_tell_how_far_a_batch_is() {
        let poll = |reply: fn() -> Reply| async move {
            organization(move |_| reply()).0.jobs(&specification()).poll(&ticket()).await
        };
        let mut lines = Vec::new();
        for reply in [
            || shown("pending", 3, 0),
            || shown("running", 3, 1),
            || shown("success", 3, 3),
            || shown("success", 3, 2),
            || shown("failed", 3, 1),
            || json(404, "{}"),
            || json(200, r#"{"id":"68ef104a-71b9-11ee-b962-0242ac120002","status":"pending"}"#),
            || shown("paused", 3, 1),
            || json(200, r#"{"batch":{"id":"another","status":"success"}}"#),
        ] {
            lines.push(match poll(reply).await {
                Ok(progress) => {
                    format!("{:?} {:?} {}", progress.stage, progress.processed, progress.message.unwrap_or_default())
                }
                Err(error) => format!("{:?} {}", error.class, error.message),
            });
        }
        insta::assert_snapshot!(lines.join("\n"), @"
        Open Some(0) 
        Running Some(1) 
        Complete Some(3) 
        Complete Some(2) it ended as `success` with 2 of 3 records
        Broken Some(1) it ended as `failed` with 1 of 3 records
        Gone None 
        Open None 
        Malformed the batch is in an unknown state
        Malformed the system answers with a different batch than the one asked for
        ");
    }

    #[tokio::test]
    async fn nothing_is_sent_to_stop_a_batch() {
        let abort = |status: &'static str| async move {
            let (provider, transport) = organization(move |_| shown(status, 3, 1));
            let result = provider.jobs(&specification()).abort(&ticket()).await;
            assert!(asked(&transport).iter().all(|seen| seen.method == http::Method::GET));
            result.map_err(|error| (error.class, error.message))
        };
        for status in ["pending", "success", "failed"] {
            assert_eq!(abort(status).await, Ok(()));
        }
        let (class, words) = abort("running").await.expect_err("it cannot be stopped");
        assert_eq!((class, words.as_str()), (ErrorClass::Unsupported, "a Fulcrum batch that was started cannot be stopped"));
    }

    #[tokio::test]
    async fn no_record_is_answered_for() {
        let (provider, transport) = organization(|_| panic!("nothing is asked"));
        let mut answers = Answers::default();
        provider.jobs(&specification()).collect(&ticket(), &source(2), &mut answers).await.expect("nothing to collect");
        assert!(answers.0.is_empty() && transport.lines().is_empty());
    }
}
