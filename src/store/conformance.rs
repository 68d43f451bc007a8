//! What every backend must do. A backend is one row at the end; a promise is one function, and every row runs all of them.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Barrier;

use super::directory_name::LEASE_FILE;
use super::{
    Backend, DirectoryStore, FaultyStore, Files, Key, LeaseError, LocalFiles, MOST_OBJECT_BYTES, MemoryStore, OpenMode,
    SimulatedDisk, StoreError,
};
use crate::state::LockInfo;

/// Ends the process that holds a lease, as if by `kill -9`.
type Kill = Box<dyn Fn(Box<dyn super::Lease>, &LockInfo) + Send + Sync>;

/// An empty store, and what the tests do around it.
struct Place {
    /// The store as another process has it.
    process: Box<dyn Fn() -> Arc<dyn Backend> + Send + Sync>,
    /// Ends the process that has this lease, which cannot give it back in order.
    kill: Kill,
    _kept: Box<dyn Any + Send + Sync>,
}

fn key(text: &str) -> Key {
    Key::new(text).expect("a key")
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

async fn bytes_of(store: &dyn Backend, at: &str) -> Option<Vec<u8>> {
    store.read(&key(at)).await.expect("readable").map(|object| object.bytes)
}

async fn an_object_is_created_once(place: Place) {
    let (one, two) = ((place.process)(), (place.process)());
    assert_eq!(bytes_of(one.as_ref(), "a/b/1").await, None);
    let version = one.create(&key("a/b/1"), b"one".to_vec().into()).await.expect("new");
    let refused = two.create(&key("a/b/1"), b"two".to_vec().into()).await.expect_err("there");
    assert!(matches!(refused, StoreError::Exists { .. }), "{refused}");
    assert!(refused.to_string().contains(&two.place(&key("a/b/1"))), "{refused}");
    let found = two.read(&key("a/b/1")).await.expect("readable").expect("there");
    assert_eq!((found.bytes, found.version), (b"one".to_vec(), version));
    one.create(&key("a/b/2"), bytes::Bytes::new()).await.expect("new");
    assert_eq!(bytes_of(two.as_ref(), "a/b/2").await, Some(Vec::new()));
}

async fn an_object_is_replaced_only_at_the_version_it_has(place: Place) {
    let (one, two) = ((place.process)(), (place.process)());
    let at = key("state.json");
    let first = one.create(&at, b"1".to_vec().into()).await.expect("new");
    let second = two.replace(&at, b"2".to_vec(), &first).await.expect("as it was read");
    let changed = one.replace(&at, b"3".to_vec(), &first).await.expect_err("changed");
    assert!(matches!(changed, StoreError::Changed { .. }), "{changed}");
    assert_eq!(bytes_of(one.as_ref(), "state.json").await, Some(b"2".to_vec()));
    one.remove(&at).await.expect("removed");
    assert!(matches!(two.replace(&at, b"3".to_vec(), &second).await, Err(StoreError::Changed { .. })));
    assert!(matches!(two.replace(&key("never"), b"3".to_vec(), &second).await, Err(StoreError::Changed { .. })));
    assert_eq!(bytes_of(one.as_ref(), "state.json").await, None);
}

async fn a_list_is_what_lies_below_in_order(place: Place) {
    let store = (place.process)();
    assert_eq!(store.list(&key("runs")).await.expect("listed"), []);
    for at in ["runs/2/journal/10", "runs/2/journal/9", "runs/1/a", "runs-old/1", "runs/2/journal-1", "runs/2/z", "other"] {
        store.create(&key(at), bytes::Bytes::new()).await.expect("new");
    }
    let listed = |prefix: &'static str| {
        let store = Arc::clone(&store);
        async move { store.list(&key(prefix)).await.expect("listed").iter().map(Key::to_string).collect::<Vec<_>>() }
    };
    assert_eq!(listed("runs").await, ["runs/1/a", "runs/2/journal-1", "runs/2/journal/10", "runs/2/journal/9", "runs/2/z"]);
    assert_eq!(listed("runs/2/journal").await, ["runs/2/journal/10", "runs/2/journal/9"]);
    assert_eq!(listed("run").await, Vec::<String>::new());
    assert_eq!(listed("other").await, Vec::<String>::new());
}

