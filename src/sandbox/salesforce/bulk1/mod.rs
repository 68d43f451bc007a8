//! Bulk API 1.0: jobs that delete or read rows in batches, each batch by itself, over XML, JSON and CSV.

mod answer;
mod batch;
mod data;
#[cfg(test)]
mod http_tests;
mod job;
mod jobs;
#[cfg(test)]
mod lock_tests;
mod locks;
mod query;
#[cfg(test)]
mod query_tests;
mod request;
mod result;
mod reword;
mod routes;

pub(super) use jobs::ClassicJobs;
pub(super) use reword::reword;
pub(super) use routes::routes;

use crate::sandbox::salesforce::error::ApiError;

/// A refusal in the words of this interface, where the status is always 400 (recorded).
fn refusal(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(http::StatusCode::BAD_REQUEST, code, message)
}
