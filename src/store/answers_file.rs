//! What is known about every record of a round.
#![expect(clippy::disallowed_methods, reason = "this is the adapter for the files of a run")]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::run_directory::sync_name;
use crate::apply::{Evidence, RecordStatus, Tally};
use crate::base::{Failure, FailureClass};

const WIDTH: usize = 16;
/// How many statuses are read or written at once.
const WINDOW: usize = 1 << 13;
/// So many bytes of texts are held back before they are written.
const HELD_BACK: usize = 1 << 16;

const DELETED: u8 = 1;
const ALREADY_GONE: u8 = 2;
const FAILED: u8 = 3;
const ROLLED_BACK: u8 = 4;
const AGAIN: u8 = 5;
const UNKNOWN: u8 = 6;
const MISSING: u8 = 7;

const CLASSES: [FailureClass; 8] = [
    FailureClass::Locked,
    FailureClass::Transient,
    FailureClass::Denied,
    FailureClass::Dependent,
    FailureClass::Refused,
    FailureClass::Invalid,
    FailureClass::Quota,
    FailureClass::Unrecognized,
];

/// A mark as it lies on disk: kind, evidence, class, whether unclear, and the length and place of its text.
///
/// All zeros is no mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodedStatus([u8; WIDTH]);

impl EncodedStatus {
    /// No mark: the record was never sent in this round.
    pub const NONE: Self = Self([0; WIDTH]);
    /// [`RecordStatus::Missing`].
    pub const MISSING: Self = {
        let mut bytes = [0; WIDTH];
        bytes[0] = MISSING;
        Self(bytes)
    };

    /// Takes the bytes of a mark.
    pub fn from_bytes(bytes: [u8; WIDTH]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn bytes(&self) -> [u8; WIDTH] {
        self.0
    }

    /// Whether both say the same, apart from the words.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.0[..4] == other.0[..4]
    }

    /// Whether it is [`RecordStatus::Missing`].
    pub fn is_missing(&self) -> bool {
        self.0[0] == MISSING
    }

    /// Whether it is [`RecordStatus::Again`].
    pub fn is_again(&self) -> bool {
        self.0[0] == AGAIN
    }
}

/// How many statuses say what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusCount {
    /// No mark.
    pub none: u64,
    /// [`RecordStatus::Again`].
    pub again: u64,
    /// [`RecordStatus::Missing`].
    pub missing: u64,
    /// The others.
    pub tally: Tally,
}

/// The codes and messages that a policy's statuses refer to, in no order.
///
/// It only grows. What no mark refers to, after a crash or a repeated download, does no harm.
pub struct MessagesFile {
    path: PathBuf,
    tail: Mutex<MessagesTail>,
}

struct MessagesTail {
    file: File,
    /// The length of the file, without what is held back.
    written: u64,
    held_back: Vec<u8>,
    last: Option<(u64, Vec<u8>)>,
}

impl MessagesFile {
    /// Opens the file, or begins it. `vouched` is the length the journal vouches for; what is missing up to there is zeros from
    /// now on, and `false` comes with the file. Only words are lost by that: what became of the records is in the statuses.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn open(path: &Path, vouched: u64) -> io::Result<(Self, bool)> {
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        let length = file.metadata()?.len();
        if length < vouched {
            file.set_len(vouched)?;
        }
        sync_name(path)?;
        let tail = MessagesTail { file, written: length.max(vouched), held_back: Vec::new(), last: None };
        Ok((Self { path: path.to_owned(), tail: Mutex::new(tail) }, length >= vouched))
    }

    fn tail(&self) -> MutexGuard<'_, MessagesTail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a text and returns its place and length. A text equal to the last one is not written twice.
    fn add(&self, failure: &Failure) -> io::Result<(u64, u32)> {
        let mut text = failure.code.replace('\0', " ").into_bytes();
        text.push(0);
        text.extend_from_slice(failure.message.replace('\0', " ").as_bytes());
        let length = u32::try_from(text.len()).map_err(|_| damaged(&self.path, "a message is longer than 4 GiB"))?;
        let mut tail = self.tail();
        if let Some((place, last)) = &tail.last
            && *last == text
        {
            return Ok((*place, length));
        }
        let place = tail.written + tail.held_back.len() as u64;
        tail.held_back.extend_from_slice(&text);
        tail.last = Some((place, text));
        if tail.held_back.len() >= HELD_BACK {
            tail.write()?;
        }
        Ok((place, length))
    }

    fn read(&self, place: u64, length: u32) -> io::Result<(String, String)> {
        let mut tail = self.tail();
        tail.write()?;
        if place + u64::from(length) > tail.written {
            return Err(damaged(&self.path, "a text is missing"));
        }
        let mut text = vec![0; length as usize];
        tail.file.seek(SeekFrom::Start(place))?;
        tail.file.read_exact(&mut text)?;
        // Zeros are what an end that was lost is replaced with; whole texts have just one, behind the code. The mark says what became of
        // the record, so that damage here costs words and nothing else.
        let whole = text.iter().filter(|byte| **byte == 0).count() == 1;
        let text = String::from_utf8(text).ok().filter(|_| whole);
        let found = text.as_deref().and_then(|text| text.split_once('\0'));
        Ok(found.map_or_else(
            || ("words-lost".into(), "the system's words were lost with a part of the answers file".into()),
            |(code, message)| (code.into(), message.into()),
        ))
    }

    /// Makes everything durable; returns the length.
    fn sync(&self) -> io::Result<u64> {
        let mut tail = self.tail();
        tail.write()?;
        tail.file.sync_data()?;
        Ok(tail.written)
    }
}

