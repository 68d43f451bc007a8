//! The ids of a wave, in the order in which they are sent.
#![expect(clippy::disallowed_methods, reason = "this is the adapter for the files of a run")]

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::run_directory::sync_name;
use crate::apply::{Batch, IdSource};
use crate::base::{Digest, Digester, RecordId};

/// A line: an id of at most 36 bytes, spaces, and a line feed, so that a place in the wave is an offset in the file.
const LINE: usize = 37;

/// Writes a wave's ids file. Nothing stands under its name before [`IdsWriter::finish`].
#[must_use = "an ids file that is not finished is not there"]
pub struct IdsWriter {
    path: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
    digester: Digester,
    count: u64,
}

impl IdsWriter {
    /// Begins the file that is to stand at `path`, in place of any other.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let temporary = path.with_extension("part");
        let file = BufWriter::with_capacity(1 << 16, File::create(&temporary)?);
        Ok(Self { path: path.to_owned(), temporary, file, digester: Digester::new(), count: 0 })
    }

    /// Writes the next id.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn push(&mut self, id: &RecordId) -> io::Result<()> {
        let mut line = [b' '; LINE];
        line[..id.as_bytes().len()].copy_from_slice(id.as_bytes());
        line[LINE - 1] = b'\n';
        self.digester.update(&line);
        self.count += 1;
        self.file.write_all(&line)
    }

    /// Makes the file durable and gives it its name; returns how many ids it has, and its digest.
    ///
    /// # Errors
    ///
    /// When the disk does not take it.
    pub fn finish(self) -> io::Result<(u64, Digest)> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        std::fs::rename(&self.temporary, &self.path)?;
        sync_name(&self.path)?;
        Ok((self.count, self.digester.finish()))
    }
}

/// A wave's ids, by their place.
pub struct IdsFile {
    file: Mutex<File>,
    path: PathBuf,
    count: u64,
}

impl IdsFile {
    /// Opens the file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not made of whole lines.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        if length % LINE as u64 != 0 {
            return Err(damaged(path, length / LINE as u64, "the last line is cut off"));
        }
        Ok(Self { file: Mutex::new(file), path: path.to_owned(), count: length / LINE as u64 })
    }

    /// How many ids there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Reads the whole file once: its digest, and whether its ids are in ascending order without a duplicate.
    ///
    /// # Errors
    ///
    /// When it cannot be read or holds anything but ids.
    pub fn verify(&self) -> io::Result<(Digest, bool)> {
        let mut digester = Digester::new();
        let mut ascending = true;
        let mut last: Option<RecordId> = None;
        for id in self.iter()? {
            let id = id?;
            let mut line = [b' '; LINE];
            line[..id.as_bytes().len()].copy_from_slice(id.as_bytes());
            line[LINE - 1] = b'\n';
            digester.update(&line);
            ascending &= last.is_none_or(|last| last < id);
            last = Some(id);
        }
        Ok((digester.finish(), ascending))
    }

    /// All ids from the first on.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened once more.
    pub fn iter(&self) -> io::Result<IdsIterator> {
        let reader = BufReader::with_capacity(1 << 16, File::open(&self.path)?);
        Ok(IdsIterator { reader, path: self.path.clone(), line: 0 })
    }

    /// Reads up to `most` ids from place `first` on.
    ///
    /// # Errors
    ///
    /// When they cannot be read, or are not ids.
    pub fn read(&self, first: u64, most: usize) -> io::Result<Vec<RecordId>> {
        let most = usize::try_from(self.count.saturating_sub(first)).unwrap_or(usize::MAX).min(most);
        let mut bytes = vec![0; most * LINE];
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(first * LINE as u64))?;
            file.read_exact(&mut bytes)?;
        }
        bytes.chunks_exact(LINE).zip(first..).map(|(line, place)| parse(line, &self.path, place)).collect()
    }
}

/// The ids of a file, one after the other.
pub struct IdsIterator {
    reader: BufReader<File>,
    path: PathBuf,
    line: u64,
}

impl Iterator for IdsIterator {
    type Item = io::Result<RecordId>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.reader.fill_buf() {
            Ok([]) => return None,
            Ok(_) => {}
            Err(error) => return Some(Err(error)),
        }
        let mut line = [0; LINE];
        let read = self.reader.read_exact(&mut line).and_then(|()| parse(&line, &self.path, self.line));
        self.line += 1;
        Some(read)
    }
}

fn parse(line: &[u8], path: &Path, place: u64) -> io::Result<RecordId> {
    let text = std::str::from_utf8(&line[..LINE - 1]).map_err(|_| damaged(path, place, "it is not text"))?;
    if line[LINE - 1] != b'\n' {
        return Err(damaged(path, place, "it does not end where it must"));
    }
    RecordId::new(text.trim_end_matches(' ')).map_err(|_| damaged(path, place, "it is not a record id"))
}

fn damaged(path: &Path, place: u64, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} is damaged at line {}: {why}", path.display(), place + 1))
}

/// The ids of one batch of a wave.
#[derive(Clone)]
pub struct BatchIds {
    file: Arc<IdsFile>,
    first: u64,
    count: u64,
}

impl BatchIds {
    /// The ids of `batch` in its wave's file.
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
            return Err(damaged(&self.file.path, self.file.count, "ids are missing at the end"));
        }
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> RecordId {
        RecordId::new(&format!("00Q{number:0>width$}", width = 5 + (number % 20) as usize)).expect("valid")
    }

    #[test]
    fn reads_back_any_part_of_what_was_written() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("wave.ids");
        let mut writer = IdsWriter::create(&path).expect("created");
        (0..1000).for_each(|number| writer.push(&id(number)).expect("written"));
        assert!(!path.exists(), "a file stands under its name before it is whole");
        let (count, digest) = writer.finish().expect("finished");
        let file = Arc::new(IdsFile::open(&path).expect("opened"));
        assert_eq!((count, file.count()), (1000, 1000));
        assert_eq!(file.verify().expect("read").0, digest);
        let all: Vec<RecordId> = file.iter().expect("opened").map(|id| id.expect("valid")).collect();
        assert_eq!(all, (0..1000).map(id).collect::<Vec<_>>());
        let batch = BatchIds::new(file, &Batch { number: 0, wave: 0, first: 990, count: 7 });
        assert_eq!(batch.read(5, 100).expect("read"), [id(995), id(996)]);
    }

    #[test]
    fn says_which_line_is_damaged() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("wave.ids");
        let mut writer = IdsWriter::create(&path).expect("created");
        (0..3).for_each(|number| writer.push(&id(number)).expect("written"));
        writer.finish().expect("finished");
        let mut bytes = std::fs::read(&path).expect("read");
        bytes[LINE + 2] = b'\'';
        std::fs::write(&path, &bytes).expect("written");
        let error = IdsFile::open(&path).expect("opened").verify().expect_err("damaged");
        assert!(error.to_string().ends_with("line 2: it is not a record id"), "{error}");
        std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("written");
        assert!(IdsFile::open(&path).is_err());
    }
}
