//! Which path goes where.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use http::StatusCode;

use super::error::ApiError;
use super::{bulk1, bulk2, collections, composite, describe, directory, gate, identity, introspect, login, query, record};
use super::{replication, soap_login};
use crate::sandbox::Sandbox;

/// The whole interface of the organization.
pub(in crate::sandbox) fn router(sandbox: &Sandbox) -> Router<Sandbox> {
    Router::new()
        .route("/services/oauth2/token", post(login::token))
        .route("/services/oauth2/revoke", post(login::revoke))
        .route("/services/oauth2/userinfo", get(identity::userinfo).post(identity::userinfo))
        .route("/services/oauth2/introspect", post(introspect::introspect))
        .route("/id/{organization}/{user}", get(identity::identity))
        .route("/services/data", get(directory::versions))
        .nest("/services/data/{version}", data_routes())
        .nest("/services/data/{version}/jobs", bulk2::routes())
        .nest("/services/async/{version}", bulk1::routes())
        .route("/services/Soap/u/{version}", post(soap_login::call))
        .fallback(|| async { ApiError::not_found() })
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(sandbox.clone(), gate::pass))
        .layer(from_fn(bulk1::reword))
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
        .route("/sobjects/{object}/deleted", get(replication::deleted))
        .route("/sobjects/{object}/updated", get(replication::updated))
        .route("/sobjects/{object}/{id}", get(record::read).delete(record::delete).patch(record::change))
        .route("/composite", post(composite::composite))
        .route("/composite/sobjects", delete(collections::delete))
        .route("/composite/sobjects/{object}", post(collections::read))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

async fn method_not_allowed(request: Request) -> impl IntoResponse {
    // The code is one that clients know, the text is a guess.
    let message = format!("HTTP Method '{}' not allowed. Allowed are HEAD,GET,PATCH,DELETE", request.method());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
}
