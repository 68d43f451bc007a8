//! The names of the files of a store in a directory: its own files, and those that represent keys.

use std::io;
use std::path::Path;

use super::StoreError;

/// The file whose lock is the lease.
pub(super) const LEASE_FILE: &str = "lease";

/// What the names of temporary files in the root begin with.
pub(super) const TEMPORARY: &str = ".sexton-";

/// Names that Windows keeps for devices, whatever follows behind a dot.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// The name of the file or directory for one part of a key: the part itself, except for what a file system might treat specially.
/// An upper-case letter becomes `%` and its lower-case form, since some ignore case; `%` also precedes a leading dot (hidden
/// files, and the store's temporary ones), follows a trailing dot (dropped by Windows), and precedes the names of devices and of
/// the lease.
pub(super) fn name_of(part: &str) -> String {
    let mut name = String::with_capacity(part.len());
    let device = part.split('.').next().unwrap_or_default();
    if part.starts_with('.') || part == LEASE_FILE || DEVICES.contains(&device) {
        name.push_str("%%");
    }
    for character in part.chars() {
        if character.is_ascii_uppercase() {
            name.push('%');
        }
        name.push(character.to_ascii_lowercase());
    }
    if part.ends_with('.') {
        name.push_str("%%");
    }
    name
}

/// The part of a key that is written so; `None` when none is.
pub(super) fn part_of(name: &str) -> Option<String> {
    let mut part = String::with_capacity(name.len());
    let mut characters = name.chars();
    while let Some(character) = characters.next() {
        match character {
            '%' => match characters.next()? {
                '%' => {}
                letter => part.push(letter.to_ascii_uppercase()),
            },
            character => part.push(character),
        }
    }
    (name_of(&part) == name).then_some(part)
}

/// A path as people are shown it.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The error of doing something with a file.
pub(super) fn access<'p>(doing: &'static str, path: &'p Path) -> impl FnOnce(io::Error) -> StoreError + use<'p> {
    move |source| StoreError::Access { doing, place: shown(path), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_key_is_a_name_that_every_file_system_takes() {
        for (part, name) in [
            ("state.json", "state.json"),
            ("0a1b", "0a1b"),
            ("Run-A", "%run-%a"),
            (".sexton-x", "%%.sexton-x"),
            ("a.", "a.%%"),
            ("con", "%%con"),
            ("nul.csv", "%%nul.csv"),
            ("Con", "%con"),
            ("console", "console"),
            ("lease", "%%lease"),
        ] {
            assert_eq!(name_of(part), name);
            assert_eq!(part_of(name).as_deref(), Some(part));
        }
        for foreign in ["A", ".lock", "lease", "a.", "con", "a%", "%%a", "a%%", "%1", "."] {
            assert_eq!(part_of(foreign), None, "{foreign}");
        }
    }
}
