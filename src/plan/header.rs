//! The sealed header of a plan: everything but the records.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Attribution, CascadeCount, FindingKind, GateFinding, HeldCount, IdList, Identity, MissingIds, PlanBase,
    PlannedElsewhere, PlannedHold, PlannedQuery, Population, Route, Symbol,
};
use crate::base::{Actor, Digest, PolicyName, RecordId, TargetName, inert_json};
use crate::manifest::{DocumentKind, Environment, PolicySettings, SharedLimits};
use crate::system::{Api, SystemKind};

/// The format of [`PlanHeader`]; another number is refused, never guessed at.
pub const PLAN_FORMAT: u32 = 1;

/// An immutable, sealed proposal. `plan.json` is this, and the digest of that file is the plan's name: since it holds
/// the digest of every records file, it covers everything in the bundle.
///
/// It is not a permission: apply selects anew, runs the gates again and can only shrink what is written here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanHeader {
    /// The format, 1.
    #[schemars(extend("const" = PLAN_FORMAT))]
    pub format: u32,
    /// The version of sexton that made it.
    pub tool: String,
    /// Who made it.
    pub made_by: Actor,
    /// The one clock reading every moment in the plan was taken from.
    pub created: Timestamp,
    /// After this moment apply refuses.
    pub expires: Timestamp,
    /// The lineage of the state it was made beside.
    pub lineage: String,
    /// The serial of that state; for people, a newer one does not make a plan stale.
    pub serial: u64,
    /// What was written in the manifests.
    pub manifests: SealedManifests,
    /// What the plan was compared with; absent where there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<PlanBase>,
    /// The policies that the plan was asked for; none when it was asked for all.
    pub only: BTreeSet<PolicyName>,
    /// What bounds all policies together, as the project gave it.
    pub shared_limits: SharedLimits,
    /// The systems, as they described themselves.
    pub targets: BTreeMap<TargetName, SealedTarget>,
    /// Every hold of the targets that are planned for, by name.
    pub holds: Vec<PlannedHold>,
    /// One entry a policy, in the order of apply.
    pub policies: Vec<PlannedPolicy>,
}

impl PlanHeader {
    /// The bytes of `plan.json`: the same header always gives the same bytes.
    ///
    /// # Errors
    ///
    /// Never for a header made by this program; the signature is serde's.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut text = inert_json(serde_json::to_string_pretty(self)?);
        text.push('\n');
        Ok(text.into_bytes())
    }

    /// Reads the bytes of a `plan.json`.
    ///
    /// # Errors
    ///
    /// [`HeaderError::OtherFormat`] for a plan of another format, whatever else it has.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeaderError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(bytes).map_err(HeaderError::Malformed)?;
        if format != PLAN_FORMAT {
            return Err(HeaderError::OtherFormat { found: format });
        }
        serde_json::from_slice(bytes).map_err(HeaderError::Malformed)
    }

    /// The plan's name: the digest of [`PlanHeader::to_bytes`].
    ///
    /// # Errors
    ///
    /// As [`PlanHeader::to_bytes`].
    pub fn digest(&self) -> Result<Digest, serde_json::Error> {
        self.to_bytes().map(|bytes| Digest::of(&bytes))
    }

    /// How many records the whole plan proposes to delete.
    pub fn selected(&self) -> u64 {
        self.policies.iter().map(|policy| policy.selected).sum()
    }

    /// Whether any gate refuses any policy.
    pub fn is_refused(&self) -> bool {
        self.policies.iter().any(PlannedPolicy::is_refused)
    }
}

/// Why some bytes are no header of this format.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// It has another format, most likely of a newer version of sexton.
    #[error("it has format {found}, and this version of sexton knows format {PLAN_FORMAT}")]
    OtherFormat {
        /// The format it has.
        found: u32,
    },
    /// It is no JSON of a plan's shape.
    #[error("it is not a plan")]
    Malformed(#[source] serde_json::Error),
}

/// The manifests a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SealedManifests {
    /// The Project's settings that the plan is bound to.
    pub project: BTreeMap<String, String>,
    /// Every document. The plan is bound to those that it uses; the others are there so that a later plan can show what changed.
    pub documents: Vec<SealedDocument>,
    /// How they differ from the documents of the plan that it was compared with, as a unified text difference; empty where they do
    /// not, or where it was compared with none. For people only; apply never reads it.
    pub changes: String,
}

/// One document of the manifests as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SealedDocument {
    /// What it is.
    pub kind: DocumentKind,
    /// Its `metadata.name`.
    pub name: String,
    /// The path of its file, relative to the project.
    pub file: String,
    /// The digest of its text.
    pub digest: Digest,
    /// Its text, with line ends as on Unix.
    pub text: String,
    /// The list of ids that its filter names, as it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<IdList>,
}

/// A system as it described itself when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SealedTarget {
    /// Its kind.
    pub system: SystemKind,
    /// What the manifest says it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Who and where.
    pub identity: Identity,
    /// The calls that the deletions of all policies take there, what is counted before, and what is read again meanwhile as far as that is
    /// known; without polling and retries.
    pub calls: u64,
    /// The least time in seconds that those calls and the reads before them take; absent if the system has no call budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_seconds: Option<u64>,
}

impl SealedTarget {
    /// Whether it is to be treated as production: what the system says counts, and where it says nothing, what the manifest does.
    pub fn is_production(&self) -> bool {
        self.identity.is_production.unwrap_or(self.environment == Some(Environment::Production))
    }
}

