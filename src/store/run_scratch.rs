//! Where a process works on a run.
#![expect(clippy::disallowed_methods, reason = "this is the adapter for scratch files")]

use std::io;
use std::path::{Path, PathBuf};

use crate::base::PolicyName;

/// What the names of these places begin with.
const PREFIX: &str = ".sexton-";

/// The scratch files of one process that carries out a run. They are never the truth: whatever is needed of them after a crash
/// is in the [`super::RunStore`], and they go with the process.
///
/// | path | what |
/// |---|---|
/// | `<policy>.<n>.ids` | the records of a round in the order in which they are sent |
/// | `<policy>.<n>.excluded` | the records that are not sent any more from that round on |
/// | `<policy>.<n>.statuses`, `<policy>.messages` | what is known about every record of a round |
/// | `<policy>.outcomes` | the ends of all planned records, before they are published |
#[derive(Debug)]
pub struct RunScratch {
    root: tempfile::TempDir,
}

impl RunScratch {
    /// An empty place below `parent`, which is made if need be. What a killed process left there is removed: whoever carries out
    /// a run holds the lease, so nobody else is at work there.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new(parent: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(parent)?;
        for entry in std::fs::read_dir(parent)? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(Self { root: tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)? })
    }

    /// The place itself.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    fn file(&self, name: String) -> PathBuf {
        self.root.path().join(name)
    }

    /// The ids of a round.
    pub fn round(&self, policy: &PolicyName, round: u32) -> PathBuf {
        self.file(format!("{policy}.{round}.ids"))
    }

    /// The records that are not sent any more from a round on.
    pub fn excluded(&self, policy: &PolicyName, round: u32) -> PathBuf {
        self.file(format!("{policy}.{round}.excluded"))
    }

    /// The statuses of a round.
    pub fn statuses(&self, policy: &PolicyName, round: u32) -> PathBuf {
        self.file(format!("{policy}.{round}.statuses"))
    }

    /// The codes and messages that the statuses of all rounds of a policy refer to.
    pub fn messages(&self, policy: &PolicyName) -> PathBuf {
        self.file(format!("{policy}.messages"))
    }

    /// The ends of all planned records of a policy.
    pub fn outcomes(&self, policy: &PolicyName) -> PathBuf {
        self.file(format!("{policy}.outcomes"))
    }

    /// An empty folder for files that are of use only while one step lasts; `step` names it among all steps under way.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn folder(&self, step: &str) -> io::Result<tempfile::TempDir> {
        tempfile::Builder::new().prefix(&format!("{step}.")).tempdir_in(self.root.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let parent = tempfile::tempdir().expect("a folder");
        let left = RunScratch::new(parent.path()).expect("made").root.keep();
        std::fs::write(left.join("leads.0.ids"), "ids").expect("written");
        std::fs::write(parent.path().join("mine"), "mine").expect("written");
        let scratch = RunScratch::new(parent.path()).expect("made");
        assert!(!left.exists() && scratch.path().exists());
        assert_eq!(std::fs::read(parent.path().join("mine")).expect("read"), b"mine");
    }
}
