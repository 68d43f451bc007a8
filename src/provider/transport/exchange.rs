//! One exchange with a system: a request, its answer, and what can come between them.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::Stream;
use http::{HeaderMap, Method, StatusCode};
use jiff::SignedDuration;
use url::Url;

/// Bytes that arrive or leave in pieces.
pub type ByteStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// One HTTP request. Its body can be produced again, since a request refused for an ended session is sent once more.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// The headers. A credential among them is marked sensitive.
    pub headers: HeaderMap,
    /// The body.
    pub body: RequestBody,
}

/// The body of a request.
#[derive(Clone)]
pub enum RequestBody {
    /// None.
    Empty,
    /// Bytes in memory.
    Bytes(Bytes),
    /// Bytes produced while they are sent.
    Stream {
        /// How many there will be, exactly.
        length: u64,
        /// Produces them, from the beginning.
        open: Arc<dyn Fn() -> ByteStream + Send + Sync>,
    },
}

/// One HTTP answer, whatever its status.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: ByteStream,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// Nothing was sent: no connection could be made.
    #[error("no connection to {host}: {cause}")]
    NotSent {
        /// The host and port.
        host: String,
        /// Why, in words for people.
        cause: String,
    },
    /// The request was sent at least in part, and no whole answer came: it may have taken effect.
    #[error("the connection to {host} broke before the answer: {cause}")]
    NoAnswer {
        /// The host and port.
        host: String,
        /// Why, in words for people.
        cause: String,
    },
    /// Nothing was sent: the system has asked to be left alone for longer than anybody waits here.
    #[error("the system has asked for no request in the next {} minutes", wait.as_secs().div_ceil(60))]
    HeldBack {
        /// How long it still has to be left alone.
        wait: Duration,
    },
    /// The request is refused here, before anything is sent: plain http to another machine, for one.
    #[error("{0}")]
    Refused(String),
}

/// Sends one request and gives one answer. It never follows a redirect and never repeats a request.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends `request`.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;

    /// By how much this machine's clock is ahead of the system's, by the last answer that said what time it is there; negative when
    /// it is behind. `None` where no answer did, or nobody looks ([`super::Dated`] does).
    fn clock_difference(&self) -> Option<SignedDuration> {
        None
    }
}
