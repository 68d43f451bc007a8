//! `sexton state list`.

use clap::Args;

use super::recorded::recorded_state;
use crate::base::{CommandError, Exit};
use crate::command::{Shell, Verb};
use crate::report::StateListView;

/// List the policies, one line each
#[derive(Clone, Copy, Debug, Args)]
pub struct StateList;

impl Verb for StateList {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let state = recorded_state(&shell.context()?, shell.project()).await?;
        shell.show(&StateListView(&state))?;
        if state.policies.is_empty() {
            shell.note("no policy has been applied yet");
        }
        Ok(Exit::Done)
    }
}
