//! Whose token it is, and in which organization.

use serde::Deserialize;
use url::Url;

use super::call::Call;
use crate::plan::Identity;
use crate::provider::common::hostile;
use crate::provider::{ErrorClass, ProviderError};

/// Who calls, in which organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// As everybody is told.
    pub(super) identity: Identity,
    /// Whether the user's role may delete records; `None` where the system does not say.
    pub(super) may_delete: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
    email: Option<String>,
    current_organization: Option<Organization>,
    #[serde(default)]
    contexts: Vec<Context>,
}

#[derive(Deserialize)]
struct Organization {
    id: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Context {
    id: Option<String>,
    name: Option<String>,
    role: Option<Role>,
}

#[derive(Deserialize)]
struct Role {
    can_delete_records: Option<bool>,
}

/// The question whose token it is. That a token may ask it is a guess: it is documented for a user and a password, and clients
/// ask it with a token.
pub(super) fn question() -> Call {
    Call::get("find out which organization this token is for", "users.json")
}

/// Reads the answer.
///
/// A token belongs to one organization (documented), which is `current_organization`; `contexts` are all of the user's. Where the former
/// is missing, the only one of the latter is taken, and several prove nothing.
pub(super) fn read(call: &Call, answer: Answer, host: &Url) -> Result<Caller, ProviderError> {
    let user = answer.user;
    let named = user.current_organization.map(|organization| (organization.id, organization.name));
    let only = || match user.contexts.as_slice() {
        [Context { id: Some(id), name, .. }] => Some((id.clone(), name.clone())),
        _ => None,
    };
    let Some((id, name)) = named.or_else(only) else {
        return Err(ProviderError {
            help: Some("use a token whose user is in one organization only".into()),
            ..call.error(
                ErrorClass::Denied,
                "unknown-organization",
                "the system does not say to which organization it belongs",
            )
        });
    };
    // Plans contain and compare both ids; their form is not known otherwise.
    let plain = |id: &str| (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain(&id) || !plain(&user.id) {
        return Err(call.unreadable("the id of the organization or of the user is not a valid id"));
    }
    let context = user.contexts.iter().find(|context| context.id.as_deref() == Some(id.as_str()));
    let may_delete = context.and_then(|context| context.role.as_ref()).and_then(|role| role.can_delete_records);
    let identity = Identity {
        organization_id: id,
        organization_name: name.map(|name| hostile::words(&name)).filter(|name| !name.is_empty()),
        user_name: user.email.map_or_else(|| "unknown".to_owned(), |email| hostile::words(&email)),
        user_id: user.id,
        instance_url: host.origin().ascii_serialization(),
        is_production: None,
    };
    Ok(Caller { identity, may_delete })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json as value};

    use super::super::testing::*;
    use crate::plan::Identity;
    use crate::provider::transport::scripted::json;
    use crate::provider::{ErrorClass, ProviderError};
    use crate::system::DeleteMode;

    async fn identify(user: Value) -> Result<Identity, ProviderError> {
        let body = value!({ "user": user }).to_string();
        connect(target(), move |_| json(200, body.clone())).0.identify().await
    }

    #[tokio::test]
    async fn tells_whose_token_it_is() {
        let (provider, transport) = organization(|_| panic!("nothing else is asked"));
        insta::assert_debug_snapshot!(provider.identify().await.expect("identified"), @r#"
        Identity {
            organization_id: "b7a1f0f2-71b9-11ee-b962-0242ac120002",
            organization_name: Some(
                "Acme",
            ),
            user_name: "ann@example.com",
            user_id: "6fcf631a-71b9-11ee-b962-0242ac120002",
            instance_url: "https://api.fulcrumapp.com",
            is_production: None,
        }
        "#);
        assert_eq!(transport.lines(), ["GET /api/v2/users.json"]);
    }

    #[tokio::test]
    async fn several_organizations_prove_nothing() {
        let context = |id: &str| value!({"id": id, "name": id});
        let one = identify(value!({"id": "u", "email": "e", "contexts": [context(ORGANIZATION)]})).await.expect("only one");
        assert_eq!(one.organization_id, ORGANIZATION);
        let several = value!({"id": "u", "contexts": [context("a"), context(ORGANIZATION)]});
        assert_eq!(identify(several).await.expect_err("which").class, ErrorClass::Denied);
        let nothing = value!({"id": "u", "current_organization": {"id": ""}});
        assert_eq!(identify(nothing).await.expect_err("no id").class, ErrorClass::Malformed);
    }

    #[tokio::test]
    async fn nothing_is_asked_of_another_organization() {
        let other = value!({"user": {"id": "u", "current_organization": {"id": "other", "name": "Other"}}}).to_string();
        let (provider, transport) = connect(target(), move |_| json(200, other.clone()));
        for error in [
            provider.identify().await.expect_err("another"),
            provider.count(&query(&[])).await.expect_err("another"),
            provider.jobs(&specification()).start(&ticket()).await.expect_err("another"),
        ] {
            assert_eq!(error.class, ErrorClass::WrongSystem);
        }
        assert_eq!(transport.lines(), ["GET /api/v2/users.json"; 3]);
    }

    #[tokio::test]
    async fn a_role_that_may_not_delete_is_told_before_anything_is_sent() {
        let user = value!({"user": {"id": "u", "current_organization": {"id": ORGANIZATION},
            "contexts": [{"id": "other", "role": {"can_delete_records": true}},
                {"id": ORGANIZATION, "role": {"can_delete_records": false}}]}});
        let (provider, _) = connect(target(), move |_| json(200, user.to_string()));
        let error = provider.check_permission(FORM, DeleteMode::Hard).await.expect_err("denied");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Denied, "forbidden"));
        let (provider, _) = organization(|_| panic!("nothing else is asked"));
        provider.check_permission(FORM, DeleteMode::Hard).await.expect("allowed");
        let error = provider.check_permission(FORM, DeleteMode::Soft).await.expect_err("no recycle bin");
        assert_eq!(error.class, ErrorClass::Unsupported);
    }
}
