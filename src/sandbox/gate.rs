//! What every request passes, whatever system it is for: faults on both sides, and the log.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};

use super::fault::WorkFaults;
use super::request_log::query_shape;
use super::{Effect, RequestRecord, Sandbox, soap};

/// Stands in the extensions of a response that must not be sent: the connection closes without an answer instead.
///
/// The server does that by itself. Whoever calls the router directly must look for this and report a broken
/// connection; the body of such a response is an error too, so that nobody takes it for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DroppedConnection;

/// Takes the request through everything that is not its system's own work. The faults that only its system can put in
/// words go on with it, as [`WorkFaults`].
pub(super) async fn pass(State(sandbox): State<Sandbox>, mut request: Request, next: Next) -> Response {
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let query_shape = query_shape(request.uri().query().unwrap_or_default());
    let operation = soap::operation(&mut request).await;
    let effects = sandbox.faults().effects(&method, &path, operation.as_deref());
    for effect in &effects {
        if let Effect::Delay { milliseconds } = effect {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
        }
    }
    let mut response = match effects.iter().find_map(answer_instead) {
        Some(response) => {
            if response.extensions().get::<DroppedConnection>().is_none() {
                read_to_end(request.into_body()).await;
            }
            response
        }
        None => {
            request.extensions_mut().insert(WorkFaults(effects.clone()));
            next.run(request).await
        }
    };
    if effects.contains(&Effect::DropAfter) {
        response = dropped();
    }
    for effect in &effects {
        response = match effect {
            Effect::RespondAfter { status, content_type, body } => {
                let content_type = content_type.as_deref().unwrap_or("text/html");
                written(*status, content_type, body)
            }
            Effect::Truncate { bytes } => shortened(response, *bytes, false),
            Effect::Cut { bytes } => shortened(response, *bytes, true),
            _ => response,
        };
    }
    let status = response.extensions().get::<DroppedConnection>().is_none().then(|| response.status().as_u16());
    sandbox.record_request(RequestRecord { method, path, query_shape, operation, status });
    response
}

/// The answer of a fault that needs no system: from the edge, or as the test wrote it.
fn answer_instead(effect: &Effect) -> Option<Response> {
    match effect {
        Effect::Respond { status, content_type, body, retry_after } => {
            let content_type = content_type.as_deref().unwrap_or("application/json;charset=UTF-8");
            Some(with_retry_after(written(*status, content_type, body), *retry_after))
        }
        Effect::Unavailable { retry_after } => {
            Some(with_retry_after(html(StatusCode::SERVICE_UNAVAILABLE, "Down For Maintenance"), *retry_after))
        }
        Effect::DropBefore => Some(dropped()),
        _ => None,
    }
}

/// An answer as a test wrote it.
fn written(status: u16, content_type: &str, body: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, body.to_owned()).into_response();
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

/// The response, with the number of seconds after which to come back.
pub(in crate::sandbox) fn with_retry_after(mut response: Response, seconds: Option<u64>) -> Response {
    if let Some(seconds) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The scheme, host and port a request was sent to.
pub(in crate::sandbox) fn origin(headers: &HeaderMap, uri: &Uri) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(http::uri::Authority::as_str)).unwrap_or("localhost");
    // HTTP/2 says the scheme with each request, so that a sandbox behind TLS names itself rightly.
    format!("{}://{host}", uri.scheme_str().unwrap_or("http"))
}

/// Reads what is left of a request whose answer is settled: while a client is still sending, a connection that closes
/// behind the answer can take the answer with it.
pub(in crate::sandbox) async fn read_to_end(body: Body) {
    let mut pieces = body.into_data_stream();
    while let Some(Ok(_)) = pieces.next().await {}
}

/// A page as the edge in front of the vendor's servers sends it.
pub(in crate::sandbox) fn html(status: StatusCode, title: &str) -> Response {
    let page = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
    (status, [(header::CONTENT_TYPE, "text/html;charset=UTF-8")], page).into_response()
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the sandbox closed the connection")
}

fn dropped() -> Response {
    let mut response = Response::new(Body::from_stream(futures::stream::iter([Err::<Bytes, _>(broken())])));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.extensions_mut().insert(DroppedConnection);
    response
}

/// The response with only the first bytes of its body: silently, or broken off.
fn shortened(response: Response, bytes: usize, breaks: bool) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Some(length) = body.size_hint().exact().filter(|_| breaks) {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let kept = body.into_data_stream().scan(bytes, |left, chunk| {
        let chunk = chunk.map(|data| data.slice(..data.len().min(*left))).map_err(io::Error::other);
        *left -= chunk.as_ref().map_or(0, Bytes::len);
        let over = *left == 0 && chunk.as_ref().is_ok_and(Bytes::is_empty);
        futures::future::ready((!over).then_some(chunk))
    });
    // The pause lets the server send what it has before the connection breaks.
    let ending = futures::stream::iter(breaks.then_some(())).then(|()| async {
        tokio::task::yield_now().await;
        Err(broken())
    });
    Response::from_parts(parts, Body::from_stream(kept.chain(ending)))
}
