//! Files and directories that are there as a whole or not at all.

#![expect(clippy::disallowed_methods, reason = "an adapter: files are its business")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::parent_of;

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

/// Writes a file so that it holds either its old bytes or the new ones, whatever happens, and is durable on return.
///
/// # Errors
///
/// When the bytes cannot be written beside the file, made durable, or moved into place; the file is then as it was,
/// unless the very last step (making the directory durable) failed.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    replace(path, bytes, File::sync_all)?;
    sync_directory(parent_of(path))
}

/// Writes a file so that whoever reads it sees either its old bytes or the new ones. After a loss of power it may have neither.
///
/// # Errors
///
/// When the bytes cannot be written beside the file or moved into place; the file is then as it was.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    replace(path, bytes, |_| Ok(()))
}

fn replace(path: &Path, bytes: &[u8], settle: impl FnOnce(&File) -> io::Result<()>) -> Result<(), FileError> {
    let directory = parent_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".sexton-");
    // As the file that is replaced; a new one like any file the user makes, and not for its owner alone as a temporary
    // file would be.
    match fs::metadata(path) {
        Ok(metadata) => _ = builder.permissions(metadata.permissions()),
        #[cfg(unix)]
        Err(_) => _ = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)),
        #[cfg(not(unix))]
        Err(_) => {}
    }
    let mut file = builder.tempfile_in(directory).map_err(FileError::at("make a file in", directory))?;
    file.write_all(bytes).and_then(|()| settle(file.as_file())).map_err(FileError::at("write", path))?;
    file.persist(path).map(drop).map_err(|error| error.error).map_err(FileError::at("replace", path))
}

/// Makes the names in a directory durable, where the system can.
///
/// # Errors
///
/// When the system can and does not.
pub fn sync_directory(directory: &Path) -> Result<(), FileError> {
    // Elsewhere a directory cannot be opened as a file, and names are durable without it.
    if cfg!(unix) {
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(FileError::at("make durable", directory))?;
    }
    Ok(())
}

/// A name beside `path`: hidden, and with the given ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{ending}"))
}

/// A directory under construction beside the one it will replace.
///
/// It is removed when it is dropped. One that a killed process left behind is removed by the next
/// [`StagedDirectory::create`] for the same place; one that a running process is writing is not.
#[must_use = "a staged directory replaces nothing until it is put in place"]
pub struct StagedDirectory {
    target: PathBuf,
    staging: tempfile::TempDir,
    /// Held while the directory is written, so that others can tell it from one left behind.
    lock: File,
}

/// The file whose lock says that a staged directory is being written.
const STAGING_LOCK: &str = ".lock";

impl StagedDirectory {
    /// An empty directory that will replace `target`, whose parent is made if need be.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made, or an interrupted replacement cannot be repaired.
    pub fn create(target: &Path) -> Result<Self, FileError> {
        let parent = parent_of(target);
        fs::create_dir_all(parent).map_err(FileError::at("make the directory", parent))?;
        repair_replacement(target)?;
        remove_left_behind(target)?;
        let prefix = beside(target, "new-");
        let prefix = prefix.file_name().unwrap_or_default();
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let staging = builder.tempdir_in(parent).map_err(FileError::at("make a directory in", parent))?;
        let lock_path = staging.path().join(STAGING_LOCK);
        let lock = File::create(&lock_path).map_err(FileError::at("make", &lock_path))?;
        // A file system without locks only loses the cleaning up after a killed process.
        let _ = lock.try_lock();
        Ok(Self { target: target.to_owned(), staging, lock })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        self.staging.path()
    }

    /// Puts the directory in the place of the old one, whose contents are removed. The files in it are already durable.
    ///
    /// Between the two renames neither is in place; a process killed there leaves the old one under a hidden name, and
    /// [`repair_replacement`] puts it back.
    ///
    /// # Errors
    ///
    /// When a rename fails; the old directory is then still in place, or put back by the next start.
    pub fn put_in_place(self) -> Result<(), FileError> {
        let Self { target, staging, lock } = self;
        let lock_path = staging.path().join(STAGING_LOCK);
        fs::remove_file(&lock_path).map_err(FileError::at("remove", &lock_path))?;
        sync_directory(staging.path())?;
        let previous = beside(&target, "previous");
        if target.symlink_metadata().is_ok() {
            fs::rename(&target, &previous).map_err(FileError::at("move away", &target))?;
        }
        let staged = staging.path();
        if let Err(source) = fs::rename(staged, &target) {
            // The error that matters is the first one; what cannot be put back now is put back by the next start.
            let _ = fs::rename(&previous, &target);
            return Err(FileError { doing: "put in place", path: target, source });
        }
        let _ = staging.keep();
        drop(lock);
        sync_directory(parent_of(&target))?;
        remove_if_there(&previous)
    }
}

