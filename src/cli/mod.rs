//! Arguments, progress, exit codes: the outermost room.
//!
//! Data goes to standard output, everything else to standard error. This is the only room that prints.

mod arguments;

pub use arguments::{Arguments, Verb};
