//! One file a verb: its arguments, a straight list of steps, and the view that is shown.
//!
//! A verb gets a [`Shell`] and knows nothing of the terminal behind it. `plan` and `apply` also work without one: [`plan`] and
//! [`apply`] take a request and a [`Context`](crate::select::Context), and give data or a
//! [`CommandError`](crate::base::CommandError).
//!
//! What verbs share that have to do with a run is in `run`.
//!
//! A new verb is a file here, its lines below, and its row in `cli/arguments.rs`; the compiler asks for each of them.

mod apply;
mod check;
mod completions;
#[cfg(feature = "sandbox")]
mod demo;
mod diff;
mod force_unlock;
mod init;
mod plan;
mod run;
#[cfg(feature = "sandbox")]
mod sandbox;
mod schema;
mod shell;
mod show;
mod state;
mod validate;
mod verb;
mod version;

pub use apply::{Apply, ApplyRequest, PlanToApply, apply};
pub use check::Check;
pub use completions::Completions;
#[cfg(feature = "sandbox")]
pub use demo::Demo;
pub use diff::Diff;
pub use force_unlock::ForceUnlock;
pub use init::Init;
pub use plan::{Plan, PlanRequest, Planned, plan};
pub use run::{AppliedPlan, UnfinishedRun, unfinished_run};
#[cfg(feature = "sandbox")]
pub use sandbox::Sandbox;
pub use schema::Schema;
pub use shell::Shell;
pub use show::Show;
pub use state::{AbandonRequest, Abandoned, State, abandon};
pub use validate::Validate;
pub(crate) use verb::verbs;
pub use verb::{Form, Verb};
pub use version::Version;
