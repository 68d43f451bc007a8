//! One sign-in, kept alive.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

use super::call::{Call, Endpoint};
use super::operation::Operation;
use crate::manifest::{ZuoraSignIn, ZuoraTarget};
use crate::plan::Identity;
use crate::provider::common::{self, Connect, Effect, error, hostile};
use crate::provider::secrets::{self, SecretSource};
use crate::provider::transport::{Element, Transport};
use crate::provider::{ErrorClass, ProviderError};
use crate::system::SystemKind;

const SIGN_IN: &str = "sign in to Zuora";
const IDENTIFY: &str = "find out which tenant this login is for";

/// One sign-in, made when it is first needed, and made again when the system has ended it.
pub(super) type Session = common::Session<SignIn>;

/// What a sign-in needs.
pub(super) struct SignIn {
    /// The tenant.
    pub(super) target: ZuoraTarget,
    /// The way to it.
    pub(super) transport: Arc<dyn Transport>,
    /// Where the password comes from.
    pub(super) secrets: Arc<dyn SecretSource>,
}

/// The present connection: never changed, only replaced.
pub(super) struct Connection {
    endpoint: Endpoint,
    identity: Identity,
}

#[async_trait]
impl Connect for SignIn {
    type Connection = Connection;
    type Call = Call;
    type Answer = Element;

    async fn connect(&self, ended: Option<(&Connection, ProviderError)>) -> Result<Connection, ProviderError> {
        let endpoint = self.login().await?;
        let answer = endpoint.call(&Call { doing: IDENTIFY.into(), operation: Operation::GetUserInfo }).await?;
        let identity = identity(&answer, &endpoint.url)?;
        let before = ended.as_ref().map(|(earlier, _)| &earlier.identity.organization_id);
        if let Some(wanted) = [self.target.tenant_id.as_ref(), before]
            .into_iter()
            .flatten()
            .find(|wanted| **wanted != identity.organization_id)
        {
            let message = format!("it is for tenant {}, but the target is {wanted}", identity.organization_id);
            return Err(ProviderError {
                help: Some("sign in to the right tenant or entity, or correct the target's `tenantId`".into()),
                ..error(ErrorClass::WrongSystem, "use this login", "wrong-organization", message)
            });
        }
        Ok(Connection { endpoint, identity })
    }

    async fn send(connection: &Connection, call: &Call) -> Result<Element, ProviderError> {
        connection.endpoint.call(call).await
    }

    /// Expiry shows in no other way (documented).
    fn has_ended(refusal: &ProviderError) -> bool {
        refusal.code == "INVALID_SESSION"
    }

    fn deletes(call: &Call) -> bool {
        call.operation.effect() == Effect::Deletes
    }

    fn identity(connection: &Connection) -> &Identity {
        &connection.identity
    }

    fn transport(&self) -> &dyn Transport {
        &*self.transport
    }
}

impl SignIn {
    async fn login(&self) -> Result<Endpoint, ProviderError> {
        let ZuoraSignIn::Login { username, password, entity_id, entity_name } = &self.target.sign_in;
        let password = secrets::resolve(&self.secrets, password, "find the password").await?;
        let entity_id = entity_id.clone().map(|id| ("zns:entityId", id));
        let entity = entity_id.or_else(|| entity_name.clone().map(|name| ("zns:entityName", name)));
        let operation = Operation::Login { username: username.clone(), password, entity };
        let mut url = self.target.url.clone();
        url.set_path(&format!("/apps/services/a/{}", self.target.wsdl_version));
        let door = Endpoint { transport: Arc::clone(&self.transport), url, session: None };
        let answer = door.call(&Call { doing: SIGN_IN.into(), operation }).await?;
        let result = answer.child("result");
        let text = |name| result.and_then(|result| result.text_of(name)).filter(|text| !text.is_empty());
        let session = text("Session").ok_or_else(|| Effect::Harmless.unreadable(SIGN_IN, "the answer has no session"))?;
        let url = match text("ServerUrl") {
            Some(server) => self.server(server)?,
            None => door.url,
        };
        Ok(Endpoint { session: Some(SecretString::from(session)), url, ..door })
    }

