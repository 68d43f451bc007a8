//! What typed trees mean, said without any language: the readers and evaluators of the languages are held against it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::filter;
use crate::filter::testing::leaf;

/// The oracle: what a tree over small numbers means, with two truth values.
pub(super) fn holds(tree: &filter::FilterTree, record: &BTreeMap<&'static str, Option<i8>>) -> bool {
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
            let value = record[field.as_str()];
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

/// Any tree over two fields of small numbers.
pub(super) fn tree() -> impl Strategy<Value = filter::FilterTree> {
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
