//! What moved a selection away from the one in the base, in numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a policy asked for when its base was made, held against what it asks for today. Both are taken at the same moment: that
/// `3 years ago` is another day by now is no change of the condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EarlierCondition {
    /// The very same.
    Same,
    /// Another one of the same object, of which it is known what matches it today.
    Other,
    /// None of this object in this organization: the base does not have the policy, or has it for something else.
    Absent,
    /// Not known, with the reason as a sentence without its full stop.
    Unknown(String),
}

/// Of the records that a policy selects and the base does not have, and of those that the base has and nothing selects or keeps now,
/// how many the policy moved and how many the data did.
///
/// A record that the earlier condition does not match today is there by the policy, and one that it does match and the base does
/// not have is there by the data; for those that dropped out it is the other way round. The passing of time counts as data. What
/// holds keep now is in none of the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attribution {
    /// Selected, not in the base, and not matching the earlier condition.
    pub added_by_policy: u64,
    /// Selected, not in the base, and matching the earlier condition.
    pub added_by_data: u64,
    /// In the base, not matching any more, and matching the earlier condition.
    pub dropped_by_policy: u64,
    /// In the base, and matching neither condition.
    pub dropped_by_data: u64,
    /// Whether the holds read otherwise than in the base: what is said to be by the data may be by a hold then.
    pub holds_changed: bool,
}

/// How many records the condition of a policy adds to the base, for the gate that bounds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Widening {
    /// There is nothing to compare with.
    NoBase,
    /// What there is to compare with was not reviewed.
    NotReviewed,
    /// There is a base, and it is not known what the policy asked for then; with the reason.
    Unknown(String),
    /// It is not known either; but so many records are new at all, by whatever cause.
    AtMost(u64),
    /// So many, those among them that other policies of the plan delete.
    By(u64),
}
