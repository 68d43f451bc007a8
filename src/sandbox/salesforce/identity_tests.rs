//! Who somebody is, and what a token is good for.

use std::time::Duration;

use axum::body::Body;
use http::Method;
use insta::assert_snapshot;

use super::testing::{Answer, Tester};

async fn get(tester: &Tester, path: &str) -> Answer {
    let headers = [("authorization", format!("Bearer {}", tester.token))];
    tester.raw(Method::GET, path, &headers, Body::empty()).await
}

async fn introspect(tester: &Tester, secret: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
    let token: String = url::form_urlencoded::byte_serialize(tester.token.as_bytes()).collect();
    let form = format!("token={token}&token_type_hint=access_token&client_id=sandbox-client&client_secret={secret}");
    tester.raw(Method::POST, "/services/oauth2/introspect", &headers, form).await
}

#[tokio::test(start_paused = true)]
async fn the_list_of_resources_says_who_asks() {
    let tester = Tester::new();
    let resources = tester.get("/").await;
    let body: serde_json::Value = serde_json::from_str(&resources.text).expect("JSON");
    let identity = body["identity"].as_str().expect("an address");
    let path = identity.strip_prefix("http://sandbox.test").expect("the sandbox itself");
    let answer = get(&tester, path).await;
    assert_snapshot!(answer.shown(), @r#"200 {"active":true,"addr_city":null,"addr_country":null,"addr_state":null,"addr_street":null,"addr_zip":null,"asserted_user":true,"display_name":"Sandbox Administrator","email":"admin@sandbox.example","email_verified":true,"first_name":"Sandbox","id":"http://sandbox.test/id/00DS00000000001MAA/005S00000000001IAA","is_app_installed":true,"is_lightning_login_user":false,"language":"en_US","last_modified_date":"2026-11-21T10:00:00.000+0000","last_name":"Administrator","locale":"en_US","mobile_phone":null,"mobile_phone_verified":false,"nick_name":"admin","organization_id":"00DS00000000001MAA","photos":{"picture":"http://sandbox.test/profilephoto/005/F","thumbnail":"http://sandbox.test/profilephoto/005/T"},"status":{"body":null,"created_date":null},"timezone":"GMT","urls":{"custom_domain":"http://sandbox.test","partner":"http://sandbox.test/services/Soap/u/{version}/00DS00000000001","profile":"http://sandbox.test/005S00000000001IAA","query":"http://sandbox.test/services/data/v{version}/query/","rest":"http://sandbox.test/services/data/v{version}/","sobjects":"http://sandbox.test/services/data/v{version}/sobjects/"},"user_id":"005S00000000001IAA","user_type":"STANDARD","username":"admin@sandbox.example","utcOffset":0}"#);
}

#[tokio::test(start_paused = true)]
async fn userinfo_is_whole() {
    let tester = Tester::new();
    assert_snapshot!(get(&tester, "/services/oauth2/userinfo").await.shown(), @r#"200 {"active":true,"address":{},"email":"admin@sandbox.example","email_verified":true,"family_name":"Administrator","given_name":"Sandbox","is_app_installed":true,"language":"en_US","locale":"en_US","name":"Sandbox Administrator","nickname":"admin","organization_id":"00DS00000000001MAA","photos":{"picture":"http://sandbox.test/profilephoto/005/F","thumbnail":"http://sandbox.test/profilephoto/005/T"},"picture":"http://sandbox.test/profilephoto/005/F","preferred_username":"admin@sandbox.example","profile":"http://sandbox.test/005S00000000001IAA","sub":"http://sandbox.test/id/00DS00000000001MAA/005S00000000001IAA","updated_at":"2026-11-21T10:00:00.000+0000","urls":{"custom_domain":"http://sandbox.test","partner":"http://sandbox.test/services/Soap/u/{version}/00DS00000000001","profile":"http://sandbox.test/005S00000000001IAA","query":"http://sandbox.test/services/data/v{version}/query/","rest":"http://sandbox.test/services/data/v{version}/","sobjects":"http://sandbox.test/services/data/v{version}/sobjects/"},"user_id":"005S00000000001IAA","user_type":"STANDARD","utcOffset":0,"zoneinfo":"GMT"}"#);
    let stranger = tester.raw(Method::GET, "/services/oauth2/userinfo", &[], Body::empty()).await;
    assert_eq!(stranger.shown(), "403 Missing_OAuth_Token");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_active_until_it_ends_and_looking_does_not_renew_it() {
    let tester = Tester::new();
    assert_snapshot!(introspect(&tester, "sandbox-secret").await.shown(), @r#"200 {"active":true,"client_id":"sandbox-client","exp":1795255800,"iat":1795255200,"nbf":1795255200,"scope":"api","sub":"http://sandbox.test/id/00DS00000000001MAA/005S00000000001IAA","token_type":"access_token","username":"admin@sandbox.example"}"#);
    assert_eq!(introspect(&tester, "wrong").await.status, 400);
    for _ in 0..2 {
        tester.sandbox.clock().advance(Duration::from_secs(299));
        assert!(introspect(&tester, "sandbox-secret").await.text.contains("\"active\":true"));
    }
    tester.sandbox.clock().advance(Duration::from_secs(2));
    assert_eq!(introspect(&tester, "sandbox-secret").await.shown(), r#"200 {"active":false}"#);
}
