//! Names of fields and objects, and other names for them.

use winnow::prelude::*;
use winnow::token::any;

use super::lexer::Read;
use super::token::{Token, Tokens};
use super::tree::Path;

/// Words that begin a clause behind the object, and cannot be another name of it (guess, but for the reserved ones).
const CLAUSES: [&str; 5] = ["ALL", "FOR", "OFFSET", "ORDER", "UPDATE"];

/// Reads names joined by dots that are not a word of the language.
pub(super) fn path(input: &mut Tokens<'_>) -> Read<Path> {
    any.verify(|token: &&Token<'_>| token.is_path() && !token.is_reserved())
        .map(|token: &Token<'_>| Path { text: token.text.to_owned(), start: token.start })
        .parse_next(input)
}

/// Reads another name for what stands before it.
pub(super) fn alias(input: &mut Tokens<'_>) -> Read<String> {
    let is_clause = |token: &Token<'_>| CLAUSES.iter().any(|word| token.is_word(word));
    any.verify(|token: &&Token<'_>| token.is_name() && !token.is_reserved() && !is_clause(token))
        .map(|token: &Token<'_>| token.text.to_owned())
        .parse_next(input)
}

/// Reads the name of an object. `Group` is one, although the word is reserved for fields.
pub(super) fn object(input: &mut Tokens<'_>) -> Read<Path> {
    any.verify(|token: &&Token<'_>| token.is_name() && (!token.is_reserved() || token.is_word("GROUP")))
        .map(|token: &Token<'_>| Path { text: token.text.to_owned(), start: token.start })
        .parse_next(input)
}
