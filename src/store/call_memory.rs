//! How many calls a system has had of us lately, from one process to the next.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Backend, Key, StoreError};
use crate::base::{CallMemory, TargetName, WholeAgain};

/// So often a change is made anew when another process was quicker.
const ATTEMPTS: u32 = 64;

/// The object `calls/<target>`: when the calls of a target are earned again, a line for each window with its length in seconds and that
/// moment. Processes that work side by side share it.
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
    async fn update(&self, change: &mut (dyn FnMut(WholeAgain) -> Option<WholeAgain> + Send)) -> io::Result<()> {
        let key = Key::new(format!("calls/{}", self.target)).map_err(io::Error::other)?;
        for _ in 0..ATTEMPTS {
            let found = self.store.read(&key).await.map_err(io::Error::other)?;
            let kept = found.as_ref().map(|object| read(&object.bytes)).unwrap_or(Some(WholeAgain::new()));
            if kept.is_none() {
                tracing::warn!("{} does not say when calls are earned again; it is rewritten", self.store.place(&key));
            }
            let Some(next) = change(kept.unwrap_or_default()) else { return Ok(()) };
            let bytes: String = next.iter().map(|(seconds, moment)| format!("{seconds} {moment}\n")).collect();
            let bytes = bytes.into_bytes();
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

/// What is kept; `None` where it cannot be read.
fn read(bytes: &[u8]) -> Option<WholeAgain> {
    let line = |line: &str| {
        let (seconds, moment) = line.split_once(' ')?;
        Some((seconds.parse().ok()?, moment.parse().ok()?))
    };
    std::str::from_utf8(bytes).ok()?.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::MemoryStore;

    async fn load(calls: &StoredCalls) -> WholeAgain {
        let mut found = WholeAgain::new();
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
    async fn keeps_the_moments_of_each_target() {
        let store = MemoryStore::new();
        let calls = |name: &str| StoredCalls::new(Arc::new(store.clone()), &TargetName::new(name).expect("a name"));
        assert_eq!(load(&calls("billing")).await, WholeAgain::new());
        let moment: Timestamp = "2026-11-21T10:00:00.123456789Z".parse().expect("a moment");
        let kept = WholeAgain::from([(65, moment), (3_605, Timestamp::UNIX_EPOCH)]);
        calls("billing").update(&mut |_| Some(kept.clone())).await.expect("kept");
        assert_eq!(load(&calls("billing")).await, kept);
        assert_eq!(load(&calls("field")).await, WholeAgain::new());
    }

    #[tokio::test]
    async fn one_that_is_damaged_is_written_anew() {
        let store = MemoryStore::new();
        store.create(&Key::literal("calls/crm"), b"yesterday".to_vec().into()).await.expect("new");
        let calls = StoredCalls::new(Arc::new(store), &TargetName::new("crm").expect("a name"));
        let first = WholeAgain::from([(605, Timestamp::UNIX_EPOCH)]);
        calls.update(&mut |kept| kept.is_empty().then(|| first.clone())).await.expect("kept");
        assert_eq!(load(&calls).await, first);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn processes_side_by_side_lose_no_call() {
        let store = MemoryStore::new();
        let one_more = |kept: WholeAgain| {
            let moment = kept.get(&605).copied().unwrap_or(Timestamp::UNIX_EPOCH) + std::time::Duration::from_secs(1);
            WholeAgain::from([(605, moment)])
        };
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
        assert_eq!(load(&calls).await.get(&605).map(|moment| moment.as_second()), Some(80));
    }
}
