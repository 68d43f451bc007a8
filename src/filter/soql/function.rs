//! Functions that a field may stand in (documented: date functions, `toLabel`, `DISTANCE`).

use std::fmt;

use strum::IntoEnumIterator as _;

use super::{Decimal, Path};

/// What a function makes of a field, before it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Function {
    /// A part of a day or a moment.
    Date {
        /// Which part.
        part: DatePart,
        /// Whether a moment is taken in the user's time zone (`convertTimezone`), and not in UTC (documented).
        in_user_zone: bool,
    },
    /// A choice in the words that the user sees (`toLabel`).
    Label,
    /// How far it is from a place to another one (`DISTANCE`).
    Distance {
        /// The other place.
        to: Destination,
        /// What the distance is in.
        unit: DistanceUnit,
    },
}

/// The other place of a distance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Latitude and longitude, in degrees (`GEOLOCATION`).
    Point([Decimal; 2]),
    /// A field of the same record (documented).
    Field(Path),
}

/// A date function; as text it is its name in SOQL. All but [`DatePart::DayOnly`] give a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter, strum::Display)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum DatePart {
    /// 1 for January.
    CalendarMonth,
    /// 1 for January to March.
    CalendarQuarter,
    /// Such as 2026.
    CalendarYear,
    /// 1 for the first day of a month.
    DayInMonth,
    /// 1 for Sunday.
    DayInWeek,
    /// 1 for the first day of a year.
    DayInYear,
    /// The day of a moment.
    DayOnly,
    /// The month of the fiscal year, as set up in each organization.
    FiscalMonth,
    /// The quarter of the fiscal year.
    FiscalQuarter,
    /// The fiscal year.
    FiscalYear,
    /// The hour of a moment, 0 to 23.
    HourInDay,
    /// 1 for the first seven days of a month.
    WeekInMonth,
    /// 1 for the first seven days of a year.
    WeekInYear,
}

/// What a distance is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum DistanceUnit {
    /// Miles.
    Mi,
    /// Kilometres.
    Km,
}

/// What stands before the parenthesis.
pub(super) enum Named {
    Date(DatePart),
    Label,
    Distance,
}

impl Named {
    /// The function of that name, whatever its case.
    pub(super) fn new(name: &Path) -> Option<Self> {
        if name.is_any_of(&["toLabel"]) {
            return Some(Self::Label);
        }
        if name.is_any_of(&["DISTANCE"]) {
            return Some(Self::Distance);
        }
        DatePart::iter().find(|part| name.is_any_of(&[&part.to_string()])).map(Self::Date)
    }
}

impl DistanceUnit {
    /// The unit that a text names, whatever its case (the case is a guess).
    pub(super) fn new(text: &str) -> Option<Self> {
        Self::iter().find(|unit| unit.to_string().eq_ignore_ascii_case(text))
    }
}

impl Function {
    /// Writes the function with its field in it.
    pub(super) fn write(&self, formatter: &mut fmt::Formatter<'_>, field: &Path) -> fmt::Result {
        match self {
            Self::Date { part, in_user_zone: false } => write!(formatter, "{part}({field})"),
            Self::Date { part, in_user_zone: true } => write!(formatter, "{part}(convertTimezone({field}))"),
            Self::Label => write!(formatter, "toLabel({field})"),
            Self::Distance { to: Destination::Field(other), unit } => {
                write!(formatter, "DISTANCE({field}, {other}, '{unit}')")
            }
            Self::Distance { to: Destination::Point([latitude, longitude]), unit } => {
                write!(formatter, "DISTANCE({field}, GEOLOCATION({}, {}), '{unit}')", latitude.as_str(), longitude.as_str())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::filter::soql::parse_condition;

    #[test]
    fn a_distance_may_be_that_of_two_fields_which_are_both_looked_for() {
        let condition = parse_condition("distance(L__c, Parent__r.M__c, 'KM') < 20").expect("a condition");
        assert_eq!(condition.to_string(), "DISTANCE(L__c, Parent__r.M__c, 'km') < 20");
        let fields: Vec<&str> = condition.fields().into_iter().map(|(field, ..)| field).collect();
        assert_eq!(fields, ["L__c", "Parent__r.M__c"]);
    }
}
