//! What a sandbox is told when it starts.

use std::time::Duration;

use jiff::Timestamp;

use super::Fault;

/// What a sandbox is told when it starts, besides its world.
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
    /// How many rows a second a bulk job works through, by the sandbox's clock.
    pub bulk_rows_per_second: u64,
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
            faults: Vec::new(),
        }
    }
}
