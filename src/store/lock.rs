//! One writer of a state at a time.
//!
//! The lock is the operating system's own lock on a file beside the state, so a dead process holds none, however it
//! died. The file stays when nobody holds it and blocks nobody. What is written in it, the holder's [`LockInfo`], is
//! for people.
//!
//! On a network file system that does not carry locks from one machine to another, two machines can both get the lock.
//! The information in the file cannot help there: a name of another host is what every dead container leaves behind
//! too, and a lock that outlives its holder is the worse evil. The second guard is for that case: a save notices that
//! the state is not the one it was loaded from ([`StateError::Moved`]), and the journal of a run is the run's own.

#![expect(clippy::disallowed_methods, reason = "an adapter: files are its business")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};

use super::state_file::Seen;
use super::{FileError, StateError, StateStore, parent_of};
use crate::state::{LockInfo, State};

/// The longest holder's information that is read.
const MOST_BYTES: u64 = 64 * 1024;

/// Why the lock was not taken, or not released.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A running process holds it.
    #[error("the state is locked by {}", shown(.0))]
    Held(Option<Box<LockInfo>>),
    /// Nobody holds it, and the last holder was another one than the one named.
    #[error("the last holder of the lock was not `{asked}` but `{}`: name that one", .found.id)]
    OtherHolder {
        /// The holder asked for.
        asked: String,
        /// The one that is written down.
        found: Box<LockInfo>,
    },
    /// The lock file cannot be made, locked or written; some network file systems have no locks.
    #[error(transparent)]
    File(#[from] FileError),
}

fn shown(holder: &Option<Box<LockInfo>>) -> String {
    match holder {
        Some(info) => {
            let LockInfo { id, operation, who, process, version, created } = info.as_ref();
            format!("`sexton {operation}` of {who} (process {process}, since {created}, version {version}, lock {id})")
        }
        None => "a process that has not said yet who it is: try again".into(),
    }
}

/// What [`StateStore::force_unlock`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlocked {
    /// Nobody held the lock and nothing was written down.
    NotLocked,
    /// Nobody held the lock; what a dead holder had left was removed.
    Cleared(LockInfo),
}

/// The state, with its lock held. Only this can write it; the lock goes when this does, or when the process dies.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct LockedState {
    store: StateStore,
    lock: File,
    left_behind: Option<LockInfo>,
    seen: Seen,
}

impl StateStore {
    /// Takes the lock, writes `info` into it, and does not wait.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] with the holder when somebody has it.
    pub fn lock(&self, info: &LockInfo) -> Result<LockedState, LockError> {
        let path = self.lock_path();
        let parent = parent_of(&path);
        fs::create_dir_all(parent).map_err(FileError::at("make the directory", parent))?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(FileError::at("open", &path))?;
        self.try_lock(&mut lock)?;
        let left_behind = read_info(&mut lock);
        let text = serde_json::to_vec_pretty(info).map_err(|error| FileError::at("write", &path)(error.into()))?;
        rewrite(&mut lock, &text).map_err(FileError::at("write", &path))?;
        Ok(LockedState { store: self.clone(), lock, left_behind, seen: Seen::default() })
    }

    /// Clears what a dead holder left in the lock file. It takes no lock away: a running holder keeps its own, and is
    /// named in the error so that it can be ended first. `id` is the lock's own name, so that nobody clears another
    /// lock than the one they looked at.
    ///
    /// It is never needed for the next run, since a dead process holds no lock.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] when a process holds the lock, [`LockError::OtherHolder`] when `id` is not the last
    /// holder's.
    pub fn force_unlock(&self, id: &str) -> Result<Unlocked, LockError> {
        let path = self.lock_path();
        let mut lock = match OpenOptions::new().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Unlocked::NotLocked),
            opened => opened.map_err(FileError::at("open", &path))?,
        };
        self.try_lock(&mut lock)?;
        match read_info(&mut lock) {
            Some(found) if found.id != id => Err(LockError::OtherHolder { asked: id.into(), found: Box::new(found) }),
            Some(found) => {
                rewrite(&mut lock, b"").map_err(FileError::at("write", &path))?;
                Ok(Unlocked::Cleared(found))
            }
            None => Ok(Unlocked::NotLocked),
        }
    }

    fn try_lock(&self, lock: &mut File) -> Result<(), LockError> {
        match lock.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(LockError::Held(read_info(lock).map(Box::new))),
            Err(TryLockError::Error(error)) => Err(FileError::at("lock", &self.lock_path())(error).into()),
        }
    }
}

