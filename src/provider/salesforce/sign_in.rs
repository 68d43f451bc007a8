//! Getting an access token.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::call::{Call, send};
use super::command_line_login::{self, CommandRunner};
use super::grant::{DOING, Grant, agreed, organization_of, origin, trusted_instance};
use super::soap_sign_in::SoapLogin;
use crate::base::{Clock, RecordId};
use crate::manifest::{SalesforceSignIn, SalesforceTarget, SecretReference};
use crate::provider::common::error;
use crate::provider::secrets::{self, SecretSource};
use crate::provider::transport::{RequestBody, Transport};
use crate::provider::{ErrorClass, ProviderError};
use crate::system::canonical_salesforce_id;

/// How long a JWT is good for, in seconds; the vendor takes at most three to five minutes (documented).
const JWT_SECONDS: i64 = 180;

/// How to get an access token, again and again.
pub(super) struct SignIn {
    pub(super) target: SalesforceTarget,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) secrets: Arc<dyn SecretSource>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) commands: Arc<dyn CommandRunner>,
    /// The refresh token that the org has handed out in place of the one that was used, which is good for nothing any more.
    pub(super) rotated: RotatedToken,
}

/// A refresh token that is kept for as long as the command runs. It is never written anywhere.
#[derive(Default)]
pub(super) struct RotatedToken(Mutex<Option<SecretString>>);

impl RotatedToken {
    fn next(&self) -> Option<SecretString> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, next: SecretString) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
}

/// The token endpoint's answer. Only two keys are in every recording; there is no `expires_in`.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    instance_url: String,
    id: Option<String>,
    /// Only where a connected app rotates refresh tokens (documented).
    refresh_token: Option<String>,
}

impl SignIn {
    /// Signs in, once.
    pub(super) async fn grant(&self) -> Result<Grant, ProviderError> {
        match &self.target.sign_in {
            SalesforceSignIn::ClientCredentials { client_id, client_secret } => {
                let (id, secret) = (self.secret(client_id).await?, self.secret(client_secret).await?);
                self.token(&[("grant_type", "client_credentials")], &[("client_id", &id), ("client_secret", &secret)]).await
            }
            SalesforceSignIn::RefreshToken { client_id, client_secret, refresh_token } => {
                let id = self.secret(client_id).await?;
                let token = match self.rotated.next() {
                    Some(next) => next,
                    None => self.secret(refresh_token).await?,
                };
                let secret = match client_secret {
                    Some(reference) => Some(self.secret(reference).await?),
                    None => None,
                };
                let mut secrets = vec![("client_id", &id), ("refresh_token", &token)];
                secrets.extend(secret.iter().map(|secret| ("client_secret", secret)));
                self.token(&[("grant_type", "refresh_token")], &secrets).await
            }
            SalesforceSignIn::JwtBearer { client_id, username, private_key, audience } => {
                let (id, key) = (self.secret(client_id).await?, self.secret(private_key).await?);
                let assertion = self.assertion(&id, username, &key, audience.as_deref())?;
                let grant_type = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
                let grant = self.token(&[grant_type], &[("assertion", &assertion)]).await?;
                Ok(Grant { user_name: Some(username.clone()), ..grant })
            }
            SalesforceSignIn::AccessToken { access_token } => {
                let token = self.secret(access_token).await?;
                let organization_id = organization_of(&token);
                let instance = origin(self.login_url()?);
                Ok(Grant { token, instance, organization_id, user_id: None, user_name: None })
            }
            SalesforceSignIn::SoapLogin { username, password, security_token } => {
                let password = self.secret(password).await?;
                let security_token = match security_token {
                    Some(reference) => Some(self.secret(reference).await?),
                    None => None,
                };
                let login = SoapLogin { url: self.login_url()?, api_version: &self.target.api_version };
                login.grant(&*self.transport, username, &password, security_token.as_ref()).await
            }
            SalesforceSignIn::SalesforceCli { target_org } => {
                let login = command_line_login::ask(&*self.commands, target_org).await?;
                let instance = trusted_instance(login.instance, true)?;
                let said = login.organization_id.as_deref().and_then(|text| canonical_salesforce_id(text).ok());
                let organization_id = agreed(organization_of(&login.token), said)?;
                Ok(Grant { token: login.token, instance, organization_id, user_id: None, user_name: login.user_name })
            }
        }
    }

