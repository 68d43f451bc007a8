//! The journal of a run on disk.
#![expect(clippy::disallowed_methods, reason = "this is the adapter for the files of a run")]

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::run_directory::sync_name;
use crate::apply::{Entry, Event};
use crate::base::{Clock, PolicyName};

/// A journal that cannot be read or written. Nothing may be sent without one.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk refused.
    #[error("could not {doing} the journal {path}")]
    Disk {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not what was written there.
    #[error("the journal {path} is damaged at line {line}, byte {byte}: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The first byte of the line, from 0.
        byte: u64,
        /// What is wrong with it.
        why: String,
    },
    /// An earlier entry could not be written, so nothing may follow it.
    #[error("the journal {path} is closed, since an earlier entry could not be written")]
    Closed {
        /// The file.
        path: PathBuf,
    },
}

/// Takes events, and returns when they are durable.
pub trait Journal: Send + Sync {
    /// Appends one event about `policy`, or about the run as a whole.
    ///
    /// # Errors
    ///
    /// When it is not certain that the event is durable. Nothing that rests on it may then happen, and nothing more can
    /// be appended.
    fn append(&self, policy: Option<&PolicyName>, event: &Event) -> Result<(), JournalError>;
}

/// The journal of a run: JSON lines, each an [`Entry`].
///
/// **Invariant**: the file ends with a whole line, and the sequence numbers have no gap.
pub struct JournalFile {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    tail: Mutex<Tail>,
}

struct Tail {
    file: File,
    next: u64,
    closed: bool,
}

impl JournalFile {
    /// Opens the journal, or begins it, and tells `each` every entry in it. A last line without an end is what a crash in
    /// the middle of a write leaves: it was never vouched for, and is cut off.
    ///
    /// # Errors
    ///
    /// When it cannot be read or cut, or is damaged anywhere else.
    pub fn open(path: &Path, clock: Arc<dyn Clock>, each: impl FnMut(Entry)) -> Result<Self, JournalError> {
        let disk = |doing| move |source| JournalError::Disk { doing, path: path.to_owned(), source };
        let file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(disk("open"))?;
        let whole = scan(path, &file, each)?;
        if whole.torn {
            file.set_len(whole.bytes).map_err(disk("cut the torn end off"))?;
        }
        file.sync_all().and_then(|()| sync_name(path)).map_err(disk("sync"))?;
        let tail = Tail { file, next: whole.entries, closed: false };
        Ok(Self { path: path.to_owned(), clock, tail: Mutex::new(tail) })
    }
}

/// Tells `each` every entry of the journal at `path`, up to its last whole line. Nothing is changed.
///
/// # Errors
///
/// When it cannot be read, or is damaged anywhere but at its torn end.
pub fn read_journal(path: &Path, each: impl FnMut(Entry)) -> Result<(), JournalError> {
    let file = File::open(path).map_err(|source| JournalError::Disk { doing: "open", path: path.to_owned(), source })?;
    scan(path, &file, each).map(|_| ())
}

/// The whole lines of a journal.
struct Whole {
    entries: u64,
    bytes: u64,
    /// Whether something without an end comes after them.
    torn: bool,
}

fn scan(path: &Path, file: &File, mut each: impl FnMut(Entry)) -> Result<Whole, JournalError> {
    let mut reader = BufReader::new(file);
    let mut whole = Whole { entries: 0, bytes: 0, torn: false };
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(|source| JournalError::Disk {
            doing: "read",
            path: path.to_owned(),
            source,
        })?;
        if line.last() != Some(&b'\n') {
            whole.torn = length > 0;
            return Ok(whole);
        }
        let damaged = |why| JournalError::Damaged { path: path.to_owned(), line: whole.entries + 1, byte: whole.bytes, why };
        let entry: Entry = serde_json::from_slice(&line).map_err(|error| damaged(error.to_string()))?;
        if entry.sequence != whole.entries {
            return Err(damaged(format!("its sequence number is {}, not {}", entry.sequence, whole.entries)));
        }
        each(entry);
        whole.entries += 1;
        whole.bytes += length as u64;
    }
}

impl Journal for JournalFile {
    fn append(&self, policy: Option<&PolicyName>, event: &Event) -> Result<(), JournalError> {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.closed {
            return Err(JournalError::Closed { path: self.path.clone() });
        }
        // Open again only when all went well: after half a line nothing may follow.
        tail.closed = true;
        let entry = Entry { sequence: tail.next, at: self.clock.now(), policy: policy.cloned(), event: event.clone() };
        let disk = |source| JournalError::Disk { doing: "write", path: self.path.clone(), source };
        let mut line = serde_json::to_vec(&entry).map_err(|error| disk(error.into()))?;
        line.push(b'\n');
        tail.file.write_all(&line).and_then(|()| tail.file.sync_data()).map_err(disk)?;
        tail.next += 1;
        tail.closed = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    struct Fixed;

    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
    }

    fn events() -> Vec<Event> {
        vec![
            Event::Cleared { cleared: 2, skipped: 0, digest: crate::base::Digest::of(b"") },
            Event::Intended { batch: 0, round: 0, first: 0, count: 2 },
            Event::Unclear { batch: 0, cause: "line\nbreak \u{2028} and \"quotes\"".into() },
        ]
    }

    fn written(path: &Path) -> Vec<u8> {
        let journal = JournalFile::open(path, Arc::new(Fixed), |_| {}).expect("opened");
        let policy = PolicyName::new("stale-leads").expect("valid");
        events().iter().for_each(|event| journal.append(Some(&policy), event).expect("written"));
        std::fs::read(path).expect("read")
    }

    fn read(path: &Path) -> Result<Vec<Event>, JournalError> {
        let mut found = Vec::new();
        JournalFile::open(path, Arc::new(Fixed), |entry| found.push(entry.event)).map(|_| found)
    }

    #[test]
    fn a_journal_cut_anywhere_gives_the_entries_before_the_cut() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("journal.jsonl");
        let bytes = written(&path);
        for cut in 0..=bytes.len() {
            std::fs::write(&path, &bytes[..cut]).expect("written");
            let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(read(&path).expect("cut"), events()[..whole], "cut at {cut}");
            assert_eq!(read(&path).expect("again").len(), whole, "the torn end is gone");
        }
    }

    #[test]
    fn any_other_damage_names_line_and_byte() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("journal.jsonl");
        let bytes = written(&path);
        let second = bytes.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
        let mut broken = bytes.clone();
        broken[second] = b'?';
        std::fs::write(&path, &broken).expect("written");
        match read(&path).expect_err("damaged") {
            JournalError::Damaged { line, byte, .. } => assert_eq!((line, byte), (2, second as u64)),
            other => panic!("{other}"),
        }
        std::fs::write(&path, &bytes[second..]).expect("written");
        assert!(matches!(read(&path), Err(JournalError::Damaged { line: 1, .. })), "a missing line is noticed");
    }
}
