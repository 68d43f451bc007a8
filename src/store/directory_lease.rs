//! The lease of a store in a directory.
//!
//! It is the operating system's lock on a file in the root, so a dead process never holds it. The file remains without a holder,
//! and then blocks nobody. Its contents, the holder's [`LockInfo`], are for people.
//!
//! On a network file system that does not share locks between machines, two machines can both get the lease. The file's contents
//! cannot prevent that: every dead container leaves another host's name too, and a lock that outlives its holder would be worse.
//! The second guard is for that case: an existing object is never created again, and a state is only replaced if it is the one
//! that was loaded.

use std::path::Path;
use std::sync::Arc;

use super::directory_name::{LEASE_FILE, TEMPORARY, access};
use super::files::is_absent;
use super::{FileHandle, Files, Lease, LeaseError, OpenMode, create_directories};
use crate::state::LockInfo;

/// The longest holder's information that is read.
const MOST_BYTES: u64 = 64 * 1024;

/// The lease of a store in a directory.
#[derive(Debug)]
pub(super) struct DirectoryLease {
    file: Arc<dyn FileHandle>,
    left_behind: Option<LockInfo>,
}

/// What [`super::DirectoryStore::force_unlock`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlocked {
    /// Nobody held the lease and nothing was written down.
    NotLocked,
    /// Nobody held the lease; what a dead holder had left was removed.
    Cleared(LockInfo),
    /// Nobody holds the lease, and the last holder was another one than the one named. Nothing was removed.
    OtherHolder(LockInfo),
}

impl DirectoryLease {
    pub fn take(files: &dyn Files, root: &Path, info: &LockInfo) -> Result<Self, LeaseError> {
        create_directories(files, root, false).map_err(access("make the directory", root))?;
        let path = root.join(LEASE_FILE);
        let file = files.open(&path, OpenMode::ReadWrite).map_err(access("open", &path))?;
        lock(&path, &file)?;
        let left_behind = read_info(file.as_ref());
        let text = serde_json::to_vec_pretty(info).map_err(|error| access("write", &path)(error.into()))?;
        rewrite(file.as_ref(), &text).map_err(access("write", &path))?;
        remove_left_behind(files, root);
        Ok(Self { file, left_behind })
    }
}

impl Lease for DirectoryLease {
    fn left_behind(&self) -> Option<&LockInfo> {
        self.left_behind.as_ref()
    }
}

impl Drop for DirectoryLease {
    fn drop(&mut self) {
        // An emptied file says that the holder ended in order. Where it cannot be emptied the next holder only reads a name too
        // many. The lock goes with the file.
        let _ = rewrite(self.file.as_ref(), b"");
    }
}

/// Clears what a dead holder left, if it is the lease of this name.
pub(super) fn force_unlock(files: &dyn Files, root: &Path, id: &str) -> Result<Unlocked, LeaseError> {
    let path = root.join(LEASE_FILE);
    match files.metadata(&path) {
        Err(error) if is_absent(&error) => return Ok(Unlocked::NotLocked),
        there => _ = there.map_err(access("open", &path))?,
    }
    let file = files.open(&path, OpenMode::ReadWrite).map_err(access("open", &path))?;
    lock(&path, &file)?;
    match read_info(file.as_ref()) {
        Some(found) if found.id != id => Ok(Unlocked::OtherHolder(found)),
        Some(found) => {
            rewrite(file.as_ref(), b"").map_err(access("write", &path))?;
            Ok(Unlocked::Cleared(found))
        }
        None => Ok(Unlocked::NotLocked),
    }
}

fn lock(path: &Path, file: &Arc<dyn FileHandle>) -> Result<(), LeaseError> {
    match file.try_lock() {
        Ok(true) => Ok(()),
        Ok(false) => Err(LeaseError::Held(read_info(file.as_ref()).map(Box::new))),
        Err(error) => Err(access("lock", path)(error).into()),
    }
}

/// What is written in the file; `None` when that is nothing, or nothing that makes sense, as while the holder is writing it.
fn read_info(file: &dyn FileHandle) -> Option<LockInfo> {
    serde_json::from_slice(&file.read_whole(MOST_BYTES).ok()?).ok()
}

fn rewrite(file: &dyn FileHandle, bytes: &[u8]) -> std::io::Result<()> {
    file.set_length(0)?;
    file.write_all_at(bytes, 0)
}

/// Removes the temporary files of killed processes: those whose lock is free. Some may be written without the lease, so that a lock
/// that is held says that one is in use. What cannot be removed stays for the next time.
fn remove_left_behind(files: &dyn Files, root: &Path) {
    for name in files.list(root).unwrap_or_default() {
        let path = root.join(&name);
        if name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
            && let Ok(file) = files.open(&path, OpenMode::Read)
            && let Ok(true) = file.try_lock()
        {
            let _ = files.remove_file(&path);
        }
    }
}
