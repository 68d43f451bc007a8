//! What is wrong with a seed.

use crate::sandbox::fulcrum::{OrganizationError, ValueError as ColumnError};
use crate::sandbox::{TenantError, ValueError, WorldError};

/// A seed that cannot be used. Lines are counted from 1, the header being the first.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// `world.yaml` is not what it should be.
    #[error("`world.yaml` cannot be read")]
    Yaml(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something in `world.yaml` does not make sense.
    #[error("`world.yaml`: {0}")]
    Definition(String),
    /// A file that is neither CSV nor `world.yaml`.
    #[error("`{0}` is neither a CSV file named after an object nor `world.yaml`")]
    UnknownFile(String),
    /// A CSV file of an object that is not defined.
    #[error("there is no object `{0}`: define it in `world.yaml`")]
    UnknownObject(String),
    /// A CSV file that is not well formed.
    #[error("`{object}.csv` cannot be read")]
    Csv {
        /// The object.
        object: String,
        /// What is wrong.
        #[source]
        source: csv::Error,
    },
    /// An id that is none.
    #[error("`{object}.csv` line {line}: the id cannot be used")]
    Id {
        /// The object.
        object: String,
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        source: crate::system::SalesforceIdError,
    },
    /// A value that does not fit its field.
    #[error("`{object}.csv` line {line}: the value of `{field}` cannot be used")]
    Value {
        /// The object.
        object: String,
        /// The field.
        field: String,
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        source: ValueError,
    },
    /// A record that cannot be added.
    #[error("`{object}.csv` line {line}: the record cannot be added")]
    Record {
        /// The object.
        object: String,
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        source: WorldError,
    },
    /// A record of Zuora that cannot be added.
    #[error("`{object}.csv` line {line}: the record cannot be added")]
    Zuora {
        /// The object, with its folder.
        object: String,
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        source: TenantError,
    },
    /// Records of Zuora that cannot be made up.
    #[error("the tenant cannot be built")]
    Tenant(#[from] TenantError),
    /// A record of Fulcrum that cannot be added.
    #[error("`{form}.csv` line {line}: the record cannot be added")]
    Fulcrum {
        /// The form, with its folder.
        form: String,
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        source: OrganizationError,
    },
    /// A value of Fulcrum that does not fit its column.
    #[error("`{form}.csv` line {line}: the value of `{column}` cannot be used")]
    FulcrumValue {
        /// The form, with its folder.
        form: String,
        /// The column.
        column: String,
        /// The line.
        line: u64,
        /// What is wrong.
        #[source]
        source: ColumnError,
    },
    /// Records of Fulcrum that cannot be made up.
    #[error("the Fulcrum organization cannot be built")]
    FulcrumOrganization(#[from] OrganizationError),
    /// A world that cannot be built.
    #[error("the world cannot be built")]
    World(#[from] WorldError),
}
