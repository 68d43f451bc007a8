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
    /// What everything that is drawn comes from: the ids of jobs, batches and cursors, tokens, which rows are locked, and the order of rows
    /// where the vendor promises none. With 0 that order is the one of the keys. The same seed and the same requests give the same answers,
    /// byte for byte.
    pub seed: u64,
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
    /// Whether the first deletion of some records, in Salesforce and in Zuora, finds them locked by somebody else.
    pub row_locks: bool,
    /// By how many rows the counters of every bulk job lag behind its results (seen by clients).
    pub lagging_rows: u64,
    /// Whether the results of a Bulk API 2.0 job come batch by batch, in another order than they were uploaded, and so many rows are in a
    /// batch. The service cuts batches of 10,000 (documented) and promises no order.
    pub result_batches: Option<usize>,
    /// Whether a result file without rows is answered with 204, or has not even a header (both seen by clients).
    pub empty_result_files: bool,
    /// Whether answers come compressed to a client that takes that.
    pub gzip: bool,
    /// How long a connection may be idle before the server closes it.
    pub idle_connection: Duration,
    /// Whether access tokens are JWTs: long, with dots, and without the organization at their beginning. A connected app may ask for them
    /// (documented).
    pub jwt_access_tokens: bool,
    /// Whether Bulk API 1.0 takes them. Not documented: guess.
    pub bulk1_takes_jwts: bool,
    /// Whether a refresh token is good for one sign-in, whose answer has the next one. A connected app may ask for that (documented).
    pub rotates_refresh_tokens: bool,
    /// How long queries show a deleted record as it was, and counts count it. No vendor documents it: guess.
    pub query_lag: Duration,
    /// How long a Fulcrum batch says that it is about no records (guess); what the organization's own settings say unless this is longer.
    pub fulcrum_counting: Duration,
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
            seed: 0,
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
            row_locks: false,
            lagging_rows: 0,
            result_batches: None,
            empty_result_files: false,
            gzip: false,
            idle_connection: Duration::from_secs(30),
            jwt_access_tokens: false,
            bulk1_takes_jwts: true,
            rotates_refresh_tokens: false,
            query_lag: Duration::ZERO,
            fulcrum_counting: Duration::ZERO,
            zuora: ZuoraSettings::default(),
            faults: Vec::new(),
        }
    }
    /// Everything that vendors may do and seldom do, at once; a seed draws the rest. The world that goes with it is
    /// [`super::WorldBuilder::harsh`].
    pub fn harsh(start: Timestamp, seed: u64) -> Self {
        let mut settings = Self::starting_at(start);
        settings.make_harsh(seed);
        settings
    }

    /// Turns on what [`Self::harsh`] does, and leaves the rest as it is.
    pub(in crate::sandbox) fn make_harsh(&mut self, seed: u64) {
        let refusal = if seed.is_multiple_of(2) { CountRefusal::QueryTimeout } else { CountRefusal::OperationTooLarge };
        self.seed = seed;
        self.count_limit = Some(CountLimit { rows: 200, refusal });
        self.record_count_percent = 95;
        self.bulk_lock_contention = true;
        self.row_locks = true;
        self.lagging_rows = 3;
        self.result_batches = Some(50);
        self.empty_result_files = true;
        self.gzip = true;
        self.idle_connection = Duration::from_secs(1);
        self.jwt_access_tokens = true;
        self.rotates_refresh_tokens = true;
        self.query_lag = Duration::from_secs(20);
        self.fulcrum_counting = Duration::from_secs(20);
    }
}
