//! `sexton state`: a choice of verbs of its own, each a file here and a row in `choice.rs`.

mod abandon;
mod choice;
mod list;
mod prune;
mod recorded;
mod remove;
mod show;

pub use abandon::{AbandonRequest, Abandoned, abandon};
pub use choice::State;
