//! The state as it was recorded, and the runs that it does not know.

use std::path::Path;

use crate::base::CommandError;
use crate::command::run::with_unknown_runs;
use crate::select::{Context, Project};
use crate::state::State;

/// The state of a project.
///
/// # Errors
///
/// When there is none, because no plan was ever made, or it cannot be read.
pub async fn recorded_state(context: &Context, project: &Path) -> Result<State, CommandError> {
    let project = Project::load(&context.place(project))?;
    let none = || CommandError::plain("there is no state yet").with_help("the first `sexton plan` creates it");
    let state = project.state(context).load().await?.ok_or_else(none)?;
    with_unknown_runs(context, &project, state).await
}
