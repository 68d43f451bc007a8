//! Bulk API 2.0: jobs that delete rows from a CSV upload, and jobs that query.

mod dialect;
mod faults;
#[cfg(test)]
mod http_tests;
mod ingest;
mod ingest_job;
mod ingest_result;
#[cfg(test)]
mod ingest_tests;
mod job_info;
mod list;
mod query;
mod query_job;
#[cfg(test)]
mod query_tests;
mod request;
mod routes;
mod upload;

pub(super) use faults::JobFaults;
pub(super) use ingest_job::IngestJob;
pub(super) use job_info::JobHead;
pub(super) use query_job::CheckedQuery;
pub(super) use request::may_abort_any;
pub(super) use routes::routes;