    /// Where the server wants further calls. It repeats the address that was called (recorded); a session goes nowhere else.
    fn server(&self, text: &str) -> Result<Url, ProviderError> {
        let named = Url::parse(text).ok();
        // As the parser writes it, which is ASCII without anything that a terminal acts on.
        let elsewhere = named.as_ref().filter(|url| url.origin() != self.target.url.origin());
        let elsewhere = elsewhere.map(|url| url.origin().ascii_serialization());
        let own = named.filter(|url| {
            let own_host = url.origin() == self.target.url.origin() && url.username().is_empty() && url.password().is_none();
            own_host && url.path().starts_with("/apps/services/a/")
        });
        own.ok_or_else(|| {
            let host = elsewhere.filter(|origin| origin.starts_with("https://") && origin.len() < 300);
            let help = match &host {
                Some(origin) => format!("if that is where the tenant lives, set `url` of the target to `{origin}`"),
                None => "set `url` of the target to the tenant's own SOAP host".to_owned(),
            };
            let host = host.unwrap_or_else(|| "an address that is not the target's SOAP service".to_owned());
            let message =
                format!("the answer sends further calls to {host}, and the session is sent to the target's own host alone");
            ProviderError { help: Some(help), ..error(ErrorClass::Malformed, SIGN_IN, "foreign-server", message) }
        })
    }
}

