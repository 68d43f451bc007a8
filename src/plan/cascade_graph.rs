//! Which objects a deletion reaches through cascades, and how a held record keeps those above it. A graph in, verdicts out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::ObjectFacts;

/// How many generations a held record is followed upward. Salesforce's own paths end after five.
const MOST_GENERATIONS: u32 = 5;

/// Deleting a record of `parent` deletes the records of `child` whose `field` names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CascadeEdge {
    /// The object whose deletion cascades.
    pub parent: String,
    /// The object that goes along.
    pub child: String,
    /// The child's field that names the parent. A field that may name records of several objects makes an edge for each.
    pub field: String,
}

/// The cascades between the objects of one system, as far as it was asked to describe them.
///
/// Only cascades are edges: a cleared lookup deletes nothing, and a restricting child keeps its parent by itself.
#[derive(Clone, Debug, Default)]
pub struct CascadeGraph {
    /// By parent, in the order of its description. An object that was asked for and cannot be seen has none.
    below: BTreeMap<String, Vec<CascadeEdge>>,
    /// The objects that were asked for and cannot be seen.
    unseen: BTreeSet<String>,
}

impl CascadeGraph {
    /// Takes a system's answer about an object; `None` where this login cannot see it, so that nothing is known to lie below.
    pub fn add(&mut self, object: &str, facts: Option<&ObjectFacts>) {
        if facts.is_none() {
            self.unseen.insert(object.to_owned());
        }
        let children = facts.into_iter().flat_map(ObjectFacts::cascading_children);
        let edges = children.map(|child| CascadeEdge {
            parent: object.to_owned(),
            child: child.child.clone(),
            field: child.field.clone(),
        });
        self.below.insert(object.to_owned(), edges.collect());
    }

    /// The objects that must be described before everything below `roots` is known, each once. Each answer may bring more.
    pub fn undescribed<'o>(&'o self, roots: impl IntoIterator<Item = &'o str>) -> Vec<&'o str> {
        self.reached(roots).into_iter().filter(|object| !self.below.contains_key(*object)).collect()
    }

    /// `roots` and every object that a deletion of their records may reach, in the order of their names.
    pub fn reached<'o>(&'o self, roots: impl IntoIterator<Item = &'o str>) -> BTreeSet<&'o str> {
        let mut queue: VecDeque<&str> = roots.into_iter().collect();
        let mut reached: BTreeSet<&str> = queue.iter().copied().collect();
        while let Some(parent) = queue.pop_front() {
            for edge in self.below.get(parent).into_iter().flatten() {
                if reached.insert(&edge.child) {
                    queue.push_back(&edge.child);
                }
            }
        }
        reached
    }

    /// The objects that a deletion of records of `root` may reach and that cannot be seen, so that it is not known what it reaches
    /// through them.
    pub fn unseen<'o>(&'o self, root: &'o str) -> Vec<&'o str> {
        self.reached([root]).into_iter().filter(|object| self.unseen.contains(*object)).collect()
    }

    /// Those of `roots` whose deletion may reach a record of `held`: a hold on it concerns them and nothing else.
    pub fn roots_above<'o>(&'o self, roots: impl IntoIterator<Item = &'o str>, held: &str) -> BTreeSet<&'o str> {
        roots.into_iter().filter(|root| self.reached([*root]).contains(held)).collect()
    }

    /// Begins the way up from held records of `held` to those of `roots`.
    pub fn climb<'g>(&'g self, roots: impl IntoIterator<Item = &'g str>, held: &str) -> Climb<'g> {
        let edges = self.reached(roots).into_iter().filter_map(|parent| self.below.get(parent)).flatten().collect();
        Climb { graph: self, edges, generation: 0, objects: BTreeSet::from([held.to_owned()]) }
    }
}

