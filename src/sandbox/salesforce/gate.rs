//! What every Salesforce request passes: size limits, version, session, budget.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::error::ApiError;
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::gate::{html, read_to_end, with_retry_after};
use crate::sandbox::session::Session;
use crate::sandbox::{Effect, Sandbox};

/// The longest path with query, and the longest of that with all headers, in bytes (documented).
const LONGEST_ADDRESS: usize = 16_384;
/// The oldest and the newest version that is answered (documented: 21 to 30 are retired).
pub(super) const VERSIONS: std::ops::RangeInclusive<u32> = 31..=68;

/// The version a request names in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct ApiVersion(pub u32);

impl ApiVersion {
    /// As in paths: `66.0`.
    pub(in crate::sandbox) fn dotted(self) -> String {
        format!("{}.0", self.0)
    }
}

/// Takes the request through everything of the organization that is not its own work.
pub(super) async fn pass(State(sandbox): State<Sandbox>, mut request: Request, next: Next) -> Response {
    let WorkFaults(effects) = request.extensions().get().cloned().unwrap_or_default();
    if effects.contains(&Effect::ExpireSession)
        && let Some(token) = access_token(&request)
    {
        sandbox.sessions().close(token);
    }
    let list_of_versions = request.uri().path().trim_end_matches('/') == "/services/data";
    let settled = effects.iter().find_map(refusal).or_else(|| admit(&sandbox, &mut request).err());
    let mut response = match settled {
        Some(response) => {
            read_to_end(request.into_body()).await;
            response
        }
        None => {
            sandbox.run_jobs();
            next.run(request).await
        }
    };
    if !list_of_versions {
        let used = format!("api-usage={}/{}", sandbox.calls_spent(), sandbox.settings().daily_requests);
        if let Ok(value) = HeaderValue::from_str(&used) {
            response.headers_mut().insert(HeaderName::from_static("sforce-limit-info"), value);
        }
    }
    response
}

/// The refusal in Salesforce's own words that a fault asks for.
fn refusal(effect: &Effect) -> Option<Response> {
    match effect {
        Effect::DailyLimit => Some(ApiError::daily_limit().into_response()),
        Effect::ConcurrentLimit => Some(ApiError::concurrent_limit().into_response()),
        Effect::TooManyRequests { retry_after } => {
            let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "REQUEST_LIMIT_EXCEEDED", "Too many requests.");
            Some(with_retry_after(error.into_response(), *retry_after))
        }
        _ => None,
    }
}

/// The access token of a request. Bulk API 1.0 has a header of its own for it (documented), and takes the usual one too.
fn access_token(request: &Request) -> Option<&str> {
    let own = request.headers().get("x-sfdc-session").filter(|_| request.uri().path().starts_with("/services/async/"));
    own.and_then(|token| token.to_str().ok()).or_else(|| bearer(request.headers()))
}

/// The access token in the usual header.
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
    let Some(version) = version_of(request.uri().path()) else { return Ok(()) };
    let version = version.ok_or_else(|| ApiError::not_found().into_response())?;
    let takes_jwts = sandbox.settings().bulk1_takes_jwts || !request.uri().path().starts_with("/services/async/");
    let session = access_token(request)
        .filter(|token| takes_jwts || !token.contains('.'))
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
    if session.password_expired {
        // That such a session may only set a password is documented; the text is from memory.
        let message = "The users password has expired, you must call SetPassword before attempting any other API operations";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", message));
    }
    if user.permissions.api_enabled {
        return Ok(());
    }
    let message = "The REST API is not enabled for this Organization.";
    Err(ApiError::new(StatusCode::FORBIDDEN, "API_DISABLED_FOR_ORG", message))
}

/// The version in the path of an interface that needs a session, `v66.0` below `/services/data` and `66.0` below
/// `/services/async`; an inner nothing for one that this generation of the vendor has not had.
fn version_of(path: &str) -> Option<Option<ApiVersion>> {
    let (rest, prefix) = match path.strip_prefix("/services/data/") {
        Some(rest) => (rest, "v"),
        None => (path.strip_prefix("/services/async/")?, ""),
    };
    let segment = rest.split('/').next().filter(|segment| !segment.is_empty())?;
    let number = segment.strip_prefix(prefix).and_then(|version| version.strip_suffix(".0")?.parse().ok());
    Some(number.filter(|number| (20..=*VERSIONS.end()).contains(number)).map(ApiVersion))
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
