//! What functions make of the values of fields, as Salesforce would.

use jiff::Zoned;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::value::Value;
use crate::sandbox::salesforce::soql::{DatePart, Function};

/// What a function makes of a value. `now` has the zone of the user who asks.
///
/// Documented: a moment is taken in UTC, and with `convertTimezone` in the user's zone; the numbers. Fiscal years are those of the
/// calendar here. That the parts of an empty field are empty is a guess. A label is the value itself: the sandbox translates nothing.
pub(super) fn apply(function: &Function, value: Value, now: &Zoned) -> Value {
    match function {
        Function::Label => value,
        Function::Date { part, in_user_zone } => {
            let zone = if *in_user_zone { now.time_zone().clone() } else { TimeZone::UTC };
            match value {
                Value::Date(day) => part_of(*part, day.at(0, 0, 0, 0)),
                Value::DateTime(moment) => part_of(*part, moment.to_zoned(zone).datetime()),
                Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Text(_) | Value::MultiPicklist(_) => Value::Null,
            }
        }
        // Refused before.
        Function::Distance(_) => Value::Null,
    }
}

fn part_of(part: DatePart, moment: DateTime) -> Value {
    let day: Date = moment.date();
    let week = |days: i16| f64::from((days - 1) / 7 + 1);
    Value::Number(match part {
        DatePart::DayOnly => return Value::Date(day),
        DatePart::CalendarMonth | DatePart::FiscalMonth => day.month().into(),
        DatePart::CalendarQuarter | DatePart::FiscalQuarter => f64::from((day.month() - 1) / 3 + 1),
        DatePart::CalendarYear | DatePart::FiscalYear => day.year().into(),
        DatePart::DayInMonth => day.day().into(),
        DatePart::DayInWeek => f64::from(day.weekday().to_sunday_zero_offset() + 1),
        DatePart::DayInYear => day.day_of_year().into(),
        DatePart::HourInDay => moment.hour().into(),
        DatePart::WeekInMonth => week(day.day().into()),
        DatePart::WeekInYear => week(day.day_of_year()),
    })
}
