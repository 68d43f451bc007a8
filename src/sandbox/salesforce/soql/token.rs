//! The tokens of SOQL.

use winnow::stream::TokenSlice;

/// A row of tokens, of which one after the other is read.
pub(super) type Tokens<'text> = TokenSlice<'text, Token<'text>>;

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'text> {
    pub kind: Kind,
    /// As it was written; text with its quotes.
    pub text: &'text str,
    /// Where it starts, in bytes.
    pub start: usize,
}

/// What kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word of the language, names joined by dots, `LAST_N_DAYS:30`, `EUR10.5`.
    Word,
    /// What begins with a digit or a sign: a number, a day, a moment, a time, or nothing of it.
    Number,
    /// Text in single quotes.
    Text,
    /// An operator, a comma, a parenthesis.
    Symbol,
}

/// Words that cannot name a field or give it another name (documented; `TRUE` and `FALSE` are a guess).
const RESERVED: [&str; 23] = [
    "AND", "ASC", "DESC", "EXCLUDES", "FALSE", "FIRST", "FROM", "GROUP", "HAVING", "IN", "INCLUDES", "LAST", "LIKE",
    "LIMIT", "NOT", "NULL", "NULLS", "OR", "SELECT", "TRUE", "USING", "WHERE", "WITH",
];

impl Token<'_> {
    /// Whether it is this word, in any case.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this symbol.
    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// Whether it is a word that the language keeps for itself.
    pub(super) fn is_reserved(&self) -> bool {
        RESERVED.iter().any(|word| self.is_word(word))
    }

    /// Whether it is names joined by dots.
    pub(super) fn is_path(&self) -> bool {
        let is_name = |name: &str| name.starts_with(|first: char| first.is_ascii_alphabetic()) && !name.contains(':');
        self.kind == Kind::Word && self.text.split('.').all(is_name)
    }

    /// Whether it is one name.
    pub(super) fn is_name(&self) -> bool {
        self.is_path() && !self.text.contains('.')
    }
}
