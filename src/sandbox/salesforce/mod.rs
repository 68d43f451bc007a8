//! Salesforce's own interface over HTTP.

mod bulk;
mod bulk1;
mod bulk2;
mod bulk_rows;
mod bulk_work;
mod collections;
mod composite;
#[cfg(test)]
mod composite_tests;
mod describe;
mod directory;
mod error;
mod gate;
#[cfg(test)]
mod gate_tests;
mod identity;
#[cfg(test)]
mod identity_tests;
mod introspect;
mod json_record;
mod login;
mod query;
mod record;
mod replication;
#[cfg(test)]
mod replication_tests;
#[cfg(test)]
mod rest_tests;
mod router;
mod soap_login;
#[cfg(test)]
mod soap_login_tests;
mod soql;
#[cfg(test)]
mod testing;

pub(in crate::sandbox) use bulk::BulkState;
pub(in crate::sandbox) use query::Cursors;
pub(in crate::sandbox) use router::router;
