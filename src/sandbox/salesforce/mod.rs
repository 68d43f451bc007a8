//! Salesforce's own interface over HTTP.

mod bulk2;
mod collections;
mod describe;
mod directory;
mod error;
mod gate;
#[cfg(test)]
mod gate_tests;
mod json_record;
mod login;
mod query;
mod record;
#[cfg(test)]
mod rest_tests;
mod router;
#[cfg(test)]
mod testing;

pub(in crate::sandbox) use bulk2::BulkState;
pub(in crate::sandbox) use query::Cursors;
pub(in crate::sandbox) use router::router;
