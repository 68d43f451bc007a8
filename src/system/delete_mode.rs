//! Into the recycle bin or past it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

/// Into the recycle bin or past it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, EnumIter, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum DeleteMode {
    /// Into the recycle bin, restorable for a while.
    Soft,
    /// Past it: not recoverable through the API. It is not a promise of physical destruction.
    Hard,
}
