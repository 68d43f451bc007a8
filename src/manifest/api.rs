//! The deletion APIs a policy may be pinned to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A deletion API. In manifests (`via`) and plans by its lower-case name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// Salesforce sObject Collections: up to 200 ids a call.
    Collections,
    /// Salesforce Composite: up to five Collections in one call that goes as a whole.
    Composite,
    /// Salesforce Bulk API 2.0: jobs of CSV.
    Bulk2,
    /// Salesforce Bulk API 1.0: jobs of batches, one at a time where that is asked.
    Bulk1,
    /// Zuora SOAP `delete()`: up to 50 ids a call.
    #[serde(rename = "soap")]
    ZuoraSoap,
    /// Fulcrum Batch API.
    #[serde(rename = "batch")]
    FulcrumBatch,
}

impl Api {
    /// The name in manifests and plans.
    pub fn name(self) -> &'static str {
        match self {
            Self::Collections => "collections",
            Self::Composite => "composite",
            Self::Bulk2 => "bulk2",
            Self::Bulk1 => "bulk1",
            Self::ZuoraSoap => "soap",
            Self::FulcrumBatch => "batch",
        }
    }

    /// The name people know from the vendor's documentation.
    pub fn title(self) -> &'static str {
        match self {
            Self::Collections => "sObject Collections",
            Self::Composite => "Composite",
            Self::Bulk2 => "Bulk API 2.0",
            Self::Bulk1 => "Bulk API 1.0",
            Self::ZuoraSoap => "SOAP delete()",
            Self::FulcrumBatch => "Batch API",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