async fn what_is_removed_is_gone(place: Place) {
    let (one, two) = ((place.process)(), (place.process)());
    one.remove(&key("never/there")).await.expect("no error");
    for at in ["a/b/1", "a/b/2", "a/c"] {
        one.create(&key(at), b"x".to_vec().into()).await.expect("new");
    }
    for at in ["a/b/1", "a/b/2"] {
        two.remove(&key(at)).await.expect("removed");
        two.remove(&key(at)).await.expect("no error");
        assert_eq!(bytes_of(one.as_ref(), at).await, None);
    }
    assert_eq!(one.list(&key("a")).await.expect("listed"), [key("a/c")]);
    one.create(&key("a/b/1"), b"y".to_vec().into()).await.expect("new again");
    assert_eq!(bytes_of(two.as_ref(), "a/b/1").await, Some(b"y".to_vec()));
}

async fn of_sixteen_who_create_one_key_one_succeeds(place: Place) {
    race(&place, 32, |store, at, mine| async move {
        match store.create(&at, mine.into()).await {
            Err(StoreError::Exists { .. }) => false,
            created => created.map(|_| true).expect("created or refused"),
        }
    })
    .await;
}

async fn of_sixteen_who_replace_one_version_one_succeeds(place: Place) {
    let before = (place.process)();
    let mut versions = BTreeMap::new();
    for round in 0..32 {
        let at = key(&format!("race/{round}"));
        versions.insert(at.clone(), before.create(&at, b"before".to_vec().into()).await.expect("new"));
    }
    let versions = Arc::new(versions);
    race(&place, 32, move |store, at, mine| {
        let versions = Arc::clone(&versions);
        async move {
            match store.replace(&at, mine, &versions[&at]).await {
                Err(StoreError::Changed { .. }) => false,
                replaced => replaced.map(|_| true).expect("replaced or refused"),
            }
        }
    })
    .await;
}

/// Lets 16 processes do one thing to one key at a time, so many times. Exactly one succeeds, and it is the one whose bytes are there.
async fn race<F: Future<Output = bool> + Send + 'static>(
    place: &Place,
    rounds: u32,
    attempt: impl Fn(Arc<dyn Backend>, Key, Vec<u8>) -> F + Send + Sync + 'static,
) {
    let attempt = Arc::new(attempt);
    let barrier = Arc::new(Barrier::new(16));
    let tasks: Vec<_> = (0..16_u8)
        .map(|number| {
            let (store, attempt, barrier) = ((place.process)(), Arc::clone(&attempt), Arc::clone(&barrier));
            tokio::spawn(async move {
                let mut won = Vec::new();
                for round in 0..rounds {
                    barrier.wait().await;
                    let at = key(&format!("race/{round}"));
                    if attempt(Arc::clone(&store), at, vec![number; 100]).await {
                        won.push(round);
                    }
                }
                won
            })
        })
        .collect();
    let mut winners: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for (number, task) in tasks.into_iter().enumerate() {
        for round in task.await.expect("no panic") {
            winners.entry(round).or_default().push(number as u8);
        }
    }
    let store = (place.process)();
    for round in 0..rounds {
        let winner = winners.get(&round).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(winner.len(), 1, "round {round} was won by {winner:?}");
        assert_eq!(bytes_of(store.as_ref(), &format!("race/{round}")).await, Some(vec![winner[0]; 100]));
    }
}

