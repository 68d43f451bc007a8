//! Salesforce: sign-in, queries, sObject Collections, Composite, and Bulk API 1.0 and 2.0.
//!
//! Facts about the wire carry where they are known from: *documented* by the vendor, *recorded* from a real answer, seen in another
//! *client*, or a *guess*. Where a fact is a guess, both readings are accepted.

mod bulk1_info;
mod bulk1_job;
mod bulk1_results;
mod bulk_ingest;
mod bulk_query;
mod bulk_results;
mod call;
mod collections;
mod command_line_login;
mod composite;
mod connect;
mod csv_rows;
mod describe;
mod error_table;
mod grant;
mod hostile;
mod identity;
mod limits;
mod objects;
mod permission;
mod presence;
mod query;
mod query_page;
mod reach;
mod session;
mod sign_in;
mod soap_sign_in;
mod soql;
#[cfg(test)]
mod testing;
mod version;

pub use command_line_login::{CommandOutput, CommandRunner, SystemCommands};
pub use connect::SalesforceProvider;
