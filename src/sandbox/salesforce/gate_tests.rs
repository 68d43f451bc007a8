//! What every request passes, and logging in.

use std::io::Write;
use std::time::Duration;

use axum::body::Body;
use base64::Engine;
use http::Method;
use serde_json::json;

use super::testing::Tester;
use crate::sandbox::{Effect, Fault, Permissions, RequestRecord};

const EXPIRED: &str = r#"401 [{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#;
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn token(tester: &Tester, form: &str) -> String {
    let headers = [(FORM.0, FORM.1.to_owned())];
    tester.raw(Method::POST, "/services/oauth2/token", &headers, form.to_owned()).await.shown()
}

#[tokio::test(start_paused = true)]
async fn versions_need_no_login_and_do_not_count() {
    let tester = Tester::new();
    let answer = tester.raw(Method::GET, "/services/data/", &[], Body::empty()).await;
    assert!(answer.shown().starts_with(r#"200 [{"label":"Summer '14","url":"/services/data/v31.0","version":"31.0"},"#));
    assert!(answer.text.ends_with(r#"{"label":"Winter '27","url":"/services/data/v68.0","version":"68.0"}]"#));
    assert!(answer.headers.get("sforce-limit-info").is_none());
    let counted = tester.get("/limits").await;
    assert_eq!(counted.headers.get("sforce-limit-info").expect("there"), "api-usage=1/5000000");
    assert!(tester.get("").await.text.contains(r#""query":"/services/data/v66.0/query""#));
}

#[tokio::test(start_paused = true)]
async fn retired_versions_are_gone_and_future_ones_unknown() {
    let tester = Tester::new();
    let headers = [("authorization", format!("Bearer {}", tester.token))];
    for (version, status) in [("v30.0", 410), ("v31.0", 200), ("v68.0", 200), ("v69.0", 404), ("v66", 404), ("66.0", 404)] {
        let answer = tester.raw(Method::GET, &format!("/services/data/{version}/limits"), &headers, Body::empty()).await;
        assert_eq!(answer.status, status, "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_when_it_is_not_used() {
    let tester = Tester::new();
    let missing = tester.raw(Method::GET, "/services/data/v66.0/limits", &[], Body::empty()).await;
    assert_eq!(missing.shown(), EXPIRED);
    for _ in 0..3 {
        tester.sandbox.clock().advance(Duration::from_secs(599));
        assert_eq!(tester.get("/limits").await.status, 200, "use renews it");
    }
    tester.sandbox.clock().advance(Duration::from_secs(600));
    assert_eq!(tester.get("/limits").await.shown(), EXPIRED);
}

#[tokio::test(start_paused = true)]
async fn a_fault_can_end_a_session() {
    let tester = Tester::new();
    tester.sandbox.add_fault(Fault::on("GET", "*", Effect::ExpireSession).nth(2));
    assert_eq!(tester.get("/limits").await.status, 200);
    assert_eq!(tester.get("/limits").await.shown(), EXPIRED);
    assert_eq!(tester.get("/limits").await.shown(), EXPIRED);
}

#[tokio::test(start_paused = true)]
async fn the_day_has_a_budget() {
    let tester = Tester::with(|settings| settings.daily_requests = 2);
    let codes = [tester.get("/limits").await.status, tester.get("/nothing").await.status];
    assert_eq!(codes, [200, 404]);
    assert_eq!(
        tester.get("/limits").await.shown(),
        r#"403 [{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#
    );
    tester.sandbox.clock().advance(Duration::from_secs(86_400));
    let user = tester.sandbox.world().first_user();
    let tomorrow = Tester { token: tester.sandbox.access_token(user), sandbox: tester.sandbox };
    assert_eq!(tomorrow.get("/limits").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_user_without_the_permission_is_refused() {
    let tester = Tester::new();
    let user = tester.sandbox.world().first_user();
    tester.sandbox.world().set_permissions(user, Permissions { api_enabled: false, ..Permissions::default() });
    assert_eq!(
        tester.get("/limits").await.shown(),
        r#"403 [{"message":"The REST API is not enabled for this Organization.","errorCode":"API_DISABLED_FOR_ORG"}]"#
    );
}

#[tokio::test(start_paused = true)]
async fn long_addresses_are_refused_before_anything_else() {
    let tester = Tester::new();
    let path = |length: usize| {
        let start = "/services/data/v66.0/query?q=";
        format!("{start}{}", "x".repeat(length - start.len()))
    };
    let status = async |length, headers: &[(&str, String)]| {
        tester.raw(Method::GET, &path(length), headers, Body::empty()).await.status
    };
    assert_eq!(status(16_384, &[]).await, 431, "the host header is too much already");
    assert_eq!(status(16_385, &[]).await, 414);
    assert_eq!(status(16_000, &[]).await, 401);
    assert_eq!(status(16_000, &[("x-padding", "x".repeat(400))]).await, 431);
}

#[tokio::test(start_paused = true)]
async fn packed_request_bodies_are_unpacked() {
    let tester = Tester::new();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(br#"{"LastName":"Packed"}"#).expect("memory");
    let headers = [("authorization", format!("Bearer {}", tester.token)), ("content-encoding", "gzip".to_owned())];
    let body = packer.finish().expect("memory");
    let answer = tester.raw(Method::POST, "/services/data/v66.0/sobjects/Lead", &headers, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let lead = tester.sandbox.world().ids("Lead").next().expect("made");
    assert_eq!(tester.sandbox.world().value(lead, "LastName"), Some("Packed".into()));
}

#[tokio::test(start_paused = true)]
async fn faults_answer_drop_delay_and_cut() {
    let tester = Tester::new();
    let leads: Vec<_> = (0..3).map(|_| tester.add("Lead", &[])).collect();
    let respond =
        Effect::Respond { status: 502, content_type: Some("text/html".into()), body: "<p>".into(), retry_after: Some(7) };
    let faults = [
        respond,
        Effect::Unavailable { retry_after: None },
        Effect::TooManyRequests { retry_after: Some(2) },
        Effect::ConcurrentLimit,
        Effect::DropBefore,
        Effect::DropAfter,
    ];
    for (number, effect) in faults.into_iter().enumerate() {
        tester.sandbox.add_fault(Fault::on("DELETE", "*/sobjects/Lead/*", effect).nth(number as u64 + 1));
    }
    let path = format!("/sobjects/Lead/{}", leads[0]);
    let answer = tester.delete(&path).await;
    assert_eq!((answer.shown().as_str(), &answer.headers["retry-after"]), ("502 <p>", &http::HeaderValue::from(7)));
    assert!(tester.delete(&path).await.shown().starts_with("503 <html>"));
    assert_eq!(tester.delete(&path).await.headers["retry-after"], "2");
    assert!(tester.delete(&path).await.shown().contains("ConcurrentRequests"));
    assert_eq!(tester.delete(&path).await.text, "dropped");
    assert!(tester.sandbox.world().exists(leads[0]), "dropped before it was done");
    assert_eq!(tester.delete(&path).await.text, "dropped");
    assert!(tester.sandbox.world().in_bin(leads[0]), "dropped after it was done");

    let whole = tester.get("/limits/recordCount").await.text;
    tester.sandbox.clear_faults();
    tester.sandbox.add_fault(Fault::on("GET", "*", Effect::Truncate { bytes: 10 }).nth(1));
    tester.sandbox.add_fault(Fault::on("GET", "*", Effect::Cut { bytes: 10 }).nth(2));
    tester.sandbox.add_fault(Fault::on("GET", "*", Effect::Delay { milliseconds: 5_000 }).nth(3));
    let cut = tester.get("/limits/recordCount").await;
    assert_eq!((cut.text.as_str(), cut.headers.get("content-length")), (&whole[..10], None));
    let broken = tester.get("/limits/recordCount").await;
    assert_eq!(broken.text, format!("{}…broken", &whole[..10]));
    let before = tokio::time::Instant::now();
    assert_eq!(tester.get("/limits/recordCount").await.text, whole);
    assert_eq!(before.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn remembers_what_was_asked_without_the_values() {
    let tester = Tester::new();
    tester.sandbox.add_fault(Fault::on("DELETE", "*", Effect::DropBefore));
    tester.query("SELECT Id FROM Lead WHERE Email = 'somebody'").await;
    tester.delete("/composite/sobjects?ids=a,b&allOrNone=true").await;
    let record = |method: &str, path: &str, shape: &str, status| RequestRecord {
        method: method.into(),
        path: format!("/services/data/v66.0{path}"),
        query_shape: shape.into(),
        operation: None,
        status,
    };
    assert_eq!(
        tester.sandbox.requests(),
        [record("GET", "/query", "q", Some(200)), record("DELETE", "/composite/sobjects", "ids,allOrNone", None)]
    );
    assert_eq!(tester.sandbox.request_counts()["DELETE"], 1);
}

#[tokio::test(start_paused = true)]
async fn client_credentials_give_a_token_that_works() {
    let mut tester = Tester::new();
    let answer = token(&tester, "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret").await;
    let json: serde_json::Value = serde_json::from_str(answer.strip_prefix("200 ").expect("granted")).expect("JSON");
    let names: Vec<&str> = answer.split('"').filter(|part| json.get(part).is_some()).collect();
    assert_eq!(names, ["access_token", "instance_url", "id", "token_type", "issued_at", "signature", "scope"]);
    assert_eq!(json["instance_url"], "http://sandbox.test");
    assert_eq!(json["id"], "http://sandbox.test/id/00DS00000000001MAA/005S00000000001IAA");
    assert_eq!(json["issued_at"], "1795255200000");
    tester.token = json["access_token"].as_str().expect("text").to_owned();
    assert!(tester.token.starts_with("00DS00000000001!"));
    assert_eq!(tester.get("/limits").await.status, 200);
    let bearer = [("authorization", format!("Bearer {}", tester.token))];
    let identity = tester.raw(Method::GET, "/id/00DS00000000001MAA/005S00000000001IAA", &bearer, Body::empty()).await;
    assert!(identity.text.contains(r#""organization_id":"00DS00000000001MAA""#), "{}", identity.text);
    assert!(identity.text.contains(r#""username":"admin@sandbox.example""#));
    let info = tester.raw(Method::GET, "/services/oauth2/userinfo", &bearer, Body::empty()).await;
    assert!(info.text.contains(r#""preferred_username":"admin@sandbox.example""#));
    let form = format!("token={}", url::form_urlencoded::byte_serialize(tester.token.as_bytes()).collect::<String>());
    assert_eq!(tester.raw(Method::POST, "/services/oauth2/revoke", &[], form).await.shown(), "200 ");
    assert_eq!(tester.get("/limits").await.shown(), EXPIRED);
    let identity = tester.raw(Method::GET, "/id/00DS00000000001MAA/005S00000000001IAA", &bearer, Body::empty()).await;
    assert_eq!(identity.shown(), "403 Bad_OAuth_Token");
}

#[tokio::test(start_paused = true)]
async fn credentials_may_come_in_the_header() {
    let tester = Tester::new();
    let basic = base64::engine::general_purpose::STANDARD.encode("sandbox-client:sandbox-secret");
    let headers = [(FORM.0, FORM.1.to_owned()), ("authorization", format!("Basic {basic}"))];
    let answer = tester.raw(Method::POST, "/services/oauth2/token", &headers, "grant_type=client_credentials").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test(start_paused = true)]
async fn refuses_logins_in_the_recorded_words() {
    let tester = Tester::new();
    let refusal = |error: &str, text: &str| format!(r#"400 {{"error":"{error}","error_description":"{text}"}}"#);
    for (form, error, text) in [
        ("grant_type=client_credentials&client_id=x&client_secret=y", "invalid_client_id", "client identifier invalid"),
        (
            "grant_type=client_credentials&client_id=sandbox-client&client_secret=y",
            "invalid_client",
            "invalid client credentials",
        ),
        ("grant_type=client_credentials&client_id=sandbox-client", "invalid_client", "invalid client credentials"),
        (
            "grant_type=refresh_token&client_id=sandbox-client&refresh_token=x",
            "invalid_grant",
            "expired access/refresh token",
        ),
        ("grant_type=password&username=a&password=b", "unsupported_grant_type", "grant type not supported"),
        ("", "unsupported_grant_type", "grant type not supported"),
    ] {
        assert_eq!(token(&tester, form).await, refusal(error, text), "{form}");
    }
}

#[tokio::test(start_paused = true)]
async fn seeds_bring_clients_users_and_settings() {
    let yaml = "
organization: { id: 00D000000000001EAA, name: Acme, isSandbox: false }
users:
- { username: ada@acme.example, permissions: { hardDelete: true, deleteDenied: [Account] } }
- { username: bob@acme.example, active: false }
clients:
- { id: one, secret: hush, runAs: ada@acme.example, refreshTokens: [{ token: again, user: ada@acme.example }] }
- { id: two, secret: hush, runAs: bob@acme.example }
settings: { dailyRequests: 77 }
";
    let seed = crate::sandbox::seed::Seed::from_files(vec![("world.yaml".into(), yaml.into())]).expect("valid");
    let (world, settings) = seed.build("2026-11-21T10:00:00Z".parse().expect("valid")).expect("consistent");
    let sandbox = crate::sandbox::Sandbox::new(world, settings);
    let tester = Tester { sandbox, token: String::new() };
    assert!(token(&tester, "grant_type=client_credentials&client_id=one&client_secret=hush").await.starts_with("200"));
    assert!(
        token(&tester, "grant_type=refresh_token&client_id=one&refresh_token=again").await.contains("api refresh_token")
    );
    assert!(
        token(&tester, "grant_type=client_credentials&client_id=two&client_secret=hush").await.contains("inactive user")
    );
    assert_eq!(tester.sandbox.settings().daily_requests, 77);
    let shown = format!("{:?} {:?}", tester.sandbox, tester.sandbox.world());
    assert!(!shown.contains("hush") && !shown.contains("again"), "a secret shows in debug output");
}

/// A key pair made for this test alone.
const PRIVATE_KEY: &str = include_str!("testdata/jwt_private.pem");
const PUBLIC_KEY: &str = include_str!("testdata/jwt_public.pem");

#[tokio::test(start_paused = true)]
async fn assertions_are_checked_against_the_public_key() {
    let start: jiff::Timestamp = "2026-11-21T10:00:00Z".parse().expect("valid");
    let user = crate::sandbox::WorldBuilder::user_key(1);
    let client = crate::sandbox::Client {
        public_key_pem: Some(PUBLIC_KEY.to_owned()),
        ..crate::sandbox::Client::confidential("jwt-client", "unused", user)
    };
    let world = crate::sandbox::World::builder().start(start).client(client).build().expect("consistent");
    let sandbox = crate::sandbox::Sandbox::new(world, crate::sandbox::Settings::starting_at(start));
    let tester = Tester { sandbox, token: String::new() };
    let ask = async |issuer: &str, subject: &str, audience: &str, expires: i64| {
        let claims = json!({ "iss": issuer, "sub": subject, "aud": audience, "exp": expires });
        let key = jsonwebtoken::EncodingKey::from_rsa_pem(PRIVATE_KEY.as_bytes()).expect("a key");
        let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
        let assertion = jsonwebtoken::encode(&header, &claims, &key).expect("signed");
        token(&tester, &format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={assertion}")).await
    };
    let soon = start.as_second() + 180;
    let (client, admin, login) = ("jwt-client", "admin@sandbox.example", "https://login.salesforce.com");
    assert!(ask(client, admin, login, soon).await.starts_with("200"));
    assert!(ask(client, admin, "http://sandbox.test", soon).await.starts_with("200"));
    assert!(ask("other", admin, login, soon).await.contains("client identifier invalid"));
    assert!(ask(client, "nobody", login, soon).await.contains("user hasn't approved this consumer"));
    assert!(ask(client, admin, "https://example.com", soon).await.contains("audience is invalid"));
    assert!(ask(client, admin, login, start.as_second()).await.contains("expired authorization code"));
    assert!(ask(client, admin, login, soon * 1_000).await.contains("expired authorization code"));
    let forged = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=a.b.c";
    assert!(token(&tester, forged).await.contains("invalid assertion"));
}
