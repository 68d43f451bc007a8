//! The order in which policies are planned and applied.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::PolicyName;
use crate::manifest::{AllOrNone, Policy};

/// Puts each policy after the policies it depends on; where that leaves a choice, those whose records belong together come first,
/// with what they depend on, and then by name.
///
/// The first of several policies that select a record plans it, so a group that is to go as one is not torn by a policy that
/// deletes each record for itself.
///
/// A dependency on a policy that is not among `policies` does not count, since there is nothing to wait for. That
/// children of a relationship should go before their parents is not inferred: `dependsOn` has to say it.
///
/// Manifests with policies that wait for one another in a circle are refused when they are read (`M0503`); should any come here,
/// they and what depends on them come last, by name.
pub fn order<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Vec<&'a Policy> {
    let mut waiting: BTreeMap<&PolicyName, &Policy> = policies.into_iter().map(|policy| (&policy.name, policy)).collect();
    let mut left: BTreeMap<&PolicyName, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<&PolicyName, Vec<&PolicyName>> = BTreeMap::new();
    for (name, policy) in &waiting {
        let known: BTreeSet<&PolicyName> =
            policy.settings.depends_on.iter().filter(|name| waiting.contains_key(name)).collect();
        left.insert(name, known.len());
        known.into_iter().for_each(|dependency| dependents.entry(dependency).or_default().push(name));
    }
    let ranks = ranks(&waiting);
    let ranked = |name| (ranks.get(name).copied().unwrap_or(Rank::Other), name);
    let mut ready: BTreeSet<(Rank, &PolicyName)> =
        left.iter().filter(|(_, count)| **count == 0).map(|(name, _)| ranked(*name)).collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while let Some((_, name)) = ready.pop_first() {
        ordered.extend(waiting.remove(name));
        for dependent in dependents.remove(name).unwrap_or_default() {
            if let Some(count) = left.get_mut(dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(ranked(dependent));
                }
            }
        }
    }
    ordered.extend(waiting.into_values());
    ordered
}

/// What comes first where `dependsOn` leaves a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Its records belong together: `allOrNone` or `groupBy`.
    Together,
    /// One of those depends on it.
    BeforeThose,
    Other,
}

fn ranks<'a>(policies: &BTreeMap<&'a PolicyName, &'a Policy>) -> BTreeMap<&'a PolicyName, Rank> {
    let together = |policy: &Policy| policy.settings.all_or_none != AllOrNone::No || policy.settings.group_by.is_some();
    let first = policies.values().filter(|policy| together(policy));
    let mut ranks: BTreeMap<&PolicyName, Rank> = first.map(|policy| (&policy.name, Rank::Together)).collect();
    let mut waiting: Vec<&PolicyName> = ranks.keys().copied().collect();
    while let Some(policy) = waiting.pop().and_then(|name| policies.get(name)) {
        for name in policy.settings.depends_on.iter().filter(|name| policies.contains_key(name)) {
            ranks.entry(name).or_insert_with(|| {
                waiting.push(name);
                Rank::BeforeThose
            });
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{test_policy, test_settings};
    use super::*;
    use crate::manifest::PolicySettings;

    fn named(name: &str, depends_on: &[&str]) -> Policy {
        let name_of = |text: &str| PolicyName::new(text).expect("valid");
        let depends_on = depends_on.iter().map(|name| name_of(name)).collect();
        let settings = PolicySettings { depends_on, ..test_settings() };
        Policy { name: name_of(name), settings, ..test_policy() }
    }

    fn names(policies: &[&Policy]) -> Vec<String> {
        policies.iter().map(|policy| policy.name.to_string()).collect()
    }

    #[test]
    fn puts_dependencies_first_and_is_stable_by_name() {
        let policies =
            [named("accounts", &["tasks", "cases"]), named("tasks", &[]), named("cases", &["tasks"]), named("leads", &[])];
        assert_eq!(names(&order(&policies)), ["leads", "tasks", "cases", "accounts"]);
        assert_eq!(names(&order(policies.iter().rev())), ["leads", "tasks", "cases", "accounts"]);
    }

    #[test]
    fn policies_whose_records_belong_together_come_first_as_far_as_dependencies_allow() {
        let whole = |policy: Policy| {
            let settings = PolicySettings { all_or_none: AllOrNone::Policy, ..policy.settings.clone() };
            Policy { settings, ..policy }
        };
        let grouped = |policy: Policy| {
            let settings = PolicySettings { group_by: Some("AccountId".into()), ..policy.settings.clone() };
            Policy { settings, ..policy }
        };
        let policies = [
            named("a", &[]),
            named("b", &[]),
            grouped(named("y", &[])),
            whole(named("z", &["x"])),
            named("x", &["w"]),
            named("w", &[]),
        ];
        assert_eq!(names(&order(&policies)), ["y", "w", "x", "z", "a", "b"]);
    }

    #[test]
    fn a_dependency_outside_the_set_does_not_count() {
        assert_eq!(names(&order(&[named("a", &["elsewhere"])])), ["a"]);
    }

    #[test]
    fn a_circle_loses_no_policy() {
        let policies = [named("a", &["b"]), named("b", &["a"]), named("c", &["a"]), named("d", &[]), named("e", &["e"])];
        assert_eq!(names(&order(&policies)), ["d", "a", "b", "c", "e"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn every_policy_comes_once_and_after_what_it_depends_on(edges in prop::collection::vec((0..12_usize, 0..12_usize), 0..40)) {
            // Edges from a larger number to a smaller one only, over shuffled names, cannot make a cycle.
            let name = |number: usize| format!("p{}", (number * 7) % 12);
            let policies: Vec<Policy> = (0..12)
                .map(|number| {
                    let depends_on: Vec<String> =
                        edges.iter().filter(|(from, to)| *from == number && to < from).map(|(_, to)| name(*to)).collect();
                    named(&name(number), &depends_on.iter().map(String::as_str).collect::<Vec<_>>())
                })
                .collect();
            let ordered = order(&policies);
            prop_assert_eq!(ordered.len(), 12);
            let place = |name: &PolicyName| ordered.iter().position(|policy| policy.name == *name);
            for policy in &policies {
                for dependency in &policy.settings.depends_on {
                    prop_assert!(place(dependency) < place(&policy.name));
                }
            }
        }
    }
}
