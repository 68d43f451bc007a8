//! `sexton state` and `sexton force-unlock`: look at or tidy what sexton knows it has done.

use std::path::Path;

use crate::base::CommandError;
use crate::base::PolicyName;
use crate::select::{Context, Project};
use crate::state::State;
use crate::store::Unlocked;

/// The state of a project; an error where no plan was ever made.
pub async fn state(host: &Context, directory: &Path) -> Result<State, CommandError> {
    let state = Project::load(directory)?.state(host).load().await?;
    state.ok_or_else(|| CommandError::plain("there is no state yet").with_help("the first `sexton plan` makes it"))
}

/// Forgets the history of a policy that no manifest declares any more.
pub async fn state_remove(host: &Context, directory: &Path, policy: &str) -> Result<(), CommandError> {
    let project = Project::load(directory)?;
    let name = PolicyName::new(policy).map_err(|error| CommandError::plain(error.to_string()))?;
    if project.workspace.policies.contains_key(&name) {
        return Err(CommandError::plain(format!("policy `{name}` is still declared; its history was left as it is"))
            .with_help(
                "the history feeds gates and the next plan's comparison; take the policy out of the manifests first",
            ));
    }
    let store = project.state(host);
    let mut locked = store.lock(&host.lock_info("state rm")).await?;
    let mut state = locked.load().await?.ok_or_else(|| CommandError::plain("there is no state yet"))?;
    if state.policies.remove(&name).is_none() {
        return Err(CommandError::plain(format!("the state knows no policy `{name}`")));
    }
    locked.save(&mut state).await?;
    Ok(())
}

/// Clears what a dead process left in the lock. A living holder keeps its lock and is named in the error.
pub async fn force_unlock(host: &Context, directory: &Path, id: &str) -> Result<String, CommandError> {
    let told = match Project::load(directory)?.store(host).force_unlock(id).await? {
        Unlocked::NotLocked => "nobody holds the lock, and nothing was left in it".to_owned(),
        Unlocked::Cleared(info) => {
            format!("cleared what `sexton {}` of {} left in the lock; nobody holds it", info.operation, info.who)
        }
        Unlocked::OtherHolder(found) => {
            return Err(CommandError::plain(format!(
                "the last holder of the lock was not `{id}` but `{}`: name that one",
                found.id
            )));
        }
    };
    Ok(told)
}
