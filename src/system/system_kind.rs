//! The kinds of system that hold records.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of system. Its name is the key of a target's `spec` and stands in plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SystemKind {
    /// A Salesforce org.
    Salesforce,
    /// A Zuora tenant.
    Zuora,
    /// A Fulcrum organization.
    Fulcrum,
}

impl SystemKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Salesforce, Self::Zuora, Self::Fulcrum];

    /// The name in manifests and plans.
    pub fn name(self) -> &'static str {
        match self {
            Self::Salesforce => "salesforce",
            Self::Zuora => "zuora",
            Self::Fulcrum => "fulcrum",
        }
    }

    /// The name people know.
    pub fn title(self) -> &'static str {
        match self {
            Self::Salesforce => "Salesforce",
            Self::Zuora => "Zuora",
            Self::Fulcrum => "Fulcrum",
        }
    }

    /// Whether deleted records can be restored for a while. Where they cannot, `delete: soft` would be a false promise.
    pub fn has_recycle_bin(self) -> bool {
        self == Self::Salesforce
    }
}

impl fmt::Display for SystemKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
