//! Holds that are set while a run is under way.

use async_trait::async_trait;
use jiff::Timestamp;

use super::recheck::Recheck;
use crate::base::{CommandError, PolicyName};
use crate::store::SortedRows;

/// Reads the holds again while a run goes on. One reading serves every policy.
#[async_trait(?Send)]
pub trait HoldWatch: Send + Sync {
    /// When the first reading of the run began.
    fn begun(&self) -> Timestamp;

    /// Whether what was read at that moment is too old for something new to be sent.
    async fn is_old(&self, read: Timestamp) -> bool;

    /// Rechecks a policy that has waited since then and has sent nothing yet: its matches and the holds of now.
    ///
    /// # Errors
    ///
    /// When they cannot be read. Nothing of the policy may then be sent.
    async fn recheck(&self, policy: &PolicyName) -> Result<Recheck, CommandError>;

    /// The planned records of a policy that are held by now, by id with the word of the cause, and when they were read; `None`
    /// while the reading of that moment is young enough.
    ///
    /// # Errors
    ///
    /// When the holds cannot be read. Nothing new may then be sent.
    async fn held_since(
        &self,
        policy: &PolicyName,
        read: Timestamp,
    ) -> Result<Option<(Timestamp, SortedRows)>, CommandError>;
}
