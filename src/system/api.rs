//! The deletion APIs a policy may be pinned to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DeleteMode, SystemKind};

/// A deletion API. In manifests (`via`) and plans by its lower-case name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Api {
    /// Salesforce sObject Collections: up to 200 ids a call.
    #[serde(rename = "collections")]
    Collections,
    /// Salesforce Composite: up to five calls of sObject Collections in one atomic call.
    #[serde(rename = "composite")]
    Composite,
    /// Salesforce Bulk API 2.0: jobs of CSV.
    #[serde(rename = "bulk2")]
    Bulk2,
    /// Salesforce Bulk API 1.0: jobs of batches, which the system can be asked to run one after the other.
    #[serde(rename = "bulk1")]
    Bulk1,
    /// Zuora SOAP `delete()`: up to 50 ids a call.
    #[serde(rename = "soap")]
    ZuoraSoap,
    /// Fulcrum Batch API: batches that are made, compared and then started.
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

    /// Whether it can delete in that way.
    pub fn deletes(self, delete: DeleteMode) -> bool {
        match self {
            Self::Collections | Self::Composite => delete == DeleteMode::Soft,
            Self::Bulk2 | Self::Bulk1 => true,
            Self::ZuoraSoap | Self::FulcrumBatch => delete == DeleteMode::Hard,
        }
    }

    /// Whether it has atomic requests.
    pub fn is_atomic(self) -> bool {
        matches!(self, Self::Collections | Self::Composite)
    }

    /// Whether it can be had to do one batch after the other.
    pub fn runs_serially(self) -> bool {
        // The mode is the server's own and always parallel (documented).
        self != Self::Bulk2
    }

    /// Whether its batches can be queries.
    pub fn takes_queries(self) -> bool {
        self == Self::FulcrumBatch
    }

    /// Whether it works by jobs, which are made, loaded, started and polled, and not by single requests.
    pub fn works_by_jobs(self) -> bool {
        match self {
            Self::Collections | Self::Composite | Self::ZuoraSoap => false,
            Self::Bulk2 | Self::Bulk1 | Self::FulcrumBatch => true,
        }
    }

    /// Whether a job's upload begins its work, and not its start.
    pub fn load_begins_work(self) -> bool {
        self == Self::Bulk1
    }

    /// Whether a job may be loaded again: its records went with its making, and loading only compares.
    pub fn loads_again(self) -> bool {
        self == Self::FulcrumBatch
    }

    /// Whether a job whose start may be under way can be stopped.
    pub fn can_be_stopped(self) -> bool {
        self != Self::FulcrumBatch
    }
}

impl fmt::Display for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
