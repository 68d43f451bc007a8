//! Fulcrum's interface over HTTP: forms, records, the Query API and the Batch API.
//!
//! Where the vendor's documents are silent the sandbox chooses and the comment says "guess"; what clients must survive
//! either way is a field of [`FulcrumSettings`].

mod batch;
mod batches;
mod caller;
mod column;
mod error;
mod examples;
mod form;
mod forms;
mod generate;
mod member;
mod organization;
mod page;
mod query;
mod record_filter;
#[cfg(test)]
mod record_filter_tests;
mod records;
mod routes;
mod settings;
mod sql;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod users;
mod value;

pub use batch::{Batch, BatchStatus};
pub use column::ColumnKind;
pub use form::{Field, Form, Record};
pub use member::Member;
pub use organization::{Organization, OrganizationError};
pub(in crate::sandbox) use routes::routes;
pub use settings::{ForeignIds, FulcrumSettings};
pub use value::{Value, ValueError};
