//! What is wrong with a filter, in any language.

use std::fmt;

use crate::base::Span;

/// The byte range of a part in the text it was read from.
///
/// All places are equal, so that two parts are equal if they mean the same, wherever they are. A part that was not read from a
/// text has the place `0..0`.
#[derive(Clone, Copy, Default)]
pub struct Place {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}..{}", self.start, self.end)
    }
}

/// One mistake in a text that should be a condition in a system's own language.
///
/// The message is a lower-case fragment that names what was found and what was expected. It may quote a part of the text.
///
/// **Invariants**: `start <= end`, both are byte offsets on character boundaries of the parsed text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// The first byte of the mistake.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl SyntaxError {
    pub(crate) fn new(place: Place, message: impl Into<String>) -> Self {
        Self { start: place.start, end: place.end, message: message.into(), help: None }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Why a typed tree has no meaning in a system's own language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// The field that is compared, as the manifest names it.
    pub field: String,
    /// Where the field's name stands in the manifest.
    pub span: Span,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// The beginning of what somebody wrote, fit for a message: a terminal must not obey it.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown = String::from("`");
    for character in text.chars().take(LONGEST) {
        if character.is_control() { shown.extend(character.escape_default()) } else { shown.push(character) }
    }
    shown.push_str(if text.chars().nth(LONGEST).is_some() { "…`" } else { "`" });
    shown
}
