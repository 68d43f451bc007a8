//! Where the time comes from.

use jiff::Timestamp;

/// Tells the time. A value that is handed in, so that nothing below the command line reads the machine's clock by itself.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}
