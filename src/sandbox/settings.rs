//! What a sandbox is told when it starts.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Fault, ZuoraSettings};

/// How far a count gets in the two minutes that a query has, and what is said of one that does not get to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountLimit {
    /// The most rows that are counted.
    pub rows: u64,
    /// What is said of more.
    pub refusal: CountRefusal,
}

/// What is said of a count that does not get to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CountRefusal {
    /// That it ran for too long.
    QueryTimeout,
    /// That there is too much to look at.
    OperationTooLarge,
}

/// What a sandbox is told when it starts, besides its worlds. What does not name a system is about Salesforce.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The moment its clock shows first.
    pub start: Timestamp,
    /// How long a session lives without being used (documented default: two hours).
    pub session_lifetime: Duration,
    /// How many requests the organization may make in 24 hours.
    pub daily_requests: u64,
    /// How many batches bulk ingest jobs may use in 24 hours.
    pub daily_batches: u64,
    /// How many rows a second a bulk job deletes, by the sandbox's clock.
    pub bulk_rows_per_second: u64,
    /// How many rows a second a bulk query writes, by the sandbox's clock.
    pub bulk_query_rows_per_second: u64,
    /// The most bytes of data one bulk job takes. Documented as 150 MB after base64, "about 100 MB" before it.
    pub bulk_upload_bytes: usize,
    /// The most rows on one page of a bulk query's results.
    pub bulk_page_rows: usize,
    /// Whether batches of Bulk API 1.0 that run side by side keep each other from the parents of their rows.
    pub bulk_lock_contention: bool,
    /// Whether a composite call that was undone shows the other records of the failed collection as deleted even where the
    /// collection asked for all or none itself. Documented where it did not; unknown where it did.
    pub composite_hides_rollback: bool,
    /// Whether users may log in by SOAP. New organizations do not let them (documented).
    pub soap_login: bool,
    /// How far counts get; nothing bounds them unless it is said.
    pub count_limit: Option<CountLimit>,
    /// What share of an object's records the approximate count tells, in percent: it is some time old (documented).
    pub record_count_percent: u64,
    /// How the Zuora tenant behaves.
    pub zuora: ZuoraSettings,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

impl Settings {
    /// The usual settings: nothing goes wrong, and the limits are those of a full sandbox organization (documented).
    pub fn starting_at(start: Timestamp) -> Self {
        Self {
            start,
            session_lifetime: Duration::from_secs(7_200),
            daily_requests: 5_000_000,
            daily_batches: 15_000,
            bulk_rows_per_second: 100_000,
            bulk_query_rows_per_second: 1_000_000,
            bulk_upload_bytes: 100 << 20,
            bulk_page_rows: 250_000,
            bulk_lock_contention: false,
            composite_hides_rollback: false,
            soap_login: true,
            count_limit: None,
            record_count_percent: 100,
            zuora: ZuoraSettings::default(),
            faults: Vec::new(),
        }
    }
}
