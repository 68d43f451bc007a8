//! The results of an ended Bulk API 1.0 batch.

use super::bulk_ingest::repeatable;
use super::bulk_results::{failed, job_failure};
use super::bulk1_job::{Content, batch_stage, batches, path, progress_of, read_all};
use super::call::Call;
use super::collections::{Item, check_echo, paired};
use super::csv_rows::{CsvError, CsvRows};

use super::session::Session;
use crate::apply::{Answer, AnswerVerdict, BatchSpecification, IdSource, JobStage, Ticket};
use crate::base::{Failure, RecordId};
use crate::provider::common::{error, incomplete, not_kept};
use crate::provider::transport::Response;
use crate::provider::{AnswerSink, ErrorClass, ProviderError};
use crate::system::canonical_salesforce_id;

/// Streams the answers of an ended job's batch.
///
/// They are in the order of the request (documented) and a failure has no id, so that only the place pairs them.
pub(super) async fn collect(
    session: &Session,
    specification: &BatchSpecification,
    ticket: &Ticket,
    ids: &dyn IdSource,
    answers: &mut dyn AnswerSink,
) -> Result<Option<Failure>, ProviderError> {
    let doing = format!("download the results of Bulk API 1.0 job {}", ticket.0);
    let wrong = |code, message: &str| error(ErrorClass::Malformed, &doing, code, message);
    let batches = batches(session, ticket).await?;
    let batch = match &batches[..] {
        // It ended without one, and takes none any more (documented): it came to no record.
        [] => {
            let call = Call::get(doing.clone(), path(&doing, ticket)?);
            let not_processed = |id| Answer { id, verdict: AnswerVerdict::NotProcessed };
            let mut all = read_all(&call, ids)?.into_iter().map(not_processed);
            all.try_for_each(|answer| answers.answer(answer)).map_err(|cause| not_kept(&doing, &cause))?;
            return Ok(None);
        }
        [batch] => batch,
        _ => return Err(wrong("several-batches", "the job has more than the one batch that was added")),
    };
    match batch_stage(batch) {
        Some(JobStage::Complete) => {}
        // Its results, if any, are those of the rows it processed (documented), and failures name no record: presence is checked.
        Some(JobStage::Broken) => return Ok(job_failure(&progress_of(batch, JobStage::Broken))),
        _ => return Err(error(ErrorClass::Invalid, &doing, "job-not-ended", "the job's batch has not ended")),
    }
    let id = batch.text("id").and_then(|text| canonical_salesforce_id(text).ok());
    let id = id.ok_or_else(|| wrong("malformed-answer", "the batch's id is not a valid id"))?;
    let call = Call::get(doing.clone(), format!("{}/batch/{id}/result", path(&doing, ticket)?)).bulk1();
    let ids = read_all(&call, ids)?;
    let content = Content::of(specification);
    let call = Call { accept: content.media_type(), ..call };
    let response = session.call(&call).await.map_err(repeatable)?;
    let results = match content {
        Content::Csv => csv(&call, &ids, response).await?,
        Content::Json => match call.read(response).await? {
            bytes if bytes.is_empty() => Vec::new(),
            bytes => paired(&call, &ids, call.json_of::<Vec<Item>>(&bytes)?)?,
        },
    };
    // Counters may lag behind the results (seen by clients), so that only fewer answers than they count are too few.
    let failures = results.iter().filter(|answer| answer.verdict != AnswerVerdict::Deleted).count() as u64;
    let lacks = |name, came| batch.count(name).is_some_and(|counted| counted > came);
    if lacks("numberRecordsProcessed", results.len() as u64) || lacks("numberRecordsFailed", failures) {
        let words = format!("{} answers with {failures} failures arrived, but the batch counts more", results.len());
        return Err(incomplete(&doing, words));
    }
    results.into_iter().try_for_each(|answer| answers.answer(answer)).map_err(|cause| not_kept(&doing, &cause))?;
    Ok(None)
}

