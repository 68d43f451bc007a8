//! What the policies of a plan delete together, for the gates that bound it.

use std::collections::{BTreeMap, BTreeSet};

use super::{PlannedPolicy, Population};
use crate::base::{PolicyName, TargetName};
use crate::manifest::{Limits, SharedLimits};

/// What the policies of a plan delete together: each record counts once, and those of policies that a gate refuses, or that depend on
/// one, are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Together {
    /// Of the policy's object in its target.
    pub object: ObjectTotal,
    /// Of everything.
    pub plan: PlanTotal,
}

/// What goes of one object of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectTotal {
    /// How many policies of the plan delete from the object.
    pub policies: usize,
    /// How many records would still be deleted.
    pub selected: u64,
    /// How many this run has deleted already.
    pub already_deleted: u64,
    /// How many records the object has; for a run that is continued, how many it had when the run began.
    pub population: Population,
    /// The bound.
    pub limits: Limits,
}

/// What goes of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanTotal {
    /// How many records would still be deleted.
    pub selected: u64,
    /// How many this run has deleted already.
    pub already_deleted: u64,
    /// The bound of the project, if it gives one.
    pub max_records: Option<u64>,
    /// The bound of the command, if it gives one.
    pub command_max_records: Option<u64>,
}

/// The sums over all policies of a plan.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    objects: BTreeMap<(TargetName, String), ObjectTotal>,
    plan: PlanTotal,
}

/// What one policy adds.
#[derive(Clone, Copy, Debug)]
pub struct Share<'a> {
    /// The policy.
    pub planned: &'a PlannedPolicy,
    /// Its limits.
    pub limits: Limits,
    /// How many records it would still delete; 0 for one of which nothing is sent any more.
    pub selected: u64,
    /// How many it has deleted already in this run.
    pub already_deleted: u64,
    /// How many records the object has; for a run that is continued, how many it had when the run began; `None` where that was not asked.
    pub population: Option<Population>,
}

impl Totals {
    /// Of the policies of a plan that is being made, in its order, as far as no gate has refused them or what they depend on.
    pub fn of_plan<'a>(shared: &SharedLimits, policies: impl Iterator<Item = &'a PlannedPolicy>) -> Self {
        let mut stopped: BTreeSet<&PolicyName> = BTreeSet::new();
        let share = |planned: &'a PlannedPolicy| {
            let stops = planned.is_refused() || planned.settings.depends_on.iter().any(|name| stopped.contains(name));
            if stops {
                stopped.insert(&planned.policy);
            }
            let selected = if stops { 0 } else { planned.selected };
            Share {
                planned,
                limits: planned.settings.limits,
                selected,
                already_deleted: 0,
                population: Some(planned.population),
            }
        };
        Self::of_shares(shared, policies.map(share))
    }

    /// Of these shares, under these limits.
    pub fn of_shares<'a>(shared: &SharedLimits, shares: impl Iterator<Item = Share<'a>>) -> Self {
        let mut totals = Self::default();
        totals.plan.max_records = shared.plan_max_records;
        let mut limits: BTreeMap<(TargetName, String), Vec<Limits>> = BTreeMap::new();
        let mut populations: BTreeMap<(TargetName, String), Population> = BTreeMap::new();
        for share in shares {
            let key = key(share.planned);
            limits.entry(key.clone()).or_default().push(share.limits);
            if let Some(population) = share.population {
                // Policies are read one after the other; what this run has deleted since is not in the later numbers.
                let largest = populations.entry(key.clone()).or_insert(population);
                *largest = largest.larger(population);
            }
            let object = totals.objects.entry(key).or_insert(ObjectTotal {
                policies: 0,
                selected: 0,
                already_deleted: 0,
                population: Population::Unknown,
                limits: Limits::default(),
            });
            object.policies += usize::from(share.selected + share.already_deleted > 0);
            object.selected = object.selected.saturating_add(share.selected);
            object.already_deleted = object.already_deleted.saturating_add(share.already_deleted);
            totals.plan.selected = totals.plan.selected.saturating_add(share.selected);
            totals.plan.already_deleted = totals.plan.already_deleted.saturating_add(share.already_deleted);
        }
        for (key, object) in &mut totals.objects {
            object.population = populations.get(key).copied().unwrap_or(Population::Unknown);
            object.limits = shared.of_object(limits.remove(key).unwrap_or_default().into_iter());
        }
        totals
    }

    /// The same under these limits as well, whichever are stricter.
    #[must_use]
    pub fn stricter(mut self, other: &Self, command_max_records: Option<u64>) -> Self {
        for (key, object) in &mut self.objects {
            if let Some(other) = other.objects.get(key) {
                object.limits = object.limits.stricter(other.limits);
            }
        }
        let bounds = [self.plan.max_records, other.plan.max_records];
        self.plan.max_records = bounds.into_iter().flatten().min();
        self.plan.command_max_records = command_max_records;
        self
    }

    /// What concerns one policy.
    pub fn of(&self, planned: &PlannedPolicy) -> Option<Together> {
        Some(Together { object: *self.objects.get(&key(planned))?, plan: self.plan })
    }
}

fn key(planned: &PlannedPolicy) -> (TargetName, String) {
    (planned.settings.target.clone(), planned.query.object.clone())
}
