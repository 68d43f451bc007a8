//! Evaluation, held against a naive one.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::evaluate::{Record, evaluate};
use super::value::Value;
use crate::filter::soql::compile;
use crate::sandbox::salesforce::soql::read_condition;
use crate::sandbox::typed_trees;

/// A record of small numbers, some of them missing.
struct Small(BTreeMap<&'static str, Option<i8>>);

impl Record for Small {
    fn value(&self, path: &str) -> Option<Value> {
        self.0.get(path).map(|value| value.map_or(Value::Null, |value| Value::Number(value.into())))
    }
}

/// The oracle: a condition over small numbers as a tree of closures would see it.
#[derive(Clone, Debug)]
enum Naive {
    Equal(&'static str, Option<i8>),
    Less(&'static str, i8),
    Among(&'static str, Vec<i8>),
    Not(Box<Naive>),
    Both(Box<Naive>, Box<Naive>),
    Either(Box<Naive>, Box<Naive>),
}

impl Naive {
    fn holds(&self, record: &Small) -> bool {
        match self {
            Self::Equal(field, wanted) => record.0[field] == *wanted,
            Self::Less(field, bound) => matches!(record.0[field], Some(value) if value < *bound),
            Self::Among(field, wanted) => matches!(record.0[field], Some(value) if wanted.contains(&value)),
            Self::Not(part) => !part.holds(record),
            Self::Both(one, other) => one.holds(record) & other.holds(record),
            Self::Either(one, other) => one.holds(record) | other.holds(record),
        }
    }

    /// The same in SOQL, written without the printer.
    fn soql(&self) -> String {
        match self {
            Self::Equal(field, None) => format!("{field} = null"),
            Self::Equal(field, Some(wanted)) => format!("{field} = {wanted}"),
            Self::Less(field, bound) => format!("{field} < {bound}"),
            Self::Among(field, wanted) => {
                format!("{field} IN ({})", wanted.iter().map(i8::to_string).collect::<Vec<_>>().join(","))
            }
            Self::Not(part) => match part.as_ref() {
                Self::Equal(field, Some(wanted)) => format!("{field} != {wanted}"),
                Self::Among(..) => part.soql().replace(" IN ", " NOT IN "),
                part => format!("(NOT ({}))", part.soql()),
            },
            Self::Both(one, other) => format!("({} AND {})", one.soql(), other.soql()),
            Self::Either(one, other) => format!("({} OR {})", one.soql(), other.soql()),
        }
    }
}

fn naive() -> impl Strategy<Value = Naive> {
    let field = || proptest::sample::select(vec!["A", "B"]);
    let number = || -2i8..3;
    let leaf = prop_oneof![
        (field(), proptest::option::of(number())).prop_map(|(field, wanted)| Naive::Equal(field, wanted)),
        (field(), number()).prop_map(|(field, bound)| Naive::Less(field, bound)),
        (field(), proptest::collection::vec(number(), 1..3)).prop_map(|(field, wanted)| Naive::Among(field, wanted)),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| Naive::Not(Box::new(part))),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| Naive::Both(Box::new(one), Box::new(other))),
            (inner.clone(), inner).prop_map(|(one, other)| Naive::Either(Box::new(one), Box::new(other))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn evaluation_agrees_with_a_naive_one(
        naive in naive(),
        a in proptest::option::of(-2i8..3),
        b in proptest::option::of(-2i8..3),
    ) {
        let record = Small([("A", a), ("B", b)].into());
        let condition = read_condition(&naive.soql()).unwrap_or_else(|refusal| panic!("{}: {refusal:?}", naive.soql()));
        let now = "2026-11-21T10:00:00[UTC]".parse().expect("valid");
        prop_assert_eq!(evaluate(&condition, &record, &now), naive.holds(&record), "{}", naive.soql());
    }

    #[test]
    fn a_compiled_tree_matches_what_the_tree_means(
        tree in typed_trees::tree(),
        a in proptest::option::of(-2i8..3),
        b in proptest::option::of(-2i8..3),
    ) {
        let record = Small([("A", a), ("B", b)].into());
        let now = "2026-11-21T10:00:00[UTC]".parse().expect("valid");
        if let Ok(compiled) = compile(&tree, &|_| None, &now) {
            let printed = compiled.to_string();
            let condition = read_condition(&printed).unwrap_or_else(|refusal| panic!("{printed}: {refusal:?}"));
            prop_assert_eq!(evaluate(&condition, &record, &now), typed_trees::holds(&tree, &record.0), "{}", printed);
        }
    }
}