/// Held records followed upward, generation by generation: it says which parents to ask for, and is told which were found.
///
/// One climb serves every root. What it finds for one of them is what a climb for that one alone would find: an object from
/// which a root is not reached leads to none from which it is.
#[derive(Clone, Debug)]
pub struct Climb<'g> {
    graph: &'g CascadeGraph,
    /// The cascades below the roots.
    edges: Vec<&'g CascadeEdge>,
    /// How many generations above the held records the present one is.
    generation: u32,
    /// The objects that the present generation has records of.
    objects: BTreeSet<String>,
}

impl<'g> Climb<'g> {
    /// The objects to look for parents in now, each with the cascades that lead there from the present generation. Empty at the
    /// end of the way, which comes after five generations at the latest.
    pub fn parents(&self) -> BTreeMap<&'g str, Vec<&'g CascadeEdge>> {
        let mut parents: BTreeMap<&'g str, Vec<&'g CascadeEdge>> = BTreeMap::new();
        if self.generation < MOST_GENERATIONS {
            for edge in self.edges.iter().filter(|edge| self.objects.contains(&edge.child)) {
                parents.entry(&edge.parent).or_default().push(edge);
            }
        }
        parents
    }

    /// Goes on to the next generation: the objects of which parents were found.
    pub fn go_on(&mut self, found: impl IntoIterator<Item = String>) {
        self.objects = found.into_iter().collect();
        self.generation += 1;
    }

    /// Whether the way was given up while records above it might still be found whose deletion begins at `root`: what a hold
    /// keeps of that object is then not known to its end.
    pub fn is_open_at(&self, root: &str) -> bool {
        let reached = self.graph.reached([root]);
        let goes_on = |edge: &CascadeEdge| reached.contains(edge.parent.as_str()) && self.objects.contains(&edge.child);
        self.generation == MOST_GENERATIONS && self.edges.iter().any(|edge| goes_on(edge))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::ChildRelationship;

    /// A graph from lines such as `Account Contact.AccountId`: deleting the first deletes the second by that field.
    fn graph(edges: &[&str]) -> CascadeGraph {
        let mut children: BTreeMap<&str, Vec<ChildRelationship>> = BTreeMap::new();
        for edge in edges {
            let (parent, child) = edge.split_once(' ').expect("a parent and a child");
            let (child, field) = child.split_once('.').expect("a child and its field");
            let relationship =
                ChildRelationship { child: child.into(), field: field.into(), cascades: true, restricts: false };
            children.entry(parent).or_default().push(relationship);
            children.entry(child).or_default();
        }
        let mut graph = CascadeGraph::default();
        for (object, children) in children {
            graph.add(object, Some(&facts(object, children)));
        }
        graph
    }

    fn facts(name: &str, children: Vec<ChildRelationship>) -> ObjectFacts {
        ObjectFacts {
            name: name.into(),
            deletable: true,
            undeletable: true,
            queryable: true,
            key_prefix: None,
            fields: Vec::new(),
            knows_all_fields: true,
            children,
        }
    }

    /// The generations of a climb in which every question finds something: in each the cascades that are asked along.
    fn generations(climb: &mut Climb<'_>) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            let parents = climb.parents();
            if parents.is_empty() {
                return told;
            }
            let edges = parents.values().flatten().map(|edge| format!("{}<{}.{}", edge.parent, edge.child, edge.field));
            told.push(edges.collect::<Vec<_>>().join(" "));
            let found: Vec<String> = parents.keys().map(|parent| (*parent).to_owned()).collect();
            climb.go_on(found);
        }
    }

    #[test]
    fn a_held_grandchild_keeps_its_parent_and_then_the_parent_of_that() {
        let graph = graph(&["Account Case.AccountId", "Case Task.WhatId"]);
        let mut climb = graph.climb(["Account"], "Task");
        assert_eq!(generations(&mut climb), ["Case<Task.WhatId", "Account<Case.AccountId"]);
        assert!(!climb.is_open_at("Account"));
    }

