//! A project on disk: its manifests, and where its plan, state and runs lie.

use std::path::{Path, PathBuf};

use crate::base::Digest;
use crate::base::{CommandError, Exit};
use crate::manifest::{self, Reading, Workspace};
use crate::plan::{SealedFile, SealedManifests};
use crate::store::{StateStore, manifest_files};

/// Reads every manifest of a project. Directories that sexton itself writes are passed over.
pub fn read_manifests(directory: &Path) -> Reading {
    manifest::read(manifest_files::read(directory, &[Path::new("plan"), Path::new("runs")]))
}

/// A project on disk, its manifests read and checked.
pub struct Project {
    /// The directory that holds the manifests.
    pub directory: PathBuf,
    /// What they say.
    pub workspace: Workspace,
    /// Findings that stop nothing.
    pub warnings: Vec<crate::base::Diagnostic>,
}

impl Project {
    /// Reads and checks every manifest below a directory.
    pub fn load(directory: &Path) -> Result<Self, CommandError> {
        let reading = read_manifests(directory);
        let Some(workspace) = reading.workspace else {
            let count = reading.diagnostics.len();
            let mut error = CommandError::new(
                Exit::Error,
                format!("the manifests in {} have {}", directory.display(), crate::base::counted(count as u64, "mistake")),
            );
            error.diagnostics = Some(Box::new((reading.diagnostics, reading.sources)));
            return Err(error);
        };
        Ok(Self { directory: directory.to_owned(), workspace, warnings: reading.diagnostics })
    }

    /// Where plans go when the command names no other place.
    pub fn plan_directory(&self) -> PathBuf {
        self.below(&self.workspace.project.plan_directory)
    }

    /// Where runs leave their evidence.
    pub fn runs_directory(&self) -> PathBuf {
        self.below(&self.workspace.project.runs_directory)
    }

    /// A path below the project. In the current directory it is shown as people type it, without `./`.
    fn below(&self, relative: &Path) -> PathBuf {
        if self.directory == Path::new(".") { relative.to_owned() } else { self.directory.join(relative) }
    }

    /// The state.
    pub fn state(&self) -> StateStore {
        StateStore::new(self.directory.join(&self.workspace.project.state_file))
    }

    /// What a plan seals of the manifests.
    pub fn sealed_manifests(&self) -> SealedManifests {
        let files = self
            .workspace
            .sources
            .iter()
            .map(|(_, source)| SealedFile {
                path: source.name.clone(),
                digest: Digest::of(source.text.as_bytes()),
                text: source.text.clone(),
            })
            .collect();
        SealedManifests { digest: self.workspace.binding_digest(), files }
    }
}

/// Where the plans of a project go when a command names no other place.
pub fn plan_directory(project: &Path) -> Result<PathBuf, CommandError> {
    Ok(Project::load(project)?.plan_directory())
}