/// Reads who is signed in. The WSDL has the fields directly in the answer; in a `result`, as everywhere else, they are understood too (guess).
fn identity(answer: &Element, url: &Url) -> Result<Identity, ProviderError> {
    let answer = answer.child("result").unwrap_or(answer);
    let text = |name| answer.text_of(name).map(hostile::words).filter(|text| !text.is_empty());
    let missing = || Effect::Harmless.unreadable(IDENTIFY, "the answer names no tenant");
    Ok(Identity {
        organization_id: text("TenantId").ok_or_else(missing)?,
        organization_name: text("TenantName"),
        user_name: text("Username").unwrap_or_else(|| "unknown".to_owned()),
        user_id: text("UserId").unwrap_or_else(|| "unknown".to_owned()),
        instance_url: url.origin().ascii_serialization(),
        is_production: url.host_str().and_then(|host| SystemKind::Zuora.is_production_host(host)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::plan::Count;
    use crate::provider::transport::scripted::Reply;

    #[tokio::test]
    async fn identifies_the_tenant_before_anything_else() {
        let (provider, transport) = tenant(|_| page(7, true, None, &[]));
        assert_eq!(provider.count(&query(&[])).await, Ok(Count::Exact(7)));
        let asked: Vec<String> = transport.seen().iter().map(operation_of).collect();
        assert_eq!(asked, ["login", "getUserInfo", "query"]);
        assert!(transport.seen().iter().all(|seen| seen.line() == "POST /apps/services/a/91.0"));
        let identity = provider.identify().await.expect("signed in");
        assert_eq!((identity.organization_id.as_str(), identity.user_name.as_str()), (TENANT, "me@example.com"));
        assert_eq!(identity.is_production, Some(false));
    }

    #[tokio::test]
    async fn another_tenant_is_refused_before_anything_is_asked() {
        let other = ZuoraTarget { tenant_id: Some("99".into()), ..target() };
        let (provider, transport) = connect(&other, |_| panic!("nothing may be asked"));
        let error = provider.count(&query(&[])).await.expect_err("another tenant");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::WrongSystem, "wrong-organization"));
        assert_eq!(transport.seen().len(), 2);
    }

    #[tokio::test]
    async fn renews_an_ended_session_once_and_repeats_the_request_once() {
        let mut ended = true;
        let (provider, transport) = tenant(move |_| match std::mem::take(&mut ended) {
            true => fault("INVALID_SESSION", "Invalid or expired session"),
            false => page(7, true, None, &[]),
        });
        assert_eq!(provider.count(&query(&[])).await, Ok(Count::Exact(7)));
        let asked: Vec<String> = transport.seen().iter().map(operation_of).collect();
        assert_eq!(asked, ["login", "getUserInfo", "query", "login", "getUserInfo", "query"]);

        let (provider, transport) = tenant(|_| fault("INVALID_SESSION", "Invalid or expired session"));
        assert_eq!(provider.count(&query(&[])).await.expect_err("twice").class, ErrorClass::Unauthenticated);
        assert_eq!(asked_of(&transport).len(), 2);
    }

    #[tokio::test]
    async fn many_requests_that_find_the_session_ended_renew_it_once() {
        let (provider, transport) = connect(&target(), |seen| match seen.body.contains(SESSION) {
            true => fault("INVALID_SESSION", "x"),
            false => page(7, true, None, &[]),
        });
        provider.identify().await.expect("signed in");
        let query = query(&[]);
        let all = futures::future::join_all((0..20).map(|_| provider.count(&query))).await;
        assert!(all.iter().all(|count| *count == Ok(Count::Exact(7))), "{all:?}");
        assert_eq!(transport.seen().iter().filter(|seen| operation_of(seen) == "login").count(), 2);
    }

    #[tokio::test]
    async fn a_session_goes_to_no_other_host() {
        for server in [
            "https://evil.example/apps/services/a/91.0",
            "http://sandbox.na.zuora.com/apps/services/a/91.0",
            "https://sandbox.na.zuora.com:444/apps/services/a/91.0",
            "https://sandbox.na.zuora.com@evil.example/apps/services/a/91.0",
            "https://sandbox.na.zuora.com/elsewhere",
            "x",
        ] {
            let (provider, transport) = signing_in(&target(), move |_| Some(logged_in(SESSION, server)));
            let error = provider.identify().await.expect_err(server);
            assert_eq!((error.class, error.code.as_str()), (ErrorClass::Malformed, "foreign-server"));
            let told = format!("{} {}", error.message, error.help.expect("a remedy"));
            assert_eq!(told.contains("`https://evil.example`"), server.contains("evil"), "{told}");
            assert_eq!(transport.seen().len(), 1);
        }
        let server = "https://sandbox.na.zuora.com/apps/services/a/92.0";
        let (provider, transport) =
            signing_in(&target(), move |seen| (operation_of(seen) == "login").then(|| logged_in(SESSION, server)));
        provider.identify().await.expect("signed in");
        assert_eq!(transport.seen()[1].path, "/apps/services/a/92.0");
    }

    #[tokio::test]
    async fn a_refused_sign_in_says_what_to_do_and_nothing_secret() {
        let refuse = |message: &'static str| move |_: &_| Some(login_fault(message));
        let (provider, _) =
            signing_in(&target(), refuse("Invalid login. User name and password do not match. canary-PASSWORD"));
        let error = provider.identify().await.expect_err("refused");
        insta::assert_snapshot!(format!("{error}\n{}", error.help.clone().expect("a help")), @"
        could not sign in to Zuora: HTTP 500 INVALID_VALUE: Invalid login. User name and password do not match. [redacted]
        check the user name and the password
        ");
        assert_eq!(error.class, ErrorClass::Unauthenticated);
        let (provider, _) = signing_in(&target(), refuse("Your IP address may be restricted. Please contact"));
        let error = provider.identify().await.expect_err("refused");
        assert!(error.help.expect("a help").contains("address"));
    }

    #[tokio::test]
    async fn the_entity_is_named_in_its_place() {
        let ZuoraSignIn::Login { username, password, .. } = target().sign_in;
        let sign_in = ZuoraSignIn::Login { username, password, entity_id: None, entity_name: Some("US".into()) };
        let (provider, transport) = connect(&ZuoraTarget { sign_in, ..target() }, |_| Reply::NotSent);
        provider.identify().await.expect("signed in");
        assert!(transport.seen()[0].body.contains("</zns:password><zns:entityName>US</zns:entityName></zns:login>"));
    }
}