    #[test]
    fn both_ways_around_a_diamond_are_climbed() {
        let graph = graph(&["Top Left.T", "Top Right.T", "Left Bottom.L", "Right Bottom.R"]);
        assert_eq!(graph.reached(["Top"]), BTreeSet::from(["Bottom", "Left", "Right", "Top"]));
        let mut climb = graph.climb(["Top"], "Bottom");
        assert_eq!(generations(&mut climb), ["Left<Bottom.L Right<Bottom.R", "Top<Left.T Top<Right.T"]);
        assert!(!climb.is_open_at("Top"));
    }

    #[test]
    fn two_fields_to_the_same_parent_are_both_asked_along() {
        let graph = graph(&["Account Loan.Giver", "Account Loan.Taker"]);
        let climb = graph.climb(["Account"], "Loan");
        let parents = climb.parents();
        assert_eq!(parents["Account"].iter().map(|edge| edge.field.as_str()).collect::<Vec<_>>(), ["Giver", "Taker"]);
    }

    #[test]
    fn an_object_below_itself_is_followed_for_five_generations_and_then_is_open() {
        let graph = graph(&["Account Account.ParentId"]);
        let mut climb = graph.climb(["Account"], "Account");
        assert_eq!(generations(&mut climb), ["Account<Account.ParentId"; 5]);
        assert!(climb.is_open_at("Account"));
    }

    #[test]
    fn a_way_up_that_finds_no_more_parents_is_closed_however_the_objects_hang_together() {
        let graph = graph(&["Account Account.ParentId"]);
        let mut climb = graph.climb(["Account"], "Account");
        climb.go_on(["Account".to_owned()]);
        climb.go_on([]);
        assert!(climb.parents().is_empty() && !climb.is_open_at("Account"));
        // Also where that is known only after the last generation.
        let mut climb = graph.climb(["Account"], "Account");
        (0..4).for_each(|_| climb.go_on(["Account".to_owned()]));
        climb.go_on([]);
        assert!(climb.parents().is_empty() && !climb.is_open_at("Account"));
    }

    #[test]
    fn a_circle_of_objects_ends_and_is_open_for_those_on_it() {
        let graph = graph(&["Head Circle.Head", "Circle Other.C", "Other Circle.O"]);
        assert_eq!(graph.reached(["Circle"]), BTreeSet::from(["Circle", "Other"]));
        let mut climb = graph.climb(["Circle", "Head"], "Other");
        let told = generations(&mut climb);
        assert_eq!(told[..2], ["Circle<Other.C", "Head<Circle.Head Other<Circle.O"]);
        assert_eq!(told.len(), 5);
        assert!(climb.is_open_at("Circle") && climb.is_open_at("Head"));
    }

    #[test]
    fn a_chain_of_five_is_followed_to_its_end_and_one_of_six_is_open() {
        let chain = ["A B.A", "B C.B", "C D.C", "D E.D", "E F.E", "F G.F"];
        let graph = graph(&chain);
        let mut climb = graph.climb(["A", "B"], "G");
        assert_eq!(generations(&mut climb).len(), 5);
        assert!(climb.is_open_at("A"), "the sixth generation would be of A");
        assert!(!climb.is_open_at("B"), "the fifth is of B, and nothing of B is above it");
    }

    #[test]
    fn a_field_that_names_records_of_several_objects_leads_to_each_of_them() {
        let graph = graph(&["Account Task.WhatId", "Case Task.WhatId", "Account Case.AccountId"]);
        let mut climb = graph.climb(["Account"], "Task");
        assert_eq!(
            generations(&mut climb),
            ["Account<Task.WhatId Case<Task.WhatId", "Account<Case.AccountId"],
            "a case that goes with its account takes its tasks along"
        );
    }

