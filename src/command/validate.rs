//! `sexton validate`.

use clap::Args;

use super::{Shell, Verb};
use crate::base::{CommandError, Diagnostic, Exit, Severity, counted};
use crate::manifest::Workspace;
use crate::report::{FilesView, ValidationView};
use crate::select::{IdLists, Project, mistakes_in_lists, read_manifests};
use crate::store::RunScratch;

/// As many ids, with their lines, are compared without a file.
const MOST_IN_MEMORY: u64 = 100_000;

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
        let mut diagnostics = reading.diagnostics.clone();
        let mistakes = reading.workspace.as_ref().map(|workspace| list_mistakes(shell, workspace)).transpose()?;
        diagnostics.extend(mistakes.unwrap_or_default());
        shell.tell(&ValidationView { diagnostics: &diagnostics, sources: &reading.sources });
        let files = FilesView { reading: &reading, listed: self.files };
        if self.files {
            shell.show(&files)?;
        }
        let Some(workspace) = &reading.workspace else { return Ok(Exit::Error) };
        if diagnostics.iter().any(|finding| finding.severity == Severity::Error) {
            return Ok(Exit::Error);
        }
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

/// What is wrong with the lists of ids that the manifests name. Only where one of them does not fit into memory is anything written: a file
/// without a name, below the store.
fn list_mistakes(shell: &dyn Shell, workspace: &Workspace) -> Result<Vec<Diagnostic>, CommandError> {
    let directory = shell.place(shell.project());
    let lists = IdLists::read(&directory, workspace);
    let mistakes = lists.mistakes();
    if !mistakes.is_empty() {
        return Ok(mistakes);
    }
    if lists.longest() <= MOST_IN_MEMORY {
        return Ok(mistakes_in_lists(&directory, workspace, &directory));
    }
    let project = Project::load(&directory)?;
    let scratch = RunScratch::new(&project.scratch_directory(), &(shell.context()?.fresh_id)())?;
    Ok(mistakes_in_lists(&directory, workspace, scratch.place()))
}
