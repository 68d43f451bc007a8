//! Reading a bundle, and proving that it is the one that was sealed.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;

use super::bundle_error::other_line_ends;
use super::files::is_absent;
use super::line_ends::with_unix_ends;
use super::{BundleError, FileError, FileKind, OpenMode, Place, RecordsReader, make_directory, repair_replacement};
use crate::base::{Digest, PolicyName, counted};
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
    directory: Place,
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
    /// sorted, unique and well formed, and when there is anything else in the directory, save what is hidden.
    pub fn open(directory: &Place) -> Result<Self, BundleError> {
        find(directory)?;
        Self::open_untouched(directory)
    }

    /// The same, and writes nothing: a replacement that was killed half way is left as it is.
    ///
    /// # Errors
    ///
    /// As [`Bundle::open`].
    pub fn open_untouched(directory: &Place) -> Result<Self, BundleError> {
        refuse_missing(directory)?;
        let plan = read_whole(directory, PLAN_FILE)?;
        let listed = read_whole(directory, SUMS_FILE)?;
        let digest = Digest::of(&plan);
        // Before the header is understood: one that was altered must not be called unknown or malformed.
        let listed_with_unix_ends = with_unix_ends(&listed);
        let expected = listed_digest(&listed_with_unix_ends)?;
        if expected != digest {
            let by_line_ends = Digest::of(&with_unix_ends(&plan)) == expected;
            return Err(BundleError::Altered { file: PLAN_FILE.into(), expected, found: digest, by_line_ends });
        }
        let header = PlanHeader::from_bytes(&plan).map_err(|error| match error {
            HeaderError::OtherFormat { found } => {
                BundleError::NewerFormat { directory: directory.path().to_owned(), found, known: PLAN_FORMAT }
            }
            HeaderError::Malformed(cause) => BundleError::Malformed { file: PLAN_FILE.into(), cause: cause.to_string() },
        })?;
        let sums = sums(digest, &header);
        if sums.as_bytes() != listed {
            if sums.as_bytes() == listed_with_unix_ends {
                return Err(BundleError::SumsDiffer { file: SUMS_FILE, cause: other_line_ends() });
            }
            return Err(sums_differ("its lines are not the digests that `plan.json` seals"));
        }
        check_names(directory, &header)?;
        let bundle = Self { directory: directory.clone(), digest, header };
        for policy in &bundle.header.policies {
            let mut reader = bundle.reader(policy)?;
            while reader.next_row()?.is_some() {}
        }
        Ok(bundle)
    }

    /// The digest of the plan that a directory claims to hold, without a proof; `None` where it holds none.
    pub fn digest_at(directory: &Place) -> Option<Digest> {
        read_whole(directory, PLAN_FILE).ok().map(|bytes| Digest::of(&bytes))
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
    pub fn directory(&self) -> &Place {
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
    pub fn open_copy(from: &Place, to: &Place) -> Result<Self, BundleError> {
        find(from)?;
        copy_files(from, to)?;
        let records = from.join(RECORDS_DIRECTORY);
        if kind_of(&records)? == Some(FileKind::Directory) {
            copy_files(&records, &to.join(RECORDS_DIRECTORY))?;
        }
        // People know the place they named, and not the copy's.
        let bundle = Self::open(to).map_err(|error| match error {
            BundleError::NotABundle { file, .. } => BundleError::NotABundle { directory: from.path().to_owned(), file },
            BundleError::NewerFormat { found, known, .. } => {
                BundleError::NewerFormat { directory: from.path().to_owned(), found, known }
            }
            error => error,
        })?;
        // Directories were not copied.
        refuse_extra(from)?;
        Ok(bundle)
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

/// Refuses where there is nothing, once a replacement that was killed half way is repaired.
fn find(directory: &Place) -> Result<(), BundleError> {
    repair_replacement(directory)?;
    refuse_missing(directory)
}

fn refuse_missing(directory: &Place) -> Result<(), BundleError> {
    match directory.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(BundleError::Missing { directory: directory.path().to_owned() })
        }
        _ => refuse_file(directory),
    }
}

/// Refuses where a file is and a directory should be.
pub(super) fn refuse_file(directory: &Place) -> Result<(), BundleError> {
    match kind_of(directory) {
        Ok(Some(FileKind::File)) => {
            let file = directory.path().to_owned();
            let is_part = file.file_name().is_some_and(|name| name == PLAN_FILE || name == SUMS_FILE);
            Err(BundleError::NotADirectory { file, part_of: is_part.then(|| directory.parent().path().to_owned()) })
        }
        // Whatever else it is, reading it says.
        _ => Ok(()),
    }
}

/// What is at the place; `None` for nothing.
pub(super) fn kind_of(place: &Place) -> Result<Option<FileKind>, FileError> {
    match place.resolved_metadata() {
        Err(error) if is_absent(&error) => Ok(None),
        metadata => metadata.map(|metadata| Some(metadata.kind)).map_err(FileError::at("look at", place.path())),
    }
}

/// Copies the files of a directory, and none of the directories in it.
fn copy_files(from: &Place, to: &Place) -> Result<(), FileError> {
    make_directory(to)?;
    for name in from.list().map_err(FileError::at("list", from.path()))? {
        let file = from.join(&name);
        if kind_of(&file)? == Some(FileKind::File) {
            file.copy_to(&to.join(&name)).map_err(FileError::at("copy", file.path()))?;
        }
    }
    Ok(())
}

/// The digest that the first line gives for `plan.json`.
fn listed_digest(listed: &[u8]) -> Result<Digest, BundleError> {
    let first = listed.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = std::str::from_utf8(first).map_err(|_| sums_differ("it is not text"))?;
    let (digest, file) = first.split_once("  ").ok_or_else(|| sums_differ("its first line is not a digest and a file"))?;
    if file != PLAN_FILE {
        return Err(sums_differ("its first line is not about `plan.json`"));
    }
    digest.parse().map_err(|_| sums_differ("its first line has no digest"))
}

fn sums_differ(cause: &str) -> BundleError {
    BundleError::SumsDiffer { file: SUMS_FILE, cause: format!("{cause}; restore it, or plan again") }
}

/// Each policy has its own file at its own place, and no other file claims to hold records. The paths are the ones this
/// program writes, so a header cannot make it read from anywhere else.
pub(super) fn check_names(directory: &Place, header: &PlanHeader) -> Result<(), BundleError> {
    let mut sealed = BTreeSet::new();
    for planned in &header.policies {
        let path = &planned.records.path;
        let own = format!("{RECORDS_DIRECTORY}/{}.csv", planned.policy);
        if path != &own && path.strip_suffix(".gz") != Some(&own) {
            let cause = format!("the records of `{}` cannot be in `{path}`", planned.policy);
            return Err(BundleError::Malformed { file: PLAN_FILE.into(), cause });
        }
        if planned.records.rows != planned.selected {
            let cause = format!(
                "`{}` selects {} and seals {}",
                planned.policy,
                counted(planned.selected, "record"),
                planned.records.rows
            );
            return Err(BundleError::Malformed { file: PLAN_FILE.into(), cause });
        }
        if !sealed.insert(planned.policy.clone()) {
            let cause = format!("the policy `{}` is in it twice", planned.policy);
            return Err(BundleError::Malformed { file: PLAN_FILE.into(), cause });
        }
    }
    refuse_extra(directory)?;
    let known: BTreeSet<&str> = header.policies.iter().map(|planned| planned.records.path.as_str()).collect();
    let records = directory.join(RECORDS_DIRECTORY);
    let names = match records.list() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && known.is_empty() => return Ok(()),
        names => names.map_err(FileError::at("list", records.path()))?,
    };
    for name in names.iter().filter(|name| !is_hidden(name)) {
        let file = format!("{RECORDS_DIRECTORY}/{}", name.to_string_lossy());
        if !known.contains(file.as_str()) {
            return Err(BundleError::Extra { file });
        }
    }
    Ok(())
}

