//! What the errors of this folder are to people.

use super::{BundleError, FileError, LockError, StateError};
use crate::base::{CommandError, Exit};

impl From<FileError> for CommandError {
    fn from(error: FileError) -> Self {
        CommandError::from_error(Exit::Error, &error)
    }
}

impl From<BundleError> for CommandError {
    fn from(error: BundleError) -> Self {
        let exit = match &error {
            BundleError::NewerFormat { .. }
            | BundleError::Altered { .. }
            | BundleError::SumsDiffer { .. }
            | BundleError::FileMissing { .. }
            | BundleError::Extra { .. }
            | BundleError::Malformed { .. } => Exit::PlanUnusable,
            _ => Exit::Error,
        };
        CommandError::from_error(exit, &error)
    }
}

impl From<StateError> for CommandError {
    fn from(error: StateError) -> Self {
        CommandError::from_error(Exit::Error, &error)
    }
}

impl From<LockError> for CommandError {
    fn from(error: LockError) -> Self {
        let exit = if matches!(error, LockError::Held(_)) { Exit::LockHeld } else { Exit::Error };
        let converted = CommandError::from_error(exit, &error);
        match error {
            LockError::Held(_) => converted.with_help(
                "nothing was done; wait for it to end, or end that process: a lock never outlives the process that holds it",
            ),
            _ => converted,
        }
    }
}
