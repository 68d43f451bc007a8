//! The table of all deletion APIs.

use super::{Api, ApiShape, DeleteMode, RouteCapability, fulcrum, salesforce, zuora};

impl Api {
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

    /// Whether it takes records of an object, as far as is known without asking.
    pub fn takes(self, object: &str) -> bool {
        let is_bulk = matches!(self, Self::Bulk2 | Self::Bulk1);
        !is_bulk || !salesforce::NOT_IN_BULK.iter().any(|refused| refused.eq_ignore_ascii_case(object))
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