impl MessagesTail {
    fn write(&mut self) -> io::Result<()> {
        if !self.held_back.is_empty() {
            self.file.seek(SeekFrom::Start(self.written))?;
            self.file.write_all(&self.held_back)?;
            self.written += self.held_back.len() as u64;
            self.held_back.clear();
        }
        Ok(())
    }
}

/// The statuses of one round, by the place of the record in the round's ids file.
///
/// A batch's statuses may be written more than once, after a crash or a repeated download; only what stands there when the
/// journal says that the batch was answered counts.
pub struct StatusFile {
    path: PathBuf,
    file: Mutex<File>,
    texts: Arc<MessagesFile>,
}

impl StatusFile {
    /// Opens the file for a round of `count` records, or begins it.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn open(path: &Path, texts: Arc<MessagesFile>, count: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        if file.metadata()?.len() != count * WIDTH as u64 {
            file.set_len(count * WIDTH as u64)?;
        }
        sync_name(path)?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), texts })
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The form of a mark on disk; its text goes into the texts file.
    ///
    /// # Errors
    ///
    /// When the text cannot be written.
    pub fn encode(&self, mark: &RecordStatus) -> io::Result<EncodedStatus> {
        let evidence = |evidence: Evidence| u8::from(evidence == Evidence::PresenceCheck);
        let (kind, evidence, unclear, failure) = match mark {
            RecordStatus::Deleted(from) => (DELETED, evidence(*from), false, None),
            RecordStatus::AlreadyGone(failure) => (ALREADY_GONE, 0, false, Some(failure)),
            RecordStatus::Failed(failure, from) => (FAILED, evidence(*from), false, Some(failure)),
            RecordStatus::RolledBack(failure) => (ROLLED_BACK, 0, false, Some(failure)),
            RecordStatus::Again { failure, evidence: from, unclear } => (AGAIN, evidence(*from), *unclear, Some(failure)),
            RecordStatus::Unknown => (UNKNOWN, 0, false, None),
            RecordStatus::Missing => (MISSING, 0, false, None),
        };
        let mut bytes = [0; WIDTH];
        bytes[0] = kind;
        bytes[1] = evidence;
        bytes[3] = u8::from(unclear);
        if let Some(failure) = failure {
            let class = CLASSES.iter().position(|class| *class == failure.class).unwrap_or(CLASSES.len() - 1);
            bytes[2] = class as u8;
            let (place, length) = self.texts.add(failure)?;
            bytes[4..8].copy_from_slice(&length.to_le_bytes());
            bytes[8..].copy_from_slice(&place.to_le_bytes());
        }
        Ok(EncodedStatus(bytes))
    }

    /// The mark that `raw` stands for; `None` where there is none.
    ///
    /// # Errors
    ///
    /// When it or its text is damaged.
    pub fn decode(&self, raw: &EncodedStatus) -> io::Result<Option<RecordStatus>> {
        let bytes = raw.0;
        let evidence = if bytes[1] == 0 { Evidence::Answer } else { Evidence::PresenceCheck };
        let failure = || {
            let class = *CLASSES.get(usize::from(bytes[2])).ok_or_else(|| damaged(&self.path, "a mark has no class"))?;
            let length = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
            let mut place = [0; 8];
            place.copy_from_slice(&bytes[8..]);
            let (code, message) = self.texts.read(u64::from_le_bytes(place), length)?;
            Ok::<_, io::Error>(Failure { class, code, message })
        };
        Ok(Some(match bytes[0] {
            0 => return Ok(None),
            DELETED => RecordStatus::Deleted(evidence),
            ALREADY_GONE => RecordStatus::AlreadyGone(failure()?),
            FAILED => RecordStatus::Failed(failure()?, evidence),
            ROLLED_BACK => RecordStatus::RolledBack(failure()?),
            AGAIN => RecordStatus::Again { failure: failure()?, evidence, unclear: bytes[3] != 0 },
            UNKNOWN => RecordStatus::Unknown,
            MISSING => RecordStatus::Missing,
            _ => return Err(damaged(&self.path, "a mark is of no known kind")),
        }))
    }

    /// Writes statuses for the records from place `first` on.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub fn write(&self, first: u64, statuses: &[EncodedStatus]) -> io::Result<()> {
        let bytes: Vec<u8> = statuses.iter().flat_map(|mark| mark.0).collect();
        let mut file = self.file();
        file.seek(SeekFrom::Start(first * WIDTH as u64))?;
        file.write_all(&bytes)
    }

    /// Writes the same mark for `count` records from place `first` on.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn fill(&self, first: u64, count: u64, mark: EncodedStatus) -> io::Result<()> {
        let mut done = 0;
        while done < count {
            let window = usize::try_from(count - done).unwrap_or(WINDOW).min(WINDOW);
            self.write(first + done, &vec![mark; window])?;
            done += window as u64;
        }
        Ok(())
    }

    /// Removes the statuses of `count` records from place `first` on.
    ///
    /// # Errors
    ///
    /// When they cannot be read or written.
    pub fn clear(&self, first: u64, count: u64) -> io::Result<()> {
        // Most have none, and the file has holes there.
        self.scan(first, count, |place, mark| {
            if mark != EncodedStatus::NONE {
                self.write(place, &[EncodedStatus::NONE])?;
            }
            Ok(true)
        })
    }

    /// Reads the statuses of `count` records from place `first` on.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn read(&self, first: u64, count: usize) -> io::Result<Vec<EncodedStatus>> {
        let mut bytes = vec![0; count * WIDTH];
        let mut file = self.file();
        file.seek(SeekFrom::Start(first * WIDTH as u64))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes.as_chunks::<WIDTH>().0.iter().map(|bytes| EncodedStatus(*bytes)).collect())
    }

    /// Tells `each` the place and the mark of every record from `first` on, `count` of them, until it says `false`.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or with the error of `each`.
    pub fn scan(
        &self,
        first: u64,
        count: u64,
        mut each: impl FnMut(u64, EncodedStatus) -> io::Result<bool>,
    ) -> io::Result<()> {
        let end = first + count;
        let mut place = first;
        while place < end {
            let window = usize::try_from(end - place).unwrap_or(WINDOW).min(WINDOW);
            for mark in self.read(place, window)? {
                if !each(place, mark)? {
                    return Ok(());
                }
                place += 1;
            }
        }
        Ok(())
    }

    /// Counts the statuses of `count` records from place `first` on.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or one is damaged.
    pub fn count(&self, first: u64, count: u64) -> io::Result<StatusCount> {
        let mut sum = StatusCount::default();
        self.scan(first, count, |_, mark| {
            *match mark.0[0] {
                0 => &mut sum.none,
                DELETED => &mut sum.tally.deleted,
                ALREADY_GONE => &mut sum.tally.already_gone,
                FAILED => &mut sum.tally.failed,
                ROLLED_BACK => &mut sum.tally.skipped,
                AGAIN => &mut sum.again,
                UNKNOWN => &mut sum.tally.unknown,
                MISSING => &mut sum.missing,
                _ => return Err(damaged(&self.path, "a mark is of no known kind")),
            } += 1;
            Ok(true)
        })?;
        Ok(sum)
    }

    /// Makes all statuses and their texts durable; returns the length of the texts file.
    ///
    /// # Errors
    ///
    /// When the disk does not take them.
    pub fn sync(&self) -> io::Result<u64> {
        let texts = self.texts.sync()?;
        self.file().sync_data()?;
        Ok(texts)
    }
}

