//! Who looks on while a command works.

use super::PolicyName;

/// Is told what a command is doing.
pub trait Observer: Send + Sync {
    /// So many of so many records are done.
    fn progress(&self, policy: Option<&PolicyName>, doing: &str, done: u64, total: Option<u64>);

    /// Something a person should know; the work goes on.
    fn warn(&self, message: &str);
}
