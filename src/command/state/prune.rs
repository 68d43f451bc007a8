//! `sexton state prune`.

use std::sync::Arc;

use clap::Args;

use crate::base::{Age, CommandError, Exit, counted};
use crate::command::{Shell, Verb};
use crate::select::Project;
use crate::store::{Backend, RunStore};

/// Remove what is kept of runs that ended long ago
///
/// Their journals, bundles and outcomes go. The outcomes are the evidence of what was deleted: archive them first. The state
/// keeps the history of each policy and which plans were used. An unfinished run is never removed.
#[derive(Clone, Debug, Args)]
pub struct StatePrune {
    /// Remove runs that ended at least this long ago, as in `90 days`
    #[arg(long, value_name = "AGE")]
    older_than: Age,
}

impl Verb for StatePrune {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let context = shell.context()?;
        let project = Project::load(&shell.place(shell.project()))?;
        let now = context.clock.now().to_zoned(project.workspace.project.time_zone.clone());
        let before = self.older_than.before(&now).map_err(|error| CommandError::plain(error.to_string()))?;
        let mut locked = project.state(&context).lock(&context.lock_info("state prune")).await?;
        let state = locked.load().await?.ok_or_else(|| CommandError::plain("there is no state yet"))?;
        let ended =
            state.consumed.iter().filter(|plan| plan.finished.is_some_and(|finished| finished <= before.timestamp()));
        let mut removed = 0;
        for consumed in ended {
            let run = RunStore::new(project.store(&context) as Arc<dyn Backend>, consumed.plan);
            let (of_run, of_bundle) = (run.remove().await?, run.remove_bundle().await?);
            removed += u64::from(of_run || of_bundle);
        }
        shell.done(&format!(
            "removed {} that ended before {}",
            counted(removed, "run"),
            before.strftime("%Y-%m-%d %H:%M %Z")
        ));
        Ok(Exit::Done)
    }
}
