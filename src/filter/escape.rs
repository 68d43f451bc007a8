//! The escape sequences that SOQL and ZOQL have in common (documented for both).

use std::fmt::{self, Write as _};

/// The character after the backslash, and what it means.
const SEQUENCES: [(char, char); 8] = [
    ('\'', '\''),
    ('\\', '\\'),
    ('n', '\n'),
    ('r', '\r'),
    ('t', '\t'),
    ('b', '\u{8}'),
    ('f', '\u{c}'),
    // Read, and never written.
    ('"', '"'),
];

/// The character that a backslash before `letter` stands for.
pub(super) fn unescaped(letter: char) -> Option<char> {
    SEQUENCES.iter().find(|(known, _)| *known == letter).map(|(_, meant)| *meant)
}

/// Writes one character of text that stands in single quotes.
pub(super) fn write_character(formatter: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    match SEQUENCES.iter().find(|(letter, meant)| *meant == character && *letter != '"') {
        Some((letter, _)) => write!(formatter, "\\{letter}"),
        None => formatter.write_char(character),
    }
}
