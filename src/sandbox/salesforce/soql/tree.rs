//! A query as a tree.

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::date_literal::DateLiteral;
use super::text::Pattern;

/// A whole query.
///
/// **Invariants**: `items` is not empty; [`Item::CountRows`] stands alone; `object` and all names given to things have no dots.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) struct Query {
    /// What is asked for, in order.
    pub items: Vec<Item>,
    /// Of which object.
    pub object: Path,
    /// Another name that paths of the query may begin with.
    pub alias: Option<String>,
    /// Which records; `None` means all.
    pub condition: Option<Condition>,
    /// In which order; empty means any.
    pub order_by: Vec<OrderBy>,
    /// At most how many.
    pub limit: Option<u64>,
    /// After leaving out how many.
    pub offset: Option<u64>,
}

/// One thing a query asks for.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) enum Item {
    /// A field, with the name it was given.
    Field(Path, Option<String>),
    /// `COUNT()`: no rows, only how many there are.
    CountRows,
    /// `COUNT(field)`: in how many records the field is not empty, with the name it was given.
    CountField(Path, Option<String>),
}

/// One key of an order.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) struct OrderBy {
    /// By which field.
    pub path: Path,
    /// From the greatest to the smallest.
    pub descending: bool,
    /// Empty fields after all others; without it they come first in either direction (documented).
    pub nulls_last: bool,
}

/// Names joined by dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Path {
    /// As it was written.
    pub text: String,
    /// Where it starts, in bytes of the query.
    pub start: usize,
}

/// What follows `WHERE`.
///
/// **Invariants**: `And` and `Or` have at least two parts, none of which is one of the two: the language has no precedence, so that
/// only parentheses ([`Condition::Group`]) bring them together.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) enum Condition {
    /// Every part holds.
    And(Vec<Condition>),
    /// At least one part holds.
    Or(Vec<Condition>),
    /// The part does not hold.
    Not(Box<Condition>),
    /// The part, in parentheses: where subqueries may stand depends on them.
    Group(Box<Condition>),
    /// One field against something.
    Comparison(Comparison),
}

/// One field against something.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) struct Comparison {
    /// The field, or the way to it over parents.
    pub path: Path,
    /// What is made of its value first.
    pub function: Option<Function>,
    /// What it is compared with.
    pub test: Test,
    /// Where the whole comparison starts.
    pub start: usize,
}

/// What is made of a field's value before it is compared.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) enum Function {
    /// A part of a day or a moment.
    Date {
        /// Which part.
        part: DatePart,
        /// Whether it is taken in the user's zone: `convertTimezone`.
        in_user_zone: bool,
    },
    /// `toLabel`: the value in the user's language.
    Label,
    /// `DISTANCE`: how far it is from another place.
    Distance(Place),
}

/// The other place of a distance.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) enum Place {
    /// Latitude and longitude.
    Point(f64, f64),
    /// Another field.
    Field(Path),
}

/// A part of a day or a moment, by the name of the function that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE", ascii_case_insensitive)]
pub(in crate::sandbox) enum DatePart {
    CalendarMonth,
    CalendarQuarter,
    CalendarYear,
    DayInMonth,
    DayInWeek,
    DayInYear,
    DayOnly,
    FiscalMonth,
    FiscalQuarter,
    FiscalYear,
    HourInDay,
    WeekInMonth,
    WeekInYear,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) enum Test {
    /// A single value.
    Compare(Operator, Literal),
    /// A text pattern.
    Like(Pattern),
    /// One of these values; not empty.
    In(Vec<Literal>),
    /// None of these values; not empty.
    NotIn(Vec<Literal>),
    /// One of the values a subquery finds: a semi-join.
    InSubquery(Box<Subquery>),
    /// None of the values a subquery finds: an anti-join.
    NotInSubquery(Box<Subquery>),
    /// A multi-select picklist that holds one of these; `a;b` means both; not empty.
    Includes(Vec<String>),
    /// A multi-select picklist that holds none of these; `a;b` means both; not empty.
    Excludes(Vec<String>),
}

/// How a field and a single value are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value written in SOQL.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number.
    Number(f64),
    /// Quoted text, without its quotes and escapes.
    Text(String),
    /// A day.
    Date(Date),
    /// A moment; the offset it was written with is not kept.
    DateTime(Timestamp),
    /// A time of the day, in UTC.
    Time(Time),
    /// An amount of money, with its currency before it: `USD5000`.
    Currency(String, f64),
    /// Days relative to the present one, such as `LAST_N_DAYS:30`.
    DateLiteral(DateLiteral),
}

/// The query whose results a field is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sandbox) struct Subquery {
    /// The one field that it selects.
    pub field: Path,
    /// Of which object, without dots.
    pub object: Path,
    /// Which records; `None` means all.
    pub condition: Option<Condition>,
}

impl Condition {
    /// Whether a subquery stands anywhere in it.
    pub(in crate::sandbox) fn has_subquery(&self) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::has_subquery),
            Self::Not(part) | Self::Group(part) => part.has_subquery(),
            Self::Comparison(comparison) => matches!(comparison.test, Test::InSubquery(_) | Test::NotInSubquery(_)),
        }
    }
}
