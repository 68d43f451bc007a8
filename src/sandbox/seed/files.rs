//! Reads a seed directory.
#![expect(clippy::disallowed_methods, reason = "the one place where the sandbox reads files")]

use std::path::Path;
use std::{fs, io};

/// The files of a seed directory, `*.csv`, `world.yaml` and `world.yml`, by name, sorted. Folders and other files are left out.
///
/// # Errors
///
/// When the directory or one of the files cannot be read.
pub fn read_directory(directory: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_seed = name.ends_with(".csv") || name == "world.yaml" || name == "world.yml";
        if is_seed && entry.file_type()?.is_file() {
            files.push((name, fs::read(entry.path())?));
        }
    }
    files.sort();
    Ok(files)
}
