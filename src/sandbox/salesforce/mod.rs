//! Salesforce's own interface over HTTP.

mod bulk2;
mod collections;
mod describe;
mod directory;
mod error;
mod gate;
mod json_record;
mod login;
mod query;
mod record;
mod router;

pub use gate::DroppedConnection;

pub(in crate::sandbox) use bulk2::BulkState;
pub(in crate::sandbox) use query::Cursors;
