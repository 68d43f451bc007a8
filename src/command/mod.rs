//! One file a verb: a straight list of steps.
//!
//! A verb takes a request and a [`Context`], and gives data or a [`CommandError`]. It prints nothing and asks nothing.

mod apply;
mod diff;
mod init;
mod plan;
mod show;
mod state;
mod validate;

pub use apply::{AppliedPlan, ApplyRequest, apply, targets_to_confirm, unfinished_notes};
pub use diff::{DiffRequest, Differences, diff};
pub use init::init;
pub use plan::{PlanRequest, Planned, plan, plan_exit};
pub use show::{show, show_records};
pub use state::{force_unlock, state, state_remove};
pub use validate::validate;
