//! What a system and each of its deletion APIs can do.

use super::{Api, ApiShape, DeleteMode, SystemKind};
use crate::base::CallBudget;

/// What one deletion API can do. The choice of a route and validation read it, and the provider keeps to it.
///
/// **Invariant**: of `batch_size` and `atomic_size` at least one is not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteCapability {
    /// The API.
    pub api: Api,
    /// How it takes records.
    pub shape: ApiShape,
    /// Puts records into a recycle bin.
    pub soft: bool,
    /// Deletes past any recycle bin.
    pub hard: bool,
    /// The most records a batch may carry that is not atomic; 0 when every request is.
    pub batch_size: u64,
    /// The most records that can go in one atomic request; 0 when none.
    pub atomic_size: u64,
    /// Whether the user may ask for one batch at a time.
    pub serial: bool,
    /// Whether a batch can be a query over its records.
    pub takes_queries: bool,
    /// The most batches that are worth having under way at once.
    pub parallel: u32,
    /// The calls that one batch takes, without polling.
    pub calls_per_batch: u64,
    /// The largest selection for which this API is preferred; `None` for any size.
    pub preferred_up_to: Option<u64>,
}

impl RouteCapability {
    /// Whether it can delete in that way.
    pub fn deletes(&self, delete: DeleteMode) -> bool {
        match delete {
            DeleteMode::Soft => self.soft,
            DeleteMode::Hard => self.hard,
        }
    }
}

/// What a system can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The kind of system.
    pub system: SystemKind,
    /// The field that holds a record's key.
    pub key: &'static str,
    /// The field that changes whenever a record does; `None` if there is none.
    pub change_stamp: Option<&'static str>,
    /// The call budget, if the system has one; no more calls are made.
    pub budget: Option<CallBudget>,
    /// The routes, in order of preference.
    pub routes: &'static [RouteCapability],
    /// The most records that one call gives of a selection.
    pub page_size: u64,
    /// The most ids that one check of presence takes.
    pub presence_size: usize,
}
