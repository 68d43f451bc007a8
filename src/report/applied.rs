//! What an apply did.

use std::collections::BTreeMap;

use crate::apply::{SkipCause, Tally};
use crate::base::{PolicyName, TargetName};
use crate::plan::CascadeCount;

/// What an apply did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// One entry a policy, in the order of the plan.
    pub policies: Vec<AppliedPolicy>,
    /// How many policies are not finished; the same command continues them. Records of theirs without an outcome are in no tally.
    pub unfinished: usize,
    /// Whether the run was at its end before this command, which sent nothing and tells what was done then.
    pub ended_before: bool,
    /// Where the evidence lies, as a person would type it.
    pub evidence: String,
}

impl Applied {
    /// The sum over all policies.
    pub fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        for policy in &self.policies {
            sum += policy.tally;
        }
        sum
    }
}

/// What an apply did for one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedPolicy {
    /// The policy.
    pub policy: PolicyName,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its target.
    pub target: TargetName,
    /// Its object, as the manifest names it.
    pub object: String,
    /// How its records ended.
    pub tally: Tally,
    /// The skipped ones by cause.
    pub skipped: BTreeMap<SkipCause, u64>,
    /// The failed ones by the system's code.
    pub failed: BTreeMap<String, u64>,
    /// Those among the records that were already gone which other plans of the project had deleted, by the plan's name.
    pub gone_by: BTreeMap<String, u64>,
    /// Records that match the policy now and were not in the plan; they wait for the next one.
    pub waiting: u64,
    /// Why the policy stopped early, when it did.
    pub halted: Option<String>,
    /// Planned records whose end is not known yet, since the run is not finished; the same command continues it.
    pub unsettled: u64,
    /// The records that the system deletes together with these, as the plan counted them; they have no outcome of their own.
    pub with_them: Vec<CascadeCount>,
}

impl AppliedPolicy {
    /// How many records the plan had.
    pub(super) fn planned(&self) -> u64 {
        self.tally.total() + self.unsettled
    }

    /// Whether it is at its end and none of its records was ever sent.
    pub(super) fn sent_nothing(&self) -> bool {
        let was_sent = |cause: &SkipCause| matches!(cause, SkipCause::RolledBack | SkipCause::Stopped);
        self.tally.skipped == self.planned() && !self.skipped.keys().any(was_sent)
    }

    /// Whether every planned record was deleted, and nothing else is to be told.
    pub(super) fn is_plain(&self) -> bool {
        let nothing_with_them = self.with_them.iter().all(|cascade| cascade.records == Some(0));
        self.tally.deleted == self.planned() && nothing_with_them && self.waiting == 0 && self.halted.is_none()
    }
}
