//! Which records of one object in one target must not exist.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

use super::Accept;
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
    /// Which records.
    pub filter: Filter,
    /// What it says of them; a plan seals the same.
    pub settings: PolicySettings,
    /// Where the object's name stands.
    pub object_span: Span,
    /// Where its own `limits.maxWidened` stands, if it has one.
    pub max_widened_span: Option<Span>,
    /// Where the name stands.
    pub span: Span,
}

/// What a policy says beside its filter, with every default filled in.
///
/// It is what a manifest says and what a plan seals, so that the two are compared by `==` and a new setting is sealed and
/// compared as soon as it has a field here. Which records are meant is not in it: a plan seals that as the query that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicySettings {
    /// The target that holds the records.
    pub target: TargetName,
    /// The object as the manifest names it, such as `Lead`; the system may know it by another name or a key.
    pub object: String,
    /// Into the recycle bin or past it.
    pub delete: DeleteMode,
    /// Why a hard delete is right; always there when `delete` is hard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// Whether all go or none.
    pub all_or_none: AllOrNone,
    /// What stops the plan.
    pub limits: Limits,
    /// The most records that the policy may add to the base, if it is bounded. It is none of the [`Limits`]: what a new condition adds is
    /// known when a plan is made, and apply has nothing to ask about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_widened: Option<u64>,
    /// The API, where the user pins it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Api>,
    /// The most records that batches begin with; `None` for as many as the API takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u64>,
    /// Whether batches may be under way side by side.
    pub concurrency: Concurrency,
    /// The field whose equal values are kept together in one batch, against lock contention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_by: Option<String>,
    /// The policies that must have succeeded before this one starts.
    pub depends_on: Vec<PolicyName>,
    /// What a record must still be when it is deleted.
    pub recheck: Recheck,
    /// How a batch names its records.
    pub send_as: SendAs,
    /// Fields whose values reviewers are shown; nothing else of a record's contents is written anywhere.
    pub review_fields: Vec<String>,
    /// After this day the policy is refused; a plan still shows its numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_by: Option<jiff::civil::Date>,
    /// The doubts that this policy accepts; those that its target and the project accept are not among them.
    pub accept: Accept,
}

impl PolicySettings {
    /// The keys, as `plan.json` has them, of the settings in which the two differ; none when they are equal.
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let keys = |settings: &Self| match serde_json::to_value(settings) {
            Ok(serde_json::Value::Object(keys)) => keys,
            _ => serde_json::Map::new(),
        };
        // A setting that is not there has no key.
        let (ours, theirs) = (keys(self), keys(other));
        let all: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        all.into_iter().filter(|key| ours.get(*key) != theirs.get(*key)).cloned().collect()
    }
}

/// Whether all records of a policy go or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, EnumIter)]
#[serde(rename_all = "camelCase")]
pub enum AllOrNone {
    /// Each record for itself.
    No,
    /// The whole policy or nothing.
    Policy,
    /// Each request is atomic by itself.
    PerRequest,
}

impl AllOrNone {
    /// The value in manifests, as YAML.
    pub(super) fn written(self) -> &'static str {
        match self {
            Self::No => "false",
            Self::Policy => "true",
            Self::PerRequest => "perRequest",
        }
    }
}

/// What stops a plan. Limits are always on; they stop, they never truncate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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

impl Limits {
    /// The smaller of each of the two: what holds when a limit was changed while work was under way.
    pub fn stricter(self, other: Self) -> Self {
        Self { max_records: self.max_records.min(other.max_records), max_percent: self.max_percent.min(other.max_percent) }
    }
}

/// Whether requests of a policy may run side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, EnumIter, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Concurrency {
    /// Up to the system's own limits.
    Parallel,
    /// One at a time.
    Serial,
}

/// How a batch names its records to the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, EnumIter, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum SendAs {
    /// By their ids alone.
    #[default]
    Ids,
    /// By a query for those among the ids that still match the policy, so that the system looks once more. Fulcrum only.
    Query,
}

/// What a record must still be at the moment of deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, EnumIter, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Recheck {
    /// It still matches the policy.
    Matches,
    /// It still matches, and nothing in it changed since the plan (Salesforce: `SystemModstamp`).
    Unchanged,
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn name<T, E: std::fmt::Debug>(made: Result<T, E>) -> T {
        made.expect("valid")
    }

    /// Two settings that have nothing in common.
    fn opposites() -> [PolicySettings; 2] {
        let percent = |whole| name(Percent::whole(whole));
        [
            PolicySettings {
                target: name(TargetName::new("crm")),
                object: "Lead".into(),
                delete: DeleteMode::Soft,
                justification: None,
                all_or_none: AllOrNone::No,
                limits: Limits { max_records: 1, max_percent: percent(1) },
                max_widened: None,
                via: None,
                batch_size: None,
                concurrency: Concurrency::Parallel,
                group_by: None,
                depends_on: Vec::new(),
                recheck: Recheck::Matches,
                send_as: SendAs::Ids,
                review_fields: Vec::new(),
                review_by: None,
                accept: Accept::default(),
            },
            PolicySettings {
                target: name(TargetName::new("billing")),
                object: "Usage".into(),
                delete: DeleteMode::Hard,
                justification: Some("a law".into()),
                all_or_none: AllOrNone::PerRequest,
                limits: Limits { max_records: 2, max_percent: percent(2) },
                max_widened: Some(2),
                via: Some(Api::Bulk2),
                batch_size: Some(50),
                concurrency: Concurrency::Serial,
                group_by: Some("AccountId".into()),
                depends_on: vec![name(PolicyName::new("closed-cases"))],
                recheck: Recheck::Unchanged,
                send_as: SendAs::Query,
                review_fields: vec!["Name".into()],
                review_by: Some(jiff::civil::date(2027, 1, 31)),
                accept: Accept { unknown_cascades: vec!["Middle__c".into()] },
            },
        ]
    }

    #[test]
    fn every_setting_is_sealed_and_compared_and_named_where_it_differs() {
        let [ours, theirs] = opposites();
        let map = |settings: &PolicySettings| match serde_json::to_value(settings) {
            Ok(Value::Object(map)) => map,
            other => panic!("no map: {other:?}"),
        };
        for settings in [&ours, &theirs] {
            let back: PolicySettings = serde_json::from_value(Value::Object(map(settings))).expect("as written");
            assert_eq!(back, *settings, "nothing is left out of a plan");
            assert_eq!(back.differing(settings), Vec::<String>::new());
        }
        for (key, value) in map(&theirs) {
            let mut changed = map(&ours);
            changed.insert(key.clone(), value);
            let changed: PolicySettings = serde_json::from_value(Value::Object(changed)).expect("a setting of its own");
            assert_ne!(changed, ours, "`{key}` is the same in both, or is not compared");
            assert_eq!(changed.differing(&ours), [key]);
        }
    }

    #[test]
    fn the_stricter_of_two_limits_is_the_smaller_of_each_part() {
        let limits = |max_records, percent| Limits { max_records, max_percent: name(Percent::whole(percent)) };
        assert_eq!(limits(1, 9).stricter(limits(2, 3)), limits(1, 3));
        assert_eq!(limits(2, 3).stricter(limits(1, 9)), limits(1, 3));
    }

    #[test]
    fn a_setting_that_is_not_known_is_refused() {
        let mut map = serde_json::to_value(&opposites()[0]).expect("a map");
        map["soon"] = Value::Bool(true);
        assert!(serde_json::from_value::<PolicySettings>(map).is_err());
    }
}
