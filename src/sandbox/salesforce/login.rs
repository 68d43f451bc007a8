//! Logging in: the token endpoint, revocation, and whose a token is.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, Uri, header};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::error::json;
use super::gate::bearer;
use crate::base::Digest;
use crate::sandbox::gate::origin;
use crate::sandbox::{Client, RecordKey, Sandbox, User};

/// How far ahead of the clock an assertion may expire. Something far beyond is a moment in milliseconds.
const LONGEST_ASSERTION: i64 = 3_600;

/// A refused login: the code and the text (pairs as recorded, unless said).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal(&'static str, &'static str);

const BAD_CLIENT: Refusal = Refusal("invalid_client_id", "client identifier invalid");
const BAD_SECRET: Refusal = Refusal("invalid_client", "invalid client credentials");
const UNSUPPORTED: Refusal = Refusal("unsupported_grant_type", "grant type not supported");
const EXPIRED: Refusal = Refusal("invalid_grant", "expired authorization code");

#[derive(Serialize)]
struct RefusalBody {
    error: &'static str,
    error_description: &'static str,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        json(StatusCode::BAD_REQUEST, &RefusalBody { error: self.0, error_description: self.1 })
    }
}

#[derive(Serialize)]
struct TokenBody {
    access_token: String,
    instance_url: String,
    id: String,
    token_type: &'static str,
    issued_at: String,
    signature: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    /// The next one, where the one that was used is good for nothing any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// `POST /services/oauth2/token`.
pub(super) async fn token(State(sandbox): State<Sandbox>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let origin = origin(&headers, &uri);
    let (granted, scope) = match field("grant_type") {
        "client_credentials" => (grant_credentials(&sandbox, &form, &headers), Some("api")),
        "refresh_token" => (grant_refresh(&sandbox, &form, &headers), Some("api refresh_token")),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            (grant_assertion(&sandbox, field("assertion"), &origin), Some("api"))
        }
        // Username and password: blocked, as in newer organizations ([guess] at the answer).
        _ => (Err(UNSUPPORTED), None),
    };
    match granted {
        Ok(user) => {
            let organization = sandbox.world().organization().key;
            let access_token = sandbox.access_token(user);
            let body = TokenBody {
                access_token,
                id: format!("{origin}/id/{organization}/{user}"),
                instance_url: origin,
                token_type: "Bearer",
                issued_at: sandbox.now().as_millisecond().to_string(),
                signature: STANDARD.encode(user.eighteen()),
                scope,
                refresh_token: rotated(&sandbox, &form),
            };
            json(StatusCode::OK, &body)
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// The client a form or the `Authorization: Basic` header names, with its secret checked.
pub(super) fn client(sandbox: &Sandbox, form: &BTreeMap<String, String>, headers: &HeaderMap) -> Result<Client, Refusal> {
    let basic = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
        .and_then(|encoded| String::from_utf8(STANDARD.decode(encoded).ok()?).ok());
    let (id, secret) = match basic.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((id, secret)) => (id.to_owned(), Some(secret.to_owned())),
        None => (form.get("client_id").cloned().unwrap_or_default(), form.get("client_secret").cloned()),
    };
    let client = sandbox.world().clients().iter().find(|client| client.id == id).cloned().ok_or(BAD_CLIENT)?;
    match (&client.secret, secret) {
        (Some(wanted), Some(given)) if wanted.expose_secret() == given => Ok(client),
        (None, _) => Ok(client),
        _ => Err(BAD_SECRET),
    }
}

fn active(sandbox: &Sandbox, user: RecordKey) -> Result<RecordKey, Refusal> {
    let world = sandbox.world();
    world.user(user).filter(|user| user.active).map(|user| user.key).ok_or(Refusal("invalid_grant", "inactive user"))
}

fn grant_credentials(sandbox: &Sandbox, form: &BTreeMap<String, String>, headers: &HeaderMap) -> Result<RecordKey, Refusal> {
    let client = client(sandbox, form, headers)?;
    // A public client cannot stand for anybody by itself.
    let user = client.run_as.filter(|_| client.secret.is_some());
    active(sandbox, user.ok_or(Refusal("invalid_grant", "no client credentials user enabled"))?)
}

fn grant_refresh(sandbox: &Sandbox, form: &BTreeMap<String, String>, headers: &HeaderMap) -> Result<RecordKey, Refusal> {
    let given = form.get("refresh_token").map_or("", String::as_str);
    let id = form.get("client_id").cloned().unwrap_or_default();
    // The secret is optional in this flow; a wrong one is refused all the same.
    let client = if form.contains_key("client_secret") || headers.contains_key(header::AUTHORIZATION) {
        client(sandbox, form, headers)?
    } else {
        sandbox.world().clients().iter().find(|client| client.id == id).cloned().ok_or(BAD_CLIENT)?
    };
    let user = client.refresh_tokens.iter().find(|(token, _)| token.expose_secret() == given).map(|(_, user)| *user);
    active(sandbox, user.ok_or(Refusal("invalid_grant", "expired access/refresh token"))?)
}

/// The refresh token that takes the place of the one that a form has used, where they are good for one sign-in.
fn rotated(sandbox: &Sandbox, form: &BTreeMap<String, String>) -> Option<String> {
    let used = form.get("refresh_token").filter(|_| sandbox.settings().rotates_refresh_tokens)?;
    let next = format!("5Aep861{:.64}", Digest::of(format!("{} {used}", sandbox.settings().seed).as_bytes()).to_string());
    sandbox.world().replace_refresh_token(used, &next);
    Some(next)
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
}

fn grant_assertion(sandbox: &Sandbox, assertion: &str, origin: &str) -> Result<RecordKey, Refusal> {
    // The text for an assertion that cannot be read or verified is a guess.
    let invalid = Refusal("invalid_grant", "invalid assertion");
    let claims = jsonwebtoken::dangerous::insecure_decode::<Claims>(assertion).map_err(|_| invalid)?.claims;
    let client = sandbox.world().clients().iter().find(|client| client.id == claims.iss).cloned().ok_or(BAD_CLIENT)?;
    let invalid = || Refusal("invalid_grant", "invalid assertion");
    let pem = client.public_key_pem.as_deref().ok_or_else(invalid)?;
    let key = DecodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| invalid())?;
    let mut validation = Validation::new(Algorithm::RS256);
    // The time is judged below, by the sandbox's clock.
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Claims>(assertion, &key, &validation).map_err(|_| invalid())?;
    let audiences = ["https://login.salesforce.com", "https://test.salesforce.com", origin];
    if !audiences.contains(&claims.aud.trim_end_matches('/')) {
        return Err(Refusal("invalid_grant", "audience is invalid"));
    }
    let now = sandbox.now().as_second();
    if claims.exp <= now || claims.exp > now + LONGEST_ASSERTION {
        return Err(EXPIRED);
    }
    let user = sandbox.world().users().find(|user| user.username == claims.sub).map(|user| user.key);
    let approved = user.filter(|user| client.approved.is_empty() || client.approved.contains(user));
    active(sandbox, approved.ok_or(Refusal("invalid_grant", "user hasn't approved this consumer"))?)
}

/// `POST /services/oauth2/revoke`.
pub(super) async fn revoke(State(sandbox): State<Sandbox>, body: Bytes) -> Response {
    let token = url::form_urlencoded::parse(&body).find(|(name, _)| name == "token").map(|(_, token)| token.into_owned());
    match token {
        Some(token) => {
            sandbox.sessions().close(&token);
            StatusCode::OK.into_response()
        }
        // Errors of this endpoint are form-encoded (documented); the words are a guess.
        None => {
            let body = "error=invalid_request&error_description=token+is+required";
            (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/x-www-form-urlencoded")], body).into_response()
        }
    }
}

/// The user of a request's token, or the plain-text refusal ([guess]).
pub(super) fn token_user(sandbox: &Sandbox, headers: &HeaderMap) -> Result<User, &'static str> {
    let token = bearer(headers).ok_or("Missing_OAuth_Token")?;
    let session = sandbox.sessions().find(token, sandbox.now(), sandbox.settings().session_lifetime);
    let user = session.ok_or("Bad_OAuth_Token")?.user;
    sandbox.world().user(user).filter(|user| user.active).cloned().ok_or("Bad_OAuth_Token")
}
