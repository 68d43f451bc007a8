//! Quoted text and the patterns of `LIKE`.

use winnow::combinator::{alt, preceded, repeat};
use winnow::error::ModalResult;
use winnow::prelude::*;
use winnow::token::{any, none_of, one_of, take_while};

/// A pattern of `LIKE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Pattern(pub Vec<PatternPart>);

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum PatternPart {
    /// `%`: any characters, or none.
    AnyRun,
    /// `_`: any one character.
    AnyOne,
    /// This character.
    Exactly(char),
}

/// One character, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Plain(char),
    /// Behind a backslash, with what it means.
    Escaped(char),
    /// `\%` or `\_`, which only patterns have (documented).
    Wildcard(char),
}

/// Reads what stands between two quotes; `None` when it holds a backslash that means nothing (documented to be an error).
pub(super) fn read_text(written: &str) -> Option<String> {
    let characters = pieces(written)?.into_iter().map(|piece| match piece {
        Piece::Plain(character) | Piece::Escaped(character) => Some(character),
        Piece::Wildcard(_) => None,
    });
    characters.collect()
}

impl Pattern {
    /// Reads what stands between the quotes behind `LIKE`; `None` as for other text.
    pub(in crate::sandbox) fn read(written: &str) -> Option<Self> {
        let parts = pieces(written)?.into_iter().map(|piece| match piece {
            Piece::Plain('%') => PatternPart::AnyRun,
            Piece::Plain('_') => PatternPart::AnyOne,
            Piece::Plain(character) | Piece::Escaped(character) | Piece::Wildcard(character) => {
                PatternPart::Exactly(character)
            }
        });
        Some(Self(parts.collect()))
    }
}

fn pieces(written: &str) -> Option<Vec<Piece>> {
    repeat(0.., alt((preceded('\\', escape), none_of('\\').map(Piece::Plain)))).parse(written).ok()
}

/// What stands behind a backslash. All are documented; `\b` is a bell there.
fn escape(rest: &mut &str) -> ModalResult<Piece> {
    let unit = preceded('u', take_while(4..=4, |digit: char| digit.is_ascii_hexdigit()))
        .verify_map(|digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?));
    alt((
        unit.map(Piece::Escaped),
        one_of(['%', '_']).map(Piece::Wildcard),
        any.verify_map(|letter: char| match letter {
            'n' | 'N' => Some('\n'),
            'r' | 'R' => Some('\r'),
            't' | 'T' => Some('\t'),
            'b' | 'B' => Some('\u{7}'),
            'f' | 'F' => Some('\u{c}'),
            '"' | '\'' | '\\' => Some(letter),
            _ => None,
        })
        .map(Piece::Escaped),
    ))
    .parse_next(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_documented_escapes_and_no_others() {
        assert_eq!(
            read_text(r#"a\nb\Rc\td\\e\'f\"g\u00e9h\bi\F%_"#).as_deref(),
            Some("a\nb\rc\td\\e'f\"g\u{e9}h\u{7}i\u{c}%_")
        );
        for text in [r"\d", r"\%", r"\_", r"\", r"\u00g0", r"\u12", r"\ud800", r"\U0041"] {
            assert_eq!(read_text(text), None, "{text}");
        }
        use PatternPart::{AnyOne, AnyRun, Exactly};
        let pattern = vec![Exactly('a'), AnyRun, Exactly('%'), AnyOne, Exactly('_'), Exactly('\\'), Exactly('\n')];
        assert_eq!(Pattern::read(r"a%\%_\_\\\n"), Some(Pattern(pattern)));
        assert_eq!(Pattern::read(r"\x"), None);
    }
}
