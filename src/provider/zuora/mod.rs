//! Zuora: SOAP sign-in, ZOQL queries and `delete()`.
//!
//! Facts about the wire carry where they are known from: *documented* by the vendor, *recorded* from a real answer, seen in another
//! *client*, or a *guess*. Where a fact is a guess, both readings are accepted.

mod call;
mod connect;
mod delete;
mod describe;
mod envelope;
mod error_table;
mod operation;
mod presence;
mod query;
mod session;
#[cfg(test)]
mod testing;

pub use connect::{ZuoraProvider, call_budget};
