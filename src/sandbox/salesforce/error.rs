//! Error bodies: an array of one, always.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::{Serialize, Serializer};

/// A whole request that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct ApiError {
    status: StatusCode,
    code: String,
    message: String,
    fields: Option<Vec<String>>,
    code_first: bool,
}

#[derive(Serialize)]
struct MessageFirst<'a> {
    message: &'a str,
    #[serde(rename = "errorCode")]
    error_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<&'a [String]>,
}

#[derive(Serialize)]
struct CodeFirst<'a> {
    #[serde(rename = "errorCode")]
    error_code: &'a str,
    message: &'a str,
}

impl ApiError {
    /// An error in the key order of the REST API: `message`, `errorCode` (recorded).
    pub(in crate::sandbox) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), fields: None, code_first: false }
    }

    /// An error in the key order of the Bulk API: `errorCode`, `message` (recorded).
    pub(in crate::sandbox) fn bulk(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { code_first: true, ..Self::new(status, code, message) }
    }

    /// The same, naming fields; an empty list is shown as one.
    #[must_use]
    pub(in crate::sandbox) fn with_fields(mut self, fields: &[&str]) -> Self {
        self.fields = Some(fields.iter().map(|field| (*field).to_owned()).collect());
        self
    }

    /// 404 for whatever is not there (documented text).
    pub(in crate::sandbox) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "The requested resource does not exist")
    }

    /// 401 (recorded text).
    pub(in crate::sandbox) fn session() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "INVALID_SESSION_ID", "Session expired or invalid")
    }

    /// 403 when the day's requests are used up (recorded text).
    pub(in crate::sandbox) fn daily_limit() -> Self {
        Self::new(StatusCode::FORBIDDEN, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    }

    /// 403 for too many long requests at once (recorded text).
    pub(in crate::sandbox) fn concurrent_limit() -> Self {
        let message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
        Self::new(StatusCode::FORBIDDEN, "REQUEST_LIMIT_EXCEEDED", message)
    }

    /// 400 for a body that is no JSON ([guess] at the text).
    pub(in crate::sandbox) fn json(error: &serde_json::Error) -> Self {
        let message = format!("Unexpected character at [line:{}, column:{}]", error.line(), error.column());
        Self::new(StatusCode::BAD_REQUEST, "JSON_PARSER_ERROR", message)
    }

    /// The status.
    pub(in crate::sandbox) fn status(&self) -> StatusCode {
        self.status
    }

    /// The vendor's code.
    pub(in crate::sandbox) fn code(&self) -> &str {
        &self.code
    }

    /// The vendor's words.
    pub(in crate::sandbox) fn message(&self) -> &str {
        &self.message
    }
}

impl Serialize for ApiError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (error_code, message) = (self.code.as_str(), self.message.as_str());
        if self.code_first {
            return [CodeFirst { error_code, message }].serialize(serializer);
        }
        [MessageFirst { message, error_code, fields: self.fields.as_deref() }].serialize(serializer)
    }
}

/// The response carries the error in its extensions too, for interfaces that word it in another way.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = json(self.status, &self);
        response.extensions_mut().insert(self);
        response
    }
}

/// JSON in the vendor's media type.
pub(in crate::sandbox) fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    json_response(status, serde_json::to_vec(body))
}

/// JSON that is written already, in the vendor's media type.
pub(in crate::sandbox) fn json_response(status: StatusCode, body: Result<Vec<u8>, serde_json::Error>) -> Response {
    match body {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, "application/json;charset=UTF-8")], Body::from(bytes)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A moment as JSON answers write it: `2024-09-09T20:41:31.000+0000` (recorded).
pub(in crate::sandbox) fn moment(moment: jiff::Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}
