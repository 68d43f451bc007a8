//! File operations as a trait, so that a simulated disk can replace the machine's files.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// To be read; it must be there.
    Read,
    /// To be written and read; it must not be there yet, and of several who open one name so exactly one succeeds.
    CreateNew,
    /// To be written and read; what it held is dropped.
    Truncate,
    /// To be written and read as it is; made where it is not there.
    ReadWrite,
}

/// What a name in a directory stands for. A link is not followed: it is [`FileKind::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A plain file.
    File,
    /// A directory.
    Directory,
    /// A link, a pipe, a device.
    Other,
}

/// What is known of a name without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileMetadata {
    /// What it refers to.
    pub kind: FileKind,
    /// How many bytes a file holds; no meaning for anything else.
    pub length: u64,
}

/// Files and directories. The machine's ([`LocalFiles`](super::LocalFiles)), or a simulated disk's
/// ([`SimulatedDisk`](super::SimulatedDisk)).
///
/// Nothing is durable before it is synced: a file's bytes by [`FileHandle::sync`], its name (made, renamed, removed) by
/// [`Files::sync_directory`] of the directory it stands in. Errors are the system's own, of the kinds that `std::fs` gives.
pub trait Files: Send + Sync + fmt::Debug {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// `NotFound` and `AlreadyExists` as [`OpenMode`] says, and whatever else the system has.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn FileHandle>>;

    /// A file without a name, to be written and read, on the file system of `directory`. It is gone with its last handle, also
    /// when the process is killed, where the system can do that.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    fn open_unnamed(&self, directory: &Path) -> io::Result<Arc<dyn FileHandle>>;

    /// What a name refers to.
    ///
    /// # Errors
    ///
    /// `NotFound` where there is no such name.
    fn metadata(&self, path: &Path) -> io::Result<FileMetadata>;

    /// The one path of what a path leads to: absolute and without links.
    ///
    /// # Errors
    ///
    /// When it leads nowhere.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;

    /// The names in a directory, in ascending order.
    ///
    /// # Errors
    ///
    /// When it is not there or cannot be read.
    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>>;

    /// Makes one directory, whose parent is there.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` where there is anything of that name.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Gives a file a second name.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` where there is anything of that name: of several who ask for one name exactly one succeeds.
    fn link(&self, file: &Path, name: &Path) -> io::Result<()>;

    /// Moves a file or directory to another name on the same file system. A file that has that name is replaced, and at no moment
    /// is there neither.
    ///
    /// # Errors
    ///
    /// When it cannot be moved. After some errors it is not known whether it was.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name.
    ///
    /// # Errors
    ///
    /// `NotFound` where there is none.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory that holds nothing.
    ///
    /// # Errors
    ///
    /// `DirectoryNotEmpty` where it holds something.
    fn remove_empty_directory(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory and all that it holds.
    ///
    /// # Errors
    ///
    /// When some of it cannot be removed.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable, where the system can.
    ///
    /// # Errors
    ///
    /// When the system can and does not.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;

    /// Gives a file who may read and write it as another file has it.
    ///
    /// # Errors
    ///
    /// When one of them is not there or not ours.
    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Whether a call may wait for a machine, so that work on files belongs on a thread that may wait. Where it does not, everything
    /// happens in the order it is asked for.
    fn may_wait(&self) -> bool;
}

/// An open file. It is closed, and its lock released, with its last owner.
///
/// Everything is by position: a handle has no place of its own, so that several can read one side by side.
pub trait FileHandle: Send + Sync + fmt::Debug {
    /// Reads from `offset` on; fewer bytes than asked for at will, none only at the end.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes at `offset`; perhaps fewer bytes than given.
    ///
    /// # Errors
    ///
    /// When nothing could be written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// How many bytes the file holds.
    ///
    /// # Errors
    ///
    /// When the system does not say.
    fn length(&self) -> io::Result<u64>;

    /// Cuts the file off, or fills it up with zeros.
    ///
    /// # Errors
    ///
    /// When it cannot be changed.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Makes the file's bytes durable; not its name.
    ///
    /// # Errors
    ///
    /// When they may not be durable; asking again does not help.
    fn sync(&self) -> io::Result<()>;

    /// Takes the lock of the file if nobody has it, and says whether it did.
    ///
    /// # Errors
    ///
    /// When the file system has no locks.
    fn try_lock(&self) -> io::Result<bool>;

    /// Takes the lock of the file, and waits for it.
    ///
    /// # Errors
    ///
    /// When the file system has no locks.
    fn lock(&self) -> io::Result<()>;
}

impl dyn FileHandle + '_ {
    /// Writes all bytes at `offset`.
    ///
    /// # Errors
    ///
    /// When some could not be written.
    pub fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = &bytes[written..];
                    offset += written as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Fills the buffer from `offset` on.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` when the file ends before it is full.
    pub fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    buffer = &mut buffer[read..];
                    offset += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The whole file, when it is at most `most` bytes.
    ///
    /// # Errors
    ///
    /// `FileTooLarge` when it is larger.
    pub fn read_whole(&self, most: u64) -> io::Result<Vec<u8>> {
        let length = self.length()?;
        let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {most} bytes"));
        if length > most {
            return Err(too_large());
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| too_large())?];
        let mut filled = 0;
        // One byte more is asked for, in case it has grown since.
        loop {
            if filled == bytes.len() {
                bytes.resize(filled + 1, 0);
            }
            match self.read_at(&mut bytes[filled..], filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if filled as u64 > most {
                return Err(too_large());
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

/// Reads and writes a file sequentially, for `std::io`. It has no buffer: for small reads and writes, add one.
#[derive(Clone, Debug)]
pub struct FileStream {
    handle: Arc<dyn FileHandle>,
    position: u64,
}

impl FileStream {
    /// The beginning of the file.
    pub fn new(handle: Arc<dyn FileHandle>) -> Self {
        Self { handle, position: 0 }
    }

    /// The file.
    pub fn handle(&self) -> &dyn FileHandle {
        self.handle.as_ref()
    }
}

impl Read for FileStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.handle.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Write for FileStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.handle.write_at(bytes, self.position)?;
        self.position += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for FileStream {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.handle.length()?.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

/// Makes a directory and those above it, where they are not there yet. With `durably` every name that was made is durable on return;
/// one that somebody else is just making may not be.
///
/// # Errors
///
/// When one of them cannot be made.
pub fn create_directories(files: &dyn Files, path: &Path, durably: bool) -> io::Result<()> {
    match files.create_directory(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Err(error) };
            create_directories(files, parent, durably)?;
            match files.create_directory(path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
                made => made?,
            }
        }
        made => made?,
    }
    if durably { files.sync_directory(parent_of(path)) } else { Ok(()) }
}

/// The directory that contains a path.
pub fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether the error says that there is nothing of that name: a file in the place of a directory has nothing below it.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
