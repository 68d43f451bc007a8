//! Providers that reach the network.

use std::path::Path;
use std::sync::Arc;

use super::machine::MachineClock;
use crate::command::{CommandError, Connector};
use crate::manifest::{System, Target};
use crate::provider::salesforce::{SalesforceProvider, SystemCommands};
use crate::provider::transport::{HttpTransport, Timeouts, Transport};
use crate::provider::{Provider, SystemSecrets};

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
    fn connect(&self, target: &Target, project: &Path) -> Arc<dyn Provider> {
        let transport = Arc::clone(&self.transport);
        let secrets = Arc::new(SystemSecrets::new(project.to_owned()));
        match &target.system {
            System::Salesforce(salesforce) => {
                let commands = Arc::new(SystemCommands);
                Arc::new(SalesforceProvider::new(salesforce, transport, secrets, Arc::new(MachineClock), commands))
            }
        }
    }
}
