//! The state file's contents.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::apply::{Seal, Tally};
use crate::base::{Actor, Digest, PolicyName, RecordId};

/// The format of [`State`]; a newer one is refused, never rewritten.
pub const STATE_VERSION: u32 = 1;

/// What sexton knows it has done. It holds ids of open failures and no other content of any record.
///
/// It is not the truth about the system: that is asked anew by every plan and every apply.
///
/// **Invariants**: `serial` grows by one with every save that changes anything, and a save that changes nothing does not
/// happen; `lineage` never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    /// [`STATE_VERSION`].
    pub version: u32,
    /// A UUID, made with the first plan, so that two projects' plans can never be taken for one another's.
    pub lineage: String,
    /// Counts the saves.
    pub serial: u64,
    /// The version of sexton that wrote it.
    pub tool: String,
    /// The plans that were ever applied, by the first use.
    pub consumed: Vec<ConsumedPlan>,
    /// What each policy did.
    pub policies: BTreeMap<PolicyName, PolicyHistory>,
}

/// A plan that was used. It can be continued until it is finished, and never used again after that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsumedPlan {
    /// The plan's digest.
    pub plan: Digest,
    /// When its first apply began to delete.
    pub started: Timestamp,
    /// Who ran that apply.
    pub started_by: Actor,
    /// When its last outcome was known; `None` while a run is not finished.
    pub finished: Option<Timestamp>,
    /// Who brought it to its end; the journal has everybody who continued it.
    pub finished_by: Option<Actor>,
    /// Whether its run was given up before its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub abandoned: bool,
}

/// What one policy did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyHistory {
    /// How many records the last apply left in the object: those it counted less those it deleted or may have
    /// deleted. For the gate on emptiness.
    pub population: Option<u64>,
    /// The last runs, newest last; at most [`PolicyHistory::KEPT_RUNS`].
    pub runs: Vec<RunSummary>,
    /// Records whose last outcome was failed or unknown, sorted by id; at most [`PolicyHistory::KEPT_OPEN`].
    pub open: Vec<OpenRecord>,
    /// How many records were open, should that be more than are listed.
    pub open_total: u64,
}

impl PolicyHistory {
    /// How many runs are remembered.
    pub const KEPT_RUNS: usize = 20;
    /// How many open records are listed; the evidence of the run has all of them.
    pub const KEPT_OPEN: usize = 10_000;
}

/// One run of one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunSummary {
    /// The plan.
    pub plan: Digest,
    /// When the run ended.
    pub finished: Timestamp,
    /// The policy's labels, as the plan had them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// How it ended.
    pub tally: Tally,
    /// The object of the outcomes.
    pub outcomes: Seal,
}

/// A record that should be gone and is not known to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenRecord {
    /// Its key.
    pub id: RecordId,
    /// The system's code, or `unknown`.
    pub code: String,
}
