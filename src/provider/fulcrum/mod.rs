//! Fulcrum: the Query API to select records and check presence, the Batch API to delete.
//!
//! Facts about the wire name their source: *documented* by the vendor, *recorded* from a real answer, known from another *client*,
//! or a *guess*. No answer of the Batch API was ever recorded. If a fact is a guess, both readings are accepted.

mod batch;
mod call;
mod connect;
mod describe;
mod error_table;
mod identity;
mod presence;
mod query;
mod session;
#[cfg(test)]
mod testing;

pub use connect::FulcrumProvider;
pub(super) use connect::call_budget;
