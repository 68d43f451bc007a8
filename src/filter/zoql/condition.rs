//! The parts of a ZOQL condition and query, as data.

use super::Pattern;
use crate::filter::{Decimal, Place};

/// Which records of one object are meant, in ZOQL: what stands behind `where`.
///
/// The language has no parentheses and `and` binds tighter than `or` (documented), so that this is all it can say: at least
/// one of the alternatives holds, and in it every comparison.
///
/// **Invariants**: there is an alternative, and none is empty.
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

    /// Every field with the place where it stands, in order.
    pub fn fields(&self) -> Vec<(&str, usize, usize)> {
        let fields = self.comparisons().map(|comparison| &comparison.field);
        fields.map(|field| (field.as_str(), field.place.start, field.place.end)).collect()
    }
}

/// One field against something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The field.
    pub field: Name,
    /// What it is held against.
    pub test: Test,
}

/// What a field is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// A single value.
    Compare(Operator, Literal),
    /// A text pattern.
    Like(Pattern),
}

/// How a field is compared with a single value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    /// The operator that holds for every other value, empty ones apart.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }
}

/// A value written in ZOQL. Days are text (documented); moments are text or stand bare (documented both ways).
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
    /// A moment without quotes, as it was written.
    Moment(String),
}

/// The name of an object or a field.
///
/// **Invariants**: a letter followed by letters, digits and `_`, and no word of the language, so that it needs no quoting and
/// cannot be anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    text: String,
    /// Where it stands.
    pub place: Place,
}

impl Name {
    /// Takes `text` as a name, or `None` when it is not one.
    pub fn new(text: &str, place: Place) -> Option<Self> {
        let well_formed = text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let reserved = RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text));
        (well_formed && !reserved).then(|| Self { text: text.to_owned(), place })
    }

    /// The name as it was written; the language does not tell upper from lower case here (recorded).
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Words that no field is called.
const RESERVED: [&str; 9] = ["and", "false", "from", "like", "null", "or", "select", "true", "where"];

/// A query: `select … from … where …`.
///
/// **Invariants**: `fields` is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// What is asked for, in order.
    pub fields: Vec<Name>,
    /// Of which object.
    pub object: Name,
    /// Which records; `None` means all.
    pub condition: Option<Condition>,
}
