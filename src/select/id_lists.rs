//! The lists of ids that filters name: what is in them, and whether they can be used.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::sort_space::SortSpace;
use crate::base::{CommandError, Diagnostic, Exit, RecordId, SourceMap, TargetName, with_thousands};
use crate::filter::{Filter, IdFile};
use crate::manifest::{Workspace, codes};
use crate::plan::{IdList, Row};
use crate::store::{IdColumn, IdListError, ListMistakes, ListedIds, Place, SortedRows, read_id_list};
use crate::system::SystemKind;

/// The lists of a project, each as it was when the manifests were read. A list of the same file for another system is another list.
#[derive(Clone, Debug, Default)]
pub struct IdLists {
    read: BTreeMap<(SystemKind, String, Option<String>), Result<IdList, Diagnostic>>,
}

impl IdLists {
    /// Reads every list that a policy or a hold names.
    pub fn read(directory: &Place, workspace: &Workspace) -> Self {
        let mut lists = Self::default();
        for (file, system) in id_files(workspace) {
            lists.read.entry(key(file, system)).or_insert_with(|| {
                if lies_in_output(&file.path, workspace) {
                    let written = "lies in a directory that Sexton writes; move it elsewhere".to_owned();
                    return Err(diagnostic(file, IdListError::Form(written)));
                }
                let listed = read_id_list(&directory.join(&file.path), column(file, system, None), |_, _| Ok(()));
                let list = |listed: ListedIds| IdList { file: file.path.clone(), digest: listed.digest, ids: listed.count };
                listed.map(list).map_err(|error| diagnostic(file, error))
            });
        }
        lists
    }

    /// A list as it was read.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn get(&self, file: &IdFile, system: SystemKind) -> Result<&IdList, Diagnostic> {
        let unread = || Err(Diagnostic::error(codes::ID_LIST, "the list of ids was not read", file.span, "named here"));
        self.read.get(&key(file, system)).map_or_else(unread, |read| read.as_ref().map_err(Clone::clone))
    }

    /// What is wrong with those that a hold names: without them it is not known what must stay.
    pub fn mistakes_of_holds(&self, workspace: &Workspace) -> Vec<Diagnostic> {
        let files = workspace.holds.values().filter_map(|hold| id_file(&hold.filter, &hold.target, workspace));
        files.filter_map(|(file, system)| self.get(file, system).err()).collect()
    }

    /// What is wrong with any of them.
    pub fn mistakes(&self) -> Vec<Diagnostic> {
        self.read.values().filter_map(|read| read.as_ref().err().cloned()).collect()
    }

    /// How many ids the longest of them has.
    pub fn longest(&self) -> u64 {
        self.read.values().flatten().map(|list| list.ids).max().unwrap_or_default()
    }
}

/// Whether a path leads into the plan's directory or the store, which Sexton replaces and removes.
fn lies_in_output(path: &str, workspace: &Workspace) -> bool {
    let below = |path: &Path| -> PathBuf {
        let mut normal = PathBuf::new();
        for part in path.components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir if normal.pop() => {}
                part => normal.push(part),
            }
        }
        normal
    };
    let outputs = [&workspace.project.plan_directory, &workspace.project.store_directory];
    outputs.into_iter().any(|output| below(Path::new(path)).starts_with(below(output)))
}

/// The list that a filter names, with the system of its records.
pub(super) fn id_file<'a>(
    filter: &'a Filter,
    target: &TargetName,
    workspace: &Workspace,
) -> Option<(&'a IdFile, SystemKind)> {
    match filter {
        Filter::Ids(file) => Some((file, workspace.targets.get(target)?.system.kind())),
        Filter::Everything | Filter::Text(_) | Filter::Tree(_) => None,
    }
}

/// Every list that a policy or a hold names, with the system of its records.
fn id_files(workspace: &Workspace) -> impl Iterator<Item = (&IdFile, SystemKind)> {
    let of_policies = workspace.policies.values().map(|policy| (&policy.filter, &policy.settings.target));
    let of_holds = workspace.holds.values().map(|hold| (&hold.filter, &hold.target));
    of_policies.chain(of_holds).filter_map(|(filter, target)| id_file(filter, target, workspace))
}

fn key(file: &IdFile, system: SystemKind) -> (SystemKind, String, Option<String>) {
    (system, file.path.clone(), file.column.clone())
}

