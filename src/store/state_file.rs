//! The state file: read by anyone, written only under its lock.

#![expect(clippy::disallowed_methods, reason = "an adapter: files are its business")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{FileError, write_atomically};
use crate::base::Digest;
use crate::state::{STATE_VERSION, State};

/// Why a state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It was written by a newer version of sexton, which may mean things this version does not know.
    #[error("the state `{}` has version {found}, and this version of sexton knows version {STATE_VERSION}: use a newer sexton", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// It is not what any version of sexton writes.
    #[error("the state `{}` cannot be understood: {cause}; {}", .path.display(), advice(.backup))]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        cause: String,
        /// The backup and its serial, when that one is good.
        backup: Option<(PathBuf, u64)>,
    },
    /// Somebody wrote it who does not hold the lock.
    #[error("the state `{}` was changed by something that did not take the lock: {change}; nothing was written, so look at what else uses this file", .path.display())]
    Moved {
        /// The file.
        path: PathBuf,
        /// What was there and what is.
        change: String,
    },
    /// The new state is no successor of the one on disk.
    #[error("a state of lineage `{new}` cannot replace one of lineage `{old}` in `{}`", .path.display())]
    OtherLineage {
        /// The file.
        path: PathBuf,
        /// The lineage on disk.
        old: String,
        /// The lineage to be written.
        new: String,
    },
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

fn advice(backup: &Option<(PathBuf, u64)>) -> String {
    match backup {
        Some((path, serial)) => {
            format!("the backup `{}` is good (serial {serial}): move it to the state's place", path.display())
        }
        None => "there is no good backup of it: restore the file from where you keep copies".into(),
    }
}

/// Where the state of a project is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateStore {
    pub(super) path: PathBuf,
}

impl StateStore {
    /// The store whose file is `path`; backup and lock stand beside it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The state file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The copy of the state as it was before the last save.
    pub fn backup_path(&self) -> PathBuf {
        with_ending(&self.path, "backup")
    }

    /// The file whose lock is the state's lock.
    pub fn lock_path(&self) -> PathBuf {
        with_ending(&self.path, "lock")
    }

    /// Reads the state without the lock, to look at it; `None` when there is none yet.
    ///
    /// # Errors
    ///
    /// When it is newer, corrupt, or cannot be read.
    pub fn load(&self) -> Result<Option<State>, StateError> {
        self.read()?.map(|bytes| self.parse(&bytes)).transpose()
    }

    pub(super) fn read(&self) -> Result<Option<Vec<u8>>, StateError> {
        match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            bytes => Ok(Some(bytes.map_err(FileError::at("read", &self.path))?)),
        }
    }

    pub(super) fn parse(&self, bytes: &[u8]) -> Result<State, StateError> {
        parse(bytes).map_err(|trouble| match trouble {
            Trouble::Newer(found) => StateError::Newer { path: self.path.clone(), found },
            Trouble::Corrupt(cause) => {
                let path = self.backup_path();
                let good = fs::read(&path).ok().and_then(|bytes| parse(&bytes).ok());
                StateError::Corrupt { path: self.path.clone(), cause, backup: good.map(|state| (path, state.serial)) }
            }
        })
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

enum Trouble {
    Newer(u32),
    Corrupt(String),
}

fn parse(bytes: &[u8]) -> Result<State, Trouble> {
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    let corrupt = |error: serde_json::Error| Trouble::Corrupt(error.to_string());
    let Version { version } = serde_json::from_slice(bytes).map_err(corrupt)?;
    if version > STATE_VERSION {
        return Err(Trouble::Newer(version));
    }
    if version < STATE_VERSION {
        return Err(Trouble::Corrupt(format!("there is no version {version}")));
    }
    serde_json::from_slice(bytes).map_err(corrupt)
}

/// The state on disk as the holder of the lock last saw it, to notice a writer that does not take the lock.
#[derive(Debug, Default)]
pub(super) struct Seen {
    bytes: Option<Digest>,
    state: Option<State>,
}

impl Seen {
    /// Reads the state and remembers what was there.
    pub(super) fn load(&mut self, store: &StateStore) -> Result<Option<State>, StateError> {
        let bytes = store.read()?;
        self.state = bytes.as_deref().map(|bytes| store.parse(bytes)).transpose()?;
        self.bytes = bytes.as_deref().map(Digest::of);
        Ok(self.state.clone())
    }

    /// Replaces what was seen by `next`, whose serial becomes one more, unless nothing else in it is new.
    pub(super) fn save(&mut self, store: &StateStore, next: &mut State) -> Result<(), StateError> {
        let path = store.path.clone();
        let on_disk = store.read()?;
        if on_disk.as_deref().map(Digest::of) != self.bytes {
            let shown = |state: Option<&State>| match state {
                Some(state) => format!("lineage {} serial {}", state.lineage, state.serial),
                None => "no state".into(),
            };
            let now = on_disk.as_deref().and_then(|bytes| parse(bytes).ok());
            let change = format!("there was {} and there is {}", shown(self.state.as_ref()), shown(now.as_ref()));
            return Err(StateError::Moved { path, change });
        }
        let serial = self.state.as_ref().map_or(0, |state| state.serial);
        if let Some(old) = &self.state {
            if old.lineage != next.lineage {
                return Err(StateError::OtherLineage { path, old: old.lineage.clone(), new: next.lineage.clone() });
            }
            next.serial = serial;
            if old == next {
                return Ok(());
            }
        }
        next.serial = serial + 1;
        let mut bytes = serde_json::to_vec_pretty(next).map_err(|error| FileError::at("write", &path)(error.into()))?;
        bytes.push(b'\n');
        if let Some(old) = &on_disk {
            write_atomically(&store.backup_path(), old)?;
        }
        write_atomically(&path, &bytes)?;
        *self = Self { bytes: Some(Digest::of(&bytes)), state: Some(next.clone()) };
        Ok(())
    }
}
