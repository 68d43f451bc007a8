//! The systems: a read half and a delete half, one folder for each.
//!
//! The delete half makes **one attempt** a call. Retrying, pacing and batching belong to the apply machine, where the journal sees
//! them. There are two exceptions, and neither can delete anything twice:
//! - a session that has ended is renewed once, and a request that deletes nothing repeated once, since a request refused for its
//!   session has had no effect;
//! - calls that a system counts over minutes wait in the transport until there is one ([`transport::Paced`]).
//!
//! The read half repeats a failed request a few times: this is safe, and one call makes many requests, which a caller could only
//! repeat from the beginning.
//!
//! `docs/adding-an-api.md` describes how to add an API or a system.

mod common;
mod contract;
mod delete_half;
mod error;
pub mod fulcrum;
mod open;
mod read_half;
pub mod salesforce;
mod secrets;
pub mod transport;
pub mod zuora;

pub use contract::Provider;
pub use delete_half::{AnswerSink, DeleteHalf, DeleteJobs, DeleteRequests};
pub use error::{ErrorClass, ProviderError};
pub use open::{ProviderDependencies, open};
pub use read_half::{Completeness, ReadHalf, RowSink};
pub use secrets::{SecretError, SecretSource, SystemSecrets};
