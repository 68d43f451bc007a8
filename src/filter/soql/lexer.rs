//! Cuts SOQL text into tokens.

use jiff::Timestamp;
use jiff::civil::Date;

use super::parser::MAX_ERRORS;
use super::{Decimal, Operator, Place, SyntaxError};
use crate::filter::error::shown;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub place: Place,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A keyword, a path, the name of a date literal.
    Word,
    /// Quoted text, still with its quotes and escapes.
    Text,
    Number(Decimal),
    Date(Date),
    DateTime(Timestamp),
    Operator(Operator),
    Open,
    Close,
    Comma,
    Colon,
}

/// The years that have valid dates (documented).
pub(super) const YEARS: std::ops::RangeInclusive<i16> = 1700..=4000;

/// Cuts `text` into tokens, or tells everything that cannot be one.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Vec<SyntaxError>> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), errors: Vec::new() };
    while let Some(character) = lexer.rest().chars().next() {
        if let Err(error) = lexer.token(character) {
            lexer.errors.push(error);
            if lexer.errors.len() == MAX_ERRORS {
                break;
            }
        }
    }
    if lexer.errors.is_empty() { Ok(lexer.tokens) } else { Err(lexer.errors) }
}

struct Lexer<'text> {
    text: &'text str,
    at: usize,
    tokens: Vec<Token>,
    errors: Vec<SyntaxError>,
}

impl<'text> Lexer<'text> {
    fn rest(&self) -> &'text str {
        &self.text[self.at..]
    }

    /// Moves over `length` bytes and gives their place.
    fn take(&mut self, length: usize) -> Place {
        let start = self.at;
        self.at += length;
        Place { start, end: self.at }
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        let place = self.take(length);
        self.tokens.push(Token { kind, place });
    }

    fn token(&mut self, first: char) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let second = rest[first.len_utf8()..].chars().next();
        match (first, second) {
            (' ' | '\t' | '\n' | '\r', _) => {
                self.take(1);
            }
            ('\'', _) => return self.quoted(),
            ('(', _) => self.push(TokenKind::Open, 1),
            (')', _) => self.push(TokenKind::Close, 1),
            (',', _) => self.push(TokenKind::Comma, 1),
            (':', _) => self.push(TokenKind::Colon, 1),
            ('=', Some('=')) => return Err(self.strange(2, "equality is written `=`")),
            ('=', _) => self.push(TokenKind::Operator(Operator::Equal), 1),
            ('!', Some('=')) | ('<', Some('>')) => self.push(TokenKind::Operator(Operator::NotEqual), 2),
            ('<', Some('=')) => self.push(TokenKind::Operator(Operator::LessOrEqual), 2),
            ('>', Some('=')) => self.push(TokenKind::Operator(Operator::GreaterOrEqual), 2),
            ('<', _) => self.push(TokenKind::Operator(Operator::Less), 1),
            ('>', _) => self.push(TokenKind::Operator(Operator::Greater), 1),
            ('-', Some('-')) | ('/', Some('*' | '/')) => {
                // One comment is one mistake: what it says is not looked at.
                let length = match second {
                    Some('*') => rest.find("*/").map_or(rest.len(), |end| end + 2),
                    _ => rest.find('\n').unwrap_or(rest.len()),
                };
                let place = self.take(length);
                return Err(SyntaxError::new(Place { end: place.start + 2, ..place }, "the language has no comments")
                    .with_help("leave it out; a manifest can hold comments outside the filter"));
            }
            ('0'..='9', _) | ('+' | '-' | '.', Some('0'..='9')) => return self.number(),
            ('a'..='z' | 'A'..='Z' | '_', _) => return self.word(),
            ('!', _) => return Err(self.strange(1, "write `!=` for another value and `NOT (…)` to turn a condition round")),
            ('&', Some('&')) => return Err(self.strange(2, "write `AND`")),
            ('|', Some('|')) => return Err(self.strange(2, "write `OR`")),
            ('"', _) => return Err(self.misquoted('"')),
            ('‘' | '’' | '“' | '”' | '`', _) => return Err(self.misquoted(first)),
            (';', _) => return Err(self.strange(1, "leave it out")),
            (other, _) => {
                let place = self.take(other.len_utf8());
                return Err(SyntaxError::new(place, format!("unexpected character `{}`", other.escape_debug())));
            }
        }
        Ok(())
    }

    fn strange(&mut self, length: usize, help: &str) -> SyntaxError {
        let place = self.take(length);
        SyntaxError::new(place, format!("unexpected `{}`", &self.text[place.start..place.end])).with_help(help)
    }

    /// Text in the wrong quotes is one mistake up to the closing one.
    fn misquoted(&mut self, quote: char) -> SyntaxError {
        let inside = &self.rest()[quote.len_utf8()..];
        let closing = |character| match quote {
            '‘' | '’' => matches!(character, '‘' | '’'),
            '“' | '”' => matches!(character, '“' | '”'),
            other => character == other,
        };
        let length = inside.char_indices().find(|(_, character)| closing(*character));
        let length = length.map_or(0, |(at, character)| at + character.len_utf8());
        let place = self.take(quote.len_utf8() + length);
        SyntaxError::new(place, format!("unexpected quotation mark `{quote}`"))
            .with_help("text is written in straight single quotes, as in `'Closed'`")
    }

    fn quoted(&mut self) -> Result<(), SyntaxError> {
        let mut escaped = false;
        for (at, character) in self.rest().char_indices().skip(1) {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '\'' => {
                    self.push(TokenKind::Text, at + 1);
                    return Ok(());
                }
                _ => {}
            }
        }
        let place = self.take(self.rest().len());
        let opening = Place { end: place.start + 1, ..place };
        Err(SyntaxError::new(opening, "this text is never closed")
            .with_help("end it with `'`; a quotation mark inside text is written `\\'`"))
    }

    fn word(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let length =
            rest.find(|other: char| !other.is_ascii_alphanumeric() && !matches!(other, '_' | '.')).unwrap_or(rest.len());
        if super::Path::new(&rest[..length], Place::default()).is_some() {
            self.push(TokenKind::Word, length);
            return Ok(());
        }
        let place = self.take(length);
        Err(SyntaxError::new(place, format!("{} is not a field", shown(&rest[..length])))
            .with_help("names are letters, digits and `_`, start with a letter, and are joined by single dots"))
    }

    /// Numbers, dates and moments all start with a digit or a sign; their whole run is judged at once, so that nothing of a
    /// malformed one is taken for something else.
    fn number(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let in_run = |other: char| other.is_ascii_alphanumeric() || matches!(other, '.' | ':' | '+' | '-' | '_');
        let length = rest.find(|other: char| !in_run(other)).unwrap_or(rest.len());
        let run = &rest[..length];
        let kind = Decimal::new(run)
            .map(TokenKind::Number)
            .or_else(|| read_date(run).map(TokenKind::Date))
            .or_else(|| read_moment(run).map(TokenKind::DateTime));
        match kind {
            Some(kind) => {
                self.push(kind, length);
                Ok(())
            }
            None => {
                let place = self.take(length);
                Err(SyntaxError::new(place, format!("{} is neither a number nor a date", shown(run)))
                    .with_help(number_help(run)))
            }
        }
    }
}