impl LockedState {
    /// What the holder before left behind, when it was killed: its run may have to be continued.
    pub fn left_behind(&self) -> Option<&LockInfo> {
        self.left_behind.as_ref()
    }

    /// Reads the state; `None` when there is none yet. A save replaces what the last load or save saw, and nothing
    /// else.
    ///
    /// # Errors
    ///
    /// As [`StateStore::load`].
    pub fn load(&mut self) -> Result<Option<State>, StateError> {
        self.seen.load(&self.store)
    }

    /// Replaces the state that was loaded by `next`, and keeps the old one as the backup. Sets the serial of `next` to
    /// one more than that of the old one; when nothing else differs, nothing is written and the serial is the old one.
    ///
    /// # Errors
    ///
    /// [`StateError::Moved`] when the file is not the one that was loaded, [`StateError::OtherLineage`] when `next`
    /// belongs to another project. The file is then as it was.
    pub fn save(&mut self, next: &mut State) -> Result<(), StateError> {
        self.seen.save(&self.store, next)
    }
}

impl Drop for LockedState {
    fn drop(&mut self) {
        // An emptied file says that the holder ended in order. Where it cannot be emptied the next holder only reads a
        // name too many.
        let _ = rewrite(&mut self.lock, b"");
        let _ = self.lock.unlock();
    }
}

