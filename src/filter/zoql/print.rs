//! Writes conditions as ZOQL. Keywords are in lower case, as documented.

use std::fmt::{self, Display, Formatter};

use super::quote::write_text;
use super::{Comparison, Condition, Literal, Pattern, Test};

impl Display for Condition {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (alternative, comparisons) in self.alternatives().iter().enumerate() {
            for (place, comparison) in comparisons.iter().enumerate() {
                formatter.write_str(match (alternative, place) {
                    (0, 0) => "",
                    (_, 0) => " or ",
                    _ => " and ",
                })?;
                comparison.fmt(formatter)?;
            }
        }
        Ok(())
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
            Self::Moment(moment) => formatter.write_str(moment),
        }
    }
}

impl Display for Pattern {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write_text(formatter, self.as_str())
    }
}
