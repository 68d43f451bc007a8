//! Values in SOQL.

use jiff::Timestamp;
use jiff::civil::{Date, Time, date, time};
use jiff::tz::Offset;
use winnow::combinator::{alt, opt, preceded};
use winnow::error::{ErrMode, ModalResult};
use winnow::prelude::*;
use winnow::token::{any, one_of, take_while};

use super::date_literal::DateLiteral;
use super::lexer::Read;
use super::refusal::{Reason, Refusal};
use super::text::{Pattern, read_text};
use super::token::{Kind, Token, Tokens};
use super::tree::Literal;

/// The longest text, in characters (documented).
const LONGEST_TEXT: usize = 4_000;

/// Reads one value.
pub(super) fn literal(input: &mut Tokens<'_>) -> Read<Literal> {
    let Some(token) = input.first() else {
        return Err(ErrMode::Backtrack(Refusal { start: Refusal::END, reason: Reason::Token }));
    };
    match token.kind {
        Kind::Text => text(input).map(Literal::Text),
        Kind::Word => any.verify_map(|token: &Token<'_>| word(token.text)).parse_next(input),
        Kind::Number => {
            let value = number(token.text);
            if let Some(Literal::Date(_) | Literal::DateTime(_)) = &value
                && !value.as_ref().is_some_and(is_in_range)
            {
                // That there are bounds is documented, the words are a guess.
                return Err(Refusal::stop(input, Reason::Said("the date is not between 1700-01-01 and 4000-12-31")));
            }
            any.verify_map(|_: &Token<'_>| value.clone()).parse_next(input)
        }
        Kind::Symbol if token.text == ":" => {
            // Seen by clients.
            Err(Refusal::stop(input, Reason::Said("Bind variables only allowed in Apex code")))
        }
        Kind::Symbol => Err(ErrMode::Backtrack(winnow::error::ParserError::from_input(input))),
    }
}

/// Reads quoted text.
pub(super) fn text(input: &mut Tokens<'_>) -> Read<String> {
    let written = quoted(input)?;
    read_text(written.0)
        .ok_or_else(|| bad_escape(written.1))
        .and_then(|text| bounded(text, |text| text.chars().count(), written.1))
}

/// Reads the pattern of `LIKE`.
pub(super) fn pattern(input: &mut Tokens<'_>) -> Read<Pattern> {
    let written = quoted(input)?;
    Pattern::read(written.0)
        .ok_or_else(|| bad_escape(written.1))
        .and_then(|pattern| bounded(pattern, |pattern| pattern.0.len(), written.1))
}

/// What stands between two quotes, and where they begin.
fn quoted<'text>(input: &mut Tokens<'text>) -> Read<(&'text str, usize)> {
    any.verify_map(|token: &Token<'text>| {
        let inside = token.text.get(1..token.text.len().saturating_sub(1))?;
        (token.kind == Kind::Text).then_some((inside, token.start))
    })
    .parse_next(input)
}

/// The words are a guess.
fn bad_escape(start: usize) -> ErrMode<Refusal> {
    ErrMode::Cut(Refusal {
        start,
        reason: Reason::Said("invalid string literal: illegal character sequence behind a backslash"),
    })
}

fn bounded<T>(value: T, length: impl FnOnce(&T) -> usize, start: usize) -> Read<T> {
    if length(&value) > LONGEST_TEXT {
        // The bound is documented, the words are a guess.
        return Err(ErrMode::Cut(Refusal {
            start,
            reason: Reason::Said("a string literal is longer than 4000 characters"),
        }));
    }
    Ok(value)
}

fn word(text: &str) -> Option<Literal> {
    match text.to_ascii_lowercase().as_str() {
        "null" => Some(Literal::Null),
        "true" => Some(Literal::Boolean(true)),
        "false" => Some(Literal::Boolean(false)),
        _ => DateLiteral::read(text).map(Literal::DateLiteral).or_else(|| currency(text)),
    }
}

/// An amount with the code of its currency before it, in capitals as ISO writes it; that small letters will not do is a guess.
fn currency(text: &str) -> Option<Literal> {
    let (code, amount) =
        text.split_at_checked(3).filter(|(code, _)| code.bytes().all(|letter| letter.is_ascii_uppercase()))?;
    let amount = decimal.parse(amount).ok().filter(|_| amount.starts_with(|first: char| first.is_ascii_digit()))?;
    Some(Literal::Currency(code.to_owned(), amount))
}

fn number(text: &str) -> Option<Literal> {
    let moment = (day, preceded('T', clock), offset)
        .verify_map(|(day, clock, offset)| offset.to_timestamp(day.to_datetime(clock)).ok());
    alt((
        moment.map(Literal::DateTime),
        (clock, 'Z').map(|(clock, _)| Literal::Time(clock)),
        day.map(Literal::Date),
        decimal.map(Literal::Number),
    ))
    .parse(text)
    .ok()
}

