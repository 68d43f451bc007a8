//! Quoted text, and the patterns of `like`.

use winnow::combinator::{alt, delimited, preceded, repeat};
use winnow::error::ModalResult;
use winnow::prelude::*;
use winnow::token::{any, none_of};

/// A pattern of `like`: `_` is any one character (documented). That there is no way to look for `%` and `_` themselves is a guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox::zuora) enum Pattern {
    /// The whole text has this form.
    Whole(String),
    /// It begins with something of this form: `…%`.
    Beginning(String),
    /// It ends with something of this form: `%…`.
    End(String),
}

impl Pattern {
    /// Takes text as a pattern; `None` when it has more than one `%`, or one in its middle (documented).
    pub(in crate::sandbox::zuora) fn read(text: &str) -> Option<Self> {
        let (pattern, form): (fn(String) -> Self, &str) = match (text.strip_prefix('%'), text.strip_suffix('%')) {
            (Some(end), _) => (Self::End, end),
            (None, Some(beginning)) => (Self::Beginning, beginning),
            (None, None) => (Self::Whole, text),
        };
        (!form.contains('%')).then(|| pattern(form.to_owned()))
    }

    /// Whether the whole of a text has this form.
    pub(in crate::sandbox::zuora) fn matches(&self, text: &str, case_sensitive: bool) -> bool {
        let fold = |text: &str| -> Vec<char> {
            if case_sensitive { text.chars().collect() } else { text.chars().flat_map(char::to_lowercase).collect() }
        };
        let (Self::Whole(form) | Self::Beginning(form) | Self::End(form)) = self;
        let (form, text) = (fold(form), fold(text));
        let part = match self {
            Self::Whole(_) => Some(text.as_slice()),
            Self::Beginning(_) => text.get(..form.len()),
            Self::End(_) => text.len().checked_sub(form.len()).and_then(|start| text.get(start..)),
        };
        part.is_some_and(|part| {
            part.len() == form.len() && form.iter().zip(part).all(|(wanted, found)| *wanted == '_' || wanted == found)
        })
    }
}

/// Reads text in single quotes (documented) or double ones (client).
pub(super) fn quoted(rest: &mut &str) -> ModalResult<String> {
    let inside = |quote: char| {
        let character = alt((preceded('\\', any.verify_map(escaped)), none_of([quote, '\\'])));
        delimited(quote, repeat(0.., character), quote)
    };
    alt((inside('\''), inside('"'))).parse_next(rest)
}

/// What stands behind a backslash (documented, all of them).
fn escaped(letter: char) -> Option<char> {
    Some(match letter {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '\'' | '"' | '\\' => letter,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_documented_escapes_and_no_others() {
        let read = |text: &str| quoted.parse(text).ok();
        assert_eq!(
            read(r#"'San Francisco\'s "Finest" \b\f\n\r\t\\\"'"#).as_deref(),
            Some("San Francisco's \"Finest\" \u{8}\u{c}\n\r\t\\\"")
        );
        assert_eq!(read("\"it's\"").as_deref(), Some("it's"));
        for text in [r"'\x'", r"'\'", "'a", "a'", "'a\"", r"'\%'", r"'\u0041'", "'it''s'"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_pattern_matches_whole_texts() {
        let matches = |pattern: &str, text: &str| Pattern::read(pattern).expect(pattern).matches(text, true);
        assert!(matches("ab%", "ab") && matches("ab%", "abc") && !matches("ab%", "xab") && !matches("ab%", "a"));
        assert!(matches("%ab", "xab") && !matches("%ab", "abx") && matches("%", "") && matches("a_", "aé"));
        assert!(!matches("a%", "A") && Pattern::read("a%").expect("valid").matches("AB", false));
        for text in ["%a%", "a%b", "%%", "a%%"] {
            assert_eq!(Pattern::read(text), None, "{text}");
        }
    }
}
