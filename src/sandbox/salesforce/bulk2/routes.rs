//! Which path below `/services/data/{version}/jobs` goes where.

use axum::Router;
use axum::routing::{get, put};

use super::{ingest, query};
use crate::sandbox::Sandbox;

/// The routes.
pub(in crate::sandbox) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/ingest", get(ingest::list).post(ingest::create))
        .route("/ingest/{id}", get(ingest::info).patch(ingest::change).delete(ingest::remove))
        .route("/ingest/{id}/batches", put(ingest::upload))
        .route("/ingest/{id}/{file}", get(ingest::results))
        .route("/query", get(query::list).post(query::create))
        .route("/query/{id}", get(query::info).patch(query::change).delete(query::remove))
        .route("/query/{id}/results", get(query::results))
        .route("/query/{id}/resultPages", get(query::result_pages))
        .route("/query/{id}/resultpages", get(query::result_pages))
}
