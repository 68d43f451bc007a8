//! The results of an ended Bulk API 2.0 ingest job.

use super::bulk_ingest::{path, poll, repeatable};
use super::call::Call;
use super::collections::verdict;
use super::csv_rows::{CsvError, CsvRows};
use super::error_table::{RecordMeaning, record_meaning};
use super::hostile;

use super::session::Session;
use crate::apply::{Answer, AnswerVerdict, BatchSpecification, JobProgress, JobStage, Ticket};
use crate::base::{Failure, FailureClass};
use crate::provider::common::{error, incomplete, not_kept};
use crate::provider::{AnswerSink, ErrorClass, ProviderError};
use crate::system::canonical_salesforce_id;

/// The three lists of results.
#[derive(Clone, Copy)]
enum Results {
    Successful,
    Failed,
    Unprocessed,
}

/// Streams the per-record answers of an ended job.
///
/// The lists are in no order. Rows are paired by the `Id` column as it was sent, since `sf__Id` is empty in some failures (recorded).
/// Rows of batches beyond the daily allocation are in no list (documented).
pub(super) async fn collect(
    session: &Session,
    specification: &BatchSpecification,
    ticket: &Ticket,
    count: u64,
    answers: &mut dyn AnswerSink,
) -> Result<Option<Failure>, ProviderError> {
    let doing = format!("download the results of Bulk API 2.0 job {}", ticket.0);
    let progress = poll(session, specification, ticket).await?;
    if !matches!(progress.stage, JobStage::Complete | JobStage::Broken) {
        return Err(error(ErrorClass::Invalid, &doing, "job-not-ended", "the job has not ended, or is gone"));
    }
    let path = path(&doing, ticket)?;
    let broke = job_failure(&progress);
    let mut seen = 0;
    let mut download = Download { session, doing: &doing, path: &path, count, seen: &mut seen, broke: broke.as_ref() };
    let successes = download.list(Results::Successful, answers).await?;
    let failures = download.list(Results::Failed, answers).await?;
    download.list(Results::Unprocessed, answers).await?;

    // Counters may lag behind the lists, of a job that is complete as well (seen by clients), so that only fewer answers than they count
    // are too few. Records that the lists do not mention are checked for presence anyway.
    let processed = progress.processed.unwrap_or(0);
    let failed = progress.failed.unwrap_or(0);
    if progress.stage == JobStage::Complete && (successes + failures < processed || failures < failed) {
        return Err(incomplete(
            &doing,
            format!(
                "{successes} successes and {failures} failures arrived; the job counts {processed} records with {failed} failures"
            ),
        ));
    }
    Ok(broke)
}

/// What a job that failed as a whole says about that, such as `InvalidBatch : Field name not found : X` (recorded). It can be sent again
/// unless the code says that its content or the login is what is wrong.
pub(super) fn job_failure(progress: &JobProgress) -> Option<Failure> {
    let words = progress.message.as_deref().filter(|_| progress.stage == JobStage::Broken)?;
    let spoken = words.split_once(':').map(|(code, message)| (code.trim(), message.trim()));
    let spoken = spoken.filter(|(code, _)| hostile::code(code) == *code);
    let (code, message) = spoken.unwrap_or(("job-failed", words));
    let class = match record_meaning(code, message) {
        RecordMeaning::Failed(class @ (FailureClass::Invalid | FailureClass::Denied | FailureClass::Refused)) => class,
        _ => FailureClass::Transient,
    };
    Some(Failure { class, code: code.to_owned(), message: message.to_owned() })
}

struct Download<'job> {
    session: &'job Session,
    doing: &'job str,
    path: &'job str,
    count: u64,
    seen: &'job mut u64,
    /// What the job as a whole failed with.
    broke: Option<&'job Failure>,
}

