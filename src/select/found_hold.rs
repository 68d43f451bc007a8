//! A hold as it was found, and what it keeps.

use std::collections::{BTreeMap, BTreeSet};

use super::held::{HeldLookup, HeldSet};
use crate::base::{HoldName, TargetName};
use crate::manifest::Hold;
use crate::plan::{HoldReach, Matching, MissingIds, OpenCascade, PlannedHold, PlannedPolicy};

/// One hold as it was found.
#[derive(Clone, Debug)]
pub struct FoundHold {
    /// The hold.
    pub hold: HoldName,
    /// Its target.
    pub target: TargetName,
    /// Its object, in the system's own spelling.
    pub object: String,
    /// Which records it names, as sent; `None` where nothing was sent.
    pub matching: Option<Matching>,
    /// How many records it names; `None` where it was not counted, since no policy's records can be kept by it.
    pub matched: Option<u64>,
    /// The other ids of its list, which it keeps all the same; `None` where it has none.
    pub missing: Option<MissingIds>,
    /// The objects of policies whose records it may keep.
    pub reached: BTreeSet<String>,
    /// By object of policies, the fields by which its records look up to those of the hold and that the hold does not follow.
    pub not_followed: BTreeMap<String, BTreeSet<String>>,
}

/// What one hold keeps.
pub(super) struct KeptByHold {
    pub found: FoundHold,
    /// Of which object, and in what way.
    pub kept: Vec<(String, Kept)>,
}

pub(super) enum Kept {
    Records(HeldSet),
    Lookup(HeldLookup),
    Open(OpenCascade),
}

impl FoundHold {
    /// The hold as a plan of these policies seals it.
    pub fn planned(&self, hold: &Hold, policies: &[PlannedPolicy]) -> PlannedHold {
        let of_target = || policies.iter().filter(|policy| policy.settings.target == self.target);
        let reached = of_target().filter(|policy| self.reached.contains(&policy.query.object));
        let reach = |policy: &PlannedPolicy| {
            let kept = policy.holds.iter().find(|held| held.hold == self.hold);
            HoldReach { policy: policy.policy.clone(), records: kept.map_or(0, |held| held.records) }
        };
        let not_followed: BTreeSet<String> = of_target()
            .filter_map(|policy| self.not_followed.get_key_value(&policy.query.object))
            .flat_map(|(object, fields)| fields.iter().map(move |field| format!("{object}.{field}")))
            .collect();
        PlannedHold {
            hold: self.hold.clone(),
            target: self.target.clone(),
            object: self.object.clone(),
            reason: hold.reason.clone(),
            matching: self.matching.clone(),
            matched: self.matched,
            missing_ids: self.missing.clone(),
            policies: reached.map(reach).collect(),
            not_followed: not_followed.into_iter().collect(),
        }
    }
}
