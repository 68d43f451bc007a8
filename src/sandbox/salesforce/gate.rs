//! What every request passes: faults on both sides, size limits, version, session, budget, the log.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::error::ApiError;
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::request_log::query_shape;
use crate::sandbox::session::Session;
use crate::sandbox::{Effect, RequestRecord, Sandbox};

/// The longest path with query, and the longest of that with all headers, in bytes (documented).
const LONGEST_ADDRESS: usize = 16_384;
/// The oldest and the newest version that is answered (documented: 21 to 30 are retired).
pub(super) const VERSIONS: std::ops::RangeInclusive<u32> = 31..=68;

/// Stands in the extensions of a response that must not be sent: the connection closes without an answer instead.
///
/// The server does that by itself. Whoever calls the router directly must look for this and report a broken
/// connection; the body of such a response is an error too, so that nobody takes it for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DroppedConnection;

/// The version a request names in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct ApiVersion(pub u32);

impl ApiVersion {
    /// As in paths: `66.0`.
    pub(in crate::sandbox) fn dotted(self) -> String {
        format!("{}.0", self.0)
    }
}

/// Takes the request through everything that is not its own work.
pub(super) async fn pass(State(sandbox): State<Sandbox>, mut request: Request, next: Next) -> Response {
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let shape = query_shape(request.uri().query().unwrap_or_default());
    let effects = sandbox.faults().effects(&method, &path);
    for effect in &effects {
        match effect {
            Effect::Delay { milliseconds } => tokio::time::sleep(Duration::from_millis(*milliseconds)).await,
            Effect::ExpireSession => {
                if let Some(token) = bearer(request.headers()) {
                    sandbox.sessions().close(token);
                }
            }
            _ => {}
        }
    }
    let settled = effects.iter().find_map(answer_instead).or_else(|| {
        request.extensions_mut().insert(WorkFaults(effects.clone()));
        admit(&sandbox, &mut request).err()
    });
    let mut response = match settled {
        Some(response) => {
            if response.extensions().get::<DroppedConnection>().is_none() {
                read_to_end(request.into_body()).await;
            }
            response
        }
        None => {
            sandbox.run_jobs();
            next.run(request).await
        }
    };
    if effects.contains(&Effect::DropAfter) {
        response = dropped();
    }
    for effect in &effects {
        response = match effect {
            Effect::Truncate { bytes } => shortened(response, *bytes, false),
            Effect::Cut { bytes } => shortened(response, *bytes, true),
            _ => response,
        };
    }
    if path.trim_end_matches('/') != "/services/data" {
        let used = format!("api-usage={}/{}", sandbox.calls_spent(), sandbox.settings().daily_requests);
        if let Ok(value) = HeaderValue::from_str(&used) {
            response.headers_mut().insert(HeaderName::from_static("sforce-limit-info"), value);
        }
    }
    let status = response.extensions().get::<DroppedConnection>().is_none().then(|| response.status().as_u16());
    sandbox.record_request(RequestRecord { method, path, query_shape: shape, status });
    response
}

/// The access token of a request, from either of the two headers that carry one.
pub(in crate::sandbox) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth")).then(|| token.trim())
}

