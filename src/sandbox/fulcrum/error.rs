//! What goes wrong, as the vendor says it.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// An answer that is not the one that was asked for.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    body: Value,
    retry_after: Option<u64>,
}

impl ApiError {
    fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body, retry_after: None }
    }

    /// 400 (documented).
    pub(super) fn bad_request() -> Self {
        Self::new(StatusCode::BAD_REQUEST, json!({ "error": "Bad Request", "status": 400 }))
    }

    /// A query that the database refuses, in its words. The body is documented, the status is a guess.
    pub(super) fn sql(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, json!({ "error": message }))
    }

    /// What the vendor has and the sandbox does not, named.
    pub(super) fn gap(what: &str) -> Self {
        let message =
            format!("The sandbox does not serve {what}: this is a gap of the sandbox, not a mistake of the request.");
        Self::new(StatusCode::NOT_IMPLEMENTED, json!({ "error": message }))
    }

    /// 401 (documented).
    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, json!({ "error": "Unauthorized" }))
    }

    /// The role does not allow it. That clients know 403 is recorded, the rest is a guess.
    pub(super) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, json!({ "error": "Forbidden" }))
    }

    /// 404 with an empty object (documented).
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, json!({}))
    }

    /// `Accept` is missing or wrong (status documented, body a guess).
    pub(super) fn not_acceptable() -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, json!({}))
    }

    /// Something of a resource is wrong. The form is documented for other resources.
    pub(super) fn invalid(resource: &str, field: &str, message: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, json!({ resource: { "errors": { field: [message] } } }))
    }

    /// The body is no JSON. The form is documented for webhooks: here `errors` is a text.
    pub(super) fn invalid_json(resource: &str) -> Self {
        let message = "Invalid JSON structure. The request body must be JSON, and its type application/json.";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, json!({ resource: { "errors": message } }))
    }

    /// Too many calls. That clients know 429 is recorded; the body is a guess, and so is `Retry-After`.
    pub(super) fn too_many_requests(retry_after: Option<u64>) -> Self {
        let body = json!({ "error": "Rate limit exceeded" });
        Self { retry_after, ..Self::new(StatusCode::TOO_MANY_REQUESTS, body) }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
