//! A compiled tree, evaluated, means what the tree means.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::evaluate::{Context, Record, Value, evaluate_with};
use crate::filter;
use crate::filter::testing::leaf;
use crate::filter::zoql::compile;
use crate::sandbox::zuora::zoql::{Condition, read_condition};

/// What a tree is compiled to, as the system reads it.
fn compiled(tree: &filter::FilterTree) -> Option<Condition> {
    let printed = compile(tree, &|_| None, &"2026-11-21T10:00:00[UTC]".parse().expect("valid")).ok()?.to_string();
    Some(read_condition(&printed).unwrap_or_else(|| panic!("not read: {printed}")))
}

/// A record of small numbers, some of them missing.
struct Small(BTreeMap<&'static str, Option<i8>>);

impl Record for Small {
    fn value(&self, field: &str) -> Option<Value> {
        self.0.get(field).map(|value| value.map_or(Value::Null, |value| Value::Number(value.into())))
    }
}

/// The oracle: what a tree over small numbers means, with two truth values.
fn holds(tree: &filter::FilterTree, record: &Small) -> bool {
    use filter::{FilterTree as Node, Predicate as Tree};
    let number = |literal: &filter::Literal| match literal {
        filter::Literal::Number(digits) => digits.parse::<i8>().ok(),
        _ => None,
    };
    match tree {
        Node::All(parts) => parts.iter().all(|part| holds(part, record)),
        Node::Any(parts) => parts.iter().any(|part| holds(part, record)),
        Node::Not(part) => !holds(part, record),
        Node::Field { field, predicate, .. } => {
            let value = record.0[field.as_str()];
            let below = |filter::Threshold(bound): &filter::Threshold| {
                value.zip(number(bound)).map(|(value, bound)| value.cmp(&bound))
            };
            match predicate {
                Tree::Equals(wanted) => value == number(wanted),
                Tree::NotEquals(wanted) => value != number(wanted),
                Tree::In(wanted) => wanted.iter().any(|wanted| value == number(wanted)),
                Tree::NotIn(wanted) => wanted.iter().all(|wanted| value != number(wanted)),
                Tree::Less(bound) => below(bound).is_some_and(|order| order.is_lt()),
                Tree::GreaterOrEqual(bound) => below(bound).is_some_and(|order| order.is_ge()),
                Tree::IsNull(empty) => value.is_none() == *empty,
                _ => unreachable!("the strategy makes no other"),
            }
        }
    }
}

fn tree() -> impl Strategy<Value = filter::FilterTree> {
    use filter::{FilterTree as Node, Literal as Plain, Predicate as Tree};
    let number = || (-2i8..3).prop_map(|number| Plain::Number(number.to_string()));
    let value = || prop_oneof![3 => number(), 1 => Just(Plain::Null)];
    let comparison = prop_oneof![
        value().prop_map(Tree::Equals),
        value().prop_map(Tree::NotEquals),
        proptest::collection::vec(value(), 1..3).prop_map(Tree::In),
        proptest::collection::vec(value(), 1..3).prop_map(Tree::NotIn),
        number().prop_map(|bound| Tree::Less(filter::Threshold(bound))),
        number().prop_map(|bound| Tree::GreaterOrEqual(filter::Threshold(bound))),
        any::<bool>().prop_map(Tree::IsNull),
    ];
    let field =
        (proptest::sample::select(vec!["A", "B"]), comparison).prop_map(|(field, comparison)| leaf(field, comparison));
    field.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| Node::Not(Box::new(part))),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(Node::All),
            proptest::collection::vec(inner, 1..3).prop_map(Node::Any),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_compiled_tree_matches_what_the_tree_means_whatever_an_empty_field_makes_of_unequal(
        tree in tree(),
        a in proptest::option::of(-2i8..3),
        b in proptest::option::of(-2i8..3),
    ) {
        let record = Small([("A", a), ("B", b)].into());
        let context = Context { zone: &TimeZone::UTC, case_sensitive: true };
        if let Some(condition) = compiled(&tree) {
            for empty_is_unequal in [false, true] {
                let found = evaluate_with(&condition, &record, &context, empty_is_unequal);
                prop_assert_eq!(found, holds(&tree, &record), "{:?}", condition);
            }
        }
    }
}
