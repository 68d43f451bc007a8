//! Quoted text: the only place where ZOQL text literals are written and read.

use std::fmt::{self, Write as _};

use super::{Place, SyntaxError};
use crate::filter::escape;

/// A pattern for `like`: `%` is any characters or none, `_` any one character. Neither can be literal.
///
/// **Invariants** (documented): at most one `%`, at the beginning or at the end. No backslash: how the language reads one in a
/// pattern is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Takes `text` as a pattern, or says why the language has no such pattern.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let inside = text.strip_prefix('%').or_else(|| text.strip_suffix('%')).unwrap_or(text);
        if inside.contains('%') {
            return Err("in ZOQL a pattern has one `%`, at its beginning or at its end");
        }
        if text.contains('\\') {
            return Err("in ZOQL a pattern cannot look for a `\\`, nor for a `%` or `_` that stands for itself");
        }
        if text.chars().any(is_unwritable) {
            return Err(UNWRITABLE);
        }
        Ok(Self(text.to_owned()))
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why text with other control characters than these is refused.
pub(super) const UNWRITABLE: &str = "in ZOQL text cannot hold this control character";

/// Whether a character has no escape sequence and cannot be carried as it is.
pub(super) fn is_unwritable(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t' | '\u{8}' | '\u{c}')
}

/// Writes `text` as a quoted literal that reads back as exactly `text`.
pub(super) fn write_text(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    formatter.write_char('\'')?;
    text.chars().try_for_each(|character| escape::write_character(formatter, character))?;
    formatter.write_char('\'')
}

/// Reads the inside of a text literal. `start` is where the inside starts.
pub(super) fn read_text(inside: &str, start: usize) -> Result<String, SyntaxError> {
    let mut text = String::with_capacity(inside.len());
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        let wrong = |length: usize, message: String| {
            let place = Place { start: start + at, end: start + at + length };
            let help = "the sequences are `\\'` `\\\"` `\\\\` `\\n` `\\r` `\\t` `\\b` `\\f`; a backslash is written twice";
            Err(SyntaxError::new(place, message).with_help(help))
        };
        if is_unwritable(character) {
            return wrong(character.len_utf8(), UNWRITABLE.to_owned());
        }
        if character != '\\' {
            text.push(character);
            continue;
        }
        let letter = characters.next().map(|(_, letter)| letter).unwrap_or_default();
        match escape::unescaped(letter) {
            Some(meant) => text.push(meant),
            None => {
                let message = format!("`\\{}` is not an escape sequence", letter.escape_debug());
                return wrong(1 + letter.len_utf8(), message);
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_escape_sequence_that_is_documented_and_no_other() {
        assert_eq!(read_text(r#"\b\f\n\r\t\'\"\\é"#, 0), Ok("\u{8}\u{c}\n\r\t'\"\\é".to_owned()));
        for (wrong, place) in [(r"a\x", 1..3), (r"\%", 0..2), (r"\é", 0..3), ("\u{0}", 0..1)] {
            let error = read_text(wrong, 0).expect_err(wrong);
            assert_eq!(error.start..error.end, place);
        }
    }

    #[test]
    fn a_pattern_has_one_run_at_an_end() {
        for text in ["%", "a%", "%a", "_a_%", "%_", "a_c", "", "a'b"] {
            assert!(Pattern::new(text).is_ok(), "{text}");
        }
        for text in ["%a%", "a%c", "%%", "a\\%", "\\_", "a%b%", "\0%"] {
            assert!(Pattern::new(text).is_err(), "{text}");
        }
    }
}
