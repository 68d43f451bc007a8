//! How many calls a system has had of us lately, from one process to the next.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Backend, Key, StoreError};
use crate::base::{CallMemory, TargetName};

/// So often a change is made anew when another process was quicker.
const ATTEMPTS: u32 = 64;

/// The object `calls/<target>`: the moment at which a target's calls are earned again. Processes that work side by side share it.
pub struct StoredCalls {
    store: Arc<dyn Backend>,
    target: TargetName,
}

impl StoredCalls {
    /// The calls of `target` in that store.
    pub fn new(store: Arc<dyn Backend>, target: &TargetName) -> Self {
        Self { store, target: target.clone() }
    }
}

#[async_trait]
impl CallMemory for StoredCalls {
    async fn update(&self, change: &mut (dyn FnMut(Option<Timestamp>) -> Option<Timestamp> + Send)) -> io::Result<()> {
        let key = Key::new(format!("calls/{}", self.target)).map_err(io::Error::other)?;
        for _ in 0..ATTEMPTS {
            let found = self.store.read(&key).await.map_err(io::Error::other)?;
            let kept = found.as_ref().and_then(|object| {
                let text = std::str::from_utf8(&object.bytes).ok()?;
                let moment = text.trim().parse().ok();
                if moment.is_none() {
                    tracing::warn!("{} does not hold a time; it is rewritten", self.store.place(&key));
                }
                moment
            });
            let Some(next) = change(kept) else { return Ok(()) };
            let bytes = format!("{next}\n").into_bytes();
            let written = match found {
                Some(object) => self.store.replace(&key, bytes, &object.version).await,
                None => self.store.create(&key, bytes.into()).await,
            };
            match written {
                Err(StoreError::Exists { .. } | StoreError::Changed { .. }) => {}
                written => return written.map(drop).map_err(io::Error::other),
            }
        }
        Err(io::Error::other(format!("{} keeps being changed by other processes", self.store.place(&key))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    async fn load(calls: &StoredCalls) -> Option<Timestamp> {
        let mut found = None;
        calls
            .update(&mut |kept| {
                found = kept;
                None
            })
            .await
            .expect("readable");
        found
    }

    #[tokio::test]
    async fn keeps_one_moment_for_each_target() {
        let store = MemoryStore::new();
        let calls = |name: &str| StoredCalls::new(Arc::new(store.clone()), &TargetName::new(name).expect("a name"));
        assert_eq!(load(&calls("billing")).await, None);
        let moment: Timestamp = "2026-11-21T10:00:00.123456789Z".parse().expect("a moment");
        calls("billing").update(&mut |_| Some(moment)).await.expect("kept");
        assert_eq!(load(&calls("billing")).await, Some(moment));
        assert_eq!(load(&calls("field")).await, None);
    }

    #[tokio::test]
    async fn one_that_is_damaged_is_written_anew() {
        let store = MemoryStore::new();
        store.create(&Key::literal("calls/crm"), b"yesterday".to_vec().into()).await.expect("new");
        let calls = StoredCalls::new(Arc::new(store), &TargetName::new("crm").expect("a name"));
        calls.update(&mut |kept| kept.or(Some(Timestamp::UNIX_EPOCH))).await.expect("kept");
        assert_eq!(load(&calls).await, Some(Timestamp::UNIX_EPOCH));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn processes_side_by_side_lose_no_call() {
        let store = MemoryStore::new();
        let one_more = |kept: Option<Timestamp>| kept.unwrap_or(Timestamp::UNIX_EPOCH) + std::time::Duration::from_secs(1);
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let calls = StoredCalls::new(Arc::new(store.clone()), &TargetName::new("crm").expect("a name"));
                tokio::spawn(async move {
                    for _ in 0..10 {
                        calls.update(&mut |kept| Some(one_more(kept))).await.expect("kept");
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
        let calls = StoredCalls::new(Arc::new(store), &TargetName::new("crm").expect("a name"));
        assert_eq!(load(&calls).await.map(Timestamp::as_second), Some(80));
    }
}
