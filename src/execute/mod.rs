//! Carrying out a plan: the machine of [`crate::apply`], the files of [`crate::store`] and the systems of
//! [`crate::provider`] put together.
//!
//! Whoever calls [`execute`] has read and checked the bundle, taken the lock, selected anew, run the gates and consumed the
//! plan, and has for every policy written round 0 and the skipped records and journalled [`crate::apply::Event::Cleared`]. From there on everything
//! is here, the first time and after any interruption alike.

mod clear;
mod continued;
mod excluded;
mod fault;
mod finish;
mod lost;
mod policy;
mod run;
mod step_runner;
#[cfg(test)]
mod tests;
mod verify;

pub use clear::{Cleared, Clearing};
pub use continued::excluded_by_now;
pub use verify::{RESTORE, refuse_other_words, refuse_unplanned_rounds};

pub use run::{ExecuteError, PlannedIds, PolicyResult, PolicyResultKind, PolicyRun, Run, execute};
