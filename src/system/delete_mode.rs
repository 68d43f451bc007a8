//! Into the recycle bin or past it.

use serde::{Deserialize, Serialize};

/// Into the recycle bin or past it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeleteMode {
    /// Into the recycle bin, restorable for a while.
    Soft,
    /// Unrecoverable through the API. It is not a promise of physical destruction.
    Hard,
}
