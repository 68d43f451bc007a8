//! Conditions as text. The only place where SQL names and literals are quoted.

use std::fmt::{self, Display, Formatter, Write as _};

use sqlparser::keywords::ALL_KEYWORDS;

use super::{Condition, Expression, Field, IsTest};
use crate::filter::joined::write_joined;

impl Display for Condition {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Display for Expression {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let not = |negated: bool| if negated { "NOT " } else { "" };
        match self {
            Self::And(parts) => write_chain(formatter, parts, " AND "),
            Self::Or(parts) => write_chain(formatter, parts, " OR "),
            Self::Not(part) => write!(formatter, "NOT ({part})"),
            Self::Field(field) => field.fmt(formatter),
            Self::Null => formatter.write_str("NULL"),
            Self::Boolean(true) => formatter.write_str("TRUE"),
            Self::Boolean(false) => formatter.write_str("FALSE"),
            Self::Number(digits) => formatter.write_str(digits),
            Self::Text(text) => write_text(formatter, text),
            Self::Array(elements) => {
                formatter.write_str("ARRAY[")?;
                write_list(formatter, elements)?;
                formatter.write_char(']')
            }
            Self::Cast(value, name) => write!(formatter, "{}::{}", Operand(value), name.0),
            Self::Negative(value) => write!(formatter, "- {}", Operand(value)),
            Self::Binary(left, operator, right) => {
                write!(formatter, "{} {} {}", Operand(left), operator.0, Operand(right))
            }
            Self::Each { value, operator, all, array } => {
                let which = if *all { "ALL" } else { "ANY" };
                write!(formatter, "{} {} {which} ({array})", Operand(value), operator.0)
            }
            Self::Is { value, negated, test } => {
                let test = match test {
                    IsTest::Null => "NULL",
                    IsTest::True => "TRUE",
                    IsTest::False => "FALSE",
                    IsTest::Unknown => "UNKNOWN",
                };
                write!(formatter, "{} IS {}{test}", Operand(value), not(*negated))
            }
            Self::In { value, negated, list } => {
                write!(formatter, "{} {}IN (", Operand(value), not(*negated))?;
                write_list(formatter, list)?;
                formatter.write_char(')')
            }
            Self::Between { value, negated, low, high } => {
                write!(formatter, "{} {}BETWEEN {} AND {}", Operand(value), not(*negated), Operand(low), Operand(high))
            }
            Self::Element(array, indexes) => {
                match array.as_ref() {
                    Self::Field(field) => field.fmt(formatter)?,
                    array => write!(formatter, "({array})")?,
                }
                indexes.iter().try_for_each(|index| write!(formatter, "[{index}]"))
            }
            Self::Case { operand, branches, otherwise } => {
                formatter.write_str("CASE")?;
                operand.iter().try_for_each(|operand| write!(formatter, " {}", Operand(operand)))?;
                for (when, then) in branches {
                    write!(formatter, " WHEN {} THEN {}", Operand(when), Operand(then))?;
                }
                otherwise.iter().try_for_each(|otherwise| write!(formatter, " ELSE {}", Operand(otherwise)))?;
                formatter.write_str(" END")
            }
            Self::Call(name, arguments) => {
                write!(formatter, "{name}(")?;
                write_list(formatter, arguments)?;
                formatter.write_char(')')
            }
        }
    }
}

/// A part of an operation: in parentheses unless it is one word, so that no rule of precedence is relied on.
struct Operand<'tree>(&'tree Expression);

impl Display for Operand<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expression::Field(_)
            | Expression::Null
            | Expression::Boolean(_)
            | Expression::Number(_)
            | Expression::Text(_)
            | Expression::Array(_)
            | Expression::Cast(..)
            | Expression::Element(..)
            | Expression::Call(..) => self.0.fmt(formatter),
            _ => write!(formatter, "({})", self.0),
        }
    }
}

/// Writes parts of a chain: in parentheses where they are chains themselves.
fn write_chain(formatter: &mut Formatter<'_>, parts: &[Expression], joint: &str) -> fmt::Result {
    write_joined(formatter, parts, joint, |formatter, part| match part {
        Expression::And(_) | Expression::Or(_) => write!(formatter, "({part})"),
        part => part.fmt(formatter),
    })
}

fn write_list(formatter: &mut Formatter<'_>, parts: &[Expression]) -> fmt::Result {
    write_joined(formatter, parts, ", ", |formatter, part| part.fmt(formatter))
}

impl Display for Field {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write_name(formatter, &self.name)
    }
}

/// Writes a name that reads back as exactly `name`: bare where it is a plain word that no dialect keeps for itself.
pub(super) fn write_name(formatter: &mut Formatter<'_>, name: &str) -> fmt::Result {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if plain && ALL_KEYWORDS.binary_search(&name.to_ascii_uppercase().as_str()).is_err() {
        formatter.write_str(name)
    } else {
        write!(formatter, "\"{}\"", name.replace('"', "\"\""))
    }
}

/// Writes text as a literal that reads back as exactly `text`.
///
/// In `'…'` a backslash stands for itself only where `standard_conforming_strings` is on, which it is by default; a text that
/// holds one is written in the form `E'…'`, which means the same under either setting (documented).
fn write_text(formatter: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let escaped = text.contains('\\');
    formatter.write_str(if escaped { "E'" } else { "'" })?;
    for character in text.chars() {
        match character {
            '\'' => formatter.write_str("''")?,
            '\\' => formatter.write_str("\\\\")?,
            other => formatter.write_char(other)?,
        }
    }
    formatter.write_char('\'')
}