fn column<'a>(file: &'a IdFile, system: SystemKind, prefix: Option<&'a str>) -> IdColumn<'a> {
    IdColumn { name: file.column.as_deref(), system, prefix }
}

/// What is wrong with the lists of a project, also what only shows when all ids of a list are compared. What does not fit into memory goes
/// into a file without a name in `spill`, which exists.
pub fn mistakes_in_lists(directory: &Place, workspace: &Workspace, spill: &Place) -> Vec<Diagnostic> {
    let space = SortSpace::for_holds(spill, 1);
    let mut seen = Vec::new();
    let files = id_files(workspace).filter(|(file, system)| {
        let key = key(file, *system);
        let is_new = !seen.contains(&key);
        seen.push(key);
        is_new
    });
    let sorted = files.map(|(file, system)| (file, sorted(directory, file, column(file, system, None), &space)));
    sorted.filter_map(|(file, read)| Some(diagnostic(file, read.err()?))).collect()
}

/// The ids of a list by id, each with the number of its line. `prefix` is how every key of the object begins.
///
/// # Errors
///
/// When the file is no list of ids of that object, or is another one than when the manifests were read.
pub(super) fn sorted_ids(
    directory: &Place,
    file: &IdFile,
    (list, system, prefix): (&IdList, SystemKind, Option<&str>),
    space: &SortSpace,
    sources: &SourceMap,
) -> Result<SortedRows, CommandError> {
    let (rows, read) = sorted(directory, file, column(file, system, prefix), space)
        .map_err(|error| unusable(diagnostic(file, error), sources))?;
    if read != *list {
        return Err(CommandError::plain(format!("the list of ids `{}` was changed while it was read", file.path))
            .with_help("run the same command again once nobody writes to it"));
    }
    Ok(rows)
}

/// The error about a list that a command needs.
pub(super) fn unusable(diagnostic: Diagnostic, sources: &SourceMap) -> CommandError {
    let mut error = CommandError::new(Exit::Error, "a list of ids cannot be used");
    error.diagnostics = Some(Box::new((vec![diagnostic], sources.clone())));
    error
}

fn sorted(
    directory: &Place,
    file: &IdFile,
    column: IdColumn<'_>,
    space: &SortSpace,
) -> Result<(SortedRows, IdList), IdListError> {
    let mut sorter = space.sorter();
    let listed = read_id_list(&directory.join(&file.path), column, |id, line| {
        sorter.push(&Row { id, values: vec![line.to_string()] })
    })?;
    let rows = space.finish(sorter).map_err(IdListError::NotKept)?;
    let mut mistakes = ListMistakes::default();
    let line = |row: &Row| row.values.first().and_then(|line| line.parse::<u64>().ok()).unwrap_or_default();
    let mut first: Option<(RecordId, u64)> = None;
    for row in rows.repeated_rows() {
        let row = row.map_err(IdListError::NotKept)?;
        match first {
            Some((id, first)) if id == row.id => {
                let (first, second) = (first.min(line(&row)), first.max(line(&row)));
                mistakes.add(second, &format!("`{id}` is on line {} as well", with_thousands(first)));
            }
            _ => first = Some((row.id, line(&row))),
        }
    }
    mistakes.refuse()?;
    Ok((rows, IdList { file: file.path.clone(), digest: listed.digest, ids: listed.count }))
}

/// What is wrong with a list, at the place where a manifest names it.
fn diagnostic(file: &IdFile, error: IdListError) -> Diagnostic {
    let title = format!("the list of ids `{}` {error}", file.path);
    let finding = |label: &str, help: &str| Diagnostic::error(codes::ID_LIST, title, file.span, label).with_help(help);
    match error {
        IdListError::Unreadable(cause) => {
            let help = "paths are relative to the project's directory; a missing list would mean no record, or protect none";
            finding("named here", help).with_note(cause.to_string())
        }
        IdListError::NotAFile => {
            finding("named here", "name a plain file with one id a line, or a CSV file with a column of ids")
        }
        IdListError::Form(_) => finding(
            "named here",
            "a list has one id a line, or is a CSV file with a header; `column` names the column of the ids",
        ),
        IdListError::Mistakes(_, told) => told.into_iter().fold(
            finding("named here", "correct the lines, or take them out; nothing of a list is passed over"),
            Diagnostic::with_note,
        ),
        IdListError::NotKept(cause) => {
            finding("named here", "check that there is free space on the disk").with_note(cause.to_string())
        }
    }
}
