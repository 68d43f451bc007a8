//! The deletion APIs a policy may be pinned to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A deletion API. In manifests (`via`) and plans by its lower-case name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// Salesforce sObject Collections: up to 200 ids a call.
    Collections,
    /// Salesforce Bulk API 2.0: jobs of CSV.
    Bulk2,
}

impl Api {
    /// The name in manifests and plans.
    pub fn name(self) -> &'static str {
        match self {
            Self::Collections => "collections",
            Self::Bulk2 => "bulk2",
        }
    }

    /// The name people know from the vendor's documentation.
    pub fn title(self) -> &'static str {
        match self {
            Self::Collections => "sObject Collections",
            Self::Bulk2 => "Bulk API 2.0",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
