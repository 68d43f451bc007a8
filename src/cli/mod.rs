//! Arguments, progress, exit codes: the outermost room.
//!
//! Data goes to standard output, everything else to standard error. This is the only room that prints.

mod arguments;
mod connect;
mod demo;
mod events;
mod interrupt;
mod log;
mod machine;
mod output;
mod prompt;
mod run;
mod sandbox;
mod watch;

pub use arguments::grammar;
use arguments::{Arguments, Verb};
use output::Output;
pub use run::run;
use watch::ProgressView;
