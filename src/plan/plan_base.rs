//! What a plan is compared with.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::Digest;

/// The plan that a new plan was compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanBase {
    /// Where it was found.
    pub kind: BaseKind,
    /// Its digest.
    pub plan: Digest,
    /// The revision as it was named, where it was found in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The commit that the revision was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// Where the plan was found that a new plan is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BaseKind {
    /// In a git revision that was named.
    Revision,
    /// In a directory that was named.
    Directory,
    /// In the store, by the digest that was named.
    Store,
    /// Nothing was named: it is the plan last applied.
    Applied,
    /// Nothing was named and none was ever applied: it lay where the new plan was written to, by chance.
    LayHere,
}

impl BaseKind {
    /// Whether what is in it was reviewed. What lies in the working tree by chance is no base.
    pub fn reviews(self) -> bool {
        self != Self::LayHere
    }
}

impl fmt::Display for PlanBase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.plan.short();
        match (self.kind, &self.revision) {
            (BaseKind::Revision, Some(revision)) => write!(formatter, "plan {plan} of the revision {revision}"),
            (BaseKind::Revision, None) => write!(formatter, "plan {plan} of a revision"),
            (BaseKind::Directory, _) => write!(formatter, "plan {plan} in the directory that was named"),
            (BaseKind::Store, _) => write!(formatter, "plan {plan} in the store"),
            (BaseKind::Applied, _) => write!(formatter, "plan {plan}, the one last applied"),
            (BaseKind::LayHere, _) => write!(formatter, "plan {plan} that lay here, which reviews nothing"),
        }
    }
}
