//! How many calls a system has had of us lately, from one process to the next.
#![expect(clippy::disallowed_methods, reason = "an adapter: files are its business")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{make_directory, replace_file};
use crate::base::{CallMemory, TargetName};

/// A small file with the moment at which a target's calls are earned again, below the directory of the runs. It outlives a
/// killed process, but perhaps not the power: after that a burst too many costs no more than a refusal by the system.
pub struct CallMemoryFile {
    path: PathBuf,
}

impl CallMemoryFile {
    /// The file of `target` below `runs`. Neither need exist.
    pub fn new(runs: &Path, target: &TargetName) -> Self {
        Self { path: runs.join(format!("calls-{target}.txt")) }
    }
}

impl CallMemory for CallMemoryFile {
    fn load(&self) -> io::Result<Option<Timestamp>> {
        match fs::read_to_string(&self.path) {
            Ok(text) => text.trim().parse().map(Some).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn save(&self, full_at: Timestamp) -> io::Result<()> {
        let directory = super::parent_of(&self.path);
        make_directory(directory)
            .and_then(|()| replace_file(&self.path, format!("{full_at}\n").as_bytes()))
            .map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_one_moment_for_each_target() {
        let directory = tempfile::tempdir().expect("a directory");
        let runs = directory.path().join("runs");
        let memory = |name: &str| CallMemoryFile::new(&runs, &TargetName::new(name).expect("a name"));
        assert_eq!(memory("billing").load().expect("readable"), None);
        let moment: Timestamp = "2026-11-21T10:00:00.123456789Z".parse().expect("a moment");
        memory("billing").save(moment).expect("kept");
        assert_eq!(memory("billing").load().expect("readable"), Some(moment));
        assert_eq!(memory("field").load().expect("readable"), None);
        fs::write(runs.join("calls-billing.txt"), "yesterday").expect("written");
        assert!(memory("billing").load().is_err());
    }
}
