//! What would go with the selected records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many records of one child object the system would delete together with the selected ones.
///
/// It is counted one generation deep, by the policy's own condition: children of children are not in it, and children of held
/// records are. These records are not planned, have no outcome and are never sent; the system takes them along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CascadeCount {
    /// The child object.
    pub child: String,
    /// The child's field that points at the parent.
    pub field: String,
    /// How many; absent where the system cannot be asked, as with a condition that has a subquery itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
}
