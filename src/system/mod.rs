//! What is known of each system without asking it: its deletion APIs and what they can do, the forms of ids and names, what its
//! codes and its objects mean where nothing else says so. No I/O.
//!
//! One file a system holds its numbers, each with its source; the other folders ask here and compare no names of their own.

mod api;
mod capabilities;
mod delete_mode;
mod field_type;
pub mod fulcrum;
mod meaning;
mod names;
mod production;
mod record_key;
pub mod salesforce;
mod salesforce_id;
mod shape;
mod system_kind;
mod table;
pub mod zuora;
mod zuora_objects;

pub use api::Api;
pub use capabilities::{Capabilities, RouteCapability};
pub use delete_mode::DeleteMode;
pub use field_type::FieldType;
pub use meaning::lock_help;
pub use names::{field_path, is_shadow, object_name};
pub use record_key::{record_key, zuora_record_key};
pub use salesforce_id::{SalesforceIdError, canonical_salesforce_id, salesforce_id_checksum};
pub use shape::{ApiShape, JobAbort, JobShape, JobStart};
pub use system_kind::SystemKind;
pub use zuora_objects::{ZuoraObject, zuora_object, zuora_objects};
