//! One API token, and the organization it belongs to.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::call::{Call, send};
use super::identity::{self, Caller};
use crate::manifest::FulcrumTarget;
use crate::plan::Identity;
use crate::provider::common::{self, Connect, Effect, error, retried};
use crate::provider::secrets::{self, SecretSource};
use crate::provider::transport::{Response, Transport};
use crate::provider::{ErrorClass, ProviderError};

/// One API token, and the organization it belongs to.
///
/// **Invariant**: no request but the question whose token it is is sent before the organization is known to be the right one.
pub(super) type Session = common::Session<ApiToken>;

/// Where the token is, and where it is for.
pub(super) struct ApiToken {
    pub(super) target: FulcrumTarget,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) secrets: Arc<dyn SecretSource>,
}

/// The token, and whose it is.
pub(super) struct Connection {
    transport: Arc<dyn Transport>,
    target: FulcrumTarget,
    token: SecretString,
    caller: Caller,
}

#[async_trait]
impl Connect for ApiToken {
    type Connection = Connection;
    type Call = Call;
    type Answer = Response;

    async fn connect(&self, _: Option<(&Connection, ProviderError)>) -> Result<Connection, ProviderError> {
        let token = secrets::resolve(&self.secrets, &self.target.api_token, "find the API token").await?;
        let call = identity::question();
        let response = send(&call, &*self.transport, &self.target.url, &token).await?;
        let caller = identity::read(&call, call.read_json(response).await?, &self.target.url)?;
        match &self.target.organization_id {
            Some(wanted) if *wanted != caller.identity.organization_id => Err(ProviderError {
                help: Some("use a token of the right organization, or correct the target's `organizationId`".into()),
                ..error(
                    ErrorClass::WrongSystem,
                    "use this API token",
                    "wrong-organization",
                    format!("it is for organization {}, but the target is {wanted}", caller.identity.organization_id),
                )
            }),
            _ => {
                let (transport, target) = (Arc::clone(&self.transport), self.target.clone());
                Ok(Connection { transport, target, token, caller })
            }
        }
    }

    async fn send(connection: &Connection, call: &Call) -> Result<Response, ProviderError> {
        send(call, &*connection.transport, &connection.target.url, &connection.token).await
    }

    /// A token does not end, and a new one would have to be put in its place by hand.
    fn has_ended(_: &ProviderError) -> bool {
        false
    }

    fn deletes(call: &Call) -> bool {
        call.effect == Effect::Deletes
    }

    fn identity(connection: &Connection) -> &Identity {
        &connection.caller.identity
    }

    fn transport(&self) -> &dyn Transport {
        &*self.transport
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

    /// Whether the user's role may delete records; `None` where the system does not say.
    pub(super) async fn may_delete(&self) -> Result<Option<bool>, ProviderError> {
        retried(|| self.connection(|connection| connection.caller.may_delete)).await
    }
}
