//! A store in a directory.
//!
//! An object is a file, named after its key. It is written under a temporary name in the root, made durable and then given its
//! name in one atomic step: a link, which fails if the name exists, or a rename, which replaces. So no reader sees half an object,
//! not even after a crash.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::directory_lease::{DirectoryLease, Unlocked, force_unlock};
use super::directory_name::{TEMPORARY, access, name_of, part_of, shown};
use super::files::is_absent;
use super::{
    Backend, FileHandle, Files, Key, Lease, LeaseError, MOST_OBJECT_BYTES, Object, OpenMode, StoreError, Version,
    create_directories, parent_of,
};
use crate::state::LockInfo;

/// The file whose lock is held while an object is replaced or removed.
const REPLACE_LOCK: &str = ".lock";

/// How often a write is tried again if its temporary file or the object's directory was removed meanwhile.
const ATTEMPTS: u32 = 16;

/// A store in a directory, which need not be there yet. Every process that works on it has one of its own.
///
/// The file system must have links and locks. Where locks do not reach from one machine to another, as on some network file
/// systems, `create` keeps its promise and `replace` does not.
#[derive(Clone, Debug)]
pub struct DirectoryStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    files: Arc<dyn Files>,
    root: PathBuf,
    /// Makes temporary names that no other process has.
    tag: String,
    written: AtomicU64,
    known: Mutex<Known>,
}

/// What this process knows to be durable.
#[derive(Debug, Default)]
struct Known {
    /// Directories whose own name is.
    settled: HashSet<PathBuf>,
    /// Directories in which every name is that was there when this process first read in it.
    synced: HashSet<PathBuf>,
}

impl DirectoryStore {
    /// The store in `root`. No other process has the same `tag`, which is letters, digits and `-`.
    pub fn new(files: Arc<dyn Files>, root: impl Into<PathBuf>, tag: impl Into<String>) -> Self {
        let (root, tag) = (root.into(), tag.into());
        let (written, known) = (AtomicU64::new(0), Mutex::default());
        Self { inner: Arc::new(Inner { files, root, tag, written, known }) }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Clears what a dead holder left in the lease file. A running holder keeps its lease, and the error names it so that it can
    /// be ended first. `id` is that of the lease, so that only the intended one is cleared.
    ///
    /// It is never needed for the next run, since a dead process holds no lease.
    ///
    /// # Errors
    ///
    /// [`LeaseError::Held`] when a process holds the lease.
    pub async fn force_unlock(&self, id: &str) -> Result<Unlocked, LeaseError> {
        let id = id.to_owned();
        self.work(move |inner| Ok(force_unlock(inner.files.as_ref(), &inner.root, &id))).await?
    }

    /// Does work on files, on a thread that may wait where that is needed.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if !self.inner.files.may_wait() {
            // Other tasks may run meanwhile, as they do beside a blocking thread.
            tokio::task::yield_now().await;
            return work(&self.inner);
        }
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.unwrap_or_else(|error| Err(access("work on", &self.inner.root)(io::Error::other(error))))
    }
}

#[async_trait]
impl Backend for DirectoryStore {
    async fn read(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        let path = self.inner.path(key);
        self.work(move |inner| inner.read(&path)).await
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Version, StoreError> {
        let path = self.inner.path(key);
        self.work(move |inner| inner.create(&path, &bytes)).await
    }

    async fn replace(&self, key: &Key, bytes: Vec<u8>, version: &Version) -> Result<Version, StoreError> {
        let (path, version) = (self.inner.path(key), version.clone());
        self.work(move |inner| inner.replace(&path, &bytes, &version)).await
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let prefix = prefix.clone();
        self.work(move |inner| inner.list(&prefix)).await
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        let path = self.inner.path(key);
        self.work(move |inner| inner.remove(&path)).await
    }

    async fn lease(&self, info: &LockInfo) -> Result<Box<dyn Lease>, LeaseError> {
        let info = info.clone();
        let lease = self.work(move |inner| Ok(DirectoryLease::take(inner.files.as_ref(), &inner.root, &info))).await??;
        Ok(Box::new(lease))
    }

    fn place(&self, key: &Key) -> String {
        shown(&self.inner.path(key))
    }
}

/// A file that is being written. Its lock is held, so that others can tell it from one left behind.
struct Temporary<'a> {
    inner: &'a Inner,
    path: PathBuf,
    _handle: Arc<dyn FileHandle>,
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        // It was moved away, or is not needed any more. What cannot be removed is removed by the next holder of the lease.
        let _ = self.inner.files.remove_file(&self.path);
    }
}