impl Download<'_> {
    async fn list(&mut self, results: Results, answers: &mut dyn AnswerSink) -> Result<u64, ProviderError> {
        let doing = self.doing;
        let name = match results {
            Results::Successful => "successfulResults",
            Results::Failed => "failedResults",
            // Documented in two spellings; this is the one clients use.
            Results::Unprocessed => "unprocessedrecords",
        };
        let call = Call::get(doing, format!("{}/{name}", self.path)).csv();
        let mut rows = CsvRows::new(self.session.call(&call).await.map_err(repeatable)?.body);
        let broken = |error: CsvError| incomplete(doing, format!("{name}: {error}"));
        let malformed = |message: String| error(ErrorClass::Malformed, doing, "malformed-results", message);
        let Some(header) = rows.next().await.map_err(broken)? else { return Ok(0) };
        let key = header.place_of("Id").ok_or_else(|| malformed(format!("{name} has no column `Id`")))?;
        let error = match results {
            Results::Failed => {
                Some(header.place_of("sf__Error").ok_or_else(|| malformed(format!("{name} has no column `sf__Error`")))?)
            }
            Results::Successful | Results::Unprocessed => None,
        };
        let width = header.len();
        let mut count = 0;
        while let Some(row) = rows.next().await.map_err(broken)? {
            count += 1;
            *self.seen += 1;
            if *self.seen > self.count {
                return Err(malformed(format!("the results have more than the {} records that were sent", self.count)));
            }
            if row.len() != width {
                return Err(incomplete(doing, format!("row {count} of {name} has {} fields, not {width}", row.len())));
            }
            let id = canonical_salesforce_id(row.field(key).unwrap_or_default())
                .map_err(|_| malformed(format!("row {count} of {name}: {}", hostile::NOT_AN_ID)))?;
            let verdict = match (results, error) {
                (Results::Successful, _) => AnswerVerdict::Deleted,
                (Results::Unprocessed, _) => {
                    self.broke.map_or(AnswerVerdict::NotProcessed, |broke| AnswerVerdict::Failed(broke.clone()))
                }
                (Results::Failed, place) => failed(place.and_then(|place| row.field(place)).unwrap_or_default()),
            };
            answers.answer(Answer { id, verdict }).map_err(|cause| not_kept(doing, &cause))?;
        }
        Ok(count)
    }
}

