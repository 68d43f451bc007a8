//! Parts of moments, as PostgreSQL names and counts them, in UTC.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::SqlError;

/// A part of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateUnit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    DayOfWeek,
    Hour,
    Minute,
    Second,
    Epoch,
}

impl DateUnit {
    /// The unit of that name, whatever its case.
    pub(super) fn named(name: &str) -> Result<Self, SqlError> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "year" => Self::Year,
            "quarter" => Self::Quarter,
            "month" => Self::Month,
            "week" => Self::Week,
            "day" => Self::Day,
            "dow" => Self::DayOfWeek,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            "epoch" => Self::Epoch,
            other => return Err(SqlError::not_simulated(format!("the part \"{other}\" of a date"))),
        })
    }

    /// This part of a moment, as a number.
    pub(super) fn part_of(self, moment: Timestamp) -> f64 {
        let civil = moment.to_zoned(TimeZone::UTC).datetime();
        match self {
            Self::Year => civil.year().into(),
            Self::Quarter => f64::from((civil.month() - 1) / 3 + 1),
            Self::Month => civil.month().into(),
            Self::Week => civil.date().iso_week_date().week().into(),
            Self::Day => civil.day().into(),
            Self::DayOfWeek => civil.weekday().to_sunday_zero_offset().into(),
            Self::Hour => civil.hour().into(),
            Self::Minute => civil.minute().into(),
            Self::Second => f64::from(civil.second()) + f64::from(civil.subsec_nanosecond() / 1_000) / 1e6,
            Self::Epoch => moment.as_microsecond() as f64 / 1e6,
        }
    }

    /// The moment at which the unit began that a moment is in.
    pub(super) fn truncated(self, moment: Timestamp) -> Result<Timestamp, SqlError> {
        let civil = moment.to_zoned(TimeZone::UTC).datetime();
        let day = civil.date();
        let midnight = |day: Date| day.at(0, 0, 0, 0);
        let in_year = |month: i8| midnight(day.with().month(month).day(1).build().unwrap_or(day));
        let begun: DateTime = match self {
            Self::Year => in_year(1),
            Self::Quarter => in_year((day.month() - 1) / 3 * 3 + 1),
            Self::Month => in_year(day.month()),
            Self::Week => {
                let days = day.weekday().since(Weekday::Monday);
                midnight(day.saturating_sub(days.days()))
            }
            Self::Day => midnight(day),
            Self::Hour => day.at(civil.hour(), 0, 0, 0),
            Self::Minute => day.at(civil.hour(), civil.minute(), 0, 0),
            Self::Second => day.at(civil.hour(), civil.minute(), civil.second(), 0),
            Self::DayOfWeek | Self::Epoch => {
                return Err(SqlError::new("unit not supported for type timestamp with time zone"));
            }
        };
        let begun = begun.to_zoned(TimeZone::UTC).map_err(|_| SqlError::new("timestamp out of range"))?;
        Ok(begun.timestamp())
    }
}
