//! How old a record must be: a calendar duration with its unit.

use std::fmt;
use std::str::FromStr;

use jiff::{Span, Zoned};
use serde::{Deserialize, Serialize};

/// The units an age may be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgeUnit {
    /// 60 seconds of elapsed time.
    Minutes,
    /// 60 minutes of elapsed time.
    Hours,
    /// Calendar days.
    Days,
    /// Seven calendar days.
    Weeks,
    /// Calendar months.
    Months,
    /// Calendar years.
    Years,
}

impl AgeUnit {
    fn word(self) -> &'static str {
        match self {
            Self::Minutes => "minute",
            Self::Hours => "hour",
            Self::Days => "day",
            Self::Weeks => "week",
            Self::Months => "month",
            Self::Years => "year",
        }
    }
}

/// A calendar duration: a count and a unit, as in `3 years`.
///
/// It is not a number of seconds: how long three years are depends on when they end, so it becomes an instant only
/// together with a zoned clock reading. A count without a unit is refused, since guessing it can delete four years too much.
///
/// ```
/// use sexton::base::Age;
///
/// let age: Age = "3 years".parse()?;
/// let now: jiff::Zoned = "2024-02-29T12:00:00[UTC]".parse()?;
/// assert_eq!(age.before(&now)?.to_string(), "2021-02-28T12:00:00+00:00[UTC]");
/// assert!("90".parse::<Age>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Age {
    /// How many units; at least 1, at most 9,999.
    count: u16,
    /// The unit.
    unit: AgeUnit,
}

impl schemars::JsonSchema for Age {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Age".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let pattern = r"^\s*0*[1-9][0-9]{0,3}\s*(minute|hour|day|week|month|year)s?\s*$";
        schemars::json_schema!({ "type": "string", "pattern": pattern })
    }
}

impl Age {
    /// Seven days: how long a plan may wait for its apply where nobody says otherwise.
    pub const DEFAULT_PLAN_LIFE: Self = Self { count: 7, unit: AgeUnit::Days };
    /// Five minutes: how old a reading of the holds may be while a run sends, where nobody says otherwise.
    pub const DEFAULT_HOLD_REFRESH: Self = Self { count: 5, unit: AgeUnit::Minutes };

    /// The moment this long before `now`, in the zone of `now`.
    ///
    /// # Errors
    ///
    /// When that moment is outside the calendar (before the year -9999).
    pub fn before(&self, now: &Zoned) -> Result<Zoned, AgeError> {
        now.checked_sub(self.span()).map_err(|_| AgeError::OutOfCalendar(self.to_string()))
    }

    /// The moment this long after `now`, in the zone of `now`.
    ///
    /// # Errors
    ///
    /// When that moment is outside the calendar (after the year 9999).
    pub fn after(&self, now: &Zoned) -> Result<Zoned, AgeError> {
        now.checked_add(self.span()).map_err(|_| AgeError::OutOfCalendar(self.to_string()))
    }

    fn span(&self) -> Span {
        let count = i64::from(self.count);
        match self.unit {
            AgeUnit::Minutes => Span::new().minutes(count),
            AgeUnit::Hours => Span::new().hours(count),
            AgeUnit::Days => Span::new().days(count),
            AgeUnit::Weeks => Span::new().weeks(count),
            AgeUnit::Months => Span::new().months(count),
            AgeUnit::Years => Span::new().years(count),
        }
    }
}

impl fmt::Display for Age {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.count == 1 { "" } else { "s" };
        write!(formatter, "{} {}{plural}", self.count, self.unit.word())
    }
}

impl FromStr for Age {
    type Err = AgeError;

    fn from_str(text: &str) -> Result<Self, AgeError> {
        let trimmed = text.trim();
        let shown = || trimmed.chars().take(40).collect::<String>();
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = trimmed.split_at(digits);
        let unit = unit.trim_start();
        if digits == 0 {
            return Err(AgeError::Shape(shown()));
        }
        if unit.is_empty() {
            return Err(AgeError::NoUnit(shown()));
        }
        let count: u16 =
            count.parse().ok().filter(|count| (1..=9_999).contains(count)).ok_or_else(|| AgeError::Count(shown()))?;
        let singular = unit.strip_suffix('s').unwrap_or(unit);
        let unit = [AgeUnit::Minutes, AgeUnit::Hours, AgeUnit::Days, AgeUnit::Weeks, AgeUnit::Months, AgeUnit::Years]
            .into_iter()
            .find(|candidate| candidate.word() == singular)
            .ok_or_else(|| AgeError::Shape(shown()))?;
        Ok(Self { count, unit })
    }
}

impl TryFrom<String> for Age {
    type Error = AgeError;

    fn try_from(text: String) -> Result<Self, AgeError> {
        text.parse()
    }
}

impl From<Age> for String {
    fn from(age: Age) -> Self {
        age.to_string()
    }
}

/// Why a text is not an age, or an age not a moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgeError {
    /// A number alone.
    #[error("`{0}` has no unit: write it as in `{0} days`")]
    NoUnit(String),
    /// Not a count followed by a unit.
    #[error("`{0}` is not a duration: write a count and a unit, such as `90 days`, `18 months` or `3 years`")]
    Shape(String),
    /// Zero, or more than 9,999.
    #[error("`{0}` is out of range: the count must be 1 to 9999")]
    Count(String),
    /// The moment does not exist in the calendar.
    #[error("`{0}` from now is outside the calendar")]
    OutOfCalendar(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_count_and_a_unit() {
        for (text, shown) in [("3 years", "3 years"), ("1 day", "1 day"), ("90days", "90 days"), (" 2 weeks ", "2 weeks")] {
            assert_eq!(text.parse::<Age>().expect(text).to_string(), shown);
        }
        assert_eq!("90".parse::<Age>(), Err(AgeError::NoUnit("90".into())));
        for text in ["", "years", "3 y", "0 days", "-3 days", "10000 days", "3 dayss", "3.5 days", "P3Y"] {
            assert!(text.parse::<Age>().is_err(), "{text}");
        }
    }

    #[test]
    fn counts_years_by_the_calendar() {
        let now: Zoned = "2027-02-28T00:00:00[UTC]".parse().expect("valid");
        let seven: Age = "7 years".parse().expect("valid");
        assert_eq!(seven.before(&now).expect("in range").date().to_string(), "2020-02-28");
    }
}
