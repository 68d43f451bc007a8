//! A store that fails now and then.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::fault_schedule::FaultSchedule;
use super::{Backend, Key, Lease, LeaseError, Object, StoreError, Version};
use crate::state::LockInfo;

/// How an operation on a [`FaultyStore`] fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// It is not done.
    Refused,
    /// There is no space for a write, which is not done. Other operations succeed.
    NoSpace,
    /// A write is done, and its answer is lost. A read fails.
    AnswerLost,
    /// A list is the one that was given the last time. Nothing else notices.
    StaleList,
}

/// Another store that fails when it is told to, for tests and simulation. The lease is always the other store's.
#[derive(Debug)]
pub struct FaultyStore {
    store: Arc<dyn Backend>,
    faults: Mutex<FaultSchedule<StoreFault>>,
    lists: Mutex<BTreeMap<Key, Vec<Key>>>,
}

impl FaultyStore {
    /// `store`, as long as nothing is to fail.
    pub fn new(store: Arc<dyn Backend>) -> Self {
        Self { store, faults: Mutex::new(FaultSchedule::new()), lists: Mutex::default() }
    }

    /// How many operations it was asked for.
    pub fn operations(&self) -> u64 {
        self.faults().operations()
    }

    /// Lets the `number`th operation from here fail; the next one is 0.
    pub fn fail_at(&self, number: u64, fault: StoreFault) {
        self.faults().fail_at(number, fault);
    }

    /// Lets of 1,000 operations about `per_mille` fail, in one of these ways.
    pub fn fail_by_chance(&self, seed: u64, per_mille: u32, faults: Vec<StoreFault>) {
        self.faults().fail_by_chance(seed, per_mille, faults);
    }

    /// Lets nothing fail any more.
    pub fn heal(&self) {
        self.faults().clear();
    }

    fn faults(&self) -> MutexGuard<'_, FaultSchedule<StoreFault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn access(&self, doing: &'static str, key: &Key, source: impl Into<io::Error>) -> StoreError {
        StoreError::Access { doing, place: self.place(key), source: source.into() }
    }

    /// Fails before a write is done, or gives whether its answer is to be lost.
    fn before_write(&self, doing: &'static str, key: &Key) -> Result<bool, StoreError> {
        match self.faults().next() {
            Some(StoreFault::Refused) => Err(self.access(doing, key, refused())),
            Some(StoreFault::NoSpace) => Err(self.access(doing, key, io::ErrorKind::StorageFull)),
            fault => Ok(fault == Some(StoreFault::AnswerLost)),
        }
    }

    /// The answer of a write, unless it is to be lost. What the other store refused it refused in time.
    fn after_write<T>(
        &self,
        doing: &'static str,
        key: &Key,
        lost: bool,
        answer: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if lost && answer.is_ok() { Err(self.access(doing, key, io::ErrorKind::TimedOut)) } else { answer }
    }
}

fn refused() -> io::Error {
    io::Error::other("the store failed")
}

