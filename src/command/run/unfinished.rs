//! The run that is unfinished, for those who are about to do something else.

use std::path::Path;

use super::unknown_runs::whole_state;
use crate::base::{CommandError, Digest, with_thousands};
use crate::execute::{ExecuteError, Replay, machine_settings};
use crate::select::{Context, Project};
use crate::state::State;
use crate::store::{RunStore, kept_header};

/// A run that has begun and is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedRun {
    /// Its plan.
    pub plan: Digest,
    /// How many records it is known to have deleted, of how many planned; `None` where the store cannot tell.
    pub deleted: Option<(u64, u64)>,
}

impl UnfinishedRun {
    /// A note about it for people.
    pub fn note(&self) -> String {
        let plan = self.plan.short();
        let deleted = match self.deleted {
            Some((deleted, planned)) => {
                format!("it has deleted {} of {} records", with_thousands(deleted), with_thousands(planned))
            }
            None => "how many records it has deleted cannot be read from the store".to_owned(),
        };
        format!(
            "the run of the plan {plan} is unfinished; {deleted}. Finish it with `sexton apply --continue`, or abandon it with \
             `sexton state abandon {plan}`: until then no other plan can be applied"
        )
    }
}

/// The unfinished run of the project in a directory, if there is one.
///
/// # Errors
///
/// When the manifests or the state cannot be read.
pub async fn unfinished_run(context: &Context, project: &Path) -> Result<Option<UnfinishedRun>, CommandError> {
    let project = Project::load(&context.place(project))?;
    let Some(state) = project.state(context).load().await? else { return Ok(None) };
    // The verb that goes on from here tells of it.
    let (state, _) = whole_state(context, &project, state).await?;
    Ok(unfinished_run_of(context, &project, &state).await)
}

/// The same, of a state that was read already.
pub async fn unfinished_run_of(context: &Context, project: &Project, state: &State) -> Option<UnfinishedRun> {
    let consumed = state.unfinished().next()?;
    Some(describe(context, project, consumed.plan).await)
}

async fn describe(context: &Context, project: &Project, plan: Digest) -> UnfinishedRun {
    let run = RunStore::new(project.store(context), plan);
    UnfinishedRun { plan, deleted: deleted(&run).await.ok().flatten() }
}

async fn deleted(run: &RunStore) -> Result<Option<(u64, u64)>, ExecuteError> {
    let Some(header) = kept_header(run).await? else { return Ok(None) };
    let policies =
        header.policies.iter().filter_map(|planned| Some((planned.policy.clone(), machine_settings(planned, 0)?)));
    let replay = Replay::read(run, policies).await?;
    if replay.end.is_empty() {
        // A run that was begun has a journal: this one was lost, and says nothing.
        return Ok(None);
    }
    let deleted = replay.policies.values().map(|policy| policy.machine.status().tally.deleted).sum();
    Ok(Some((deleted, header.selected())))
}
