//! What is known about every record of a round.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{FileHandle, MessagesFile, OpenMode, Place};
use crate::apply::{Evidence, RecordStatus, StatusRun, Tally};
use crate::base::{Failure, FailureClass};

const WIDTH: usize = 16;
/// How many statuses are read or written at once.
const WINDOW: usize = 1 << 13;

const DELETED: u8 = 1;
const ALREADY_GONE: u8 = 2;
const FAILED: u8 = 3;
const ROLLED_BACK: u8 = 4;
const AGAIN: u8 = 5;
const UNKNOWN: u8 = 6;
const MISSING: u8 = 7;
const SAID_GONE: u8 = 8;
const UNMENTIONED: u8 = 9;

const CLASSES: [FailureClass; 9] = [
    FailureClass::Locked,
    FailureClass::Transient,
    FailureClass::Denied,
    FailureClass::Dependent,
    FailureClass::Refused,
    FailureClass::Invalid,
    FailureClass::Quota,
    FailureClass::TooHeavy,
    FailureClass::Unrecognized,
];

/// A status as it is on disk: kind, evidence, class, whether unclear, and the length and place of its message.
///
/// All zeros mean no status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodedStatus([u8; WIDTH]);

impl EncodedStatus {
    /// No status: the record was not sent in this round.
    pub const NONE: Self = Self([0; WIDTH]);
    /// [`RecordStatus::Missing`].
    pub const MISSING: Self = {
        let mut bytes = [0; WIDTH];
        bytes[0] = MISSING;
        Self(bytes)
    };

    /// The status with these bytes.
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

    /// Whether the presence of the record must be checked: [`RecordStatus::Missing`], [`RecordStatus::Unmentioned`] and
    /// [`RecordStatus::SaidGone`].
    pub fn needs_a_check(&self) -> bool {
        matches!(self.0[0], MISSING | SAID_GONE | UNMENTIONED)
    }

    /// Whether it is [`RecordStatus::Again`].
    pub fn is_again(&self) -> bool {
        self.0[0] == AGAIN
    }
}

/// How many records have which status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusCount {
    /// Records without a status.
    pub none: u64,
    /// [`RecordStatus::Again`].
    pub again: u64,
    /// Those that [need a check](EncodedStatus::needs_a_check).
    pub missing: u64,
    /// The others.
    pub tally: Tally,
}

/// The statuses of one round, by the place of the record in the round's ids file.
///
/// It is a scratch file: what counts is what the journal says.
pub struct StatusFile {
    place: Place,
    file: Arc<dyn FileHandle>,
    texts: Arc<MessagesFile>,
}

impl StatusFile {
    /// Begins the file for a round of `count` records, none of which has a status.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn create(place: &Place, texts: Arc<MessagesFile>, count: u64) -> io::Result<Self> {
        let file = place.open(OpenMode::Truncate)?;
        file.set_length(count * WIDTH as u64)?;
        Ok(Self { place: place.clone(), file, texts })
    }

    /// Where it lies, for people.
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    fn damaged(&self, why: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged: {why}", self.place.path().display()))
    }

    /// The form of a status on disk; its message is added to the messages file.
    ///
    /// # Errors
    ///
    /// When the message cannot be written.
    pub fn encode(&self, mark: &RecordStatus) -> io::Result<EncodedStatus> {
        let evidence = |evidence: Evidence| match evidence {
            Evidence::PresenceCheck => 1,
            Evidence::None => 2,
            Evidence::Answer | Evidence::Recheck => 0,
        };
        let (kind, evidence, unclear, failure) = match mark {
            RecordStatus::Deleted(from) => (DELETED, evidence(*from), false, None),
            RecordStatus::AlreadyGone(failure) => (ALREADY_GONE, 0, false, Some(failure)),
            RecordStatus::Failed(failure, from) => (FAILED, evidence(*from), false, Some(failure)),
            RecordStatus::RolledBack(failure) => (ROLLED_BACK, 0, false, Some(failure)),
            RecordStatus::Again { failure, evidence: from, unclear } => (AGAIN, evidence(*from), *unclear, Some(failure)),
            RecordStatus::Unknown => (UNKNOWN, 0, false, None),
            RecordStatus::Missing => (MISSING, 0, false, None),
            RecordStatus::Unmentioned(failure) => (UNMENTIONED, 0, false, Some(failure)),
            RecordStatus::SaidGone(failure) => (SAID_GONE, 0, false, Some(failure)),
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

    /// The status that `raw` encodes; `None` if it is no status.
    ///
    /// # Errors
    ///
    /// When it or its message is damaged.
    pub fn decode(&self, raw: &EncodedStatus) -> io::Result<Option<RecordStatus>> {
        let bytes = raw.0;
        let evidence = match bytes[1] {
            0 => Evidence::Answer,
            1 => Evidence::PresenceCheck,
            _ => Evidence::None,
        };
        let failure = || {
            let class = *CLASSES.get(usize::from(bytes[2])).ok_or_else(|| self.damaged("a mark has no class"))?;
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
            UNMENTIONED => RecordStatus::Unmentioned(failure()?),
            SAID_GONE => RecordStatus::SaidGone(failure()?),
            _ => return Err(self.damaged("a mark is of no known kind")),
        }))
    }

    /// Writes statuses for the records from place `first` on.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub fn write(&self, first: u64, statuses: &[EncodedStatus]) -> io::Result<()> {
        let bytes: Vec<u8> = statuses.iter().flat_map(|mark| mark.0).collect();
        self.file.write_all_at(&bytes, first * WIDTH as u64)
    }

    /// Writes the same status for `count` records from place `first` on.
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
        self.file.read_exact_at(&mut bytes, first * WIDTH as u64)?;
        Ok(bytes.as_chunks::<WIDTH>().0.iter().map(|bytes| EncodedStatus(*bytes)).collect())
    }

    /// Passes the place and status of each of `count` records from `first` on to `each`, until it returns `false`.
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
                MISSING | SAID_GONE | UNMENTIONED => &mut sum.missing,
                _ => return Err(self.damaged("a mark is of no known kind")),
            } += 1;
            Ok(true)
        })?;
        Ok(sum)
    }
}

