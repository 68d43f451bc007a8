//! The state of a project: read by anyone, written only by who has the lease.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Backend, Key, Lease, LeaseError, StoreError, Version};
use crate::base::{counted, inert_json};
use crate::state::{LockInfo, STATE_VERSION, State};

/// The object that holds it.
const STATE_KEY: &str = "state.json";

/// Why a state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Somebody wrote it who does not have the lease.
    #[error(
        "{place} was changed by something that does not hold the lock: {change}; nothing was written; check what else uses this store"
    )]
    Moved {
        /// Where it lies, for people.
        place: String,
        /// What was there and what is.
        change: String,
    },
    /// The new state is no successor of the one that is there.
    #[error("a state of lineage `{new}` cannot replace one of lineage `{old}` in {place}")]
    OtherLineage {
        /// Where it lies, for people.
        place: String,
        /// The lineage that is there.
        old: String,
        /// The lineage to be written.
        new: String,
    },
    /// It is not there, but runs are, of which it knew.
    #[error("`{place}` was lost: it is not there, but the store has {}", counted_runs(.runs))]
    Lost {
        /// Where it should be, for people.
        place: String,
        /// The runs: the first digits of their plans.
        runs: Vec<String>,
    },
    /// It belongs to another project than the manifests.
    #[error("`{place}` is the state of another project: its lineage is {found}, and that of the manifests is {expected}")]
    Foreign {
        /// Where it is, for people.
        place: String,
        /// Its lineage.
        found: String,
        /// The lineage that the project gives.
        expected: String,
    },
    /// It is newer or damaged, or cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn counted_runs(runs: &[String]) -> String {
    let named = runs.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let more = if runs.len() > 3 { ", …" } else { "" };
    format!("{} ({named}{more})", counted(runs.len() as u64, "run"))
}

/// The state in a store.
#[derive(Clone, Debug)]
pub struct StateStore {
    store: Arc<dyn Backend>,
    key: Key,
    /// The lineage that it must have, where that is known.
    lineage: Option<String>,
}

/// The state, with the lease held. Only this can write it; the lease goes when this does, or when the process dies.
#[derive(Debug)]
#[must_use = "the lease is given back when this is dropped"]
pub struct LockedState {
    state: StateStore,
    lease: Box<dyn Lease>,
    /// What the holder last saw, to notice a writer without the lease.
    seen: Option<(Version, State)>,
}

impl StateStore {
    /// The state in that store. One of another lineage than this is refused; `None` where it may have any.
    pub fn new(store: Arc<dyn Backend>, lineage: Option<String>) -> Self {
        Self { store, key: Key::literal(STATE_KEY), lineage }
    }

    /// Reads the state without the lease; `None` if there is none yet.
    ///
    /// # Errors
    ///
    /// When it is newer, damaged or lost, or cannot be read.
    pub async fn load(&self) -> Result<Option<State>, StateError> {
        Ok(self.read().await?.map(|(_, state)| state))
    }

    /// Takes the lease for `info`, and does not wait.
    ///
    /// # Errors
    ///
    /// [`LeaseError::Held`] with the holder when somebody has it.
    pub async fn lock(&self, info: &LockInfo) -> Result<LockedState, LeaseError> {
        let lease = self.store.lease(info).await?;
        Ok(LockedState { state: self.clone(), lease, seen: None })
    }

    async fn read(&self) -> Result<Option<(Version, State)>, StateError> {
        let Some(object) = self.store.read(&self.key).await? else {
            // The first plan makes it, before there can be a run. A new one would know nothing of what was deleted or is unfinished.
            let runs = self.runs().await?;
            if runs.is_empty() {
                return Ok(None);
            }
            return Err(StateError::Lost { place: self.store.place(&self.key), runs: runs.into_iter().collect() });
        };
        let state = self.parse(&object.bytes)?;
        match &self.lineage {
            Some(expected) if *expected != state.lineage => Err(StateError::Foreign {
                place: self.store.place(&self.key),
                found: state.lineage,
                expected: expected.clone(),
            }),
            _ => Ok(Some((object.version, state))),
        }
    }

    /// The runs that the store has anything of.
    async fn runs(&self) -> Result<BTreeSet<String>, StoreError> {
        let keys = self.store.list(&Key::literal("runs")).await?;
        Ok(keys.iter().filter_map(|key| key.as_str().split('/').nth(1).map(str::to_owned)).collect())
    }

