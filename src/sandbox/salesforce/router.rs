//! Which path goes where.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use http::uri::PathAndQuery;
use http::{StatusCode, Uri};
use tower::ServiceExt;

use super::error::ApiError;
use super::{bulk2, collections, describe, directory, gate, login, query, record};
use crate::sandbox::Sandbox;

impl Sandbox {
    /// The whole interface of the organization, as a service that can be called without a network.
    ///
    /// A response with the extension [`super::DroppedConnection`] stands for a connection that closed without an answer.
    pub fn router(&self) -> Router {
        let inner = Router::new()
            .route("/services/oauth2/token", post(login::token))
            .route("/services/oauth2/revoke", post(login::revoke))
            .route("/services/oauth2/userinfo", get(login::userinfo).post(login::userinfo))
            .route("/id/{organization}/{user}", get(login::identity))
            .route("/services/data", get(directory::versions))
            .nest("/services/data/{version}", data_routes())
            .nest("/services/data/{version}/jobs", bulk2::routes())
            .fallback(|| async { ApiError::not_found() })
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn_with_state(self.clone(), gate::pass))
            .with_state(self.clone());
        // Clients send paths that begin with two slashes or end in one; the router must not see either.
        Router::new().fallback(move |mut request: Request| {
            let inner = inner.clone();
            async move {
                if let Some(mended) = mended(request.uri()) {
                    *request.uri_mut() = mended;
                }
                inner.oneshot(request).await
            }
        })
    }
}

/// The largest body of a request that is read at once.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

fn data_routes() -> Router<Sandbox> {
    Router::new()
        .route("/", get(directory::resources))
        .route("/query", get(query::query))
        .route("/queryAll", get(query::query_all))
        .route("/query/{locator}", get(query::next_page))
        .route("/limits", get(directory::limits))
        .route("/limits/recordCount", get(directory::record_count))
        .route("/sobjects", get(describe::list))
        .route("/sobjects/{object}", get(describe::brief).post(record::create))
        .route("/sobjects/{object}/describe", get(describe::whole))
        .route("/sobjects/{object}/{id}", get(record::read).delete(record::delete).patch(record::change))
        .route("/composite/sobjects", delete(collections::delete))
        .route("/composite/sobjects/{object}", post(collections::read))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

async fn method_not_allowed(request: Request) -> impl IntoResponse {
    // The code is one that clients know, the text is a guess.
    let message = format!("HTTP Method '{}' not allowed. Allowed are HEAD,GET,PATCH,DELETE", request.method());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
}

/// The same address without doubled slashes at its beginning or a slash at the end of its path; nothing if it has neither.
fn mended(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let trimmed = format!("/{}", path.trim_matches('/'));
    if trimmed == path {
        return None;
    }
    let whole = match uri.query() {
        Some(query) => format!("{trimmed}?{query}"),
        None => trimmed,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(whole).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mends_slashes_and_nothing_else() {
        let mend = |text: &str| mended(&text.parse().expect("valid")).map(|uri| uri.to_string());
        assert_eq!(mend("//services/data/?q=//a/"), Some("/services/data?q=//a/".to_owned()));
        assert_eq!(mend("http://h:1/a/"), Some("http://h:1/a".to_owned()));
        assert_eq!(mend("/a/b?c=d/"), None);
        assert_eq!(mend("/"), None);
    }
}
