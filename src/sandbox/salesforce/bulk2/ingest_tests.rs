//! What an ingest job does and shows, without a server.

use insta::assert_snapshot;
use jiff::Timestamp;
use proptest::prelude::*;

use super::dialect::Dialect;
use super::faults::{EmptyId, JobFaults};
use super::ingest_job::{Chunk, IngestJob, RowResult};
use super::ingest_result::ResultKind;
use super::job_info::{JobHead, JobInfo, JobState};
use super::upload::{Upload, UploadReader};
use crate::sandbox::RecordKey;

const PACE: u64 = 200;

fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_725_914_491_000 + milliseconds).expect("in range")
}

fn head(operation: &'static str) -> JobHead {
    JobHead {
        id: RecordKey::parse("750ak000009BkrxAAC").expect("valid"),
        operation,
        object: "Opportunity".into(),
        created_by: RecordKey::parse("005ak000005hvjJAAQ").expect("valid"),
        created: moment(0),
        modified: moment(0),
        api_version: "60.0".into(),
        dialect: Dialect::default(),
    }
}

fn upload(text: &str) -> Upload {
    let mut reader = UploadReader::new(Dialect::default(), usize::MAX);
    reader.push(text.as_bytes()).expect("small");
    reader.finish()
}

fn numbered(rows: usize) -> Upload {
    let mut text = String::from("Id\n");
    for row in 0..rows {
        text.push_str(&format!("006ak{row:010}\n"));
    }
    upload(&text)
}

fn closed(upload: Upload) -> IngestJob {
    let mut job = IngestJob::new(head("delete"), JobFaults::default());
    job.take(upload);
    job.close(moment(0));
    job
}

fn all_deleted(chunk: &Chunk<'_>) -> Vec<RowResult> {
    chunk.ids.iter().map(|_| Ok(())).collect()
}

fn json(info: &JobInfo<'_>) -> String {
    serde_json::to_string(info).expect("text and numbers")
}

fn file(job: &IngestJob, kind: ResultKind) -> String {
    let mut text = Vec::new();
    let mut place = Some(0);
    while let Some(from) = place {
        let (part, next) = job.result_part(kind, from, 64);
        text.extend(part);
        place = next;
    }
    String::from_utf8(text).expect("text")
}

