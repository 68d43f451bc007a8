//! Reading a bundle, and proving that it is the one that was sealed.

#![expect(clippy::disallowed_methods, reason = "an adapter: files are its business")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{BundleError, FileError, RecordsReader, repair_replacement};
use crate::base::{Digest, PolicyName};
use crate::plan::{HeaderError, PLAN_FORMAT, PlanHeader, PlannedPolicy};

/// The sealed header.
pub(super) const PLAN_FILE: &str = "plan.json";
/// The digests, as `sha256sum` prints and checks them.
pub(super) const SUMS_FILE: &str = "SHA256SUMS";
/// Where the records files are.
pub(super) const RECORDS_DIRECTORY: &str = "records";

/// The largest header and list that are read; a real one holds the manifests and a few lines a policy.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The list of digests that belongs to a header: `plan.json` first, then the records files in the order of their names.
pub(super) fn sums(plan: Digest, header: &PlanHeader) -> String {
    let mut files: Vec<_> = header.policies.iter().map(|policy| (&policy.records.path, policy.records.digest)).collect();
    files.sort();
    let records: String = files.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect();
    format!("{plan}  {PLAN_FILE}\n{records}")
}

/// A bundle on disk whose every byte was checked against its digests when it was opened.
///
/// It is not a permission to delete: whether the plan is used, expired, refused or for another organization is not
/// asked here.
#[derive(Debug)]
pub struct Bundle {
    directory: PathBuf,
    digest: Digest,
    header: PlanHeader,
}

impl Bundle {
    /// Opens the bundle at `directory` and reads all of it once, in bounded memory.
    ///
    /// A replacement of the bundle that was killed half way is repaired first.
    ///
    /// # Errors
    ///
    /// When there is none, when it is of another format, when any file is not the sealed one, when records are not
    /// sorted, unique and well formed, and when there are records files that the plan does not know.
    pub fn open(directory: &Path) -> Result<Self, BundleError> {
        repair_replacement(directory)?;
        if directory.metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Err(BundleError::Missing { directory: directory.to_owned() });
        }
        let plan = read_whole(directory, PLAN_FILE)?;
        let listed = read_whole(directory, SUMS_FILE)?;
        let digest = Digest::of(&plan);
        // Before the header is understood: one that was altered must not be called unknown or malformed.
        let expected = listed_digest(&listed)?;
        if expected != digest {
            return Err(BundleError::Altered { file: PLAN_FILE.into(), expected, found: digest });
        }
        let header = PlanHeader::from_bytes(&plan).map_err(|error| match error {
            HeaderError::OtherFormat { found } => {
                BundleError::NewerFormat { directory: directory.to_owned(), found, known: PLAN_FORMAT }
            }
            HeaderError::Malformed(cause) => BundleError::Malformed { file: PLAN_FILE.into(), cause: cause.to_string() },
        })?;
        if sums(digest, &header).as_bytes() != listed {
            let cause = "its lines are not the digests that `plan.json` seals".into();
            return Err(BundleError::SumsDiffer { file: SUMS_FILE, cause });
        }
        check_names(directory, &header)?;
        let bundle = Self { directory: directory.to_owned(), digest, header };
        for policy in &bundle.header.policies {
            let mut reader = bundle.reader(policy)?;
            while reader.next_row()?.is_some() {}
        }
        Ok(bundle)
    }

    /// The sealed header.
    pub fn header(&self) -> &PlanHeader {
        &self.header
    }

    /// The plan's name: the digest of `plan.json`.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The paths of its files, relative to where it is.
    pub fn files(&self) -> Vec<String> {
        let records = self.header.policies.iter().map(|planned| planned.records.path.clone());
        [PLAN_FILE.to_owned(), SUMS_FILE.to_owned()].into_iter().chain(records).collect()
    }

    /// Copies the bundle at `from` into the directory `to` and opens the copy, so that nobody who writes at `from` meanwhile
    /// changes what is read.
    ///
    /// # Errors
    ///
    /// As [`Bundle::open`]; and when it cannot be copied.
    pub fn open_copy(from: &Path, to: &Path) -> Result<Self, BundleError> {
        repair_replacement(from)?;
        if from.metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Err(BundleError::Missing { directory: from.to_owned() });
        }
        copy_files(from, to)?;
        let records = from.join(RECORDS_DIRECTORY);
        if records.is_dir() {
            copy_files(&records, &to.join(RECORDS_DIRECTORY))?;
        }
        // People know the place they named, and not the copy's.
        Self::open(to).map_err(|error| match error {
            BundleError::NotABundle { file, .. } => BundleError::NotABundle { directory: from.to_owned(), file },
            BundleError::NewerFormat { found, known, .. } => {
                BundleError::NewerFormat { directory: from.to_owned(), found, known }
            }
            error => error,
        })
    }

    /// What the plan proposes for a policy; `None` when it has no such policy.
    pub fn policy(&self, policy: &PolicyName) -> Option<&PlannedPolicy> {
        self.header.policies.iter().find(|planned| planned.policy == *policy)
    }

    /// The planned records of a policy, sorted by key; `None` when the plan has no such policy.
    ///
    /// The digest is computed again while the rows are read, so a file that was altered after the opening gives an
    /// error at the end.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened any more.
    pub fn rows(&self, policy: &PolicyName) -> Option<Result<RecordsReader, BundleError>> {
        self.policy(policy).map(|planned| self.reader(planned))
    }

    fn reader(&self, policy: &PlannedPolicy) -> Result<RecordsReader, BundleError> {
        RecordsReader::open(&self.directory, &policy.records)
    }
}

