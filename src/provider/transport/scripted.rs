//! A transport for tests: answers from a function, and remembers what it was asked.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, Method, StatusCode};

use super::{ByteStream, Request, RequestBody, Response, Transport, TransportError};

/// What the transport was asked.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The method.
    pub(crate) method: Method,
    /// Scheme, host and port.
    pub(crate) origin: String,
    /// The path.
    pub(crate) path: String,
    /// The query, as sent.
    pub(crate) query: String,
    /// The query's pairs, decoded.
    pub(crate) parameters: Vec<(String, String)>,
    /// The `Authorization` header.
    pub(crate) authorization: Option<String>,
    /// The body.
    pub(crate) body: String,
    /// The headers.
    pub(crate) headers: HeaderMap,
}

impl Seen {
    /// `METHOD /path`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// One parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What the transport answers.
pub(crate) enum Reply {
    /// An answer with headers.
    Answer(u16, Vec<(&'static str, String)>, Vec<std::io::Result<Bytes>>),
    /// No connection.
    NotSent,
    /// Sent, and no answer.
    NoAnswer,
}

/// A JSON answer.
pub(crate) fn json(status: u16, body: impl Into<String>) -> Reply {
    answer(status, &[("content-type", "application/json;charset=UTF-8")], body)
}

/// An answer with these headers.
pub(crate) fn answer(status: u16, headers: &[(&'static str, &str)], body: impl Into<String>) -> Reply {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Reply::Answer(status, headers, vec![Ok(Bytes::from(body.into()))])
}

type Script = dyn FnMut(&Seen) -> Reply + Send;

/// Answers from a function, and remembers what it was asked.
pub(crate) struct Scripted {
    script: Mutex<Box<Script>>,
    seen: Mutex<Vec<Seen>>,
}

impl Scripted {
    /// Answers with what `script` gives.
    pub(crate) fn new(script: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        Self { script: Mutex::new(Box::new(script)), seen: Mutex::new(Vec::new()) }
    }

    /// Everything asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything asked so far, as `METHOD /path`.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(Seen::line).collect()
    }
}

async fn whole(mut body: ByteStream) -> String {
    let mut text = Vec::new();
    while let Some(Ok(piece)) = body.next().await {
        text.extend_from_slice(&piece);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let body = match &request.body {
            RequestBody::Empty => String::new(),
            RequestBody::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            RequestBody::Stream { length, open } => {
                let text = whole(open()).await;
                assert_eq!(text.len() as u64, *length, "the declared length is not the body's");
                text
            }
        };
        let authorization = request.headers.get(http::header::AUTHORIZATION);
        let mut credentials = authorization.into_iter().chain(request.headers.get("x-sfdc-session"));
        assert!(credentials.all(http::HeaderValue::is_sensitive), "a credential must be marked sensitive");
        let seen = Seen {
            method: request.method.clone(),
            origin: request.url.origin().ascii_serialization(),
            path: request.url.path().to_owned(),
            query: request.url.query().unwrap_or_default().to_owned(),
            parameters: request.url.query_pairs().into_owned().collect(),
            authorization: authorization.map(|value| value.to_str().expect("text").to_owned()),
            body,
            headers: request.headers.clone(),
        };
        let reply = (self.script.lock().unwrap_or_else(PoisonError::into_inner))(&seen);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
        // A real request is not answered before others have had their turn.
        tokio::task::yield_now().await;
        let host = request.url.host_str().unwrap_or_default().to_owned();
        match reply {
            Reply::NotSent => Err(TransportError::NotSent { host, cause: "connection refused".into() }),
            Reply::NoAnswer => Err(TransportError::NoAnswer { host, cause: "connection reset".into() }),
            Reply::Answer(status, headers, pieces) => {
                let mut map = HeaderMap::new();
                for (name, value) in headers {
                    map.insert(name, value.parse().expect("a header value"));
                }
                let status = StatusCode::from_u16(status).expect("a status");
                Ok(Response { status, headers: map, body: Box::pin(futures::stream::iter(pieces)) })
            }
        }
    }
}
