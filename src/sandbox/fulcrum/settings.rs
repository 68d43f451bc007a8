//! The vendor's limits, and the choices its documents leave open.

use std::time::Duration;

use jiff::Timestamp;

/// How the simulated Fulcrum behaves.
#[derive(Clone, Debug)]
pub struct FulcrumSettings {
    /// How many calls a user may make in an hour (documented: 5,000, Query API included).
    pub hourly_calls: usize,
    /// How many records a second a started batch deletes, by the sandbox's clock.
    pub batch_records_per_second: u64,
    /// How long a new batch says that it affects no objects, before it has counted them (guess).
    pub batch_counting: Duration,
    /// How long queries show what was deleted (guess).
    pub query_lag: Duration,
    /// What a batch does with ids that are no records of its form (undocumented).
    pub foreign_ids: ForeignIds,
    /// Whether a batch that has not begun or ended shows the moment as `null`. Otherwise it is absent, as in the documented sample.
    pub null_times: bool,
}

/// What a batch does with ids that are no records of its form: gone ones, and those of other forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignIds {
    /// They count as objects and are passed over.
    Counted,
    /// They are left out.
    Dropped,
    /// The batch is not created.
    Refused,
}

impl Default for FulcrumSettings {
    fn default() -> Self {
        Self {
            hourly_calls: 5_000,
            batch_records_per_second: 5_000,
            batch_counting: Duration::ZERO,
            query_lag: Duration::ZERO,
            foreign_ids: ForeignIds::Counted,
            null_times: false,
        }
    }
}

impl FulcrumSettings {
    /// Until when queries show what is deleted at a moment.
    pub(super) fn shown_until(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.query_lag).unwrap_or(Timestamp::MAX)
    }
}
