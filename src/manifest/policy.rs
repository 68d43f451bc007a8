//! Which records of one object in one target must not exist.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Percent, PolicyName, Span, TargetName};
use crate::filter::Filter;
use crate::system::{Api, DeleteMode};

/// A deletion policy: which records of one object in one target must not exist.
///
/// It is not an instruction to delete: only a plan made from it, reviewed and applied, deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: PolicyName,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
    /// The target that holds the records.
    pub target: TargetName,
    /// The object, such as `Lead`.
    pub object: String,
    /// Which records.
    pub filter: Filter,
    /// Into the recycle bin or past it.
    pub delete: DeleteMode,
    /// Why a hard delete is right; always there when `delete` is hard.
    pub justification: Option<String>,
    /// Whether all go or none.
    pub all_or_none: AllOrNone,
    /// What stops the plan.
    pub limits: Limits,
    /// The API, where the user pins it.
    pub via: Option<Api>,
    /// Whether requests may run side by side.
    pub concurrency: Concurrency,
    /// The field whose equal values are kept together in one batch, against lock contention.
    pub group_by: Option<String>,
    /// The policies that must have succeeded before this one starts.
    pub depends_on: Vec<PolicyName>,
    /// What a record must still be when it is deleted.
    pub recheck: Recheck,
    /// How a batch names its records.
    pub send_as: SendAs,
    /// Fields whose values reviewers are shown; nothing else of a record's contents is written anywhere.
    pub review_fields: Vec<String>,
    /// After this day plans still work and apply refuses.
    pub review_by: Option<jiff::civil::Date>,
    /// Where the name stands.
    pub span: Span,
}

/// Whether all records of a policy go or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AllOrNone {
    /// Each record for itself.
    No,
    /// The whole policy or nothing.
    Policy,
    /// Each request is atomic by itself.
    PerRequest,
}

/// What stops a plan. Limits are always on; they stop, they never truncate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// The most records a plan may select for the policy.
    pub max_records: u64,
    /// The largest share of the object's records.
    pub max_percent: Percent,
}

impl Default for Limits {
    /// 1,000 records and 5 %: small enough that a wrong filter on a real object stops.
    fn default() -> Self {
        Self { max_records: 1_000, max_percent: Percent::whole(5).unwrap_or(Percent::ALL) }
    }
}

/// Whether requests of a policy may run side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Concurrency {
    /// Up to the system's own limits.
    Parallel,
    /// One at a time.
    Serial,
}

/// How a batch names its records to the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SendAs {
    /// By their ids alone.
    #[default]
    Ids,
    /// By a query for those among the ids that still match the policy, so that the system looks once more.
    Query,
}

/// What a record must still be at the moment of deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recheck {
    /// It still matches the policy.
    Matches,
    /// It still matches, and nothing in it changed since the plan (Salesforce: `SystemModstamp`).
    Unchanged,
}
