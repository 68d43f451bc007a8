//! Writes conditions as SOQL.

use std::fmt::{self, Display, Formatter};

use super::quote::{write_pattern, write_text};
use super::{Comparison, Condition, Literal, Pattern, Subquery, Test};
use crate::filter::joined::write_joined;

impl Display for Condition {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => write_joined(formatter, parts, " AND ", write_part),
            Self::Or(parts) => write_joined(formatter, parts, " OR ", write_part),
            Self::Not(part) => {
                formatter.write_str("NOT ")?;
                write_part(formatter, part)
            }
            Self::Comparison(comparison) => comparison.fmt(formatter),
        }
    }
}

/// Writes a part of a larger condition: in parentheses unless it is a single comparison, since the language does not let
/// `AND`, `OR` and `NOT` stand side by side.
fn write_part(formatter: &mut Formatter<'_>, part: &Condition) -> fmt::Result {
    match part {
        Condition::Comparison(comparison) => comparison.fmt(formatter),
        compound => write!(formatter, "({compound})"),
    }
}

impl Display for Comparison {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.function {
            Some(function) => function.write(formatter, &self.path)?,
            None => self.path.fmt(formatter)?,
        }
        formatter.write_str(" ")?;
        match &self.test {
            Test::Compare(operator, literal) => write!(formatter, "{operator} {literal}"),
            Test::Like(pattern) => write!(formatter, "LIKE {pattern}"),
            Test::In(literals) => write_list(formatter, "IN", literals, |formatter, literal| literal.fmt(formatter)),
            Test::NotIn(literals) => write_list(formatter, "NOT IN", literals, |formatter, literal| literal.fmt(formatter)),
            Test::InSubquery(subquery) => write!(formatter, "IN ({subquery})"),
            Test::NotInSubquery(subquery) => write!(formatter, "NOT IN ({subquery})"),
            Test::Includes(values) => {
                write_list(formatter, "INCLUDES", values, |formatter, value| write_text(formatter, value))
            }
            Test::Excludes(values) => {
                write_list(formatter, "EXCLUDES", values, |formatter, value| write_text(formatter, value))
            }
        }
    }
}

fn write_list<T>(
    formatter: &mut Formatter<'_>,
    keyword: &str,
    items: &[T],
    write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    write!(formatter, "{keyword} (")?;
    write_joined(formatter, items, ", ", write)?;
    formatter.write_str(")")
}

impl Display for Literal {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Boolean(value) => value.fmt(formatter),
            Self::Number(number) => formatter.write_str(number.as_str()),
            Self::Text(text) => write_text(formatter, text),
            Self::Date(date) => date.fmt(formatter),
            // In UTC, with `Z`: a `+` would have to be escaped in a URL.
            Self::DateTime(moment) if moment.subsec_nanosecond() == 0 => moment.fmt(formatter),
            Self::DateTime(moment) => write!(formatter, "{moment:.3}"),
            Self::Time(time) => write!(formatter, "{time:.3}Z"),
            Self::Currency(code, amount) => write!(formatter, "{code}{}", amount.as_str()),
            Self::DateLiteral(literal) => literal.fmt(formatter),
        }
    }
}

impl Display for Pattern {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write_pattern(formatter, self)
    }
}

impl Display for Subquery {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "SELECT {} FROM {}", self.field, self.object)?;
        self.condition.iter().try_for_each(|condition| write!(formatter, " WHERE {condition}"))
    }
}
