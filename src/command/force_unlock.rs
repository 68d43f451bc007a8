//! `sexton force-unlock`.

use clap::Args;

use super::{Shell, Verb};
use crate::base::{CommandError, Exit};
use crate::select::Project;
use crate::store::Unlocked;

/// Clear what a dead process left in the lock file
///
/// A live process keeps its lock and is named.
#[derive(Clone, Debug, Args)]
pub struct ForceUnlock {
    /// The lock's id, as the refused command printed it
    id: String,
}

impl Verb for ForceUnlock {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let store = Project::load(&shell.place(shell.project()))?.store(&shell.context()?);
        let told = match store.force_unlock(&self.id).await? {
            Unlocked::NotLocked => "no process holds the lock, and nothing was left in it".to_owned(),
            Unlocked::Cleared(info) => {
                format!("cleared what `sexton {}` of {} left in the lock; no process holds it now", info.operation, info.who)
            }
            Unlocked::OtherHolder(found) => {
                return Err(CommandError::plain(format!(
                    "the id of the lock is not `{}` but `{}`: use that one",
                    self.id, found.id
                )));
            }
        };
        shell.done(&told);
        Ok(Exit::Done)
    }
}
