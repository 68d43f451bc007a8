//! Who somebody is: the identity URL, and the same in the words of OpenID.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value as Json, json as tree};

use super::error::{json, moment};
use super::login::token_user;
use crate::sandbox::gate::origin;
use crate::sandbox::{RecordKey, Sandbox, User, World};

/// `GET /id/{organization}/{user}`. The members are those of recorded answers; nobody here has an address, a telephone or a status.
pub(super) async fn identity(
    State(sandbox): State<Sandbox>,
    Path((organization, user)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let refuse = |text: &'static str| (StatusCode::FORBIDDEN, text).into_response();
    let caller = match token_user(&sandbox, &headers) {
        Ok(caller) => caller,
        Err(text) => return refuse(text),
    };
    let world = sandbox.world();
    if RecordKey::parse(&organization) != Ok(world.organization().key) {
        return refuse("Wrong_Org");
    }
    let Some(subject) = RecordKey::parse(&user).ok().and_then(|key| world.user(key)) else { return refuse("Bad_Id") };
    let origin = origin(&headers, &uri);
    let (first, last) = names(subject);
    json(
        StatusCode::OK,
        &tree!({
            "id": address(&origin, &world, subject),
            "asserted_user": caller.key == subject.key,
            "user_id": subject.key.to_string(),
            "organization_id": world.organization().key.to_string(),
            "username": subject.username,
            "nick_name": nickname(subject),
            "display_name": subject.name,
            "email": subject.username,
            "email_verified": true,
            "first_name": first,
            "last_name": last,
            "timezone": "GMT",
            "photos": photos(&origin),
            "addr_street": null,
            "addr_city": null,
            "addr_state": null,
            "addr_country": null,
            "addr_zip": null,
            "mobile_phone": null,
            "mobile_phone_verified": false,
            "is_lightning_login_user": false,
            "status": { "created_date": null, "body": null },
            "urls": urls(&origin, &world, subject),
            "active": subject.active,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
            "utcOffset": 0,
            "last_modified_date": moment(world.now()),
            "is_app_installed": true,
        }),
    )
}

/// `GET /services/oauth2/userinfo`, whose members are seen by clients.
pub(super) async fn userinfo(State(sandbox): State<Sandbox>, uri: Uri, headers: HeaderMap) -> Response {
    let user = match token_user(&sandbox, &headers) {
        Ok(user) => user,
        Err(text) => return (StatusCode::FORBIDDEN, text).into_response(),
    };
    let world = sandbox.world();
    let origin = origin(&headers, &uri);
    let (first, last) = names(&user);
    let photos = photos(&origin);
    json(
        StatusCode::OK,
        &tree!({
            "sub": address(&origin, &world, &user),
            "user_id": user.key.to_string(),
            "organization_id": world.organization().key.to_string(),
            "preferred_username": user.username,
            "nickname": nickname(&user),
            "name": user.name,
            "email": user.username,
            "email_verified": true,
            "given_name": first,
            "family_name": last,
            "zoneinfo": "GMT",
            "profile": format!("{origin}/{}", user.key),
            "picture": photos["picture"],
            "photos": photos,
            "address": {},
            "urls": urls(&origin, &world, &user),
            "active": user.active,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
            "utcOffset": 0,
            "updated_at": moment(world.now()),
            "is_app_installed": true,
        }),
    )
}

/// The address of somebody's identity.
fn address(origin: &str, world: &World, user: &User) -> String {
    format!("{origin}/id/{}/{}", world.organization().key, user.key)
}

fn nickname(user: &User) -> &str {
    user.username.split('@').next().unwrap_or_default()
}

/// First and last name; whoever has one name has a last one only.
fn names(user: &User) -> (Option<&str>, &str) {
    user.name.split_once(' ').map_or((None, user.name.as_str()), |(first, last)| (Some(first), last))
}

fn photos(origin: &str) -> Json {
    tree!({ "picture": format!("{origin}/profilephoto/005/F"), "thumbnail": format!("{origin}/profilephoto/005/T") })
}

/// Where the interfaces are, those among them that the sandbox does not serve left out. The version is for the client to fill in
/// (documented).
fn urls(origin: &str, world: &World, user: &User) -> Json {
    let rest = format!("{origin}/services/data/v{{version}}/");
    tree!({
        "partner": format!("{origin}/services/Soap/u/{{version}}/{}", world.organization().key.fifteen()),
        "rest": rest,
        "sobjects": format!("{rest}sobjects/"),
        "query": format!("{rest}query/"),
        "profile": format!("{origin}/{}", user.key),
        "custom_domain": origin,
    })
}
