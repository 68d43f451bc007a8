//! The way to a sandbox without a network, and what is seen on it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;
use sexton::provider::transport::{ByteStream, Request, RequestBody, Response, Transport, TransportError};
use sexton::sandbox::{DroppedConnection, ItemError, RecordKey, Sandbox};
use tower::ServiceExt as _;

use super::ADDRESS;

/// One request that names records to be deleted: their ids, in the order sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The path it went to.
    pub path: String,
    /// The ids.
    pub ids: Vec<String>,
}

/// What becomes of the last request of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    /// It never arrives.
    Never,
    /// The sandbox carries it out.
    Done,
    /// It is on its way for a while.
    Late,
}

type Hook = Box<dyn FnOnce(&Sandbox) + Send>;

/// Sends requests straight into a sandbox's router.
pub struct RouterTransport {
    sandbox: Sandbox,
    router: axum::Router,
    demands: Mutex<Vec<Demand>>,
    credentials: Mutex<BTreeSet<String>>,
    before_deletion: Mutex<Option<Hook>>,
    /// The parents that collection calls under way have locked, and the field that names them.
    contention: Mutex<Option<(String, Vec<String>)>>,
    /// The request at which this process stops for ever, counted down, and what becomes of that request.
    end: Mutex<Option<(u64, Delivery)>>,
    /// A request that is still on its way.
    late: Mutex<Option<http::Request<Vec<u8>>>>,
    ended: tokio::sync::watch::Sender<bool>,
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RouterTransport {
    /// The way to this sandbox and to nothing else.
    pub fn new(sandbox: Sandbox) -> Self {
        Self {
            router: sandbox.router(),
            sandbox,
            demands: Mutex::default(),
            credentials: Mutex::default(),
            before_deletion: Mutex::default(),
            contention: Mutex::default(),
            end: Mutex::default(),
            late: Mutex::default(),
            ended: tokio::sync::watch::Sender::new(false),
        }
    }

    /// What was asked to be deleted so far.
    pub fn demands(&self) -> Vec<Demand> {
        locked(&self.demands).clone()
    }

    /// Forgets what was asked so far.
    pub fn forget(&self) {
        locked(&self.demands).clear();
    }

    /// Everything that was sent so far to prove who is asking.
    pub fn credentials(&self) -> BTreeSet<String> {
        locked(&self.credentials).clone()
    }

    /// Does this once, just before the next request that makes the sandbox delete.
    pub fn before_deletion(&self, hook: impl FnOnce(&Sandbox) + Send + 'static) {
        *locked(&self.before_deletion) = Some(Box::new(hook));
    }

    /// The request of this number from now on, counted from 1, is never answered; `done` says whether the sandbox carries it out.
    pub fn end_at(&self, request: u64, done: bool) {
        self.ended.send_replace(false);
        *locked(&self.end) = Some((request, if done { Delivery::Done } else { Delivery::Never }));
    }

    /// The request of this number from now on is never answered, and arrives when [`Self::deliver`] is called.
    pub fn end_late_at(&self, request: u64) {
        self.ended.send_replace(false);
        *locked(&self.end) = Some((request, Delivery::Late));
    }

    /// A request that was on its way arrives, and nobody waits for its answer any more.
    pub async fn deliver(&self) {
        let late = locked(&self.late).take();
        if let Some(request) = late {
            self.router.clone().oneshot(request.map(Body::from)).await.expect("infallible");
        }
    }

    /// Takes [`Self::end_at`] back.
    pub fn go_on(&self) {
        self.ended.send_replace(false);
        *locked(&self.end) = None;
    }

    /// Comes when the request that is never answered was sent.
    pub async fn ended(&self) {
        self.ended.subscribe().wait_for(|ended| *ended).await.expect("the sender is here");
    }

    fn ends_now(&self) -> Option<Delivery> {
        let mut end = locked(&self.end);
        let (left, delivery) = end.as_mut()?;
        *left = left.saturating_sub(1);
        (*left == 0).then_some(*delivery)
    }

    /// From now on collection calls take a while, and a record whose parent, by this field, is the parent of a record in another
    /// call under way cannot be locked.
    pub fn contend(&self, field: &str) {
        *locked(&self.contention) = Some((field.to_owned(), Vec::new()));
    }

    /// Takes the locks of one call, and tells which.
    fn lock_parents(&self, ids: &[String]) -> Option<Vec<String>> {
        let mut contention = locked(&self.contention);
        let (field, taken) = contention.as_mut()?;
        let mut world = self.sandbox.world();
        let mut parents = Vec::new();
        for key in ids.iter().map(|id| RecordKey::parse(id).expect("an id")) {
            let parent = world.value(key, field).expect("a field").to_text();
            if taken.contains(&parent) {
                world.refuse(key, ItemError::locked(&[key]), Some(1));
            } else if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        taken.extend_from_slice(&parents);
        Some(parents)
    }

    async fn look_at(&self, request: &Asked<'_>) {
        if let Some(ids) = request.demanded() {
            let parents = if request.method == "DELETE" { self.lock_parents(&ids) } else { None };
            locked(&self.demands).push(Demand { path: request.path.to_owned(), ids });
            if let Some(parents) = parents {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if let Some((_, taken)) = locked(&self.contention).as_mut() {
                    taken.retain(|parent| !parents.contains(parent));
                }
            }
        }
        if request.deletes()
            && let Some(hook) = locked(&self.before_deletion).take()
        {
            hook(&self.sandbox);
        }
    }
}

/// All bytes of a body.
pub async fn bytes_of(body: RequestBody) -> Vec<u8> {
    match body {
        RequestBody::Empty => Vec::new(),
        RequestBody::Bytes(bytes) => bytes.to_vec(),
        RequestBody::Stream { length, open } => {
            let mut whole = Vec::new();
            let mut stream = open();
            while let Some(piece) = stream.next().await {
                whole.extend(piece.expect("what is uploaded can be read"));
            }
            assert_eq!(whole.len() as u64, length, "an upload is as long as it says");
            whole
        }
    }
}

/// One request as a system would see it.
pub struct Asked<'r> {
    pub method: &'r str,
    pub path: &'r str,
    pub query: &'r str,
    pub body: &'r [u8],
}

impl Asked<'_> {
    fn text(&self) -> &str {
        std::str::from_utf8(self.body).expect("what is sent is text")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(self.body).expect("what is sent is JSON")
    }

