//! Rules that can refuse a plan or an apply.

use serde::{Deserialize, Serialize};

/// The rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateName {
    /// The selection is larger than `limits.maxRecords`.
    MaxRecords,
    /// The selection is a larger share of the object than `limits.maxPercent`.
    MaxPercent,
    /// The login lacks what a hard delete needs.
    HardDelete,
    /// The object cannot be deleted by this login.
    Deletable,
    /// The system says it is production and the target does not.
    Production,
    /// The object looks empty where history says otherwise.
    Emptiness,
    /// The policy asks for atomicity no API gives at this size.
    AllOrNone,
    /// The policy's `reviewBy` has passed.
    ReviewBy,
    /// A hold may protect records through a cascade that cannot be followed to the end.
    HeldCascade,
}

/// What one rule says about one policy, with the numbers it saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Verdict {
    /// The rule.
    pub gate: GateName,
    /// Whether it lets the policy pass.
    pub passed: bool,
    /// One sentence with the numbers; for a refusal also what to change, and by how much.
    pub message: String,
}