/// Digits, with a fraction perhaps. That there is no exponent and no number that begins or ends with the point is a guess.
fn decimal(rest: &mut &str) -> ModalResult<f64> {
    let digits = || take_while(1.., |digit: char| digit.is_ascii_digit());
    (opt(one_of(['+', '-'])), digits(), opt(('.', digits())))
        .take()
        .verify_map(|digits: &str| digits.parse().ok())
        .parse_next(rest)
}

fn digits<'text, T: std::str::FromStr>(count: usize) -> impl Parser<&'text str, T, ErrMode<winnow::error::ContextError>> {
    take_while(count..=count, |digit: char| digit.is_ascii_digit()).verify_map(|digits: &str| digits.parse().ok())
}

/// `2026-01-31` (documented).
fn day(rest: &mut &str) -> ModalResult<Date> {
    (digits(4), '-', digits(2), '-', digits(2))
        .verify_map(|(year, _, month, _, day)| Date::new(year, month, day).ok())
        .parse_next(rest)
}

/// `23:59:59`, with a fraction of the second perhaps (recorded in answers).
fn clock(rest: &mut &str) -> ModalResult<Time> {
    let fraction = opt(preceded('.', take_while(1..=9, |digit: char| digit.is_ascii_digit())));
    (digits(2), ':', digits(2), ':', digits(2), fraction)
        .verify_map(|(hour, _, minute, _, second, fraction): (i8, _, i8, _, i8, Option<&str>)| {
            let nanosecond = format!("{:0<9}", fraction.unwrap_or_default()).parse().ok()?;
            Time::new(hour, minute, second, nanosecond).ok()
        })
        .parse_next(rest)
}

/// `Z`, `+01:00` or `-08:00` (documented), `+0000` (recorded in answers, and taken back). Up to 14 hours (documented by reference to
/// XML Schema).
fn offset(rest: &mut &str) -> ModalResult<Offset> {
    let away =
        (one_of(['+', '-']), digits(2), opt(':'), digits(2)).verify_map(|(sign, hours, _, minutes): (_, i32, _, i32)| {
            let minutes = Some(hours * 60 + minutes).filter(|total| minutes < 60 && *total <= 14 * 60)?;
            Offset::from_seconds(if sign == '-' { -60 * minutes } else { 60 * minutes }).ok()
        });
    alt(('Z'.value(Offset::UTC), away)).parse_next(rest)
}

/// Whether a day or a moment is one that the vendor has (documented, up to the zone of the user).
fn is_in_range(value: &Literal) -> bool {
    let (first, last) = (date(1700, 1, 1), date(4000, 12, 31));
    let moment = |day: Date| Offset::UTC.to_timestamp(day.to_datetime(time(0, 0, 0, 0)));
    match value {
        Literal::Date(day) => (first..=last).contains(day),
        Literal::DateTime(at) => {
            let bound = |day: Date, or: Timestamp| moment(day).unwrap_or(or);
            (bound(first, Timestamp::MIN)..=bound(last, Timestamp::MAX)).contains(at)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_days_moments_and_times_in_their_forms_only() {
        let read = |text: &str| number(text).map(|value| format!("{value:?}"));
        for (text, value) in [
            ("42", "Number(42.0)"),
            ("-1.5", "Number(-1.5)"),
            ("+007", "Number(7.0)"),
            ("2026", "Number(2026.0)"),
            ("2026-01-31", "Date(2026-01-31)"),
            ("2026-01-31T12:00:00Z", "DateTime(2026-01-31T12:00:00Z)"),
            ("2026-01-31T12:00:00.5+01:00", "DateTime(2026-01-31T11:00:00.5Z)"),
            ("2026-01-31T12:00:00.000-0830", "DateTime(2026-01-31T20:30:00Z)"),
            ("23:59:59Z", "Time(23:59:59)"),
            ("01:00:00.000Z", "Time(01:00:00)"),
        ] {
            assert_eq!(read(text).as_deref(), Some(value), "{text}");
        }
        for text in [
            "1e5",
            "1.",
            "--1",
            "+",
            "1_000",
            "2026-1-31",
            "2026-02-30",
            "2026-01-31T12:00:00",
            "2026-01-31T12:00Z",
            "2026-01-31t12:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:00:00+00",
            "2026-01-31T12:00:00+15:00",
            "2026-01-31T12:00:00+0060",
            "2026-01-31T12:00:00.Z",
            "01:00:00",
            "1:00:00Z",
            "01:00Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
