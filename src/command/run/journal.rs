//! The journal of a run, for appending.

use std::sync::Arc;

use crate::base::{CommandError, Exit};
use crate::execute::OpenedRun;
use crate::select::Context;
use crate::store::{JournalError, RunJournal};

pub(in crate::command) fn open_journal(context: &Context, opened: &OpenedRun) -> Result<RunJournal, CommandError> {
    let (backend, prefix) = (Arc::clone(opened.store.backend()), opened.store.journal()?);
    let end = opened.replay.end.clone();
    Ok(RunJournal::new(backend, prefix, Arc::clone(&context.clock), (context.fresh_id)(), end))
}

pub(in crate::command) fn journal_error(error: &JournalError) -> CommandError {
    match error {
        JournalError::Overtaken { .. } => {
            CommandError::new(Exit::LockHeld, "another process has taken over this run; nothing was sent").caused_by(error)
        }
        _ => CommandError::plain("the journal cannot be written, so nothing more is sent").caused_by(error),
    }
}
