//! The days that date literals mean.

use std::ops::Range;

use jiff::Span;
use jiff::civil::Date;

use crate::sandbox::salesforce::soql::{DateLiteral, Unit};

/// The days that a literal means, the last one excluded.
pub(super) fn days(literal: DateLiteral, today: Date) -> Range<Date> {
    start(literal.unit, today, literal.first)..start(literal.unit, today, literal.after)
}

/// The first day of the unit that is `offset` units after the one `today` is in; the calendar's end when it is beyond that.
///
/// Weeks start on Sunday, as for users of `en_US` (documented). Fiscal years are set up in each organization; here they are
/// those of the calendar.
fn start(unit: Unit, today: Date, offset: i64) -> Date {
    let months = |per_unit: i64| {
        let month = i64::from(today.year()) * 12 + i64::from(today.month()) - 1;
        first_of_month((month.div_euclid(per_unit) + offset) * per_unit)
    };
    match unit {
        Unit::Day => add_days(today, offset),
        Unit::Week => add_days(today, 7 * offset - i64::from(today.weekday().to_sunday_zero_offset())),
        Unit::Month => months(1),
        Unit::Quarter | Unit::FiscalQuarter => months(3),
        Unit::Year | Unit::FiscalYear => months(12),
    }
}

fn add_days(day: Date, days: i64) -> Date {
    // More days than the calendar has; within what a span can hold.
    const BEYOND: i64 = 7_300_000;
    day.saturating_add(Span::new().days(days.clamp(-BEYOND, BEYOND)))
}

/// `months` counts from January of the year 0.
fn first_of_month(months: i64) -> Date {
    let month = i8::try_from(months.rem_euclid(12) + 1).unwrap_or(1);
    let year = i16::try_from(months.div_euclid(12)).ok();
    let beyond = if months < 0 { Date::MIN } else { Date::MAX };
    year.and_then(|year| Date::new(year, month, 1).ok()).unwrap_or(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_the_days_that_are_documented() {
        // A Saturday, the last day of a week that starts on Sunday.
        let today: Date = "2026-11-21".parse().expect("valid");
        let mut shown = String::new();
        for text in [
            "YESTERDAY",
            "TODAY",
            "TOMORROW",
            "LAST_WEEK",
            "THIS_WEEK",
            "NEXT_WEEK",
            "LAST_MONTH",
            "THIS_MONTH",
            "NEXT_MONTH",
            "LAST_QUARTER",
            "THIS_QUARTER",
            "NEXT_QUARTER",
            "LAST_YEAR",
            "THIS_YEAR",
            "NEXT_YEAR",
            "THIS_FISCAL_QUARTER",
            "LAST_FISCAL_YEAR",
            "LAST_90_DAYS",
            "NEXT_90_DAYS",
            "LAST_N_DAYS:1",
            "NEXT_N_DAYS:1",
            "N_DAYS_AGO:25",
            "LAST_N_WEEKS:1",
            "NEXT_N_WEEKS:4",
            "N_WEEKS_AGO:3",
            "LAST_N_MONTHS:12",
            "NEXT_N_MONTHS:2",
            "N_MONTHS_AGO:6",
            "LAST_N_QUARTERS:2",
            "NEXT_N_QUARTERS:2",
            "N_QUARTERS_AGO:3",
            "LAST_N_YEARS:3",
            "NEXT_N_YEARS:5",
            "N_YEARS_AGO:2",
            "LAST_N_FISCAL_QUARTERS:6",
            "N_FISCAL_YEARS_AGO:3",
            "LAST_N_DAYS:0",
            "LAST_N_YEARS:4294967295",
            "NEXT_N_DAYS:4294967295",
        ] {
            let literal = DateLiteral::read(text).expect(text);
            let days = days(literal, today);
            shown.push_str(&format!("{text} {} {}\n", days.start, days.end));
        }
        insta::assert_snapshot!(shown, @"
        YESTERDAY 2026-11-20 2026-11-21
        TODAY 2026-11-21 2026-11-22
        TOMORROW 2026-11-22 2026-11-23
        LAST_WEEK 2026-11-08 2026-11-15
        THIS_WEEK 2026-11-15 2026-11-22
        NEXT_WEEK 2026-11-22 2026-11-29
        LAST_MONTH 2026-10-01 2026-11-01
        THIS_MONTH 2026-11-01 2026-12-01
        NEXT_MONTH 2026-12-01 2027-01-01
        LAST_QUARTER 2026-07-01 2026-10-01
        THIS_QUARTER 2026-10-01 2027-01-01
        NEXT_QUARTER 2027-01-01 2027-04-01
        LAST_YEAR 2025-01-01 2026-01-01
        THIS_YEAR 2026-01-01 2027-01-01
        NEXT_YEAR 2027-01-01 2028-01-01
        THIS_FISCAL_QUARTER 2026-10-01 2027-01-01
        LAST_FISCAL_YEAR 2025-01-01 2026-01-01
        LAST_90_DAYS 2026-08-23 2026-11-22
        NEXT_90_DAYS 2026-11-22 2027-02-20
        LAST_N_DAYS:1 2026-11-20 2026-11-22
        NEXT_N_DAYS:1 2026-11-22 2026-11-23
        N_DAYS_AGO:25 2026-10-27 2026-10-28
        LAST_N_WEEKS:1 2026-11-08 2026-11-15
        NEXT_N_WEEKS:4 2026-11-22 2026-12-20
        N_WEEKS_AGO:3 2026-10-25 2026-11-01
        LAST_N_MONTHS:12 2025-11-01 2026-11-01
        NEXT_N_MONTHS:2 2026-12-01 2027-02-01
        N_MONTHS_AGO:6 2026-05-01 2026-06-01
        LAST_N_QUARTERS:2 2026-04-01 2026-10-01
        NEXT_N_QUARTERS:2 2027-01-01 2027-07-01
        N_QUARTERS_AGO:3 2026-01-01 2026-04-01
        LAST_N_YEARS:3 2023-01-01 2026-01-01
        NEXT_N_YEARS:5 2027-01-01 2032-01-01
        N_YEARS_AGO:2 2024-01-01 2025-01-01
        LAST_N_FISCAL_QUARTERS:6 2025-04-01 2026-10-01
        N_FISCAL_YEARS_AGO:3 2023-01-01 2024-01-01
        LAST_N_DAYS:0 2026-11-21 2026-11-22
        LAST_N_YEARS:4294967295 -009999-01-01 2026-01-01
        NEXT_N_DAYS:4294967295 2026-11-22 9999-12-31
        ");
    }

    #[test]
    fn a_week_starts_on_its_sunday() {
        let sunday: Date = "2026-11-22".parse().expect("valid");
        let days = days(DateLiteral { unit: Unit::Week, first: 0, after: 1 }, sunday);
        assert_eq!((days.start, days.end.to_string().as_str()), (sunday, "2026-11-29"));
    }
}
