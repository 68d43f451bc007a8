//! What is wrong with a text that should be SOQL.

use super::Place;

/// One mistake in a text that should be SOQL.
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

/// The beginning of what somebody wrote, fit for a message: a terminal must not obey it.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown = String::from("`");
    for character in text.chars().take(LONGEST) {
        if character.is_control() { shown.extend(character.escape_default()) } else { shown.push(character) }
    }
    shown.push_str(if text.chars().nth(LONGEST).is_some() { "…`" } else { "`" });
    shown
}

impl SyntaxError {
    pub(super) fn new(place: Place, message: impl Into<String>) -> Self {
        Self { start: place.start, end: place.end, message: message.into(), help: None }
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
