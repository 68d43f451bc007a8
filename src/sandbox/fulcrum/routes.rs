//! Which path goes where.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, any, get, post};

use super::error::ApiError;
use super::{batches, forms, query, records, users};
use crate::sandbox::Sandbox;

/// The largest body of a request that is read: a batch of 10,000 ids has about 400 kB.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// The whole interface. Paths are answered with `.json` at their end and without it (client).
pub(in crate::sandbox) fn routes() -> Router<Sandbox> {
    let both = |router: Router<Sandbox>, path: &str, methods: MethodRouter<Sandbox>| {
        router.route(path, methods.clone()).route(&format!("{path}.json"), methods)
    };
    let router = Router::new()
        .route("/api/v2/query", get(query::get).post(query::post))
        .route("/api/v2/forms/{id}", get(forms::read))
        .route("/api/v2/records/{id}", get(records::read).delete(records::delete))
        .route("/api/v2/batch/{id}", get(batches::read));
    let router = both(router, "/api/v2/users", get(users::read));
    let router = both(router, "/api/v2/forms", get(forms::list));
    let router = both(router, "/api/v2/records", get(records::list));
    let router = both(router, "/api/v2/batch", get(batches::list).post(batches::create));
    let router = both(router, "/api/v2/batch/{id}/operations", post(batches::append));
    both(router, "/api/v2/batch/{id}/start", post(batches::start))
        .route("/api/v2/{*path}", any(|| async { ApiError::not_found() }))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}
