//! Temporary bytes on disk, which are never the truth.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{FileError, FileHandle, FileStream, Place};

/// The buffer of what is written.
const BUFFER: usize = 64 * 1024;

/// One temporary file that any number of sorters spill into: many sorted things that are kept for long then take one open file.
/// It is made when the first of them needs it. Clones are the same file.
///
/// The file has no name where the system allows that, so it is gone when the last clone is, also when the process is killed.
/// Errors name the directory it lies in.
#[derive(Clone)]
pub struct Scratch {
    shared: Arc<Shared>,
}

struct Shared {
    directory: Place,
    file: OnceLock<Arc<dyn FileHandle>>,
    /// Where what was appended ends.
    end: Mutex<u64>,
}

impl From<&Place> for Scratch {
    /// A file to be made in this directory, which exists.
    fn from(directory: &Place) -> Self {
        Self { shared: Arc::new(Shared { directory: directory.clone(), file: OnceLock::new(), end: Mutex::new(0) }) }
    }
}

impl Scratch {
    /// The directory it lies in.
    pub fn directory(&self) -> &Place {
        &self.shared.directory
    }

    /// Appends what `write` writes, and returns its range. Nothing else can be appended meanwhile; what is there can be read.
    pub(super) fn append(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Range<u64>> {
        let mut end = self.shared.end.lock().unwrap_or_else(PoisonError::into_inner);
        let appended = self.append_at(*end, write).map_err(self.at("write a temporary file in"))?;
        *end = appended.end;
        Ok(appended)
    }

    fn append_at(&self, start: u64, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Range<u64>> {
        let file = match self.shared.file.get() {
            Some(file) => file,
            None => {
                let made = self.directory().files().open_unnamed(self.directory().path())?;
                self.shared.file.get_or_init(|| made)
            }
        };
        let mut stream = FileStream::new(Arc::clone(file));
        stream.seek(SeekFrom::Start(start))?;
        let mut output = BufWriter::with_capacity(BUFFER, stream);
        write(&mut output)?;
        let end = output.stream_position()?;
        Ok(start..end)
    }

    /// Fills `buffer` with the bytes from this place on.
    pub(super) fn read_at(&self, place: u64, buffer: &mut [u8]) -> io::Result<()> {
        let file = self.shared.file.get().ok_or(io::ErrorKind::UnexpectedEof)?;
        file.read_exact_at(buffer, place).map_err(self.at("read a temporary file in"))
    }

    fn at(&self, doing: &'static str) -> impl FnOnce(io::Error) -> io::Error + '_ {
        move |error| FileError::at(doing, self.directory().path())(error).into()
    }
}
