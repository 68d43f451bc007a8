//! What is checked before a request is looked at: `Accept`, the token, the calls of the hour.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};

use super::Member;
use super::error::ApiError;
use crate::sandbox::fault::WorkFaults;
use crate::sandbox::{Effect, Sandbox};

/// The member whose token a request carries.
pub(super) struct Caller(pub Member);

impl FromRequestParts<Sandbox> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, sandbox: &Sandbox) -> Result<Self, ApiError> {
        let faults = parts.extensions.get::<WorkFaults>().cloned().unwrap_or_default();
        for effect in &faults.0 {
            match effect {
                Effect::TooManyRequests { retry_after } => return Err(ApiError::too_many_requests(*retry_after)),
                Effect::ExpireSession => return Err(ApiError::unauthorized()),
                _ => {}
            }
        }
        // Queries also answer in CSV.
        let is_query = parts.uri.path().starts_with("/api/v2/query");
        let acceptable = accepts_json(&parts.headers) || (is_query && accepts(&parts.headers, "text/"));
        if !acceptable {
            return Err(ApiError::not_acceptable());
        }
        let token = token(parts).ok_or_else(ApiError::unauthorized)?;
        let mut organization = sandbox.fulcrum();
        let member = organization.members.iter().find(|member| member.has_token(&token)).cloned();
        let member = member.ok_or_else(ApiError::unauthorized)?;
        if !organization.spend_call(&member.user_id) {
            return Err(ApiError::too_many_requests(None));
        }
        Ok(Self(member))
    }
}

/// The token from the header, or from the address as it used to be (documented).
fn token(parts: &Parts) -> Option<String> {
    if let Some(header) = parts.headers.get("x-apitoken") {
        return header.to_str().ok().map(str::to_owned);
    }
    let query = parts.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token").map(|(_, value)| value.into_owned())
}

fn accepts_json(headers: &HeaderMap) -> bool {
    ["application/json", "application/*", "*/*"].iter().any(|kind| accepts(headers, kind))
}

/// Whether a media type that begins so is among those that are accepted.
fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|offer| offer.trim().to_ascii_lowercase().starts_with(kind))
}
