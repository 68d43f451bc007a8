//! Conditions and columns, ready to be evaluated: three-valued logic, null being the third.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use jiff::Span;
use jiff::tz::TimeZone;

use super::SqlError;
use super::date_unit::DateUnit;
use super::relation::Row;
use crate::sandbox::fulcrum::{ColumnKind, Value};

/// An expression whose names and types are settled.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    Constant(Value),
    /// The column at a place.
    Column(usize),
    /// How many rows the condition selects: `count(*) OVER ()`.
    RowsSelected,
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Compare(Comparison, Box<Self>, Box<Self>),
    IsNull(Box<Self>),
    /// `IS NOT DISTINCT FROM`: null is like null.
    IsSame(Box<Self>, Box<Self>),
    /// `IN` with nothing but texts, and whether a null is among them. A set, since there may be 10,000.
    OneOf(Box<Self>, BTreeSet<String>, bool),
    Like(Box<Self>, Pattern),
    /// `= ANY (array)`.
    ElementOf(Box<Self>, Box<Self>),
    /// Whether an array has every element of another (`@>`), or any (`&&`).
    Contains {
        array: Box<Self>,
        others: Box<Self>,
        all: bool,
    },
    Arithmetic(Operation, Box<Self>, Box<Self>),
    /// A moment or day, so much later.
    Later(Box<Self>, Span),
    Concatenated(Box<Self>, Box<Self>),
    Call(Function, Box<Self>),
    Coalesce(Vec<Self>),
    Cast(Box<Self>, ColumnKind),
    /// What the clocks of a zone show at a moment.
    InZone(Box<Self>, TimeZone),
    DatePart(DateUnit, Box<Self>),
    /// The beginning of the unit that a moment is in.
    Truncated(DateUnit, Box<Self>),
    /// The element of an array at a place, from 1.
    Element(Box<Self>, Box<Self>),
    /// Where a text first stands in another, from 1; 0 if nowhere.
    Position(Box<Self>, Box<Self>),
    /// The first result whose condition holds.
    Case(Vec<(Self, Self)>, Option<Box<Self>>),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    Lower,
    Upper,
    Length,
    Trim,
    /// `FCM_ConvertToFloat`: that what is no number becomes null is a guess.
    ToFloat,
}

