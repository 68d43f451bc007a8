//! How the process ends.

/// The exit codes. They are a contract: scripts branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// 0: done; also `plan --detailed-exitcode` with nothing to delete.
    Done,
    /// 1: an error; nothing was deleted by this run.
    Error,
    /// 2: only with `--detailed-exitcode`: deletions are present, or two plans differ. Never an error.
    ChangesPresent,
    /// 3: an apply ended with failed or unknown records, or broke off when records may have been deleted.
    SomeFailed,
    /// 4: a gate refused.
    GateRefused,
    /// 5: the plan is stale, expired, used, altered or for another target.
    PlanUnusable,
    /// 6: another process holds the lock.
    LockHeld,
    /// 130: interrupted; the same command continues.
    Interrupted,
}

impl Exit {
    /// The number the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::ChangesPresent => 2,
            Self::SomeFailed => 3,
            Self::GateRefused => 4,
            Self::PlanUnusable => 5,
            Self::LockHeld => 6,
            Self::Interrupted => 130,
        }
    }
}
