//! `sexton completions`.

use clap::Args;

use super::{Form, Shell, Verb};
use crate::base::{CommandError, Exit};
use crate::report::PlainText;

/// Print a shell completion script
#[derive(Clone, Copy, Debug, Args)]
pub struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

impl Verb for Completions {
    fn form(&self) -> Form {
        Form::Text
    }

    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut shell.grammar(), "sexton", &mut script);
        shell.show(&PlainText(&String::from_utf8_lossy(&script)))?;
        Ok(Exit::Done)
    }
}
