//! Salesforce.
pub mod bulk2;
