//! Signing in by SOAP `login()`, for users who have nothing else. It retires with Summer '27 (documented).

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::call::{Call, send};
use super::grant::{DOING, Grant, agreed, organization_of, origin, trusted_instance};
use super::version::for_soap_login;
use crate::provider::common::error;
use crate::provider::transport::{RequestBody, Transport, XmlError, XmlWriter};
use crate::provider::{ErrorClass, ProviderError};
use crate::system::canonical_salesforce_id;

/// Where to sign in by SOAP.
pub(super) struct SoapLogin<'a> {
    /// The target's `loginUrl`.
    pub(super) url: &'a Url,
    /// The target's API version.
    pub(super) api_version: &'a str,
}

impl SoapLogin<'_> {
    /// Signs in with a password, and the security token behind it where the org wants one.
    pub(super) async fn grant(
        &self,
        transport: &dyn Transport,
        username: &str,
        password: &SecretString,
        security_token: Option<&SecretString>,
    ) -> Result<Grant, ProviderError> {
        let mut url = origin(self.url);
        url.set_path(&format!("/services/Soap/u/{}", for_soap_login(self.api_version)));
        let body = envelope(username, password, security_token).map_err(|cause| {
            error(ErrorClass::Local, DOING, "unusable-password", format!("user name and password cannot be sent: {cause}"))
        })?;
        let call = Call {
            accept: "text/xml",
            body: Some(("text/xml; charset=UTF-8", RequestBody::Bytes(body))),
            ..Call::new(DOING, Method::POST, url.path())
        };
        let mut headers = HeaderMap::new();
        // It has to be there, whatever it says (client).
        headers.insert(HeaderName::from_static("soapaction"), HeaderValue::from_static("login"));
        let secrets: Vec<&SecretString> = [password].into_iter().chain(security_token).collect();
        let response = send(transport, url, headers, &call, &secrets).await.map_err(|error| match error.class {
            ErrorClass::Throttled { .. } => error,
            // A fault is a word about this login. It comes with status 500 (recorded), and asking again would bring a lock-out nearer.
            _ if error.status.is_some() && !matches!(error.code.as_str(), "no-code" | "redirected") => {
                ProviderError { class: ErrorClass::Unauthenticated, ..error }
            }
            _ => error,
        })?;

        let answer = call.xml_of(&call.read(response).await?)?;
        let result = answer.child("Body").and_then(|body| body.child("loginResponse")?.child("result"));
        let result = result.ok_or_else(|| call.unreadable("the answer is not that of a login"))?;
        // The session of such an answer may set a new password and nothing else (documented).
        if result.text_of("passwordExpired") == Some("true") {
            return Err(ProviderError {
                help: Some(super::error_table::EXPIRED_PASSWORD_HELP.to_owned()),
                ..error(ErrorClass::Unauthenticated, DOING, "password-expired", "the user's password has expired")
            });
        }
        let text = |name| result.text_of(name).filter(|text| !text.is_empty());
        let instance = text("serverUrl").and_then(|text| Url::parse(text).ok());
        let instance = instance.ok_or_else(|| call.unreadable("the system names no usable `serverUrl`"))?;
        let token = text("sessionId").ok_or_else(|| call.unreadable("the answer has no session"))?;
        let token = SecretString::from(token);
        let user = |name| result.child("userInfo").and_then(|user| user.text_of(name));
        let id = |text: Option<&str>| text.and_then(|text| canonical_salesforce_id(text).ok());
        Ok(Grant {
            organization_id: agreed(organization_of(&token), id(user("organizationId")))?,
            user_id: id(text("userId")),
            user_name: user("userName").map(str::to_owned),
            instance: trusted_instance(instance, self.url.scheme() == "http")?,
            token,
        })
    }
}

