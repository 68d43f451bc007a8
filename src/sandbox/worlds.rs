//! What a sandbox holds, of all systems together.

use super::{Tenant, World};

/// One world for each system.
#[derive(Debug)]
pub struct Worlds {
    /// The Salesforce organization.
    pub salesforce: World,
    /// The Zuora tenant.
    pub zuora: Tenant,
}

impl From<World> for Worlds {
    fn from(salesforce: World) -> Self {
        Self { zuora: Tenant::starting_at(salesforce.now()), salesforce }
    }
}