/// What a plan proposes for one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedPolicy {
    /// The policy.
    pub policy: PolicyName,
    /// Its labels, such as an owner or a regulation.
    pub labels: BTreeMap<String, String>,
    /// What the policy says: the same type as in a manifest, so that the two are compared by `==`.
    pub settings: PolicySettings,
    /// The query, as sent. It has the system's own name or key of the object.
    pub query: PlannedQuery,
    /// How many records the object has, filter or not, at the time of the plan.
    pub population: Population,
    /// How many records matched the filter, held ones among them.
    pub matched: u64,
    /// The other ids of the filter's list; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_ids: Option<MissingIds>,
    /// How many records the plan would delete for the policy: matched less held and less those that it plans elsewhere.
    pub selected: u64,
    /// The records that the policy selects as well and another policy of the plan deletes.
    pub planned_elsewhere: Vec<PlannedElsewhere>,
    /// How many matched records each hold keeps. A record that two holds keep counts for both.
    pub holds: Vec<HeldCount>,
    /// What the system would delete together with the records.
    pub cascades: Vec<CascadeCount>,
    /// The objects among them, or below them, that this login cannot see. Known only of targets that have holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen_cascades: Vec<String>,
    /// What keeps the system from deleting the records as long as it is there.
    pub restricted_by: Vec<CascadeCount>,
    /// How the records would be deleted; absent if there are none, or if no API can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// What every gate said that was asked.
    pub gates: Vec<GateFinding>,
    /// How the selection differs from what it was compared with; absent when there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// A few records, in the order in which they are shown: those that are deleted, by id, and then those that stay.
    pub sample: Vec<SampledRecord>,
    /// The records file.
    pub records: RecordsSeal,
}

impl PlannedPolicy {
    /// What gates refused.
    pub fn refusals(&self) -> impl Iterator<Item = &GateFinding> {
        self.gates.iter().filter(|finding| finding.kind == FindingKind::Refuse)
    }

    /// What gates warned of.
    pub fn warnings(&self) -> impl Iterator<Item = &GateFinding> {
        self.gates.iter().filter(|finding| finding.kind == FindingKind::Warn)
    }

    /// Whether any gate refuses it.
    pub fn is_refused(&self) -> bool {
        self.refusals().next().is_some()
    }

    /// The route of its run. A policy that a gate refuses since no API can do what it asks for has a run all the same, in which
    /// nothing is sent; `None` for a policy without records.
    pub fn run_route(&self) -> Option<Route> {
        let nothing_sent = || Route {
            api: self.settings.via.unwrap_or(Api::Collections),
            batch_size: 1,
            batches: 0,
            parallel: 1,
            atomic: false,
            calls: 0,
            reason: String::new(),
        };
        self.route.clone().or_else(|| (self.selected > 0).then(nothing_sent))
    }

    /// How many of the selected records another policy of the plan deletes.
    pub fn elsewhere(&self) -> u64 {
        self.planned_elsewhere.iter().fold(0, |sum, others| sum.saturating_add(others.records))
    }

    /// How many records holds keep.
    pub fn held(&self) -> u64 {
        self.matched.saturating_sub(self.selected).saturating_sub(self.elsewhere())
    }

    /// Whether a gate did more than let it pass.
    pub fn gates_stand_out(&self) -> bool {
        self.gates.iter().any(|finding| finding.kind != FindingKind::Pass)
    }

    /// The object for people: with the system's own key of it, where that is not its name.
    pub fn object_title(&self) -> String {
        if self.query.object.eq_ignore_ascii_case(&self.settings.object) {
            self.query.object.clone()
        } else {
            format!("{} ({})", self.settings.object, self.query.object)
        }
    }
}

/// What seals a records file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordsSeal {
    /// The path inside the bundle, with `/`.
    pub path: String,
    /// The columns after the key. They need not be the query's fields: what only serves the selection stays out of a
    /// plan.
    pub columns: Vec<String>,
    /// The digest of the file's bytes as they lie on disk.
    pub digest: Digest,
    /// How many records it holds.
    pub rows: u64,
}

/// One record of a sample. The values of its review fields are in the records file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SampledRecord {
    /// The record.
    pub id: RecordId,
    /// What became of it.
    pub symbol: Symbol,
}

/// How a selection differs from the one that it was compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Comparison {
    /// Digest of the plan compared with: the base's, or, where that is the plan last applied, the last one that had the policy.
    pub with: Digest,
    /// `-` selected now and not reviewed.
    pub newly_selected: u64,
    /// How many of those the plan compared with has as well, because it is no base; 0 for a base.
    pub unreviewed: u64,
    /// `~` failed or left unknown last time, and tried again.
    pub retried: u64,
    /// `=` selected now and in the base.
    pub reviewed: u64,
    /// `+` in the plan compared with and not selected now.
    pub no_longer_selected: u64,
    /// `#` held now.
    pub held: u64,
    /// Why the count changed.
    pub cause: CountCause,
    /// The same in numbers; absent where they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
    /// Why they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_attributed: Option<String>,
}

/// What moved a count between two plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CountCause {
    /// Nothing moved.
    Nothing,
    /// The records changed; what the policy asks for and its holds are the same, or made no difference.
    Data,
    /// The policy changed, and every move is its doing.
    Policy,
    /// The policy or its holds changed, and the records may have changed as well; or it is not known what the policy asked for before.
    PolicyAndData,
}
