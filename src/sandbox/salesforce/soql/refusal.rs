//! What is wrong with a text that is no query.

use winnow::error::{ErrMode, ParserError};

use super::token::Tokens;

/// A text that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Refusal {
    /// Where, in bytes of the text; [`Refusal::END`] behind its last token.
    pub start: usize,
    /// Why.
    pub reason: Reason,
}

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Reason {
    /// A token that may not stand there, or the end.
    Token,
    /// A character that begins no token.
    Character,
    /// Text whose quotation mark never comes.
    OpenText,
    /// For this reason, in the vendor's words where they are known.
    Said(&'static str),
    /// More parentheses in each other than are read.
    TooDeep,
    /// A query of the language that the sandbox does not serve, with what it would have to know.
    Unserved(String),
}

impl Refusal {
    /// Behind the last token.
    pub(in crate::sandbox) const END: usize = usize::MAX;

    /// Stops all reading at the next token.
    pub(super) fn stop(input: &Tokens<'_>, reason: Reason) -> ErrMode<Self> {
        ErrMode::Cut(Self { reason, ..Self::from_input(input) })
    }
}

impl<'text> ParserError<Tokens<'text>> for Refusal {
    type Inner = Self;

    fn from_input(input: &Tokens<'text>) -> Self {
        Self { start: input.first().map_or(Self::END, |token| token.start), reason: Reason::Token }
    }

    /// The one that came farther: what stands there fits no way of reading the text.
    fn or(self, other: Self) -> Self {
        if self.start > other.start { self } else { other }
    }

    fn into_inner(self) -> Result<Self::Inner, Self> {
        Ok(self)
    }
}
