//! A project on disk: its manifests, and where its plan and its store lie.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Zoned;

use super::Context;
use super::id_lists::{IdLists, id_file};
use super::output_directories::output_directories;
use crate::base::Digest;
use crate::base::{CommandError, Exit, SourceMap};
use crate::manifest::{self, Document, DocumentKind, Reading, Sifted, Workspace};
use crate::plan::{IdList, SealedDocument, SealedManifests};
use crate::store::{DirectoryStore, Place, StateStore, manifest_files};

/// Reads every manifest of a project, and passes over files of other tools. A file that is named is taken for one with manifests.
pub fn read_manifests(directory: &Place) -> Reading {
    let Some(mut found) = manifest_files::find(directory) else {
        return manifest::read([manifest_files::read_named(directory)]);
    };
    let (hidden, bundles) = (std::mem::take(&mut found.hidden), std::mem::take(&mut found.bundles));
    let mut sifted = Sifted::new(found.read(), manifest_files::read_ignore_file(directory));
    let outputs = output_directories(directory, &sifted.project(), bundles);
    let unsearched = outputs.iter().filter(|output| hidden.iter().any(|name| output.path.starts_with(name)));
    sifted.leave_out(&outputs, unsearched.flat_map(|output| manifest_files::find_hidden(directory, &output.path)));
    sifted.add_hidden(hidden);
    sifted.read()
}

/// A project on disk, its manifests read and checked.
pub struct Project {
    /// The directory that holds the manifests.
    pub directory: Place,
    /// What they say.
    pub workspace: Workspace,
    /// The lists of ids that they name.
    pub lists: IdLists,
    /// Findings that stop nothing.
    pub warnings: Vec<crate::base::Diagnostic>,
    store: OnceLock<Arc<DirectoryStore>>,
}

impl Project {
    /// Reads and checks every manifest below a directory.
    pub fn load(directory: &Place) -> Result<Self, CommandError> {
        if directory.metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            let title = format!("there is no directory `{}`", directory.path().display());
            return Err(CommandError::plain(title).with_help(manifest::NO_DIRECTORY_HELP));
        }
        let reading = read_manifests(directory);
        let Some(workspace) = reading.workspace else {
            let count = reading.diagnostics.len();
            let mut error = CommandError::new(
                Exit::Error,
                format!(
                    "the manifests in {} have {}",
                    directory.path().display(),
                    crate::base::counted(count as u64, "mistake")
                ),
            );
            error.diagnostics = Some(Box::new((reading.diagnostics, reading.sources)));
            return Err(error);
        };
        let lists = IdLists::read(directory, &workspace);
        let mistakes = lists.mistakes_of_holds(&workspace);
        if !mistakes.is_empty() {
            // A run tells the title alone.
            let first = mistakes.first().map(|first| first.title.clone()).unwrap_or_default();
            let mut error = CommandError::new(Exit::Error, format!("it is not known what the holds are to keep: {first}"));
            error.diagnostics = Some(Box::new((mistakes, reading.sources)));
            return Err(error);
        }
        let (directory, warnings, store) = (directory.clone(), reading.diagnostics, OnceLock::new());
        Ok(Self { directory, workspace, lists, warnings, store })
    }

    /// How old a reading of the holds may be when something more is sent, counted from `now`.
    ///
    /// # Errors
    ///
    /// When `holdRefresh` ends outside the calendar.
    pub fn hold_refresh_from(&self, now: &Zoned) -> Result<Duration, CommandError> {
        let every = self.workspace.project.hold_refresh_from(now);
        every.map_err(|error| CommandError::plain("`holdRefresh` is too long").caused_by(&error))
    }

    /// Where plans go when the command names no other place.
    pub fn plan_directory(&self) -> Place {
        self.below(&self.workspace.project.plan_directory)
    }

    /// A path below the project. In the current directory it is shown as people type it, without `./`.
    fn below(&self, relative: &Path) -> Place {
        if self.directory.path() == Path::new(".") { self.directory.at(relative) } else { self.directory.join(relative) }
    }

    fn store_directory(&self) -> Place {
        self.below(&self.workspace.project.store_directory)
    }

    /// Where a command puts files that are of use only while it lasts.
    pub fn scratch_directory(&self) -> Place {
        self.store_directory().join("scratch")
    }

    /// The store: what outlives a command. The same one every time.
    pub fn store(&self, context: &Context) -> Arc<DirectoryStore> {
        let made = || {
            Arc::new(DirectoryStore::new(Arc::clone(&context.files), self.store_directory().path(), (context.fresh_id)()))
        };
        Arc::clone(self.store.get_or_init(made))
    }

    /// The state.
    pub fn state(&self, context: &Context) -> StateStore {
        StateStore::new(self.store(context), self.workspace.project.lineage.clone())
    }

    /// The texts of the manifests, and the lists of ids that they name.
    pub fn files(&self) -> (&SourceMap, &IdLists) {
        (&self.workspace.sources, &self.lists)
    }

    /// What a plan seals of the manifests.
    pub fn sealed_manifests(&self) -> SealedManifests {
        SealedManifests {
            project: self.workspace.project.binding_settings(),
            documents: self.sealed_documents(),
            changes: String::new(),
        }
    }

    /// The list that the filter of a document names; `None` also where it cannot be used.
    fn list_of(&self, document: &Document) -> Option<&IdList> {
        let workspace = &self.workspace;
        let (filter, target) = match document.kind {
            DocumentKind::Project | DocumentKind::Target => return None,
            DocumentKind::DeletionPolicy => {
                let policy = workspace.policies.values().find(|policy| policy.name.as_str() == document.name)?;
                (&policy.filter, &policy.settings.target)
            }
            DocumentKind::Hold => {
                let hold = workspace.holds.values().find(|hold| hold.name.as_str() == document.name)?;
                (&hold.filter, &hold.target)
            }
        };
        let (file, system) = id_file(filter, target, workspace)?;
        self.lists.get(file, system).ok()
    }

    /// Every document as a plan seals it.
    pub fn sealed_documents(&self) -> Vec<SealedDocument> {
        let workspace = &self.workspace;
        let seal = |document: &Document| {
            let text = workspace.text_of(document);
            SealedDocument {
                kind: document.kind,
                name: document.name.clone(),
                file: workspace.file_of(document).to_owned(),
                digest: Digest::of(text.as_bytes()),
                text,
                list: self.list_of(document).cloned(),
            }
        };
        workspace.documents.iter().map(seal).collect()
    }
}

/// Where the plans of a project go when a command names no other place.
pub fn plan_directory(project: &Place) -> Result<Place, CommandError> {
    Ok(Project::load(project)?.plan_directory())
}