fn number_help(run: &str) -> String {
    let looks_like_a_date = run.bytes().take_while(u8::is_ascii_digit).count() == 4 && run.get(4..5) == Some("-");
    if looks_like_a_date {
        format!(
            "dates are written `2026-01-31`, moments `2026-01-31T12:00:00Z` or `2026-01-31T12:00:00+01:00`, from the year {} to {}",
            YEARS.start(),
            YEARS.end()
        )
    } else {
        "numbers are written `42` or `-1.5`; text stands in single quotes".to_owned()
    }
}

/// Reads `2026-01-31`, and nothing that only resembles it.
pub(super) fn read_date(text: &str) -> Option<Date> {
    has_form(text, "0000-00-00").then(|| text.parse().ok()).flatten().filter(|date: &Date| YEARS.contains(&date.year()))
}

/// Reads `2026-01-31T12:00:00Z`, with `+01:00` or `-08:00` in place of the `Z` (documented), and with milliseconds
/// (a guess: clients send `.000Z`).
pub(super) fn read_moment(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_at_checked(10)?;
    read_date(date)?;
    let (clock, rest) = time.split_at_checked(9)?;
    let offset =
        rest.split_at_checked(4).filter(|(fraction, _)| has_form(fraction, ".000")).map_or(rest, |(_, offset)| offset);
    let well_formed =
        has_form(clock, "T00:00:00") && (offset == "Z" || has_form(offset, "+00:00") || has_form(offset, "-00:00"));
    well_formed.then(|| text.parse().ok()).flatten()
}

/// Whether `text` has a digit wherever `form` has `0`, and the same characters elsewhere.
fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates_in_their_documented_form_only() {
        assert!(read_date("2026-01-31").is_some());
        for text in ["2026-02-30", "2026-1-31", "20260131", "2026-01-31 ", "1699-12-31", "4001-01-01", "+2026-01-31"] {
            assert_eq!(read_date(text), None, "{text}");
        }
        for text in
            ["1999-01-01T23:01:01+01:00", "1999-01-01T23:01:01-08:00", "1999-01-01T23:01:01Z", "1999-01-01T23:01:01.000Z"]
        {
            assert!(read_moment(text).is_some(), "{text}");
        }
        for text in [
            "1999-01-01",
            "1999-01-01T23:01Z",
            "1999-01-01t23:01:01Z",
            "1999-01-01T23:01:01z",
            "1999-01-01 23:01:01Z",
            "1999-01-01T23:01:01",
            "1999-01-01T23:01:01+0100",
            "1999-01-01T23:01:01.Z",
            "1999-01-01T25:01:01Z",
            "1999-01-01T23:01:01Z[UTC]",
            "1999-01-01T23:01:01é",
        ] {
            assert_eq!(read_moment(text), None, "{text}");
        }
    }
}
