//! The sandbox with everything that vendors may do and seldom do; and that its seed replays all of it, byte for byte.

use std::io::Read as _;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value as Json, json};
use sexton::sandbox::{Client, RecordKey, Sandbox, Settings, Tenant, World, WorldBuilder, Worlds, fulcrum};
use tower::ServiceExt as _;

fn start() -> jiff::Timestamp {
    "2026-11-21T10:00:00Z".parse().expect("a moment")
}

/// A harsh sandbox with records in each system, and what was said so far.
struct Stage {
    sandbox: Sandbox,
    router: Router,
    token: String,
    transcript: String,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// What stands between two texts.
    fn between(&self, start: &str, end: &str) -> Vec<String> {
        let texts = self.text.split(start).skip(1).filter_map(|rest| rest.split_once(end));
        texts.map(|(text, _)| text.to_owned()).collect()
    }
}

/// How long an empty body is when it is compressed and printed.
const EMPTY: usize = 90;

const REFRESH_TOKEN: &str = "5Aep861first";

impl Stage {
    fn new(seed: u64) -> Self {
        let admin = WorldBuilder::user_key(1);
        let mut client = Client::confidential("sandbox-client", "sandbox-secret", admin);
        client.refresh_tokens.push((REFRESH_TOKEN.into(), admin));
        let mut world = World::builder().start(start()).seed(seed).harsh().client(client).build().expect("a world");
        world.generate("Lead", 2_500, 1).expect("known");
        world.generate("Task", 300, 2).expect("known");
        let mut worlds = Worlds::from(world);
        worlds.zuora.generate("Usage", 2_100, 3).expect("known");
        for number in 0..40 {
            worlds.fulcrum.insert("Testing App", [("title", format!("{number}").as_str().into())]).expect("known");
        }
        let sandbox = Sandbox::new(worlds, Settings::harsh(start(), seed));
        Self { router: sandbox.router(), token: sandbox.access_token(admin), sandbox, transcript: String::new() }
    }

    fn pass(&self, seconds: u64) {
        self.sandbox.clock().advance(Duration::from_secs(seconds));
    }

