//! A job as the service shows it: one JSON object whose keys come in a fixed order.

use jiff::Timestamp;
use serde::Serialize;

use super::dialect::Dialect;
use crate::sandbox::RecordKey;
use crate::sandbox::salesforce::error::moment;

/// Where a job is in its life, in the service's words. Source: documented and recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum JobState {
    /// An ingest job that takes data.
    Open,
    /// Closed for data, not begun.
    UploadComplete,
    /// At work.
    InProgress,
    /// Every row was tried; rows may have failed all the same.
    JobComplete,
    /// The service gave up. What it did before stays done.
    Failed,
    /// Somebody gave up. What was done before stays done.
    Aborted,
}

impl JobState {
    /// Nothing can happen to the job any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::JobComplete | Self::Failed | Self::Aborted)
    }
}

/// What ingest and query jobs have in common from their creation on.
#[derive(Clone, Debug)]
pub struct JobHead {
    /// The job's own identifier, with the prefix `750`.
    pub id: RecordKey,
    /// `delete`, `hardDelete`, `query` or `queryAll`.
    pub operation: &'static str,
    /// The object's name as the definitions spell it.
    pub object: String,
    /// Who made it.
    pub created_by: RecordKey,
    /// When it was made.
    pub created: Timestamp,
    /// When its state last moved.
    pub modified: Timestamp,
    /// As in the path of the creating request, such as `66.0`.
    pub api_version: String,
    /// How its CSV is written.
    pub dialect: Dialect,
}

/// The JSON object. Its fields stand in the recorded order; absent ones are left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobInfo<'a> {
    id: String,
    operation: &'a str,
    object: &'a str,
    created_by_id: String,
    created_date: String,
    system_modstamp: String,
    state: JobState,
    concurrency_mode: &'a str,
    content_type: &'a str,
    api_version: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_ending: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column_delimiter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_records_processed: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_records_failed: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_processing_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_active_processing_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apex_processing_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_pk_chunking_supported: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
}

impl<'a> JobInfo<'a> {
    /// The shortest form, with which a change of state is answered.
    pub fn new(head: &'a JobHead, state: JobState) -> Self {
        Self {
            id: head.id.to_string(),
            operation: head.operation,
            object: &head.object,
            created_by_id: head.created_by.to_string(),
            created_date: moment(head.created),
            system_modstamp: moment(head.modified),
            state,
            // Always this word: the mode is reserved and cannot be chosen in 2.0. Source: documented.
            concurrency_mode: "Parallel",
            content_type: "CSV",
            // Documented as text, recorded as a number with a decimal point.
            api_version: head.api_version.parse().unwrap_or_default(),
            job_type: None,
            content_url: None,
            line_ending: None,
            column_delimiter: None,
            number_records_processed: None,
            number_records_failed: None,
            retries: None,
            total_processing_time: None,
            api_active_processing_time: None,
            apex_processing_time: None,
            is_pk_chunking_supported: None,
            error_message: None,
        }
    }

    /// Adds how the data is written.
    pub fn with_dialect(mut self, dialect: Dialect) -> Self {
        self.line_ending = Some(dialect.ending.name());
        self.column_delimiter = Some(dialect.delimiter.name());
        self
    }

    /// Adds the kind of job, `V2Ingest` or `V2Query`.
    pub fn with_type(mut self, job_type: &'a str) -> Self {
        self.job_type = Some(job_type);
        self
    }

    /// Adds where data goes: neither host nor leading slash. Source: recorded.
    pub fn with_content_url(mut self, head: &JobHead) -> Self {
        self.content_url = Some(format!("services/data/v{}/jobs/ingest/{}/batches", head.api_version, head.id));
        self
    }

    /// Adds how long the job has been at work, in milliseconds.
    pub fn with_times(mut self, total: u64, active: Option<u64>) -> Self {
        self.retries = Some(0);
        self.total_processing_time = Some(total);
        self.api_active_processing_time = active;
        self.apex_processing_time = active.map(|_| 0);
        self
    }

    /// Adds the number of rows tried, the failed ones among them.
    pub fn with_processed(mut self, processed: usize) -> Self {
        self.number_records_processed = Some(processed);
        self
    }

    /// Adds the number of rows that failed.
    pub fn with_failed(mut self, failed: usize) -> Self {
        self.number_records_failed = Some(failed);
        self
    }

    /// Adds that the query could have been cut by primary keys.
    pub fn with_chunking(mut self) -> Self {
        self.is_pk_chunking_supported = Some(true);
        self
    }

    /// Adds why the job failed.
    pub fn with_error(mut self, message: Option<&'a str>) -> Self {
        self.error_message = message;
        self
    }
}
