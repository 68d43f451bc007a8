//! `sexton state rm`.

use clap::Args;

use crate::base::{CommandError, Exit, PolicyName};
use crate::command::{Shell, Verb};
use crate::select::Project;

/// Forget the history of a policy that is no longer declared
#[derive(Clone, Debug, Args)]
pub struct StateRemove {
    /// The policy
    #[arg(value_parser = |text: &str| PolicyName::new(text))]
    policy: PolicyName,
}

impl Verb for StateRemove {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let context = shell.context()?;
        let project = Project::load(&shell.place(shell.project()))?;
        let name = &self.policy;
        if project.workspace.policies.contains_key(name) {
            return Err(CommandError::plain(format!("policy `{name}` is still declared; its history was left as it is"))
                .with_help(
                    "the history feeds gates and the next plan's comparison; remove the policy from the manifests first",
                ));
        }
        let store = project.state(&context);
        let mut locked = store.lock(&context.lock_info("state rm")).await?;
        let mut state = locked.load().await?.ok_or_else(|| CommandError::plain("there is no state yet"))?;
        if state.policies.remove(name).is_none() {
            return Err(CommandError::plain(format!("the state knows no policy `{name}`")));
        }
        locked.save(&mut state).await?;
        shell.done(&format!("forgot the history of policy {name}"));
        Ok(Exit::Done)
    }
}