/// The pattern of `LIKE`, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    ignore_case: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    AnyRun,
    AnyOne,
    One(char),
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Unequal => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Expression {
    /// The value for a row.
    pub(super) fn evaluate(&self, row: &Row<'_>, rows_selected: usize) -> Result<Value, SqlError> {
        let value = |expression: &Self| expression.evaluate(row, rows_selected);
        let truth = |expression: &Self| expression.truth(row, rows_selected);
        Ok(match self {
            Self::Constant(value) => value.clone(),
            Self::Column(place) => row.value(*place),
            Self::RowsSelected => Value::Integer(rows_selected as i64),
            Self::Not(inner) => boolean(truth(inner)?.map(|truth| !truth)),
            Self::And(left, right) => match truth(left)? {
                Some(false) => Value::Boolean(false),
                left => match truth(right)? {
                    Some(false) => Value::Boolean(false),
                    right => boolean(left.and(right)),
                },
            },
            Self::Or(left, right) => match truth(left)? {
                Some(true) => Value::Boolean(true),
                left => match truth(right)? {
                    Some(true) => Value::Boolean(true),
                    right => boolean(left.and(right)),
                },
            },
            Self::Compare(comparison, left, right) => {
                boolean(value(left)?.compare(&value(right)?).map(|ordering| comparison.holds(ordering)))
            }
            Self::IsNull(inner) => Value::Boolean(value(inner)? == Value::Null),
            Self::IsSame(left, right) => {
                let (left, right) = (value(left)?, value(right)?);
                let both_null = left == Value::Null && right == Value::Null;
                Value::Boolean(both_null || left.compare(&right).is_some_and(Ordering::is_eq))
            }
            Self::OneOf(inner, texts, has_null) => match value(inner)? {
                Value::Text(text) if texts.contains(&text) => Value::Boolean(true),
                Value::Text(_) if !has_null => Value::Boolean(false),
                _ => Value::Null,
            },
            Self::Like(inner, pattern) => match value(inner)? {
                Value::Text(text) => Value::Boolean(pattern.matches(&text)),
                _ => Value::Null,
            },
            Self::ElementOf(element, array) => match (value(element)?, value(array)?) {
                (Value::Text(element), Value::Array(array)) => Value::Boolean(array.contains(&element)),
                _ => Value::Null,
            },
            Self::Contains { array, others, all } => match (value(array)?, value(others)?) {
                (Value::Array(array), Value::Array(others)) => {
                    let mut found = others.iter().map(|other| array.contains(other));
                    Value::Boolean(if *all { found.all(|found| found) } else { found.any(|found| found) })
                }
                _ => Value::Null,
            },
            Self::Arithmetic(operation, left, right) => operation.apply(&value(left)?, &value(right)?)?,
            Self::Later(inner, span) => later(&value(inner)?, *span)?,
            Self::Concatenated(left, right) => match (value(left)?, value(right)?) {
                (Value::Null, _) | (_, Value::Null) => Value::Null,
                (left, right) => Value::Text(left.to_text() + &right.to_text()),
            },
            Self::Call(function, inner) => match value(inner)? {
                Value::Text(text) => function.apply(&text),
                _ => Value::Null,
            },
            Self::Coalesce(all) => {
                for expression in all {
                    let value = value(expression)?;
                    if value != Value::Null {
                        return Ok(value);
                    }
                }
                Value::Null
            }
            Self::Cast(inner, kind) => cast(value(inner)?, *kind)?,
            Self::InZone(inner, zone) => match value(inner)?.moment() {
                Some(moment) => {
                    let shown = moment.to_zoned(zone.clone()).datetime().to_zoned(TimeZone::UTC);
                    Value::Timestamp(shown.map_err(|_| SqlError::new("timestamp out of range"))?.timestamp())
                }
                None => Value::Null,
            },
            Self::DatePart(unit, inner) => match value(inner)?.moment() {
                Some(moment) => Value::Double(unit.part_of(moment)),
                None => Value::Null,
            },
            Self::Truncated(unit, inner) => match value(inner)?.moment() {
                Some(moment) => Value::Timestamp(unit.truncated(moment)?),
                None => Value::Null,
            },
            Self::Element(array, index) => match (value(array)?, value(index)?) {
                (Value::Array(array), Value::Integer(index)) => {
                    let place = index.checked_sub(1).and_then(|place| usize::try_from(place).ok());
                    place.and_then(|place| array.get(place)).map_or(Value::Null, |element| element.as_str().into())
                }
                _ => Value::Null,
            },
            Self::Position(whole, part) => match (value(whole)?, value(part)?) {
                (Value::Text(whole), Value::Text(part)) => {
                    Value::Integer(whole.find(&part).map_or(0, |at| whole[..at].chars().count() as i64 + 1))
                }
                _ => Value::Null,
            },
            Self::Case(branches, otherwise) => {
                for (when, then) in branches {
                    if truth(when)? == Some(true) {
                        return value(then);
                    }
                }
                otherwise.as_deref().map_or(Ok(Value::Null), value)?
            }
        })
    }

    /// Whether a condition holds for a row; nothing if it is neither true nor false.
    pub(super) fn truth(&self, row: &Row<'_>, rows_selected: usize) -> Result<Option<bool>, SqlError> {
        Ok(match self.evaluate(row, rows_selected)? {
            Value::Boolean(truth) => Some(truth),
            _ => None,
        })
    }
}

fn boolean(truth: Option<bool>) -> Value {
    truth.map_or(Value::Null, Value::Boolean)
}

fn later(value: &Value, span: Span) -> Result<Value, SqlError> {
    let Some(moment) = value.moment() else { return Ok(Value::Null) };
    let moved = moment.to_zoned(TimeZone::UTC).checked_add(span).map_err(|_| SqlError::new("timestamp out of range"))?;
    Ok(Value::Timestamp(moved.timestamp()))
}

