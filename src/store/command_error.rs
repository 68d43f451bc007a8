//! What the errors of this folder are to people.

use super::{BundleError, FileError, LeaseError, StateError, StoreError};
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

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let converted = CommandError::from_error(Exit::Error, &error);
        match error {
            StoreError::Newer { .. } => converted.with_help("use a newer sexton"),
            StoreError::Damaged { .. } => converted.with_help("restore it from a backup"),
            _ => converted,
        }
    }
}

impl From<StateError> for CommandError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Store(error) => error.into(),
            lost @ StateError::Lost { .. } => CommandError::from_error(Exit::Error, &lost)
                .with_note("without it, it is not known which plans were applied and which runs are unfinished")
                .with_help("restore it from a copy, or move the runs away to begin anew without what they deleted"),
            foreign @ StateError::Foreign { .. } => CommandError::from_error(Exit::Error, &foreign)
                .with_help("name this project's store in `Project.spec.store`, or correct `Project.spec.lineage`"),
            error => CommandError::from_error(Exit::Error, &error),
        }
    }
}

impl From<LeaseError> for CommandError {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Store(error) => error.into(),
            held @ LeaseError::Held(_) => CommandError::from_error(Exit::LockHeld, &held).with_help(
                "nothing was done; wait for it to end, or end that process: a lock never outlives the process that holds it",
            ),
        }
    }
}