    /// What whoever signs in has to know beforehand: that the next command cannot sign in like this one.
    pub(super) fn warning(&self) -> Option<String> {
        self.rotated.next().map(|_| {
            "the org has replaced the refresh token, and the one in the target does not work any more (the app rotates refresh tokens): \
             this command goes on, and the next one cannot sign in; use `clientCredentials` or `jwt`, or switch the rotation off in the \
             app and put a new refresh token in place"
                .to_owned()
        })
    }

    fn login_url(&self) -> Result<&Url, ProviderError> {
        let missing = || error(ErrorClass::Local, DOING, "no-login-url", "the target has no `loginUrl`");
        self.target.login_url.as_ref().ok_or_else(missing)
    }

    async fn secret(&self, reference: &SecretReference) -> Result<SecretString, ProviderError> {
        secrets::resolve(&self.secrets, reference, "find a secret").await
    }

    /// A signed statement of who signs in.
    fn assertion(
        &self,
        client_id: &SecretString,
        username: &str,
        private_key: &SecretString,
        audience: Option<&str>,
    ) -> Result<SecretString, ProviderError> {
        let login = self.login_url()?.origin().ascii_serialization();
        let claims = Claims {
            iss: client_id.expose_secret(),
            sub: username,
            aud: audience.unwrap_or(&login),
            // Seconds. Milliseconds are answered with `expired authorization code` (recorded).
            exp: self.clock.now().as_second() + JWT_SECONDS,
        };
        let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
        let signed = jsonwebtoken::EncodingKey::from_rsa_pem(private_key.expose_secret().as_bytes())
            .and_then(|key| jsonwebtoken::encode(&header, &claims, &key));
        signed.map(SecretString::from).map_err(|_| {
            let message = "the private key cannot sign: it must be an RSA key in PEM, without a passphrase";
            error(ErrorClass::Local, DOING, "unusable-private-key", message)
        })
    }

    /// Asks the token endpoint.
    async fn token(&self, plain: &[(&str, &str)], secret: &[(&str, &SecretString)]) -> Result<Grant, ProviderError> {
        let login = self.login_url()?;
        let mut url = origin(login);
        url.set_path("/services/oauth2/token");
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(plain)
            .extend_pairs(secret.iter().map(|(name, value)| (name, value.expose_secret())))
            .finish();
        let call = Call {
            body: Some(("application/x-www-form-urlencoded", RequestBody::Bytes(Bytes::from(form)))),
            ..Call::new(DOING, Method::POST, "/services/oauth2/token")
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(call.accept));
        let secrets: Vec<&SecretString> = secret.iter().map(|(_, value)| *value).collect();
        let response = send(&*self.transport, url, headers, &call, &secrets).await.map_err(|error| match error.class {
            // The token endpoint answers a refusal with 400 (recorded), which would else mean a request that is wrong in itself.
            ErrorClass::Invalid | ErrorClass::Denied if error.code != "redirected" => {
                ProviderError { class: ErrorClass::Unauthenticated, ..error }
            }
            _ => error,
        })?;
        let answer: TokenAnswer = call.read_json(response).await?;
        if let Some(next) = answer.refresh_token
            && let Some((_, used)) = secret.iter().find(|(name, _)| *name == "refresh_token")
            && next != used.expose_secret()
        {
            self.rotated.keep(next.into());
        }
        let instance = Url::parse(&answer.instance_url).map_err(|_| {
            error(ErrorClass::Malformed, DOING, "bad-instance-url", "the system names no usable `instance_url`")
        })?;
        let instance = trusted_instance(instance, login.scheme() == "http")?;
        let (said, user_id) = answer.id.as_deref().map_or((None, None), identity_of);
        let token = SecretString::from(answer.access_token);
        let organization_id = agreed(organization_of(&token), said)?;
        Ok(Grant { token, instance, organization_id, user_id, user_name: None })
    }
}

