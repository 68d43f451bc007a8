//! One sign-in, kept alive.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;

use super::call::{Call, Endpoint};
use super::identity;
use super::sign_in::SignIn;
use super::version;
use crate::base::RecordId;
use crate::plan::Identity;
use crate::provider::common::{self, Connect, Effect, error, retried};
use crate::provider::transport::{Response, Transport};
use crate::provider::{ErrorClass, ProviderError};

/// Words of a 401 that a new token cannot help (client).
const HOPELESS: [&str; 2] =
    ["Connected app is not attached to Agent", "This session is not valid for use with the REST API"];

/// What to do where Bulk API 1.0, whose codes are written so, refuses a session that is not opaque. Whether it takes such tokens is not
/// documented.
const JWT_HELP: &str = "if the session has not ended, Bulk API 1.0 takes no access tokens in JWT format: have the app hand out opaque ones, or \
                        delete by another API, without `concurrency: serial` or `via: bulk1`";

/// One sign-in, kept alive.
///
/// **Invariants**: no request but the sign-in, the list of versions and the question who and where is sent before the organization
/// is known to be the right one; it never changes afterwards, however often the session is renewed.
pub(super) type Session = common::Session<SignIn>;

/// The present connection: never changed, only replaced.
pub(super) struct Connection {
    /// Where calls go.
    pub(super) endpoint: Endpoint,
    /// Who is signed in, where.
    identity: Identity,
}

#[async_trait]
impl Connect for SignIn {
    type Connection = Connection;
    type Call = Call;
    type Answer = Response;

    async fn connect(&self, ended: Option<(&Connection, ProviderError)>) -> Result<Connection, ProviderError> {
        let grant = self.grant().await?;
        let earlier = match ended {
            Some((earlier, refusal)) if grant.token.expose_secret() == earlier.endpoint.token.expose_secret() => {
                return Err(ProviderError {
                    help: Some("the session has ended and signing in again gives the same token: get a new one".into()),
                    ..refusal
                });
            }
            ended => ended.map(|(earlier, _)| earlier),
        };
        if let Some(organization_id) = grant.organization_id {
            self.refuse_other_organization(organization_id.as_str(), earlier)?;
        }
        let version = match earlier {
            Some(earlier) => earlier.endpoint.version.clone(),
            None => version::choose(&*self.transport, &grant.instance, &self.target.api_version).await?,
        };
        let endpoint = Endpoint {
            transport: Arc::clone(&self.transport),
            instance: grant.instance.clone(),
            version,
            token: grant.token.clone(),
        };
        let identity = match earlier {
            Some(earlier) if grant.organization_id.is_some() => {
                Identity { instance_url: endpoint.instance.origin().ascii_serialization(), ..earlier.identity.clone() }
            }
            _ => identity::prove(&endpoint, &grant, self.target.login_url.as_ref()).await?,
        };
        self.refuse_other_organization(&identity.organization_id, earlier)?;
        Ok(Connection { endpoint, identity })
    }

    async fn send(connection: &Connection, call: &Call) -> Result<Response, ProviderError> {
        connection.endpoint.call(call).await.map_err(|refusal| {
            // An opaque one begins with its organization and an exclamation mark (recorded).
            let is_jwt = !connection.endpoint.token.expose_secret().contains('!');
            match refusal.code.as_str() {
                // With the system's words, since a run tells those alone.
                "InvalidSessionId" if is_jwt => {
                    ProviderError { message: format!("{}; {JWT_HELP}", refusal.message), ..refusal }
                }
                _ => refusal,
            }
        })
    }

    fn has_ended(refusal: &ProviderError) -> bool {
        has_ended(refusal)
    }

    fn deletes(call: &Call) -> bool {
        call.effect == Effect::Deletes
    }

    fn identity(connection: &Connection) -> &Identity {
        &connection.identity
    }

    fn transport(&self) -> &dyn Transport {
        &*self.transport
    }
}

