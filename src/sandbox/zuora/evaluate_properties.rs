//! A compiled tree, evaluated, means what the tree means.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::evaluate::{Context, Record, Value, evaluate_with};
use crate::filter;
use crate::filter::zoql::compile;
use crate::sandbox::typed_trees::{holds, tree};
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
                prop_assert_eq!(found, holds(&tree, &record.0), "{:?}", condition);
            }
        }
    }
}
