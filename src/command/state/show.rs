//! `sexton state show`.

use clap::Args;

use super::recorded::recorded_state;
use crate::base::{CommandError, Exit, PolicyName};
use crate::command::{Shell, Verb};
use crate::report::StateView;

/// Show everything, or one policy
#[derive(Clone, Debug, Args)]
pub struct StateShow {
    /// The policy
    #[arg(value_parser = |text: &str| PolicyName::new(text))]
    policy: Option<PolicyName>,
}

impl Verb for StateShow {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let state = recorded_state(&shell.context()?, shell.project()).await?;
        let only = self.policy.as_ref();
        if let Some(name) = only.filter(|name| !shell.is_json() && !state.policies.contains_key(*name)) {
            return Err(CommandError::plain(format!("the state knows no policy `{name}`"))
                .with_help("`sexton state list` names those it knows"));
        }
        shell.show(&StateView { state: &state, only })?;
        Ok(Exit::Done)
    }
}
