//! The root of the arguments, the terminal, signals, exit codes: the outermost folder.
//!
//! Data goes to standard output, everything else to standard error. This is the only folder that prints.

mod arguments;
mod connect;
mod interrupt;
mod log;
mod machine;
mod progress;
mod session;
mod terminal;

pub use arguments::grammar;
pub use session::run;
