//! Providers that reach the network.

use std::path::Path;
use std::sync::Arc;

use super::machine::MachineClock;
use crate::command::Connector;
use crate::manifest::Target;
use crate::provider::Provider;

/// Makes providers that reach the network.
#[derive(Clone, Copy, Debug)]
pub struct NetworkConnector;

impl Connector for NetworkConnector {
    fn connect(&self, target: &Target, project: &Path) -> Arc<dyn Provider> {
        crate::provider::connect(target, project, Arc::new(MachineClock))
    }
}
