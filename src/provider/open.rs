//! From a target to its provider.

use std::sync::Arc;

use super::fulcrum::FulcrumProvider;
use super::salesforce::{CommandRunner, SalesforceProvider};
use super::secrets::SecretSource;
use super::transport::{Dated, Paced, Transport};
use super::zuora::ZuoraProvider;
use super::{Provider, fulcrum, zuora};
use crate::base::{CallMemory, Clock};
use crate::manifest::{System, Target};

/// What a provider depends on.
pub struct ProviderDependencies {
    /// The way to the system.
    pub transport: Arc<dyn Transport>,
    /// Where secrets come from.
    pub secrets: Arc<dyn SecretSource>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// What a process knows of the calls that were made before it; for systems that count them.
    pub calls: Arc<dyn CallMemory>,
    /// Runs programs of others that know a login.
    pub commands: Arc<dyn CommandRunner>,
}

/// The provider of a target: one row a system. Nothing is sent, and no secret is read, before the first question.
pub fn open(target: &Target, dependencies: ProviderDependencies) -> Arc<dyn Provider> {
    let ProviderDependencies { transport, secrets, clock, calls, commands } = dependencies;
    let transport = Arc::new(Dated::new(transport, Arc::clone(&clock)));
    match &target.system {
        System::Salesforce(target) => Arc::new(SalesforceProvider::new(target, transport, secrets, clock, commands)),
        System::Zuora(target) => {
            let paced = Paced::new(transport, zuora::call_budget(target), clock, calls);
            Arc::new(ZuoraProvider::new(target, Arc::new(paced), secrets))
        }
        System::Fulcrum(target) => {
            let paced = Paced::new(transport, fulcrum::call_budget(target), clock, calls);
            Arc::new(FulcrumProvider::new(target, Arc::new(paced), secrets))
        }
    }
}
