//! A store in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Backend, Key, Lease, LeaseError, MOST_OBJECT_BYTES, Object, StoreError, Version};
use crate::state::LockInfo;

/// A store in memory, for tests and simulation. Clones are the same store.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    objects: BTreeMap<Key, Vec<u8>>,
    /// The holder of the lease, or one that was killed.
    info: Option<LockInfo>,
    /// The number of the lease that is held.
    held: Option<u64>,
    leases: u64,
}

/// The lease of a store in memory.
#[derive(Debug)]
struct MemoryLease {
    kept: Arc<Mutex<Kept>>,
    number: u64,
    left_behind: Option<LockInfo>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// As if the process that holds the lease was killed: the lease is free, and what it left behind is found by the next holder. The
    /// dead one's lease gives nothing back any more.
    pub fn kill_holder(&self) {
        self.kept().held = None;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse_large(&self, key: &Key, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.len() <= MOST_OBJECT_BYTES {
            return Ok(());
        }
        let source = io::Error::new(io::ErrorKind::FileTooLarge, "more bytes than an object may have");
        Err(StoreError::Access { doing: "write", place: self.place(key), source })
    }
}

#[async_trait]
impl Backend for MemoryStore {
    async fn read(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        let bytes = self.kept().objects.get(key).cloned();
        Ok(bytes.map(|bytes| Object { version: Version::of_content(&bytes), bytes }))
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Version, StoreError> {
        self.refuse_large(key, &bytes)?;
        let mut kept = self.kept();
        if kept.objects.contains_key(key) {
            return Err(StoreError::Exists { place: self.place(key) });
        }
        let version = Version::of_content(&bytes);
        kept.objects.insert(key.clone(), bytes.into());
        Ok(version)
    }

    async fn replace(&self, key: &Key, bytes: Vec<u8>, version: &Version) -> Result<Version, StoreError> {
        self.refuse_large(key, &bytes)?;
        let mut kept = self.kept();
        match kept.objects.get_mut(key) {
            Some(found) if Version::of_content(found) == *version => {
                let version = Version::of_content(&bytes);
                *found = bytes;
                Ok(version)
            }
            _ => Err(StoreError::Changed { place: self.place(key) }),
        }
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let below = format!("{prefix}/");
        Ok(self.kept().objects.keys().filter(|key| key.as_str().starts_with(&below)).cloned().collect())
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        self.kept().objects.remove(key);
        Ok(())
    }

    async fn lease(&self, info: &LockInfo) -> Result<Box<dyn Lease>, LeaseError> {
        let mut kept = self.kept();
        if kept.held.is_some() {
            return Err(LeaseError::Held(kept.info.clone().map(Box::new)));
        }
        kept.leases += 1;
        let number = kept.leases;
        kept.held = Some(number);
        let left_behind = kept.info.replace(info.clone());
        Ok(Box::new(MemoryLease { kept: Arc::clone(&self.kept), number, left_behind }))
    }

    fn place(&self, key: &Key) -> String {
        format!("memory:{key}")
    }
}

impl Lease for MemoryLease {
    fn left_behind(&self) -> Option<&LockInfo> {
        self.left_behind.as_ref()
    }
}

impl Drop for MemoryLease {
    fn drop(&mut self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.held == Some(self.number) {
            (kept.held, kept.info) = (None, None);
        }
    }
}
