//! What is known of each system without asking it: its deletion APIs and what they can do, the forms of ids and names, its
//! objects where a system describes none. No I/O.

mod api;
mod capabilities;
mod delete_mode;
mod field_type;
mod names;
mod salesforce_id;
mod system_kind;
mod zuora_objects;

pub use api::Api;
pub use capabilities::{Capabilities, RouteCapability};
pub use delete_mode::DeleteMode;
pub use field_type::FieldType;
pub use names::{field_path, object_name};
pub use salesforce_id::{SalesforceIdError, canonical_salesforce_id, salesforce_id_checksum};
pub use system_kind::SystemKind;
pub use zuora_objects::{ZuoraObject, zuora_object, zuora_objects};
