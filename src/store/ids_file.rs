//! The ids of a round, in the order in which they are sent.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::{FileHandle, FileStream, OpenMode, Place};
use crate::apply::{Batch, IdSource, SkipCause};
use crate::base::RecordId;

/// The place of the note in a line.
const NOTE: usize = 36;
/// A line: an id of at most 36 bytes, spaces, the note, and a line feed, so that a place in the round is an offset in the file.
const LINE: usize = NOTE + 2;
/// How many lines are read at once where a file is read backwards.
const WINDOW: usize = 1 << 10;

/// The note of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdNote {
    /// Nothing.
    None,
    /// It begins a group of records that go in one batch. In a file without such notes nothing is kept together.
    Group,
    /// Why it is not sent any more.
    Excluded(SkipCause),
    /// It is not sent any more since it is gone.
    Gone,
}

impl IdNote {
    /// The causes for which records are excluded, each with its byte.
    const CAUSES: [(u8, SkipCause); 4] = [
        (b'h', SkipCause::Held),
        (b'c', SkipCause::Changed),
        (b'n', SkipCause::NoLongerMatches),
        (b'b', SkipCause::InRecycleBin),
    ];

    fn byte(self) -> io::Result<u8> {
        match self {
            Self::None => Ok(b' '),
            Self::Group => Ok(b'+'),
            Self::Gone => Ok(b'g'),
            Self::Excluded(cause) => Self::CAUSES
                .iter()
                .find_map(|(byte, known)| (*known == cause).then_some(*byte))
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no record is excluded for that cause")),
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b' ' => Some(Self::None),
            b'+' => Some(Self::Group),
            b'g' => Some(Self::Gone),
            _ => Self::CAUSES.iter().find_map(|(known, cause)| (*known == byte).then_some(Self::Excluded(*cause))),
        }
    }
}

/// Writes a round's ids file.
#[must_use = "an ids file that is not finished is not there"]
pub struct IdsWriter {
    file: BufWriter<FileStream>,
    count: u64,
}

impl IdsWriter {
    /// Begins the file that is to stand at `place`, in place of any other.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn create(place: &Place) -> io::Result<Self> {
        let file = FileStream::new(place.open(OpenMode::Truncate)?);
        Ok(Self { file: BufWriter::with_capacity(1 << 16, file), count: 0 })
    }

    /// Writes the next id.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn push(&mut self, id: &RecordId, note: IdNote) -> io::Result<()> {
        let mut line = [b' '; LINE];
        line[..id.as_bytes().len()].copy_from_slice(id.as_bytes());
        line[NOTE] = note.byte()?;
        line[LINE - 1] = b'\n';
        self.count += 1;
        self.file.write_all(&line)
    }

    /// Ends the file; returns how many ids it has.
    ///
    /// # Errors
    ///
    /// When the disk does not take it.
    pub fn finish(mut self) -> io::Result<u64> {
        self.file.flush()?;
        Ok(self.count)
    }
}

/// A round's ids, by their place.
pub struct IdsFile {
    file: Arc<dyn FileHandle>,
    place: Place,
    count: u64,
}

impl IdsFile {
    /// Opens the file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not made of whole lines.
    pub fn open(place: &Place) -> io::Result<Self> {
        let file = place.open(OpenMode::Read)?;
        let length = file.length()?;
        if length % LINE as u64 != 0 {
            return Err(damaged(place.path(), length / LINE as u64, "the last line is cut off"));
        }
        Ok(Self { file, place: place.clone(), count: length / LINE as u64 })
    }

    /// How many ids there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Reads the whole file once: whether its ids are in ascending order without a duplicate.
    ///
    /// # Errors
    ///
    /// When it cannot be read or holds anything but ids.
    pub fn is_ascending(&self) -> io::Result<bool> {
        let mut ascending = true;
        let mut last: Option<RecordId> = None;
        for id in self.iter() {
            let (id, _) = id?;
            ascending &= last.is_none_or(|last| last < id);
            last = Some(id);
        }
        Ok(ascending)
    }

