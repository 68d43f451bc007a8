//! Writing a bundle.

#![expect(clippy::disallowed_methods, reason = "an adapter: files are its business")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::bundle::{PLAN_FILE, RECORDS_DIRECTORY, SUMS_FILE, check_names, sums};
use super::{BundleError, FileError, RecordsWriter, StagedDirectory, sync_directory};
use crate::base::{Digest, PolicyName};
use crate::plan::PlanHeader;

/// Above this many rows a records file is compressed: a smaller one can be read in a pull request.
const COMPRESS_ABOVE: u64 = 20_000;

/// The directory of what is needed only while the bundle is written. It never goes into place with it.
const SCRATCH_DIRECTORY: &str = "scratch";

/// Writes a bundle beside the place it is for, and puts it there as a whole.
///
/// Dropped before it is sealed it leaves everything as it was.
#[must_use = "a bundle is in place only after `seal`"]
pub struct BundleWriter {
    staged: StagedDirectory,
}

impl BundleWriter {
    /// Begins a bundle for `directory`, which may hold an older bundle, or nothing.
    ///
    /// # Errors
    ///
    /// [`BundleError::InTheWay`] when the directory holds anything that is no part of a bundle, since that would be
    /// lost.
    pub fn create(directory: &Path) -> Result<Self, BundleError> {
        let staged = StagedDirectory::create(directory)?;
        refuse_foreign(directory)?;
        let records = staged.path().join(RECORDS_DIRECTORY);
        let scratch = staged.path().join(SCRATCH_DIRECTORY);
        for made in [records, scratch] {
            fs::create_dir(&made).map_err(FileError::at("make", &made))?;
        }
        Ok(Self { staged })
    }

    /// Begins the records file of one policy. `columns` name the rows' values. `expected` is about how many rows will
    /// come, which decides whether the file is compressed and nothing else.
    ///
    /// # Errors
    ///
    /// When the file cannot be made, for one because the policy has one already.
    pub fn records(&self, policy: &PolicyName, columns: &[String], expected: u64) -> Result<RecordsWriter, BundleError> {
        let ending = if expected > COMPRESS_ABOVE { "csv.gz" } else { "csv" };
        RecordsWriter::create(self.staged.path(), format!("{RECORDS_DIRECTORY}/{policy}.{ending}"), columns)
    }

    /// Where temporary files may be made while the bundle is written: on its file system, and gone when it is sealed.
    pub fn scratch(&self) -> PathBuf {
        self.staged.path().join(SCRATCH_DIRECTORY)
    }

    /// Writes the header and the list of digests, and puts the bundle in place. Gives the plan's name.
    ///
    /// # Errors
    ///
    /// When the header does not name exactly the records files that were written, or something cannot be written; what
    /// stood in the place before is then still there.
    pub fn seal(self, header: &PlanHeader) -> Result<Digest, BundleError> {
        let scratch = self.scratch();
        fs::remove_dir_all(&scratch).map_err(FileError::at("remove", &scratch))?;
        let staging = self.staged.path();
        let records = staging.join(RECORDS_DIRECTORY);
        check_names(staging, header)?;
        for policy in &header.policies {
            let file = &policy.records.path;
            if !staging.join(file).is_file() {
                return Err(BundleError::FileMissing { file: file.clone() });
            }
        }
        let bytes = header
            .to_bytes()
            .map_err(|error| BundleError::Malformed { file: PLAN_FILE.into(), cause: error.to_string() })?;
        let digest = Digest::of(&bytes);
        write_durably(&staging.join(PLAN_FILE), &bytes)?;
        write_durably(&staging.join(SUMS_FILE), sums(digest, header).as_bytes())?;
        sync_directory(&records)?;
        self.staged.put_in_place()?;
        Ok(digest)
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    fs::write(path, bytes)
        .and_then(|()| fs::OpenOptions::new().write(true).open(path)?.sync_all())
        .map_err(FileError::at("write", path))
}

fn names_in(directory: &Path) -> Result<Vec<String>, FileError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(FileError::at("list", directory))?,
    };
    entries
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()
        .map_err(FileError::at("list", directory))
}

/// A directory that is replaced is removed with all it holds, so it may hold nothing but a bundle.
fn refuse_foreign(directory: &Path) -> Result<(), BundleError> {
    let refuse = |found: String| Err(BundleError::InTheWay { directory: directory.to_owned(), found });
    for name in names_in(directory)? {
        if ![PLAN_FILE, SUMS_FILE, RECORDS_DIRECTORY].contains(&name.as_str()) {
            return refuse(name);
        }
    }
    for name in names_in(&directory.join(RECORDS_DIRECTORY))? {
        if !name.ends_with(".csv") && !name.ends_with(".csv.gz") {
            return refuse(format!("{RECORDS_DIRECTORY}/{name}"));
        }
    }
    Ok(())
}
