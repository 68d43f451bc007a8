//! The results of an ended Bulk API 1.0 batch.

use super::bulk_results::failed;
use super::bulk1_job::{Content, batch_stage, batches, path, read_all};
use super::call::Call;
use super::collections::{Item, check_echo, paired};
use super::csv_rows::{CsvError, CsvRows};
use super::query::{incomplete, not_kept};
use super::session::Session;
use crate::apply::{Answer, AnswerVerdict, IdSource, JobStage, Order, Ticket};
use crate::base::{RecordId, canonical_salesforce_id};
use crate::provider::transport::Response;
use crate::provider::{AnswerSink, ErrorClass, ProviderError};

/// Streams the answers of an ended job's batch.
///
/// They are in the order of the request (documented) and a failure has no id, so that only the place pairs them.
pub(super) async fn collect(
    session: &Session,
    order: &Order,
    ticket: &Ticket,
    ids: &dyn IdSource,
    answers: &mut dyn AnswerSink,
) -> Result<(), ProviderError> {
    let doing = format!("download the results of Bulk API 1.0 job {}", ticket.0);
    let wrong = |code, message: &str| super::call::error(ErrorClass::Malformed, &doing, code, message);
    let batches = batches(session, ticket).await?;
    let batch = match &batches[..] {
        // It ended without one, and has no answers.
        [] => return Ok(()),
        [batch] => batch,
        _ => return Err(wrong("several-batches", "the job has more than the one batch that was added")),
    };
    let stage = batch_stage(batch);
    if !matches!(stage, Some(JobStage::Complete | JobStage::Broken)) {
        return Err(super::call::error(ErrorClass::Invalid, &doing, "job-not-ended", "the job's batch has not ended"));
    }
    let processed = batch.count("numberRecordsProcessed");
    if stage == Some(JobStage::Broken) && processed == Some(0) {
        return Ok(());
    }
    let id = batch.text("id").and_then(|text| canonical_salesforce_id(text).ok());
    let id = id.ok_or_else(|| wrong("malformed-answer", "the batch's id is none"))?;
    let call = Call::get(doing.clone(), format!("{}/batch/{id}/result", path(&doing, ticket)?)).bulk1();
    let ids = read_all(&call, ids)?;
    let content = Content::of(order);
    let call = Call { accept: content.media_type(), ..call };
    let response = session.call(&call).await?;
    let results = match content {
        Content::Csv => csv(&call, &ids, response).await?,
        Content::Json => {
            let items: Vec<Item> = call.read_json(response).await?;
            paired(&call, &ids, items)?
        }
    };
    let failures = results.iter().filter(|answer| answer.verdict != AnswerVerdict::Deleted).count() as u64;
    let counted = batch.count("numberRecordsFailed");
    if stage == Some(JobStage::Complete)
        && (processed.is_some_and(|processed| processed != ids.len() as u64)
            || counted.is_some_and(|counted| counted != failures))
    {
        return Err(incomplete(
            &doing,
            format!("{} answers with {failures} failures came, and the batch counts others", results.len()),
        ));
    }
    results.into_iter().try_for_each(|answer| answers.answer(answer)).map_err(|cause| not_kept(&doing, &cause))
}

/// Pairs the rows `"Id","Success","Created","Error"` with the ids, by place.
async fn csv(call: &Call, ids: &[RecordId], response: Response) -> Result<Vec<Answer>, ProviderError> {
    let broken = |error: CsvError| call.broken(error.to_string());
    let mut rows = CsvRows::new(response.body);
    let no_header = || call.unreadable("the results have no columns `Id`, `Success` and `Error`");
    let header = rows.next().await.map_err(broken)?.ok_or_else(no_header)?;
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
        return Err(call.broken(format!("{} ids were sent and {} answers came", ids.len(), answers.len())));
    }
    Ok(answers)
}
