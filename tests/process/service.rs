//! A sandbox on a socket, with a tap on everything that is asked of it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use sexton::sandbox::{RecordKey, Sandbox, Settings, Value, World, WorldBuilder};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::block_in_place;
use tower::ServiceExt as _;

use crate::support::wire;

/// The moment a sandbox of these tests begins at: now, since the program compares its clock with the machine's.
pub fn start() -> Timestamp {
    Timestamp::now()
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// The query as it was sent.
    pub query: String,
    pub headers: String,
    pub body: Bytes,
}

impl Asked {
    /// Whether leads are asked for.
    pub fn asks_for_leads(&self) -> bool {
        url::form_urlencoded::parse(self.query.as_bytes()).any(|(_, value)| value.contains("FROM Lead"))
    }

    /// What the system is asked for.
    pub fn request(&self) -> wire::Asked<'_> {
        wire::Asked { method: &self.method, path: &self.path, query: &self.query, body: &self.body }
    }
}

/// Whether a request that arrived is to be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    CarryOut,
    Ignore,
}

/// Looks on while the sandbox is asked.
pub trait Tap: Send + Sync {
    /// A request arrived; nothing has been done for it.
    fn arrived(&self, asked: &Asked) -> Verdict {
        let _ = asked;
        Verdict::CarryOut
    }

    /// A request was carried out, and its answer is about to leave.
    fn done(&self, asked: &Asked) {
        let _ = asked;
    }
}

/// A tap that only remembers.
#[derive(Default)]
pub struct Memory(Mutex<Vec<Asked>>);

impl Memory {
    /// Everything asked so far.
    pub fn all(&self) -> Vec<Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Tap for Memory {
    fn arrived(&self, asked: &Asked) -> Verdict {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
        Verdict::CarryOut
    }
}

/// A sandbox that answers on loopback until it is dropped.
pub struct Service {
    pub sandbox: Sandbox,
    pub url: String,
    inner: Arc<Mutex<Router>>,
    runtime: Option<Runtime>,
}

impl Service {
    /// Serves a world.
    pub fn of(world: World) -> Self {
        Self::tapped(Sandbox::new(world, Settings::starting_at(start())), Arc::new(Memory::default()))
    }

    /// Serves some leads of the company `Old`, and gives their keys.
    pub fn of_leads(count: usize) -> (Self, Vec<RecordKey>) {
        let mut world = builder().build().expect("a world");
        let keys = add_leads(&mut world, count, "Old");
        (Self::of(world), keys)
    }

    /// Serves a sandbox, with a tap on it.
    pub fn tapped(sandbox: Sandbox, tap: Arc<dyn Tap>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("loopback");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let inner = Arc::new(Mutex::new(sandbox.router()));
        let behind = Arc::clone(&inner);
        let router = Router::new().fallback(move |request: Request| {
            let inner = behind.lock().unwrap_or_else(PoisonError::into_inner).clone();
            pass(Arc::clone(&tap), inner, request)
        });
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { sandbox, url, inner, runtime: Some(runtime) }
    }

    /// From now on another organization answers at the same address.
    pub fn becomes(&mut self, sandbox: Sandbox) {
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner) = sandbox.router();
        self.sandbox = sandbox;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn pass(tap: Arc<dyn Tap>, inner: Router, request: Request) -> Response {
    let (head, body) = request.into_parts();
    // A client that dies while it uploads leaves a body without an end, which no server takes for a whole one.
    let Ok(body) = to_bytes(body, usize::MAX).await else { return http::StatusCode::BAD_REQUEST.into_response() };
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: format!("{:?}", head.headers),
        body: body.clone(),
    };
    // Whoever looks on may take its time, and run other processes that ask, too.
    if block_in_place(|| tap.arrived(&asked)) == Verdict::Ignore {
        return http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let answer = inner.oneshot(Request::from_parts(head, Body::from(body))).await;
    block_in_place(|| tap.done(&asked));
    answer.into_response()
}

/// A world in the making, with the standard objects.
pub fn builder() -> WorldBuilder {
    World::builder().start(start())
}

/// Adds leads of one company, and gives their keys.
pub fn add_leads(world: &mut World, count: usize, company: &str) -> Vec<RecordKey> {
    (0..count)
        .map(|number| {
            let name = format!("Person {number}");
            let fields = [("LastName", Value::from(name.as_str())), ("Company", company.into())];
            world.insert("Lead", fields).expect("a lead")
        })
        .collect()
}
