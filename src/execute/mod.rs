//! Carrying out a plan: the machine of [`crate::apply`], the store and the systems put together.
//!
//! Whoever calls [`execute()`] has read and checked the bundle, taken the lease, read the journal again ([`Replay`]), rechecked
//! every policy that is not at its end and asked the gates. From there on everything is here, the first time and after any
//! interruption alike: a first run is a continued one whose journal is empty.

mod excluded;
mod execute_error;
mod fault;
mod finish;
mod opened_run;
mod policy;
mod policy_run;
mod recheck;
mod replay;
mod round;
mod round_note;
mod round_writer;
mod run;
mod schedule;
mod step_runner;
#[cfg(test)]
mod tests;
mod verify;

pub use execute_error::ExecuteError;
pub use opened_run::{OpenError, OpenedRun, is_grouped, machine_settings};
pub use policy_run::{PlannedIds, PolicyResult, PolicyResultKind, PolicyRun};
pub use recheck::{Recheck, Rechecking};
pub use replay::{Replay, ReplayedPolicy};
pub use round::OpenedRound;
pub use run::Run;
pub use schedule::execute;
pub use verify::{other_policy, other_project, refuse_other_words};
