//! A file as the reader takes it: a name and its bytes, or why there are none.

use crate::base::with_thousands;

/// The most bytes a manifest file may have.
pub const MOST_FILE_BYTES: u64 = 1024 * 1024;

/// One manifest file, as the store found it.
#[derive(Debug)]
pub struct ManifestFile {
    /// The path that people are shown: relative to the directory that was read, with `/`.
    pub name: String,
    /// Its bytes, or why they could not be read.
    pub content: Result<Vec<u8>, ManifestFileError>,
}

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
    /// The operating system refused.
    #[error("cannot be read")]
    Unreadable(#[source] std::io::Error),
}
