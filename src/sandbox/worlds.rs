//! What a sandbox holds, of all systems together.

use super::{Tenant, World, fulcrum};

/// One world for each system.
#[derive(Debug)]
pub struct Worlds {
    /// The Salesforce organization.
    pub salesforce: World,
    /// The Zuora tenant.
    pub zuora: Tenant,
    /// The Fulcrum organization.
    pub fulcrum: fulcrum::Organization,
}

impl From<World> for Worlds {
    fn from(salesforce: World) -> Self {
        let (now, seed) = (salesforce.now(), salesforce.seed());
        let zuora = Tenant::starting_at(now).seeded(seed);
        Self { zuora, fulcrum: fulcrum::Organization::example(now).seeded(seed), salesforce }
    }
}
