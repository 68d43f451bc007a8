//! One API token, and the organization it belongs to.

use std::sync::Arc;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::call::{Call, error};
use super::identity::{self, Caller};
use crate::manifest::FulcrumTarget;
use crate::provider::patience::Patience;
use crate::provider::secrets::SecretSource;
use crate::provider::transport::Transport;
use crate::provider::{ErrorClass, ProviderError};

/// The token, and whose it is.
struct Connection {
    token: SecretString,
    caller: Caller,
}

/// One API token, and the organization it belongs to.
///
/// **Invariant**: no request but the question whose token it is is sent before the organization is known to be the right one.
pub(super) struct Session {
    target: FulcrumTarget,
    transport: Arc<dyn Transport>,
    secrets: Arc<dyn SecretSource>,
    connection: OnceCell<Connection>,
}

impl Session {
    /// A session that asks whose the token is when it is first needed.
    pub(super) fn new(target: FulcrumTarget, transport: Arc<dyn Transport>, secrets: Arc<dyn SecretSource>) -> Self {
        Self { target, transport, secrets, connection: OnceCell::new() }
    }

    /// The token and whose it is, asked once.
    async fn connection(&self) -> Result<&Connection, ProviderError> {
        self.connection.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<Connection, ProviderError> {
        let token = self.token().await?;
        let call = identity::question();
        let response = call.send(&*self.transport, &self.target.url, &token).await?;
        let caller = identity::read(&call, call.read_json(response).await?, &self.target.url)?;
        match &self.target.organization_id {
            Some(wanted) if *wanted != caller.identity.organization_id => Err(ProviderError {
                help: Some("use a token of the right organization, or correct the target's `organizationId`".into()),
                ..error(
                    ErrorClass::WrongSystem,
                    "use this API token",
                    "wrong-organization",
                    format!("it is for organization {}, and the target is {wanted}", caller.identity.organization_id),
                )
            }),
            _ => Ok(Connection { token, caller }),
        }
    }

    /// A reference may point at a program, so that resolving it may take its time.
    async fn token(&self) -> Result<SecretString, ProviderError> {
        let (secrets, reference) = (Arc::clone(&self.secrets), self.target.api_token.clone());
        let failed = |message: String| error(ErrorClass::Local, "find the API token", "no-secret", message);
        let resolved = tokio::task::spawn_blocking(move || secrets.resolve(&reference)).await;
        resolved.map_err(|_| failed("looking for it ended unexpectedly".into()))?.map_err(|error| {
            failed(match std::error::Error::source(&error) {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            })
        })
    }

    /// Makes one call, once; what a success holds is not looked at.
    pub(super) async fn send(&self, call: &Call) -> Result<(), ProviderError> {
        let connection = self.connection().await?;
        call.send(&*self.transport, &self.target.url, &connection.token).await.map(drop)
    }

    /// Makes one call, once, and reads its JSON.
    pub(super) async fn call<T: DeserializeOwned>(&self, call: &Call) -> Result<T, ProviderError> {
        let connection = self.connection().await?;
        call.read_json(call.send(&*self.transport, &self.target.url, &connection.token).await?).await
    }

    /// Makes a call that only reads, a few times if need be, and reads its JSON.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: &Call) -> Result<T, ProviderError> {
        let mut patience = Patience::default();
        loop {
            match self.call(call).await {
                Err(error) => patience.wait_after(error).await?,
                answer => return answer,
            }
        }
    }

    /// Who calls, in which organization.
    pub(super) async fn caller(&self) -> Result<&Caller, ProviderError> {
        let mut patience = Patience::default();
        loop {
            match self.connection().await {
                Err(error) => patience.wait_after(error).await?,
                Ok(connection) => return Ok(&connection.caller),
            }
        }
    }
}