/// Copies the files of a directory, and none of the directories in it.
fn copy_files(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::create_dir_all(to).map_err(FileError::at("make the directory", to))?;
    for entry in fs::read_dir(from).map_err(FileError::at("list", from))? {
        let path = entry.map_err(FileError::at("list", from))?.path();
        if path.is_file()
            && let Some(name) = path.file_name()
        {
            fs::copy(&path, to.join(name)).map_err(FileError::at("copy", &path))?;
        }
    }
    Ok(())
}

/// The digest that the first line gives for `plan.json`.
fn listed_digest(listed: &[u8]) -> Result<Digest, BundleError> {
    let differ = |cause: &str| BundleError::SumsDiffer { file: SUMS_FILE, cause: cause.into() };
    let first = listed.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = std::str::from_utf8(first).map_err(|_| differ("it is not text"))?;
    let (digest, file) = first.split_once("  ").ok_or_else(|| differ("its first line is not a digest and a file"))?;
    if file != PLAN_FILE {
        return Err(differ("its first line is not about `plan.json`"));
    }
    digest.parse().map_err(|_| differ("its first line has no digest"))
}

/// Each policy has its own file at its own place, and no other file claims to hold records. The paths are the ones this
/// program writes, so a header cannot make it read from anywhere else.
pub(super) fn check_names(directory: &Path, header: &PlanHeader) -> Result<(), BundleError> {
    let mut sealed = BTreeSet::new();
    for planned in &header.policies {
        let path = &planned.records.path;
        let own = format!("{RECORDS_DIRECTORY}/{}.csv", planned.policy);
        if path != &own && path.strip_suffix(".gz") != Some(&own) {
            let cause = format!("the records of `{}` cannot be in `{path}`", planned.policy);
            return Err(BundleError::Malformed { file: PLAN_FILE.into(), cause });
        }
        if planned.records.rows != planned.selected {
            let cause =
                format!("`{}` selects {} records and seals {}", planned.policy, planned.selected, planned.records.rows);
            return Err(BundleError::Malformed { file: PLAN_FILE.into(), cause });
        }
        if !sealed.insert(planned.policy.clone()) {
            let cause = format!("the policy `{}` is in it twice", planned.policy);
            return Err(BundleError::Malformed { file: PLAN_FILE.into(), cause });
        }
    }
    let known: BTreeSet<&str> = header.policies.iter().map(|planned| planned.records.path.as_str()).collect();
    let records = directory.join(RECORDS_DIRECTORY);
    let entries = match fs::read_dir(&records) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && known.is_empty() => return Ok(()),
        entries => entries.map_err(FileError::at("list", &records))?,
    };
    for entry in entries {
        let name = entry.map_err(FileError::at("list", &records))?.file_name();
        let file = format!("{RECORDS_DIRECTORY}/{}", name.to_string_lossy());
        if !known.contains(file.as_str()) {
            return Err(BundleError::Extra { file });
        }
    }
    Ok(())
}

fn read_whole(directory: &Path, file: &'static str) -> Result<Vec<u8>, BundleError> {
    let path = directory.join(file);
    let opened = match fs::File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound || error.kind() == io::ErrorKind::NotADirectory => {
            return Err(BundleError::NotABundle { directory: directory.to_owned(), file });
        }
        opened => opened.map_err(FileError::at("read", &path))?,
    };
    let mut bytes = Vec::new();
    opened.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(FileError::at("read", &path))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(BundleError::Malformed { file: file.into(), cause: format!("it is larger than {MOST_BYTES} bytes") });
    }
    Ok(bytes)
}