/// Checks what the vendor checks before it looks at the request itself, and notes version and session in it.
#[expect(clippy::result_large_err, reason = "a refusal is a whole response")]
fn admit(sandbox: &Sandbox, request: &mut Request) -> Result<(), Response> {
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if address > LONGEST_ADDRESS {
        return Err(html(StatusCode::URI_TOO_LONG, "URI Too Long"));
    }
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if address + headers > LONGEST_ADDRESS {
        return Err(html(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large"));
    }
    inflate(request);
    let Some(version) = version_segment(request.uri().path()) else { return Ok(()) };
    let version = read_version(version).ok_or_else(|| ApiError::not_found().into_response())?;
    let session = bearer(request.headers())
        .and_then(|token| sandbox.sessions().find(token, sandbox.now(), sandbox.settings().session_lifetime))
        .ok_or_else(|| ApiError::session().into_response())?;
    check_user(sandbox, session).map_err(IntoResponse::into_response)?;
    if !VERSIONS.contains(&version.0) {
        // The status is documented, the body is a guess.
        let gone = ApiError::new(StatusCode::GONE, "UNSUPPORTED_API_VERSION", "API version is not supported.");
        return Err(gone.into_response());
    }
    sandbox.spend_call().ok_or_else(|| ApiError::daily_limit().into_response())?;
    request.extensions_mut().insert(version);
    request.extensions_mut().insert(session);
    Ok(())
}

fn check_user(sandbox: &Sandbox, session: Session) -> Result<(), ApiError> {
    let world = sandbox.world();
    let user = world.user(session.user).filter(|user| user.active).ok_or_else(ApiError::session)?;
    if user.permissions.api_enabled {
        return Ok(());
    }
    let message = "The REST API is not enabled for this Organization.";
    Err(ApiError::new(StatusCode::FORBIDDEN, "API_DISABLED_FOR_ORG", message))
}

/// The `v66.0` of `/services/data/v66.0/…`.
fn version_segment(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/services/data/")?;
    let segment = rest.split('/').next().unwrap_or_default();
    (!segment.is_empty()).then_some(segment)
}

/// A version this generation of the vendor has had; 404 for the others.
fn read_version(segment: &str) -> Option<ApiVersion> {
    let number: u32 = segment.strip_prefix('v')?.strip_suffix(".0")?.parse().ok()?;
    (20..=*VERSIONS.end()).contains(&number).then_some(ApiVersion(number))
}

fn answer_instead(effect: &Effect) -> Option<Response> {
    let response = match effect {
        Effect::Respond { status, content_type, body, retry_after } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let content_type = content_type.as_deref().unwrap_or("application/json;charset=UTF-8");
            let mut response = (status, body.clone()).into_response();
            if let Ok(value) = HeaderValue::from_str(content_type) {
                response.headers_mut().insert(header::CONTENT_TYPE, value);
            }
            with_retry_after(response, *retry_after)
        }
        Effect::DailyLimit => ApiError::daily_limit().into_response(),
        Effect::ConcurrentLimit => ApiError::concurrent_limit().into_response(),
        Effect::Unavailable { retry_after } => {
            with_retry_after(html(StatusCode::SERVICE_UNAVAILABLE, "Down For Maintenance"), *retry_after)
        }
        Effect::TooManyRequests { retry_after } => {
            let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "REQUEST_LIMIT_EXCEEDED", "Too many requests.");
            with_retry_after(error.into_response(), *retry_after)
        }
        Effect::DropBefore => dropped(),
        _ => return None,
    };
    Some(response)
}

fn with_retry_after(mut response: Response, seconds: Option<u64>) -> Response {
    if let Some(seconds) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Reads what is left of a request whose answer is settled: while a client is still sending, a connection that closes
/// behind the answer can take the answer with it.
pub(super) async fn read_to_end(body: Body) {
    let mut pieces = body.into_data_stream();
    while let Some(Ok(_)) = pieces.next().await {}
}

/// A page as the edge in front of the vendor's servers sends it.
fn html(status: StatusCode, title: &str) -> Response {
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
    if !breaks {
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    let kept = body.into_data_stream().scan(bytes, |left, chunk| {
        let chunk = chunk.map(|data| data.slice(..data.len().min(*left))).map_err(io::Error::other);
        *left -= chunk.as_ref().map_or(0, Bytes::len);
        let over = *left == 0 && chunk.as_ref().is_ok_and(Bytes::is_empty);
        futures::future::ready((!over).then_some(chunk))
    });
    let ending = futures::stream::iter(breaks.then(|| Err(broken())));
    Response::from_parts(parts, Body::from_stream(kept.chain(ending)))
}

/// Unpacks a compressed request body while it arrives.
fn inflate(request: &mut Request) {
    enum Unpacker {
        Gzip(flate2::write::GzDecoder<Vec<u8>>),
        Deflate(flate2::write::ZlibDecoder<Vec<u8>>),
    }
    let encoding = request.headers().get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut unpacker = match encoding {
        "gzip" => Unpacker::Gzip(flate2::write::GzDecoder::new(Vec::new())),
        "deflate" => Unpacker::Deflate(flate2::write::ZlibDecoder::new(Vec::new())),
        _ => return,
    };
    let body = std::mem::take(request.body_mut());
    let unpacked = body.into_data_stream().map(move |chunk| {
        let chunk = chunk.map_err(io::Error::other)?;
        let output = match &mut unpacker {
            Unpacker::Gzip(decoder) => decoder.write_all(&chunk).and_then(|()| decoder.flush()).map(|()| decoder.get_mut()),
            Unpacker::Deflate(decoder) => {
                decoder.write_all(&chunk).and_then(|()| decoder.flush()).map(|()| decoder.get_mut())
            }
        };
        output.map(|bytes| Bytes::from(std::mem::take(bytes)))
    });
    *request.body_mut() = Body::from_stream(unpacked);
    request.headers_mut().remove(header::CONTENT_ENCODING);
    request.headers_mut().remove(header::CONTENT_LENGTH);
}
