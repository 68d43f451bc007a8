//! What one request or one job carries.

use crate::base::{PolicyName, RecordId};
use crate::system::{Api, DeleteMode};

/// What one request or one job carries: records of one object, to be deleted in one way.
///
/// It names its records by their place in a round's ids file and does not hold them, so that a job of millions costs no
/// memory.
///
/// **Invariants**: `count` is at least 1 and at most the route's batch size; the ids of the round never change once a
/// batch of it has been journalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Counts the batches of a policy over all rounds, from 0; never used twice, also not for the same records.
    pub number: u64,
    /// Which round's ids file: 0 is what the recheck cleared, each later one what is to be sent again.
    pub round: u32,
    /// The place of the first record in that file, from 0.
    pub first: u64,
    /// How many records.
    pub count: u64,
}

/// Gives a batch's ids, a window at a time, in the order in which they are sent.
///
/// Reading is repeatable: the same positions always give the same ids.
pub trait IdSource: Send + Sync {
    /// How many ids the batch has.
    fn count(&self) -> u64;

    /// Reads up to `most` ids from position `first` (from 0, within the batch) on.
    ///
    /// # Errors
    ///
    /// When the ids cannot be read back; nothing may then be sent.
    fn read(&self, first: u64, most: usize) -> std::io::Result<Vec<RecordId>>;
}

/// What is the same for every batch of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchSpecification {
    /// The policy.
    pub policy: PolicyName,
    /// The object.
    pub object: String,
    /// Into the recycle bin or past it.
    pub delete: DeleteMode,
    /// The API.
    pub api: Api,
    /// Whether a batch is atomic.
    pub atomic: bool,
    /// Whether the system is to run batches one at a time.
    pub serial: bool,
    /// What a record must still match when the batch runs, for a policy whose batches are queries.
    pub matching: Option<String>,
}
