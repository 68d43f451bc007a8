//! Directories and small texts that commands need.
#![expect(clippy::disallowed_methods, reason = "an adapter: files are its business")]

use std::fs;
use std::io;
use std::path::Path;

use super::FileError;

/// Makes a directory and those above it, where they are not there yet.
///
/// # Errors
///
/// When one of them cannot be made.
pub fn make_directory(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(FileError::at("make the directory", path))
}

/// Makes a directory that holds nothing; one that is there already must be empty.
///
/// # Errors
///
/// When it holds something, or cannot be made.
pub fn make_empty_directory(path: &Path) -> Result<(), FileError> {
    make_directory(path)?;
    let mut entries = fs::read_dir(path).map_err(FileError::at("read the directory", path))?;
    if entries.next().is_some() {
        return Err(FileError::at("use the directory", path)(io::Error::new(
            io::ErrorKind::DirectoryNotEmpty,
            "it is not empty; name one that is empty or does not exist",
        )));
    }
    Ok(())
}

/// Reads a text file.
///
/// # Errors
///
/// When it cannot be read or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(FileError::at("read", path))
}

/// Removes a directory and everything in it.
///
/// # Errors
///
/// When some of it cannot be removed.
pub fn remove_directory(path: &Path) -> Result<(), FileError> {
    fs::remove_dir_all(path).map_err(FileError::at("remove the directory", path))
}
