//! From a target to its provider.

use std::sync::Arc;

use super::Provider;
use super::salesforce::{CommandRunner, SalesforceProvider};
use super::secrets::SecretSource;
use super::transport::{Paced, Transport};
use super::zuora::{ZuoraProvider, call_budget};
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
        System::Zuora(zuora) => {
            let paced = Paced::new(transport, call_budget(zuora), clock, calls);
            Arc::new(ZuoraProvider::new(zuora, Arc::new(paced), secrets))
        }
        System::Fulcrum(_) => unimplemented!("merged in the next step"),
    }
}
