//! The parts of a SOQL condition, as data.

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::{ComparisonOperator, DateLiteral, Decimal, Destination, Function, Path, Pattern, Place};

/// A condition in SOQL: what follows `WHERE`.
///
/// It is not the tree that manifests may have ([`crate::filter::FilterTree`]), which is compiled to this.
///
/// **Invariants**: `And` and `Or` have at least two parts, so that what is printed parses to the same condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Every part holds.
    And(Vec<Condition>),
    /// At least one part holds.
    Or(Vec<Condition>),
    /// The part does not hold.
    Not(Box<Condition>),
    /// One field against something.
    Comparison(Comparison),
}

impl Condition {
    /// Every field path with its byte range, in order.
    ///
    /// Paths inside subqueries are left out: they belong to another object. [`Condition::subqueries`] has those.
    pub fn fields(&self) -> Vec<(&str, usize, usize)> {
        let paths = self.comparisons().into_iter().flat_map(|comparison| {
            let other = match &comparison.function {
                Some(Function::Distance { to: Destination::Field(path), .. }) => Some(path),
                _ => None,
            };
            std::iter::once(&comparison.path).chain(other)
        });
        paths.map(|path| (path.as_str(), path.place.start, path.place.end)).collect()
    }

    /// Every subquery, in order.
    pub fn subqueries(&self) -> Vec<&Subquery> {
        self.comparisons()
            .into_iter()
            .filter_map(|comparison| match &comparison.test {
                Test::InSubquery(subquery) | Test::NotInSubquery(subquery) => Some(subquery.as_ref()),
                Test::Compare(..) | Test::Like(_) | Test::In(_) | Test::NotIn(_) | Test::Includes(_) | Test::Excludes(_) => {
                    None
                }
            })
            .collect()
    }

    /// Every comparison, in order, without those inside subqueries.
    pub fn comparisons(&self) -> Vec<&Comparison> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::comparisons).collect(),
            Self::Not(part) => part.comparisons(),
            Self::Comparison(comparison) => vec![comparison],
        }
    }
}

/// One field against something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The field, or the way to it over parents.
    pub path: Path,
    /// What is made of its value first.
    pub function: Option<Function>,
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
    /// One of these values; not empty.
    In(Vec<Literal>),
    /// None of these values; not empty.
    NotIn(Vec<Literal>),
    /// One of the values a subquery finds (a semi-join).
    InSubquery(Box<Subquery>),
    /// None of the values a subquery finds (an anti-join).
    NotInSubquery(Box<Subquery>),
    /// A multi-select picklist that holds one of these; `a;b` means both; not empty.
    Includes(Vec<String>),
    /// A multi-select picklist that holds none of these; `a;b` means both; not empty.
    Excludes(Vec<String>),
}

/// A value written in SOQL.
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
    /// A day.
    Date(Date),
    /// A moment in whole milliseconds; the offset it was written with is not kept.
    DateTime(Timestamp),
    /// A time of the day in whole milliseconds, in UTC.
    Time(Time),
    /// An amount of money in a currency, such as `USD5000`.
    ///
    /// **Invariant**: the code is three upper-case letters, the amount has no sign.
    Currency(String, Decimal),
    /// A range of days relative to the present one, such as `LAST_N_DAYS:30`.
    DateLiteral(DateLiteral),
}

/// The query whose results a field is compared with: `SELECT field FROM object WHERE …`.
///
/// **Invariants**: `object` has no dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subquery {
    /// The one field that it selects.
    pub field: Path,
    /// Of which object.
    pub object: Path,
    /// Which records; `None` means all.
    pub condition: Option<Condition>,
    /// Whether it was written in parentheses around conditions. They change nothing, and the system refuses them (seen by clients).
    pub grouped: bool,
    /// Where the whole query stands.
    pub place: Place,
}

/// Words that cannot name a field (documented as reserved, but for `TRUE` and `FALSE`).
const RESERVED: [&str; 23] = [
    "AND", "ASC", "DESC", "EXCLUDES", "FALSE", "FIRST", "FROM", "GROUP", "HAVING", "IN", "INCLUDES", "LAST", "LIKE",
    "LIMIT", "NOT", "NULL", "NULLS", "OR", "SELECT", "TRUE", "USING", "WHERE", "WITH",
];

/// The field, or path to a field, that `text` names; `None` if it is not a path or is a reserved word.
pub(super) fn field_path(text: &str, place: Place) -> Option<Path> {
    Path::new(text, place).filter(|path| !path.is_any_of(&RESERVED))
}
