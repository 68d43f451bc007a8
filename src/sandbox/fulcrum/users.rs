//! Who the caller is, and in which organization.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::caller::Caller;
use crate::sandbox::Sandbox;

/// `GET /users.json`: the user, and as `current_organization` the organization that the token belongs to. `contexts` lists
/// all organizations of the user, so it does not tell which one that is (documented; keys that matter to nobody are left out).
pub(super) async fn read(State(sandbox): State<Sandbox>, Caller(member): Caller) -> Json<Value> {
    let organization = sandbox.fulcrum();
    let (first, last) = member.name.split_once(' ').unwrap_or((&member.name, ""));
    Json(json!({ "user": {
        "first_name": first,
        "last_name": last,
        "email": member.email,
        "id": member.user_id,
        "current_organization": { "id": organization.id, "name": organization.name },
        "contexts": [
            // Somebody's personal organization stands first, so that nobody takes the first one for the token's.
            { "name": member.name, "id": "0d6f2f37-4f0b-4d5e-8d83-5b8f2b1c7a90", "type": "organization" },
            {
                "name": organization.name,
                "id": organization.id,
                "type": "organization",
                "role": {
                    "name": member.role,
                    "is_system": true,
                    "can_create_records": true,
                    "can_update_records": true,
                    "can_delete_records": member.can_delete_records,
                },
            },
        ],
        "access": { "allowed": true },
    } }))
}