/// Understands an error cell: `CODE:message:fields --`, where the message may have colons of its own (recorded).
pub(super) fn failed(cell: &str) -> AnswerVerdict {
    let parts = cell.split_once(':').filter(|(code, _)| hostile::code(code) == *code);
    let Some((code, rest)) = parts else {
        return AnswerVerdict::Failed(Failure {
            class: FailureClass::Unrecognized,
            code: "unreadable-answer".into(),
            message: hostile::words(cell),
        });
    };
    let message = rest.rsplit_once(':').map_or(rest, |(message, _)| message);
    verdict(code, message)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::provider::transport::scripted::{Reply, answer, json};
    use crate::system::{Api, DeleteMode};

    fn soft() -> BatchSpecification {
        specification(Api::Bulk2, DeleteMode::Soft, false)
    }

    fn ticket() -> Ticket {
        Ticket(JOB.into())
    }

    fn job(state: &str, counters: &str) -> Reply {
        json(200, format!(r#"{{"id":"{JOB}","operation":"delete","object":"Lead","state":"{state}"{counters}}}"#))
    }

    /// Collects from a job of `count` records in this state, with these counters and lists.
    async fn collect(
        state: &'static str,
        counters: &'static str,
        lists: [&'static str; 3],
        count: u64,
    ) -> (Answers, Result<Option<Failure>, ProviderError>) {
        let (provider, _) = org(move |seen| match seen.path.rsplit('/').next() {
            Some("successfulResults") => answer(200, &[("content-type", "text/csv")], lists[0]),
            Some("failedResults") => answer(200, &[("content-type", "text/csv")], lists[1]),
            Some("unprocessedrecords") => answer(200, &[("content-type", "text/csv")], lists[2]),
            _ => job(state, counters),
        });
        let mut answers = Answers::default();
        let result = provider.jobs(&soft()).collect(&ticket(), &Ids(leads(count)), &mut answers).await;
        (answers, result)
    }

    const SUCCESSES: &str = "\"sf__Id\",\"sf__Created\",Id\n\"00Q000000000000EAA\",\"false\",\"00Q000000000000EAA\"\n\"\",\"false\",\"00Q000000000001EAA\"\n";
    const FAILURES: &str = "\"sf__Id\",\"sf__Error\",Id\n\
        \"\",\"ENTITY_IS_DELETED:entity is deleted:--\",\"00Q000000000002EAA\"\n\
        \"\",\"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 200 records: 001,002, ... (190 more):--\",\"00Q000000000003\"\n\
        \"\",\"FIELD_CUSTOM_VALIDATION_EXCEPTION:say: \"\"no\"\":Id --\",\"00Q000000000004EAA\"\n\
        \"\",\"no code here\",\"00Q000000000005EAA\"\n";
    const UNPROCESSED: &str = "Id\n\"00Q000000000006EAA\"\n";
    const COUNTERS: &str = r#","numberRecordsProcessed":6,"numberRecordsFailed":4"#;

    #[tokio::test]
    async fn pairs_results_by_the_id_that_was_sent() {
        let (answers, result) = collect("JobComplete", COUNTERS, [SUCCESSES, FAILURES, UNPROCESSED], 8).await;
        result.expect("whole");
        insta::assert_snapshot!(lines(&answers.0).join("\n"), @r#"
         deleted
        1 deleted
        2 said to be gone ENTITY_IS_DELETED
        3 failed Locked UNABLE_TO_LOCK_ROW unable to obtain exclusive access to this record or 200 records: 001,002, ... (190 more)
        4 failed Refused FIELD_CUSTOM_VALIDATION_EXCEPTION say: "no"
        5 failed Unrecognized unreadable-answer no code here
        6 not processed
        "#);
    }

    #[tokio::test]
    async fn fewer_answers_than_a_complete_job_counts_are_too_few_and_more_are_not() {
        const MORE: &str = r#","numberRecordsProcessed":7,"numberRecordsFailed":4"#;
        const FAILED: &str = r#","numberRecordsProcessed":6,"numberRecordsFailed":5"#;
        const LAGGING: &str = r#","numberRecordsProcessed":0,"numberRecordsFailed":0"#;
        let lists = [SUCCESSES, FAILURES, UNPROCESSED];
        let error = collect("JobComplete", MORE, lists, 8).await.1.expect_err("one is missing");
        assert_eq!(error.class, ErrorClass::Incomplete);
        insta::assert_snapshot!(error.message, @"2 successes and 4 failures arrived; the job counts 7 records with 4 failures");
        collect("JobComplete", FAILED, lists, 8).await.1.expect_err("a failure is missing");
        let (answers, result) = collect("JobComplete", LAGGING, lists, 8).await;
        assert_eq!((result, answers.0.len()), (Ok(None), 7), "the lists are right");
        collect("Failed", MORE, lists, 8).await.1.expect("what is missing is looked at");
        // The lists may be empty, header and all (seen by clients).
        let (answers, result) = collect("JobComplete", LAGGING, ["", "", ""], 8).await;
        assert_eq!((result, answers.0.len()), (Ok(None), 0), "all of them are looked at");
    }

    #[tokio::test]
    async fn a_job_that_failed_as_a_whole_says_why() {
        for (message, told) in [
            ("InvalidBatch : Field name not found : X", "Invalid InvalidBatch Field name not found : X"),
            (
                "InternalServerError : Unable to process the batch",
                "Transient InternalServerError Unable to process the batch",
            ),
            ("ExceededQuota : no more today", "Transient ExceededQuota no more today"),
            ("nobody knows: why", "Transient job-failed nobody knows: why"),
        ] {
            let failed =
                JobProgress { stage: JobStage::Broken, processed: None, failed: None, message: Some(message.into()) };
            let failure = job_failure(&failed).expect("words");
            assert_eq!(format!("{:?} {} {}", failure.class, failure.code, failure.message), told);
            assert_eq!(job_failure(&JobProgress { stage: JobStage::Complete, ..failed }), None);
        }
        const INVALID: &str = r#","errorMessage":"InvalidBatch : Field name not found : X""#;
        let (answers, result) = collect("Failed", INVALID, ["", "", UNPROCESSED], 8).await;
        assert_eq!(result.expect("collected").expect("words").code, "InvalidBatch");
        assert_eq!(lines(&answers.0), ["6 failed Invalid InvalidBatch Field name not found : X"]);
    }

    #[tokio::test]
    async fn lists_that_cannot_be_right_are_refused() {
        let lists = |successes| [successes, FAILURES, UNPROCESSED];
        for (successes, class) in [
            ("sf__Id,sf__Created\n", ErrorClass::Malformed),
            ("sf__Id,sf__Created,Id\nx,false,nonsense\n", ErrorClass::Malformed),
            ("sf__Id,sf__Created,Id\nx,false\n", ErrorClass::Incomplete),
            ("sf__Id,sf__Created,Id\nx,false,\"00Q000000000000EAA", ErrorClass::Incomplete),
        ] {
            let error = collect("JobComplete", COUNTERS, lists(successes), 8).await.1.expect_err("refused");
            assert_eq!(error.class, class, "{successes}");
        }
        let error = collect("JobComplete", COUNTERS, lists(SUCCESSES), 5).await.1.expect_err("too many");
        assert_eq!(error.class, ErrorClass::Malformed);
        let error = collect("InProgress", "", lists(SUCCESSES), 8).await.1.expect_err("not ended");
        assert_eq!(error.code, "job-not-ended");
    }

    #[tokio::test]
    async fn stops_when_answers_cannot_be_kept() {
        let (provider, _) = org(|seen| match seen.path.ends_with("Results") {
            true => answer(200, &[], SUCCESSES),
            false => job("JobComplete", ""),
        });
        let error = provider.jobs(&soft()).collect(&ticket(), &Ids(leads(8)), &mut Full).await.expect_err("full");
        assert_eq!(error.class, ErrorClass::Local);
    }
}
