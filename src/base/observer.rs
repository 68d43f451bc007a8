//! The observer of a command at work.

use super::PolicyName;

/// Is told what a command is doing.
pub trait Observer: Send + Sync {
    /// `done` of `total` records are done; `total` is `None` if it is not known.
    fn progress(&self, policy: Option<&PolicyName>, doing: &str, done: u64, total: Option<u64>);

    /// Something a person should know; the work goes on.
    fn warn(&self, message: &str);
}
