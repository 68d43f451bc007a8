//! Who is signed in, and where.

use serde::Deserialize;
use url::Url;

use super::call::{Call, Endpoint};
use super::grant::Grant;
use super::hostile;
use super::query_page::{QueryPage, field_text};
use crate::base::RecordId;
use crate::plan::Identity;
use crate::provider::common::error;
use crate::provider::{ErrorClass, ProviderError};
use crate::system::{SystemKind, canonical_salesforce_id};

const DOING: &str = "find out which organization this login is for";

#[derive(Deserialize)]
struct UserInfo {
    organization_id: Option<String>,
    user_id: Option<String>,
    preferred_username: Option<String>,
}

/// What the `Organization` object says.
struct Organization {
    id: RecordId,
    name: Option<String>,
    is_production: bool,
}

/// Asks the system itself which organization this is, and who is asking.
///
/// The `Organization` object is the cheapest proof, since it needs no more than the API (client). Where the login may not read it, user
/// information says the same, but not whether the organization is a production one. Then only the hosts may say so: the org's own, and
/// the one that signed in.
pub(super) async fn prove(endpoint: &Endpoint, grant: &Grant, sign_in: Option<&Url>) -> Result<Identity, ProviderError> {
    let organization = if_allowed(organization(endpoint).await)?;
    let user = if_allowed(user_info(endpoint).await)?;

    let told =
        user.as_ref().and_then(|user| user.organization_id.as_deref()).and_then(|text| canonical_salesforce_id(text).ok());
    let proven = organization.as_ref().map(|organization| organization.id).or(told);
    let malformed = |message: String| error(ErrorClass::Malformed, DOING, "contradicting-organizations", message);
    let organization_id = match (proven, grant.organization_id) {
        (Some(proven), Some(granted)) if proven != granted => {
            return Err(malformed(format!(
                "the sign-in is for organization {granted}, but the system says that it is {proven}"
            )));
        }
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => {
            return Err(ProviderError {
                help: Some("let the user read the `Organization` object, or add the scope `openid` to the app".into()),
                ..error(
                    ErrorClass::Denied,
                    DOING,
                    "unknown-organization",
                    "the system does not tell this login its organization",
                )
            });
        }
    };

    let told = user.as_ref().and_then(|user| user.user_id.as_deref()).and_then(|text| canonical_salesforce_id(text).ok());
    let user_id = told.or(grant.user_id);
    let named = user.and_then(|user| user.preferred_username).or_else(|| grant.user_name.clone());
    let user_name = match (named, user_id) {
        (Some(name), _) => Some(name),
        (None, Some(id)) => if_allowed(user_name(endpoint, id).await)?.flatten(),
        (None, None) => None,
    };
    let (organization_name, told) =
        organization.map_or((None, None), |organization| (organization.name, Some(organization.is_production)));
    let hosts = [Some(&endpoint.instance), sign_in];
    let by_host = |url: &Url| SystemKind::Salesforce.is_production_host(url.host_str()?);
    let is_production = told.or_else(|| hosts.into_iter().flatten().find_map(by_host));
    Ok(Identity {
        organization_id: organization_id.to_string(),
        organization_name,
        user_name: user_name.map_or_else(|| "unknown".to_owned(), |name| hostile::words(&name)),
        user_id: user_id.map_or_else(|| "unknown".to_owned(), |id| id.to_string()),
        instance_url: endpoint.instance.origin().ascii_serialization(),
        is_production,
    })
}

/// What a login may not read is not known; any other error stays one.
fn if_allowed<T>(answer: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.class, ErrorClass::Denied | ErrorClass::NotFound | ErrorClass::Invalid) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn organization(endpoint: &Endpoint) -> Result<Organization, ProviderError> {
    let soql = "SELECT Id, Name, IsSandbox, OrganizationType, InstanceName FROM Organization";
    let call = Call::get(DOING, "query").parameters(&[("q", soql)]);
    let page: QueryPage = call.read_json(endpoint.call(&call).await?).await?;
    let rows = page.whole(&call)?;
    let [row] = rows.as_slice() else { return Err(call.unreadable("there is not exactly one organization")) };
    let text = |name| field_text(row, name).ok_or_else(|| call.unreadable(format!("the organization has no `{name}`")));
    let id = canonical_salesforce_id(&text("Id")?).map_err(|_| call.unreadable(super::hostile::NOT_AN_ID))?;
    let kind = text("OrganizationType")?;
    let sandbox = match text("IsSandbox")?.as_str() {
        "true" => true,
        "false" => false,
        _ => return Err(call.unreadable("`IsSandbox` is neither true nor false")),
    };
    let trial = kind == "Developer Edition" || kind.contains("Trial");
    let name = Some(hostile::words(&text("Name")?)).filter(|name| !name.is_empty());
    Ok(Organization { id, name, is_production: !sandbox && !trial })
}

/// Asks for user information. A login without that scope is answered with 403, and with 401 in some recordings, although its
/// token is good: that is no ended session.
async fn user_info(endpoint: &Endpoint) -> Result<UserInfo, ProviderError> {
    let call = Call::get("find out who is signed in", "/services/oauth2/userinfo");
    let response = endpoint.call(&call).await.map_err(|error| match error.class {
        ErrorClass::Unauthenticated => ProviderError { class: ErrorClass::Denied, ..error },
        _ => error,
    })?;
    call.read_json(response).await
}

