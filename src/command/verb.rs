//! What every verb is.

use super::Shell;
use crate::base::{CommandError, Exit};

/// The form of a verb's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Events with `--json`, text without.
    AsAsked,
    /// Events, whatever the command line says.
    Events,
    /// One text that is not made of events, whatever the command line says.
    Text,
}

/// One verb: its arguments are the value, [`Verb::run`] is its steps.
pub trait Verb: clap::Args {
    /// The form of its output.
    fn form(&self) -> Form {
        Form::AsAsked
    }

    /// Does it, and gives the exit code.
    ///
    /// # Errors
    ///
    /// Why it was not done, for the one who typed it, with the exit code of its own.
    fn run(&self, shell: &dyn Shell) -> impl Future<Output = Result<Exit, CommandError>>;
}

/// A choice of verbs, one row each: what is typed (in kebab case), and the arguments' type.
macro_rules! verbs {
    ($(#[$attribute:meta])* $choice:ident { $($(#[cfg($condition:meta)])? $name:ident($verb:ty),)+ }) => {
        $(#[$attribute])*
        #[derive(Debug, clap::Subcommand)]
        pub(crate) enum $choice { $($(#[cfg($condition)])? $name($verb),)+ }

        impl $choice {
            /// The form of the chosen verb's output.
            pub(crate) fn form(&self) -> $crate::command::Form {
                match self { $($(#[cfg($condition)])? Self::$name(verb) => $crate::command::Verb::form(verb),)+ }
            }

            /// Runs the chosen verb.
            pub(crate) async fn run(
                &self,
                shell: &dyn $crate::command::Shell,
            ) -> Result<$crate::base::Exit, $crate::base::CommandError> {
                match self { $($(#[cfg($condition)])? Self::$name(verb) => $crate::command::Verb::run(verb, shell).await,)+ }
            }
        }
    };
}
pub(crate) use verbs;
