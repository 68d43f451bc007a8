//! What is known of Fulcrum without asking an organization.

use std::time::Duration;

use super::{Api, ApiShape, Capabilities, JobAbort, JobShape, JobStart, RouteCapability, SystemKind};

/// The column of a record's id (documented).
pub const KEY: &str = "_record_id";
/// The most records of one batch (documented).
pub const BATCH_MOST_IDS: u64 = 10_000;
/// The most rows of one answer of the Query API (documented).
pub const LARGEST_PAGE: usize = 20_000;
/// The most ids of one check of presence. They make a statement of 40 KB.
pub const PRESENCE_MOST_IDS: usize = 1_000;
/// How long the calls of a target are counted. The system counts them by the hour and by the user, queries among them (documented),
/// where they arrive, and they do not all take equally long on their way: hence a little longer.
pub const BUDGET_WINDOW: Duration = Duration::from_secs(60 * 60 + 5);

/// The Batch API.
pub(super) const BATCH: RouteCapability = RouteCapability {
    api: Api::FulcrumBatch,
    // A batch is created with its records and `start: false`, waits, and cannot be stopped once it was started (documented).
    shape: ApiShape::Jobs(JobShape {
        starts: JobStart::ByStart,
        may_be_loaded_again: true,
        may_be_aborted: JobAbort::BeforeStart,
    }),
    // There is no way to take a deletion back (documented by its absence).
    soft: false,
    hard: true,
    batch_size: BATCH_MOST_IDS,
    atomic_size: 0,
    serial: true,
    takes_queries: true,
    // Nothing is documented; a second one runs while the records of the first are checked.
    parallel: 2,
    // Create, compare, start, and ten checks of presence with two calls each.
    calls_per_batch: 23,
    preferred_up_to: None,
};

/// What Fulcrum can do.
pub const CAPABILITIES: Capabilities = Capabilities {
    system: SystemKind::Fulcrum,
    key: KEY,
    // The server's own time; `_updated_at` is a device's (documented).
    change_stamp: Some("_server_updated_at"),
    // A target has its own.
    budget: None,
    routes: &[BATCH],
    page_size: LARGEST_PAGE as u64,
    presence_size: PRESENCE_MOST_IDS,
};
