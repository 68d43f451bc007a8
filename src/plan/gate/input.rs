//! What gates are told of one policy.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::civil::Date;

use super::super::attribution::Widening;
use super::super::calls::CallsNeeded;
use super::super::cascade::CascadeCount;
use super::super::count::Population;
use super::super::facts::{Identity, ObjectFacts};
use super::super::overlap::MixedDeletion;
use super::super::totals::Together;
use crate::base::{HoldName, PolicyName};
use crate::manifest::{Accept, Environment, Limits, PolicySettings};
use crate::system::Capabilities;

/// Everything that gates judge by, as plain facts: whoever asks has gathered it before.
#[derive(Clone, Copy, Debug)]
pub struct GateInput<'a> {
    /// When they are asked.
    pub occasion: Occasion,
    /// The day in the project's time zone.
    pub today: Date,
    /// What the policy says.
    pub settings: &'a PolicySettings,
    /// The limits in force: those of the settings, and for a policy of which something was sent already
    /// [`Limits::stricter`] of those it began under and those of now.
    pub limits: Limits,
    /// Who is signed in to the target, and where.
    pub identity: &'a Identity,
    /// By how much this machine's clock is ahead of the target's; `None` where the target does not say what time it is.
    pub clock_difference: Option<SignedDuration>,
    /// What the target says it is for.
    pub environment: Option<Environment>,
    /// What the target's system can do.
    pub capabilities: &'a Capabilities,
    /// The object, as the system describes it.
    pub facts: &'a ObjectFacts,
    /// Whether this login may hard delete; `None` for a policy that does not ask for it.
    pub hard_delete: Option<&'a Permission>,
    /// How many records the object has; for a run that is continued, how many it had when the run began.
    pub population: Population,
    /// How many records of the policy would still be deleted, by whichever policy of the plan.
    pub selected: u64,
    /// How many of these another policy deletes.
    pub elsewhere: u64,
    /// Those among them that other policies would delete with the other `delete`. Such a plan is refused when it is made, so that
    /// there are none at apply.
    pub mixed: Option<&'a MixedDeletion>,
    /// How many records of the policy this run has deleted already; 0 in a plan and in a run that begins. They count for the
    /// limits, and are not among `selected`.
    pub already_deleted: u64,
    /// What the policies delete together; `None` as long as it is not known which of them are refused.
    pub together: Option<&'a Together>,
    /// How many planned records are still there and are kept back: held, changed, or not matching any more; 0 in a plan.
    pub kept_back: u64,
    /// How many records the last apply of the policy left in the object; `None` when there was none.
    pub left_behind: Option<u64>,
    /// Cascades that cannot be followed to their end, with a hold that may be there.
    pub open_cascades: &'a [OpenCascade],
    /// The doubts that manifests accept for the policy.
    pub accept: &'a Accept,
    /// What the system would delete along with the selected records.
    pub cascades: &'a [CascadeCount],
    /// The same when the plan was made; `None` in a plan, and where the two were not counted for the same records.
    pub planned_cascades: Option<&'a [CascadeCount]>,
    /// How many records the condition adds to the base; `None` at apply. A plan is bound to the policy it was made from, so what was found
    /// then of its condition cannot be otherwise now: the records that match more since are not in the plan.
    pub widening: Option<&'a Widening>,
    /// Where the limit on that is to be raised, as the rest of a sentence.
    pub max_widened_at: &'a str,
    /// What keeps the system from deleting the selected records; nothing at apply, which meets it.
    pub restrictions: &'a [Restriction<'a>],
    /// The calls that this policy and those before it take in the target.
    pub calls: CallsNeeded,
    /// The calls that this plan has made in the target for conditions of before, since it was asked how many are left; 0 at apply.
    pub earlier_calls: u64,
    /// The calls that the organization has left today; `None` where the system does not say.
    pub calls_left: Option<u64>,
}

impl GateInput<'_> {
    /// The objects of which some gate needs to know what goes along, and that no manifest accepts: all of them, so that a person accepts
    /// them once.
    pub(super) fn unaccepted_cascades(&self) -> BTreeSet<&str> {
        let counted = self.cascades.iter().filter(|cascade| cascade.records.is_none() && self.selected > 0);
        let counted = counted.map(|cascade| cascade.child.as_str()).filter(|child| !self.accept.unknown_cascade(child));
        let open = self.open_cascades.iter().filter(|open| !open.accepted).map(|open| open.unknown.as_str());
        counted.chain(open).collect()
    }

    /// How a manifest accepts all that it must accept, as the end of a sentence.
    pub(super) fn how_to_accept_cascades(&self) -> String {
        let names: Vec<&str> = self.unaccepted_cascades().into_iter().collect();
        format!("`accept: {{ unknownCascades: [{}] }}` in the policy, its target or the project", names.join(", "))
    }
}

/// When gates are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// While a plan is made: nothing is deleted, so a date that has passed is only told.
    Plan,
    /// Before an apply sends anything.
    Apply,
}

/// Children that keep their parents from being deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction<'a> {
    /// Which, and how many.
    pub children: &'a CascadeCount,
    /// The policies of the plan that delete records of that object.
    pub deleted_by: Vec<&'a PolicyName>,
}

/// Whether the system lets a login do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permission {
    /// It does, or cannot be asked.
    Granted,
    /// It does not; with what to grant, as a part of a sentence.
    Denied(String),
}

/// A cascade that cannot be followed to the end, and the hold that may be at that end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenCascade {
    /// The hold.
    pub hold: HoldName,
    /// The objects from the policy's to the held one, in the order in which the cascade takes them, as far as they are known.
    pub path: Vec<String>,
    /// The object on that way at which knowledge ends. A manifest that accepts it by name accepts the doubt.
    pub unknown: String,
    /// Whether a manifest does.
    pub accepted: bool,
}