/// Pairs the rows `"Id","Success","Created","Error"` with the ids, by place. An empty answer, without a header even, has no results.
async fn csv(call: &Call, ids: &[RecordId], response: Response) -> Result<Vec<Answer>, ProviderError> {
    let broken = |error: CsvError| call.effect.broken(&call.doing, error.to_string());
    let mut rows = CsvRows::new(response.body);
    let no_header = || call.unreadable("the results have no columns `Id`, `Success` and `Error`");
    let Some(header) = rows.next().await.map_err(broken)? else { return Ok(Vec::new()) };
    let place_of = |name| header.place_of(name).ok_or_else(no_header);
    let (key, success, error) = (place_of("Id")?, place_of("Success")?, place_of("Error")?);
    let mut answers = Vec::with_capacity(ids.len());
    while let Some(row) = rows.next().await.map_err(broken)? {
        let place = answers.len();
        let id = ids.get(place).ok_or_else(|| call.unreadable("there are more results than records were sent"))?;
        let field = |place| row.field(place).unwrap_or_default();
        let deleted = match field(success) {
            "true" => true,
            "false" => false,
            _ => return Err(call.unreadable(format!("answer {} is neither a success nor a failure", place + 1))),
        };
        check_echo(call, place, id, Some(field(key)).filter(|text| !text.is_empty()), deleted)?;
        let verdict = if deleted { AnswerVerdict::Deleted } else { failed(field(error)) };
        answers.push(Answer { id: *id, verdict });
    }
    if answers.len() != ids.len() {
        return Err(call
            .effect
            .broken(&call.doing, format!("{} ids were sent, but {} answers arrived", ids.len(), answers.len())));
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::provider::transport::scripted::{answer, json};
    use crate::system::{Api, DeleteMode};

    const BATCH: &str = "751ak000009BkrxAAC";

    /// Collects from a job of `count` records whose batch is in this state.
    async fn collect(
        delete: DeleteMode,
        state: &'static str,
        counters: &'static str,
        results: impl Into<String>,
        count: u64,
    ) -> (Answers, Result<Option<Failure>, ProviderError>) {
        let results = results.into();
        let (provider, transport) = org(move |seen| match seen.path.ends_with("/result") {
            true => answer(200, &[("content-type", "text/csv")], results.clone()),
            false => {
                json(200, format!(r#"{{"batchInfo":[{{"id":"{BATCH}","jobId":"{JOB}","state":"{state}"{counters}}}]}}"#))
            }
        });
        let mut answers = Answers::default();
        let specification = specification(Api::Bulk1, delete, false);
        let result = provider.jobs(&specification).collect(&Ticket(JOB.into()), &Ids(leads(count)), &mut answers).await;
        let wanted = if delete == DeleteMode::Soft { "text/csv" } else { "application/json" };
        for seen in asked(&transport).iter().filter(|seen| seen.path.ends_with("/result")) {
            assert_eq!(seen.headers["content-type"], wanted);
        }
        (answers, result)
    }

    const ROWS: &str = "\"Id\",\"Success\",\"Created\",\"Error\"\n\
        \"00Q000000000000EAA\",\"true\",\"false\",\"\"\n\
        \"\",\"false\",\"false\",\"ENTITY_IS_DELETED:entity is deleted:--\"\n\
        \"00Q000000000002\",\"true\",\"false\",\"\"\n\
        \"\",\"false\",\"false\",\"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--\"\n";
    const COUNTERS: &str = r#","numberRecordsProcessed":4,"numberRecordsFailed":2"#;

    fn items() -> String {
        let failed = |code: &str| {
            serde_json::json!({"success": false, "created": false, "id": null,
                "errors": [{"message": "words", "fields": [], "statusCode": code, "extendedErrorDetails": null}]})
        };
        let deleted = |id: &RecordId| serde_json::json!({"success": true, "created": false, "id": id, "errors": []});
        let ids = leads(4);
        let items = [deleted(&ids[0]), failed("ENTITY_IS_DELETED"), deleted(&ids[2]), failed("UNABLE_TO_LOCK_ROW")];
        serde_json::Value::from(&items[..]).to_string()
    }

    #[tokio::test]
    async fn pairs_rows_by_their_place_in_both_forms() {
        let (answers, result) = collect(DeleteMode::Soft, "Completed", COUNTERS, ROWS, 4).await;
        result.expect("whole");
        insta::assert_snapshot!(lines(&answers.0).join("\n"), @"
         deleted
        1 said to be gone ENTITY_IS_DELETED
        2 deleted
        3 failed Locked UNABLE_TO_LOCK_ROW unable to obtain exclusive access to this record
        ");
        let (answers, result) = collect(DeleteMode::Hard, "Completed", COUNTERS, items(), 4).await;
        result.expect("whole");
        insta::assert_snapshot!(lines(&answers.0).join("\n"), @"
         deleted
        1 said to be gone ENTITY_IS_DELETED
        2 deleted
        3 failed Locked UNABLE_TO_LOCK_ROW words
        ");
    }

    #[tokio::test]
    async fn nothing_of_results_that_cannot_be_right_is_believed() {
        let other = ROWS.replace("00Q000000000002", "00Q000000000003");
        let empty_success = ROWS.replace("\"00Q000000000002\"", "\"\"");
        let maybe = ROWS.replacen("\"true\"", "\"maybe\"", 1);
        for (results, count, class) in [
            (ROWS.to_owned(), 5, ErrorClass::Incomplete),
            (ROWS.to_owned(), 3, ErrorClass::Malformed),
            (ROWS[..ROWS.len() - 5].to_owned(), 4, ErrorClass::Incomplete),
            (other, 4, ErrorClass::Malformed),
            (empty_success, 4, ErrorClass::Malformed),
            (maybe, 4, ErrorClass::Malformed),
            ("Id,Success\n".to_owned(), 4, ErrorClass::Malformed),
        ] {
            let (answers, result) = collect(DeleteMode::Soft, "Completed", "", results.clone(), count).await;
            assert_eq!(result.expect_err("refused").class, class, "{results}");
            assert!(answers.0.is_empty());
        }
        for (results, count, class) in [
            (items(), 5, ErrorClass::Malformed),
            (items().replace("000000000002", "000000000003"), 4, ErrorClass::Malformed),
            ("[".to_owned(), 4, ErrorClass::Incomplete),
            ("{}".to_owned(), 4, ErrorClass::Malformed),
        ] {
            let (answers, result) = collect(DeleteMode::Hard, "Completed", "", results.clone(), count).await;
            assert_eq!(result.expect_err("refused").class, class, "{results}");
            assert!(answers.0.is_empty());
        }
    }

    #[tokio::test]
    async fn fewer_answers_than_a_complete_batch_counts_are_too_few_and_more_are_not() {
        for counters in [r#","numberRecordsProcessed":5"#, r#","numberRecordsProcessed":4,"numberRecordsFailed":3"#] {
            let (answers, result) = collect(DeleteMode::Soft, "Completed", counters, ROWS, 4).await;
            assert_eq!(result.expect_err("one is missing").class, ErrorClass::Incomplete);
            assert!(answers.0.is_empty());
        }
        let lagging = r#","numberRecordsProcessed":0,"numberRecordsFailed":0"#;
        let (answers, result) = collect(DeleteMode::Soft, "Completed", lagging, ROWS, 4).await;
        assert_eq!((result, answers.0.len()), (Ok(None), 4), "the results are right");
        for delete in [DeleteMode::Soft, DeleteMode::Hard] {
            let (answers, result) = collect(delete, "Completed", lagging, "", 4).await;
            assert_eq!((result, answers.0.len()), (Ok(None), 0), "all of them are looked at");
            let (_, result) = collect(delete, "Completed", COUNTERS, "", 4).await;
            assert_eq!(result.expect_err("none came").class, ErrorClass::Incomplete);
        }
    }

    #[tokio::test]
    async fn what_a_broken_batch_came_to_is_looked_at() {
        for state in ["Failed", "NotProcessed"] {
            let (answers, result) = collect(DeleteMode::Soft, state, COUNTERS, "never asked for", 4).await;
            result.expect("nothing is mentioned");
            assert!(answers.0.is_empty());
        }
        let message = r#","stateMessage":"InvalidBatch : The 'delete' batch must contain only ids""#;
        let (_, result) = collect(DeleteMode::Soft, "Failed", message, "never asked for", 4).await;
        let failure = result.expect("nothing is mentioned").expect("words");
        assert_eq!((failure.code.as_str(), failure.class), ("InvalidBatch", crate::base::FailureClass::Invalid));
        let (_, result) = collect(DeleteMode::Soft, "InProgress", "", ROWS, 4).await;
        assert_eq!(result.expect_err("not ended").code, "job-not-ended");
    }

    #[tokio::test]
    async fn a_job_with_no_batch_has_processed_nothing_and_one_with_two_has_no_answers_to_believe() {
        let batch = format!(r#"{{"id":"{BATCH}","jobId":"{JOB}","state":"Completed"}}"#);
        for (batches, code) in [(String::new(), None), (format!("{batch},{batch}"), Some("several-batches"))] {
            let (provider, _) = org(move |_| json(200, format!(r#"{{"batchInfo":[{batches}]}}"#)));
            let mut answers = Answers::default();
            let specification = specification(Api::Bulk1, DeleteMode::Soft, false);
            let result = provider.jobs(&specification).collect(&Ticket(JOB.into()), &Ids(leads(1)), &mut answers).await;
            assert_eq!(result.err().map(|error| error.code).as_deref(), code);
            let expected: &[&str] = if code.is_none() { &[" not processed"] } else { &[] };
            assert_eq!(lines(&answers.0), expected);
        }
    }

    #[tokio::test]
    async fn stops_when_answers_cannot_be_kept() {
        let (provider, _) = org(|seen| match seen.path.ends_with("/result") {
            true => answer(200, &[], ROWS),
            false => json(200, format!(r#"{{"batchInfo":[{{"id":"{BATCH}","jobId":"{JOB}","state":"Completed"}}]}}"#)),
        });
        let specification = specification(Api::Bulk1, DeleteMode::Soft, false);
        let error =
            provider.jobs(&specification).collect(&Ticket(JOB.into()), &Ids(leads(4)), &mut Full).await.expect_err("full");
        assert_eq!(error.class, ErrorClass::Local);
    }
}