/// Organization and user from an identity URL, whose last two segments they are (client).
fn identity_of(url: &str) -> (Option<RecordId>, Option<RecordId>) {
    let mut segments = url.rsplit('/').map(|segment| canonical_salesforce_id(segment).ok());
    let user = segments.next().flatten();
    (segments.next().flatten(), user)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::testing::*;
    use super::*;
    use crate::provider::SecretError;
    use crate::provider::transport::scripted::{Reply, Scripted, Seen, json};

    fn form(seen: &Seen) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect()
    }

    async fn sign_in(
        how: SalesforceSignIn,
        script: impl FnMut(&Seen) -> Reply + Send + 'static,
    ) -> (Arc<Scripted>, Result<Grant, ProviderError>) {
        let transport = Arc::new(Scripted::new(script));
        let sign_in = SignIn {
            target: SalesforceTarget { sign_in: how, ..target() },
            transport: Arc::clone(&transport) as Arc<dyn Transport>,
            secrets: Arc::new(NamedSecrets(TOKEN)),
            clock: Arc::new(StillClock),
            commands: Arc::new(NoCommands),
            rotated: RotatedToken::default(),
        };
        let grant = sign_in.grant().await;
        (transport, grant)
    }

    fn granted(seen: &Seen) -> Reply {
        handshake(seen, 0).expect("the token endpoint")
    }

    fn client_credentials() -> SalesforceSignIn {
        SalesforceSignIn::ClientCredentials { client_id: secret("ID"), client_secret: secret("SECRET+&=") }
    }

    #[tokio::test]
    async fn signs_in_with_client_credentials() {
        let (transport, grant) = sign_in(client_credentials(), granted).await;
        let grant = grant.expect("signed in");
        assert_eq!(grant.token.expose_secret(), TOKEN);
        assert_eq!(grant.instance.as_str(), "https://crm.my.salesforce.com/");
        assert_eq!(grant.organization_id, Some(record(ORGANIZATION)));
        assert_eq!(grant.user_id, Some(record("005xx000001SwiUAAS")));
        let seen = &transport.seen()[0];
        assert_eq!(
            (seen.origin.as_str(), seen.line().as_str()),
            ("https://crm.my.salesforce.com", "POST /services/oauth2/token")
        );
        assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
        let expected =
            [("grant_type", "client_credentials"), ("client_id", "canary-ID"), ("client_secret", "canary-SECRET+&=")];
        assert_eq!(form(seen), expected.map(|(key, value)| (key.into(), value.into())).into());
    }

    #[tokio::test]
    async fn signs_in_with_a_refresh_token() {
        let how = SalesforceSignIn::RefreshToken {
            client_id: secret("ID"),
            client_secret: None,
            refresh_token: secret("REFRESH"),
        };
        let (transport, grant) = sign_in(how, granted).await;
        grant.expect("signed in");
        let expected = [("grant_type", "refresh_token"), ("client_id", "canary-ID"), ("refresh_token", "canary-REFRESH")];
        assert_eq!(form(&transport.seen()[0]), expected.map(|(key, value)| (key.into(), value.into())).into());
    }

    #[tokio::test]
    async fn signs_in_with_a_signed_statement_in_seconds() {
        struct Key;
        impl SecretSource for Key {
            fn resolve(&self, reference: &SecretReference) -> Result<SecretString, SecretError> {
                match reference {
                    SecretReference::Environment(name) if name == "KEY" => {
                        Ok(include_str!("../../../tests/fixtures/jwt_test_only_private_key.pem").into())
                    }
                    other => NamedSecrets(TOKEN).resolve(other),
                }
            }
        }
        let transport = Arc::new(Scripted::new(granted));
        let how = SalesforceSignIn::JwtBearer {
            client_id: secret("ID"),
            username: "me@example.com".into(),
            private_key: secret("KEY"),
            audience: None,
        };
        let sign_in = SignIn {
            target: SalesforceTarget { sign_in: how, ..target() },
            transport: Arc::clone(&transport) as Arc<dyn Transport>,
            secrets: Arc::new(Key),
            clock: Arc::new(StillClock),
            commands: Arc::new(NoCommands),
            rotated: RotatedToken::default(),
        };
        assert_eq!(sign_in.grant().await.expect("signed in").user_name.as_deref(), Some("me@example.com"));

        let form = form(&transport.seen()[0]);
        assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
        let public =
            jsonwebtoken::DecodingKey::from_rsa_pem(include_bytes!("../../../tests/fixtures/jwt_test_only_public_key.pem"));
        let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
        validation.validate_exp = false;
        validation.set_audience(&["https://crm.my.salesforce.com"]);
        let claims = jsonwebtoken::decode::<BTreeMap<String, serde_json::Value>>(
            &form["assertion"],
            &public.expect("a key"),
            &validation,
        );
        let claims = serde_json::to_value(claims.expect("signed").claims).expect("JSON");
        assert_eq!(
            claims,
            serde_json::json!({"iss": "canary-ID", "sub": "me@example.com", "aud": "https://crm.my.salesforce.com", "exp": 1_800_000_180})
        );
    }

    #[tokio::test]
    async fn a_key_that_cannot_sign_is_not_shown() {
        let how = SalesforceSignIn::JwtBearer {
            client_id: secret("ID"),
            username: "me@example.com".into(),
            private_key: secret("KEY"),
            audience: None,
        };
        let error = sign_in(how, granted).await.1.err().expect("no key");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Local, "unusable-private-key"));
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }

    #[tokio::test]
    async fn refusals_keep_the_systems_words_and_none_of_our_secrets() {
        for (description, remedy) in [
            ("authentication failure", "check the app's consumer key"),
            ("request not supported on this domain", "My Domain"),
            ("no client credentials user enabled", "Run As"),
            ("user hasn't approved this consumer", "pre-authorize"),
            ("audience is invalid", "https://test.salesforce.com"),
            ("expired access/refresh token", "make a new one"),
        ] {
            let body = serde_json::json!({"error": "invalid_grant", "error_description": format!("{description} canary-SECRET+&=")});
            let error = sign_in(client_credentials(), move |_| json(400, body.to_string())).await.1.err().expect("refused");
            assert_eq!((error.class, error.code.as_str()), (ErrorClass::Unauthenticated, "invalid_grant"));
            assert_eq!(error.message, format!("{description} [redacted]"));
            assert!(error.help.expect("a remedy").contains(remedy), "{description}");
        }
        let limited = r#"{"error":"rate_limit_exceeded","error_description":"login rate exceeded"}"#;
        let error = sign_in(client_credentials(), move |_| json(400, limited)).await.1.err().expect("refused");
        assert_eq!(error.class, ErrorClass::Throttled { wait: None });
    }

    #[tokio::test]
    async fn a_token_is_never_taken_to_an_address_that_is_not_https() {
        for instance in [
            "http://crm.my.salesforce.com",
            "ftp://x",
            "nonsense",
            "https://user:pass@crm.my.salesforce.com",
            "http://127.0.0.1",
        ] {
            let body = serde_json::json!({"access_token": TOKEN, "instance_url": instance}).to_string();
            let error = sign_in(client_credentials(), move |_| json(200, body.clone())).await.1.err().expect("refused");
            assert_eq!((error.class, error.code.as_str()), (ErrorClass::Malformed, "bad-instance-url"), "{instance}");
        }
    }

    #[tokio::test]
    async fn a_token_and_an_identity_that_disagree_are_refused() {
        let body = serde_json::json!({"access_token": TOKEN, "instance_url": "https://crm.my.salesforce.com",
            "id": "https://login.salesforce.com/id/00D000000000002EAA/005xx000001SwiUAAS"});
        let error = sign_in(client_credentials(), move |_| json(200, body.to_string())).await.1.err().expect("refused");
        assert_eq!(error.code, "contradicting-organizations");
        assert!(!error.message.contains("canary"), "{error}");
    }

    #[tokio::test]
    async fn an_answer_that_is_no_token_is_not_repeated_in_the_error() {
        for body in
            [format!("\"{TOKEN}\""), format!(r#"{{"access_token":["{TOKEN}"],"instance_url":"x"}}"#), "<html>canary".into()]
        {
            let error = sign_in(client_credentials(), move |_| json(200, body.clone())).await.1.err().expect("no token");
            assert_eq!(error.class, ErrorClass::Malformed);
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_secret_that_is_not_there_names_its_place() {
        let how = SalesforceSignIn::AccessToken { access_token: SecretReference::File("token.txt".into()) };
        let error = sign_in(how, granted).await.1.err().expect("no file");
        insta::assert_snapshot!(error, @"could not find a secret: the secret file `token.txt` cannot be read: entity not found");
    }

    #[tokio::test]
    async fn a_missing_command_line_tool_is_an_error_of_this_machine() {
        let how = SalesforceSignIn::SalesforceCli { target_org: "crm".into() };
        let (provider, transport) = connect(&SalesforceTarget { sign_in: how, login_url: None, ..target() }, granted);
        assert_eq!(provider.identify().await.expect_err("no program").class, ErrorClass::Local);
        assert!(transport.seen().is_empty());
    }
}