fn cast(value: Value, kind: ColumnKind) -> Result<Value, SqlError> {
    Ok(match (value, kind) {
        (Value::Null, _) => Value::Null,
        (Value::Timestamp(moment), ColumnKind::Date) => Value::Date(moment.to_zoned(TimeZone::UTC).date()),
        (value @ Value::Date(_), ColumnKind::Timestamp) => value.moment().map_or(Value::Null, Value::Timestamp),
        (Value::Integer(number), ColumnKind::Double) => Value::Double(number as f64),
        (Value::Double(number), ColumnKind::Integer) => Value::Integer(number.round_ties_even() as i64),
        (value @ Value::Array(_), ColumnKind::Array) => value,
        (value, kind) => Value::read(kind, &value.to_text())?,
    })
}

impl Operation {
    fn apply(self, left: &Value, right: &Value) -> Result<Value, SqlError> {
        let out_of_range = || SqlError::new("bigint out of range");
        Ok(match (left, right) {
            (Value::Null, _) | (_, Value::Null) => Value::Null,
            (_, Value::Integer(0)) if matches!(self, Self::Divide | Self::Modulo) => {
                return Err(SqlError::new("division by zero"));
            }
            (Value::Integer(left), Value::Integer(right)) => Value::Integer(
                match self {
                    Self::Plus => left.checked_add(*right),
                    Self::Minus => left.checked_sub(*right),
                    Self::Times => left.checked_mul(*right),
                    Self::Divide => left.checked_div(*right),
                    Self::Modulo => left.checked_rem(*right),
                }
                .ok_or_else(out_of_range)?,
            ),
            _ => {
                let (Some(left), Some(right)) = (left.number(), right.number()) else { return Ok(Value::Null) };
                Value::Double(match self {
                    Self::Plus => left + right,
                    Self::Minus => left - right,
                    Self::Times => left * right,
                    Self::Divide => left / right,
                    Self::Modulo => left % right,
                })
            }
        })
    }
}

impl Function {
    fn apply(self, text: &str) -> Value {
        match self {
            Self::Lower => text.to_lowercase().into(),
            Self::Upper => text.to_uppercase().into(),
            Self::Trim => text.trim_matches(' ').into(),
            Self::Length => Value::Integer(text.chars().count() as i64),
            Self::ToFloat => {
                text.trim().parse().ok().filter(|number: &f64| number.is_finite()).map_or(Value::Null, Value::Double)
            }
        }
    }
}

impl Pattern {
    /// Takes a pattern apart. Without an escape character, `%` and `_` cannot be meant literally.
    pub(super) fn read(text: &str, ignore_case: bool, escape: Option<char>) -> Result<Self, SqlError> {
        let mut parts = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let next = match character {
                _ if Some(character) == escape => {
                    let next = characters.next();
                    Part::One(next.ok_or_else(|| SqlError::new("LIKE pattern must not end with escape character"))?)
                }
                '%' => Part::AnyRun,
                '_' => Part::AnyOne,
                _ => Part::One(character),
            };
            match next {
                Part::One(character) if ignore_case => parts.extend(character.to_lowercase().map(Part::One)),
                next => parts.push(next),
            }
        }
        Ok(Self { parts, ignore_case })
    }

    /// Goes through the text once, going back to the last run of anything where the rest does not fit.
    fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = if self.ignore_case { text.to_lowercase().chars().collect() } else { text.chars().collect() };
        let (mut place, mut part) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while place < text.len() {
            match self.parts.get(part) {
                Some(Part::AnyRun) => {
                    part += 1;
                    retry = Some((place, part));
                    continue;
                }
                Some(Part::AnyOne) => {}
                Some(Part::One(character)) if *character == text[place] => {}
                _ => {
                    let Some((from, after)) = retry else { return false };
                    (place, part) = (from + 1, after);
                    retry = Some((place, part));
                    continue;
                }
            }
            place += 1;
            part += 1;
        }
        self.parts[part..].iter().all(|part| *part == Part::AnyRun)
    }
}