    /// All ids from the first on.
    pub fn iter(&self) -> IdsIterator {
        let reader = BufReader::with_capacity(1 << 16, FileStream::new(Arc::clone(&self.file)));
        IdsIterator { reader, file: self.place.clone(), place: 0, line: [0; LINE] }
    }

    /// Reads up to `most` ids from place `first` on.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or are not ids.
    pub fn read(&self, first: u64, most: usize) -> io::Result<Vec<RecordId>> {
        Ok(self.read_noted(first, most)?.into_iter().map(|(id, _)| id).collect())
    }

    fn read_noted(&self, first: u64, most: usize) -> io::Result<Vec<(RecordId, IdNote)>> {
        let most = usize::try_from(self.count.saturating_sub(first)).unwrap_or(usize::MAX).min(most);
        let mut bytes = vec![0; most * LINE];
        self.file.read_exact_at(&mut bytes, first * LINE as u64)?;
        bytes.as_chunks::<LINE>().0.iter().zip(first..).map(|(line, place)| parse(line, self.place.path(), place)).collect()
    }

    /// How many of the `count` records from place `first` on are whole groups: all of them where a group or the file ends
    /// behind them, and also where they are all of one group, which is larger than that and has to be split.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or are not ids.
    pub fn whole_groups(&self, first: u64, count: u64) -> io::Result<u64> {
        let mut end = first + count;
        if end >= self.count {
            return Ok(count);
        }
        // The record behind the last one is asked first: a group that begins there is a border.
        while end > first {
            let start = (end + 1).saturating_sub(WINDOW as u64).max(first + 1);
            let window = self.read_noted(start, (end + 1 - start) as usize)?;
            if let Some(border) = window.iter().rposition(|(_, note)| *note == IdNote::Group) {
                return Ok(start + border as u64 - first);
            }
            end = start - 1;
        }
        Ok(count)
    }
}

/// The ids of a file with their notes, one after the other.
pub struct IdsIterator {
    reader: BufReader<FileStream>,
    file: Place,
    place: u64,
    /// The line that was read last.
    line: [u8; LINE],
}

impl Iterator for IdsIterator {
    type Item = io::Result<(RecordId, IdNote)>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.reader.fill_buf() {
            Ok([]) => return None,
            Ok(_) => {}
            Err(error) => return Some(Err(error)),
        }
        let read = self.reader.read_exact(&mut self.line).and_then(|()| parse(&self.line, self.file.path(), self.place));
        self.place += 1;
        Some(read)
    }
}

#[inline]
fn parse(line: &[u8; LINE], path: &Path, place: u64) -> io::Result<(RecordId, IdNote)> {
    let note = IdNote::from_byte(line[NOTE]).filter(|_| line[LINE - 1] == b'\n');
    let note = note.ok_or_else(|| damaged(path, place, "it does not end as it must"))?;
    // A key has no space, so that those behind it are all there are; with one within, it is refused.
    let length = NOTE - line[..NOTE].iter().filter(|byte| **byte == b' ').count();
    let id = RecordId::from_bytes(&line[..length]).map_err(|_| damaged(path, place, "it is not a record id"))?;
    Ok((id, note))
}

fn damaged(path: &Path, place: u64, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged at line {}: {why}", path.display(), place + 1))
}

/// The ids of one batch of a round.
#[derive(Clone)]
pub struct BatchIds {
    file: Arc<IdsFile>,
    first: u64,
    count: u64,
}

impl BatchIds {
    /// The ids of `batch` in its round's file.
    pub fn new(file: Arc<IdsFile>, batch: &Batch) -> Self {
        Self { file, first: batch.first, count: batch.count }
    }
}

impl IdSource for BatchIds {
    fn count(&self) -> u64 {
        self.count
    }

