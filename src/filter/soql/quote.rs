//! Quoted text: the only place where SOQL text literals are written and read.

use std::fmt::{self, Write as _};

use super::{Place, SyntaxError};
use crate::filter::escape;

/// The longest text literal, in characters (documented).
pub(super) const MAX_TEXT_CHARACTERS: usize = 4_000;

/// A pattern for `LIKE`.
///
/// It is not the text between the quotes: here a literal `%` and the wildcard `%` are different parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern(pub Vec<PatternPart>);

/// One part of a [`Pattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternPart {
    /// This character, in upper or lower case.
    Exactly(char),
    /// Any run of characters, also none (`%`).
    AnyRun,
    /// Any one character (`_`).
    AnyOne,
}

impl Pattern {
    /// The pattern of a manifest: `%` is any characters or none, `_` any one character, and a backslash makes a following `%`, `_`
    /// or backslash literal. A backslash before anything else is literal.
    pub fn from_wildcards(text: &str) -> Self {
        let mut characters = text.chars().peekable();
        let mut parts = Vec::new();
        while let Some(character) = characters.next() {
            parts.push(match character {
                '\\' => PatternPart::Exactly(characters.next_if(|next| matches!(next, '%' | '_' | '\\')).unwrap_or('\\')),
                other => wildcard(other),
            });
        }
        Self(parts)
    }
}

fn wildcard(character: char) -> PatternPart {
    match character {
        '%' => PatternPart::AnyRun,
        '_' => PatternPart::AnyOne,
        other => PatternPart::Exactly(other),
    }
}

/// Writes `text` as a quoted literal that reads back as exactly `text`.
pub(super) fn write_text(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    formatter.write_char('\'')?;
    text.chars().try_for_each(|character| write_character(formatter, character))?;
    formatter.write_char('\'')
}

/// Writes a pattern as a quoted literal.
pub(super) fn write_pattern(formatter: &mut fmt::Formatter<'_>, pattern: &Pattern) -> fmt::Result {
    formatter.write_char('\'')?;
    for part in &pattern.0 {
        match part {
            PatternPart::AnyRun => formatter.write_char('%')?,
            PatternPart::AnyOne => formatter.write_char('_')?,
            PatternPart::Exactly(special @ ('%' | '_')) => write!(formatter, "\\{special}")?,
            PatternPart::Exactly(character) => write_character(formatter, *character)?,
        }
    }
    formatter.write_char('\'')
}

fn write_character(formatter: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    let has_sequence = matches!(character, '\n' | '\r' | '\t' | '\u{c}');
    if !has_sequence && (character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')) {
        return write!(formatter, "\\u{:04X}", u32::from(character));
    }
    escape::write_character(formatter, character)
}

/// Reads the inside of a text literal, where `%` and `_` are ordinary characters. `start` is where the inside starts.
pub(super) fn read_text(inside: &str, start: usize) -> Result<String, SyntaxError> {
    let mut text = String::with_capacity(inside.len());
    read(inside, start, false, |part| {
        if let PatternPart::Exactly(character) = part {
            text.push(character);
        }
    })?;
    Ok(text)
}

/// Reads the inside of a pattern literal. `start` is where the inside starts.
///
/// A doubled backslash is taken as one that stands for itself (documented for text, a guess for patterns).
pub(super) fn read_pattern(inside: &str, start: usize) -> Result<Pattern, SyntaxError> {
    let mut parts = Vec::with_capacity(inside.len());
    read(inside, start, true, |part| parts.push(part))?;
    Ok(Pattern(parts))
}

fn read(inside: &str, start: usize, in_pattern: bool, mut take: impl FnMut(PatternPart)) -> Result<(), SyntaxError> {
    let mut rest = inside;
    let mut count = 0;
    while let Some(character) = rest.chars().next() {
        let (part, length) = match character {
            '\\' => read_escape(rest, start + inside.len() - rest.len(), in_pattern)?,
            other if in_pattern => (wildcard(other), other.len_utf8()),
            other => (PatternPart::Exactly(other), other.len_utf8()),
        };
        take(part);
        rest = &rest[length..];
        count += 1;
    }
    if count > MAX_TEXT_CHARACTERS {
        let place = Place { start: start - 1, end: start + inside.len() + 1 };
        let message = format!("this text has {count} characters, and the system takes at most {MAX_TEXT_CHARACTERS}");
        return Err(SyntaxError::new(place, message).with_help("compare its beginning with `LIKE`"));
    }
    Ok(())
}

