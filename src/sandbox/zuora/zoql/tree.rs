//! A query as a tree.

use super::text::Pattern;

/// A whole query.
///
/// **Invariant**: `fields` is not empty.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox::zuora) struct Query {
    /// What is asked for, in order.
    pub fields: Vec<String>,
    /// Of which object.
    pub object: String,
    /// Which records; `None` means all.
    pub condition: Option<Condition>,
}

/// What follows `where`: in one of these rows every comparison holds. `and` binds tighter than `or`, and there are no parentheses
/// (documented).
///
/// **Invariant**: there is a row, and none is empty.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox::zuora) struct Condition(pub Vec<Vec<Comparison>>);

/// One field against something.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox::zuora) struct Comparison {
    /// The field's name, as it was written.
    pub field: String,
    /// What it is compared with.
    pub test: Test,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox::zuora) enum Test {
    /// A single value.
    Compare(Operator, Literal),
    /// A text pattern.
    Like(Pattern),
}

/// How a field and a single value are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox::zuora) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value written in ZOQL.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox::zuora) enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number.
    Number(f64),
    /// Quoted text, without its quotes and escapes.
    Text(String),
    /// A day (client) or a moment (documented) without quotes, as it was written.
    Bare(String),
}

impl Operator {
    /// Whether it asks for an order.
    pub(in crate::sandbox::zuora) fn is_ordered(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

impl Condition {
    /// Every comparison, in order.
    pub(in crate::sandbox::zuora) fn comparisons(&self) -> impl Iterator<Item = &Comparison> {
        self.0.iter().flatten()
    }
}
