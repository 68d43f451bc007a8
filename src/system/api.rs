//! The deletion APIs a policy may be pinned to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ApiShape, DeleteMode, RouteCapability, SystemKind, fulcrum, salesforce, zuora};

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

    /// What it can do: its row in the table of its system.
    pub fn capability(self) -> &'static RouteCapability {
        match self {
            Self::Collections => &salesforce::COLLECTIONS,
            Self::Composite => &salesforce::COMPOSITE,
            Self::Bulk2 => &salesforce::BULK2,
            Self::Bulk1 => &salesforce::BULK1,
            Self::ZuoraSoap => &zuora::SOAP,
            Self::FulcrumBatch => &fulcrum::BATCH,
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

    /// How it takes records.
    pub fn shape(self) -> ApiShape {
        self.capability().shape
    }

    /// Whether it can delete in that way.
    pub fn deletes(self, delete: DeleteMode) -> bool {
        self.capability().deletes(delete)
    }

    /// Whether it has atomic requests.
    pub fn is_atomic(self) -> bool {
        self.capability().atomic_size > 0
    }

    /// Whether it can be told to run one batch at a time.
    pub fn runs_serially(self) -> bool {
        self.capability().serial
    }

    /// Whether its batches can be queries.
    pub fn takes_queries(self) -> bool {
        self.capability().takes_queries
    }
}

impl fmt::Display for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
