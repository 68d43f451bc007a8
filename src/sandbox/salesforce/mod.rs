//! Salesforce's own interface over HTTP.

mod bulk2;
mod cursor;
mod error;
mod gate;
mod router;

pub use gate::DroppedConnection;

pub(in crate::sandbox) use bulk2::BulkState;
pub(in crate::sandbox) use cursor::Cursors;
