//! Zuora's SOAP interface, and the tenant behind it.

mod calls;
mod cursor;
mod delete;
mod envelope;
mod evaluate;
#[cfg(test)]
mod evaluate_properties;
mod generate;
mod objects;
mod query;
mod row_error;
mod service;
mod session;
mod settings;
mod soap_fault;
mod table;
mod tenant;
#[cfg(test)]
mod tests;
mod zoql;

pub use calls::CallLimit;
pub(in crate::sandbox) use service::routes;
pub use settings::ZuoraSettings;
pub use tenant::{Tenant, TenantError};
