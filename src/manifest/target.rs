//! One system that holds records.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};
use url::Url;

use super::{Accept, SecretReference};
use crate::base::{RecordId, Span, TargetName};
use crate::system::SystemKind;

/// A system that holds records, and how to sign in to it.
///
/// It is not a connection: it holds references to secrets and never one.
///
/// **Invariants**: no URL has a user part, a query or a fragment; plain `http` is for loopback only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
    /// What the user says this system is; `None` when not said.
    pub environment: Option<Environment>,
    /// The doubts that it accepts for every policy of it.
    pub accept: Accept,
    /// The system.
    pub system: System,
    /// Where the name stands.
    pub span: Span,
}

/// What a target is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, EnumIter, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Environment {
    /// Real data.
    Production,
    /// A copy for trying things.
    Sandbox,
    /// A developer's own.
    Development,
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.into())
    }
}

/// A system, and how to sign in to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum System {
    /// A Salesforce org.
    Salesforce(SalesforceTarget),
    /// A Zuora tenant.
    Zuora(ZuoraTarget),
    /// A Fulcrum organization.
    Fulcrum(FulcrumTarget),
}

impl System {
    /// Its kind.
    pub fn kind(&self) -> SystemKind {
        match self {
            Self::Salesforce(_) => SystemKind::Salesforce,
            Self::Zuora(_) => SystemKind::Zuora,
            Self::Fulcrum(_) => SystemKind::Fulcrum,
        }
    }
}

/// A Salesforce org.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SalesforceTarget {
    /// The host that signs in: a My Domain host, or a loopback address. `None` where the sign-in brings its own (the
    /// Salesforce CLI).
    pub login_url: Option<Url>,
    /// The REST API version, such as `66.0`.
    pub api_version: String,
    /// The organization this target must be; another one is refused. Canonical, 18 characters.
    pub organization_id: Option<RecordId>,
    /// How to sign in.
    pub sign_in: SalesforceSignIn,
}

/// The ways to sign in to Salesforce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SalesforceSignIn {
    /// OAuth client credentials, on a My Domain host only.
    ClientCredentials {
        /// The connected app's consumer key.
        client_id: SecretReference,
        /// The connected app's consumer secret.
        client_secret: SecretReference,
    },
    /// OAuth JWT bearer.
    JwtBearer {
        /// The connected app's consumer key.
        client_id: SecretReference,
        /// Who signs in.
        username: String,
        /// The RSA private key in PEM.
        private_key: SecretReference,
        /// The `aud` claim; by default the login URL.
        audience: Option<String>,
    },
    /// An OAuth refresh token.
    RefreshToken {
        /// The connected app's consumer key.
        client_id: SecretReference,
        /// The connected app's consumer secret, where it has one.
        client_secret: Option<SecretReference>,
        /// The refresh token.
        refresh_token: SecretReference,
    },
    /// An access token somebody else obtained. `login_url` is then the instance.
    AccessToken {
        /// The token.
        access_token: SecretReference,
    },
    /// SOAP `login()`, which API versions above 64.0 do not have any more.
    SoapLogin {
        /// Who signs in.
        username: String,
        /// The password.
        password: SecretReference,
        /// The user's security token, which follows the password unless the machine's address is trusted.
        security_token: Option<SecretReference>,
    },
    /// The Salesforce CLI's own login.
    SalesforceCli {
        /// The alias or username the CLI knows.
        target_org: String,
    },
}

/// A Zuora tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZuoraTarget {
    /// The tenant's SOAP host, such as `https://na.zuora.com/`, or a loopback address.
    pub url: Url,
    /// The version of the WSDL, such as `91.0`. It decides which fields and dates the tenant speaks of.
    pub wsdl_version: String,
    /// The tenant this target must be; another one is refused.
    pub tenant_id: Option<String>,
    /// How to sign in.
    pub sign_in: ZuoraSignIn,
    /// The most calls to make.
    pub max_calls: ZuoraCalls,
}

/// How many calls a Zuora tenant takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZuoraCalls {
    /// So many in any ten minutes.
    InTenMinutes(u32),
    /// So many in any minute, hour and day; at least one of them is there.
    InWindows {
        /// In any minute.
        minute: Option<u32>,
        /// In any hour.
        hour: Option<u32>,
        /// In any day.
        day: Option<u32>,
    },
}

/// The ways to sign in to Zuora.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZuoraSignIn {
    /// SOAP `login()`.
    Login {
        /// Who signs in.
        username: String,
        /// The user's password.
        password: SecretReference,
        /// The entity to sign in to, in a tenant with several; not beside `entity_name`.
        entity_id: Option<String>,
        /// The same by name.
        entity_name: Option<String>,
    },
}

/// A Fulcrum organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FulcrumTarget {
    /// The region's host, such as `https://api.fulcrumapp.com/`, or a loopback address.
    pub url: Url,
    /// The organization this target must be; another one is refused.
    pub organization_id: Option<String>,
    /// The API token, which belongs to one user in one organization.
    pub api_token: SecretReference,
    /// The most calls to make in any hour.
    pub max_calls: u32,
}