    fn parse(&self, bytes: &[u8]) -> Result<State, StoreError> {
        #[derive(serde::Deserialize)]
        struct Format {
            version: u32,
        }
        let place = || self.store.place(&self.key);
        let damaged = |error: serde_json::Error| StoreError::Damaged { place: place(), why: error.to_string() };
        let Format { version } = serde_json::from_slice(bytes).map_err(damaged)?;
        if version > STATE_VERSION {
            return Err(StoreError::Newer { place: place(), found: version, known: STATE_VERSION });
        }
        if version < STATE_VERSION {
            return Err(StoreError::Damaged { place: place(), why: format!("there is no version {version}") });
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }
}

impl LockedState {
    /// What the holder before left behind, when it was killed: its run may have to be continued.
    pub fn left_behind(&self) -> Option<&LockInfo> {
        self.lease.left_behind()
    }

    /// Reads the state; `None` when there is none yet. A save replaces what the last load or save saw, and nothing else.
    ///
    /// # Errors
    ///
    /// As [`StateStore::load`].
    pub async fn load(&mut self) -> Result<Option<State>, StateError> {
        self.seen = self.state.read().await?;
        Ok(self.seen.as_ref().map(|(_, state)| state.clone()))
    }

    /// Replaces the state that was loaded by `next`. Sets the serial of `next` to one more than that of the old one; when nothing
    /// else differs, nothing is written and the serial is the old one.
    ///
    /// # Errors
    ///
    /// [`StateError::Moved`] when the state is not the one that was loaded, [`StateError::OtherLineage`] when `next` belongs to
    /// another project. It is then as it was.
    pub async fn save(&mut self, next: &mut State) -> Result<(), StateError> {
        let StateStore { store, key, .. } = &self.state;
        let serial = self.seen.as_ref().map_or(0, |(_, old)| old.serial);
        if let Some((_, old)) = &self.seen {
            if old.lineage != next.lineage {
                let (old, new) = (old.lineage.clone(), next.lineage.clone());
                return Err(StateError::OtherLineage { place: store.place(key), old, new });
            }
            next.serial = serial;
            if old == next {
                return Ok(());
            }
        }
        next.serial = serial + 1;
        let text = serde_json::to_string_pretty(next).map_err(|error| StoreError::Access {
            doing: "write",
            place: store.place(key),
            source: error.into(),
        })?;
        let mut bytes = inert_json(text).into_bytes();
        bytes.push(b'\n');
        let written = match &self.seen {
            Some((version, _)) => store.replace(key, bytes, version).await,
            None => store.create(key, bytes.into()).await,
        };
        match written {
            Ok(version) => {
                self.seen = Some((version, next.clone()));
                Ok(())
            }
            Err(StoreError::Exists { .. } | StoreError::Changed { .. }) => Err(self.moved().await),
            Err(error) => Err(error.into()),
        }
    }

