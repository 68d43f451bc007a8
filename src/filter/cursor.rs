//! Tokens, read one after the other.

use super::error::shown;
use super::lexer::{Dialect, Token, TokenKind, tokens};
use super::{Place, SyntaxError};

/// Words that start a clause behind the condition of a query.
const CLAUSES: [&str; 12] =
    ["ORDER", "LIMIT", "OFFSET", "GROUP", "HAVING", "FOR", "WITH", "ALL", "USING", "JOIN", "UNION", "WHERE"];

/// The tokens of a text and how far they were read.
pub(super) struct Cursor<'text, V> {
    pub(super) text: &'text str,
    tokens: Vec<Token<V>>,
    /// The number of tokens read.
    pub(super) position: usize,
}

impl<'text, V> Cursor<'text, V> {
    /// # Errors
    ///
    /// When the text is too long, and with everything that cannot be a token.
    pub(super) fn new(text: &'text str, dialect: &Dialect<V>) -> Result<Self, Vec<SyntaxError>> {
        let (characters, most) = (text.chars().count(), dialect.max_characters);
        if characters > most {
            let message = format!("this is {characters} characters long, and the system takes at most {most}");
            let help = "split it into several policies, or select by a field instead of a list of values";
            return Err(vec![SyntaxError::new(Place { start: 0, end: text.len() }, message).with_help(help)]);
        }
        Ok(Self { text, tokens: tokens(text, dialect)?, position: 0 })
    }

    pub(super) fn kind(&self) -> Option<&TokenKind<V>> {
        self.kind_ahead(0)
    }

    pub(super) fn kind_ahead(&self, ahead: usize) -> Option<&TokenKind<V>> {
        self.tokens.get(self.position + ahead).map(|token| &token.kind)
    }

    pub(super) fn advance(&mut self) {
        self.position += 1;
    }

    /// The place of the token that stands `ahead` tokens on, or the end of the text.
    fn place_ahead(&self, ahead: usize) -> Place {
        let end = Place { start: self.text.len(), end: self.text.len() };
        self.tokens.get(self.position + ahead).map_or(end, |token| token.place)
    }

    /// The place of the next token, or the end of the text.
    pub(super) fn here(&self) -> Place {
        self.place_ahead(0)
    }

    /// Where the token before the next one ends.
    pub(super) fn end_of_last(&self) -> usize {
        self.position.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |token| token.place.end)
    }

    /// The text of the next token; empty at the end.
    pub(super) fn found(&self) -> &'text str {
        &self.text[self.here().start..self.here().end]
    }

    /// The word that stands `ahead` tokens on.
    pub(super) fn word_ahead(&self, ahead: usize) -> Option<&'text str> {
        let place = self.place_ahead(ahead);
        matches!(self.kind_ahead(ahead), Some(TokenKind::Word)).then(|| &self.text[place.start..place.end])
    }

    /// The next token, when it is a word.
    pub(super) fn word(&self) -> Option<&'text str> {
        self.word_ahead(0)
    }

    pub(super) fn at_word(&self, word: &str) -> bool {
        self.word().is_some_and(|found| found.eq_ignore_ascii_case(word))
    }

    /// Moves over `word` when it comes next.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        self.position += usize::from(found);
        found
    }

    pub(super) fn at(&self, symbol: char) -> bool {
        matches!(self.kind(), Some(TokenKind::Symbol(found)) if *found == symbol)
    }

    /// Moves over `symbol` when it comes next.
    pub(super) fn take(&mut self, symbol: char) -> bool {
        let found = self.at(symbol);
        self.position += usize::from(found);
        found
    }

    /// The word that starts the clause which comes next, when one does.
    pub(super) fn clause(&self) -> Option<&'text str> {
        self.word().filter(|found| CLAUSES.iter().any(|clause| clause.eq_ignore_ascii_case(found)))
    }

    /// The error for the next token when `expected` should stand there.
    pub(super) fn expected(&self, expected: &str) -> SyntaxError {
        let found = if self.kind().is_some() { shown(self.found()) } else { "the end".to_owned() };
        SyntaxError::new(self.here(), format!("expected {expected}, found {found}"))
    }

    /// The error for the next token when it starts a clause, which belongs in no condition.
    pub(super) fn refused_clause(&self) -> Option<SyntaxError> {
        let clause = self.clause()?.to_ascii_uppercase();
        let help = "leave it out: a condition only says which records are meant, not how many or in which order";
        Some(SyntaxError::new(self.here(), format!("`{clause}` does not belong in a condition")).with_help(help))
    }

    /// What is wrong with a text that does not begin as a condition does.
    pub(super) fn refused_start(&self, dialect: &Dialect<V>) -> Option<SyntaxError> {
        if self.tokens.is_empty() {
            let whole = Place { start: 0, end: self.text.len() };
            let help = format!("write a condition, such as `{}`; an empty filter would mean every record", dialect.example);
            return Some(SyntaxError::new(whole, "the filter is empty").with_help(help));
        }
        if self.at_word("WHERE") {
            let help = "leave the word out: the condition alone is the filter";
            return Some(SyntaxError::new(self.here(), "the filter starts with `WHERE`").with_help(help));
        }
        self.at_word("SELECT").then(|| {
            let help = match self.behind_where() {
                Some(condition) => format!("write only what follows `WHERE`: {condition}"),
                None => format!("write only a condition, such as `{}`", dialect.example),
            };
            SyntaxError::new(self.here(), "the filter is a whole query, not a condition").with_help(help)
        })
    }

    /// The text after `WHERE` in a whole query, up to the next clause.
    fn behind_where(&self) -> Option<String> {
        let word = |at: usize| self.word_ahead(at).map(str::to_ascii_uppercase).unwrap_or_default();
        let places = 0..self.tokens.len();
        let start = places.clone().find(|at| word(*at) == "WHERE")?;
        let end = places.skip(start + 1).find(|at| CLAUSES.contains(&word(*at).as_str()));
        let end = end.map_or(self.text.len(), |at| self.place_ahead(at).start);
        Some(quote(self.text[self.place_ahead(start).end..end].trim()))
    }
}

/// A part of the text for a help, or an ellipsis where it is too long to be one.
pub(super) fn quote(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= 120 { format!("`{one_line}`") } else { "`…`".to_owned() }
}
