//! The bundle that a git revision has.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::bundle::{PLAN_FILE, RECORDS_DIRECTORY, SUMS_FILE};
use super::{FileError, FileKind, Git, OpenMode, Place, make_directory, read_text};
use crate::plan::PlanHeader;

/// Why a revision cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// No revision is called that.
    #[error("`{0}` cannot be the name of a git revision")]
    Name(String),
    /// The name of the directory cannot be handed to git.
    #[error("`{}` cannot be looked for in a git revision", .0.display())]
    Directory(PathBuf),
    /// Git does not know it.
    #[error("git knows no revision `{revision}` here: {told}")]
    Unknown {
        /// The revision.
        revision: String,
        /// What git says.
        told: String,
    },
    /// Git cannot read something that it has.
    #[error("git could not read `{file}` of the revision: {told}")]
    Unreadable {
        /// The file in the bundle.
        file: String,
        /// What git says.
        told: String,
    },
    /// The command cannot be run, or what it prints not be kept.
    #[error("the `git` command could not be used")]
    Command(#[source] io::Error),
    /// A file cannot be written or read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A bundle directory in a git repository, at one revision.
pub struct RevisionBundle<'a> {
    git: &'a dyn Git,
    /// A directory in the working tree.
    directory: PathBuf,
    /// The bundle's directory below it, with `/` at its end where it is not the same.
    below: String,
    commit: String,
}

impl<'a> RevisionBundle<'a> {
    /// The directory `bundle`, which need not be in the working tree, at a revision.
    ///
    /// # Errors
    ///
    /// When there is no such revision.
    pub async fn find(git: &'a dyn Git, bundle: &Place, revision: &str) -> Result<Self, RevisionError> {
        // An option is no revision, and what follows a colon is a path.
        let odd = |character: char| character.is_control() || character.is_whitespace() || character == ':';
        if revision.is_empty() || revision.starts_with('-') || revision.contains(odd) {
            return Err(RevisionError::Name(revision.to_owned()));
        }
        let (directory, below) = split(bundle).ok_or_else(|| RevisionError::Directory(bundle.path().to_owned()))?;
        let mut found = Self { git, directory, below, commit: String::new() };
        let (commit, told) = found.ask(&["rev-parse", "--verify", &format!("{revision}^{{commit}}")]).await?;
        found.commit = commit.ok_or(RevisionError::Unknown { revision: revision.to_owned(), told })?;
        Ok(found)
    }

    /// The commit that the revision is.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// Writes the bundle of that revision into a directory; `false` where it has none. Nothing is proven yet: opening it does that.
    ///
    /// # Errors
    ///
    /// When git cannot read it, or it cannot be written.
    pub async fn fetch(&self, into: &Place) -> Result<bool, RevisionError> {
        make_directory(&into.join(RECORDS_DIRECTORY))?;
        if !self.fetch_file(PLAN_FILE, into).await? {
            return Ok(false);
        }
        self.fetch_file(SUMS_FILE, into).await?;
        let plan = read_text(&into.join(PLAN_FILE))?;
        // What cannot be read, the opening of the bundle reports.
        let policies = PlanHeader::from_bytes(plan.as_bytes()).map(|header| header.policies).unwrap_or_default();
        for planned in &policies {
            let own = format!("{RECORDS_DIRECTORY}/{}.csv", planned.policy);
            // A header cannot make it write anywhere else.
            if planned.records.path.strip_suffix(".gz").unwrap_or(&planned.records.path) == own {
                self.fetch_file(&planned.records.path, into).await?;
            }
        }
        Ok(true)
    }

    async fn fetch_file(&self, file: &str, into: &Place) -> Result<bool, RevisionError> {
        let name = format!("{}:./{}{file}", self.commit, self.below);
        let (Some(object), _) = self.ask(&["rev-parse", "--verify", "--quiet", &name]).await? else { return Ok(false) };
        let place = into.join(file);
        let target = place.open(OpenMode::CreateNew).map_err(FileError::at("write", place.path()))?;
        let mut length = 0;
        let mut take = |bytes: &[u8]| {
            target.write_all_at(bytes, length)?;
            length += bytes.len() as u64;
            Ok(())
        };
        let end = self.git.run(&self.directory, &["cat-file", "blob", &object], &mut take).await;
        let end = end.map_err(RevisionError::Command)?;
        if end.succeeded { Ok(true) } else { Err(RevisionError::Unreadable { file: file.to_owned(), told: end.told }) }
    }

    /// The name of the one object that git answers with, and what else it said; `None` where it says no.
    async fn ask(&self, arguments: &[&str]) -> Result<(Option<String>, String), RevisionError> {
        let mut printed = Vec::new();
        let mut take = |bytes: &[u8]| {
            printed.extend_from_slice(bytes);
            if printed.len() > 1_000 { Err(io::ErrorKind::InvalidData.into()) } else { Ok(()) }
        };
        let end = self.git.run(&self.directory, arguments, &mut take).await.map_err(RevisionError::Command)?;
        let object = String::from_utf8_lossy(&printed).trim().to_owned();
        let is_object = object.len() >= 40 && object.bytes().all(|byte| byte.is_ascii_hexdigit());
        Ok((Some(object).filter(|_| end.succeeded && is_object), end.told))
    }
}

/// The innermost directory that is there, and the way from it to the place; `None` where that way cannot be told to git.
fn split(bundle: &Place) -> Option<(PathBuf, String)> {
    let mut below = String::new();
    let mut directory = bundle.clone();
    while !directory.resolved_metadata().is_ok_and(|metadata| metadata.kind == FileKind::Directory) {
        let name = match directory.path().components().next_back()? {
            Component::Normal(name) => name.to_str()?,
            _ => return None,
        };
        below = format!("{name}/{below}");
        directory = directory.parent();
    }
    let path = directory.path();
    Some((if path.as_os_str().is_empty() { Path::new(".").to_owned() } else { path.to_owned() }, below))
}
