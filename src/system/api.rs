//! The deletion APIs a policy may be pinned to.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

use super::SystemKind;

/// A deletion API. In manifests (`via`) and plans by its lower-case name.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Api {
    /// Salesforce sObject Collections: 200 records a call, soft deletes only.
    Collections,
    /// Salesforce Composite: up to 1,000 records in one atomic call, soft deletes only.
    Composite,
    /// Salesforce Bulk API 2.0: jobs of CSV; each record for itself.
    Bulk2,
    /// Salesforce Bulk API 1.0: jobs of 10,000 records; one after the other with `concurrency: serial`.
    Bulk1,
    /// Zuora SOAP `delete()`: 50 records a call, permanent.
    #[serde(rename = "soap")]
    #[strum(serialize = "soap")]
    ZuoraSoap,
    /// Fulcrum Batch API: 10,000 records a batch, permanent.
    #[serde(rename = "batch")]
    #[strum(serialize = "batch")]
    FulcrumBatch,
}

impl Api {
    /// Every API.
    pub const ALL: [Self; 6] =
        [Self::Collections, Self::Composite, Self::Bulk2, Self::Bulk1, Self::ZuoraSoap, Self::FulcrumBatch];

    /// The name in manifests and plans.
    pub fn name(self) -> &'static str {
        self.into()
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

    /// How many records of a batch the system deletes in one transaction; `None` where it is all of them, or each by itself. Bulk jobs
    /// are worked on in chunks of 200 (documented).
    pub fn transaction(self) -> Option<u64> {
        match self {
            Self::Bulk2 | Self::Bulk1 => Some(200),
            Self::Collections | Self::Composite | Self::ZuoraSoap | Self::FulcrumBatch => None,
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
