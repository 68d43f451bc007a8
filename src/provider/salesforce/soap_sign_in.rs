//! Signing in by SOAP `login()`, for users who have nothing else. It retires with Summer '27 (documented).

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::call::{Call, error, send};
use super::sign_in::{DOING, Grant, SignIn, agreed, organization_of, origin, trusted_instance};
use super::version::for_soap_login;
use crate::base::canonical_salesforce_id;
use crate::provider::transport::{RequestBody, XmlError, XmlWriter};
use crate::provider::{ErrorClass, ProviderError};

impl SignIn {
    /// Signs in with a password, and the security token behind it where the org wants one.
    pub(super) async fn soap_login(
        &self,
        username: &str,
        password: &SecretString,
        security_token: Option<&SecretString>,
    ) -> Result<Grant, ProviderError> {
        let login = self.login_url()?;
        let mut url = origin(login);
        url.set_path(&format!("/services/Soap/u/{}", for_soap_login(&self.target.api_version)));
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
        let response = send(&*self.transport, url, headers, &call, &secrets).await.map_err(|error| match error.class {
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
            instance: trusted_instance(instance, login.scheme() == "http")?,
            token,
        })
    }
}

/// The security token stands behind the password, without anything between them (documented).
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
