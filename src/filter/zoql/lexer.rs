//! Cuts ZOQL text into tokens.

use super::Operator;
use super::moment::read_moment;
use super::parser::mistake;
use crate::filter::{Decimal, Place, SyntaxError};

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub place: Place,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A keyword, a name, names joined by dots.
    Word,
    /// Quoted text, still with its quotes and escapes.
    Text,
    Number(Decimal),
    /// A moment without quotes.
    Moment,
    Operator(Operator),
    /// A parenthesis, a comma, a semicolon.
    Symbol(char),
}

/// Cuts `text` into tokens, or tells the first piece that cannot be one.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let rest = &text[start..];
        let (kind, length) = match first {
            ' ' | '\t' | '\n' | '\r' => {
                start += 1;
                continue;
            }
            '(' | ')' | ',' | ';' => (TokenKind::Symbol(first), 1),
            '\'' | '"' => (TokenKind::Text, quoted(rest, first, start)?),
            'a'..='z' | 'A'..='Z' | '_' => {
                (TokenKind::Word, run(rest, |other| other.is_ascii_alphanumeric() || matches!(other, '_' | '.')))
            }
            '0'..='9' | '+' | '-' | '.' => number(rest, start)?,
            _ => operator(rest, start)?,
        };
        tokens.push(Token { kind, place: Place { start, end: start + length } });
        start += length;
    }
    Ok(tokens)
}

fn run(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|other: char| !belongs(other)).unwrap_or(rest.len())
}

/// The length of quoted text. Single quotes are documented; double ones are taken by real tenants (client).
fn quoted(rest: &str, quote: char, start: usize) -> Result<usize, SyntaxError> {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            other if other == quote => return Ok(at + 1),
            _ => {}
        }
    }
    let place = Place { start, end: start + 1 };
    Err(mistake(
        place,
        "this text is never closed",
        &format!("end it with `{quote}`; inside text it is written `\\{quote}`"),
    ))
}

/// Numbers and moments start with a digit or a sign; their whole run is judged at once, so that nothing of a malformed one is
/// taken for something else.
fn number(rest: &str, start: usize) -> Result<(TokenKind, usize), SyntaxError> {
    let length = run(rest, |other| other.is_ascii_alphanumeric() || matches!(other, '.' | ':' | '+' | '-' | '_'));
    let run = &rest[..length];
    if let Some(number) = Decimal::new(run) {
        return Ok((TokenKind::Number(number), length));
    }
    if read_moment(run, &jiff::tz::TimeZone::UTC).is_some() {
        return Ok((TokenKind::Moment, length));
    }
    let place = Place { start, end: start + length.max(1) };
    let help = "numbers are written `42` or `-1.5`, days `'2026-01-31'`, moments `'2026-01-31T12:00:00+00:00'`";
    Err(mistake(place, "this is neither a number nor a moment", help))
}

fn operator(rest: &str, start: usize) -> Result<(TokenKind, usize), SyntaxError> {
    const OPERATORS: [(&str, Operator); 6] = [
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("=", Operator::Equal),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    const STRANGE: [(&str, &str); 7] = [
        ("<>", "another value is `!=`"),
        ("==", "equality is written `=`"),
        ("!", "another value is `!=`"),
        ("&&", "write `and`"),
        ("||", "write `or`"),
        ("*", "name the fields"),
        ("/*", "ZOQL has no comments; a manifest can hold them outside the filter"),
    ];
    let starts = |text: &&str| rest.starts_with(*text);
    if let Some((_, operator)) = OPERATORS.iter().find(|(text, _)| starts(text))
        && !["<>", "=="].iter().any(starts)
    {
        let length = operator.to_string().len();
        return Ok((TokenKind::Operator(*operator), length));
    }
    match STRANGE.iter().find(|(text, _)| starts(text)) {
        Some((text, help)) => {
            let place = Place { start, end: start + text.len() };
            Err(mistake(place, format!("ZOQL has no `{text}`"), help))
        }
        None => {
            let character = rest.chars().next().unwrap_or_default();
            let place = Place { start, end: start + character.len_utf8() };
            let message = format!("unexpected character `{}`", character.escape_debug());
            Err(mistake(place, message, "text is written in straight single quotes, as in `'Each'`"))
        }
    }
}
