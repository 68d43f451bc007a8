//! Carrying out a plan: the machine of [`crate::apply`], the store and the systems put together.
//!
//! The caller of [`execute()`] must have read and checked the bundle, taken the lease, replayed the journal ([`Replay`]),
//! rechecked every unfinished policy and asked the gates. The rest is done here, the first time and after any interruption alike:
//! a first run is a continued one with an empty journal.

mod earlier_runs;
mod excluded;
mod execute_error;
mod fault;
mod finish;
mod hold_watch;
mod kept_back;
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
mod turns;
mod verify;

pub use earlier_runs::EarlierRuns;
pub use execute_error::ExecuteError;
pub use hold_watch::HoldWatch;
pub use kept_back::kept_back;
pub use opened_run::{OpenError, OpenedRun, is_grouped, machine_settings};
pub use policy_run::{PlannedIds, PolicyResult, PolicyResultKind, PolicyRun};
pub use recheck::{Recheck, Rechecking, planned_ids};
pub use replay::{Replay, ReplayedPolicy};
pub use round::OpenedRound;
pub use run::Run;
pub use schedule::execute;
pub use verify::{other_policy, other_project, other_settings, refuse_other_words};
