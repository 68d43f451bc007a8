//! Where a process works on a run.

use super::work_folder::remove_left_behind;
use super::{FileError, Place, WorkFolder};
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
pub struct RunScratch {
    folder: WorkFolder,
}

impl RunScratch {
    /// An empty place below `parent`, which is made if need be. No other process has the same `tag`. What killed processes left there
    /// is removed.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new(parent: &Place, tag: &str) -> Result<Self, FileError> {
        Ok(Self { folder: WorkFolder::create(parent, PREFIX, tag)? })
    }

    /// Removes what killed processes left in `parent`.
    pub fn clean(parent: &Place) {
        remove_left_behind(parent, PREFIX);
    }

    /// The place itself.
    pub fn place(&self) -> &Place {
        self.folder.place()
    }

    fn file(&self, name: String) -> Place {
        self.place().join(name)
    }

    /// The ids of a round.
    pub fn round(&self, policy: &PolicyName, round: u32) -> Place {
        self.file(format!("{policy}.{round}.ids"))
    }

    /// The records that are not sent any more from a round on.
    pub fn excluded(&self, policy: &PolicyName, round: u32) -> Place {
        self.file(format!("{policy}.{round}.excluded"))
    }

    /// The statuses of a round.
    pub fn statuses(&self, policy: &PolicyName, round: u32) -> Place {
        self.file(format!("{policy}.{round}.statuses"))
    }

    /// The codes and messages that the statuses of all rounds of a policy refer to.
    pub fn messages(&self, policy: &PolicyName) -> Place {
        self.file(format!("{policy}.messages"))
    }

    /// The ends of all planned records of a policy.
    pub fn outcomes(&self, policy: &PolicyName) -> Place {
        self.file(format!("{policy}.outcomes"))
    }
}