    async fn moved(&self) -> StateError {
        let shown = |state: Option<&State>| match state {
            Some(state) => format!("lineage {} serial {}", state.lineage, state.serial),
            None => "no state".into(),
        };
        let now = self.state.read().await.ok().flatten();
        let (then, now) = (self.seen.as_ref().map(|(_, state)| state), now.as_ref().map(|(_, state)| state));
        let change = format!("there was {} and there is {}", shown(then), shown(now));
        StateError::Moved { place: self.state.store.place(&self.state.key), change }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::base::{Actor, Digest};
    use crate::store::{FaultyStore, MemoryStore, StoreFault};

    fn ada() -> Actor {
        Actor { user: "ada".into(), host: "host".into(), pipeline: None }
    }

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

    fn stores() -> (MemoryStore, StateStore) {
        let memory = MemoryStore::new();
        (memory.clone(), StateStore::new(Arc::new(memory), None))
    }

    async fn locked(store: &StateStore) -> LockedState {
        store.lock(&info("one")).await.expect("free")
    }

    async fn saved(store: &StateStore, plans: u8) -> State {
        let mut locked = locked(store).await;
        let mut state = locked.load().await.expect("readable").unwrap_or_else(|| State::new("lineage", "0.1.0"));
        for plan in 0..plans {
            state.consume(Digest::of(&[plan]), jiff::Timestamp::UNIX_EPOCH, &ada()).expect("unused");
        }
        locked.save(&mut state).await.expect("writable");
        state
    }

    /// Writes without the lease.
    async fn overwrite(memory: &MemoryStore, bytes: &[u8]) {
        let at = Key::literal(STATE_KEY);
        memory.remove(&at).await.expect("removed");
        memory.create(&at, bytes.to_vec().into()).await.expect("new");
    }

    #[tokio::test]
    async fn a_second_holder_is_told_who_the_first_one_is() {
        let (_, store) = stores();
        let first = locked(&store).await;
        let refused = store.lock(&info("two")).await.expect_err("held");
        assert_snapshot!(refused, @"the store is in use by `sexton apply` of ada@host (process 42, since 1970-01-01T00:00:00Z, version 0.1.0, lock one)");
        drop(first);
        assert_eq!(store.lock(&info("two")).await.expect("free again").left_behind(), None);
    }

    #[tokio::test]
    async fn counts_the_saves_that_change_something() {
        let (memory, store) = stores();
        assert_eq!(store.load().await.expect("readable"), None);
        assert_eq!(saved(&store, 0).await.serial, 1);
        let first = memory.read(&Key::literal(STATE_KEY)).await.expect("readable");
        assert_eq!(saved(&store, 0).await.serial, 1);
        assert_eq!(memory.read(&Key::literal(STATE_KEY)).await.expect("readable"), first);
        let second = saved(&store, 1).await;
        assert_eq!(second.serial, 2);
        assert_eq!(store.load().await.expect("readable"), Some(second));
    }

    #[tokio::test]
    async fn one_holder_can_save_more_than_once() {
        let (_, store) = stores();
        let mut locked = locked(&store).await;
        assert_eq!(locked.load().await.expect("readable"), None);
        let mut state = State::new("lineage", "0.1.0");
        for number in 1..=3_u8 {
            state.consume(Digest::of(&[number]), jiff::Timestamp::UNIX_EPOCH, &ada()).expect("unused");
            locked.save(&mut state).await.expect("writable");
            assert_eq!(state.serial, u64::from(number));
        }
    }

    #[tokio::test]
    async fn notices_a_writer_without_the_lease() {
        let (memory, store) = stores();
        saved(&store, 0).await;
        let mut locked = locked(&store).await;
        let mut state = locked.load().await.expect("readable").expect("saved");
        let other = State { serial: 7, ..state.clone() };
        overwrite(&memory, &serde_json::to_vec(&other).expect("writable")).await;
        state.tool = "0.2.0".into();
        let refused = locked.save(&mut state).await.expect_err("moved").to_string();
        assert!(refused.contains("there was lineage lineage serial 1 and there is lineage lineage serial 7"), "{refused}");
        assert_eq!(store.load().await.expect("readable"), Some(other));
    }

    #[tokio::test]
    async fn a_save_without_a_load_replaces_nothing() {
        let (_, store) = stores();
        let before = saved(&store, 1).await;
        let mut locked = locked(&store).await;
        assert!(matches!(locked.save(&mut State::new("other", "0.1.0")).await, Err(StateError::Moved { .. })));
        locked.load().await.expect("readable");
        assert!(matches!(locked.save(&mut State::new("other", "0.1.0")).await, Err(StateError::OtherLineage { .. })));
        assert_eq!(store.load().await.expect("readable"), Some(before));
    }

    #[tokio::test]
    async fn a_save_whose_answer_is_lost_is_not_taken_for_one_that_was_done() {
        let memory = MemoryStore::new();
        let faulty = Arc::new(FaultyStore::new(Arc::new(memory.clone())));
        let store = StateStore::new(Arc::clone(&faulty) as Arc<dyn Backend>, None);
        let mut locked = locked(&store).await;
        locked.load().await.expect("readable");
        faulty.fail_at(0, StoreFault::AnswerLost);
        let mut state = State::new("lineage", "0.1.0");
        assert!(matches!(locked.save(&mut state).await, Err(StateError::Store(StoreError::Access { .. }))));
        assert!(matches!(locked.save(&mut state).await, Err(StateError::Moved { .. })), "it looks before it saves again");
        assert_eq!(locked.load().await.expect("readable").expect("was done").serial, 1);
    }

    #[tokio::test]
    async fn says_what_is_wrong_with_a_state() {
        let (memory, store) = stores();
        saved(&store, 0).await;
        let good = serde_json::to_string_pretty(&saved(&store, 1).await).expect("JSON");
        let mut wrong = String::new();
        for text in [
            good.replacen("\"version\": 1", "\"version\": 2", 1),
            good.replacen("\"version\": 1", "\"version\": 0", 1),
            good.replacen("\"serial\"", "\"serials\"", 1),
            good[..good.len() / 2].to_owned(),
            String::new(),
            "[]".into(),
        ] {
            overwrite(&memory, text.as_bytes()).await;
            wrong += &format!("{}\n", store.load().await.expect_err("wrong"));
        }
        assert_snapshot!(wrong, @"
        `memory:state.json` was written by a newer sexton (format 2; this one knows 1)
        `memory:state.json` is damaged: there is no version 0
        `memory:state.json` is damaged: unknown field `serials`, expected one of `version`, `lineage`, `serial`, `tool`, `consumed`, `policies` at line 4 column 11
        `memory:state.json` is damaged: EOF while parsing a string at line 9 column 7
        `memory:state.json` is damaged: EOF while parsing a value at line 1 column 0
        `memory:state.json` is damaged: invalid length 0, expected struct Format with 1 element at line 1 column 2
        ");
    }
}
