//! What may be typed after `sexton state`.

use clap::Args;

use super::{abandon, list, prune, remove, show};
use crate::base::{CommandError, Exit};
use crate::command::{Form, Shell, Verb, verbs};

/// Look at what was done, or remove what is no longer needed
#[derive(Debug, Args)]
pub struct State {
    #[command(subcommand)]
    verb: StateVerbs,
}

verbs! {
    /// The verbs, in the order in which help names them.
    StateVerbs {
        List(list::StateList),
        Show(show::StateShow),
        Rm(remove::StateRemove),
        Prune(prune::StatePrune),
        Abandon(abandon::StateAbandon),
    }
}

impl Verb for State {
    fn form(&self) -> Form {
        self.verb.form()
    }

    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        self.verb.run(shell).await
    }
}