    /// Whether this is the path of something below Salesforce's REST API or its bulk API, by the end of its path.
    fn is(&self, method: &str, below: &str, end: &str) -> bool {
        self.method == method && self.path.contains(below) && self.path.ends_with(end)
    }

    /// Whether this is that operation of Zuora's.
    fn is_soap(&self, operation: &str) -> bool {
        self.path.starts_with("/apps/services/a/") && self.text().contains(&format!(":{operation}>"))
    }

    /// The ids that it asks to be deleted, at once or when the job is started.
    pub fn demanded(&self) -> Option<Vec<String>> {
        if self.is("DELETE", "/services/data/", "/composite/sobjects") {
            Some(ids_of_query(self.query))
        } else if self.is("POST", "/services/data/", "/composite") {
            let body = self.json();
            let parts = body["compositeRequest"].as_array().expect("requests").iter();
            let urls = parts.map(|part| part["url"].as_str().expect("an address").to_owned());
            Some(urls.flat_map(|url| ids_of_query(url.split_once('?').expect("ids").1)).collect())
        } else if self.is("PUT", "/jobs/ingest/", "/batches") {
            Some(ids_of_csv(self.text()))
        } else if self.is("POST", "/services/async/", "/batch") {
            match self.text().strip_prefix('[') {
                Some(_) => Some(self.json().as_array()?.iter().map(|item| text_of(&item["Id"])).collect()),
                None => Some(ids_of_csv(self.text())),
            }
        } else if self.is_soap("delete") {
            Some(between(self.text(), ":ids>", "</"))
        } else if self.is_new_batch() {
            let body = self.json();
            Some(body["batch"]["operations"][0]["ids"].as_array().expect("ids").iter().map(text_of).collect())
        } else {
            // Whatever else could delete is none of the ways this program may go.
            let other = self.method == "DELETE" && (self.path.contains("/sobjects") || self.path.contains("/records/"));
            assert!(!other, "an unexpected deletion: {}", self.path);
            None
        }
    }

    /// Whether this makes a Fulcrum batch. It must not start by itself.
    fn is_new_batch(&self) -> bool {
        let is_new = self.is("POST", "/api/v2/", "/batch.json");
        assert!(!is_new || self.json()["batch"]["start"] == false, "a batch that starts by itself");
        is_new
    }

