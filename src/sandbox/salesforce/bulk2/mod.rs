//! Bulk API 2.0: jobs that delete rows from a CSV upload, and jobs that query.

mod dialect;
mod ingest_job;
mod job_info;
mod query_job;
mod routes;
mod upload;

pub(in crate::sandbox) use routes::{BulkState, routes};
