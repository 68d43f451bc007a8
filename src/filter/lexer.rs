//! Cuts the text of a condition into tokens, in SOQL and in ZOQL.

use super::error::shown;
use super::{ComparisonOperator, Path, Place, SyntaxError};

/// More mistakes than that are not worth reading.
pub(super) const MAX_ERRORS: usize = 20;

/// What the two languages write differently. `V` is what they take without quotes: numbers and moments.
pub(super) struct Dialect<V: 'static> {
    /// The language's name in messages.
    pub name: &'static str,
    /// The longest text, in characters (documented for a whole query).
    pub max_characters: usize,
    /// The characters that may quote text.
    pub quotes: &'static [char],
    /// The signs that are tokens of their own.
    pub symbols: &'static [char],
    /// Operators of other languages, and what to write instead.
    pub foreign: &'static [(&'static str, &'static str)],
    /// Reads the whole run of a number or a moment.
    pub value: fn(&str) -> Option<V>,
    /// The help for characters that are neither a number nor a moment.
    pub value_help: fn(&str) -> String,
    /// A condition, for helps.
    pub example: &'static str,
}

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<V> {
    pub kind: TokenKind<V>,
    pub place: Place,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind<V> {
    /// A keyword, a path, the name of a date literal: always in the form of a [`Path`].
    Word,
    /// Quoted text, still with its quotes and escapes.
    Text,
    /// A number or a moment.
    Value(V),
    Operator(ComparisonOperator),
    /// A parenthesis, a comma, a colon.
    Symbol(char),
}

/// Cuts `text` into tokens, or tells everything that cannot be one.
pub(super) fn tokens<V>(text: &str, dialect: &Dialect<V>) -> Result<Vec<Token<V>>, Vec<SyntaxError>> {
    let (mut tokens, mut errors) = (Vec::new(), Vec::new());
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        if matches!(first, ' ' | '\t' | '\n' | '\r') {
            start += 1;
            continue;
        }
        let (kind, length) = token(&text[start..], first, start, dialect);
        match kind {
            Ok(kind) => tokens.push(Token { kind, place: Place { start, end: start + length } }),
            Err(error) => errors.push(error),
        }
        if errors.len() == MAX_ERRORS {
            break;
        }
        start += length;
    }
    if errors.is_empty() { Ok(tokens) } else { Err(errors) }
}

/// The token at the start of `rest`, or what is wrong with it; either way with its length.
fn token<V>(rest: &str, first: char, start: usize, dialect: &Dialect<V>) -> (Result<TokenKind<V>, SyntaxError>, usize) {
    // Longer ones first.
    const OPERATORS: [(&str, ComparisonOperator); 7] = [
        ("!=", ComparisonOperator::NotEqual),
        ("<>", ComparisonOperator::NotEqual),
        ("<=", ComparisonOperator::LessOrEqual),
        (">=", ComparisonOperator::GreaterOrEqual),
        ("=", ComparisonOperator::Equal),
        ("<", ComparisonOperator::Less),
        (">", ComparisonOperator::Greater),
    ];
    const FOREIGN: [(&str, &str); 4] =
        [("==", "equality is written `=`"), ("&&", "write `AND`"), ("||", "write `OR`"), (";", "leave it out")];
    let wrong = |length: usize, message: String, help: &str| {
        SyntaxError::new(Place { start, end: start + length }, message).with_help(help)
    };
    let starts_number = first.is_ascii_digit()
        || (matches!(first, '+' | '-' | '.') && rest[1..].starts_with(|second: char| second.is_ascii_digit()));
    if dialect.quotes.contains(&first) {
        return match quoted(rest, first) {
            Some(length) => (Ok(TokenKind::Text), length),
            None => {
                let help = format!("end it with `{first}`; a quotation mark inside text is written `\\{first}`");
                (Err(wrong(1, "this text has no closing quotation mark".to_owned(), &help)), rest.len())
            }
        };
    }
    if dialect.symbols.contains(&first) {
        return (Ok(TokenKind::Symbol(first)), 1);
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let word = run(rest, |other| other.is_ascii_alphanumeric() || matches!(other, '_' | '.'));
        let is_path = Path::new(word, Place::default()).is_some();
        if let Some(value) = (dialect.value)(word).filter(|_| !is_path) {
            return (Ok(TokenKind::Value(value)), word.len());
        }
        let error = || {
            let help = "names are letters, digits and `_`, start with a letter, and are joined by single dots";
            wrong(word.len(), format!("{} is not a field", shown(word)), help)
        };
        return (if is_path { Ok(TokenKind::Word) } else { Err(error()) }, word.len());
    }
    if starts_number {
        // The whole run is judged at once, so that nothing of a malformed one is taken for something else.
        let run = run(rest, |other| other.is_ascii_alphanumeric() || matches!(other, '.' | ':' | '+' | '-' | '_'));
        let error =
            || wrong(run.len(), format!("{} is not a value in {}", shown(run), dialect.name), &(dialect.value_help)(run));
        return ((dialect.value)(run).map(TokenKind::Value).ok_or_else(error), run.len());
    }
    // A comment, or a text in the wrong quotes, is one mistake, whatever it contains.
    let comment = match rest.get(..2) {
        Some("--" | "//") => Some(rest.find('\n').unwrap_or(rest.len())),
        Some("/*") => Some(rest.find("*/").map_or(rest.len(), |end| end + 2)),
        _ => None,
    };
    if let Some(length) = comment {
        let help = "leave it out; a manifest can hold comments outside the filter";
        return (Err(wrong(2, format!("{} has no comments", dialect.name), help)), length);
    }
    if matches!(first, '"' | '‘' | '’' | '“' | '”' | '`') {
        let length = misquoted_length(rest, first);
        let help = format!("text is written in straight single quotes, as in `{}`", dialect.example);
        return (Err(wrong(length, format!("unexpected quotation mark `{first}`"), &help)), length);
    }
    let starts = |(text, _): &&(&str, &str)| rest.starts_with(*text);
    let foreign = dialect.foreign.iter().chain(&FOREIGN).find(starts);
    let operator = OPERATORS.iter().find(|(text, _)| rest.starts_with(*text));
    match (operator, foreign) {
        (Some((text, operator)), foreign) if foreign.is_none_or(|(other, _)| other.len() < text.len()) => {
            (Ok(TokenKind::Operator(*operator)), text.len())
        }
        (_, Some((text, help))) => (Err(wrong(text.len(), format!("{} has no `{text}`", dialect.name), help)), text.len()),
        _ => {
            let place = Place { start, end: start + first.len_utf8() };
            let message = format!("unexpected character `{}`", first.escape_debug());
            (Err(SyntaxError::new(place, message)), first.len_utf8())
        }
    }
}

fn run(rest: &str, belongs: impl Fn(char) -> bool) -> &str {
    &rest[..rest.find(|other: char| !belongs(other)).unwrap_or(rest.len())]
}

/// The length of quoted text; `None` when it is never closed.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            other if other == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The length of text in the wrong quotes up to the closing one, or of the quote alone.
fn misquoted_length(rest: &str, quote: char) -> usize {
    let closing = |character: char| match quote {
        '‘' | '’' => matches!(character, '‘' | '’'),
        '“' | '”' => matches!(character, '“' | '”'),
        other => character == other,
    };
    let close = rest.char_indices().skip(1).find(|(_, character)| closing(*character));
    close.map_or(quote.len_utf8(), |(at, character)| at + character.len_utf8())
}
