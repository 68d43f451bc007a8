//! What the verbs share that have to do with a run: `apply` carries it out, `state abandon` gives it up, `plan` tells of it.

mod applied;
mod failure;
mod journal;
mod lost;
mod opened;
mod policy;
mod stale;
mod stopped;
mod systems;
mod unfinished;
mod unknown_runs;

pub use applied::AppliedPlan;
pub(super) use applied::{compact, exit_of, finish, still_open, summarize};
pub(super) use failure::{after_deletion, restore_or_abandon, run_error};
pub(super) use journal::{journal_error, open_journal};
pub(super) use lost::unknown_ends;
pub(super) use opened::{kept_plan, open_begun};
pub(super) use policy::policy_run;
pub(super) use stale::{blocked_by, changed, refused_when_made, untimely, unusable};
pub(super) use stopped::{Stopped, by_cause, refused_at_plan};
pub(super) use systems::check_systems;
pub(super) use unfinished::unfinished_run_of;
pub use unfinished::{UnfinishedRun, unfinished_run};
pub(super) use unknown_runs::with_unknown_runs;
