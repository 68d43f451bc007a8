//! Refusals as this interface words them: an object, in the format of the request.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::answer::{Field, Format, object};
use crate::sandbox::salesforce::error::ApiError;

/// Puts every refusal of a request for this interface in its words, those of the gate among them.
pub(in crate::sandbox::salesforce) async fn reword(request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/services/async/") {
        return next.run(request).await;
    }
    let format = Format::asked(request.headers()).unwrap_or(Format::Xml);
    let mut response = next.run(request).await;
    let Some(error) = response.extensions_mut().remove::<ApiError>() else { return response };
    let (code, message) = match (error.code(), error.message()) {
        // Recorded.
        ("INVALID_SESSION_ID", _) => ("InvalidSessionId", "Invalid session id"),
        // The codes are documented for similar cases.
        ("REQUEST_LIMIT_EXCEEDED", message) => ("ExceededQuota", message),
        ("API_DISABLED_FOR_ORG", _) => ("FeatureNotEnabled", "Async API not enabled"),
        ("UNSUPPORTED_API_VERSION", message) => ("InvalidVersion", message),
        ("NOT_FOUND" | "METHOD_NOT_ALLOWED", _) => ("InvalidUrl", "Destination URL not valid"),
        known => known,
    };
    let fields =
        vec![("exceptionCode", Field::Text(code.to_owned())), ("exceptionMessage", Field::Text(message.to_owned()))];
    // Nearly all are 400 (recorded); what asks to come back later keeps its status.
    let status =
        if response.status() == StatusCode::TOO_MANY_REQUESTS { response.status() } else { StatusCode::BAD_REQUEST };
    let reworded = object(status, format, "error", &fields);
    // The headers of the gate stay.
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    *response.body_mut() = reworded.into_body();
    response
}