/// The records of a stretch of a round by their statuses, in order; neighbours with one status come together.
pub struct StatusRuns<'a> {
    file: &'a StatusFile,
    next: u64,
    end: u64,
    window: std::vec::IntoIter<EncodedStatus>,
    current: Option<(EncodedStatus, u64)>,
}

impl StatusFile {
    /// The statuses of `count` records from place `first` on.
    pub fn runs(&self, first: u64, count: u64) -> StatusRuns<'_> {
        StatusRuns { file: self, next: first, end: first + count, window: Vec::new().into_iter(), current: None }
    }
}

impl StatusRuns<'_> {
    fn encoded(&mut self) -> io::Result<Option<EncodedStatus>> {
        if let Some(status) = self.window.next() {
            return Ok(Some(status));
        }
        if self.next == self.end {
            return Ok(None);
        }
        let count = usize::try_from(self.end - self.next).unwrap_or(WINDOW).min(WINDOW);
        self.window = self.file.read(self.next, count)?.into_iter();
        self.next += count as u64;
        Ok(self.window.next())
    }

    fn run(&mut self) -> io::Result<Option<StatusRun>> {
        loop {
            let status = self.encoded()?;
            let ended = match (&mut self.current, status) {
                (Some((current, count)), Some(status)) if *current == status => {
                    *count += 1;
                    continue;
                }
                (current, status) => std::mem::replace(current, status.map(|status| (status, 1))),
            };
            if let Some((status, count)) = ended {
                let decoded = self.file.decode(&status)?;
                let status = decoded.ok_or_else(|| self.file.damaged("a record of an answered batch has no status"))?;
                return Ok(Some(StatusRun(count, status)));
            }
            if status.is_none() {
                return Ok(None);
            }
        }
    }
}

impl Iterator for StatusRuns<'_> {
    type Item = io::Result<StatusRun>;

    fn next(&mut self) -> Option<Self::Item> {
        self.run().transpose()
    }
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
            RecordStatus::SaidGone(failure(FailureClass::Invalid, "entity is deleted")),
            RecordStatus::Unmentioned(failure(FailureClass::Invalid, "no such field")),
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
        let folder = Place::of_machine(folder.path());
        let (marks_path, texts_path) = (folder.join("p.0.statuses"), folder.join("p.texts"));
        let statuses = every_mark();
        let texts = Arc::new(MessagesFile::create(&texts_path).expect("made"));
        let file = StatusFile::create(&marks_path, texts, 100).expect("made");
        let raw: Vec<EncodedStatus> = statuses.iter().map(|mark| file.encode(mark).expect("encoded")).collect();
        file.write(50, &raw).expect("written");
        let read: Vec<Option<RecordStatus>> =
            file.read(49, statuses.len() + 1).expect("read").iter().map(|raw| file.decode(raw).expect("decoded")).collect();
        assert_eq!(read[0], None);
        assert_eq!(read[1..], statuses.into_iter().map(Some).collect::<Vec<_>>());
        let count = file.count(0, 100).expect("counted");
        assert_eq!((count.none, count.again, count.missing, count.tally.total()), (80, 2, 3, 15));
    }

    #[test]
    fn removed_marks_are_none_and_others_stay() {
        let folder = tempfile::tempdir().expect("folder");
        let folder = Place::of_machine(folder.path());
        let texts = Arc::new(MessagesFile::create(&folder.join("p.texts")).expect("made"));
        let file = StatusFile::create(&folder.join("p.0.statuses"), texts, 10).expect("opened");
        file.fill(2, 6, EncodedStatus::MISSING).expect("written");
        file.clear(3, 4).expect("removed");
        let missing: Vec<bool> = file.read(0, 10).expect("read").iter().map(EncodedStatus::is_missing).collect();
        assert_eq!(missing, [false, false, true, false, false, false, false, true, false, false]);
    }

    #[test]
    fn neighbours_with_one_status_come_as_one_run() {
        let folder = tempfile::tempdir().expect("folder");
        let folder = Place::of_machine(folder.path());
        let texts = Arc::new(MessagesFile::create(&folder.join("p.texts")).expect("made"));
        let file = StatusFile::create(&folder.join("p.0.statuses"), texts, 20_000).expect("made");
        let failed = RecordStatus::Failed(failure(FailureClass::Denied, "no"), Evidence::Answer);
        file.fill(3, 9_000, file.encode(&RecordStatus::Deleted(Evidence::Answer)).expect("encoded")).expect("written");
        file.fill(9_003, 2, file.encode(&failed).expect("encoded")).expect("written");
        let runs: Vec<StatusRun> = file.runs(3, 9_002).map(|run| run.expect("read")).collect();
        assert_eq!(runs, [StatusRun(9_000, RecordStatus::Deleted(Evidence::Answer)), StatusRun(2, failed)]);
        assert!(file.runs(3, 9_003).last().expect("one more").is_err(), "a record without a status is no answer");
    }
}
