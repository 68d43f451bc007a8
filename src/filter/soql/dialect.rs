//! How SOQL is written.

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::{Decimal, Literal};
use crate::filter::calendar::{self, has_form};
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
            .or_else(|| read_time(run).map(Literal::Time))
            .or_else(|| read_currency(run))
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
    } else if run.contains(':') {
        "times of the day are written `13:00:00Z`".to_owned()
    } else {
        "numbers are written `42` or `-1.5`; text goes in single quotes".to_owned()
    }
}

fn read_date(text: &str) -> Option<Date> {
    calendar::read_day(text).filter(has_valid_year)
}

/// Reads a moment with `Z`, `+01:00` or `-08:00` (documented), with `+0000` as the system itself writes it (client), and with
/// milliseconds (client: `.000Z`).
fn read_moment(text: &str) -> Option<Timestamp> {
    read_date(text.get(..10)?)?;
    let colon = text.len().checked_sub("00".len())?;
    let (start, minutes) = text.split_at_checked(colon)?;
    let has_plain_offset = has_form(text.get(colon.checked_sub(3)?..)?.get(1..)?, "0000");
    let spelled = if has_plain_offset { format!("{start}:{minutes}") } else { text.to_owned() };
    calendar::read_moment(&spelled).filter(is_in_milliseconds)
}

/// Reads a time of the day, `01:00:00Z` or `01:00:00.000Z` (client).
fn read_time(text: &str) -> Option<Time> {
    let has_known_form = ["00:00:00Z", "00:00:00.000Z"].iter().any(|form| has_form(text, form));
    has_known_form.then(|| text.strip_suffix('Z')?.parse().ok()).flatten()
}

/// Reads an amount with its currency, `USD5000` (documented).
pub(super) fn read_currency(text: &str) -> Option<Literal> {
    let (code, amount) = text.split_at_checked("USD".len())?;
    let is_code = code.bytes().all(|byte| byte.is_ascii_uppercase());
    let amount = Decimal::new(amount).filter(|_| is_code && amount.starts_with(|first: char| first.is_ascii_digit()))?;
    Some(Literal::Currency(code.to_owned(), amount))
}

pub(super) fn has_valid_year(date: &Date) -> bool {
    YEARS.contains(&date.year())
}

/// Whether the language can say this moment to its end.
pub(super) fn is_in_milliseconds(moment: &Timestamp) -> bool {
    moment.subsec_nanosecond() % 1_000_000 == 0
}
