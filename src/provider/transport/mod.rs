//! The one way to the network.
//!
//! Everything that later injects faults, records or counts requests stands here, between a provider and the wire.

mod body;
mod exchange;
mod http;
mod pace;
mod retry_after;
#[cfg(test)]
pub(crate) mod scripted;
mod xml;

pub use self::http::{HttpTransport, Timeouts};
pub use body::{BodyError, read_body};
pub use exchange::{ByteStream, Request, RequestBody, Response, Transport, TransportError};
pub use pace::Paced;
pub use retry_after::retry_after;
pub use xml::{Element, XmlError, XmlWriter};
