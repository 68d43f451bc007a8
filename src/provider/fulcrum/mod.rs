//! Fulcrum: the Query API to select and to presence, the Batch API to delete.
//!
//! Facts about the wire carry where they are known from: *documented* by the vendor, *recorded* from a real answer, seen in a
//! *client*, or a *guess*. No answer of the Batch API was ever recorded. Where a fact is a guess, both readings are accepted.

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