/// Refuses what lies beside the files of a bundle: whoever reviews the directory would take it for a part of the plan, and no digest
/// covers it.
fn refuse_extra(directory: &Place) -> Result<(), BundleError> {
    let names = directory.list().map_err(FileError::at("list", directory.path()))?;
    let is_part = |name: &OsString| [PLAN_FILE, SUMS_FILE, RECORDS_DIRECTORY].iter().any(|part| name == part);
    match names.iter().find(|name| !is_part(name) && !is_hidden(name)) {
        Some(extra) => Err(BundleError::Extra { file: extra.to_string_lossy().into_owned() }),
        None => Ok(()),
    }
}

/// Whether a name is one that editors, file managers and git give to files of their own, which nobody takes for a part of the plan.
fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn read_whole(directory: &Place, file: &'static str) -> Result<Vec<u8>, BundleError> {
    let place = directory.join(file);
    let opened = match place.open(OpenMode::Read) {
        Err(error) if is_absent(&error) => {
            return Err(BundleError::NotABundle { directory: directory.path().to_owned(), file });
        }
        opened => opened.map_err(FileError::at("read", place.path()))?,
    };
    opened.read_whole(MOST_BYTES).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => BundleError::Malformed { file: file.into(), cause: error.to_string() },
        _ => FileError::at("read", place.path())(error).into(),
    })
}