async fn user_name(endpoint: &Endpoint, id: RecordId) -> Result<Option<String>, ProviderError> {
    let soql = format!("SELECT Username FROM User WHERE Id = '{id}'");
    let call = Call::get("find out who is signed in", "query").parameters(&[("q", &soql)]);
    let page: QueryPage = call.read_json(endpoint.call(&call).await?).await?;
    Ok(page.whole(&call)?.first().and_then(|row| field_text(row, "Username")))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::testing::*;
    use crate::manifest::SalesforceTarget;
    use crate::plan::Identity;
    use crate::provider::transport::scripted::{Reply, Seen, json};
    use crate::provider::{ErrorClass, ProviderError};

    const DENIED: &str = r#"[{"message":"insufficient access","errorCode":"INSUFFICIENT_ACCESS"}]"#;

    async fn identify(mut change: impl FnMut(&Seen) -> Option<Reply> + Send + 'static) -> Result<Identity, ProviderError> {
        let script = move |seen: &Seen| change(seen).or_else(|| handshake(seen, 0)).unwrap_or_else(|| json(404, ""));
        connect(&target(), script).0.identify().await
    }

    fn is_organization_query(seen: &Seen) -> bool {
        seen.parameter("q").is_some_and(|soql| soql.ends_with("FROM Organization"))
    }

    fn organization(kind: &'static str, sandbox: bool) -> impl FnMut(&Seen) -> Option<Reply> + Send + 'static {
        move |seen| {
            let row =
                serde_json::json!({"Id": ORGANIZATION, "Name": "Acme", "IsSandbox": sandbox, "OrganizationType": kind});
            is_organization_query(seen).then(|| json(200, page(1, true, None, vec![row]).to_string()))
        }
    }

    #[tokio::test]
    async fn tells_who_is_signed_in_where() {
        let identity = identify(|_| None).await.expect("identified");
        assert_eq!(
            identity,
            Identity {
                organization_id: ORGANIZATION.into(),
                organization_name: Some("Acme".into()),
                user_name: "me@example.com".into(),
                user_id: "005xx000001SwiUAAS".into(),
                instance_url: "https://crm.my.salesforce.com".into(),
                is_production: Some(true),
            }
        );
    }

    #[tokio::test]
    async fn production_is_neither_a_sandbox_nor_a_developers_org_nor_a_trial() {
        for (kind, sandbox, expected) in [
            ("Enterprise Edition", false, true),
            ("Enterprise Edition", true, false),
            ("Developer Edition", false, false),
            ("Trial Edition", false, false),
        ] {
            let identity = identify(organization(kind, sandbox)).await.expect("identified");
            assert_eq!(identity.is_production, Some(expected), "{kind} {sandbox}");
        }
    }

    #[tokio::test]
    async fn asks_user_information_when_the_organization_may_not_be_read() {
        let identity = identify(|seen| is_organization_query(seen).then(|| json(403, DENIED))).await.expect("identified");
        assert_eq!((identity.organization_id.as_str(), identity.is_production), (ORGANIZATION, None));
    }

    #[tokio::test]
    async fn a_host_of_sandboxes_says_what_the_organization_does_not() {
        for (host, expected) in [
            ("https://crm--dev.sandbox.my.salesforce.com", Some(false)),
            ("https://test.salesforce.com", Some(false)),
            ("https://crm.my.salesforce.com", None),
        ] {
            let target = SalesforceTarget { login_url: Some(Url::parse(host).expect("valid")), ..target() };
            let script = |seen: &Seen| match is_organization_query(seen) {
                true => json(403, DENIED),
                false => handshake(seen, 0).expect("nothing else is asked"),
            };
            let identity = connect(&target, script).0.identify().await.expect("identified");
            assert_eq!(identity.is_production, expected, "{host}");
        }
    }

    #[tokio::test]
    async fn asks_for_the_users_name_when_user_information_may_not_be_read() {
        let answer = identify(|seen| match seen.parameter("q") {
            Some("SELECT Username FROM User WHERE Id = '005xx000001SwiUAAS'") => {
                Some(json(200, page(1, true, None, vec![serde_json::json!({"Username": "run-as@example.com"})]).to_string()))
            }
            _ => seen.path.ends_with("userinfo").then(|| json(401, "Missing_OAuth_Token")),
        });
        assert_eq!(answer.await.expect("identified").user_name, "run-as@example.com");
    }

    #[tokio::test]
    async fn a_contradiction_between_sign_in_and_system_is_an_error() {
        let error = identify(|seen| {
            let row =
                serde_json::json!({"Id": "00D000000000002EAA", "Name": "x", "IsSandbox": false, "OrganizationType": "x"});
            is_organization_query(seen).then(|| json(200, page(1, true, None, vec![row]).to_string()))
        });
        assert_eq!(error.await.expect_err("two organizations").class, ErrorClass::Malformed);
    }
}
