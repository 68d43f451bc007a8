//! Which path below `/services/data/{version}/jobs` goes where.

use axum::Router;
use axum::routing::{get, put};

use super::ingest;
use crate::sandbox::Sandbox;

/// The routes.
pub(in crate::sandbox) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/ingest", get(ingest::list).post(ingest::create))
        .route("/ingest/{id}", get(ingest::info).patch(ingest::change).delete(ingest::remove))
        .route("/ingest/{id}/batches", put(ingest::upload))
        .route("/ingest/{id}/{file}", get(ingest::results))
}
