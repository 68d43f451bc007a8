//! What can be wrong with a bundle.

use std::path::{Path, PathBuf};

use super::FileError;
use crate::base::{Digest, RecordIdError};

/// Why a directory is not the bundle it should be, or cannot become one.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// There is nothing at that place.
    #[error("there is no plan at `{}`: make one with `sexton plan`", .directory.display())]
    Missing {
        /// The place.
        directory: PathBuf,
    },
    /// There is a file at that place.
    #[error("`{}` is a file, and a plan is a directory: {}", .file.display(), directory_for(.part_of.as_deref()))]
    NotADirectory {
        /// The file.
        file: PathBuf,
        /// The directory that it is in, where it seems to be part of a plan.
        part_of: Option<PathBuf>,
    },
    /// There is something else at that place.
    #[error("`{}` is not a plan: it has no `{file}`", .directory.display())]
    NotABundle {
        /// The place.
        directory: PathBuf,
        /// What a bundle would have.
        file: &'static str,
    },
    /// It was made by another version of sexton.
    #[error("the plan at `{}` has format {found}, and this version of sexton knows format {known}: use the version that made it, or plan again", .directory.display())]
    NewerFormat {
        /// The place.
        directory: PathBuf,
        /// Its format.
        found: u32,
        /// The format this version knows.
        known: u32,
    },
    /// A file is not the one that was sealed.
    #[error("`{file}` was altered after the plan was sealed: {}", alteration(*expected, *found, *by_line_ends))]
    Altered {
        /// The file inside the bundle.
        file: String,
        /// The sealed digest.
        expected: Digest,
        /// The digest it has.
        found: Digest,
        /// Whether nothing but its line ends is another.
        by_line_ends: bool,
    },
    /// The list of digests is not the one that was sealed.
    #[error("`{file}` does not list what the plan seals: {cause}")]
    SumsDiffer {
        /// The list.
        file: &'static str,
        /// How it differs.
        cause: String,
    },
    /// A file that the plan seals is not there.
    #[error("`{file}` is missing from the plan: restore it, or plan again")]
    FileMissing {
        /// The file inside the bundle.
        file: String,
    },
    /// A file or directory that the plan does not know.
    #[error("`{file}` is not part of the plan: move it away")]
    Extra {
        /// The file inside the bundle.
        file: String,
    },
    /// The digests are right and the contents make no sense: no version of sexton wrote this.
    #[error("`{file}` is not what a plan has there: {cause}")]
    Malformed {
        /// The file inside the bundle.
        file: String,
        /// What is wrong, with the line where there is one.
        cause: String,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The directory to write into holds something else, which replacing it would destroy.
    #[error("`{}` holds `{found}`, which is not part of a plan and would be lost: choose another directory, or move it away", .directory.display())]
    InTheWay {
        /// The directory.
        directory: PathBuf,
        /// What was found.
        found: String,
    },
    /// What is to be written breaks the form of a bundle.
    #[error("the records of `{file}` cannot be written: {cause}")]
    Unwritable {
        /// The file inside the bundle.
        file: String,
        /// What is wrong.
        cause: String,
    },
}

/// The lines of `.gitattributes` that keep the bytes of every bundle, wherever it lies: by the names of its files, since nobody
/// knows which directories people plan into.
pub const GIT_ATTRIBUTES: [&str; 3] = ["plan.json -text", "SHA256SUMS -text", "**/records/*.csv* -text"];

/// What probably happened where the line ends alone are others.
pub(super) fn other_line_ends() -> String {
    let [plan, sums, records] = GIT_ATTRIBUTES;
    format!(
        "its lines now end in CRLF instead of LF, probably because git changed them on checkout (`core.autocrlf`, `text=auto`): \
         let `.gitattributes` end with the lines `{plan}`, `{sums}` and `{records}`, then remove the plan's files and check them \
         out again"
    )
}

fn alteration(expected: Digest, found: Digest, by_line_ends: bool) -> String {
    if by_line_ends {
        return other_line_ends();
    }
    format!("its digest is {found} and should be {expected}; restore it, or plan again")
}

/// What to name in the place of a file.
fn directory_for(part_of: Option<&Path>) -> String {
    match part_of {
        Some(plan) => format!("name the directory that it is in, `{}`", plan.display()),
        None => "name a directory, as in `sexton plan --out plan` and then `sexton apply plan`".into(),
    }
}

/// What is wrong with one line of a records file.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("it does not begin with the line `{expected}`")]
    Header { expected: String },
    #[error("record {number} is not well formed: {cause}")]
    Csv { number: u64, cause: csv::Error },
    #[error("record {number} has no valid key: {cause}")]
    Key { number: u64, cause: RecordIdError },
    #[error("record {number} has a value that is not written as this version writes it")]
    Value { number: u64 },
    #[error("record {number} does not come after the one before it")]
    Order { number: u64 },
    #[error("it holds {found} records, and the plan seals {expected}")]
    Rows { found: u64, expected: u64 },
    #[error("it is not one complete compressed file: {0}")]
    Compression(std::io::Error),
}