    /// Whether it makes the system delete, now or soon.
    pub fn deletes(&self) -> bool {
        self.is("DELETE", "/services/data/", "/composite/sobjects")
            || self.is("POST", "/services/data/", "/composite")
            || (self.is("PATCH", "/jobs/ingest/", "") && self.text().contains("UploadComplete"))
            || self.is("POST", "/services/async/", "/batch")
            || self.is_soap("delete")
            || self.is("POST", "/api/v2/batch/", "/start.json")
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The ids of a call of sObject Collections.
fn ids_of_query(query: &str) -> Vec<String> {
    let ids = query.split('&').find_map(|pair| pair.strip_prefix("ids=")).expect("ids");
    ids.split(',').map(str::to_owned).collect()
}

fn ids_of_csv(text: &str) -> Vec<String> {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("Id"), "an upload begins with its header");
    lines.map(str::to_owned).collect()
}

/// Every text between two others. Good enough for what this program itself writes.
fn between(text: &str, start: &str, end: &str) -> Vec<String> {
    let texts = text.split(start).skip(1).filter_map(|rest| rest.split_once(end));
    texts.map(|(text, _)| text.to_owned()).filter(|text| !text.is_empty()).collect()
}

/// What a request carries to prove who is asking.
fn credentials(request: &http::Request<Vec<u8>>) -> Vec<String> {
    let headers = ["authorization", "x-sfdc-session", "x-apitoken"].into_iter();
    let mut found: Vec<String> = headers
        .filter_map(|name| request.headers().get(name)?.to_str().ok())
        .map(|text| text.trim_start_matches("Bearer ").to_owned())
        .collect();
    if let Ok(text) = std::str::from_utf8(request.body()) {
        found.extend(between(text, ":session>", "</"));
    }
    found
}

/// Unpacks a body while it arrives, as a client's library does; one that ends before its time is an error.
fn unpacked(body: ByteStream) -> ByteStream {
    let decoder = flate2::write::GzDecoder::new(Vec::new());
    let pieces = futures::stream::unfold(Some((body, decoder)), |state| async {
        let (mut body, mut decoder) = state?;
        match body.next().await {
            Some(Ok(piece)) => {
                let written = decoder.write_all(&piece).and_then(|()| decoder.flush());
                let piece = written.map(|()| std::mem::take(decoder.get_mut()).into());
                Some((piece, Some((body, decoder))))
            }
            Some(Err(error)) => Some((Err(error), None)),
            None => Some((decoder.finish().map(Into::into), None)),
        }
    });
    Box::pin(pieces)
}

#[async_trait]
impl Transport for RouterTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let origin = request.url.origin().ascii_serialization();
        assert_eq!(origin, ADDRESS, "a request for another host: {} {}", request.method, request.url.path());
        let host = request.url.authority().to_owned();
        let mut sent = http::Request::builder().method(request.method).uri(request.url.as_str());
        if let Some(headers) = sent.headers_mut() {
            *headers = request.headers;
            headers.insert(http::header::HOST, host.parse().expect("a host"));
            headers.insert(http::header::ACCEPT_ENCODING, http::HeaderValue::from_static("gzip"));
        }
        let sent = sent.body(bytes_of(request.body).await).expect("a request");
        locked(&self.credentials).extend(credentials(&sent));
        let uri = sent.uri();
        let (method, query) = (sent.method().as_str(), uri.query().unwrap_or_default());
        self.look_at(&Asked { method, path: uri.path(), query, body: sent.body() }).await;
        let end = self.ends_now();
        let answer = match end {
            Some(Delivery::Never) => None,
            Some(Delivery::Late) => {
                *locked(&self.late) = Some(sent);
                None
            }
            Some(Delivery::Done) | None => {
                Some(self.router.clone().oneshot(sent.map(Body::from)).await.expect("infallible"))
            }
        };
        if end.is_some() {
            self.ended.send_replace(true);
            std::future::pending::<()>().await;
        }
        let Some(answer) = answer else { return std::future::pending().await };
        if answer.extensions().get::<DroppedConnection>().is_some() {
            return Err(TransportError::NoAnswer { host, cause: "connection reset".into() });
        }
        let (mut parts, body) = answer.into_parts();
        let mut body: ByteStream = Box::pin(body.into_data_stream().map_err(std::io::Error::other));
        if parts.headers.remove(http::header::CONTENT_ENCODING).is_some_and(|coding| coding == "gzip") {
            body = unpacked(body);
        }
        Ok(Response { status: parts.status, headers: parts.headers, body })
    }
}
