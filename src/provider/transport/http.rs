//! The wire itself, over reqwest.

use std::error::Error as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::header::CONTENT_LENGTH;
use tokio::time::Instant;
use url::Url;

use super::{ByteStream, Request, RequestBody, Response, Transport, TransportError};
use crate::base::is_loopback;

/// How long to wait for what. Waiting for a whole body has no limit, as long as some of it keeps coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, name resolution and TLS among it.
    pub connect: Duration,
    /// For the beginning of an answer, from the last byte of the request on.
    pub answer: Duration,
    /// For the next piece of an answer's body.
    pub idle: Duration,
}

impl Default for Timeouts {
    /// 15 seconds, 11 minutes, 2 minutes. The vendor ends a call after 10 minutes (documented), and giving up before the system does
    /// would turn a slow deletion into one whose fate is unknown.
    fn default() -> Self {
        Self { connect: Duration::from_secs(15), answer: Duration::from_secs(660), idle: Duration::from_secs(120) }
    }
}

/// Sends requests over the network.
///
/// It follows no redirect, repeats nothing, keeps no cookies and takes plain `http` for loopback only. Plain loopback is reached directly,
/// everything else through the proxy the machine is set up with.
pub struct HttpTransport {
    /// Made when it is first needed: it reads the machine's certificates, which takes longer than many a command.
    remote: OnceLock<reqwest::Client>,
    loopback: reqwest::Client,
    timeouts: Timeouts,
}

impl HttpTransport {
    /// A transport with its own pool of connections.
    ///
    /// # Errors
    ///
    /// When this machine cannot have one.
    pub fn new(timeouts: Timeouts) -> Result<Self, TransportError> {
        // The name is pinned, or whoever answers name queries could make `http://localhost` another machine.
        let localhost = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
        let loopback = client(timeouts).no_proxy().resolve_to_addrs("localhost", &localhost).tls_certs_only([]);
        Ok(Self { remote: OnceLock::new(), loopback: built(loopback)?, timeouts })
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, TransportError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TransportError::Refused(format!("the address of {} holds a user name or password", host_of(url))));
        }
        match url.scheme() {
            "http" if is_loopback(url) => Ok(&self.loopback),
            "https" => self.remote(),
            scheme => Err(TransportError::Refused(format!(
                "{scheme}://{} is refused: only https is accepted, and http to this machine itself",
                host_of(url)
            ))),
        }
    }

    fn remote(&self) -> Result<&reqwest::Client, TransportError> {
        match self.remote.get() {
            Some(client) => Ok(client),
            None => {
                let client = built(client(self.timeouts).https_only(true))?;
                Ok(self.remote.get_or_init(|| client))
            }
        }
    }
}

/// How long a connection may be idle and be used again. Servers close idle ones, after a minute or less (guess), and a deletion that meets
/// one that is being closed leaves open what it did.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);

fn client(timeouts: Timeouts) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("sexton/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .gzip(true)
        .pool_idle_timeout(IDLE_CONNECTION)
        .connect_timeout(timeouts.connect)
}

fn built(client: reqwest::ClientBuilder) -> Result<reqwest::Client, TransportError> {
    client.build().map_err(|error| TransportError::Refused(format!("TLS cannot be set up: {}", cause_of(error))))
}

/// The host and the port where it is not the usual one; never the path or the query.
fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "an address without a host".to_owned(),
    }
}