/// Reads the escape sequence at the start of `rest`; also gives its length.
///
/// The sequences are documented, in either case of their letter. `\b` is neither read nor written: the documentation calls it a bell in
/// one language and a backspace in another.
fn read_escape(rest: &str, at: usize, in_pattern: bool) -> Result<(PatternPart, usize), SyntaxError> {
    let letter = rest.chars().nth(1).unwrap_or('\\');
    let character = match escape::unescaped(letter.to_ascii_lowercase()) {
        Some('\u{8}') => {
            let place = Place { start: at, end: at + 2 };
            let help = "write `\\u0007` for a bell, `\\u0008` for a backspace";
            return Err(SyntaxError::new(
                place,
                format!("`\\{letter}` is a bell or a backspace: the system's documentation says both"),
            )
            .with_help(help));
        }
        Some(character) => character,
        None if in_pattern && matches!(letter, '%' | '_') => letter,
        None if letter == 'u' => return read_code(rest, at),
        None => {
            let place = Place { start: at, end: at + 1 + letter.len_utf8() };
            let help = match letter {
                '%' | '_' => format!("only `LIKE` knows `\\{letter}`: leave the backslash out"),
                _ => "a backslash that stands for itself is written twice; the sequences are \
                      `\\'` `\\\"` `\\\\` `\\n` `\\r` `\\t` `\\f` `\\u00E9`, and `\\_` `\\%` after `LIKE`"
                    .to_owned(),
            };
            return Err(SyntaxError::new(place, format!("`\\{letter}` is not an escape sequence")).with_help(help));
        }
    };
    Ok((PatternPart::Exactly(character), 2))
}

/// Reads `\uXXXX`, or two of them that are one character beyond the first 65,536.
fn read_code(rest: &str, at: usize) -> Result<(PatternPart, usize), SyntaxError> {
    let unit = |from: usize| {
        let digits = rest.get(from..from + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok()).flatten()
    };
    let units = [unit(0), unit(6)];
    let first = units[0].and_then(|unit| char::decode_utf16([unit]).next()?.ok()).map(|character| (character, 6));
    let pair = || {
        let pair = [units[0]?, units[1]?];
        Some((char::decode_utf16(pair).next()?.ok()?, 12))
    };
    match first.or_else(pair) {
        Some((character, length)) => Ok((PatternPart::Exactly(character), length)),
        None => {
            let length: usize = rest.chars().take(6).map(char::len_utf8).sum();
            Err(SyntaxError::new(
                Place { start: at, end: at + length },
                "`\\u` needs the four hexadecimal digits of a character",
            )
            .with_help("as in `\\u00E9` for é"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_escape_sequence_that_is_documented() {
        let read = |inside| read_text(inside, 1).map_err(|error| error.message);
        assert_eq!(read(r#"\n\N\r\R\t\T\f\F\"\'\\"#).as_deref(), Ok("\n\n\r\r\t\t\u{c}\u{c}\"'\\"));
        assert_eq!(read(r"\u00e9\u00E9\uD83D\uDE00").as_deref(), Ok("éé😀"));
        for wrong in
            [r"\b", r"\B", r"\x", r"\%", r"\_", r"\u12", r"\u12G4", r"\uD83D", r"\uDE00", r"\uD83Dé", r"\é", r"\u+123"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_wildcard_in_a_manifest_can_stand_for_itself() {
        use PatternPart::{AnyOne, AnyRun, Exactly};
        assert_eq!(
            Pattern::from_wildcards(r"%_\%\_\\\a\").0,
            [AnyRun, AnyOne, Exactly('%'), Exactly('_'), Exactly('\\'), Exactly('\\'), Exactly('a'), Exactly('\\')]
        );
    }
}