/// Ends a replacement that a killed process left half done: puts the old directory back when nothing is in its place,
/// and removes it when the new one is.
///
/// # Errors
///
/// When it cannot be moved or removed.
pub fn repair_replacement(target: &Path) -> Result<(), FileError> {
    let previous = beside(target, "previous");
    if previous.symlink_metadata().is_err() {
        return Ok(());
    }
    if target.symlink_metadata().is_ok() {
        return remove_if_there(&previous);
    }
    fs::rename(&previous, target).map_err(FileError::at("put back", target))
}

fn remove_if_there(directory: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::at("remove", directory)(error)),
        _ => Ok(()),
    }
}

/// Removes staged directories whose writers are dead: their lock can be taken. One without a lock file is just being
/// made or just being put in place, and is left alone.
fn remove_left_behind(target: &Path) -> Result<(), FileError> {
    let (parent, prefix) = (parent_of(target), beside(target, "new-"));
    let prefix = prefix.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for entry in fs::read_dir(parent).map_err(FileError::at("list", parent))? {
        let entry = entry.map_err(FileError::at("list", parent))?;
        if entry.file_name().to_string_lossy().starts_with(&prefix)
            && let Ok(lock) = File::open(entry.path().join(STAGING_LOCK))
            && lock.try_lock().is_ok()
        {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .expect("readable")
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn staged(target: &Path, text: &str) -> StagedDirectory {
        let staged = StagedDirectory::create(target).expect("writable");
        fs::write(staged.path().join("file"), text).expect("writable");
        staged
    }

    #[test]
    fn replaces_a_file_and_leaves_nothing_beside_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        write_atomically(&path, b"one").expect("writable");
        write_atomically(&path, b"two").expect("writable");
        assert_eq!(fs::read(&path).expect("readable"), b"two");
        assert_eq!(names(directory.path()), ["file"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        write_atomically(&path, b"one").expect("writable");
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("ours");
        write_atomically(&path, b"two").expect("writable");
        assert_eq!(fs::metadata(&path).expect("readable").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn says_which_file_cannot_be_written() {
        let error = write_atomically(Path::new("/nowhere/at/all"), b"").expect_err("no such directory");
        assert_eq!(error.to_string(), "could not make a file in `/nowhere/at`");
    }

    #[test]
    fn replaces_a_directory_and_leaves_nothing_beside_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("deep/plan");
        for text in ["one", "two"] {
            staged(&target, text).put_in_place().expect("writable");
            assert_eq!(fs::read_to_string(target.join("file")).expect("readable"), text);
            assert_eq!(names(parent_of(&target)), ["plan"]);
            assert_eq!(names(&target), ["file"]);
        }
        drop(staged(&target, "three"));
        assert_eq!(fs::read_to_string(target.join("file")).expect("readable"), "two");
        assert_eq!(names(parent_of(&target)), ["plan"]);
    }

    #[test]
    fn repairs_what_a_killed_replacement_left() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("plan");
        staged(&target, "old").put_in_place().expect("writable");
        // Killed between the two renames.
        fs::rename(&target, beside(&target, "previous")).expect("renamed");
        repair_replacement(&target).expect("repaired");
        assert_eq!(fs::read_to_string(target.join("file")).expect("readable"), "old");
        // Killed after the second rename.
        fs::create_dir(beside(&target, "previous")).expect("made");
        repair_replacement(&target).expect("repaired");
        assert_eq!(names(directory.path()), ["plan"]);
    }

    #[test]
    fn removes_the_staging_of_the_dead_and_not_of_the_living() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("plan");
        let living = staged(&target, "living");
        let dead = beside(&target, "new-dead");
        fs::create_dir(&dead).expect("made");
        fs::write(dead.join(STAGING_LOCK), "").expect("written");
        let other = staged(&target, "other");
        assert!(!dead.exists());
        assert!(living.path().join("file").exists());
        other.put_in_place().expect("writable");
        living.put_in_place().expect("writable");
        assert_eq!(fs::read_to_string(target.join("file")).expect("readable"), "living");
    }
}