#[async_trait]
impl Backend for FaultyStore {
    async fn read(&self, key: &Key) -> Result<Option<Object>, StoreError> {
        let fault = self.faults().next();
        match fault {
            Some(StoreFault::Refused | StoreFault::AnswerLost) => Err(self.access("read", key, refused())),
            _ => self.store.read(key).await,
        }
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Version, StoreError> {
        let lost = self.before_write("write", key)?;
        self.after_write("write", key, lost, self.store.create(key, bytes).await)
    }

    async fn replace(&self, key: &Key, bytes: Vec<u8>, version: &Version) -> Result<Version, StoreError> {
        let lost = self.before_write("write", key)?;
        self.after_write("write", key, lost, self.store.replace(key, bytes, version).await)
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let fault = self.faults().next();
        match fault {
            Some(StoreFault::Refused | StoreFault::AnswerLost) => Err(self.access("list", prefix, refused())),
            Some(StoreFault::StaleList) => {
                let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(lists.get(prefix).cloned().unwrap_or_default())
            }
            _ => {
                let keys = self.store.list(prefix).await?;
                self.lists.lock().unwrap_or_else(PoisonError::into_inner).insert(prefix.clone(), keys.clone());
                Ok(keys)
            }
        }
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        let lost = self.before_write("remove", key)?;
        self.after_write("remove", key, lost, self.store.remove(key).await)
    }

    async fn lease(&self, info: &LockInfo) -> Result<Box<dyn Lease>, LeaseError> {
        self.store.lease(info).await
    }

    fn place(&self, key: &Key) -> String {
        self.store.place(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    fn key(text: &str) -> Key {
        Key::new(text).expect("a key")
    }

    fn stores() -> (MemoryStore, FaultyStore) {
        let store = MemoryStore::new();
        (store.clone(), FaultyStore::new(Arc::new(store)))
    }

    #[tokio::test]
    async fn a_write_fails_before_it_is_done_or_after() {
        let (store, faulty) = stores();
        for (fault, done) in [(StoreFault::Refused, false), (StoreFault::NoSpace, false), (StoreFault::AnswerLost, true)] {
            let at = key(&format!("{fault:?}"));
            faulty.fail_at(1, fault);
            faulty.create(&key(&format!("before/{fault:?}")), bytes::Bytes::new()).await.expect("the operation before it");
            let error = faulty.create(&at, b"1".to_vec().into()).await.expect_err("failed");
            assert!(matches!(error, StoreError::Access { .. }), "{error}");
            assert_eq!(store.read(&at).await.expect("readable").is_some(), done);
        }
        let (store, faulty) = stores();
        let version = faulty.create(&key("a"), b"1".to_vec().into()).await.expect("new");
        faulty.fail_at(0, StoreFault::AnswerLost);
        assert!(matches!(faulty.replace(&key("a"), b"2".to_vec(), &version).await, Err(StoreError::Access { .. })));
        assert_eq!(store.read(&key("a")).await.expect("readable").expect("there").bytes, b"2");
        faulty.fail_at(0, StoreFault::AnswerLost);
        let refused = faulty.replace(&key("a"), b"3".to_vec(), &version).await;
        assert!(matches!(refused, Err(StoreError::Changed { .. })), "a refusal is never in doubt");
        faulty.fail_at(0, StoreFault::AnswerLost);
        assert!(faulty.remove(&key("a")).await.is_err());
        assert_eq!(store.read(&key("a")).await.expect("readable"), None);
    }

    #[tokio::test]
    async fn a_read_fails_and_a_list_is_an_old_one() {
        let (_, faulty) = stores();
        faulty.create(&key("a/1"), bytes::Bytes::new()).await.expect("new");
        faulty.fail_at(0, StoreFault::Refused);
        assert!(faulty.read(&key("a/1")).await.is_err());
        assert_eq!(faulty.list(&key("a")).await.expect("listed"), [key("a/1")]);
        faulty.create(&key("a/2"), bytes::Bytes::new()).await.expect("new");
        faulty.fail_at(0, StoreFault::StaleList);
        assert_eq!(faulty.list(&key("a")).await.expect("listed"), [key("a/1")]);
        assert_eq!(faulty.list(&key("a")).await.expect("listed"), [key("a/1"), key("a/2")]);
    }

    #[tokio::test]
    async fn a_seed_fails_at_the_same_operations_every_time() {
        let mut runs = Vec::new();
        for _ in 0..2 {
            let (_, faulty) = stores();
            faulty.fail_by_chance(7, 200, vec![StoreFault::Refused, StoreFault::AnswerLost]);
            let mut failed = Vec::new();
            for number in 0..100 {
                failed
                    .extend(faulty.create(&key(&number.to_string()), bytes::Bytes::new()).await.is_err().then_some(number));
            }
            runs.push((failed, faulty.operations()));
        }
        assert_eq!(runs[0], runs[1]);
        assert!((5..40).contains(&runs[0].0.len()), "{runs:?}");
    }
}