    #[test]
    fn nothing_is_known_below_an_object_that_cannot_be_seen_and_it_is_asked_for_once() {
        let mut graph = CascadeGraph::default();
        assert_eq!(graph.undescribed(["Account"]), ["Account"]);
        let child = |child: &str| ChildRelationship {
            child: child.into(),
            field: "AccountId".into(),
            cascades: true,
            restricts: false,
        };
        graph.add("Account", Some(&facts("Account", vec![child("Secret"), child("Contact")])));
        assert_eq!(graph.undescribed(["Account"]), ["Contact", "Secret"]);
        graph.add("Secret", None);
        graph.add("Contact", Some(&facts("Contact", Vec::new())));
        assert_eq!(graph.undescribed(["Account"]), [""; 0]);
        assert_eq!(graph.roots_above(["Account"], "Secret"), BTreeSet::from(["Account"]), "the object itself is known of");
        assert!(graph.roots_above(["Account"], "BelowSecret").is_empty());
    }

    #[test]
    fn children_that_are_only_cleared_or_that_restrict_are_no_way_for_a_deletion() {
        let mut graph = CascadeGraph::default();
        let child = |child: &str, cascades, restricts| ChildRelationship {
            child: child.into(),
            field: "AccountId".into(),
            cascades,
            restricts,
        };
        let children = vec![
            child("Log", false, false),
            child("Case", false, true),
            child("Contact", true, false),
            child("AccountHistory", true, false),
        ];
        graph.add("Account", Some(&facts("Account", children)));
        assert_eq!(graph.reached(["Account"]), BTreeSet::from(["Account", "Contact"]));
    }

    #[test]
    fn a_hold_concerns_the_policies_above_its_object_and_no_others() {
        let graph = graph(&["Account Contact.AccountId", "Case Task.WhatId", "Contact Note.ParentId"]);
        let roots = ["Account", "Case", "Contact", "Lead"];
        assert_eq!(graph.roots_above(roots, "Note"), BTreeSet::from(["Account", "Contact"]));
        assert_eq!(graph.roots_above(roots, "Lead"), BTreeSet::from(["Lead"]));
        assert!(graph.roots_above(roots, "Invoice").is_empty());
        // What is above another root only is not climbed.
        let parents = graph.climb(["Account"], "Task").parents().into_keys().collect::<Vec<_>>();
        assert!(parents.is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// What one climb for all roots asks and finds for each of them is what a climb for that one alone does. Records are found
        /// along an edge where `found` says so, whichever climb asks.
        #[test]
        fn one_climb_for_all_roots_is_as_good_as_one_for_each(
            edges in prop::collection::btree_set((0..7_u8, 0..7_u8), 0..16),
            dry in prop::collection::btree_set((0..7_u8, 0..7_u8, 0..5_u32), 0..8),
            held in 0..7_u8,
            roots in prop::collection::btree_set(0..7_u8, 1..4),
        ) {
            let name = |object: u8| format!("O{object}");
            let lines: Vec<String> = edges.iter().map(|(parent, child)| format!("{} {}.F", name(*parent), name(*child))).collect();
            let graph = graph(&lines.iter().map(String::as_str).collect::<Vec<_>>());
            let names: Vec<String> = roots.iter().copied().map(name).collect();
            let held = name(held);
            let number = |object: &str| object[1..].parse::<u8>().expect("a number");
            // For each generation, which roots had records found; at the end, whether the root is open.
            let climbed = |roots: &[&str], root: &str| {
                let mut climb = graph.climb(roots.iter().copied(), &held);
                let mut hits = Vec::new();
                for generation in 0..MOST_GENERATIONS {
                    let parents = climb.parents();
                    let finds = |edge: &&CascadeEdge| !dry.contains(&(number(&edge.parent), number(&edge.child), generation));
                    let found: Vec<String> = parents
                        .iter()
                        .filter(|(_, edges)| edges.iter().any(finds))
                        .map(|(parent, _)| (*parent).to_owned())
                        .collect();
                    hits.push(found.iter().any(|parent| parent == root));
                    climb.go_on(found);
                }
                (hits, climb.is_open_at(root))
            };
            let all: Vec<&str> = names.iter().map(String::as_str).collect();
            for root in &all {
                prop_assert_eq!(climbed(&all, root), climbed(&[root], root), "{}", root);
            }
        }
    }
}
