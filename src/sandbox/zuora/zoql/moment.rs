//! Days and moments.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use winnow::combinator::{opt, preceded};
use winnow::error::{ContextError, ErrMode, ModalResult};
use winnow::prelude::*;
use winnow::token::{one_of, take_while};

/// Reads `2026-01-31` (documented).
pub(in crate::sandbox::zuora) fn read_day(text: &str) -> Option<Date> {
    day.parse(text).ok()
}

/// Reads `2026-01-31T12:00:00`, with `+01:00` or without (documented). Without it is a moment in `zone`, the tenant's own.
pub(in crate::sandbox::zuora) fn read_moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let (civil, offset) = (day, preceded('T', clock), opt(offset))
        .parse(text)
        .ok()
        .map(|(day, clock, offset)| (day.to_datetime(clock), offset))?;
    match offset {
        Some(offset) => offset.to_timestamp(civil).ok(),
        None => zone.to_timestamp(civil).ok(),
    }
}

fn digits<'text, T: std::str::FromStr>(count: usize) -> impl Parser<&'text str, T, ErrMode<ContextError>> {
    take_while(count..=count, |digit: char| digit.is_ascii_digit()).verify_map(|digits: &str| digits.parse().ok())
}

fn day(rest: &mut &str) -> ModalResult<Date> {
    (digits(4), '-', digits(2), '-', digits(2))
        .verify_map(|(year, _, month, _, day)| Date::new(year, month, day).ok())
        .parse_next(rest)
}

fn clock(rest: &mut &str) -> ModalResult<Time> {
    (digits(2), ':', digits(2), ':', digits(2))
        .verify_map(|(hour, _, minute, _, second)| Time::new(hour, minute, second, 0).ok())
        .parse_next(rest)
}

fn offset(rest: &mut &str) -> ModalResult<Offset> {
    (one_of(['+', '-']), digits(2), ':', digits(2))
        .verify_map(|(sign, hours, _, minutes): (_, i32, _, i32)| {
            let minutes = Some(hours * 60 + minutes).filter(|_| minutes < 60)?;
            Offset::from_seconds(if sign == '-' { -60 * minutes } else { 60 * minutes }).ok()
        })
        .parse_next(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_documented_forms_only() {
        let pacific = TimeZone::fixed(jiff::tz::offset(-8));
        let moment = |text| read_moment(text, &pacific).map(|moment| moment.to_string());
        assert_eq!(moment("2026-01-31T12:00:00").as_deref(), Some("2026-01-31T20:00:00Z"));
        assert_eq!(moment("2026-01-31T12:00:00+01:00").as_deref(), Some("2026-01-31T11:00:00Z"));
        for text in [
            "2026-01-31",
            "2026-01-31T12:00",
            "2026-01-31T12:00:00Z",
            "2026-01-31 12:00:00",
            "2026-02-30T12:00:00",
            "2026-01-31T12:00:00+0100",
            "2026-01-31T12:00:00.0+01:00",
            "2026-01-31T12:00:00+01:60",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
        assert!(read_day("2026-01-31").is_some());
        for text in ["2026-02-30", "2026-1-31", "20260131", "2026-01-31 ", "+2026-01-31", ""] {
            assert_eq!(read_day(text), None, "{text}");
        }
    }
}
