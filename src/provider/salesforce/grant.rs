//! What a sign-in gives, and what of it may be believed.

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::base::RecordId;
use crate::provider::common::error;
use crate::provider::{ErrorClass, ProviderError};
use crate::system::canonical_salesforce_id;

/// What is being done while signing in, for errors.
pub(super) const DOING: &str = "sign in";

/// What a sign-in gives.
pub(super) struct Grant {
    /// The access token.
    pub(super) token: SecretString,
    /// The org's own host, without a path.
    pub(super) instance: Url,
    /// The organization, as far as the sign-in itself tells it.
    pub(super) organization_id: Option<RecordId>,
    /// The user's key, as far as the sign-in itself tells it.
    pub(super) user_id: Option<RecordId>,
    /// Who signed in, as far as the sign-in itself tells it.
    pub(super) user_name: Option<String>,
}

/// An address without path, query and fragment.
pub(super) fn origin(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// An instance the token may be shown to: https, or what was itself named by something on this machine.
pub(super) fn trusted_instance(instance: Url, local: bool) -> Result<Url, ProviderError> {
    let plain = instance.scheme() == "http" && local;
    let named = instance.host().is_some() && instance.username().is_empty() && instance.password().is_none();
    if named && (instance.scheme() == "https" || plain) {
        return Ok(origin(&instance));
    }
    Err(error(ErrorClass::Malformed, DOING, "bad-instance-url", "the system names an `instance_url` that is not https"))
}

/// The organization an opaque token begins with: `<15 characters>!<rest>` (client). A JWT-format token has none.
pub(super) fn organization_of(token: &SecretString) -> Option<RecordId> {
    let (organization, _) = token.expose_secret().split_once('!')?;
    canonical_salesforce_id(organization).ok()
}

/// One organization from two statements about it.
pub(super) fn agreed(first: Option<RecordId>, second: Option<RecordId>) -> Result<Option<RecordId>, ProviderError> {
    match (first, second) {
        (Some(first), Some(second)) if first != second => Err(error(
            ErrorClass::Malformed,
            DOING,
            "contradicting-organizations",
            format!("the access token is for organization {first}, but its response is for {second}"),
        )),
        (first, second) => Ok(first.or(second)),
    }
}
