//! The outcome of one planned record.

use serde::{Deserialize, Serialize};

use crate::base::{Failure, RecordId};

/// What finally became of a planned record. Each has exactly one outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The record.
    pub id: RecordId,
    /// How it ended.
    pub kind: OutcomeKind,
    /// Where that is known from.
    pub evidence: Evidence,
}

/// The ends a planned record can come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeKind {
    /// The system deleted it for us.
    Deleted,
    /// It was gone before we asked.
    AlreadyGone,
    /// It was not sent, or was taken back.
    Skipped(SkipCause),
    /// The system did not delete it.
    Failed(Failure),
    /// It could not be found out; the next plan settles it.
    Unknown,
}

impl OutcomeKind {
    /// The word for it in outcomes files and reports.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::AlreadyGone => "already-gone",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a planned record was not deleted on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipCause {
    /// It does not match the policy any more.
    NoLongerMatches,
    /// It changed since the plan, and the policy asks for unchanged records.
    Changed,
    /// A hold keeps it.
    Held,
    /// It lies in the recycle bin already, and the policy deletes past it: it is neither there nor hard-deleted.
    InRecycleBin,
    /// Another record of the same atomic request failed.
    RolledBack,
    /// A policy this one depends on did not succeed.
    Dependency,
    /// The policy was halted before the record was sent.
    Stopped,
    /// A gate refused the policy; or, when the run was continued, the plan had expired or the manifests had changed.
    Refused,
    /// The run was abandoned.
    Abandoned,
}

impl SkipCause {
    /// Every cause.
    pub const ALL: [Self; 9] = [
        Self::NoLongerMatches,
        Self::Changed,
        Self::Held,
        Self::InRecycleBin,
        Self::RolledBack,
        Self::Dependency,
        Self::Stopped,
        Self::Refused,
        Self::Abandoned,
    ];

    /// The word for it in files and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoLongerMatches => "no-longer-matches",
            Self::Changed => "changed",
            Self::Held => "held",
            Self::InRecycleBin => "in-recycle-bin",
            Self::RolledBack => "rolled-back",
            Self::Dependency => "dependency",
            Self::Stopped => "stopped",
            Self::Refused => "refused",
            Self::Abandoned => "abandoned",
        }
    }

    /// The cause that `word` stands for, or `None`.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.word() == word)
    }
}

/// Where an outcome is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The system's own answer about this record.
    Answer,
    /// A check of the record's presence, where no answer tells.
    PresenceCheck,
    /// The recheck, which excluded the record.
    Recheck,
    /// None.
    None,
}

impl Evidence {
    /// The word for it in files and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::PresenceCheck => "presence-check",
            Self::Recheck => "recheck",
            Self::None => "none",
        }
    }
}

/// How many planned records came to which end.
///
/// **Invariant** of a finished policy: [`Tally::total`] is the number of planned records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tally {
    /// Deleted by this run.
    pub deleted: u64,
    /// Gone before.
    pub already_gone: u64,
    /// Not sent, or taken back.
    pub skipped: u64,
    /// Not deleted by the system.
    pub failed: u64,
    /// Not known.
    pub unknown: u64,
}

impl Tally {
    /// The sum of all ends.
    pub fn total(&self) -> u64 {
        self.deleted + self.already_gone + self.skipped + self.failed + self.unknown
    }

    /// Takes `other` out; `None` when it is not in.
    pub fn without(self, other: Self) -> Option<Self> {
        Some(Self {
            deleted: self.deleted.checked_sub(other.deleted)?,
            already_gone: self.already_gone.checked_sub(other.already_gone)?,
            skipped: self.skipped.checked_sub(other.skipped)?,
            failed: self.failed.checked_sub(other.failed)?,
            unknown: self.unknown.checked_sub(other.unknown)?,
        })
    }

    /// Counts one more outcome.
    pub fn add(&mut self, kind: &OutcomeKind) {
        match kind {
            OutcomeKind::Deleted => self.deleted += 1,
            OutcomeKind::AlreadyGone => self.already_gone += 1,
            OutcomeKind::Skipped(_) => self.skipped += 1,
            OutcomeKind::Failed(_) => self.failed += 1,
            OutcomeKind::Unknown => self.unknown += 1,
        }
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.deleted += other.deleted;
        self.already_gone += other.already_gone;
        self.skipped += other.skipped;
        self.failed += other.failed;
        self.unknown += other.unknown;
    }
}
