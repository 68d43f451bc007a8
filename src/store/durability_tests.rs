//! What was acknowledged survives a loss of power at any operation of the disk, and what was not is old or new.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{Backend, DirectoryStore, DiskFault, Files, Key, SimulatedDisk};
use crate::state::LockInfo;

/// What may be found of a key.
type May = BTreeMap<Key, Vec<Option<Vec<u8>>>>;

const ROOT: &str = "project/not/yet/there";

fn key(text: &str) -> Key {
    Key::new(text).expect("a key")
}

fn info() -> LockInfo {
    LockInfo {
        id: "one".into(),
        operation: "apply".into(),
        who: "ada@host".into(),
        process: 42,
        version: "0.1.0".into(),
        created: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn disk(seed: u64) -> SimulatedDisk {
    let disk = SimulatedDisk::new(seed);
    disk.create_directory(Path::new("project")).expect("made");
    disk.sync_directory(Path::new(".")).expect("synced");
    disk
}

fn process(disk: &SimulatedDisk, tag: &str) -> DirectoryStore {
    DirectoryStore::new(Arc::new(disk.clone()), ROOT, tag)
}

/// One step of a process.
#[derive(Clone, Copy)]
enum Step {
    Create(&'static str, &'static str),
    Replace(&'static str, &'static str),
    Remove(&'static str),
}

const STEPS: [Step; 12] = [
    Step::Create("state.json", "first"),
    Step::Create("runs/1/journal/1", "one"),
    Step::Create("runs/1/journal/2", "two"),
    Step::Create("runs/1/answers/1", "deleted"),
    Step::Replace("state.json", "the second and longer one"),
    Step::Create("runs/2/journal/1", "of another run"),
    Step::Remove("runs/1/journal/1"),
    Step::Replace("runs/1/journal/2", "compacted"),
    Step::Remove("runs/2/journal/1"),
    Step::Create("runs/2/journal/1", "again"),
    Step::Create("calls/crm", "full"),
    Step::Remove("state.json"),
];

/// Goes through the steps to the first one that fails, and gives what may be found afterwards.
async fn go(store: &DirectoryStore) -> May {
    let mut may = May::new();
    let Ok(_lease) = store.lease(&info()).await else { return may };
    for step in STEPS {
        let (at, new) = match step {
            Step::Create(at, new) | Step::Replace(at, new) => (key(at), Some(new.as_bytes().to_vec())),
            Step::Remove(at) => (key(at), None),
        };
        let done = match (step, &new) {
            (Step::Create(..), Some(bytes)) => store.create(&at, bytes.clone().into()).await.is_ok(),
            (Step::Replace(..), Some(bytes)) => match store.read(&at).await {
                Ok(Some(found)) => store.replace(&at, bytes.clone(), &found.version).await.is_ok(),
                _ => false,
            },
            _ => store.remove(&at).await.is_ok(),
        };
        let found = may.entry(at).or_insert_with(|| vec![None]);
        if done {
            *found = vec![new];
        } else {
            found.push(new);
            break;
        }
    }
    may
}

/// How many operations of the disk the steps take.
async fn operations() -> u64 {
    let disk = disk(0);
    let before = disk.operations();
    go(&process(&disk, "a")).await;
    disk.operations() - before
}

async fn look(store: &DirectoryStore, at: &Key) -> Option<Vec<u8>> {
    store.read(at).await.expect("readable").map(|object| object.bytes)
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_loss_of_power_at_any_operation() {
    let operations = operations().await;
    assert!(operations > 100, "{operations}");
    for number in 0..operations {
        for seed in 0..8 {
            let disk = disk(seed);
            disk.fail_at(number, DiskFault::PowerLoss);
            let may = go(&process(&disk, "a")).await;
            disk.crash();
            let next = process(&disk, "b");
            // The next command cleans up, and what it takes away is not ours to lose.
            let lease = next.lease(&info()).await.expect("free");
            for (at, may) in &may {
                let found = look(&next, at).await;
                assert!(may.contains(&found), "power lost at {number}, seed {seed}: {at} is {found:?} and may be {may:?}");
                let listed = next.list(&key("runs")).await.expect("listed").contains(at);
                assert!(!at.as_str().starts_with("runs/") || listed == found.is_some());
            }
            drop(lease);
            let left = disk.list(Path::new(ROOT)).expect("listed");
            assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".sexton-")), "{left:?}");
        }
    }
}

#[tokio::test]
async fn the_last_acknowledged_step_survives_a_loss_of_power_right_after_it() {
    for (number, seed) in (1..=STEPS.len()).flat_map(|number| (0..16).map(move |seed| (number, seed))) {
        let disk = disk(seed);
        let store = process(&disk, "a");
        for step in &STEPS[..number] {
            match *step {
                Step::Create(at, new) => drop(store.create(&key(at), new.into()).await.expect("created")),
                Step::Replace(at, new) => {
                    let found = store.read(&key(at)).await.expect("readable").expect("there");
                    store.replace(&key(at), new.into(), &found.version).await.expect("replaced");
                }
                Step::Remove(at) => store.remove(&key(at)).await.expect("removed"),
            }
        }
        disk.crash();
        let next = process(&disk, "b");
        let (at, expected) = match STEPS[number - 1] {
            Step::Create(at, new) | Step::Replace(at, new) => (at, Some(new.as_bytes().to_vec())),
            Step::Remove(at) => (at, None),
        };
        assert_eq!(look(&next, &key(at)).await, expected, "step {number}, seed {seed}");
    }
}

#[tokio::test]
async fn what_was_read_after_a_killed_process_survives_too() {
    for number in 0..operations().await {
        for seed in 0..8 {
            let disk = disk(seed);
            // It goes no further, and the disk goes on.
            disk.fail_at(number, DiskFault::Refused);
            let may = go(&process(&disk, "a")).await;
            disk.heal();
            let reader = process(&disk, "b");
            let mut read = Vec::new();
            for at in may.keys() {
                read.push((at.clone(), look(&reader, at).await));
            }
            disk.crash();
            let after = process(&disk, "c");
            for (at, read) in read.into_iter().filter(|(_, read)| read.is_some()) {
                assert_eq!(look(&after, &at).await, read, "killed at {number}, seed {seed}: {at}");
            }
        }
    }
}

#[tokio::test]
async fn whatever_the_disk_does_nothing_half_is_read_and_what_was_acknowledged_is_there() {
    let faults = [DiskFault::Refused, DiskFault::DoneButFailed, DiskFault::Short, DiskFault::NoSpace];
    for seed in 0..200 {
        let disk = disk(seed);
        disk.fail_by_chance(30, faults.to_vec());
        let may = go(&process(&disk, "a")).await;
        disk.heal();
        if seed % 2 == 0 {
            disk.crash();
        }
        let next = process(&disk, "b");
        for (at, may) in &may {
            let found = look(&next, at).await;
            assert!(may.contains(&found), "seed {seed}: {at} is {found:?} and may be {may:?}");
        }
    }
}

#[tokio::test]
async fn the_next_holder_of_the_lease_removes_what_the_killed_left_and_nothing_else() {
    let disk = disk(1);
    let store = process(&disk, "a");
    drop(store.lease(&info()).await.expect("free"));
    let at = |name: &str| Path::new(ROOT).join(name);
    let open = |name: &str| disk.open(&at(name), super::OpenMode::CreateNew).expect("made");
    let in_use = open(".sexton-living-0");
    assert!(in_use.try_lock().expect("locks"));
    drop((open(".sexton-dead-0"), open("notes.txt"), open(".other")));
    drop(store.lease(&info()).await.expect("free"));
    assert_eq!(disk.list(Path::new(ROOT)).expect("listed"), [".other", ".sexton-living-0", "lease", "notes.txt"]);
}
