//! The state as it was recorded.

use std::path::Path;

use crate::base::CommandError;
use crate::select::{Context, Project};
use crate::state::State;

/// The state of a project.
///
/// # Errors
///
/// When there is none, because no plan was ever made, or it cannot be read.
pub async fn recorded_state(context: &Context, project: &Path) -> Result<State, CommandError> {
    let state = Project::load(&context.place(project))?.state(context).load().await?;
    state.ok_or_else(|| CommandError::plain("there is no state yet").with_help("the first `sexton plan` creates it"))
}
