//! Which policies of a run may not be carried out, or not any further.

use std::collections::BTreeMap;

use crate::apply::SkipCause;
use crate::base::PolicyName;
use crate::plan::{PlanHeader, PlannedPolicy};

/// Why policies were refused when the plan was made.
pub(in crate::command) fn refused_at_plan(header: &PlanHeader) -> BTreeMap<PolicyName, String> {
    let refused = header.policies.iter().filter(|planned| planned.is_refused());
    let cause = |planned: &PlannedPolicy| planned.refusals().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    refused.map(|planned| (planned.policy.clone(), cause(planned))).collect()
}

/// Why policies are refused, in lines: what is said of several alike, such as a limit of the whole plan, is said once.
pub(in crate::command) fn by_cause<'p>(refusals: impl Iterator<Item = (&'p PolicyName, String)>) -> Vec<String> {
    let mut causes: Vec<(String, Vec<&str>)> = Vec::new();
    for (policy, cause) in refusals {
        match causes.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, policies)) => policies.push(policy.as_str()),
            None => causes.push((cause, vec![policy.as_str()])),
        }
    }
    let line = |(cause, policies): (String, Vec<&str>)| match policies.as_slice() {
        [policy] => format!("policy {policy}: {cause}"),
        policies => format!("policies {}: {cause}", policies.join(", ")),
    };
    causes.into_iter().map(line).collect()
}

/// The policies of which nothing more is sent, each with the reason and what becomes of its records.
pub(in crate::command) struct Stopped<'a> {
    header: &'a PlanHeader,
    policies: BTreeMap<PolicyName, (String, SkipCause)>,
}

impl<'a> Stopped<'a> {
    /// Those that are `known` to be refused, those that gates refuse now, and all that depend on one of them.
    pub(in crate::command) fn new(
        header: &'a PlanHeader,
        known: BTreeMap<PolicyName, String>,
        refusals: &BTreeMap<PolicyName, Vec<String>>,
    ) -> Self {
        let refused = refusals.iter().map(|(policy, causes)| (policy.clone(), causes.join("; "))).chain(known);
        let mut policies: BTreeMap<_, _> = refused.map(|(policy, cause)| (policy, (cause, SkipCause::Refused))).collect();
        // In the order of the plan, every policy comes after those it depends on.
        for planned in &header.policies {
            let refused = planned.settings.depends_on.iter().find(|name| policies.contains_key(name));
            if let Some(name) = refused {
                let cause = format!("policy {name}, on which it depends, was refused");
                policies.entry(planned.policy.clone()).or_insert((cause, SkipCause::Dependency));
            }
        }
        Self { header, policies }
    }

    /// Why nothing more is sent of a policy, if so.
    pub(in crate::command) fn of(&self, policy: &PolicyName) -> Option<&(String, SkipCause)> {
        self.policies.get(policy)
    }

    /// Whether there is any.
    pub(in crate::command) fn any(&self) -> bool {
        !self.policies.is_empty()
    }

    /// The other way on beside mending what was refused, to read after it; nothing where no policy with records is left.
    pub(in crate::command) fn other_way(&self) -> &'static str {
        match self.leaves_nothing() {
            true => "",
            false => {
                ", or apply the other policies with `--on-refusal skip`: the records of what was refused, and of what depends on it, are skipped"
            }
        }
    }

    /// Whether no policy with records is left.
    pub(in crate::command) fn leaves_nothing(&self) -> bool {
        self.header.policies.iter().all(|planned| planned.selected == 0 || self.policies.contains_key(&planned.policy))
    }
}
