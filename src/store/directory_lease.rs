//! The right to write to a store in a directory.
//!
//! It is the operating system's own lock on a file in the root, so a dead process holds none, however it died. The file stays when
//! nobody holds the lock and blocks nobody. What is written in it, the holder's [`LockInfo`], is for people.
//!
//! On a network file system that does not carry locks from one machine to another, two machines can both get it. The information
//! in the file cannot help there: a name of another host is what every dead container leaves behind too, and a lock that outlives its
//! holder is the worse evil. The second guard is for that case: nobody creates what is there, and a state is not replaced that is
//! not the one that was loaded.

use std::path::PathBuf;
use std::sync::Arc;

use super::directory_store::{Inner, TEMPORARY, is_absent};
use super::{DirectoryStore, FileHandle, Lease, LeaseError, OpenMode, create_directories};
use crate::state::LockInfo;

/// The file whose lock is the lease.
pub(super) const LEASE_FILE: &str = "lease";

/// The longest holder's information that is read.
const MOST_BYTES: u64 = 64 * 1024;

/// The lease of a store in a directory.
#[derive(Debug)]
pub(super) struct DirectoryLease {
    file: Arc<dyn FileHandle>,
    left_behind: Option<LockInfo>,
}

/// What [`DirectoryStore::force_unlock`] found.
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
    pub fn take(inner: &Inner, info: &LockInfo) -> Result<Self, LeaseError> {
        create_directories(inner.files.as_ref(), &inner.root, false)
            .map_err(inner.access("make the directory", &inner.root))?;
        let path = inner.root.join(LEASE_FILE);
        let file = inner.files.open(&path, OpenMode::ReadWrite).map_err(inner.access("open", &path))?;
        lock(inner, &file)?;
        let left_behind = read_info(file.as_ref());
        let text = serde_json::to_vec_pretty(info).map_err(|error| inner.access("write", &path)(error.into()))?;
        rewrite(file.as_ref(), &text).map_err(inner.access("write", &path))?;
        remove_left_behind(inner);
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

impl DirectoryStore {
    /// Clears what a dead holder left in the lease. It takes no lease away: a running holder keeps its own, and is named in the
    /// error so that it can be ended first. `id` is the lease's own name, so that nobody clears another than the one they looked at.
    ///
    /// It is never needed for the next run, since a dead process holds nothing.
    ///
    /// # Errors
    ///
    /// [`LeaseError::Held`] when a process holds the lease.
    pub async fn force_unlock(&self, id: &str) -> Result<Unlocked, LeaseError> {
        let id = id.to_owned();
        self.work(move |inner| Ok(force_unlock(inner, &id))).await?
    }
}

fn force_unlock(inner: &Inner, id: &str) -> Result<Unlocked, LeaseError> {
    let path = inner.root.join(LEASE_FILE);
    match inner.files.metadata(&path) {
        Err(error) if is_absent(&error) => return Ok(Unlocked::NotLocked),
        there => _ = there.map_err(inner.access("open", &path))?,
    }
    let file = inner.files.open(&path, OpenMode::ReadWrite).map_err(inner.access("open", &path))?;
    lock(inner, &file)?;
    match read_info(file.as_ref()) {
        Some(found) if found.id != id => Ok(Unlocked::OtherHolder(found)),
        Some(found) => {
            rewrite(file.as_ref(), b"").map_err(inner.access("write", &path))?;
            Ok(Unlocked::Cleared(found))
        }
        None => Ok(Unlocked::NotLocked),
    }
}

fn lock(inner: &Inner, file: &Arc<dyn FileHandle>) -> Result<(), LeaseError> {
    let path: PathBuf = inner.root.join(LEASE_FILE);
    match file.try_lock() {
        Ok(true) => Ok(()),
        Ok(false) => Err(LeaseError::Held(read_info(file.as_ref()).map(Box::new))),
        Err(error) => Err(inner.access("lock", &path)(error).into()),
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
fn remove_left_behind(inner: &Inner) {
    for name in inner.files.list(&inner.root).unwrap_or_default() {
        let path = inner.root.join(&name);
        if name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
            && let Ok(file) = inner.files.open(&path, OpenMode::Read)
            && let Ok(true) = file.try_lock()
        {
            let _ = inner.files.remove_file(&path);
        }
    }
}
