//! What each system and each of its deletion APIs can do.

use super::{Api, SystemKind};
use crate::base::CallBudget;

/// What one API of one system can do. Judged by the choice of a route and by validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteCapability {
    /// The API.
    pub api: Api,
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
    /// The most batches worth having under way at once.
    pub parallel: u32,
    /// The calls one batch takes, without polling.
    pub calls_per_batch: u64,
    /// The largest selection this API is taken for by itself; `None` when it is taken for any size.
    pub preferred_up_to: Option<u64>,
}

/// What a system can do, as its provider declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The kind of system.
    pub system: SystemKind,
    /// The field that holds a record's key.
    pub key: &'static str,
    /// The field that moves with every change of a record; `None` where there is none.
    pub change_stamp: Option<&'static str>,
    /// How many calls the system takes in how long, where it says so; nothing goes faster.
    pub budget: Option<CallBudget>,
    /// The routes, in order of preference.
    pub routes: &'static [RouteCapability],
    /// The most records that one call gives of a selection.
    pub page_size: u64,
    /// The most ids a look at single records takes at once.
    pub presence_size: usize,
}
