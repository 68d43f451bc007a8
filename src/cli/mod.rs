//! Arguments, progress, exit codes: the outermost room.
//!
//! Data goes to standard output, everything else to standard error. This is the only room that prints.

mod arguments;
mod output;
mod watch;

pub use arguments::{Arguments, Verb};
pub use output::Output;
pub use watch::ProgressView;
