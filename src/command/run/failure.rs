//! A run that breaks off: what its exit code says, and what to do next.

use crate::base::{CommandError, Digest, Exit};
use crate::execute::ExecuteError;

/// What to do when the store has lost something of a run that nothing can replace.
pub(in crate::command) fn restore_or_abandon(plan: Digest) -> String {
    format!(
        "restore the store from a copy and run the same command again; or abandon the run with `sexton state abandon {}`",
        plan.short()
    )
}

/// An error that comes after records may have gone: its exit code must not say that none were.
pub(in crate::command) fn after_deletion(mut error: CommandError) -> CommandError {
    if !matches!(error.exit, Exit::Interrupted | Exit::LockHeld | Exit::PlanUnusable) {
        error.exit = Exit::SomeFailed;
    }
    let kept = error.help.take();
    error.with_help(kept.unwrap_or_else(|| "fix the cause and run the same command again: it continues the run".to_owned()))
}

pub(in crate::command) fn run_error(error: &ExecuteError, plan: Digest) -> CommandError {
    if error.is_overtaken() {
        return CommandError::new(Exit::LockHeld, "another process has taken over this run; this one has stopped")
            .caused_by(error)
            .with_help("the other process checks what this one has sent; wait for it to end");
    }
    // Records may have gone before it broke off, so this is not "nothing was deleted".
    let converted = CommandError::new(Exit::SomeFailed, error.to_string()).caused_by_source(error);
    converted.with_help(if error.is_loss() {
        restore_or_abandon(plan)
    } else {
        "what was journalled is kept; fix the cause and run the same command again: it first asks the system what happened"
            .to_owned()
    })
}
