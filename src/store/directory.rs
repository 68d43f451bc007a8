//! Directories and small texts that commands need.

use std::io;

use super::{FileError, OpenMode, Place, create_directories};

/// The largest text that is read.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Makes a directory and those above it, where they are not there yet.
///
/// # Errors
///
/// When one of them cannot be made.
pub fn make_directory(place: &Place) -> Result<(), FileError> {
    create_directories(place.files(), place.path(), false).map_err(FileError::at("make the directory", place.path()))
}

/// Makes a directory that holds nothing; one that is there already must be empty.
///
/// # Errors
///
/// When it holds something, or cannot be made.
pub fn make_empty_directory(place: &Place) -> Result<(), FileError> {
    make_directory(place)?;
    if place.list().map_err(FileError::at("read the directory", place.path()))?.is_empty() {
        return Ok(());
    }
    Err(FileError::at("use the directory", place.path())(io::Error::new(
        io::ErrorKind::DirectoryNotEmpty,
        "it is not empty; name one that is empty or does not exist",
    )))
}

/// Reads a text file.
///
/// # Errors
///
/// When it cannot be read, is larger than 64 MiB or is not UTF-8.
pub fn read_text(place: &Place) -> Result<String, FileError> {
    let bytes = place.open(OpenMode::Read).and_then(|file| file.read_whole(MOST_BYTES));
    let text = bytes.and_then(|bytes| {
        String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
    });
    text.map_err(FileError::at("read", place.path()))
}