/// What is written in the lock file; `None` when that is nothing, or nothing that makes sense, as while the holder is
/// writing it.
fn read_info(lock: &mut File) -> Option<LockInfo> {
    let mut bytes = Vec::new();
    lock.rewind().ok()?;
    lock.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn rewrite(lock: &mut File, bytes: &[u8]) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    lock.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::base::Digest;

    fn info(id: &str) -> LockInfo {
        LockInfo {
            id: id.into(),
            operation: "apply".into(),
            who: "ada@host".into(),
            process: 42,
            version: "0.1.0".into(),
            created: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn store() -> (tempfile::TempDir, StateStore) {
        let home = tempfile::tempdir().expect("a directory");
        let store = StateStore::new(home.path().join("deep/sexton.state.json"));
        (home, store)
    }

    fn saved(store: &StateStore, plans: u8) -> State {
        let mut locked = store.lock(&info("one")).expect("free");
        let mut state = locked.load().expect("readable").unwrap_or_else(|| State::new("lineage", "0.1.0"));
        for plan in 0..plans {
            state.consume(Digest::of(&[plan]), jiff::Timestamp::UNIX_EPOCH).expect("unused");
        }
        locked.save(&mut state).expect("writable");
        state
    }

    #[test]
    fn a_second_holder_is_told_who_the_first_one_is() {
        let (_home, store) = store();
        let first = store.lock(&info("one")).expect("free");
        let refused = store.lock(&info("two")).expect_err("held");
        assert_snapshot!(refused, @r"
        the state is locked by `sexton apply` of ada@host (process 42, since 1970-01-01T00:00:00Z, version 0.1.0, lock one)
        ");
        drop(first);
        let second = store.lock(&info("two")).expect("free again");
        assert_eq!(second.left_behind(), None);
    }

    #[test]
    fn what_a_dead_holder_left_blocks_nobody_and_is_told() {
        let (_home, store) = store();
        drop(store.lock(&info("one")).expect("free"));
        fs::write(store.lock_path(), serde_json::to_vec(&info("dead")).expect("writable")).expect("writable");
        let next = store.lock(&info("two")).expect("free");
        assert_eq!(next.left_behind(), Some(&info("dead")));
    }

    #[test]
    fn force_unlock_clears_what_the_dead_left_and_takes_nothing_from_the_living() {
        let (_home, store) = store();
        assert_eq!(store.force_unlock("one").expect("no file"), Unlocked::NotLocked);
        let held = store.lock(&info("one")).expect("free");
        assert!(matches!(store.force_unlock("one"), Err(LockError::Held(Some(holder))) if holder.process == 42));
        drop(held);
        assert_eq!(store.force_unlock("one").expect("free"), Unlocked::NotLocked);
        fs::write(store.lock_path(), serde_json::to_vec(&info("dead")).expect("writable")).expect("writable");
        let refused = store.force_unlock("one").expect_err("another");
        assert_eq!(refused.to_string(), "the last holder of the lock was not `one` but `dead`: name that one");
        assert_eq!(store.force_unlock("dead").expect("free"), Unlocked::Cleared(info("dead")));
        assert_eq!(store.force_unlock("dead").expect("free"), Unlocked::NotLocked);
    }

    #[test]
    fn counts_the_saves_that_change_something_and_keeps_the_one_before() {
        let (_home, store) = store();
        assert_eq!(store.load().expect("readable"), None);
        assert_eq!(saved(&store, 0).serial, 1);
        let first = fs::read(store.path()).expect("readable");
        let written = fs::metadata(store.path()).and_then(|metadata| metadata.modified()).expect("readable");
        assert_eq!(saved(&store, 0).serial, 1);
        assert_eq!(fs::metadata(store.path()).and_then(|metadata| metadata.modified()).expect("readable"), written);
        assert!(!store.backup_path().exists());
        let second = saved(&store, 1);
        assert_eq!(second.serial, 2);
        assert_eq!(store.load().expect("readable"), Some(second));
        assert_eq!(fs::read(store.backup_path()).expect("readable"), first);
    }

    #[test]
    fn one_holder_can_save_more_than_once() {
        let (_home, store) = store();
        let mut locked = store.lock(&info("one")).expect("free");
        assert_eq!(locked.load().expect("readable"), None);
        let mut state = State::new("lineage", "0.1.0");
        for number in 1..=3_u8 {
            state.consume(Digest::of(&[number]), jiff::Timestamp::UNIX_EPOCH).expect("unused");
            locked.save(&mut state).expect("writable");
            assert_eq!(state.serial, u64::from(number));
        }
    }

    #[test]
    fn notices_a_writer_that_ignores_the_lock() {
        let (_home, store) = store();
        saved(&store, 0);
        let mut locked = store.lock(&info("one")).expect("free");
        let mut state = locked.load().expect("readable").expect("saved");
        let other = State { serial: 7, ..state.clone() };
        fs::write(store.path(), serde_json::to_vec(&other).expect("writable")).expect("writable");
        state.tool = "0.2.0".into();
        let refused = locked.save(&mut state).expect_err("moved").to_string();
        assert!(refused.contains("there was lineage lineage serial 1 and there is lineage lineage serial 7"), "{refused}");
        assert_eq!(store.load().expect("readable"), Some(other));
    }

    #[test]
    fn a_save_without_a_load_replaces_nothing() {
        let (_home, store) = store();
        let before = saved(&store, 1);
        let mut locked = store.lock(&info("one")).expect("free");
        assert!(matches!(locked.save(&mut State::new("other", "0.1.0")), Err(StateError::Moved { .. })));
        locked.load().expect("readable");
        assert!(matches!(locked.save(&mut State::new("other", "0.1.0")), Err(StateError::OtherLineage { .. })));
        assert_eq!(store.load().expect("readable"), Some(before));
    }

    #[test]
    fn says_what_is_wrong_with_a_state() {
        let (home, store) = store();
        saved(&store, 0);
        saved(&store, 1);
        let good = fs::read_to_string(store.path()).expect("readable");
        let wrong = |text: &str| {
            fs::write(store.path(), text).expect("writable");
            let error = store.load().expect_err("wrong").to_string();
            error.replace(&home.path().display().to_string(), "HOME")
        };
        let mut lines = vec![
            wrong(&good.replace("\"version\": 1", "\"version\": 2")),
            wrong(&good.replace("\"version\": 1", "\"version\": 0")),
            wrong(&good.replace("\"serial\"", "\"serials\"")),
            wrong(&good[..good.len() / 2]),
            wrong(""),
        ];
        fs::remove_file(store.backup_path()).expect("removed");
        lines.push(wrong("[]"));
        assert_snapshot!(lines.join("\n"), @r"
        the state `HOME/deep/sexton.state.json` has version 2, and this version of sexton knows version 1: use a newer sexton
        the state `HOME/deep/sexton.state.json` cannot be understood: there is no version 0; the backup `HOME/deep/sexton.state.json.backup` is good (serial 1): move it to the state's place
        the state `HOME/deep/sexton.state.json` cannot be understood: unknown field `serials`, expected one of `version`, `lineage`, `serial`, `tool`, `consumed`, `policies` at line 4 column 11; the backup `HOME/deep/sexton.state.json.backup` is good (serial 1): move it to the state's place
        the state `HOME/deep/sexton.state.json` cannot be understood: EOF while parsing a string at line 8 column 39; the backup `HOME/deep/sexton.state.json.backup` is good (serial 1): move it to the state's place
        the state `HOME/deep/sexton.state.json` cannot be understood: EOF while parsing a value at line 1 column 0; the backup `HOME/deep/sexton.state.json.backup` is good (serial 1): move it to the state's place
        the state `HOME/deep/sexton.state.json` cannot be understood: invalid length 0, expected struct Version with 1 element at line 1 column 2; there is no good backup of it: restore the file from where you keep copies
        ");
    }
}
