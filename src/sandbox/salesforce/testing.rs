//! What the tests of this folder share: a sandbox and somebody logged in to it.

use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Method, Request};
use tower::ServiceExt;

use crate::sandbox::{DroppedConnection, RecordKey, Sandbox, Settings, Value, World};

/// A sandbox, and the administrator logged in to it.
pub(super) struct Tester {
    pub sandbox: Sandbox,
    pub token: String,
}

/// What came back. The text of a dropped connection is `dropped`, a body that broke off ends in `…broken`.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// Status and body, for comparisons.
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.status, self.text)
    }
}

impl Tester {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(settle: impl FnOnce(&mut Settings)) -> Self {
        let start = "2026-11-21T10:00:00Z".parse().expect("valid");
        let world = World::builder().start(start).build().expect("consistent");
        let mut settings = Settings { session_lifetime: Duration::from_secs(600), ..Settings::starting_at(start) };
        settle(&mut settings);
        let sandbox = Sandbox::new(world, settings);
        let user = sandbox.world().first_user();
        let token = sandbox.access_token(user);
        Self { sandbox, token }
    }

    pub(super) fn add(&self, object: &str, fields: &[(&str, Value)]) -> RecordKey {
        self.sandbox.world().insert(object, fields.iter().cloned()).expect("known fields")
    }

    /// A request below `/services/data/v66.0`.
    pub(super) async fn send(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let headers = [("authorization", format!("Bearer {}", self.token)), ("content-type", "application/json".to_owned())];
        self.raw(method, &format!("/services/data/v66.0{path}"), &headers, body).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Body::empty()).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, Body::empty()).await
    }

    pub(super) async fn query(&self, text: &str) -> Answer {
        let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        self.get(&format!("/query?q={text}")).await
    }

    pub(super) async fn raw(&self, method: Method, path: &str, headers: &[(&str, String)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "sandbox.test");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(body.into()).expect("valid");
        let response = self.sandbox.router().oneshot(request).await.expect("infallible");
        if response.extensions().get::<DroppedConnection>().is_some() {
            return Answer { status: 0, headers: HeaderMap::new(), text: "dropped".to_owned() };
        }
        let (parts, body) = response.into_parts();
        let mut chunks = body.into_data_stream();
        let mut text = Vec::new();
        while let Some(chunk) = futures::StreamExt::next(&mut chunks).await {
            match chunk {
                Ok(bytes) => text.extend(bytes),
                Err(_) => text.extend("…broken".as_bytes()),
            }
        }
        Answer { status: parts.status.as_u16(), headers: parts.headers, text: String::from_utf8(text).expect("text") }
    }
}
