//! What a token is good for.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use serde_json::json as tree;

use super::error::json;
use super::login::client;
use crate::sandbox::Sandbox;
use crate::sandbox::gate::origin;

/// `POST /services/oauth2/introspect`: the members are documented. Sessions do not remember their client here, so that every client may
/// ask about every token, as one may that an administrator allows all of them (documented); a wrong secret is refused in the words of
/// the token endpoint (guess). Looking at a token is no use of it (guess).
pub(super) async fn introspect(State(sandbox): State<Sandbox>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let client = match client(&sandbox, &form, &headers) {
        Ok(client) => client,
        Err(refusal) => return refusal.into_response(),
    };
    let (now, lifetime) = (sandbox.now(), sandbox.settings().session_lifetime);
    let token = form.get("token").map_or("", String::as_str);
    let found = sandbox.sessions().look_at(token, now, lifetime);
    let world = sandbox.world();
    let user = found.and_then(|(session, used)| Some((world.user(session.user).filter(|user| user.active)?, used)));
    let Some((user, used)) = user else { return json(StatusCode::OK, &tree!({ "active": false })) };
    let ends = used.as_second().saturating_add(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX));
    json(
        StatusCode::OK,
        &tree!({
            "active": true,
            "scope": "api",
            "client_id": client.id,
            "username": user.username,
            "sub": format!("{}/id/{}/{}", origin(&headers, &uri), world.organization().key, user.key),
            "token_type": "access_token",
            "exp": ends,
            "iat": used.as_second(),
            "nbf": used.as_second(),
        }),
    )
}
