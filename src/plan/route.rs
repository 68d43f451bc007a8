//! Which API takes a selection, in what groups, and why.

use serde::{Deserialize, Serialize};

use crate::manifest::Api;

/// How a policy's records are to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// The API.
    pub api: Api,
    /// The most records in one batch: what one request or one job carries.
    pub batch_size: u64,
    /// How many batches the selection makes.
    pub batches: u64,
    /// How many batches may be under way at once.
    pub parallel: u32,
    /// Whether a batch is atomic.
    pub atomic: bool,
    /// How many calls of the system's API this is expected to take, without polling.
    pub calls: u64,
    /// Why this API, for people only; apply never reads it.
    pub reason: String,
}

/// What one API of one system can do. Declared by the provider, judged by [`Route`] choice and validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteCapability {
    /// The API.
    pub api: Api,
    /// Puts records into a recycle bin.
    pub soft: bool,
    /// Deletes past any recycle bin.
    pub hard: bool,
    /// The most records a batch may carry.
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
    /// The system's name, as in manifests.
    pub system: &'static str,
    /// The routes, in order of preference.
    pub routes: &'static [RouteCapability],
    /// The most ids [`crate::provider::Provider::look`] takes at once.
    pub look_size: usize,
}
