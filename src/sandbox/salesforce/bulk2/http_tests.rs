//! Ingest jobs as a client sees them: requests in, answers compared with the recorded shapes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use insta::assert_snapshot;
use tower::ServiceExt;

use crate::sandbox::{
    DroppedConnection, Effect, Fault, Permissions, RecordKey, Sandbox, Settings, User, World, WorldBuilder,
};

/// A sandbox with leads, and somebody logged in to it.
pub(super) struct Client {
    pub sandbox: Sandbox,
    token: String,
}

pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub text: String,
}

impl Client {
    pub(super) fn new(leads: u32) -> Self {
        Self::with(leads, |_| {})
    }

    pub(super) fn with(leads: u32, settle: impl FnOnce(&mut Settings)) -> Self {
        let start = "2024-09-09T20:41:31Z".parse().expect("valid");
        let user = |number, hard_delete| User {
            key: WorldBuilder::user_key(number),
            username: format!("user{number}@sandbox.example"),
            name: format!("User {number}"),
            active: true,
            permissions: Permissions { hard_delete, ..Permissions::default() },
        };
        let mut world = World::builder().start(start).user(user(1, false)).user(user(2, true)).build().expect("consistent");
        world.generate("Account", 5, 1).expect("known");
        world.generate("Case", 5, 1).expect("known");
        world.generate("Lead", leads, 1).expect("known");
        // A login that outlives the retention of jobs.
        let session_lifetime = Duration::from_secs(30 * 24 * 3600);
        let mut settings = Settings { bulk_rows_per_second: 200, session_lifetime, ..Settings::starting_at(start) };
        settle(&mut settings);
        let sandbox = Sandbox::new(world, settings);
        let token = sandbox.access_token(WorldBuilder::user_key(1));
        Self { sandbox, token }
    }

    /// The same sandbox, for the user who may delete hard.
    pub(super) fn other(&self) -> Self {
        Self { sandbox: self.sandbox.clone(), token: self.sandbox.access_token(WorldBuilder::user_key(2)) }
    }

    pub(super) async fn send(&self, method: Method, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/services/data/v60.0/jobs/{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", content_type)
            .body(body.into())
            .expect("valid");
        let response = self.sandbox.router().oneshot(request).await.expect("infallible");
        assert!(response.extensions().get::<DroppedConnection>().is_none());
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("whole");
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).expect("text") }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "application/json", Body::empty()).await
    }

    pub(super) async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, "application/json", body.to_owned()).await
    }

    pub(super) async fn patch(&self, path: &str, state: &str) -> Answer {
        self.send(Method::PATCH, path, "application/json", format!("{{\"state\":\"{state}\"}}")).await
    }

    async fn put(&self, path: &str, csv: &str) -> Answer {
        self.send(Method::PUT, path, "text/csv", csv.to_owned()).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, "application/json", Body::empty()).await
    }

    /// Makes a job and returns the path of it.
    async fn open(&self, operation: &str) -> String {
        let answer = self.post("ingest", &format!("{{\"object\":\"Lead\",\"operation\":\"{operation}\"}}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        format!("ingest/{}", answer.id())
    }

    /// Takes a job from its making to its close.
    async fn close(&self, operation: &str, csv: &str) -> String {
        let job = self.open(operation).await;
        assert_eq!(self.put(&format!("{job}/batches"), csv).await.status, StatusCode::CREATED);
        assert_eq!(self.patch(&job, "UploadComplete").await.status, StatusCode::OK);
        job
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.sandbox.clock().advance(Duration::from_secs(seconds));
    }

    fn leads(&self) -> Vec<RecordKey> {
        self.sandbox.world().ids("Lead").collect()
    }
}

impl Answer {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    pub(super) fn id(&self) -> String {
        self.json()["id"].as_str().expect("text").to_owned()
    }

    /// Status and body of a refusal.
    pub(super) fn refusal(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.text)
    }
}