    fn read(&self, first: u64, most: usize) -> io::Result<Vec<RecordId>> {
        let most = usize::try_from(self.count.saturating_sub(first)).unwrap_or(usize::MAX).min(most);
        let ids = self.file.read(self.first + first, most)?;
        if ids.len() != most {
            return Err(damaged(self.file.place.path(), self.file.count, "ids are missing at the end"));
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a look at the machine's files from outside")]

    use super::*;

    fn id(number: u64) -> RecordId {
        RecordId::new(&format!("00Q{number:0>width$}", width = 5 + (number % 20) as usize)).expect("valid")
    }

    #[test]
    fn reads_back_any_part_of_what_was_written() {
        let folder = tempfile::tempdir().expect("folder");
        let path = Place::of_machine(folder.path()).join("round.ids");
        let mut writer = IdsWriter::create(&path).expect("created");
        (0..1000).for_each(|number| writer.push(&id(number), IdNote::None).expect("written"));
        let count = writer.finish().expect("finished");
        let file = Arc::new(IdsFile::open(&path).expect("opened"));
        assert_eq!((count, file.count()), (1000, 1000));
        assert!(!file.is_ascending().expect("read"), "a longer key may sort before a shorter one");
        let all: Vec<RecordId> = file.iter().map(|id| id.expect("valid").0).collect();
        assert_eq!(all, (0..1000).map(id).collect::<Vec<_>>());
        let batch = BatchIds::new(file, &Batch { number: 0, round: 0, first: 990, count: 7 });
        assert_eq!(batch.read(5, 100).expect("read"), [id(995), id(996)]);
    }

    #[test]
    fn a_batch_ends_where_a_group_does() {
        let folder = tempfile::tempdir().expect("folder");
        let path = Place::of_machine(folder.path()).join("round.ids");
        // Groups of 1, 2, 3, ... records: they begin at 0, 1, 3, 6, 10, ...
        let begins: Vec<u64> = (0..100).map(|size| size * (size + 1) / 2).collect();
        let mut writer = IdsWriter::create(&path).expect("created");
        for place in 0..5_000 {
            let note = if begins.contains(&place) { IdNote::Group } else { IdNote::None };
            writer.push(&id(place), note).expect("written");
        }
        writer.finish().expect("finished");
        let file = IdsFile::open(&path).expect("opened");
        let whole = |first, count| file.whole_groups(first, count).expect("read");
        assert_eq!((whole(0, 3), whole(0, 4), whole(0, 5), whole(0, 6)), (3, 3, 3, 6));
        assert_eq!((whole(1, 1), whole(1, 2), whole(7, 3)), (1, 2, 3), "one group, to its end or split");
        assert_eq!((whole(10, 4_984), whole(10, 4_990)), (4_949 - 9, 4_990), "the file ends");
        for (first, count) in [(0, 4_000), (3, 2_200), (4_000, 90)] {
            let border = begins.iter().rfind(|place| (first + 1..=first + count).contains(*place));
            assert_eq!(whole(first, count), border.map_or(count, |border| border - first));
        }
    }

    #[test]
    fn says_which_line_is_damaged() {
        let folder = tempfile::tempdir().expect("folder");
        let path = Place::of_machine(folder.path()).join("round.ids");
        let mut writer = IdsWriter::create(&path).expect("created");
        (0..3).for_each(|number| writer.push(&id(number), IdNote::None).expect("written"));
        writer.finish().expect("finished");
        let mut bytes = std::fs::read(path.path()).expect("read");
        bytes[LINE + 2] = b'\'';
        std::fs::write(path.path(), &bytes).expect("written");
        let error = IdsFile::open(&path).expect("opened").is_ascending().expect_err("damaged");
        assert!(error.to_string().ends_with("line 2: it is not a record id"), "{error}");
        std::fs::write(path.path(), &bytes[..bytes.len() - 1]).expect("written");
        assert!(IdsFile::open(&path).is_err());
    }
}
