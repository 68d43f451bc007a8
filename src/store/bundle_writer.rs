//! Writing a bundle.

use std::io;

use super::atomic::write_durably;
use super::bundle::{PLAN_FILE, RECORDS_DIRECTORY, SUMS_FILE, check_names, kind_of, refuse_file, sums};
use super::{
    BundleError, FileError, FileKind, Place, RecordsReader, RecordsWriter, StagedDirectory, make_directory,
    repair_replacement,
};
use crate::base::{Digest, PolicyName};
use crate::plan::{PlanHeader, RecordsSeal};

/// Above this many rows a records file is compressed: a smaller one can be read in a pull request.
const COMPRESS_ABOVE: u64 = 20_000;

/// Writes a bundle beside the place it is for, and puts it there as a whole.
///
/// Dropped before it is sealed it leaves everything as it was.
#[must_use = "a bundle is in place only after `seal`"]
pub struct BundleWriter {
    staged: StagedDirectory,
}

impl BundleWriter {
    /// Begins a bundle for `directory`, which may hold an older bundle, or nothing. No other process has the same `tag`.
    ///
    /// # Errors
    ///
    /// [`BundleError::InTheWay`] when the directory holds anything that is no part of a bundle, since that would be
    /// lost.
    pub fn create(directory: &Place, tag: &str) -> Result<Self, BundleError> {
        refuse_file(directory)?;
        repair_replacement(directory)?;
        // Before anything is made beside it, which may be in it.
        refuse_foreign(directory)?;
        let staged = StagedDirectory::create(directory, tag)?;
        let records = staged.contents().join(RECORDS_DIRECTORY);
        records.files().create_directory(records.path()).map_err(FileError::at("make", records.path()))?;
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
        RecordsWriter::create(self.staged.contents(), format!("{RECORDS_DIRECTORY}/{policy}.{ending}"), columns)
    }

    /// The rows of a records file that was written.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn written(&self, seal: &RecordsSeal) -> Result<RecordsReader, BundleError> {
        RecordsReader::open(self.staged.contents(), seal)
    }

    /// Takes a records file out of the bundle again, so that the policy gets another one, and gives its rows.
    ///
    /// # Errors
    ///
    /// When it cannot be moved or opened.
    pub fn take_back(&self, seal: &RecordsSeal) -> Result<RecordsReader, BundleError> {
        let (from, to) = (self.staged.contents().join(&seal.path), self.scratch().join(&seal.path));
        make_directory(&to.parent())?;
        to.files().rename(from.path(), to.path()).map_err(FileError::at("move", from.path()))?;
        RecordsReader::open(self.scratch(), seal)
    }

    /// Where temporary files may be made while the bundle is written: on the file system of the bundle, and no part of it.
    pub fn scratch(&self) -> &Place {
        self.staged.scratch()
    }

    /// Writes the header and the list of digests, and puts the bundle in place. Gives the plan's name.
    ///
    /// # Errors
    ///
    /// When the header does not name exactly the records files that were written, or something cannot be written; what
    /// stood in the place before is then still there.
    pub fn seal(self, header: &PlanHeader) -> Result<Digest, BundleError> {
        let contents = self.staged.contents();
        let records = contents.join(RECORDS_DIRECTORY);
        check_names(contents, header)?;
        for policy in &header.policies {
            let file = &policy.records.path;
            if kind_of(&contents.join(file))? != Some(FileKind::File) {
                return Err(BundleError::FileMissing { file: file.clone() });
            }
        }
        let bytes = header
            .to_bytes()
            .map_err(|error| BundleError::Malformed { file: PLAN_FILE.into(), cause: error.to_string() })?;
        let digest = Digest::of(&bytes);
        write_durably(&contents.join(PLAN_FILE), &bytes)?;
        write_durably(&contents.join(SUMS_FILE), sums(digest, header).as_bytes())?;
        records.sync_directory().map_err(FileError::at("make durable", records.path()))?;
        self.staged.put_in_place()?;
        Ok(digest)
    }
}

fn names_in(directory: &Place) -> Result<Vec<String>, FileError> {
    match directory.list() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => {
            let names = names.map_err(FileError::at("list", directory.path()))?;
            Ok(names.iter().map(|name| name.to_string_lossy().into_owned()).collect())
        }
    }
}

/// A directory that is replaced is removed with all it holds, so it may hold nothing but a bundle.
fn refuse_foreign(directory: &Place) -> Result<(), BundleError> {
    let refuse = |found: String| Err(BundleError::InTheWay { directory: directory.path().to_owned(), found });
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
