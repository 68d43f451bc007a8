//! The parts of a SOQL condition, as data.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{DateLiteral, Decimal, Pattern, Place, Select};

/// Which records of one object are meant, in SOQL: what stands behind `WHERE`.
///
/// It is not the tree that manifests may hold ([`crate::filter::Condition`]); that one is compiled to this one.
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
    /// Both conditions hold.
    ///
    /// The two may be fine each and break a rule of the language together (more than two subqueries), which the system
    /// then refuses.
    #[must_use]
    pub fn and(self, other: Condition) -> Condition {
        match self {
            Self::And(mut parts) => {
                parts.push(other);
                Self::And(parts)
            }
            single => Self::And(vec![single, other]),
        }
    }

    /// Every field path with the place where it stands, in order.
    ///
    /// Paths inside subqueries are left out: they belong to another object. [`Condition::subqueries`] has those.
    pub fn fields(&self) -> Vec<(&str, usize, usize)> {
        let paths = self.comparisons().into_iter().map(|comparison| &comparison.path);
        paths.map(|path| (path.as_str(), path.place.start, path.place.end)).collect()
    }

    /// Every subquery, in order.
    pub fn subqueries(&self) -> Vec<&Select> {
        self.comparisons()
            .into_iter()
            .filter_map(|comparison| match &comparison.test {
                Test::InSubquery(select) | Test::NotInSubquery(select) => Some(select.as_ref()),
                _ => None,
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
    /// What it is held against.
    pub test: Test,
    /// Where the whole comparison stands.
    pub place: Place,
}

/// What a field is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// A single value.
    Compare(Operator, Literal),
    /// A text pattern.
    Like(Pattern),
    /// One of these values; not empty.
    In(Vec<Literal>),
    /// None of these values; not empty.
    NotIn(Vec<Literal>),
    /// One of the values a subquery finds (a semi-join).
    InSubquery(Box<Select>),
    /// None of the values a subquery finds (an anti-join).
    NotInSubquery(Box<Select>),
    /// A multi-select picklist that holds one of these; `a;b` means both; not empty.
    Includes(Vec<String>),
    /// A multi-select picklist that holds none of these; `a;b` means both; not empty.
    Excludes(Vec<String>),
}

/// How a field is compared with a single value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`, also read from `<>`.
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
    /// A range of days relative to the present one, such as `LAST_N_DAYS:30`.
    DateLiteral(DateLiteral),
}

/// Names joined by dots: a field, or the way to it over parents, such as `Account.Owner.Name`.
///
/// **Invariants**: each name is a letter followed by letters, digits and `_`, so that a path needs no quoting and cannot
/// be anything else. It may still be a reserved word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    text: String,
    /// Where it stands.
    pub place: Place,
}

impl Path {
    /// Takes `text` as a path, or `None` when it is not one.
    pub fn new(text: &str, place: Place) -> Option<Self> {
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        text.split('.').all(is_name).then(|| Self { text: text.to_owned(), place })
    }

    /// The path as it was written; the language does not tell upper from lower case here.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many parents the path goes over: none in `Name`, two in `Account.Owner.Name`.
    pub fn parents(&self) -> usize {
        self.text.matches('.').count()
    }

    /// Whether the whole path is a word that the language keeps for itself.
    pub fn is_reserved(&self) -> bool {
        RESERVED.iter().any(|word| word.eq_ignore_ascii_case(&self.text))
    }
}

/// Words that cannot name a field (documented as reserved, but for `TRUE` and `FALSE`).
const RESERVED: [&str; 23] = [
    "AND", "ASC", "DESC", "EXCLUDES", "FALSE", "FIRST", "FROM", "GROUP", "HAVING", "IN", "INCLUDES", "LAST", "LIKE",
    "LIMIT", "NOT", "NULL", "NULLS", "OR", "SELECT", "TRUE", "USING", "WHERE", "WITH",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_hold_anything_else() {
        for text in ["Name", "Account.Owner.Name", "Foo__c", "A1"] {
            assert!(Path::new(text, Place::default()).is_some(), "{text}");
        }
        for text in ["", ".", "a.", ".a", "a..b", "1a", "_a", "a b", "a'", "a=1", "ä", "a\n", "a-b", "a,b", "COUNT()"] {
            assert!(Path::new(text, Place::default()).is_none(), "{text:?}");
        }
    }

    #[test]
    fn joins_conditions_without_a_level_more_than_needed() {
        let parse = |text| super::super::parse_condition(text).expect("valid");
        assert_eq!(
            parse("A = 1 AND B = 2").and(parse("C = 3 OR D = 4")).to_string(),
            "A = 1 AND B = 2 AND (C = 3 OR D = 4)"
        );
        assert_eq!(parse("A = 1 OR B = 2").and(parse("NOT C = 3")).to_string(), "(A = 1 OR B = 2) AND (NOT C = 3)");
    }
}
