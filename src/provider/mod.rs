//! The systems: one trait, one folder for each.
//!
//! A provider makes **one attempt** per call. Retrying, pacing and batching belong to the apply machine, where the
//! journal sees them. There are three exceptions, and none can delete anything twice:
//! - a session that has run out is renewed once and the request repeated once, since a request refused for its session
//!   has had no effect;
//! - calls that a system counts over minutes wait in the transport until there is one ([`transport::Paced`]);
//! - the reads (`identify`, `describe`, `count`, `select`, `check`, `look`) repeat a failed request a few times: it is safe,
//!   and one call of them stands for many requests, which a caller could only repeat from the beginning.
//!
//! How an API or a system is added is told, step by step, in `docs/adding-an-api.md`.

mod common;
mod contract;
mod delete_half;
mod error;
pub mod fulcrum;
mod hostile;
mod open;
mod patience;
mod read_half;
pub mod salesforce;
mod secrets;
pub mod transport;
pub mod zuora;

pub use contract::Provider;
pub use delete_half::{AnswerSink, DeleteHalf, DeleteJobs, DeleteRequests};
pub use error::{ErrorClass, ProviderError};
pub use open::{Surroundings, open};
pub use read_half::{Completeness, ReadHalf, RowSink};
pub use secrets::{SecretError, SecretSource, SystemSecrets};
