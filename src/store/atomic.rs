//! Files and directories that are there as a whole or not at all.

use std::io;

use super::work_folder::remove_left_behind;
use super::{FileError, OpenMode, Place, WorkFolder, create_directories};

/// Writes a file so that there is either what was there before or all of the bytes, whatever happens, and it is durable on return. No
/// other process has the same `tag`.
///
/// # Errors
///
/// When the bytes cannot be written beside the file, made durable, or moved into place; there is then what was there before,
/// unless the very last step (making the directory durable) failed.
pub fn write_atomically(place: &Place, bytes: &[u8], tag: &str) -> Result<(), FileError> {
    let parent = place.parent();
    let folder = WorkFolder::create(&parent, &beside(place, "new-"), tag)?;
    let written = folder.place().join("file");
    write_durably(&written, bytes)?;
    place.files().rename(written.path(), place.path()).map_err(FileError::at("put in place", place.path()))?;
    parent.sync_directory().map_err(FileError::at("make durable", parent.path()))
}

/// Writes a file that nobody looks for yet. Its bytes are durable on return; its name is not.
pub(super) fn write_durably(place: &Place, bytes: &[u8]) -> Result<(), FileError> {
    let written = place.open(OpenMode::CreateNew).and_then(|file| {
        file.write_all_at(bytes, 0)?;
        file.sync()
    });
    written.map_err(FileError::at("write", place.path()))
}

/// The name of something beside a place: hidden, and with the given ending.
fn beside(place: &Place, ending: &str) -> String {
    format!(".{}.{ending}", place.path().file_name().unwrap_or_default().to_string_lossy())
}

/// A directory under construction beside the one it will replace.
///
/// It is removed when it is dropped. One that a killed process left behind is removed by the next
/// [`StagedDirectory::create`] or [`repair_replacement`] for the same place; one that a running process is writing is not.
#[must_use = "a staged directory replaces nothing until it is put in place"]
pub struct StagedDirectory {
    target: Place,
    folder: WorkFolder,
    contents: Place,
}

impl StagedDirectory {
    /// An empty directory that will replace `target`, whose parent is made if need be. No other process has the same `tag`.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made, or an interrupted replacement cannot be repaired.
    pub fn create(target: &Place, tag: &str) -> Result<Self, FileError> {
        // What has no name of its own, such as `.`, has nothing beside it.
        let resolved = || target.files().resolve(target.path()).map_err(FileError::at("find", target.path()));
        let target = &if target.path().file_name().is_some() { target.clone() } else { target.at(resolved()?) };
        let parent = target.parent();
        create_directories(target.files(), parent.path(), true)
            .map_err(FileError::at("make the directory", parent.path()))?;
        repair_replacement(target)?;
        let folder = WorkFolder::create(&parent, &beside(target, "new-"), tag)?;
        let contents = folder.place().join("contents");
        contents.files().create_directory(contents.path()).map_err(FileError::at("make", contents.path()))?;
        Ok(Self { target: target.clone(), folder, contents })
    }

    /// Where to write what will be in place.
    pub fn contents(&self) -> &Place {
        &self.contents
    }

    /// Where to write what is of use only meanwhile.
    pub fn scratch(&self) -> &Place {
        self.folder.place()
    }

    /// Puts the directory in the place of the old one, which is removed. The files in it are already durable, and so are the names in
    /// directories below it.
    ///
    /// Between the two renames neither is in place; a process killed there leaves the old one under a hidden name, and
    /// [`repair_replacement`] puts it back.
    ///
    /// # Errors
    ///
    /// When a rename fails; the old directory is then still in place, or put back by the next start.
    pub fn put_in_place(self) -> Result<(), FileError> {
        let (target, contents, files) = (&self.target, &self.contents, self.target.files());
        contents.sync_directory().map_err(FileError::at("make durable", contents.path()))?;
        let previous = previous(target);
        if target.metadata().is_ok() {
            files.rename(target.path(), previous.path()).map_err(FileError::at("move away", target.path()))?;
        }
        if let Err(source) = files.rename(contents.path(), target.path()) {
            // The error that matters is the first one; what cannot be put back now is put back by the next start.
            let _ = files.rename(previous.path(), target.path());
            return Err(FileError::at("put in place", target.path())(source));
        }
        remove_replaced(target)
    }
}

/// Where the directory lies that is just being replaced.
fn previous(target: &Place) -> Place {
    target.at(target.path().with_file_name(beside(target, "previous")))
}

/// Ends a replacement that a killed process left half done: puts the old directory back when nothing is in its place,
/// and removes it when the new one is. Staged directories of the dead are removed.
///
/// # Errors
///
/// When the old one cannot be moved or removed.
pub fn repair_replacement(target: &Place) -> Result<(), FileError> {
    remove_left_behind(&target.parent(), &beside(target, "new-"));
    let previous = previous(target);
    if previous.metadata().is_err() {
        return Ok(());
    }
    if target.metadata().is_ok() {
        return remove_replaced(target);
    }
    target.files().rename(previous.path(), target.path()).map_err(FileError::at("put back", target.path()))
}