#[test]
fn a_new_job_is_shown_as_recorded() {
    let job = IngestJob::new(head("delete"), JobFaults::default());
    assert_snapshot!(json(&job.created_info(moment(0))), @r#"{"id":"750ak000009BkrxAAC","operation":"delete","object":"Opportunity","createdById":"005ak000005hvjJAAQ","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"Open","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"contentUrl":"services/data/v60.0/jobs/ingest/750ak000009BkrxAAC/batches","lineEnding":"LF","columnDelimiter":"COMMA"}"#);
}

#[test]
fn a_closed_job_is_shown_without_its_data_properties() {
    let job = closed(numbered(1));
    assert_snapshot!(json(&job.changed_info(moment(0))), @r#"{"id":"750ak000009BkrxAAC","operation":"delete","object":"Opportunity","createdById":"005ak000005hvjJAAQ","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"UploadComplete","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0}"#);
}

#[test]
fn an_open_job_has_no_counters_yet() {
    assert_snapshot!(json(&IngestJob::new(head("delete"), JobFaults::default()).info(moment(0))), @r#"{"id":"750ak000009BkrxAAC","operation":"delete","object":"Opportunity","createdById":"005ak000005hvjJAAQ","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"Open","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"jobType":"V2Ingest","contentUrl":"services/data/v60.0/jobs/ingest/750ak000009BkrxAAC/batches","lineEnding":"LF","columnDelimiter":"COMMA","retries":0,"totalProcessingTime":0,"apiActiveProcessingTime":0,"apexProcessingTime":0}"#);
}

#[test]
fn the_counter_of_processed_rows_includes_the_failed_ones() {
    let mut job = closed(numbered(8));
    job.advance(moment(2_000), PACE, |_, chunk| {
        let mut results = all_deleted(chunk);
        results[3] = Err("ENTITY_IS_DELETED:entity is deleted:--".into());
        results
    });
    assert_snapshot!(json(&job.info(moment(9_000))), @r#"{"id":"750ak000009BkrxAAC","operation":"delete","object":"Opportunity","createdById":"005ak000005hvjJAAQ","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:32.000+0000","state":"JobComplete","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"jobType":"V2Ingest","lineEnding":"LF","columnDelimiter":"COMMA","numberRecordsProcessed":8,"numberRecordsFailed":1,"retries":0,"totalProcessingTime":1000,"apiActiveProcessingTime":1000,"apexProcessingTime":0}"#);
}

#[test]
fn a_fault_locks_the_chunk_it_names() {
    let mut job = closed(numbered(450));
    job.faults.locked_chunks = vec![2];
    let mut locked = Vec::new();
    job.advance(moment(60_000), PACE, |_, chunk| {
        locked.push(chunk.locked);
        all_deleted(chunk)
    });
    assert_eq!(locked, [false, true, false]);
}

#[test]
fn results_in_another_order_are_the_same_rows() {
    let mut job = three_ends();
    job.faults.shuffled = true;
    let shuffled = file(&job, ResultKind::Failed);
    job.faults.shuffled = false;
    let plain = file(&job, ResultKind::Failed);
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_ne!(shuffled, plain);
    assert_eq!(sorted(&shuffled), sorted(&plain));
}

#[test]
fn rows_become_due_chunk_by_chunk() {
    let mut job = closed(numbered(450));
    let mut seen = Vec::new();
    let mut states = Vec::new();
    for at in [0, 999, 1_000, 2_500, 2_999, 3_000] {
        job.advance(moment(at), PACE, |_, chunk| {
            seen.push((at, chunk.ids.len()));
            all_deleted(chunk)
        });
        states.push(job.state(moment(at)));
    }
    assert_eq!(seen, [(1_000, 200), (2_500, 200), (3_000, 50)]);
    assert_eq!(states[0], JobState::UploadComplete);
    assert!(states[1..5].iter().all(|state| *state == JobState::InProgress));
    assert_eq!(states[5], JobState::JobComplete);
}

#[test]
fn a_late_look_finds_the_end_where_it_was() {
    let mut job = closed(numbered(450));
    job.advance(moment(60_000), PACE, |_, chunk| all_deleted(chunk));
    assert_eq!(job.ended(), Some(moment(3_000)));
}

#[test]
fn a_job_without_data_completes_with_nothing() {
    let mut job = IngestJob::new(head("delete"), JobFaults::default());
    job.close(moment(0));
    job.advance(moment(1_000), PACE, |_, chunk| all_deleted(chunk));
    assert_eq!(job.state(moment(1_000)), JobState::JobComplete);
    assert!(json(&job.info(moment(1_000))).contains("\"numberRecordsProcessed\":0,\"numberRecordsFailed\":0"));
}

#[test]
fn a_refused_upload_fails_the_job_and_tries_nothing() {
    let mut job = closed(upload("Id,Name\n006ak0000000001,Acme\n"));
    job.advance(moment(1_000), PACE, |_, _| panic!("nothing may be tried"));
    assert_snapshot!(json(&job.info(moment(1_000))), @r#"{"id":"750ak000009BkrxAAC","operation":"delete","object":"Opportunity","createdById":"005ak000005hvjJAAQ","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:32.000+0000","state":"Failed","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"jobType":"V2Ingest","lineEnding":"LF","columnDelimiter":"COMMA","numberRecordsProcessed":0,"numberRecordsFailed":0,"retries":0,"totalProcessingTime":1000,"apiActiveProcessingTime":1000,"apexProcessingTime":0,"errorMessage":"InvalidBatch : InvalidBatch : The 'delete' batch must contain only ids."}"#);
    assert_eq!(file(&job, ResultKind::Unprocessed), "Id,Name\n\"006ak0000000001\",\"Acme\"\n");
}

#[test]
fn a_job_that_dies_leaves_the_rest_unprocessed() {
    let mut job = closed(numbered(450));
    job.faults.fail_after = Some(250);
    job.advance(moment(60_000), PACE, |_, chunk| all_deleted(chunk));
    assert_eq!(job.state(moment(60_000)), JobState::Failed);
    let lines = |kind| file(&job, kind).lines().count() - 1;
    assert_eq!((lines(ResultKind::Successful), lines(ResultKind::Failed), lines(ResultKind::Unprocessed)), (250, 0, 200));
}

#[test]
fn an_aborted_job_keeps_what_it_did() {
    let mut job = closed(numbered(450));
    job.advance(moment(1_000), PACE, |_, chunk| all_deleted(chunk));
    job.abort(moment(1_200));
    job.advance(moment(60_000), PACE, |_, _| panic!("nothing may be tried"));
    assert_eq!(job.state(moment(60_000)), JobState::Aborted);
    assert_eq!(file(&job, ResultKind::Unprocessed).lines().count(), 251);
}

fn three_ends() -> IngestJob {
    let mut job = closed(upload("Id\n006ak0000000001\n006ak0000000002AAA\nabc\n006ak0000000004\n"));
    job.advance(moment(1_000), PACE, |_, _| {
        vec![
            Ok(()),
            Err("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: 001:--".into()),
            Err("MALFORMED_ID:bad id abc:Id --".into()),
            Err("ENTITY_IS_DELETED:entity is deleted:--".into()),
        ]
    });
    job
}

#[test]
fn results_echo_the_rows_as_sent() {
    let job = three_ends();
    assert_snapshot!(file(&job, ResultKind::Successful), @r#"
    "sf__Id","sf__Created",Id
    "006ak0000000001AAA","false","006ak0000000001"
    "#);
    assert_snapshot!(file(&job, ResultKind::Failed), @r#"
    "sf__Id","sf__Error",Id
    "","UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: 001:--","006ak0000000002AAA"
    "","MALFORMED_ID:bad id abc:Id --","abc"
    "006ak0000000004AAA","ENTITY_IS_DELETED:entity is deleted:--","006ak0000000004"
    "#);
    assert_snapshot!(file(&job, ResultKind::Unprocessed), @"Id");
}

#[test]
fn the_result_identifier_of_a_failed_row_may_be_empty_or_not() {
    let mut job = three_ends();
    let mut unnamed = |empty_id| {
        job.faults.empty_id = empty_id;
        file(&job, ResultKind::Failed).matches("\"\",").count()
    };
    assert_eq!([EmptyId::LockErrors, EmptyId::Always].map(&mut unnamed), [2, 3]);
}

#[test]
fn missing_rows_are_in_no_file() {
    let mut job = three_ends();
    job.faults.omitted = 2;
    assert_eq!(file(&job, ResultKind::Successful).lines().count(), 1);
    assert_eq!(file(&job, ResultKind::Failed).lines().count(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_row_is_in_exactly_one_file(rows in 0_usize..900, seconds in 0_i64..6, fails in any::<bool>(), shuffled in any::<bool>()) {
        let mut job = closed(numbered(rows));
        job.faults.shuffled = shuffled;
        job.advance(moment(seconds * 1_000), PACE, |_, chunk| {
            chunk.ids.iter().map(|id| if fails && id.ends_with('3') { Err("X:y:--".into()) } else { Ok(()) }).collect()
        });
        if job.ended().is_none() {
            job.abort(moment(seconds * 1_000));
        }
        let mut found: Vec<String> = [ResultKind::Successful, ResultKind::Failed, ResultKind::Unprocessed]
            .into_iter()
            .flat_map(|kind| {
                file(&job, kind).lines().skip(1).map(|line| line.rsplit(',').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
            })
            .collect();
        found.sort();
        let expected: Vec<String> = (0..rows).map(|row| format!("\"006ak{row:010}\"")).collect();
        prop_assert_eq!(found, expected);
    }
}