/// The request. The security token follows the password directly (documented).
fn envelope(username: &str, password: &SecretString, security_token: Option<&SecretString>) -> Result<Bytes, XmlError> {
    let token = security_token.map_or("", |token| token.expose_secret());
    let password = SecretString::from(format!("{}{token}", password.expose_secret()));
    let namespaces =
        [("xmlns:soapenv", "http://schemas.xmlsoap.org/soap/envelope/"), ("xmlns:u", "urn:partner.soap.sforce.com")];
    XmlWriter::document(|document| {
        document.element("soapenv:Envelope", &namespaces, |envelope| {
            envelope.element("soapenv:Body", &[], |body| {
                body.element("u:login", &[], |login| {
                    login.text("u:username", username);
                    login.text("u:password", password.expose_secret());
                });
            });
        });
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::manifest::{SalesforceSignIn, SalesforceTarget};
    use crate::plan::Identity;
    use crate::provider::transport::Element;
    use crate::provider::transport::scripted::{Reply, Scripted, Seen, answer};
    use crate::provider::{ErrorClass, ProviderError};

    const USER: &str = "005xx000001SwiUAAS";

    /// An answer in the order of the vendor's description.
    fn logged_in(changes: &[(&str, &str)]) -> Reply {
        let mut body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns=\"urn:partner.soap.sforce.com\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><loginResponse><result>\
             <metadataServerUrl>https://crm.my.salesforce.com/services/Soap/m/64.0/00D000000000001</metadataServerUrl>\
             <passwordExpired>false</passwordExpired><sandbox>false</sandbox>\
             <serverUrl>https://crm.my.salesforce.com/services/Soap/u/64.0/00D000000000001</serverUrl><sessionId>{TOKEN}</sessionId>\
             <userId>{USER}</userId><userInfo><organizationId>{ORGANIZATION}</organizationId><roleId xsi:nil=\"true\"/>\
             <userName>me@example.com</userName></userInfo></result></loginResponse></soapenv:Body></soapenv:Envelope>"
        );
        for (from, to) in changes {
            assert!(body.contains(from), "{from}");
            body = body.replace(from, to);
        }
        answer(200, &[("content-type", "text/xml;charset=UTF-8")], body)
    }

    fn fault(code: &str, words: &str) -> Reply {
        let body = format!(
            "<soapenv:Envelope xmlns:soapenv='http://schemas.xmlsoap.org/soap/envelope/' xmlns:sf='urn:fault.partner.soap.sforce.com'>\
             <soapenv:Body><soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {words}</faultstring><detail>\
             <sf:LoginFault><sf:exceptionCode>{code}</sf:exceptionCode></sf:LoginFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
        );
        answer(500, &[("content-type", "text/xml;charset=UTF-8")], body)
    }

    async fn sign_in(
        api_version: &str,
        mut login: impl FnMut(&Seen) -> Reply + Send + 'static,
    ) -> (std::sync::Arc<Scripted>, Result<Identity, ProviderError>) {
        let how = SalesforceSignIn::SoapLogin {
            username: "me@example.com".into(),
            password: secret("<PASS&WORD>"),
            security_token: Some(secret("TOKEN")),
        };
        let target = SalesforceTarget { sign_in: how, api_version: api_version.into(), ..target() };
        let (provider, transport) = connect(&target, move |seen| match seen.path.starts_with("/services/Soap/") {
            true => login(seen),
            false => handshake(seen, 0).expect("nothing else may be asked"),
        });
        let identity = provider.identify().await;
        (transport, identity)
    }

    #[tokio::test]
    async fn signs_in_with_password_and_security_token() {
        let (transport, identity) = sign_in("66.0", |_| logged_in(&[])).await;
        let identity = identity.expect("signed in");
        assert_eq!((identity.organization_id.as_str(), identity.user_name.as_str()), (ORGANIZATION, "me@example.com"));
        let seen = transport.seen();
        assert_eq!(seen[0].line(), "POST /services/Soap/u/64.0");
        assert_eq!(
            (&seen[0].headers["soapaction"], &seen[0].headers["content-type"]),
            (&"login".parse().expect("a header"), &"text/xml; charset=UTF-8".parse().expect("a header"),)
        );
        let body = Element::read(seen[0].body.as_bytes()).expect("XML");
        let login = body.child("Body").and_then(|body| body.child("login")).expect("a login");
        assert_eq!(login.text_of("username"), Some("me@example.com"));
        assert_eq!(login.text_of("password"), Some("canary-<PASS&WORD>canary-TOKEN"));
        // The session speaks the version that was wished for.
        assert!(seen.iter().any(|seen| seen.path.starts_with("/services/data/v66.0/")), "{:?}", transport.lines());
        assert_eq!(seen[2].authorization.as_deref(), Some(format!("Bearer {TOKEN}").as_str()));
    }

    #[tokio::test]
    async fn an_older_version_is_asked_as_it_is() {
        let (transport, _) = sign_in("59.0", |_| fault("INVALID_LOGIN", "x")).await;
        assert_eq!(transport.lines(), ["POST /services/Soap/u/59.0"]);
    }

    #[tokio::test]
    async fn every_refusal_has_its_own_words_and_none_is_tried_again() {
        let mut told = Vec::new();
        for (code, words) in [
            ("INVALID_LOGIN", "Invalid username, password, security token; or user locked out."),
            ("LOGIN_MUST_USE_SECURITY_TOKEN", "Invalid username, password, security token; or user locked out."),
            ("PASSWORD_LOCKOUT", "locked canary-&lt;PASS&amp;WORD&gt;"),
            ("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "The users password has expired"),
            ("LOGIN_DURING_RESTRICTED_DOMAIN", "cannot login from current domain"),
            ("LOGIN_DURING_RESTRICTED_TIME", "cannot login during this time"),
            ("ORG_LOCKED", "locked"),
            ("TRIAL_EXPIRED", "expired"),
            ("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner"),
            ("INVALID_OPERATION", "SOAP API login() is disabled by default in this org."),
            ("SOMETHING_NEW", "nobody knows"),
        ] {
            let (transport, identity) = sign_in("66.0", move |_| fault(code, words)).await;
            let error = identity.expect_err("refused");
            assert_eq!((error.class, error.code.as_str()), (ErrorClass::Unauthenticated, code));
            assert_eq!(transport.seen().len(), 1);
            told.push(format!("{}: {}\n    {}", error.code, error.message, error.help.unwrap_or_default()));
        }
        insta::assert_snapshot!(told.join("\n"), @"
        INVALID_LOGIN: Invalid username, password, security token; or user locked out.
            check `username`, `password` and `securityToken`; after a few more wrong ones the user is locked out, which looks the same
        LOGIN_MUST_USE_SECURITY_TOKEN: Invalid username, password, security token; or user locked out.
            set `securityToken` to the user's own, since the org does not trust this machine's address; a new password means a new token
        PASSWORD_LOCKOUT: locked [redacted]
            the user is locked out after wrong passwords: wait until the lockout ends, or have an administrator unlock the user
        INVALID_OPERATION_WITH_EXPIRED_PASSWORD: The users password has expired
            set a new password in the browser, and put it where `password` points to; the security token changes with it
        LOGIN_DURING_RESTRICTED_DOMAIN: cannot login from current domain
            sign in from an address within the login IP ranges of the user's profile
        LOGIN_DURING_RESTRICTED_TIME: cannot login during this time
            sign in within the login hours of the user's profile
        ORG_LOCKED: locked
            nobody can sign in to this org: ask whoever owns it
        TRIAL_EXPIRED: expired
            nobody can sign in to this org: ask whoever owns it
        API_DISABLED_FOR_ORG: API is not enabled for this Organization or Partner
            grant `API Enabled` to the user, and check that the org's edition has this API
        INVALID_OPERATION: SOAP API login() is disabled by default in this org.
            switch on `Enable SOAP API login()` in Setup, User Interface; better, sign in by OAuth
        SOMETHING_NEW: nobody knows
            the problem is on the system's side: run the same command again, and show its vendor this message if it persists
        ");
    }

    #[tokio::test]
    async fn an_expired_password_is_a_refusal_although_a_session_comes_with_it() {
        let expired = ("<passwordExpired>false", "<passwordExpired>true");
        let error = sign_in("66.0", move |_| logged_in(&[expired])).await.1.expect_err("refused");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Unauthenticated, "password-expired"));
        assert!(error.help.expect("a remedy").contains("set a new password"));
    }

    #[tokio::test]
    async fn an_answer_that_cannot_be_right_is_refused_and_not_repeated() {
        for (from, to, code) in [
            ("<serverUrl>https", "<serverUrl>http", "bad-instance-url"),
            ("serverUrl>", "other>", "unreadable-answer"),
            ("sessionId>", "other>", "unreadable-answer"),
            ("loginResponse", "logoutResponse", "unreadable-answer"),
            (ORGANIZATION, "00D000000000002EAA", "contradicting-organizations"),
        ] {
            let error = sign_in("66.0", move |_| logged_in(&[(from, to)])).await.1.expect_err("refused");
            assert_eq!((error.class, error.code.as_str()), (ErrorClass::Malformed, code), "{from}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
        let bomb = "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>";
        let error = sign_in("66.0", move |_| answer(200, &[], bomb)).await.1.expect_err("refused");
        assert_eq!(error.class, ErrorClass::Malformed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_of_the_edge_is_no_fault_and_may_be_asked_again() {
        let mut failures = 0;
        let (_, identity) = sign_in("66.0", move |_| {
            failures += 1;
            if failures == 1 { answer(503, &[], "<html><title>Down</title></html>") } else { logged_in(&[]) }
        })
        .await;
        identity.expect("signed in at last");
    }
}
