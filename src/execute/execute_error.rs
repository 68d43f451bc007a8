//! Why a run broke off.

use std::io;
use std::path::{Path, PathBuf};

use crate::apply::MachineError;
use crate::base::{Digest, PolicyName, RecordId};
use crate::store::{JournalError, StoreError};

/// Why a run broke off. What was journalled stays valid, and the same command continues the run once the cause is removed.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store cannot be used, or has lost something.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal is of another plan.
    #[error("the journal belongs to the plan {found}")]
    OtherRun {
        /// The plan.
        found: Digest,
    },
    /// The journal cannot be followed.
    #[error("the journal of policy `{policy}` cannot be followed")]
    Journalled {
        /// The policy.
        policy: PolicyName,
        /// Where.
        source: MachineError,
    },
    /// A scratch file cannot be read or written.
    #[error("could not {doing} {path}", path = .path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The records of the plan cannot be read.
    #[error("the planned records of policy `{policy}` cannot be read")]
    Planned {
        /// The policy.
        policy: PolicyName,
        /// Why.
        source: io::Error,
    },
    /// The store names a record that was not planned. Nothing more may be sent from it.
    #[error("round {round} of policy `{policy}` names the record {id}, which is not in the plan")]
    Unplanned {
        /// The policy.
        policy: PolicyName,
        /// The round.
        round: u32,
        /// The record.
        id: RecordId,
    },
    /// The sums do not balance. This is a defect of this program; no outcomes are written.
    #[error("internal error: the outcomes of policy `{policy}` do not balance: {why}")]
    Unbalanced {
        /// The policy.
        policy: PolicyName,
        /// In numbers.
        why: String,
    },
    /// The caller gave policies that cannot be carried out.
    #[error("internal error: policy `{policy}` {why}")]
    Misuse {
        /// The policy.
        policy: PolicyName,
        /// What is wrong.
        why: &'static str,
    },
}

impl ExecuteError {
    /// Whether the store has lost something without which the same command cannot continue the run.
    pub fn is_loss(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error, StoreError::Damaged { .. }),
            Self::Journal(JournalError::Store(error)) => matches!(error.as_ref(), StoreError::Damaged { .. }),
            Self::OtherRun { .. } | Self::Journalled { .. } | Self::Unplanned { .. } => true,
            _ => false,
        }
    }

    /// Whether another process goes on with the run.
    pub fn is_overtaken(&self) -> bool {
        matches!(self, Self::Journal(JournalError::Overtaken { .. }))
    }

    /// For `map_err`: what was being done with which scratch file.
    pub(super) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { doing, path: path.to_owned(), source }
    }
}
