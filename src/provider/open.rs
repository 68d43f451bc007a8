//! From a target to its provider.

use std::sync::Arc;

use super::Provider;
use super::fulcrum::{self, FulcrumProvider};
use super::salesforce::{CommandRunner, SalesforceProvider};
use super::secrets::SecretSource;
use super::transport::{Paced, Transport};
use super::zuora::{self, ZuoraProvider};
use crate::base::{CallMemory, Clock};
use crate::manifest::{System, Target};

/// What a provider needs of its surroundings.
pub struct Surroundings {
    /// The way to the system.
    pub transport: Arc<dyn Transport>,
    /// Where secrets come from.
    pub secrets: Arc<dyn SecretSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What a process knows of the calls that were made before it; for systems that count them.
    pub calls: Arc<dyn CallMemory>,
    /// Runs programs of others that know a login.
    pub commands: Arc<dyn CommandRunner>,
}

/// The provider of a target. Nothing is sent, and no secret is read, before the first question.
pub fn open(target: &Target, surroundings: Surroundings) -> Arc<dyn Provider> {
    let Surroundings { transport, secrets, clock, calls, commands } = surroundings;
    match &target.system {
        System::Salesforce(salesforce) => Arc::new(SalesforceProvider::new(salesforce, transport, secrets, clock, commands)),
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
