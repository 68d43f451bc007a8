//! Writes conditions as ZOQL. Keywords are in lower case, as documented.

use std::fmt::{self, Display, Formatter};

use super::quote::write_text;
use super::{Comparison, Condition, Literal, Pattern, Test};
use crate::filter::joined::write_joined;

impl Display for Condition {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write_joined(formatter, self.alternatives(), " or ", |formatter, comparisons| {
            write_joined(formatter, comparisons, " and ", |formatter, comparison| comparison.fmt(formatter))
        })
    }
}

impl Display for Comparison {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.test {
            Test::Compare(operator, literal) => write!(formatter, "{} {operator} {literal}", self.field),
            Test::Like(pattern) => write!(formatter, "{} like {pattern}", self.field),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Boolean(value) => value.fmt(formatter),
            Self::Number(number) => formatter.write_str(number.as_str()),
            Self::Text(text) => write_text(formatter, text),
            Self::Unquoted(moment) => formatter.write_str(moment),
        }
    }
}

impl Display for Pattern {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write_text(formatter, self.as_str())
    }
}