async fn no_update_is_lost_and_no_reader_sees_half_of_one(place: Place) {
    let at = key("deep/down/counter");
    (place.process)().create(&at, vec![0; 50_000].into()).await.expect("new");
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (store, at) = ((place.process)(), at.clone());
            tokio::spawn(async move {
                let mut done = 0;
                while done < 4 {
                    let found = store.read(&at).await.expect("readable").expect("there");
                    assert_eq!(found.bytes.len(), 50_000);
                    assert!(found.bytes.iter().all(|byte| *byte == found.bytes[0]), "a reader saw half an object");
                    match store.replace(&at, vec![found.bytes[0] + 1; 50_000], &found.version).await {
                        Err(StoreError::Changed { .. }) => {}
                        replaced => done += u32::from(replaced.map(|_| true).expect("replaced or refused")),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(bytes_of((place.process)().as_ref(), "deep/down/counter").await, Some(vec![64; 50_000]));
}

async fn writers_removers_and_the_holder_of_the_lease_do_not_hinder_one_another(place: Place) {
    let left = Arc::new(AtomicU32::new(8));
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let (store, left) = ((place.process)(), Arc::clone(&left));
            tokio::spawn(async move {
                for round in 0..40 {
                    let at = key(&format!("a/b/{number}"));
                    store.create(&at, vec![number; 1_000].into()).await.unwrap_or_else(|error| panic!("{round}: {error:?}"));
                    store.remove(&at).await.unwrap_or_else(|error| panic!("{round}: {error:?}"));
                }
                left.fetch_sub(1, Ordering::SeqCst);
            })
        })
        .collect();
    let store = (place.process)();
    while left.load(Ordering::SeqCst) > 0 && tasks.iter().any(|task| !task.is_finished()) {
        drop(store.lease(&info("one")).await.expect("free"));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(store.list(&key("a")).await.expect("listed"), []);
}

async fn keys_that_file_systems_take_for_something_else_are_keys(place: Place) {
    let store = (place.process)();
    let long = "x".repeat(super::backend::MOST_PART_BYTES);
    let upper = "X".repeat(super::backend::MOST_PART_BYTES);
    let keys: Vec<Key> = [
        "a",
        "A",
        "con",
        "CON",
        "nul.txt",
        "lease",
        "lease/1",
        ".lock",
        ".sexton-1",
        "a.",
        "a..",
        "..a",
        "-",
        "_",
        "-rf",
        "0",
        "state.json.backup",
        "plan/.new",
        "PLAN/.New",
        "com1/lpt9",
    ]
    .into_iter()
    .chain([long.as_str(), upper.as_str()])
    .map(|part| key(&format!("hostile/{part}/at/{part}")))
    .chain([".sexton-1", ".lock", "lease", "LEASE", "aux"].map(key))
    .collect();
    for at in &keys {
        store.create(at, at.as_str().as_bytes().to_vec().into()).await.unwrap_or_else(|error| panic!("{at}: {error:?}"));
    }
    drop(store.lease(&info("one")).await.expect("free"));
    for at in &keys {
        assert_eq!(bytes_of(store.as_ref(), at.as_str()).await.as_deref(), Some(at.as_str().as_bytes()), "{at}");
    }
    let mut below: Vec<Key> = keys.iter().filter(|at| at.as_str().starts_with("hostile/")).cloned().collect();
    below.sort();
    assert_eq!(store.list(&key("hostile")).await.expect("listed"), below);
}

async fn an_object_may_be_as_large_as_the_limit_and_not_larger(place: Place) {
    let store = (place.process)();
    let too_large = vec![7; MOST_OBJECT_BYTES + 1];
    assert!(matches!(store.create(&key("large"), too_large.clone().into()).await, Err(StoreError::Access { .. })));
    assert_eq!(bytes_of(store.as_ref(), "large").await, None);
    let largest = vec![7; MOST_OBJECT_BYTES];
    let version = store.create(&key("large"), largest.clone().into()).await.expect("as large as may be");
    assert!(matches!(store.replace(&key("large"), too_large, &version).await, Err(StoreError::Access { .. })));
    assert!(bytes_of(store.as_ref(), "large").await == Some(largest));
}

async fn one_process_has_the_lease_and_a_dead_one_has_not(place: Place) {
    let (one, two) = ((place.process)(), (place.process)());
    let first = one.lease(&info("one")).await.expect("free");
    assert_eq!(first.left_behind(), None);
    match two.lease(&info("two")).await {
        Err(LeaseError::Held(Some(holder))) => assert_eq!(*holder, info("one")),
        other => panic!("{other:?}"),
    }
    assert!(one.lease(&info("again")).await.is_err(), "nor a second time in one process");
    two.create(&key("calls/crm"), b"no lease is needed".to_vec().into()).await.expect("new");
    drop(first);
    let second = two.lease(&info("two")).await.expect("free again");
    assert_eq!(second.left_behind(), None);
    (place.kill)(second, &info("two"));
    let third = one.lease(&info("three")).await.expect("free again");
    assert_eq!(third.left_behind(), Some(&info("two")));
    drop(third);
    assert_eq!(two.lease(&info("four")).await.expect("free").left_behind(), None);
}

fn directory(files: Arc<dyn Files>, root: &Path, kept: Box<dyn Any + Send + Sync>) -> Place {
    let (root, number) = (root.join("new/store"), AtomicU32::new(0));
    let lease = root.join(LEASE_FILE);
    let for_kill = Arc::clone(&files);
    Place {
        process: Box::new(move || {
            let tag = number.fetch_add(1, Ordering::SeqCst).to_string();
            Arc::new(DirectoryStore::new(Arc::clone(&files), root.clone(), tag))
        }),
        kill: Box::new(move |held, info| {
            drop(held);
            let file = for_kill.open(&lease, OpenMode::Truncate).expect("there");
            file.write_all_at(&serde_json::to_vec(info).expect("JSON"), 0).expect("written");
        }),
        _kept: kept,
    }
}

fn directory_of_the_machine() -> Place {
    let home = tempfile::tempdir().expect("a directory");
    let root = home.path().to_owned();
    directory(Arc::new(LocalFiles), &root, Box::new(home))
}

fn directory_of_a_simulated_disk() -> Place {
    let disk = SimulatedDisk::new(1);
    disk.create_directory(Path::new("project")).expect("made");
    directory(Arc::new(disk), Path::new("project"), Box::new(()))
}

fn memory() -> Place {
    let store = MemoryStore::new();
    let killed = store.clone();
    Place {
        process: Box::new(move || Arc::new(store.clone())),
        kill: Box::new(move |held, _| {
            killed.kill_holder();
            drop(held);
        }),
        _kept: Box::new(()),
    }
}

fn a_faulty_one_without_faults() -> Place {
    let Place { process, kill, _kept } = memory();
    Place { process: Box::new(move || Arc::new(FaultyStore::new(process()))), kill, _kept }
}

macro_rules! promises {
    ($place:ident: $($promise:ident)*) => {
        mod $place {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $promise() {
                    super::$promise(super::$place()).await;
                }
            )*
        }
    };
}

macro_rules! backends {
    ($($place:ident)*) => {
        $(
            promises! { $place:
                an_object_is_created_once
                an_object_is_replaced_only_at_the_version_it_has
                a_list_is_what_lies_below_in_order
                what_is_removed_is_gone
                of_sixteen_who_create_one_key_one_succeeds
                of_sixteen_who_replace_one_version_one_succeeds
                no_update_is_lost_and_no_reader_sees_half_of_one
                writers_removers_and_the_holder_of_the_lease_do_not_hinder_one_another
                keys_that_file_systems_take_for_something_else_are_keys
                an_object_may_be_as_large_as_the_limit_and_not_larger
                one_process_has_the_lease_and_a_dead_one_has_not
            }
        )*
    };
}

backends! {
    directory_of_the_machine
    directory_of_a_simulated_disk
    memory
    a_faulty_one_without_faults
}
