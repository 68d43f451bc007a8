//! The systems of a run: those that its plan was made in, and no others.

use crate::base::{CommandError, Exit};
use crate::plan::PlanHeader;
use crate::select::Connections;

/// Refuses when any login is for another organization than the plan was made in.
pub(in crate::command) fn check_systems(header: &PlanHeader, connections: &Connections) -> Result<(), CommandError> {
    for (name, sealed) in &header.targets {
        let Some(connection) = connections.get(name) else {
            return Err(CommandError::new(
                Exit::PlanUnusable,
                format!("no policy uses the plan's target `{name}` any more"),
            )
            .with_help("declare the target again, with a policy that uses it"));
        };
        let found = &connection.identity().organization_id;
        if *found != sealed.identity.organization_id {
            return Err(CommandError::new(
                Exit::PlanUnusable,
                format!("target `{name}` is not the organization the plan was made for; nothing was sent"),
            )
            .with_note(format!("the plan was made for {}, the login is for {found}", sealed.identity.organization_id))
            .with_help("check the credentials of this environment, or make a plan for this organization"));
        }
    }
    Ok(())
}
