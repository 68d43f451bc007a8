//! The parts of a ZOQL condition, as data.

use super::{ComparisonOperator, Decimal, Path, Pattern, Place};

/// A condition in ZOQL: what follows `where`.
///
/// The language has no parentheses, and `and` binds tighter than `or` (documented), so a condition is always this: in at least one
/// of the alternatives every comparison holds.
///
/// **Invariants**: there is at least one alternative, and none is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    alternatives: Vec<Vec<Comparison>>,
}

impl Condition {
    /// Takes alternatives as a condition; `None` when there is none, or an empty one, which would mean every record.
    pub fn new(alternatives: Vec<Vec<Comparison>>) -> Option<Self> {
        let sound = !alternatives.is_empty() && alternatives.iter().all(|comparisons| !comparisons.is_empty());
        sound.then_some(Self { alternatives })
    }

    /// The alternatives, each of them comparisons that all must hold.
    pub fn alternatives(&self) -> &[Vec<Comparison>] {
        &self.alternatives
    }

    /// Every comparison, in order.
    pub fn comparisons(&self) -> impl Iterator<Item = &Comparison> {
        self.alternatives.iter().flatten()
    }

    /// The fields that are compared with `!=` and nowhere with null. Whether a record whose field is empty matches that is not documented.
    pub fn passes_over_empty(&self) -> Vec<&str> {
        let compared = |wanted: fn(&Test) -> bool| {
            self.comparisons().filter(move |comparison| wanted(&comparison.test)).map(|comparison| comparison.field.as_str())
        };
        let with_null = |test: &Test| matches!(test, Test::Compare(_, Literal::Null));
        let tested: Vec<&str> = compared(with_null).collect();
        let mut fields: Vec<&str> = compared(
            |test| matches!(test, Test::Compare(ComparisonOperator::NotEqual, literal) if *literal != Literal::Null),
        )
        .filter(|field| !tested.contains(field))
        .collect();
        fields.dedup();
        fields
    }

    /// Every field with its byte range, in order.
    pub fn fields(&self) -> Vec<(&str, usize, usize)> {
        let fields = self.comparisons().map(|comparison| &comparison.field);
        fields.map(|field| (field.as_str(), field.place.start, field.place.end)).collect()
    }
}

/// One field against something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The field, without dots.
    pub field: Path,
    /// What it is compared with.
    pub test: Test,
    /// Where the whole comparison stands.
    pub place: Place,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// A single value.
    Compare(ComparisonOperator, Literal),
    /// A text pattern.
    Like(Pattern),
}

/// A value written in ZOQL. Days are text (documented) or stand bare (client); moments are text or stand bare (documented both ways).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number.
    Number(Decimal),
    /// Quoted text, without its quotes and escapes.
    Text(String),
    /// A day or a moment without quotes, as it was written.
    Unquoted(String),
}

/// Words that nothing is called.
const RESERVED: [&str; 9] = ["and", "false", "from", "like", "null", "or", "select", "true", "where"];

/// The field or object that `text` names; `None` when it is no name, a word of the language, or leads over a parent.
pub(super) fn name(text: &str, place: Place) -> Option<Path> {
    Path::new(text, place).filter(|name| name.parents() == 0 && !name.is_any_of(&RESERVED))
}
