//! Who may call.

use secrecy::{ExposeSecret, SecretString};

/// A user's membership of the organization, with the one API token that stands for it.
#[derive(Clone, Debug)]
pub struct Member {
    /// The user's id.
    pub user_id: String,
    /// The user's name.
    pub name: String,
    /// The user's mail address.
    pub email: String,
    /// The name of the role.
    pub role: String,
    /// Whether the role may delete records. Of the system's roles, Manager may and Standard User may not (documented).
    pub can_delete_records: bool,
    /// What goes into `X-ApiToken`.
    pub token: SecretString,
}

impl Member {
    /// Somebody with a role and a token. Number and name make the id and the address.
    pub fn new(number: u64, name: &str, role: &str, can_delete_records: bool, token: &str) -> Self {
        Self {
            user_id: format!("5f1efa0914414053730{number:05}"),
            name: name.to_owned(),
            email: format!("{}@sandbox.example", name.to_lowercase().replace(' ', ".")),
            role: role.to_owned(),
            can_delete_records,
            token: SecretString::from(token),
        }
    }

    /// Whether this is the member's token.
    pub(super) fn has_token(&self, token: &str) -> bool {
        self.token.expose_secret() == token
    }
}