fn csv(ids: impl IntoIterator<Item = impl ToString>) -> String {
    ids.into_iter().fold(String::from("Id\n"), |text, id| text + &id.to_string() + "\n")
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_from_open_to_complete() {
    let client = Client::new(3);
    let leads = client.leads();
    let created =
        client.post("ingest", r#"{"object":"lead","operation":"delete","contentType":"CSV","lineEnding":"LF"}"#).await;
    assert_snapshot!(created.text, @r#"{"id":"750S00000000001IAA","operation":"delete","object":"Lead","createdById":"005S00000000001IAA","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"Open","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"contentUrl":"services/data/v60.0/jobs/ingest/750S00000000001IAA/batches","lineEnding":"LF","columnDelimiter":"COMMA"}"#);
    let job = format!("ingest/{}", created.id());
    assert_snapshot!(client.get(&job).await.text, @r#"{"id":"750S00000000001IAA","operation":"delete","object":"Lead","createdById":"005S00000000001IAA","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"Open","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"jobType":"V2Ingest","contentUrl":"services/data/v60.0/jobs/ingest/750S00000000001IAA/batches","lineEnding":"LF","columnDelimiter":"COMMA","retries":0,"totalProcessingTime":0,"apiActiveProcessingTime":0,"apexProcessingTime":0}"#);
    let uploaded = client.put(&format!("{job}/batches"), &csv([leads[0], leads[1], leads[0]])).await;
    assert_eq!((uploaded.status, uploaded.text.as_str()), (StatusCode::CREATED, ""));
    assert_snapshot!(client.patch(&job, "UploadComplete").await.text, @r#"{"id":"750S00000000001IAA","operation":"delete","object":"Lead","createdById":"005S00000000001IAA","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"UploadComplete","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0}"#);
    client.pass(1);
    assert_snapshot!(client.get(&job).await.text, @r#"{"id":"750S00000000001IAA","operation":"delete","object":"Lead","createdById":"005S00000000001IAA","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:32.000+0000","state":"JobComplete","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"jobType":"V2Ingest","lineEnding":"LF","columnDelimiter":"COMMA","numberRecordsProcessed":3,"numberRecordsFailed":1,"retries":0,"totalProcessingTime":1000,"apiActiveProcessingTime":1000,"apexProcessingTime":0}"#);
    let successful = client.get(&format!("{job}/successfulResults/")).await;
    assert_eq!(successful.headers["content-type"], "text/csv");
    assert_snapshot!(successful.text, @r#"
    "sf__Id","sf__Created",Id
    "00QS00000000001MAA","false","00QS00000000001MAA"
    "00QS00000000002MAA","false","00QS00000000002MAA"
    "#);
    assert_snapshot!(client.get(&format!("{job}/failedResults")).await.text, @r#"
    "sf__Id","sf__Error",Id
    "00QS00000000001MAA","DUPLICATE_VALUE:duplicate id specified: 00QS00000000001MAA:--","00QS00000000001MAA"
    "#);
    assert_eq!(client.get(&format!("{job}/unprocessedrecords")).await.text, "Id\n");
    assert_eq!(client.get(&format!("{job}/unprocessedRecords/")).await.text, "Id\n");
    let world = client.sandbox.world();
    assert!(world.in_bin(leads[0]) && world.in_bin(leads[1]) && world.exists(leads[2]));
}

#[tokio::test(start_paused = true)]
async fn rows_fail_one_by_one() {
    let client = Client::new(2);
    let leads = client.leads();
    let case = client.sandbox.world().ids("Case").next().expect("generated");
    let ids = [leads[0].fifteen().to_owned(), "abc".to_owned(), case.to_string(), "00QS0000000zzzz".to_owned()];
    let job = client.close("delete", &csv(ids)).await;
    client.pass(1);
    assert_snapshot!(client.get(&format!("{job}/successfulResults")).await.text, @r#"
    "sf__Id","sf__Created",Id
    "00QS00000000001MAA","false","00QS00000000001"
    "#);
    assert_snapshot!(client.get(&format!("{job}/failedResults")).await.text, @r#"
    "sf__Id","sf__Error",Id
    "","MALFORMED_ID:bad id abc:Id --","abc"
    "","MALFORMED_ID:Lead ID: id value of incorrect type: 500S00000000001IAA:Id --","500S00000000001IAA"
    "00QS0000000zzzzMAA","INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--","00QS0000000zzzz"
    "#);
}

#[tokio::test(start_paused = true)]
async fn refuses_what_the_service_refuses_to_make() {
    let client = Client::new(1);
    let refusals = [
        client.post("ingest", r#"{"object":"Nothing","operation":"delete"}"#).await,
        client.post("ingest", r#"{"object":"Lead","operation":"hardDelete"}"#).await,
        client.post("ingest", r#"{"object":"Lead","operation":"Delete"}"#).await,
        client.post("ingest", r#"{"object":"Lead","operation":"delete","concurrencyMode":"Serial"}"#).await,
        client.post("ingest", r#"{"object":"Lead","operation":"delete","contentType":"JSON"}"#).await,
        client.post("ingest", r#"{"object":"Lead","operation":"delete","lineEnding":"lf"}"#).await,
        client.post("ingest", r#"{"operation":"delete"}"#).await,
        client.post("ingest", r#"{"object":"Lead"}"#).await,
        client.post("ingest", r#"{"object":"Lead","#).await,
    ];
    assert_snapshot!(refusals.map(|answer| answer.refusal()).join("\n"), @r#"
    400 [{"errorCode":"INVALIDJOB","message":"InvalidJob : Unable to find object: Nothing"}]
    400 [{"errorCode":"FEATURENOTENABLED","message":"hardDelete operation requires special user profile permission, please contact your system administrator"}]
    400 [{"errorCode":"INVALIDJOB","message":"Unsupported value for operation: Delete"}]
    400 [{"errorCode":"JSON_PARSER_ERROR","message":"Unrecognized field \"concurrencyMode\" at [line:1, column:1]"}]
    400 [{"errorCode":"INVALIDJOB","message":"Unsupported value for contentType: JSON"}]
    400 [{"errorCode":"INVALIDJOB","message":"Unsupported value for lineEnding: lf"}]
    400 [{"errorCode":"INVALIDJOB","message":"The property object is required."}]
    400 [{"errorCode":"API_ERROR","message":"Invalid value: '' supplied for property: 'operation'"}]
    400 [{"message":"Unexpected character at [line:1, column:17]","errorCode":"JSON_PARSER_ERROR"}]
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_hard_delete_needs_its_permission_and_skips_the_bin() {
    let client = Client::new(2);
    let leads = client.leads();
    let purger = client.other();
    let soft = client.close("delete", &csv([leads[0]])).await;
    client.pass(1);
    assert_eq!(client.get(&soft).await.json()["state"], "JobComplete");
    let hard = purger.close("hardDelete", &csv([leads[0], leads[1]])).await;
    client.pass(1);
    assert_eq!(client.get(&hard).await.json()["numberRecordsFailed"], 0);
    let world = client.sandbox.world();
    assert!(leads.iter().all(|lead| !world.exists(*lead) && !world.in_bin(*lead)));
}

#[tokio::test(start_paused = true)]
async fn data_is_taken_once_and_only_while_the_job_is_open() {
    let client = Client::new(1);
    let job = client.open("delete").await;
    let batches = format!("{job}/batches");
    assert_eq!(
        client.send(Method::PUT, &batches, "application/json", "[]").await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert_eq!(client.put(&batches, "Id\n").await.status, StatusCode::CREATED);
    assert_snapshot!(client.put(&batches, "Id\n").await.refusal(), @r#"400 [{"errorCode":"BULK_API_ERROR","message":"Found multipe contents for job: <750S00000000001>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only do 'PUT' once on a given Job."}]"#);
    let closed = client.open("delete").await;
    client.patch(&closed, "UploadComplete").await;
    assert_snapshot!(client.put(&format!("{closed}/batches"), "Id\n").await.refusal(), @r#"400 [{"errorCode":"INVALIDJOBSTATE","message":"Uploading data to a Job that is not open is not allowed"}]"#);
    let stale = client.open("delete").await;
    client.pass(25 * 3600);
    assert_eq!(client.put(&format!("{stale}/batches"), "Id\n").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn refuses_more_data_than_a_job_takes_and_leaves_it_open() {
    let client = Client::with(1, |settings| settings.bulk_upload_bytes = 1_000);
    let job = client.open("delete").await;
    let batches = format!("{job}/batches");
    let answer = client.put(&batches, &"\n".repeat(1_001)).await;
    assert_snapshot!(answer.refusal(), @r#"400 [{"errorCode":"CLIENTINPUTERROR","message":"The job data is larger than 150 MB in base64, which is about 100 MB."}]"#);
    assert_eq!(client.put(&batches, "Id\n").await.status, StatusCode::CREATED);
}

#[tokio::test(start_paused = true)]
async fn a_refused_upload_is_read_to_its_end() {
    let client = Client::new(1);
    let job = client.open("delete").await;
    client.patch(&job, "Aborted").await;
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let pieces = futures::stream::iter((0..9).map(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>("Id\n")
    }));
    let answer = client.send(Method::PUT, &format!("{job}/batches"), "text/csv", Body::from_stream(pieces)).await;
    assert_eq!((answer.status, read.load(Ordering::Relaxed)), (StatusCode::BAD_REQUEST, 9));
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_breaks_off_has_not_happened() {
    let client = Client::new(1);
    let job = client.open("delete").await;
    let batches = format!("{job}/batches");
    let pieces = futures::stream::iter([Ok("Id\n00Q"), Err(std::io::Error::other("gone"))]);
    assert_eq!(
        client.send(Method::PUT, &batches, "text/csv", Body::from_stream(pieces)).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(client.put(&batches, "Id\n").await.status, StatusCode::CREATED);
}

#[tokio::test(start_paused = true)]
async fn states_change_only_as_they_may() {
    let client = Client::new(500);
    let leads = client.leads();
    let job = client.close("delete", &csv(&leads)).await;
    client.pass(1);
    assert_eq!(client.get(&job).await.json()["numberRecordsProcessed"], 200);
    assert_snapshot!(client.get(&format!("{job}/failedResults")).await.refusal(), @r#"400 [{"errorCode":"INVALIDJOBSTATE","message":"Results of a Job that has not ended are not available"}]"#);
    assert_snapshot!(client.delete(&job).await.refusal(), @r#"400 [{"errorCode":"API_ERROR","message":"Error encountered when deleting the job because the job is not terminated"}]"#);
    assert_snapshot!(client.patch(&job, "UploadComplete").await.refusal(), @r#"400 [{"errorCode":"INVALIDJOBSTATE","message":"Closing already Started Job not allowed"}]"#);
    assert_eq!(client.patch(&job, "Aborted").await.json()["state"], "Aborted");
    assert_eq!(client.get(&format!("{job}/unprocessedrecords")).await.text.lines().count(), 301);
    assert_eq!(client.sandbox.world().count("Lead"), 300);
    let complete = client.close("delete", "Id\n").await;
    client.pass(1);
    assert_snapshot!(client.patch(&complete, "Aborted").await.refusal(), @r#"400 [{"errorCode":"INVALIDJOBSTATE","message":"Aborting already Completed Job not allowed"}]"#);
    assert_snapshot!(client.patch(&complete, "Open").await.refusal(), @r#"400 [{"errorCode":"INVALIDJOB","message":"Unsupported value for state: Open"}]"#);
    assert_eq!(client.delete(&complete).await.status, StatusCode::NO_CONTENT);
    assert_snapshot!(client.get(&complete).await.refusal(), @r#"404 [{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#);
}

#[tokio::test(start_paused = true)]
async fn a_look_at_anything_moves_the_jobs() {
    let client = Client::new(2);
    client.close("delete", &csv(client.leads())).await;
    client.pass(1);
    assert_eq!(client.sandbox.world().count("Lead"), 2);
    client.get("query").await;
    assert_eq!(client.sandbox.world().count("Lead"), 0);
}

#[tokio::test(start_paused = true)]
async fn only_its_creator_changes_a_job() {
    let client = Client::new(1);
    let other = client.other();
    let allow = |manage_data_integrations| {
        let permissions = Permissions { manage_data_integrations, ..Permissions::default() };
        client.sandbox.world().set_permissions(WorldBuilder::user_key(2), permissions);
    };
    allow(false);
    let job = client.open("delete").await;
    assert_snapshot!(other.patch(&job, "UploadComplete").await.refusal(), @r#"400 [{"errorCode":"INVALIDUSER","message":"The user who created the job must be the one who changes it"}]"#);
    assert_eq!(other.patch(&job, "Aborted").await.status, StatusCode::BAD_REQUEST);
    allow(true);
    assert_eq!(other.patch(&job, "UploadComplete").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(other.patch(&job, "Aborted").await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_job_can_come_with_its_data() {
    let client = Client::new(1);
    let lead = client.leads()[0];
    let body = format!(
        "--B\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name=\"job\"\r\n\r\n\
         {{\"object\":\"Lead\",\"operation\":\"delete\"}}\r\n--B\r\nContent-Type: text/csv\r\n\
         Content-Disposition: form-data; name=\"content\"; filename=\"content\"\r\n\r\nId\n{lead}\n\r\n--B--\r\n"
    );
    let created = client.send(Method::POST, "ingest", "multipart/form-data; boundary=B", body).await;
    assert_snapshot!(created.text, @r#"{"id":"750S00000000001IAA","operation":"delete","object":"Lead","createdById":"005S00000000001IAA","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"UploadComplete","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"lineEnding":"LF","columnDelimiter":"COMMA"}"#);
    client.pass(1);
    assert_eq!(client.get(&format!("ingest/{}", created.id())).await.json()["numberRecordsProcessed"], 1);
    assert!(!client.sandbox.world().exists(lead));
}

#[tokio::test(start_paused = true)]
async fn lists_jobs_a_thousand_at_a_time() {
    let client = Client::new(1);
    let one = client.open("delete").await;
    assert_snapshot!(client.get("ingest").await.text, @r#"{"done":true,"records":[{"id":"750S00000000001IAA","operation":"delete","object":"Lead","createdById":"005S00000000001IAA","createdDate":"2024-09-09T20:41:31.000+0000","systemModstamp":"2024-09-09T20:41:31.000+0000","state":"Open","concurrencyMode":"Parallel","contentType":"CSV","apiVersion":60.0,"jobType":"V2Ingest","contentUrl":"services/data/v60.0/jobs/ingest/750S00000000001IAA/batches","lineEnding":"LF","columnDelimiter":"COMMA"}],"nextRecordsUrl":null}"#);
    for _ in 0..1_000 {
        client.open("delete").await;
    }
    let first = client.get("ingest?jobType=V2Ingest").await.json();
    assert_eq!((first["records"].as_array().map(Vec::len), &first["done"]), (Some(1_000), &false.into()));
    let next = first["nextRecordsUrl"].as_str().expect("text").strip_prefix("/services/data/v60.0/jobs/").expect("ours");
    let second = client.get(next).await.json();
    assert_eq!((second["records"].as_array().map(Vec::len), &second["done"]), (Some(1), &true.into()));
    assert_eq!(client.get("ingest?jobType=Classic").await.json()["records"].as_array().map(Vec::len), Some(0));
    client.pass(8 * 24 * 3600);
    assert_eq!(client.get(&one).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn jobs_go_wrong_as_told() {
    let client = Client::new(600);
    let leads = client.leads();
    let create = "*/jobs/ingest";
    for effect in [Effect::LockRows { chunk: 2 }, Effect::FailJob { after: 400 }, Effect::OmitRows { rows: 10 }] {
        client.sandbox.add_fault(Fault::on("POST", create, effect).times(1));
    }
    let job = client.close("delete", &csv(&leads)).await;
    client.pass(9);
    let info = client.get(&job).await.json();
    assert_eq!((&info["state"], &info["numberRecordsProcessed"]), (&"Failed".into(), &400.into()));
    assert_eq!(client.get(&format!("{job}/successfulResults")).await.text.lines().count(), 191);
    let failed = client.get(&format!("{job}/failedResults")).await.text;
    assert_eq!(failed.lines().count(), 201);
    let line = failed.lines().nth(1).expect("a row");
    assert!(line.starts_with("\"\",\"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 200 records: "));
    assert!(line.contains(", ... (190 more):--\","));
    assert_eq!(client.get(&format!("{job}/unprocessedrecords")).await.text.lines().count(), 201);
    assert_eq!(client.sandbox.world().count("Lead"), 400);
}

#[tokio::test(start_paused = true)]
async fn the_batches_of_a_day_run_out() {
    let client = Client::with(1, |settings| settings.daily_batches = 1);
    let rows = (0..10_001).map(|row| format!("00QS00000{row:06}"));
    let job = client.close("delete", &csv(rows)).await;
    client.pass(60);
    let info = client.get(&job).await.json();
    assert_eq!((&info["state"], &info["numberRecordsProcessed"]), (&"Failed".into(), &10_000.into()));
    let refused = client.post("ingest", r#"{"object":"Lead","operation":"delete"}"#).await;
    assert_snapshot!(refused.refusal(), @r#"400 [{"errorCode":"EXCEEDEDQUOTA","message":"ApiBatchItems Limit exceeded."}]"#);
}
