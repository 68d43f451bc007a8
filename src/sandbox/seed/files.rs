//! Reads a seed directory.
#![expect(clippy::disallowed_methods, reason = "the one place where the sandbox reads files")]

use std::path::Path;
use std::{fs, io};

/// The folders of the systems that are not Salesforce.
const FOLDERS: [&str; 2] = ["fulcrum", "zuora"];

/// The files of a seed directory, `*.csv`, `world.yaml`, `world.yml`, `fulcrum/*.csv` and `zuora/*.csv`, by name, sorted.
/// Everything else is left out.
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
        } else if FOLDERS.contains(&name.as_str()) && entry.file_type()?.is_dir() {
            let inner = read_directory(&entry.path())?;
            files.extend(inner.into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        }
    }
    files.sort();
    Ok(files)
}
