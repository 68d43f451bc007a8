//! Comparisons of keys, which are sets of keys here instead of lists of texts: they stay fast for a thousand keys, and
//! keys are ordered by byte, as the records themselves.

use std::collections::HashSet;

use super::route::Route;
use crate::sandbox::salesforce::soql::Operator;
use crate::sandbox::{RecordKey, Value, World};

/// A comparison of a key, taken out of a condition and put back as a field that is true or false.
#[derive(Clone, Debug)]
pub(super) struct KeyTest {
    /// What is compared.
    pub route: Route,
    /// With what.
    pub against: Against,
}

/// What a key is compared with.
#[derive(Clone, Debug)]
pub(super) enum Against {
    /// One of these, or nothing at all if `or_null`.
    Among {
        /// The keys.
        keys: HashSet<RecordKey>,
        /// Whether an empty field counts.
        or_null: bool,
        /// Whether the opposite is asked for.
        negated: bool,
    },
    /// Before or after a key.
    Ordered(Operator, RecordKey),
}

impl KeyTest {
    /// Whether a row passes.
    pub(super) fn passes(&self, world: &World, table: usize, row: usize) -> bool {
        let value = self.route.value(world, table, row);
        match (&self.against, value) {
            (Against::Among { keys, negated, .. }, Value::Reference(key)) => keys.contains(&key) != *negated,
            (Against::Among { or_null, negated, .. }, _) => or_null != negated,
            (Against::Ordered(operator, bound), Value::Reference(key)) => match operator {
                Operator::Less => key < *bound,
                Operator::LessOrEqual => key <= *bound,
                Operator::Greater => key > *bound,
                Operator::GreaterOrEqual => key >= *bound,
                Operator::Equal | Operator::NotEqual => false,
            },
            (Against::Ordered(..), _) => false,
        }
    }
}
