//! `sexton validate`.

use clap::Args;

use super::{Shell, Verb};
use crate::base::{CommandError, Exit, counted};
use crate::report::{FilesView, ValidationView};
use crate::select::read_manifests;

/// Check the manifests, offline
#[derive(Clone, Copy, Debug, Args)]
pub struct Validate {
    /// Name every file that was read, and every one that was passed over
    #[arg(long)]
    files: bool,
}

impl Verb for Validate {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let reading = read_manifests(&shell.place(shell.project()));
        shell.tell(&ValidationView { diagnostics: &reading.diagnostics, sources: &reading.sources });
        let files = FilesView { reading: &reading, listed: self.files };
        if self.files {
            shell.show(&files)?;
        }
        let Some(workspace) = &reading.workspace else { return Ok(Exit::Error) };
        shell.note(&format!(
            "valid: {}, {}, {}",
            counted(workspace.targets.len() as u64, "target"),
            counted(workspace.policies.len() as u64, "policy"),
            counted(workspace.holds.len() as u64, "hold"),
        ));
        if !self.files {
            shell.tell(&files);
        }
        Ok(Exit::Done)
    }
}
