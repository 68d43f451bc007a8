//! The order in which policies are planned and applied.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::PolicyName;
use crate::manifest::Policy;

/// The policies wait for one another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policies {} wait for one another by `dependsOn`: take one of the dependencies out", shown(.waiting))]
pub struct OrderError {
    /// Every policy whose turn never comes, by name: those of the cycle and those that depend on it.
    pub waiting: Vec<PolicyName>,
}

fn shown(names: &[PolicyName]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Puts each policy after the policies it depends on; where that leaves a choice, by name.
///
/// A dependency on a policy that is not among `policies` does not count, since there is nothing to wait for. That
/// children of a relationship should go before their parents is not inferred: `dependsOn` has to say it.
///
/// # Errors
///
/// When policies wait for one another in a circle.
pub fn order<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Result<Vec<&'a Policy>, OrderError> {
    let mut waiting: BTreeMap<&PolicyName, &Policy> = policies.into_iter().map(|policy| (&policy.name, policy)).collect();
    let mut left: BTreeMap<&PolicyName, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<&PolicyName, Vec<&PolicyName>> = BTreeMap::new();
    for (name, policy) in &waiting {
        let known: BTreeSet<&PolicyName> =
            policy.settings.depends_on.iter().filter(|name| waiting.contains_key(name)).collect();
        left.insert(name, known.len());
        known.into_iter().for_each(|dependency| dependents.entry(dependency).or_default().push(name));
    }
    let mut ready: BTreeSet<&PolicyName> = left.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while let Some(name) = ready.pop_first() {
        ordered.extend(waiting.remove(name));
        for dependent in dependents.remove(name).unwrap_or_default() {
            if let Some(count) = left.get_mut(dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(dependent);
                }
            }
        }
    }
    if waiting.is_empty() { Ok(ordered) } else { Err(OrderError { waiting: waiting.into_keys().cloned().collect() }) }
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
        assert_eq!(names(&order(&policies).expect("no cycle")), ["leads", "tasks", "cases", "accounts"]);
        assert_eq!(names(&order(policies.iter().rev()).expect("no cycle")), ["leads", "tasks", "cases", "accounts"]);
    }

    #[test]
    fn a_dependency_outside_the_set_does_not_count() {
        assert_eq!(names(&order(&[named("a", &["elsewhere"])]).expect("no cycle")), ["a"]);
    }

    #[test]
    fn names_every_policy_whose_turn_never_comes() {
        let policies = [named("a", &["b"]), named("b", &["a"]), named("c", &["a"]), named("d", &[]), named("e", &["e"])];
        let error = order(&policies).expect_err("a cycle");
        assert_eq!(
            error.to_string(),
            "the policies `a`, `b`, `c`, `e` wait for one another by `dependsOn`: take one of the dependencies out"
        );
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
            let ordered = order(&policies).expect("no cycle");
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
