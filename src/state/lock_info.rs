//! Who holds the lock.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who holds the lock on a state, for the person who has to wait for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockInfo {
    /// Names this one holding, for `force-unlock`.
    pub id: String,
    /// The command.
    pub operation: String,
    /// Who has it: the words of [`crate::base::Actor`].
    pub who: String,
    /// The process.
    pub process: u32,
    /// The version of sexton.
    pub version: String,
    /// Since when.
    pub created: Timestamp,
}
