//! Carrying out a plan: the machine of [`crate::apply`], the files of [`crate::store`] and the systems of
//! [`crate::provider`] put together.
//!
//! Whoever calls [`drive`] has read and checked the bundle, taken the lock, selected anew, run the gates and consumed the
//! plan, and has for every policy written wave 0 and the skipped records and journalled [`crate::apply::Event::Cleared`]. From there on everything
//! is here, the first time and after any interruption alike.

mod clear;
mod continued;
mod fault;
mod finish;
mod lost;
mod perform;
mod policy;
mod run;
#[cfg(test)]
mod tests;
mod verify;
mod withheld;

pub use clear::{Cleared, Clearing};
pub use continued::withheld_by_now;
pub use verify::{RESTORE, refuse_other_words, refuse_unplanned_waves};

pub use run::{DriveError, DriveLane, LaneEnd, LaneEndKind, PlannedIds, Run, drive};
