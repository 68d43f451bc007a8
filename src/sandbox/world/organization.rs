//! Who may do what: the organization, its users and its connected applications.

use std::collections::BTreeSet;

use secrecy::SecretString;

use super::RecordKey;

/// The organization the world belongs to.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its key, which begins with `00D`.
    pub key: RecordKey,
    /// Its name.
    pub name: String,
    /// Whether it is a copy for trying things.
    pub is_sandbox: bool,
    /// The server it lives on, such as `NA1`.
    pub instance_name: String,
    /// Its edition, such as `Enterprise Edition`.
    pub edition: String,
}

/// Somebody who can log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The key, which begins with `005`.
    pub key: RecordKey,
    /// The login name, which has the form of a mail address.
    pub username: String,
    /// What people call them.
    pub name: String,
    /// Whether they may log in at all.
    pub active: bool,
    /// What they may do.
    pub permissions: Permissions,
}

/// How a user logs in by name and password.
#[derive(Clone, Debug)]
pub struct PasswordLogin {
    /// The password.
    pub password: SecretString,
    /// What must stand behind it; absent for a user who logs in from a trusted network.
    pub security_token: Option<SecretString>,
    /// Whether the password must be changed first.
    pub expired: bool,
    /// Whether there were too many wrong ones.
    pub locked_out: bool,
}

impl PasswordLogin {
    /// A login that works.
    pub fn new(password: &str, security_token: Option<&str>) -> Self {
        let secret = |text: &str| SecretString::from(text.to_owned());
        Self { password: secret(password), security_token: security_token.map(secret), expired: false, locked_out: false }
    }
}

/// What a user may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// "API Enabled".
    pub api_enabled: bool,
    /// "Bulk API Hard Delete". Off by default even for administrators (documented).
    pub hard_delete: bool,
    /// "View Setup and Configuration", which reading the limits needs.
    pub view_setup: bool,
    /// "Manage Data Integrations", which aborting other people's jobs needs.
    pub manage_data_integrations: bool,
    /// Objects whose records the user may not delete.
    pub delete_denied: BTreeSet<String>,
    /// Objects that the user cannot see: for this login they do not exist.
    pub read_denied: BTreeSet<String>,
}

impl Default for Permissions {
    fn default() -> Self {
        Self {
            api_enabled: true,
            hard_delete: false,
            view_setup: true,
            manage_data_integrations: true,
            delete_denied: BTreeSet::new(),
            read_denied: BTreeSet::new(),
        }
    }
}

/// A connected application: a program that may log in.
#[derive(Clone, Debug)]
pub struct Client {
    /// The consumer key.
    pub id: String,
    /// The consumer secret; absent for a public client.
    pub secret: Option<SecretString>,
    /// The user that client credentials stand for.
    pub run_as: Option<RecordKey>,
    /// The public key (PEM) that JWT assertions are checked with.
    pub public_key_pem: Option<String>,
    /// Users that have approved this client for JWT assertions; empty: everybody has.
    pub approved: BTreeSet<RecordKey>,
    /// Refresh tokens and the users they stand for.
    pub refresh_tokens: Vec<(SecretString, RecordKey)>,
}

impl Client {
    /// A confidential client that stands for one user.
    pub fn confidential(id: &str, secret: &str, run_as: RecordKey) -> Self {
        Self {
            id: id.to_owned(),
            secret: Some(SecretString::from(secret.to_owned())),
            run_as: Some(run_as),
            public_key_pem: None,
            approved: BTreeSet::new(),
            refresh_tokens: Vec::new(),
        }
    }
}