/// The whole chain of causes on one line, without the address.
fn cause_of(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_words = cause.to_string();
        if !words.ends_with(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        next = cause.source();
    }
    words
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let client = self.client_for(&request.url)?;
        let host = host_of(&request.url);
        let started = Instant::now();
        let last_sent = Arc::new(Mutex::new(started));
        let (method, path) = (request.method.clone(), request.url.path().to_owned());

        let outgoing = client.request(request.method, request.url).headers(request.headers);
        let outgoing = match request.body {
            RequestBody::Empty => outgoing,
            RequestBody::Bytes(bytes) => outgoing.body(bytes),
            RequestBody::Stream { length, open } => {
                let last_sent = Arc::clone(&last_sent);
                let pieces = open().inspect(move |_| {
                    *last_sent.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                });
                outgoing.header(CONTENT_LENGTH, length).body(reqwest::Body::wrap_stream(pieces))
            }
        };

        let mut answer = pin!(outgoing.send());
        let answer = loop {
            let deadline = *last_sent.lock().unwrap_or_else(PoisonError::into_inner) + self.timeouts.answer;
            if deadline <= Instant::now() {
                break Err(TransportError::NoAnswer {
                    host: host.clone(),
                    cause: format!("no answer in {} seconds", self.timeouts.answer.as_secs()),
                });
            }
            tokio::select! {
                biased;
                answer = &mut answer => break answer.map_err(|error| transport_error(host.clone(), error)),
                () = tokio::time::sleep_until(deadline) => {}
            }
        };

        let milliseconds = started.elapsed().as_millis();
        match answer {
            Ok(answer) => {
                let status = answer.status();
                tracing::debug!(%method, host, path, status = status.as_u16(), milliseconds, "answered");
                let headers = answer.headers().clone();
                Ok(Response { status, headers, body: patient_body(answer.bytes_stream(), self.timeouts.idle) })
            }
            Err(error) => {
                tracing::debug!(%method, host, path, milliseconds, %error, "not answered");
                Err(error)
            }
        }
    }
}

fn transport_error(host: String, error: reqwest::Error) -> TransportError {
    if error.is_builder() {
        TransportError::Refused(format!("the request to {host} cannot be made: {}", cause_of(error)))
    } else if error.is_connect() {
        TransportError::NotSent { host, cause: cause_of(error) }
    } else {
        TransportError::NoAnswer { host, cause: cause_of(error) }
    }
}

