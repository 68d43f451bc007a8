//! Which path goes where.

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use http::uri::PathAndQuery;
use http::{StatusCode, Uri};
use tower::ServiceExt;

use super::error::ApiError;
use super::{bulk2, gate};
use crate::sandbox::Sandbox;

impl Sandbox {
    /// The whole interface of the organization, as a service that can be called without a network.
    ///
    /// A response with the extension [`super::DroppedConnection`] stands for a connection that closed without an answer.
    pub fn router(&self) -> Router {
        let inner = Router::new()
            .nest("/services/data/{version}/jobs", bulk2::routes())
            .fallback(|| async { ApiError::not_found() })
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn_with_state(self.clone(), gate::pass))
            .with_state(self.clone());
        // Clients send paths that begin with two slashes; they must be mended before the router looks at them.
        Router::new().fallback(move |mut request: Request| {
            let inner = inner.clone();
            async move {
                if let Some(mended) = without_double_slashes(request.uri()) {
                    *request.uri_mut() = mended;
                }
                inner.oneshot(request).await
            }
        })
    }
}

async fn method_not_allowed(request: Request) -> impl IntoResponse {
    // The code is one that clients know, the text is a guess.
    let message = format!("HTTP Method '{}' not allowed. Allowed are HEAD,GET,PATCH,DELETE", request.method());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
}

fn without_double_slashes(uri: &Uri) -> Option<Uri> {
    let whole = uri.path_and_query()?.as_str();
    let trimmed = whole.trim_start_matches('/');
    if whole.len() - trimmed.len() < 2 {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("/{trimmed}")).ok()?);
    Uri::from_parts(parts).ok()
}
