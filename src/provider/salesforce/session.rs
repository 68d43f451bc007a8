//! One sign-in, kept alive.

use std::sync::Arc;

use http::StatusCode;
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::call::{Call, Endpoint};
use super::identity;
use super::patience::Patience;
use super::sign_in::{Grant, SignIn};
use super::version;
use crate::base::RecordId;
use crate::plan::Identity;
use crate::provider::transport::Response;
use crate::provider::{ErrorClass, ProviderError};

/// Words of a 401 that a new token cannot help (client).
const HOPELESS: [&str; 2] =
    ["Connected app is not attached to Agent", "This session is not valid for use with the REST API"];

/// A session as it stands: never changed, only replaced.
pub(super) struct Connection {
    /// Where calls go.
    pub(super) endpoint: Endpoint,
    /// Who is signed in, where.
    pub(super) identity: Identity,
    /// Counts the sign-ins, so that two requests that find the same session ended renew it once.
    generation: u64,
}

/// One sign-in, kept alive.
///
/// **Invariants**: no request but the sign-in, the list of versions and the question who and where is sent before the organization
/// is known to be the right one; it never changes afterwards, however often the session is renewed.
pub(super) struct Session {
    sign_in: SignIn,
    connection: Mutex<Option<Arc<Connection>>>,
}

impl Session {
    /// A session that signs in when it is first needed.
    pub(super) fn new(sign_in: SignIn) -> Self {
        Self { sign_in, connection: Mutex::new(None) }
    }

    /// The session as it stands, after signing in if that has not happened.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, ProviderError> {
        let mut connection = self.connection.lock().await;
        if let Some(connection) = &*connection {
            return Ok(Arc::clone(connection));
        }
        let grant = self.sign_in.grant().await?;
        Ok(Arc::clone(connection.insert(self.connect(grant, None).await?)))
    }

    /// Signs in anew, unless somebody else has done so since `ended` was current.
    async fn renew(&self, ended: &Connection, refusal: ProviderError) -> Result<Arc<Connection>, ProviderError> {
        let mut connection = self.connection.lock().await;
        if let Some(current) = &*connection
            && current.generation != ended.generation
        {
            return Ok(Arc::clone(current));
        }
        let grant = self.sign_in.grant().await?;
        if grant.token.expose_secret() == ended.endpoint.token.expose_secret() {
            return Err(ProviderError {
                help: Some("the session has ended and signing in again gives the same token: get a new one".into()),
                ..refusal
            });
        }
        tracing::debug!("the session ended and was renewed");
        Ok(Arc::clone(connection.insert(self.connect(grant, Some(ended)).await?)))
    }

    /// Makes a session of a sign-in, once it is certain that it is for the right organization.
    async fn connect(&self, grant: Grant, earlier: Option<&Connection>) -> Result<Arc<Connection>, ProviderError> {
        if let Some(organization_id) = grant.organization_id {
            self.refuse_other_organization(organization_id.as_str(), earlier)?;
        }
        let version = match earlier {
            Some(earlier) => earlier.endpoint.version.clone(),
            None => version::choose(&*self.sign_in.transport, &grant.instance, &self.sign_in.target.api_version).await?,
        };
        let endpoint = Endpoint {
            transport: Arc::clone(&self.sign_in.transport),
            instance: grant.instance.clone(),
            version,
            token: grant.token.clone(),
        };
        let identity = match earlier {
            Some(earlier) if grant.organization_id.is_some() => {
                Identity { instance_url: endpoint.instance.origin().ascii_serialization(), ..earlier.identity.clone() }
            }
            _ => identity::prove(&endpoint, &grant).await?,
        };
        self.refuse_other_organization(&identity.organization_id, earlier)?;
        let generation = earlier.map_or(0, |earlier| earlier.generation + 1);
        Ok(Arc::new(Connection { endpoint, identity, generation }))
    }

    fn refuse_other_organization(&self, found: &str, earlier: Option<&Connection>) -> Result<(), ProviderError> {
        let pinned = self.sign_in.target.organization_id.as_ref().map(RecordId::as_str);
        let wanted = [pinned, earlier.map(|earlier| earlier.identity.organization_id.as_str())];
        match wanted.into_iter().flatten().find(|wanted| *wanted != found) {
            None => Ok(()),
            Some(wanted) => Err(ProviderError {
                help: Some("sign in to the right organization, or correct the target's `organizationId`".into()),
                ..super::call::error(
                    ErrorClass::WrongSystem,
                    "use this login",
                    "wrong-organization",
                    format!("it is for organization {found}, and the target is {wanted}"),
                )
            }),
        }
    }

    /// Makes one call. When the session has ended it is renewed once and the call repeated once: a request refused for its session has
    /// had no effect.
    pub(super) async fn call(&self, call: &Call) -> Result<Response, ProviderError> {
        let connection = self.connection().await?;
        match connection.endpoint.call(call).await {
            Err(refusal) if has_ended(&refusal) => self.renew(&connection, refusal).await?.endpoint.call(call).await,
            answer => answer,
        }
    }

    /// Makes one call and reads its JSON.
    pub(super) async fn call_json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, ProviderError> {
        call.read_json(self.call(call).await?).await
    }

    /// Makes a call that only reads, a few times if need be.
    pub(super) async fn read(&self, call: &Call) -> Result<Response, ProviderError> {
        let mut patience = Patience::default();
        loop {
            match self.call(call).await {
                Err(error) => patience.wait_after(error).await?,
                answer => return answer,
            }
        }
    }

    /// Makes a call that only reads, a few times if need be, and reads its JSON.
    pub(super) async fn read_json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, ProviderError> {
        let mut patience = Patience::default();
        loop {
            match self.call_json(call).await {
                Err(error) => patience.wait_after(error).await?,
                answer => return answer,
            }
        }
    }

    /// Who is signed in, where.
    pub(super) async fn identity(&self) -> Result<Identity, ProviderError> {
        let mut patience = Patience::default();
        loop {
            match self.connection().await {
                Err(error) => patience.wait_after(error).await?,
                Ok(connection) => return Ok(connection.identity.clone()),
            }
        }
    }
}

/// Whether a refusal says that the session has ended. The code is recorded; a 401 without any code is taken for the same, which
/// another client does too. A 403 never is one.
fn has_ended(refusal: &ProviderError) -> bool {
    refusal.status == Some(StatusCode::UNAUTHORIZED.as_u16())
        && matches!(refusal.code.as_str(), "INVALID_SESSION_ID" | "no-code")
        && !HOPELESS.iter().any(|words| refusal.message.contains(words))
}