fn damaged(path: &Path, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(class: FailureClass, message: &str) -> Failure {
        Failure { class, code: "CODE".into(), message: message.into() }
    }

    fn every_mark() -> Vec<RecordStatus> {
        let mut statuses = vec![
            RecordStatus::Deleted(Evidence::Answer),
            RecordStatus::Deleted(Evidence::PresenceCheck),
            RecordStatus::AlreadyGone(failure(FailureClass::Invalid, "entity is deleted")),
            RecordStatus::AlreadyGone(failure(FailureClass::Invalid, "entity is deleted")),
            RecordStatus::RolledBack(failure(FailureClass::Transient, "")),
            RecordStatus::Unknown,
            RecordStatus::Missing,
        ];
        statuses
            .extend(CLASSES.map(|class| RecordStatus::Failed(failure(class, "ä, \"quoted\"\nand more"), Evidence::Answer)));
        for unclear in [false, true] {
            statuses.push(RecordStatus::Again {
                failure: failure(FailureClass::Locked, "lock"),
                evidence: Evidence::PresenceCheck,
                unclear,
            });
        }
        statuses
    }

    #[test]
    fn every_mark_comes_back_from_disk() {
        let folder = tempfile::tempdir().expect("folder");
        let (marks_path, texts_path) = (folder.path().join("p.0.statuses"), folder.path().join("p.texts"));
        let statuses = every_mark();
        let vouched = {
            let texts = Arc::new(MessagesFile::open(&texts_path, 0).expect("opened").0);
            let file = StatusFile::open(&marks_path, texts, 100).expect("opened");
            let raw: Vec<EncodedStatus> = statuses.iter().map(|mark| file.encode(mark).expect("encoded")).collect();
            file.write(50, &raw).expect("written");
            file.sync().expect("synced")
        };
        let texts = Arc::new(MessagesFile::open(&texts_path, vouched).expect("opened").0);
        let file = StatusFile::open(&marks_path, texts, 100).expect("opened");
        let read: Vec<Option<RecordStatus>> =
            file.read(49, statuses.len() + 1).expect("read").iter().map(|raw| file.decode(raw).expect("decoded")).collect();
        assert_eq!(read[0], None);
        assert_eq!(read[1..], statuses.into_iter().map(Some).collect::<Vec<_>>());
        let count = file.count(0, 100).expect("counted");
        assert_eq!((count.none, count.again, count.missing, count.tally.total()), (83, 2, 1, 14));
    }

    #[test]
    fn removed_marks_are_none_and_others_stay() {
        let folder = tempfile::tempdir().expect("folder");
        let texts = Arc::new(MessagesFile::open(&folder.path().join("p.texts"), 0).expect("opened").0);
        let file = StatusFile::open(&folder.path().join("p.0.statuses"), texts, 10).expect("opened");
        file.fill(2, 6, EncodedStatus::MISSING).expect("written");
        file.clear(3, 4).expect("removed");
        let missing: Vec<bool> = file.read(0, 10).expect("read").iter().map(EncodedStatus::is_missing).collect();
        assert_eq!(missing, [false, false, true, false, false, false, false, true, false, false]);
    }

    #[test]
    fn a_lost_end_of_the_texts_costs_words_and_nothing_else() {
        let folder = tempfile::tempdir().expect("folder");
        let (marks_path, texts_path) = (folder.path().join("p.0.statuses"), folder.path().join("p.texts"));
        let open = |vouched| {
            let (texts, whole) = MessagesFile::open(&texts_path, vouched).expect("opened");
            (StatusFile::open(&marks_path, Arc::new(texts), 9).expect("opened"), whole)
        };
        let failed = |message: &str| RecordStatus::Failed(failure(FailureClass::Denied, message), Evidence::Answer);
        let (file, _) = open(0);
        let raw: Vec<EncodedStatus> = ["one", "two"].map(|words| file.encode(&failed(words)).expect("encoded")).to_vec();
        let vouched = file.sync().expect("synced");
        for left in (0..vouched).rev() {
            OpenOptions::new().write(true).open(&texts_path).and_then(|texts| texts.set_len(left)).expect("cut");
            let (file, whole) = open(vouched);
            assert!(!whole);
            let Ok(Some(RecordStatus::Failed(read, Evidence::Answer))) = file.decode(&raw[1]) else {
                panic!("cut at {left}")
            };
            assert_eq!(read.code, "words-lost", "cut at {left}");
            assert_eq!(file.decode(&raw[0]).expect("decoded") == Some(failed("one")), left >= 8, "cut at {left}");
            // What comes later does not overwrite anything.
            let later = file.encode(&failed("three")).expect("encoded");
            file.sync().expect("synced");
            assert_eq!(file.decode(&later).expect("decoded"), Some(failed("three")));
            assert_eq!(open(vouched).0.decode(&later).expect("decoded"), Some(failed("three")));
        }
    }
}