impl Inner {
    fn path(&self, key: &Key) -> PathBuf {
        let mut path = self.root.clone();
        path.extend(key.as_str().split('/').map(name_of));
        path
    }

    fn read(&self, path: &Path) -> Result<Option<Object>, StoreError> {
        let opened = match self.files.open(path, OpenMode::Read) {
            Err(error) if is_absent(&error) => return Ok(None),
            opened => opened.map_err(access("read", path))?,
        };
        let bytes = opened.read_whole(MOST_OBJECT_BYTES as u64).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => StoreError::Damaged { place: shown(path), why: error.to_string() },
            _ => access("read", path)(error),
        })?;
        // Whoever reads it relies on it.
        self.settle_names(parent_of(path))?;
        let version = Version::of_content(&bytes);
        Ok(Some(Object { bytes, version }))
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> Result<Version, StoreError> {
        self.refuse_large(path, bytes)?;
        let exists = || StoreError::Exists { place: shown(path) };
        // Asked first only to save the writing: the link is what decides.
        if self.files.metadata(path).is_ok() {
            return Err(exists());
        }
        self.write(path, bytes, |temporary| match self.files.link(temporary, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Err(exists())),
            linked => linked.map(Ok),
        })
    }

    fn replace(&self, path: &Path, bytes: &[u8], version: &Version) -> Result<Version, StoreError> {
        self.refuse_large(path, bytes)?;
        let changed = || StoreError::Changed { place: shown(path) };
        let Some(_lock) = self.lock_replacing()? else { return Err(changed()) };
        if self.read(path)?.is_none_or(|found| found.version != *version) {
            return Err(changed());
        }
        self.write(path, bytes, |temporary| {
            self.files.copy_permissions(path, temporary)?;
            self.files.rename(temporary, path).map(Ok)
        })
    }

    /// Writes a durable temporary file, which `name` gives its name, and makes that durable.
    fn write(
        &self,
        path: &Path,
        bytes: &[u8],
        name: impl Fn(&Path) -> io::Result<Result<(), StoreError>>,
    ) -> Result<Version, StoreError> {
        let directory = parent_of(path);
        let mut attempt = 1;
        loop {
            create_directories(self.files.as_ref(), directory, false).map_err(access("make the directory", directory))?;
            let temporary = self.temporary(bytes)?;
            match name(&temporary.path) {
                // The directory was empty and is removed, or somebody thought the temporary file was left behind.
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS => attempt += 1,
                named => {
                    named.map_err(access("write", path))??;
                    break;
                }
            }
        }
        self.files.sync_directory(directory).map_err(access("make durable", directory))?;
        self.settle(directory)?;
        Ok(Version::of_content(bytes))
    }

    fn temporary(&self, bytes: &[u8]) -> Result<Temporary<'_>, StoreError> {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let path = self.root.join(format!("{TEMPORARY}{}-{number}", self.tag));
        let made = self.files.open(&path, OpenMode::CreateNew).map_err(access("make", &path))?;
        let temporary = Temporary { inner: self, path, _handle: Arc::clone(&made) };
        let written = made.lock().and_then(|()| made.write_all_at(bytes, 0)).and_then(|()| made.sync());
        written.map_err(access("write", &temporary.path))?;
        Ok(temporary)
    }

    /// The lock under which objects are replaced and removed; `None` where the store is not there yet.
    fn lock_replacing(&self) -> Result<Option<Arc<dyn FileHandle>>, StoreError> {
        let path = self.root.join(REPLACE_LOCK);
        let opened = match self.files.open(&path, OpenMode::ReadWrite) {
            Err(error) if is_absent(&error) => return Ok(None),
            opened => opened.map_err(access("open", &path))?,
        };
        opened.lock().map_err(access("lock", &path))?;
        Ok(Some(opened))
    }

    fn refuse_large(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.len() <= MOST_OBJECT_BYTES {
            return Ok(());
        }
        let cause = format!("{} bytes are more than the {MOST_OBJECT_BYTES} of an object", bytes.len());
        Err(access("write", path)(io::Error::new(io::ErrorKind::FileTooLarge, cause)))
    }

    /// Makes the names of a directory and of those above it durable, once per process.
    ///
    /// A directory that another process removes and creates again meanwhile may be wrongly considered durable. That is harmless:
    /// only empty ones are removed, and a run is not removed while another process works on it.
    fn settle(&self, directory: &Path) -> Result<(), StoreError> {
        if directory == Path::new(".") || self.is_known(|known| &known.settled, directory) {
            return Ok(());
        }
        let Some(parent) = directory.parent().map(|_| parent_of(directory)) else { return Ok(()) };
        self.settle(parent)?;
        match self.files.sync_directory(parent) {
            // Those above the root are not ours: one that may not be read, or has nothing to sync, was made by somebody else.
            Err(error)
                if !parent.starts_with(&self.root)
                    && matches!(
                        error.kind(),
                        io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput
                    ) => {}
            synced => synced.map_err(access("make durable", parent))?,
        }
        self.known().settled.insert(directory.to_owned());
        Ok(())
    }

    /// Makes the names that are in a directory now durable, once for this process: whoever made one may have been killed before it was.
    fn settle_names(&self, directory: &Path) -> Result<(), StoreError> {
        if !self.is_known(|known| &known.synced, directory) {
            self.files.sync_directory(directory).map_err(access("make durable", directory))?;
            self.settle(directory)?;
            self.known().synced.insert(directory.to_owned());
        }
        Ok(())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_known(&self, of: impl Fn(&Known) -> &HashSet<PathBuf>, directory: &Path) -> bool {
        of(&self.known()).contains(directory)
    }

    fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let mut keys = Vec::new();
        let mut waiting = vec![(self.path(prefix), prefix.as_str().to_owned())];
        while let Some((directory, key)) = waiting.pop() {
            let names = match self.files.list(&directory) {
                // One that is removed while it is looked for holds nothing.
                Err(error) if is_absent(&error) => continue,
                names => names.map_err(access("list", &directory))?,
            };
            for name in names {
                // What no key is written as is not ours.
                let Some(part) = name.to_str().and_then(part_of) else { continue };
                let (path, key) = (directory.join(&name), format!("{key}/{part}"));
                match self.files.metadata(&path) {
                    Err(error) if is_absent(&error) => {}
                    Ok(metadata) if metadata.kind == super::FileKind::Directory => waiting.push((path, key)),
                    Ok(_) => keys.extend(Key::new(key)),
                    Err(error) => return Err(access("list", &path)(error)),
                }
            }
        }
        keys.sort();
        Ok(keys)
    }

    fn remove(&self, path: &Path) -> Result<(), StoreError> {
        let Some(_lock) = self.lock_replacing()? else { return Ok(()) };
        match self.files.remove_file(path) {
            // Also then the removal by somebody who was killed may not be durable.
            Err(error) if is_absent(&error) => {}
            removed => removed.map_err(access("remove", path))?,
        }
        let directory = parent_of(path);
        match self.files.sync_directory(directory) {
            Err(error) if is_absent(&error) => {}
            synced => synced.map_err(access("make durable", directory))?,
        }
        // Directories that hold nothing any more go too, as far as they can: nothing depends on it.
        for directory in directory.ancestors().take_while(|directory| *directory != self.root) {
            if self.files.remove_empty_directory(directory).is_err() {
                break;
            }
            let mut known = self.known();
            known.settled.remove(directory);
            known.synced.remove(directory);
        }
        Ok(())
    }
}
