//! Quoted text: the only place where ZOQL text literals are written and read.

use std::fmt::{self, Write as _};

/// A pattern for `like`: `%` is any run of characters, `_` any one. Neither can stand for itself.
///
/// **Invariants** (documented): `%` stands once at most, at the beginning or at the end. No backslash: how the language reads
/// one inside a pattern is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Takes `text` as a pattern, or says why the language has no such pattern.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let inside = text.strip_prefix('%').or_else(|| text.strip_suffix('%')).unwrap_or(text);
        if inside.contains('%') {
            return Err("in ZOQL `%` stands once in a pattern, at its beginning or at its end");
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

    /// Whether the whole of `text` has this form.
    pub fn matches(&self, text: &str, case_sensitive: bool) -> bool {
        let fold = |text: &str| if case_sensitive { text.to_owned() } else { text.to_lowercase() };
        let (pattern, text) = (fold(&self.0), fold(text));
        let text: Vec<char> = text.chars().collect();
        let fits = |pattern: &str, text: &[char]| {
            pattern.chars().count() == text.len()
                && pattern.chars().zip(text).all(|(wanted, found)| wanted == '_' || wanted == *found)
        };
        let length = |pattern: &str| Some(pattern.chars().count()).filter(|length| *length <= text.len());
        if let Some(end) = pattern.strip_prefix('%') {
            length(end).is_some_and(|length| fits(end, &text[text.len() - length..]))
        } else if let Some(start) = pattern.strip_suffix('%') {
            length(start).is_some_and(|length| fits(start, &text[..length]))
        } else {
            fits(&pattern, &text)
        }
    }
}

/// Why text with other control characters than these is refused.
pub(super) const UNWRITABLE: &str = "in ZOQL text cannot hold this control character";

/// Whether a character has no escape sequence and cannot be carried as it is.
pub(super) fn is_unwritable(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t' | '\u{8}' | '\u{c}')
}

/// Writes `text` as a quoted literal that reads back as exactly `text`. All sequences are documented.
pub(super) fn write_text(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    formatter.write_char('\'')?;
    for character in text.chars() {
        match character {
            '\'' => formatter.write_str("\\'")?,
            '\\' => formatter.write_str("\\\\")?,
            '\n' => formatter.write_str("\\n")?,
            '\r' => formatter.write_str("\\r")?,
            '\t' => formatter.write_str("\\t")?,
            '\u{8}' => formatter.write_str("\\b")?,
            '\u{c}' => formatter.write_str("\\f")?,
            other => formatter.write_char(other)?,
        }
    }
    formatter.write_char('\'')
}

/// Reads the inside of a text literal. An error has the byte range of what is wrong within `inside`, and why.
pub(super) fn read_text(inside: &str) -> Result<String, (std::ops::Range<usize>, String)> {
    let mut text = String::with_capacity(inside.len());
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        if is_unwritable(character) {
            return Err((at..at + character.len_utf8(), UNWRITABLE.to_owned()));
        }
        if character != '\\' {
            text.push(character);
            continue;
        }
        let escaped = characters.next().map(|(_, escaped)| escaped);
        text.push(match escaped {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(escaped @ ('\'' | '"' | '\\')) => escaped,
            other => {
                let end = at + 1 + other.map_or(0, char::len_utf8);
                let shown = other.unwrap_or_default().escape_debug();
                return Err((at..end, format!("`\\{shown}` is not an escape sequence")));
            }
        });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_escape_sequence_that_is_documented_and_no_other() {
        assert_eq!(read_text(r#"\b\f\n\r\t\'\"\\é"#), Ok("\u{8}\u{c}\n\r\t'\"\\é".to_owned()));
        for (wrong, place) in [(r"a\x", 1..3), (r"\%", 0..2), (r"\é", 0..3), ("\u{0}", 0..1)] {
            assert_eq!(read_text(wrong).expect_err(wrong).0, place);
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

    #[test]
    fn a_pattern_matches_whole_texts() {
        let matches = |pattern: &str, text: &str| Pattern::new(pattern).expect(pattern).matches(text, true);
        assert!(matches("ab%", "ab") && matches("ab%", "abc") && !matches("ab%", "xab") && !matches("ab%", "a"));
        assert!(matches("%ab", "xab") && !matches("%ab", "abx") && matches("%", "") && matches("a_", "aé"));
        assert!(!matches("a%", "A") && Pattern::new("a%").expect("valid").matches("AB", false));
    }
}
