//! Ranges of days relative to the present one, such as `LAST_N_DAYS:30`.

use std::fmt;
use std::ops::Range;

use jiff::Span;
use jiff::civil::Date;

/// What a date literal counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Days.
    Day,
    /// Weeks, which start on Sunday: that depends on the user's locale (documented), and Sunday is the one of `en_US`.
    Week,
    /// Calendar months.
    Month,
    /// Calendar quarters.
    Quarter,
    /// Calendar years.
    Year,
    /// Fiscal quarters. What they are is set up in each organization and cannot be read here: they are taken as calendar quarters.
    FiscalQuarter,
    /// Fiscal years, taken as calendar years for the same reason.
    FiscalYear,
}

impl Period {
    const ALL: [Self; 7] =
        [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year, Self::FiscalQuarter, Self::FiscalYear];

    fn word(self) -> &'static str {
        match self {
            Self::Day => "DAY",
            Self::Week => "WEEK",
            Self::Month => "MONTH",
            Self::Quarter => "QUARTER",
            Self::Year => "YEAR",
            Self::FiscalQuarter => "FISCAL_QUARTER",
            Self::FiscalYear => "FISCAL_YEAR",
        }
    }

    /// The first day of the period `offset` periods after the one `today` is in; the calendar's end when it is beyond that.
    fn start(self, today: Date, offset: i64) -> Date {
        let months = |per_period: i64| {
            let month = i64::from(today.year()) * 12 + i64::from(today.month()) - 1;
            first_of_month((month.div_euclid(per_period) + offset) * per_period)
        };
        match self {
            Self::Day => add_days(today, offset),
            Self::Week => add_days(today, 7 * offset - i64::from(today.weekday().to_sunday_zero_offset())),
            Self::Month => months(1),
            Self::Quarter | Self::FiscalQuarter => months(3),
            Self::Year | Self::FiscalYear => months(12),
        }
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

/// A range of days relative to the present one.
///
/// It is not a duration: `LAST_MONTH` is the whole month before this one, not the last thirty days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateLiteral {
    /// The period before the present one: `YESTERDAY`, `LAST_WEEK`, …
    Last(Period),
    /// The present period: `TODAY`, `THIS_WEEK`, …
    This(Period),
    /// The period after the present one: `TOMORROW`, `NEXT_WEEK`, …
    Next(Period),
    /// `LAST_90_DAYS`: the 90 days before today, and today.
    Last90Days,
    /// `NEXT_90_DAYS`: the 90 days after today.
    Next90Days,
    /// `LAST_N_WEEKS:n` and the like: the n periods before the present one, and, of days only, today.
    LastN(Period, u32),
    /// `NEXT_N_WEEKS:n` and the like: the n periods after the present one.
    NextN(Period, u32),
    /// `N_WEEKS_AGO:n` and the like: the one period that lies n before the present one.
    NAgo(Period, u32),
}

/// What a name says about a date literal.
pub(super) enum Named {
    /// The name is all of it.
    Fixed(DateLiteral),
    /// The name needs `:n`.
    Counted(Period, fn(Period, u32) -> DateLiteral),
}

impl DateLiteral {
    /// The days it means, the last one excluded.
    ///
    /// The ranges are documented. Two of them are not documented in one way only: `LAST_N_DAYS` is also said to end at the
    /// present second, and is taken to the end of the day here; `LAST_N_YEARS:n` is also said to start n + 1 years
    /// ago, and is taken as the n years before this one, as weeks, months and quarters are.
    pub fn days(self, today: Date) -> Range<Date> {
        let range = |period: Period, from: i64, to: i64| period.start(today, from)..period.start(today, to);
        match self {
            Self::Last(period) => range(period, -1, 0),
            Self::This(period) => range(period, 0, 1),
            Self::Next(period) => range(period, 1, 2),
            Self::Last90Days => range(Period::Day, -90, 1),
            Self::Next90Days => range(Period::Day, 1, 91),
            Self::LastN(Period::Day, count) => range(Period::Day, -i64::from(count), 1),
            Self::LastN(period, count) => range(period, -i64::from(count), 0),
            Self::NextN(period, count) => range(period, 1, 1 + i64::from(count)),
            Self::NAgo(period, count) => range(period, -i64::from(count), 1 - i64::from(count)),
        }
    }

    /// The literal a name stands for, or `None` when it stands for none; upper and lower case are the same.
    pub(super) fn named(name: &str) -> Option<Named> {
        Self::names().into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, named)| named)
    }

    /// Every name there is.
    pub(super) fn names() -> Vec<(String, Named)> {
        let mut names = Vec::new();
        let mut fixed = |literal: Self| names.push((literal.to_string(), Named::Fixed(literal)));
        fixed(Self::Last90Days);
        fixed(Self::Next90Days);
        for period in Period::ALL {
            fixed(Self::Last(period));
            fixed(Self::This(period));
            fixed(Self::Next(period));
        }
        for period in Period::ALL {
            let word = period.word();
            names.push((format!("LAST_N_{word}S"), Named::Counted(period, Self::LastN)));
            names.push((format!("NEXT_N_{word}S"), Named::Counted(period, Self::NextN)));
            names.push((format!("N_{word}S_AGO"), Named::Counted(period, Self::NAgo)));
        }
        names
    }
}

impl fmt::Display for DateLiteral {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last(Period::Day) => formatter.write_str("YESTERDAY"),
            Self::This(Period::Day) => formatter.write_str("TODAY"),
            Self::Next(Period::Day) => formatter.write_str("TOMORROW"),
            Self::Last(period) => write!(formatter, "LAST_{}", period.word()),
            Self::This(period) => write!(formatter, "THIS_{}", period.word()),
            Self::Next(period) => write!(formatter, "NEXT_{}", period.word()),
            Self::Last90Days => formatter.write_str("LAST_90_DAYS"),
            Self::Next90Days => formatter.write_str("NEXT_90_DAYS"),
            Self::LastN(period, count) => write!(formatter, "LAST_N_{}S:{count}", period.word()),
            Self::NextN(period, count) => write!(formatter, "NEXT_N_{}S:{count}", period.word()),
            Self::NAgo(period, count) => write!(formatter, "N_{}S_AGO:{count}", period.word()),
        }
    }
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
            let (name, count) = text.split_once(':').unwrap_or((text, "0"));
            let literal = match DateLiteral::named(name).expect(text) {
                Named::Fixed(literal) => literal,
                Named::Counted(period, make) => make(period, count.parse().expect(text)),
            };
            assert_eq!(literal.to_string(), text);
            let days = literal.days(today);
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
        let days = DateLiteral::This(Period::Week).days(sunday);
        assert_eq!((days.start, days.end.to_string().as_str()), (sunday, "2026-11-29"));
    }
}
