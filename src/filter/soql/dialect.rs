//! How SOQL is written.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Decimal, Literal};
use crate::filter::calendar;
use crate::filter::lexer::Dialect;

/// The years that have valid dates (documented).
pub(super) const YEARS: std::ops::RangeInclusive<i16> = 1700..=4000;

/// SOQL.
pub(super) const SOQL: Dialect<Literal> = Dialect {
    name: "SOQL",
    max_characters: 100_000,
    quotes: &['\''],
    symbols: &['(', ')', ',', ':'],
    foreign: &[("!", "write `!=` for another value and `NOT (…)` to negate a condition")],
    value: |run| {
        Decimal::new(run)
            .map(Literal::Number)
            .or_else(|| read_date(run).map(Literal::Date))
            .or_else(|| read_moment(run).map(Literal::DateTime))
    },
    value_help,
    example: "Status = 'Closed'",
};

fn value_help(run: &str) -> String {
    let looks_like_a_date = run.bytes().take_while(u8::is_ascii_digit).count() == 4 && run.get(4..5) == Some("-");
    if looks_like_a_date {
        format!(
            "dates are written `2026-01-31`, moments `2026-01-31T12:00:00Z` or `2026-01-31T12:00:00+01:00`, from the year {} to {}",
            YEARS.start(),
            YEARS.end()
        )
    } else {
        "numbers are written `42` or `-1.5`; text goes in single quotes".to_owned()
    }
}

fn read_date(text: &str) -> Option<Date> {
    calendar::read_day(text).filter(has_valid_year)
}

/// Reads a moment with `Z`, `+01:00` or `-08:00` (documented), and with milliseconds (a guess: clients send `.000Z`).
fn read_moment(text: &str) -> Option<Timestamp> {
    read_date(text.get(..10)?)?;
    calendar::read_moment(text).filter(is_in_milliseconds)
}

pub(super) fn has_valid_year(date: &Date) -> bool {
    YEARS.contains(&date.year())
}

/// Whether the language can say this moment to its end.
pub(super) fn is_in_milliseconds(moment: &Timestamp) -> bool {
    moment.subsec_nanosecond() % 1_000_000 == 0
}
