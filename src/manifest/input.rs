//! A file as the reader takes it: a name and its bytes, or why there are none; and what lies beside it.

use crate::base::with_thousands;

/// The most bytes a manifest file may have.
pub const MOST_FILE_BYTES: u64 = 1024 * 1024;

/// The most bytes of a file that are looked through for a manifest. What is larger may hold one.
pub const MOST_SIFTED_BYTES: u64 = 64 * 1024 * 1024;

/// One manifest file, as the store found it.
#[derive(Debug)]
pub struct ManifestFile {
    /// The path that people are shown: relative to the directory that was read, with `/`.
    pub name: String,
    /// Its bytes, or why they could not be read.
    pub content: Result<Vec<u8>, ManifestFileError>,
}

/// What to do where there is no directory of a project.
pub const NO_DIRECTORY_HELP: &str =
    "name the directory that holds the manifests, or begin a project with `sexton -C DIR init`";

/// Why a file has no content to read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestFileError {
    /// More bytes than a manifest may have. It was not read whole.
    #[error("has {} bytes, more than the {} a manifest may have", with_thousands(*bytes), with_thousands(*most))]
    TooLarge {
        /// How many it has.
        bytes: u64,
        /// How many it may have.
        most: u64,
    },
    /// There is nothing of that name where the project was to be.
    #[error("there is no directory")]
    NoDirectory,
    /// The operating system refused.
    #[error("cannot be read")]
    Unreadable(#[source] std::io::Error),
}

/// A file or a directory that holds no manifest, or is said to hold none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Its path, relative to the directory that was read, with `/`.
    pub name: String,
    /// Why.
    pub cause: PassedOverCause,
}

/// Why something was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassedOverCause {
    /// No document of it is one of Sexton's.
    Foreign,
    /// `.sextonignore` names it.
    Ignored,
    /// It is a directory whose name begins with a dot, and was not searched.
    Hidden,
}
