//! What would go with the selected records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many records of one child object the system would delete together with the selected ones.
///
/// It is counted one generation deep, by the policy's own condition: children of children are not in it, and children of held
/// records are. Where the system cannot count so, it is counted by the keys of the selected records. These records are not planned, have
/// no outcome and are never sent; the system takes them along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CascadeCount {
    /// The child object.
    pub child: String,
    /// The child's field that points at the parent.
    pub field: String,
    /// How many; absent where it is not known, which is a doubt and never 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Why it is not known; the system's own words are hostile text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
