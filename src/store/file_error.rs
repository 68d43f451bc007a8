//! What could not be done with which file.

use std::io;
use std::path::{Path, PathBuf};

/// What could not be done with which file.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing} `{}`", .path.display())]
pub struct FileError {
    /// What was being done, to read after "could not".
    pub doing: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl FileError {
    /// For `map_err`: says what was being done with which file.
    pub fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { doing, path: path.to_owned(), source }
    }
}

impl From<FileError> for io::Error {
    /// Of the same kind, and with what it says about the file.
    fn from(error: FileError) -> Self {
        Self::new(error.source.kind(), error)
    }
}
