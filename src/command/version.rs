//! `sexton version`.

use clap::Args;

use super::{Shell, Verb};
use crate::base::{CommandError, Exit};
use crate::report::Note;

/// Print the version
#[derive(Clone, Copy, Debug, Args)]
pub struct Version;

impl Verb for Version {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        // For machines it is the line that every stream begins with.
        shell.show(&Note(concat!("sexton ", env!("CARGO_PKG_VERSION"))))?;
        Ok(Exit::Done)
    }
}
