//! Which path below `/services/data/{version}/jobs` goes where.

use axum::Router;
use axum::routing::{MethodRouter, get, put};

use super::ingest;
use crate::sandbox::Sandbox;

/// The routes. Every path may end with a slash. Source: documented with and without.
pub(in crate::sandbox) fn routes() -> Router<Sandbox> {
    let paths: [(&str, MethodRouter<Sandbox>); 4] = [
        ("/ingest", get(ingest::list).post(ingest::create)),
        ("/ingest/{id}", get(ingest::info).patch(ingest::change).delete(ingest::remove)),
        ("/ingest/{id}/batches", put(ingest::upload)),
        ("/ingest/{id}/{file}", get(ingest::results)),
    ];
    paths
        .into_iter()
        .fold(Router::new(), |router, (path, method)| router.route(path, method.clone()).route(&format!("{path}/"), method))
}
