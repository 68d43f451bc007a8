//! A folder that one process works in.

use std::ffi::OsStr;
use std::io;
use std::sync::Arc;

use super::{FileError, FileHandle, FileKind, OpenMode, Place, create_directories};

/// The file whose lock says that a process is at work in the folder.
const LOCK: &str = ".lock";

/// How often the creation is tried again if another process takes the new folder for one left behind.
const ATTEMPTS: u32 = 16;

/// A folder that one process works in, and that is gone with it.
///
/// The process holds the lock of a file in it, which the operating system gives back however the process ends: so one that a killed
/// process left is told from one that is in use.
#[must_use = "a folder that nobody keeps is removed at once"]
pub struct WorkFolder {
    place: Place,
    /// Given back after the folder is removed.
    _lock: Arc<dyn FileHandle>,
}

impl WorkFolder {
    /// Makes a folder in `parent`, which is made if need be. Its name begins with `prefix`; no other process has the same `tag`. Those
    /// of that prefix that killed processes left are removed.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn create(parent: &Place, prefix: &str, tag: &str) -> Result<Self, FileError> {
        create_directories(parent.files(), parent.path(), false)
            .map_err(FileError::at("make the directory", parent.path()))?;
        remove_left_behind(parent, prefix);
        for attempt in 0..ATTEMPTS {
            let place = parent.join(format!("{prefix}{tag}-{attempt}"));
            if let Some(lock) = begin(&place).map_err(FileError::at("make", place.path()))? {
                return Ok(Self { place, _lock: lock });
            }
        }
        let taken = io::Error::other("somebody removes every folder that is begun there");
        Err(FileError::at("work in", parent.path())(taken))
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next process.
        let _ = remove(&self.place);
    }
}

/// Creates the folder and takes its lock; `None` if another process has the lock, or took the folder for one left behind.
fn begin(place: &Place) -> io::Result<Option<Arc<dyn FileHandle>>> {
    match place.files().create_directory(place.path()) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        made => made?,
    }
    let path = place.join(LOCK);
    let lock = match path.open(OpenMode::CreateNew) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        lock => lock?,
    };
    // A file system without locks only loses the cleaning up. Where the lock was free again, its file may be gone.
    if !lock.try_lock().unwrap_or(true) || path.metadata().is_err() {
        return Ok(None);
    }
    // Before anything else is in the folder, so that also after a loss of power it is known to be ours.
    place.sync_directory()?;
    Ok(Some(lock))
}

/// Removes the folders in `parent` whose names begin with `prefix` and whose processes are dead. What holds anything and no lock file
/// is not ours. What cannot be removed, as by somebody who may only read, stays for the next time.
pub(super) fn remove_left_behind(parent: &Place, prefix: &str) {
    let is_ours = |name: &OsStr| name.as_encoded_bytes().starts_with(prefix.as_bytes());
    for name in parent.list().unwrap_or_default().iter().filter(|name| is_ours(name)) {
        let folder = parent.join(name);
        let is_free = match folder.join(LOCK).open(OpenMode::Read) {
            Ok(lock) => lock.try_lock().map(|taken| taken.then_some(lock)),
            // Its process was killed before it had the lock file, or is about to make one and then begins anew.
            Err(_) => folder.files().remove_empty_directory(folder.path()).map(|()| None),
        };
        if let Ok(Some(_lock)) = is_free {
            let _ = remove(&folder);
        }
    }
}