/// Removes the old directory, once the new one is sure to stay.
fn remove_replaced(target: &Place) -> Result<(), FileError> {
    let (parent, previous) = (target.parent(), previous(target));
    parent.sync_directory().map_err(FileError::at("make durable", parent.path()))?;
    match target.files().remove_directory(previous.path()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::at("remove", previous.path())(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::{DiskFault, Files, SimulatedDisk};

    fn names(place: &Place) -> Vec<String> {
        place.list().expect("listed").iter().map(|name| name.to_string_lossy().into_owned()).collect()
    }

    fn read(place: &Place) -> Option<Vec<u8>> {
        place.open(OpenMode::Read).ok().map(|file| file.read_whole(1 << 20).expect("readable"))
    }

    fn replace(target: &Place, text: &str) -> Result<(), FileError> {
        let staged = StagedDirectory::create(target, "one")?;
        write_durably(&staged.contents().join("file"), text.as_bytes())?;
        staged.put_in_place()
    }

    #[test]
    fn replaces_a_file_and_leaves_nothing_beside_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = Place::of_machine(directory.path()).join("file");
        write_atomically(&file, b"one", "one").expect("writable");
        write_atomically(&file, b"two", "one").expect("writable");
        assert_eq!(read(&file), Some(b"two".to_vec()));
        assert_eq!(names(&file.parent()), ["file"]);
    }

    #[test]
    fn a_file_is_old_or_new_whenever_the_power_goes() {
        let begin = |seed| {
            let disk = SimulatedDisk::new(seed);
            let file = Place::new(Arc::new(disk.clone()), "file");
            write_atomically(&file, b"old", "one").expect("written");
            (disk, file)
        };
        let (disk, file) = begin(0);
        let before = disk.operations();
        write_atomically(&file, b"new", "one").expect("written");
        for (number, seed) in (0..=disk.operations() - before).flat_map(|number| (0..16).map(move |seed| (number, seed))) {
            let (disk, file) = begin(seed);
            disk.fail_at(number, DiskFault::PowerLoss);
            let done = write_atomically(&file, b"new", "one").is_ok();
            disk.heal();
            disk.crash();
            let found = read(&file).expect("there");
            assert!(found == b"new" || found == b"old" && !done, "power lost at {number}, seed {seed}: {found:?}");
        }
    }

    #[test]
    fn says_which_file_cannot_be_written() {
        let file = Place::new(Arc::new(SimulatedDisk::new(1)), "file");
        write_atomically(&file, b"text", "one").expect("written");
        let error = write_atomically(&file.join("below"), b"", "one").expect_err("no directory");
        assert_eq!(error.to_string(), "could not make `file/.below.new-one-0`");
    }

    #[test]
    fn replaces_a_directory_and_leaves_nothing_beside_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = Place::of_machine(directory.path()).join("deep/plan");
        for text in ["one", "two"] {
            replace(&target, text).expect("writable");
            assert_eq!(read(&target.join("file")), Some(text.into()));
            assert_eq!(names(&target.parent()), ["plan"]);
            assert_eq!(names(&target), ["file"]);
        }
        drop(StagedDirectory::create(&target, "one").expect("writable"));
        assert_eq!(read(&target.join("file")), Some(b"two".to_vec()));
        assert_eq!(names(&target.parent()), ["plan"]);
    }

    #[test]
    fn of_two_who_replace_one_directory_the_later_one_stays() {
        let target = Place::new(Arc::new(SimulatedDisk::new(1)), "plan");
        let slow = StagedDirectory::create(&target, "slow").expect("writable");
        write_durably(&slow.contents().join("file"), b"slow").expect("written");
        replace(&target, "quick").expect("writable");
        repair_replacement(&target).expect("repaired");
        slow.put_in_place().expect("writable");
        assert_eq!(read(&target.join("file")), Some(b"slow".to_vec()));
        assert_eq!(names(&target.parent()), ["plan"]);
    }

    #[test]
    fn a_repair_that_loses_power_itself_loses_nothing() {
        let begin = |seed, killed_at| {
            let disk = SimulatedDisk::new(seed);
            let target = Place::new(Arc::new(disk.clone()), "plan");
            replace(&target, "old").expect("written");
            disk.fail_at(killed_at, DiskFault::PowerLoss);
            let done = replace(&target, "new").is_ok();
            disk.heal();
            disk.kill();
            (disk, target, done)
        };
        assert!(begin(0, 32).2, "a replacement has fewer operations");
        for killed_at in 0..32 {
            for (number, seed) in (0..16).flat_map(|number| (0..4).map(move |seed| (number, seed))) {
                let (disk, target, done) = begin(seed, killed_at);
                disk.fail_at(number, DiskFault::PowerLoss);
                let _ = repair_replacement(&target);
                disk.heal();
                disk.crash();
                repair_replacement(&target).expect("repaired");
                let found = read(&target.join("file")).expect("there");
                let at = format!("killed at {killed_at}, power lost at {number}, seed {seed}");
                assert!(found == b"new" || found == b"old" && !done, "{at}: {found:?}");
                assert_eq!(disk.list(std::path::Path::new("/")).expect("listed"), ["plan"], "{at}");
            }
        }
    }
}
