//! Which path below `/services/data/{version}/jobs` goes where.

use axum::Router;

use crate::sandbox::Sandbox;

/// The jobs of an organization.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct BulkState {}

/// The routes of jobs.
pub(in crate::sandbox) fn routes() -> Router<Sandbox> {
    Router::new()
}
