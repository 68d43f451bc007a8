//! The deletion APIs a policy may be pinned to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::SystemKind;

/// A deletion API. In manifests (`via`) and plans by its lower-case name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Api {
    /// Salesforce sObject Collections.
    #[serde(rename = "collections")]
    Collections,
    /// Salesforce Composite: up to five requests of sObject Collections in one that is atomic.
    #[serde(rename = "composite")]
    Composite,
    /// Salesforce Bulk API 2.0: jobs of CSV.
    #[serde(rename = "bulk2")]
    Bulk2,
    /// Salesforce Bulk API 1.0: jobs of batches, which the system can be asked to run one after the other.
    #[serde(rename = "bulk1")]
    Bulk1,
    /// Zuora SOAP `delete()`.
    #[serde(rename = "soap")]
    ZuoraSoap,
    /// Fulcrum Batch API: batches that are created, compared with what was sent, and then started.
    #[serde(rename = "batch")]
    FulcrumBatch,
}

impl Api {
    /// Every API.
    pub const ALL: [Self; 6] =
        [Self::Collections, Self::Composite, Self::Bulk2, Self::Bulk1, Self::ZuoraSoap, Self::FulcrumBatch];

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
            Self::FulcrumBatch => "the Batch API",
        }
    }

    /// The system it belongs to.
    pub fn system(self) -> SystemKind {
        match self {
            Self::Collections | Self::Composite | Self::Bulk2 | Self::Bulk1 => SystemKind::Salesforce,
            Self::ZuoraSoap => SystemKind::Zuora,
            Self::FulcrumBatch => SystemKind::Fulcrum,
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
