//! Temporary bytes on disk, which are never the truth.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The buffer of what is written or copied.
const BUFFER: usize = 64 * 1024;

/// One temporary file that any number of sorters spill into: many sorted things that are kept for long then take one open file.
/// It is made when the first of them needs it. Clones are the same file.
///
/// The file has no name where the system allows that, so it is gone when the last clone is, also when the process is killed.
#[derive(Clone)]
pub struct Scratch {
    shared: Arc<Shared>,
}

struct Shared {
    directory: PathBuf,
    file: Mutex<Option<File>>,
}

impl From<&Path> for Scratch {
    /// A file to be made in this directory, which exists.
    fn from(directory: &Path) -> Self {
        Self { shared: Arc::new(Shared { directory: directory.to_owned(), file: Mutex::new(None) }) }
    }
}

impl Scratch {
    /// The directory it lies in.
    pub fn directory(&self) -> &Path {
        &self.shared.directory
    }

    /// Appends what `write` writes, and tells where it stands. Nothing else can be read or written meanwhile.
    pub(super) fn append(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Range<u64>> {
        let mut file = self.shared.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &mut *file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(&self.shared.directory)?),
        };
        let start = file.seek(SeekFrom::End(0))?;
        let mut output = BufWriter::with_capacity(BUFFER, file);
        write(&mut output)?;
        output.flush()?;
        let end = output.get_mut().stream_position()?;
        Ok(start..end)
    }

    /// Fills `buffer` with the bytes from this place on.
    pub(super) fn read_at(&self, place: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut file = self.shared.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = file.as_mut().ok_or(io::ErrorKind::UnexpectedEof)?;
        file.seek(SeekFrom::Start(place))?;
        file.read_exact(buffer)
    }

    /// Copies a range into another output, which is not this file.
    pub(super) fn copy(&self, range: Range<u64>, output: &mut dyn Write) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        let mut place = range.start;
        while place < range.end {
            let length = usize::try_from(range.end - place).unwrap_or(usize::MAX).min(BUFFER);
            self.read_at(place, &mut buffer[..length])?;
            output.write_all(&buffer[..length])?;
            place += length as u64;
        }
        Ok(())
    }
}