/// A body that ends with an error when it breaks off or stalls, and with nothing after that.
fn patient_body(pieces: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static, idle: Duration) -> ByteStream {
    Box::pin(futures::stream::unfold(Some(Box::pin(pieces)), move |open| async move {
        let mut pieces = open?;
        match tokio::time::timeout(idle, pieces.next()).await {
            Ok(Some(Ok(piece))) => Some((Ok(piece), Some(pieces))),
            Ok(Some(Err(error))) => Some((Err(std::io::Error::other(cause_of(error))), None)),
            Ok(None) => None,
            Err(_) => {
                let words = format!("nothing more arrived in {} seconds", idle.as_secs());
                Some((Err(std::io::Error::new(std::io::ErrorKind::TimedOut, words)), None))
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::super::read_body;
    use super::*;

    fn request(method: Method, url: &str) -> Request {
        Request { method, url: Url::parse(url).expect("valid"), headers: HeaderMap::new(), body: RequestBody::Empty }
    }

    fn impatient() -> HttpTransport {
        let short = Duration::from_millis(100);
        HttpTransport::new(Timeouts { connect: short * 20, answer: short, idle: short }).expect("TLS is there")
    }

    fn patient() -> HttpTransport {
        HttpTransport::new(Timeouts::default()).expect("TLS is there")
    }

    async fn head_of(stream: &mut TcpStream) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a request"));
        }
        String::from_utf8(head).expect("text")
    }

    /// Takes one connection, reads a request's head, writes `answer` and keeps the connection open until dropped.
    async fn server(answer: &'static [u8]) -> (String, tokio::task::JoinHandle<(String, TcpStream)>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = format!("http://{}/services/data?secret=canary", listener.local_addr().expect("bound"));
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let head = head_of(&mut stream).await;
            stream.write_all(answer).await.expect("open");
            (head, stream)
        });
        (address, task)
    }

    #[tokio::test]
    async fn brings_status_headers_and_body() {
        let (address, server) =
            server(b"HTTP/1.1 418 I'm a teapot\r\nsforce-locator: null\r\ncontent-length: 2\r\n\r\nhi").await;
        let answer = patient().send(request(Method::GET, &address)).await.expect("an answer");
        assert_eq!((answer.status.as_u16(), &answer.headers["sforce-locator"]), (418, &HeaderValue::from_static("null")));
        assert_eq!(read_body(answer.body, 10).await.expect("whole"), "hi");
        let (head, _) = server.await.expect("served");
        assert!(head.contains(concat!("user-agent: sexton/", env!("CARGO_PKG_VERSION"))), "{head}");
        assert!(head.contains("accept-encoding: gzip"), "{head}");
    }

    #[tokio::test]
    async fn a_refused_connection_means_that_nothing_was_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("bound");
        drop(listener);
        let error = patient().send(request(Method::DELETE, &format!("http://{address}/x?secret=canary"))).await.err();
        let error = error.expect("nobody listens");
        assert!(matches!(error, TransportError::NotSent { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }

    #[tokio::test]
    async fn a_connection_closed_before_the_answer_leaves_the_request_unclear() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("bound");
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            head_of(&mut stream).await;
        });
        let error = patient().send(request(Method::DELETE, &format!("http://{address}/x?secret=canary"))).await.err();
        server.await.expect("served");
        let error = error.expect("no answer");
        assert!(matches!(error, TransportError::NoAnswer { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }

    #[tokio::test]
    async fn a_silent_server_is_given_up() {
        let (address, server) = server(b"").await;
        let error = impatient().send(request(Method::GET, &address)).await.err().expect("no answer");
        assert!(matches!(error, TransportError::NoAnswer { .. }), "{error:?}");
        server.abort();
    }

    #[tokio::test]
    async fn a_stalled_body_is_an_error_and_no_hang() {
        let (address, server) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf").await;
        let answer = impatient().send(request(Method::GET, &address)).await.expect("an answer");
        let error = read_body(answer.body, 100).await.expect_err("it stalls");
        assert!(
            matches!(&error, super::super::BodyError::Broken(cause) if cause.kind() == std::io::ErrorKind::TimedOut),
            "{error:?}"
        );
        drop(server);
    }

    #[tokio::test]
    async fn a_body_shorter_than_declared_is_an_error() {
        let (address, server) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf").await;
        let answer = patient().send(request(Method::GET, &address)).await.expect("an answer");
        drop(server.await.expect("served"));
        assert!(matches!(read_body(answer.body, 100).await, Err(super::super::BodyError::Broken(_))));
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let (address, server) =
            server(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/elsewhere\r\ncontent-length: 0\r\n\r\n").await;
        let answer = patient().send(request(Method::GET, &address)).await.expect("an answer");
        assert_eq!(answer.status, http::StatusCode::FOUND);
        drop(server);
    }

    #[tokio::test]
    async fn a_streamed_body_is_sent_with_its_length() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = format!("http://{}/", listener.local_addr().expect("bound"));
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let head = head_of(&mut stream).await;
            let mut body = [0; 6];
            stream.read_exact(&mut body).await.expect("the body");
            stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").await.expect("open");
            (head, body)
        });
        let pieces =
            || -> ByteStream { Box::pin(futures::stream::iter(["Id\n", "1\n", "\n"].map(|piece| Ok(piece.into())))) };
        let body = RequestBody::Stream { length: 6, open: Arc::new(pieces) };
        let answer = patient().send(Request { body, ..request(Method::PUT, &address) }).await.expect("an answer");
        assert_eq!(answer.status, http::StatusCode::CREATED);
        let (head, body) = server.await.expect("served");
        assert!(head.contains("content-length: 6") && !head.contains("transfer-encoding"), "{head}");
        assert_eq!(&body, b"Id\n1\n\n");
    }

    #[tokio::test]
    async fn unpacks_gzip() {
        use std::io::Write as _;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(b"[]").expect("in memory");
        let packed = packer.finish().expect("in memory");
        let mut answer =
            format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", packed.len()).into_bytes();
        answer.extend(packed);
        let (address, server) = server(answer.leak()).await;
        let answer = patient().send(request(Method::GET, &address)).await.expect("an answer");
        assert_eq!(read_body(answer.body, 10).await.expect("whole"), "[]");
        drop(server);
    }

    #[test]
    fn the_client_for_other_machines_can_be_made_here() {
        let transport = patient();
        assert!(transport.client_for(&Url::parse("https://example.com").expect("valid")).is_ok());
        assert!(transport.remote.get().is_some());
    }

    #[tokio::test]
    async fn refuses_plain_http_to_other_machines_and_credentials_in_addresses() {
        for address in
            ["http://example.com/", "http://127.0.0.1.example.com/", "ftp://localhost/", "https://user:canary@example.com/"]
        {
            let error = patient().send(request(Method::GET, address)).await.err().expect("refused");
            assert!(matches!(error, TransportError::Refused(_)), "{address}: {error:?}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}
