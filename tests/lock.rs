//! A lock dies with its holder.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use sexton::state::LockInfo;
use sexton::store::{Backend, DirectoryStore, LeaseError, LocalFiles};

fn info(process: u32) -> LockInfo {
    LockInfo {
        id: format!("lock-{process}"),
        operation: "apply".into(),
        who: "ada@host".into(),
        process,
        version: "0.1.0".into(),
        created: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn store(root: &str, tag: &str) -> DirectoryStore {
    DirectoryStore::new(Arc::new(LocalFiles), root, tag)
}

/// Not a test: the other process of the test below, which holds the lock until it is killed. Its first line of input is
/// the store's directory.
#[tokio::test]
#[ignore = "started by the test below"]
async fn holder() {
    let mut place = String::new();
    std::io::stdin().read_line(&mut place).expect("a path");
    let held = store(place.trim(), "child").lease(&info(std::process::id())).await.expect("free");
    // A line of its own, after whatever the test runner has written on this one.
    std::io::stdout().write_all(b"\nheld\n").and_then(|()| std::io::stdout().flush()).expect("a reader");
    // Returns only when the parent dies.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    drop(held);
}

#[tokio::test]
async fn a_killed_process_holds_no_lock_and_says_who_it_was() {
    let home = tempfile::tempdir().expect("a directory");
    let root = home.path().join(".sexton").display().to_string();
    let store = store(&root, "parent");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "holder", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(format!("{root}\n").as_bytes()).expect("a reader");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line == "held")), "the child never held the lock");

    let refused = store.lease(&info(1)).await.expect_err("held by the child");
    assert!(matches!(&refused, LeaseError::Held(Some(holder)) if holder.process == child.id()), "{refused}");
    assert!(matches!(store.force_unlock(&format!("lock-{}", child.id())).await, Err(LeaseError::Held(_))));

    child.kill().expect("ours");
    child.wait().expect("ours");
    let next = store.lease(&info(2)).await.expect("free");
    assert_eq!(next.left_behind(), Some(&info(child.id())));
}
