//! What holds do in a plan.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Matching, MissingIds};
use crate::base::{HoldName, PolicyName, TargetName, counted};

/// A hold as a plan found it. It is for people and for the record: apply reads the holds of the manifests anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedHold {
    /// The hold.
    pub hold: HoldName,
    /// Its target.
    pub target: TargetName,
    /// The object whose records it names, in the system's own spelling.
    pub object: String,
    /// Why they are held.
    pub reason: String,
    /// Which records it names, as sent; absent where nothing was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching: Option<Matching>,
    /// How many records it names; absent where it reaches no policy of the plan, and was not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<u64>,
    /// The other ids of its list, which it keeps all the same; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_ids: Option<MissingIds>,
    /// The policies of the plan that it reaches, in the order of apply.
    pub policies: Vec<HoldReach>,
    /// Fields by which records of the plan's policies look up to those it names and that it does not follow, such as `Case.AccountId`:
    /// records that look up to a held one are not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_followed: Vec<String>,
}

impl PlannedHold {
    /// Whether it names no record at all, although it was read.
    pub fn matches_nothing(&self) -> bool {
        self.matched == Some(0)
    }

    /// What to tell of a hold that names no record.
    pub fn names_nothing(&self) -> String {
        names_nothing(&self.hold, &self.object, self.matching.as_ref())
    }

    /// Whether no policy of the plan can delete a record that it keeps.
    pub fn reaches_nothing(&self) -> bool {
        self.policies.is_empty()
    }
}

/// What to tell of a hold that names no record.
pub fn names_nothing(hold: &HoldName, object: &str, matching: Option<&Matching>) -> String {
    match matching {
        Some(Matching::Listed(list)) => {
            let ids = counted(list.ids, "id");
            format!(
                "hold {hold} names no record: of the {ids} in {} this login sees no {object} that is there now",
                list.file
            )
        }
        _ => format!("hold {hold} names no record: nothing of {object} matches its filter now"),
    }
}

/// What a hold does for one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HoldReach {
    /// The policy.
    pub policy: PolicyName,
    /// How many of the records that match the policy it keeps.
    pub records: u64,
}

/// How many of the records that match a policy a hold keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeldCount {
    /// The hold.
    pub hold: HoldName,
    /// How many, each counted once.
    pub records: u64,
    /// In which ways; a record that is kept in two counts for both.
    pub ways: Vec<HeldWay>,
}

/// How many records a hold keeps in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeldWay {
    /// Why they are kept.
    pub because: HeldBecause,
    /// How many.
    pub records: u64,
}

/// Why a hold keeps a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HeldBecause {
    /// The hold names it.
    Named,
    /// A record that is held would go with it in a cascade.
    Cascade,
    /// It looks up to a held record by this field, such as `Case.AccountId`.
    Lookup(String),
}

/// To read after the name of the hold; nothing for what the hold names.
impl fmt::Display for HeldBecause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named => formatter.write_str("by its filter"),
            Self::Cascade => formatter.write_str("since a held record would go with them"),
            Self::Lookup(field) => write!(formatter, "since {field} names a held record"),
        }
    }
}