/// Removes a folder whose lock is held, the lock file last, so that a half removed folder can still be recognized.
fn remove(folder: &Place) -> io::Result<()> {
    let files = folder.files();
    for name in folder.list()?.into_iter().filter(|name| name != LOCK) {
        let place = folder.join(name);
        match place.metadata()?.kind {
            FileKind::Directory => files.remove_directory(place.path())?,
            _ => files.remove_file(place.path())?,
        }
    }
    folder.sync_directory()?;
    files.remove_file(folder.join(LOCK).path())?;
    files.remove_empty_directory(folder.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{DiskFault, SimulatedDisk};

    /// A directory of the machine and one of a simulated disk.
    fn on_both(test: impl Fn(&Place)) {
        let directory = tempfile::tempdir().expect("a directory");
        test(&Place::of_machine(directory.path()));
        test(&Place::new(Arc::new(SimulatedDisk::new(1)), "home"));
    }

    fn write(place: &Place) {
        place.open(OpenMode::CreateNew).expect("made").write_all_at(b"text", 0).expect("written");
    }

    fn names(place: &Place) -> Vec<String> {
        place.list().expect("listed").iter().map(|name| name.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_folder_of_the_dead_is_removed_and_those_of_the_living_and_of_strangers_are_not() {
        on_both(|home| {
            let living = WorkFolder::create(home, ".plan.new-", "living").expect("made");
            let [dead, young, stranger] = ["dead", "young", "stranger"].map(|name| home.join(format!(".plan.new-{name}")));
            for folder in [&dead.join("contents"), &young, &stranger] {
                create_directories(folder.files(), folder.path(), false).expect("made");
            }
            for file in ["records", "contents/records", LOCK] {
                write(&dead.join(file));
            }
            write(&stranger.join("thesis.txt"));
            write(&home.join(".plan.new-notes.txt"));
            let next = WorkFolder::create(home, ".plan.new-", "next").expect("made");
            write(&next.place().join("records"));
            drop(next);
            assert_eq!(names(home), [".plan.new-living-0", ".plan.new-notes.txt", ".plan.new-stranger"]);
            drop(living);
            assert_eq!(names(home), [".plan.new-notes.txt", ".plan.new-stranger"]);
        });
    }

    #[test]
    fn whenever_a_process_is_killed_or_loses_power_the_next_one_removes_its_folder() {
        let work = |home: &Place| -> io::Result<()> {
            let folder = WorkFolder::create(home, ".sexton-", "one")?;
            let contents = folder.place().join("contents");
            contents.files().create_directory(contents.path())?;
            contents.join("records").open(OpenMode::CreateNew)?.write_all_at(b"text", 0)?;
            contents.sync_directory()
        };
        let begin = |seed| {
            let disk = SimulatedDisk::new(seed);
            let home = Place::new(Arc::new(disk.clone()), "home");
            create_directories(home.files(), home.path(), true).expect("made");
            (disk, home)
        };
        let (disk, home) = begin(0);
        let before = disk.operations();
        work(&home).expect("done");
        assert_eq!(names(&home), [""; 0]);
        for (number, seed) in (0..disk.operations() - before).flat_map(|number| (0..32).map(move |seed| (number, seed))) {
            let (disk, home) = begin(seed);
            disk.fail_at(number, DiskFault::PowerLoss);
            let _ = work(&home);
            disk.heal();
            if seed % 2 == 0 {
                disk.kill()
            } else {
                disk.crash()
            }
            drop(WorkFolder::create(&home, ".sexton-", "two").expect("made"));
            assert_eq!(names(&home), [""; 0], "ended at {number}, seed {seed}");
        }
    }

    #[test]
    fn a_folder_that_is_taken_for_one_left_behind_is_begun_anew() {
        let disk = SimulatedDisk::new(1);
        let home = Place::new(Arc::new(disk), "home");
        create_directories(home.files(), home.path(), false).expect("made");
        // Another process has just made it, or is just removing it.
        let other = home.join(".sexton-one-0");
        create_directories(other.files(), other.path(), false).expect("made");
        let lock = other.join(LOCK).open(OpenMode::CreateNew).expect("made");
        assert!(lock.try_lock().expect("locks"));
        let folder = WorkFolder::create(&home, ".sexton-", "one").expect("made");
        assert_eq!(folder.place().path(), home.join(".sexton-one-1").path());
    }
}
