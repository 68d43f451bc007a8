//! Providers that reach the network.

use std::path::Path;
use std::sync::Arc;

use super::machine::MachineClock;
use crate::base::CommandError;
use crate::manifest::Target;
use crate::provider::salesforce::SystemCommands;
use crate::provider::transport::{HttpTransport, Timeouts, Transport};
use crate::provider::{Provider, ProviderDependencies, SystemSecrets, open};
use crate::select::Connector;
use crate::store::{Backend, StoredCalls};

/// Makes providers that reach the network, all through one pool of connections.
pub struct NetworkConnector {
    transport: Arc<dyn Transport>,
}

impl NetworkConnector {
    /// A connector with its own pool.
    pub fn new() -> Result<Self, CommandError> {
        let transport = HttpTransport::new(Timeouts::default())
            .map_err(|error| CommandError::plain("the network cannot be used").caused_by(&error))?;
        Ok(Self { transport: Arc::new(transport) })
    }
}

impl Connector for NetworkConnector {
    fn connect(&self, target: &Target, project: &Path, store: Arc<dyn Backend>) -> Arc<dyn Provider> {
        let dependencies = ProviderDependencies {
            transport: Arc::clone(&self.transport),
            secrets: Arc::new(SystemSecrets::new(project.to_owned())),
            clock: Arc::new(MachineClock),
            calls: Arc::new(StoredCalls::new(store, &target.name)),
            commands: Arc::new(SystemCommands),
        };
        open(target, dependencies)
    }
}