    /// Sends a request, and writes down all of its answer.
    async fn send(&mut self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let mut request = Request::builder().method(method).uri(path).header("host", "sandbox.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.router.clone().oneshot(request.body(Body::from(body.to_owned())).expect("valid")).await;
        let (parts, body) = answer.expect("infallible").into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("whole");
        self.transcript += &format!("{line}\n{:?} {:?}\n{bytes:?}\n", parts.status, parts.headers);
        let mut text = String::new();
        if parts.headers.get("content-encoding").is_some_and(|coding| coding == "gzip") {
            flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip");
        } else {
            text = String::from_utf8(bytes.to_vec()).expect("text");
        }
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// A request to Salesforce as the administrator.
    async fn ask(&mut self, line: &str, body: &str) -> Answer {
        let authorization = format!("Bearer {}", self.token);
        let content = if body.starts_with('{') { "application/json" } else { "text/csv" };
        let headers =
            [("authorization", authorization.as_str()), ("content-type", content), ("accept-encoding", "br, gzip")];
        self.send(line, &headers, body).await
    }

    async fn query(&mut self, resource: &str, statement: &str) -> Json {
        let statement: String = url::form_urlencoded::byte_serialize(statement.as_bytes()).collect();
        self.ask(&format!("GET /services/data/v66.0/{resource}?q={statement}"), "").await.json()
    }

    async fn ids(&mut self, statement: &str) -> Vec<String> {
        let found = self.query("query", statement).await;
        let records = found["records"].as_array().expect("records").iter();
        records.map(|record| record["Id"].as_str().expect("an id").to_owned()).collect()
    }

    /// Makes a Bulk API 2.0 job that deletes these, and gives its path once it has ended.
    async fn bulk2(&mut self, ids: &[String]) -> String {
        let job = json!({"object": "Lead", "operation": "delete", "lineEnding": "LF"}).to_string();
        let job = self.ask("POST /services/data/v66.0/jobs/ingest", &job).await.json();
        let path = format!("/services/data/v66.0/jobs/ingest/{}", job["id"].as_str().expect("an id"));
        self.ask(&format!("PUT {path}/batches"), &format!("Id\n{}\n", ids.join("\n"))).await;
        self.ask(&format!("PATCH {path}"), r#"{"state":"UploadComplete"}"#).await;
        self.pass(60);
        path
    }

    async fn zuora(&mut self, session: &str, operation: &str) -> Answer {
        let body = format!(
            "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' xmlns:z='http://api.zuora.com/'><e:Header>\
             <z:SessionHeader><z:session>{session}</z:session></z:SessionHeader></e:Header><e:Body>{operation}</e:Body></e:Envelope>"
        );
        self.send("POST /apps/services/a/78.0", &[("content-type", "text/xml")], &body).await
    }

    async fn fulcrum(&mut self, line: &str, body: Json) -> Json {
        let token = fulcrum::Organization::TOKEN;
        let headers = [("x-apitoken", token), ("content-type", "application/json"), ("accept", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(line, &headers, &body).await.json()
    }

    /// Every kind of request once, each with what the answers before it gave.
    async fn whole_script(&mut self) {
        let form = "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret";
        let encoded = [("content-type", "application/x-www-form-urlencoded")];
        let granted = self.send("POST /services/oauth2/token", &encoded, form).await.json();
        self.token = granted["access_token"].as_str().expect("a token").to_owned();
        let page = self.query("query", "SELECT Id, Name FROM Lead").await;
        self.ask(&format!("GET {}", page["nextRecordsUrl"].as_str().expect("a second page")), "").await;
        let leads = self.ids("SELECT Id FROM Lead LIMIT 300").await;
        self.ask(&format!("DELETE /services/data/v66.0/composite/sobjects?ids={}", leads[..100].join(",")), "").await;
        let job = self.bulk2(&leads[100..]).await;
        for part in ["", "/successfulResults", "/failedResults", "/unprocessedrecords"] {
            self.ask(&format!("GET {job}{part}"), "").await;
        }
        let query = json!({"operation": "query", "query": "SELECT Id FROM Lead"}).to_string();
        let job = self.ask("POST /services/data/v66.0/jobs/query", &query).await.json();
        self.pass(10);
        let job =
            format!("GET /services/data/v66.0/jobs/query/{}/results?maxRecords=1000", job["id"].as_str().expect("an id"));
        let page = self.ask(&job, "").await;
        let locator = page.headers["sforce-locator"].to_str().expect("text").to_owned();
        self.ask(&format!("{job}&locator={locator}"), "").await;
        let classic = json!({"operation": "delete", "object": "Lead", "contentType": "CSV"}).to_string();
        let classic = self.ask("POST /services/async/66.0/job", &classic).await.json();
        let classic = format!("/services/async/66.0/job/{}/batch", classic["id"].as_str().expect("an id"));
        self.ask(&format!("POST {classic}"), &format!("Id\n{}\n", leads[100..200].join("\n"))).await;
        self.pass(60);
        let batches = self.ask(&format!("GET {classic}"), "").await;
        let batch = batches.between("<id>", "</id>").remove(0);
        self.ask(&format!("GET {classic}/{batch}/result"), "").await;

        let (user, password) = (Tenant::USERNAME, Tenant::PASSWORD);
        let login = format!("<z:login><z:username>{user}</z:username><z:password>{password}</z:password></z:login>");
        let session = self.zuora("", &login).await.between("<ns1:Session>", "</").remove(0);
        let query = "<z:query><z:queryString>select Id from Usage</z:queryString></z:query>";
        let page = self.zuora(&session, query).await;
        let (locator, usage) = (page.between("<ns1:queryLocator>", "</").remove(0), page.between("<ns2:Id>", "</"));
        let more = format!("<z:queryMore><z:queryLocator>{locator}</z:queryLocator></z:queryMore>");
        self.zuora(&session, &more).await;
        let ids: String = usage[..50].iter().map(|id| format!("<z:ids>{id}</z:ids>")).collect();
        self.zuora(&session, &format!("<z:delete><z:type>Usage</z:type>{ids}</z:delete>")).await;

        let question = json!({"q": "SELECT _record_id FROM \"Testing App\"", "format": "json"});
        let found = self.fulcrum("POST /api/v2/query", question).await;
        let ids: Vec<Json> = found["rows"].as_array().expect("rows").iter().map(|row| row["_record_id"].clone()).collect();
        let form = self.sandbox.fulcrum().form("Testing App").expect("a form").id.clone();
        let operation = json!({"action": "delete", "resource": "record", "form_id": form, "ids": ids});
        let made = json!({"batch": {"start": false, "operations": [operation]}});
        let made = self.fulcrum("POST /api/v2/batch.json", made).await;
        let batch = made["batch"]["id"].as_str().expect("an id").to_owned();
        self.fulcrum(&format!("POST /api/v2/batch/{batch}/start.json"), Json::Null).await;
        self.pass(30);
        self.fulcrum(&format!("GET /api/v2/batch/{batch}.json"), Json::Null).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_and_the_same_requests_give_the_same_bytes_and_another_seed_gives_others() {
    let transcript = async |seed| {
        let mut stage = Stage::new(seed);
        stage.whole_script().await;
        stage.transcript
    };
    let (first, again, other) = (transcript(7).await, transcript(7).await, transcript(8).await);
    assert!(first == again, "the same seed gives something else");
    // Every body differs, but for those without anything in them.
    let pairs = first.lines().zip(other.lines()).filter(|(line, _)| line.starts_with("b\"") && line.len() > EMPTY);
    let same: Vec<&str> = pairs.filter(|(one, other)| one == other).map(|(one, _)| one).collect();
    assert_eq!(same, Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn rows_come_in_another_order_with_another_seed_unless_the_query_orders_them() {
    let orders = async |seed| {
        let mut stage = Stage::new(seed);
        let found = stage.ids("SELECT Id FROM Lead LIMIT 500").await;
        let ordered = stage.ids("SELECT Id FROM Lead ORDER BY Id LIMIT 500").await;
        assert!(ordered.is_sorted() && !found.is_sorted());
        // The ids differ from seed to seed, the places do not.
        found.iter().map(|id| ordered.iter().position(|other| other == id)).collect::<Vec<_>>()
    };
    assert_eq!(orders(3).await, orders(3).await);
    assert_ne!(orders(3).await, orders(4).await);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_jwts_and_a_refresh_token_is_good_for_one_sign_in() {
    let mut stage = Stage::new(7);
    assert!(stage.token.len() > 500 && stage.token.split('.').count() == 3, "{}", stage.token);
    let encoded = [("content-type", "application/x-www-form-urlencoded")];
    let form = |token: &str| format!("grant_type=refresh_token&client_id=sandbox-client&refresh_token={token}");
    let first = stage.send("POST /services/oauth2/token", &encoded, &form(REFRESH_TOKEN)).await.json();
    let next = first["refresh_token"].as_str().expect("the next one").to_owned();
    let used = stage.send("POST /services/oauth2/token", &encoded, &form(REFRESH_TOKEN)).await;
    assert_eq!((used.status, &used.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
    assert_eq!(stage.send("POST /services/oauth2/token", &encoded, &form(&next)).await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn answers_are_compressed_for_those_that_take_it() {
    let mut stage = Stage::new(7);
    let headers = |answer: &Answer| answer.headers.get("content-encoding").map(|coding| coding.as_bytes().to_vec());
    let answer = stage.ask("GET /services/data/v66.0/sobjects", "").await;
    assert_eq!((headers(&answer), answer.status), (Some(b"gzip".to_vec()), StatusCode::OK));
    let answer = stage.send("GET /services/data", &[("accept-encoding", "deflate")], "").await;
    assert_eq!(headers(&answer), None);
    assert!(answer.json().is_array());
}

#[tokio::test(start_paused = true)]
async fn some_records_are_locked_once_in_every_api() {
    let mut stage = Stage::new(7);
    let leads = stage.ids("SELECT Id FROM Lead LIMIT 600").await;
    let failed = |answer: &Answer| answer.text.matches("UNABLE_TO_LOCK_ROW").count();
    let call = format!("DELETE /services/data/v66.0/composite/sobjects?ids={}", leads[..200].join(","));
    let first = stage.ask(&call, "").await;
    assert!((1..100).contains(&failed(&first)), "{}", failed(&first));
    assert_eq!(failed(&stage.ask(&call, "").await), 0, "a later try finds them free");
    let job = stage.bulk2(&leads[200..400]).await;
    let first = stage.ask(&format!("GET {job}/failedResults"), "").await;
    assert!((1..100).contains(&failed(&first)), "{}", failed(&first));
}

#[tokio::test(start_paused = true)]
async fn counters_lag_results_come_in_batches_and_files_without_rows_are_empty() {
    let mut stage = Stage::new(7);
    let leads = stage.ids("SELECT Id FROM Lead LIMIT 500").await;
    let job = stage.bulk2(&leads).await;
    let told = stage.ask(&format!("GET {job}"), "").await.json();
    assert_eq!((&told["state"], &told["numberRecordsProcessed"]), (&json!("JobComplete"), &json!(497)));
    let successes = stage.ask(&format!("GET {job}/successfulResults"), "").await;
    let places: Vec<usize> = successes
        .text
        .lines()
        .skip(1)
        .map(|row| {
            let id = row.split('"').nth(1).expect("an id");
            leads.iter().position(|lead| lead == id).expect("sent")
        })
        .collect();
    assert!(!places.is_sorted(), "batches come in another order");
    let turns = places.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(turns < 10, "rows of a batch come in their order: {places:?}");
    for seed in 1..9 {
        let mut stage = Stage::new(seed);
        let job = stage.bulk2(&leads[..0]).await;
        let empty = stage.ask(&format!("GET {job}/unprocessedrecords"), "").await;
        assert_eq!(empty.text, "");
        assert!(matches!(empty.status, StatusCode::OK | StatusCode::NO_CONTENT));
    }
}

#[tokio::test(start_paused = true)]
async fn queries_and_counts_show_for_a_while_what_was_deleted() {
    let mut stage = Stage::new(7);
    stage.pass(60);
    let admin = WorldBuilder::user_key(1);
    let key = stage.sandbox.world().insert("ApexLog", [("Status", "Success".into())]).expect("known");
    let deletion = sexton::sandbox::Deletion { mode: sexton::sandbox::DeleteMode::Hard, all_or_none: true, user: admin };
    // Where it is locked at first, the second try deletes it.
    let gone = |stage: &Stage| stage.sandbox.world().delete(&[key.to_string()], deletion).remove(0);
    assert!(gone(&stage).or_else(|_| gone(&stage)).is_ok());
    assert!(!stage.sandbox.world().exists(key));
    let total = async |stage: &mut Stage, resource: &str, what: &str| {
        let found = stage.query(resource, &format!("SELECT {what} FROM ApexLog WHERE IsDeleted = false")).await;
        found["totalSize"].as_u64().expect("a number")
    };
    for (resource, what) in [("query", "Id"), ("query", "COUNT()"), ("queryAll", "Id")] {
        assert_eq!(total(&mut stage, resource, what).await, 1, "{resource} {what}");
    }
    stage.pass(30);
    for (resource, what) in [("query", "Id"), ("query", "COUNT()"), ("queryAll", "Id")] {
        assert_eq!(total(&mut stage, resource, what).await, 0, "{resource} {what}");
    }
}

#[tokio::test(start_paused = true)]
async fn some_objects_have_no_deleted_flag_and_some_no_bulk_jobs() {
    let mut stage = Stage::new(7);
    let refused = stage.query("query", "SELECT Id, IsDeleted FROM GroupMember").await;
    assert_eq!(refused[0]["errorCode"], "INVALID_FIELD");
    let described = stage.ask("GET /services/data/v66.0/sobjects/GroupMember/describe", "").await;
    assert!(!described.text.contains("IsDeleted"));
    for job in [
        json!({"object": "ApexLog", "operation": "delete"}),
        json!({"operation": "query", "query": "SELECT Id FROM ApexLog"}),
    ] {
        let kind = if job["object"].is_null() { "query" } else { "ingest" };
        let refused = stage.ask(&format!("POST /services/data/v66.0/jobs/{kind}"), &job.to_string()).await;
        assert_eq!(
            (refused.status, &refused.json()[0]["errorCode"]),
            (StatusCode::BAD_REQUEST, &json!("INVALIDENTITY")),
            "{kind}"
        );
    }
    let children = stage.ask("GET /services/data/v66.0/sobjects/Account/describe", "").await.json();
    let cascading = children["childRelationships"].as_array().expect("children").iter();
    assert!(cascading.filter(|child| child["cascadeDelete"] == true).count() >= 40);
}

#[tokio::test(start_paused = true)]
async fn counts_have_a_limit_and_archived_tasks_are_hidden() {
    let mut stage = Stage::new(7);
    let refused = stage.query("query", "SELECT COUNT() FROM Lead").await;
    assert!(refused[0]["errorCode"].is_string(), "{refused}");
    let (usual, all) =
        (stage.query("query", "SELECT Id FROM Task").await, stage.query("queryAll", "SELECT Id FROM Task").await);
    assert!(usual["totalSize"].as_u64() < all["totalSize"].as_u64());
}

#[tokio::test(start_paused = true)]
async fn a_fulcrum_batch_shows_its_total_late_and_what_it_deleted_is_shown_for_a_while() {
    let mut stage = Stage::new(7);
    let id = stage.sandbox.fulcrum().insert("Testing App", []).expect("known");
    let form = stage.sandbox.fulcrum().form("Testing App").expect("a form").id.clone();
    let operation = json!({"action": "delete", "resource": "record", "form_id": form, "ids": [id]});
    let made = stage.fulcrum("POST /api/v2/batch.json", json!({"batch": {"start": true, "operations": [operation]}})).await;
    assert_eq!(made["batch"]["objects_total"], 0);
    let batch = format!("GET /api/v2/batch/{}.json", made["batch"]["id"].as_str().expect("an id"));
    let count = |id: &str| json!({"q": format!("SELECT _record_id FROM \"Testing App\" WHERE _record_id = '{id}'"), "format": "json"});
    stage.pass(1);
    let told = stage.fulcrum(&batch, Json::Null).await;
    assert_eq!((&told["batch"]["status"], &told["batch"]["objects_total"]), (&json!("success"), &json!(0)));
    assert!(!stage.sandbox.fulcrum().exists(&id));
    assert_eq!(stage.fulcrum("POST /api/v2/query", count(&id)).await["rows"].as_array().expect("rows").len(), 1);
    stage.pass(60);
    assert_eq!(stage.fulcrum(&batch, Json::Null).await["batch"]["objects_total"], 1);
    assert_eq!(stage.fulcrum("POST /api/v2/query", count(&id)).await["rows"].as_array().expect("rows").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_zuora_record_is_locked_once_and_shown_for_a_while() {
    let mut stage = Stage::new(7);
    let (user, password) = (Tenant::USERNAME, Tenant::PASSWORD);
    let login = format!("<z:login><z:username>{user}</z:username><z:password>{password}</z:password></z:login>");
    let session = stage.zuora("", &login).await.between("<ns1:Session>", "</").remove(0);
    let query = "<z:query><z:queryString>select Id from Usage</z:queryString></z:query>";
    let usage = stage.zuora(&session, query).await.between("<ns2:Id>", "</");
    let ids: String = usage[..50].iter().map(|id| format!("<z:ids>{id}</z:ids>")).collect();
    let delete = format!("<z:delete><z:type>Usage</z:type>{ids}</z:delete>");
    let first = stage.zuora(&session, &delete).await;
    let locked = first.text.matches("LOCK_COMPETITION").count();
    assert!((1..25).contains(&locked), "{locked}");
    let (told, there) =
        (stage.zuora(&session, query).await.between("<ns1:size>", "</").remove(0), stage.sandbox.zuora().count("Usage"));
    assert!(told.parse::<u64>().expect("a number") > there);
    assert_eq!(stage.zuora(&session, &delete).await.text.matches("LOCK_COMPETITION").count(), 0);
    stage.pass(60);
    let (told, there) =
        (stage.zuora(&session, query).await.between("<ns1:size>", "</").remove(0), stage.sandbox.zuora().count("Usage"));
    assert_eq!(told.parse::<u64>(), Ok(there));
}

/// That the ids of a world do not depend on how many records others have.
#[test]
fn keys_are_in_the_order_of_creation_with_every_seed() {
    for seed in [0, 1, 77, u64::MAX] {
        let mut world = World::builder().seed(seed).build().expect("a world");
        let keys: Vec<RecordKey> = (0..70).map(|_| world.insert("Lead", []).expect("known")).collect();
        assert!(keys.is_sorted(), "{seed}");
    }
}