impl SignIn {
    fn refuse_other_organization(&self, found: &str, earlier: Option<&Connection>) -> Result<(), ProviderError> {
        let pinned = self.target.organization_id.as_ref().map(RecordId::as_str);
        let wanted = [pinned, earlier.map(|earlier| earlier.identity.organization_id.as_str())];
        match wanted.into_iter().flatten().find(|wanted| *wanted != found) {
            None => Ok(()),
            Some(wanted) => Err(ProviderError {
                help: Some("sign in to the right organization, or correct the target's `organizationId`".into()),
                ..error(
                    ErrorClass::WrongSystem,
                    "use this login",
                    "wrong-organization",
                    format!("it is for organization {found}, but the target is {wanted}"),
                )
            }),
        }
    }
}

impl Session {
    /// Makes one call and reads its JSON.
    pub(super) async fn call_json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, ProviderError> {
        call.read_json(self.call(call).await?).await
    }

    /// Makes a call that only reads, a few times if need be, and reads its JSON.
    pub(super) async fn read_json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, ProviderError> {
        retried(|| self.call_json(call)).await
    }
}

/// Whether a refusal says that the session has ended. The code is recorded; a 401 without any code is taken for the same, which
/// another client does too. Bulk API 1.0 says it with 400 and a code of its own (client). A 403 never is one.
fn has_ended(refusal: &ProviderError) -> bool {
    let ended = matches!(
        (refusal.status, refusal.code.as_str()),
        (Some(401), "INVALID_SESSION_ID" | "no-code") | (Some(400 | 401), "InvalidSessionId")
    );
    // After a deletion, one without a code may be of something between here and there.
    ended && refusal.class != ErrorClass::Ambiguous && !HOPELESS.iter().any(|words| refusal.message.contains(words))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::*;
    use crate::manifest::{SalesforceSignIn, SecretReference};
    use crate::plan::Count;
    use crate::provider::ErrorClass;
    use crate::provider::transport::scripted::{Reply, Seen, answer, json};
    use crate::system::{Api, DeleteMode};

    const EXPIRED: &str = r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#;

    fn counted() -> Reply {
        json(200, page(7, true, None, vec![]).to_string())
    }

    /// Answers the handshake with a new token each time, and anything else only to the newest token.
    fn renewing(mut rest: impl FnMut(&Seen) -> Reply + Send + 'static) -> impl FnMut(&Seen) -> Reply + Send + 'static {
        let mut sign_ins = 0;
        move |seen| {
            let reply = handshake(seen, sign_ins);
            sign_ins += u32::from(seen.path.ends_with("/token"));
            reply.unwrap_or_else(|| rest(seen))
        }
    }

    fn is_first_token(seen: &Seen) -> bool {
        seen.authorization.as_deref() == Some(format!("Bearer {TOKEN}").as_str())
    }

    #[tokio::test]
    async fn identifies_the_organization_before_anything_else() {
        let (provider, transport) = org(|_| counted());
        assert_eq!(provider.count(&query(&[])).await.expect("counted"), Count::Exact(7));
        insta::assert_snapshot!(transport.lines().join("\n"), @r"
        POST /services/oauth2/token
        GET /services/data/
        GET /services/data/v66.0/query
        GET /services/oauth2/userinfo
        GET /services/data/v66.0/sobjects/Lead/describe
        GET /services/data/v66.0/query
        ");
        assert!(transport.seen()[2].parameter("q").expect("a query").ends_with("FROM Organization"));
    }

    #[tokio::test]
    async fn renews_an_ended_session_once_and_repeats_the_request_once() {
        let script = renewing(|seen| if is_first_token(seen) { json(401, EXPIRED) } else { counted() });
        let (provider, transport) = connect(&target(), script);
        assert_eq!(provider.count(&query(&[])).await.expect("counted"), Count::Exact(7));
        assert_eq!(asked(&transport).len(), 2);
        assert_eq!(transport.lines().iter().filter(|line| line.ends_with("/token")).count(), 2);
    }

    #[tokio::test]
    async fn a_deletion_refused_for_an_ended_session_is_for_the_caller_to_send_again() {
        let specification = specification(Api::Collections, DeleteMode::Soft, false);
        for hopeless in [false, true] {
            let script = renewing(move |seen| {
                let deleted = serde_json::json!([{"id": leads(1)[0], "success": true, "errors": []}]);
                if hopeless || is_first_token(seen) { json(401, EXPIRED) } else { json(200, deleted.to_string()) }
            });
            let (provider, transport) = connect(&target(), script);
            let sent = |expected: usize| assert_eq!(asked(&transport).len(), expected);
            let error = provider.requests(&specification).send(&leads(1)).await.expect_err("a hold may have been set");
            assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "session-ended"));
            sent(1);
            let answers = provider.requests(&specification).send(&leads(1)).await;
            match hopeless {
                false => assert_eq!(answers.expect("deleted").len(), 1),
                // A new session that is over as soon as it is used is not opened again and again.
                true => assert_eq!(answers.expect_err("refused again").class, ErrorClass::Unauthenticated),
            }
            sent(2);
            assert_eq!(transport.lines().iter().filter(|line| line.ends_with("/token")).count(), 2);
        }
    }

    #[tokio::test]
    async fn gives_up_when_the_new_session_is_refused_too() {
        let (provider, transport) = connect(&target(), renewing(|_| json(401, EXPIRED)));
        let error = provider.count(&query(&[])).await.expect_err("refused twice");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Unauthenticated, "INVALID_SESSION_ID"));
        assert_eq!(asked(&transport).len(), 2);
    }

    #[tokio::test]
    async fn many_requests_that_find_the_session_ended_renew_it_once() {
        let script = renewing(|seen| if is_first_token(seen) { json(401, EXPIRED) } else { counted() });
        let (provider, transport) = connect(&target(), script);
        provider.identify().await.expect("signed in");
        let query = query(&[]);
        let all = futures::future::join_all((0..20).map(|_| provider.count(&query))).await;
        assert!(all.iter().all(|count| *count == Ok(Count::Exact(7))), "{all:?}");
        assert_eq!(transport.lines().iter().filter(|line| line.ends_with("/token")).count(), 2);
        assert_eq!(asked(&transport).len(), 40);
    }

    #[tokio::test]
    async fn many_first_requests_sign_in_once() {
        let (provider, transport) = org(|_| counted());
        let query = query(&[]);
        futures::future::join_all((0..20).map(|_| provider.count(&query))).await;
        assert_eq!(transport.lines().iter().filter(|line| line.ends_with("/token")).count(), 1);
    }

    #[tokio::test]
    async fn a_403_and_a_hopeless_401_renew_nothing() {
        let hopeless =
            r#"[{"message":"This session is not valid for use with the REST API","errorCode":"INVALID_SESSION_ID"}]"#;
        let denied = r#"[{"message":"no","errorCode":"API_DISABLED_FOR_ORG"}]"#;
        for (status, body, class) in [(401, hopeless, ErrorClass::Unauthenticated), (403, denied, ErrorClass::Denied)] {
            let (provider, transport) = connect(&target(), renewing(move |_| json(status, body)));
            assert_eq!(provider.count(&query(&[])).await.expect_err("refused").class, class);
            assert_eq!((asked(&transport).len(), transport.seen().len()), (1, 6));
        }
    }

    #[tokio::test]
    async fn a_given_token_that_has_ended_is_not_tried_again() {
        let sign_in = SalesforceSignIn::AccessToken { access_token: SecretReference::Command(vec!["x".into()]) };
        let script = |seen: &Seen| handshake(seen, 0).unwrap_or_else(|| json(401, EXPIRED));
        let (provider, transport) = connect(&crate::manifest::SalesforceTarget { sign_in, ..target() }, script);
        let error = provider.count(&query(&[])).await.expect_err("ended");
        assert_eq!(error.class, ErrorClass::Unauthenticated);
        assert!(error.help.expect("a remedy").contains("get a new one"));
        assert_eq!(asked(&transport).len(), 1);
    }

    #[tokio::test]
    async fn another_organization_in_the_token_is_refused_before_its_host_is_asked_anything() {
        let script = |seen: &Seen| {
            assert_eq!(seen.path, "/services/oauth2/token", "nothing else may be asked");
            json(200, r#"{"access_token":"00D000000000002!AQ.x","instance_url":"https://other.my.salesforce.com"}"#)
        };
        let (provider, _) = connect(&target(), script);
        let error = provider.identify().await.expect_err("another organization");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::WrongSystem, "wrong-organization"));
        insta::assert_snapshot!(error, @"could not use this login: it is for organization 00D000000000002EAA, but the target is 00D000000000001EAA");
    }

    #[tokio::test]
    async fn another_organization_behind_a_token_that_does_not_tell_is_refused_too() {
        let script = |seen: &Seen| match seen.line().as_str() {
            "POST /services/oauth2/token" => {
                json(200, r#"{"access_token":"eyJhbGciOiJ","instance_url":"https://crm.my.salesforce.com"}"#)
            }
            "GET /services/data/v66.0/query" => {
                let row = serde_json::json!({"Id": "00D000000000002EAA", "Name": "Other", "IsSandbox": false, "OrganizationType": "x"});
                json(200, page(1, true, None, vec![row]).to_string())
            }
            "GET /services/oauth2/userinfo" => json(403, ""),
            _ => handshake(seen, 0).expect("nothing else may be asked"),
        };
        let (provider, _) = connect(&target(), script);
        assert_eq!(provider.describe("Lead").await.expect_err("another organization").class, ErrorClass::WrongSystem);
    }

    #[tokio::test]
    async fn a_renewed_session_for_another_organization_is_refused_even_without_a_pin() {
        let mut sign_ins = 0;
        let script = move |seen: &Seen| {
            sign_ins += u32::from(seen.path.ends_with("/token"));
            match (seen.path.ends_with("/token"), sign_ins) {
                (true, 2) => {
                    json(200, r#"{"access_token":"00D000000000002!AQ.x","instance_url":"https://crm.my.salesforce.com"}"#)
                }
                _ => handshake(seen, 0).unwrap_or_else(|| json(401, EXPIRED)),
            }
        };
        let unpinned = crate::manifest::SalesforceTarget { organization_id: None, ..target() };
        let (provider, transport) = connect(&unpinned, script);
        assert_eq!(provider.count(&query(&[])).await.expect_err("moved").class, ErrorClass::WrongSystem);
        assert_eq!(asked(&transport).len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_is_repeated_a_few_times_and_a_refusal_is_not() {
        let mut failures = 0;
        let (provider, transport) = org(move |_| {
            failures += 1;
            match failures {
                1 => Reply::NoAnswer,
                2 => answer(503, &[], "<html>"),
                3 => json(200, r#"{"totalSize":"#),
                4 => answer(429, &[("retry-after", "20")], ""),
                _ => counted(),
            }
        });
        let started = tokio::time::Instant::now();
        assert_eq!(provider.count(&query(&[])).await.expect("counted at last"), Count::Exact(7));
        assert_eq!((asked(&transport).len(), started.elapsed()), (5, Duration::from_millis(23_500)));

        let (provider, transport) = org(|_| Reply::NoAnswer);
        assert_eq!(provider.count(&query(&[])).await.expect_err("down").class, ErrorClass::Transient);
        assert_eq!(asked(&transport).len(), 5);

        let (provider, transport) = org(|_| json(400, r#"[{"message":"x","errorCode":"MALFORMED_QUERY"}]"#));
        assert_eq!(provider.count(&query(&[])).await.expect_err("wrong").class, ErrorClass::Invalid);
        assert_eq!(asked(&transport).len(), 1);
    }
}
