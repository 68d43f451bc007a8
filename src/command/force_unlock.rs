//! `sexton force-unlock`.

use clap::Args;

use super::{Shell, Verb};
use crate::base::{CommandError, Exit};
use crate::select::Project;
use crate::store::Unlocked;

/// Clear what a dead process left in the lock file
///
/// A living holder keeps its lock and is named.
#[derive(Clone, Debug, Args)]
pub struct ForceUnlock {
    /// The lock's id, as the refused command printed it
    id: String,
}

impl Verb for ForceUnlock {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let told = match Project::load(shell.project())?.state().force_unlock(&self.id)? {
            Unlocked::NotLocked => "nobody holds the lock, and nothing was left in it".to_owned(),
            Unlocked::Cleared(info) => {
                format!("cleared what `sexton {}` of {} left in the lock; nobody holds it now", info.operation, info.who)
            }
        };
        shell.done(&told);
        Ok(Exit::Done)
    }
}
