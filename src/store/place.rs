//! A path, and the files it leads through.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{FileHandle, FileKind, FileMetadata, Files, LocalFiles, OpenMode, parent_of};

/// How much of a file is copied at once.
const WINDOW: usize = 1 << 18;

/// A path, and the files it leads through: this machine's or a simulated disk's. There need not be anything at it.
#[derive(Clone)]
pub struct Place {
    files: Arc<dyn Files>,
    path: PathBuf,
}

impl Place {
    /// That path through those files.
    pub fn new(files: Arc<dyn Files>, path: impl Into<PathBuf>) -> Self {
        Self { files, path: path.into() }
    }

    /// That path on this machine.
    pub fn of_machine(path: impl Into<PathBuf>) -> Self {
        Self::new(Arc::new(LocalFiles), path)
    }

    /// The files.
    pub fn files(&self) -> &dyn Files {
        self.files.as_ref()
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Another path through the same files; a relative one leads on from the working directory.
    #[must_use]
    pub fn at(&self, path: impl Into<PathBuf>) -> Self {
        Self { files: Arc::clone(&self.files), path: path.into() }
    }

    /// The place of a relative path below it.
    #[must_use]
    pub fn join(&self, relative: impl AsRef<Path>) -> Self {
        self.at(self.path.join(relative))
    }

    /// The directory that contains it.
    #[must_use]
    pub fn parent(&self) -> Self {
        self.at(parent_of(&self.path))
    }

    /// Opens the file that it is.
    ///
    /// # Errors
    ///
    /// As [`Files::open`].
    pub fn open(&self, mode: OpenMode) -> io::Result<Arc<dyn FileHandle>> {
        self.files.open(&self.path, mode)
    }

    /// What stands there; a link is not followed.
    ///
    /// # Errors
    ///
    /// As [`Files::metadata`].
    pub fn metadata(&self) -> io::Result<FileMetadata> {
        self.files.metadata(&self.path)
    }

    /// What is at it; links are followed.
    ///
    /// # Errors
    ///
    /// As [`Files::metadata`] and [`Files::resolve`].
    pub fn resolved_metadata(&self) -> io::Result<FileMetadata> {
        match self.metadata()? {
            FileMetadata { kind: FileKind::Other, .. } => self.files.metadata(&self.files.resolve(&self.path)?),
            metadata => Ok(metadata),
        }
    }

    /// The names in the directory that it is.
    ///
    /// # Errors
    ///
    /// As [`Files::list`].
    pub fn list(&self) -> io::Result<Vec<OsString>> {
        self.files.list(&self.path)
    }

    /// Makes the names in the directory that it is durable.
    ///
    /// # Errors
    ///
    /// As [`Files::sync_directory`].
    pub fn sync_directory(&self) -> io::Result<()> {
        self.files.sync_directory(&self.path)
    }

    /// Copies the bytes of the file that it is into another one, in place of what that held.
    ///
    /// # Errors
    ///
    /// When one cannot be read or the other not be written.
    pub(super) fn copy_to(&self, to: &Self) -> io::Result<()> {
        let (from, to) = (self.open(OpenMode::Read)?, to.open(OpenMode::Truncate)?);
        let (mut window, mut offset) = (vec![0; WINDOW], 0);
        loop {
            let length = from.read_at(&mut window, offset)?;
            if length == 0 {
                return Ok(());
            }
            to.write_all_at(&window[..length], offset)?;
            offset += length as u64;
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(formatter)
    }
}
