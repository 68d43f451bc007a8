//! The transport: the only way from a provider to the network, where requests can also be paced or replaced by scripted answers.

mod body;
mod date;
mod exchange;
mod http;
mod pace;
mod retry_after;
#[cfg(test)]
pub(crate) mod scripted;
mod xml;

pub use self::http::{HttpTransport, Timeouts};
pub use body::{BodyError, read_body};
pub use date::Dated;
pub use exchange::{ByteStream, Request, RequestBody, Response, Transport, TransportError};
pub use pace::Paced;
pub use retry_after::retry_after;
pub use xml::{Element, XmlError, XmlWriter};
