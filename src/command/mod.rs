//! One file a verb: a straight list of steps.
//!
//! A verb takes a request and a [`Host`], and gives data or a [`CommandError`]. It prints nothing and asks nothing.

mod apply;
mod cascade;
mod clear;
mod condition;
mod connection;
mod diff;
pub mod drive;
mod exit;
mod hold;
mod host;
mod init;
mod plan;
mod project;
mod select;
mod selection;
mod show;
mod state;
mod validate;
mod verify;
mod withheld;

pub use apply::{AppliedPlan, ApplyRequest, apply, targets_to_confirm, unfinished_notes};
pub use diff::{DiffRequest, Differences, diff};
pub use exit::{CommandError, Exit};
pub use host::{Connector, Host, Watcher};
pub use init::init;
pub use plan::{PlanRequest, Planned, plan, plan_exit};
pub use project::plan_directory;
pub use show::{show, show_records};
pub use state::{force_unlock, state, state_remove};
pub use validate::validate;
