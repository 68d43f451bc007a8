//! What the tests of this folder share.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value as Json, json};
use tower::ServiceExt;

use super::Value;
use crate::sandbox::{DroppedConnection, Sandbox, Settings, World};

/// The example form that the tests delete from.
pub(super) const TESTING_APP: &str = "6b1c2f0a-35d7-4c7e-9b0e-2f6f1a8d4c03";

pub(super) struct Tester {
    pub sandbox: Sandbox,
    pub token: &'static str,
}

impl Tester {
    pub(super) fn new() -> Self {
        let start = "2026-11-21T10:00:00Z".parse().expect("valid");
        let world = World::builder().start(start).build().expect("consistent");
        Self { sandbox: Sandbox::new(world, Settings::starting_at(start)), token: "sandbox-token" }
    }

    /// Adds a record to the Testing App, under this id.
    pub(super) fn add(&self, id: &str, values: &[(&str, Value)]) {
        let values = [("_record_id", id.into())].into_iter().chain(values.iter().cloned());
        self.sandbox.fulcrum().insert("Testing App", values).expect("known columns");
    }

    pub(super) fn pass(&self, milliseconds: u64) {
        self.sandbox.clock().advance(Duration::from_millis(milliseconds));
    }

    /// Status and body; `dropped` where there is none.
    pub(super) async fn raw(&self, request: Request<Body>) -> (u16, String) {
        let response = self.sandbox.router().oneshot(request).await.expect("infallible");
        if response.extensions().get::<DroppedConnection>().is_some() {
            return (0, "dropped".to_owned());
        }
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("whole");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    pub(super) async fn send(&self, method: Method, path: &str, body: Option<Json>) -> (u16, String) {
        let request = Request::builder().method(method).uri(format!("/api/v2/{path}"));
        let request = request.header("x-apitoken", self.token).header("accept", "application/json");
        let request = request.header("content-type", "application/json");
        self.raw(request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).expect("valid")).await
    }

    /// Status and JSON, null where there is none.
    pub(super) async fn get(&self, path: &str) -> (u16, Json) {
        let (status, text) = self.send(Method::GET, path, None).await;
        (status, serde_json::from_str(&text).unwrap_or(Json::Null))
    }

    pub(super) async fn post(&self, path: &str, body: Option<Json>) -> (u16, Json) {
        let (status, text) = self.send(Method::POST, path, body).await;
        (status, serde_json::from_str(&text).unwrap_or(Json::Null))
    }

    pub(super) async fn query(&self, text: &str) -> (u16, Json) {
        self.post("query", Some(json!({ "q": text, "format": "json" }))).await
    }

    /// Creates a batch of these ids in the Testing App.
    pub(super) async fn create(&self, start: bool, ids: &[&str]) -> (u16, Json) {
        let operation = json!({ "action": "delete", "resource": "record", "form_id": TESTING_APP, "ids": ids });
        self.post("batch.json", Some(json!({ "batch": { "start": start, "operations": [operation] } }))).await
    }

    /// Status, total and success of the only batch.
    pub(super) async fn progress(&self) -> String {
        let (_, body) = self.get("batch").await;
        let batch = &body["batches"][0];
        let text = format!("{} {} {}", batch["status"], batch["objects_total"], batch["objects_success"]);
        text.replace('"', "")
    }
}
