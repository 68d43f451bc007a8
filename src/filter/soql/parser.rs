//! Reads SOQL conditions.

use super::level::{Level, quote};
use super::lexer::{Token, TokenKind, tokens};
use super::quote::{read_pattern, read_text};
use super::{Comparison, Condition, DateLiteral, Literal, Named, Path, Place, Select, SyntaxError, Test, nearest, rules};
use crate::filter::error::shown;

/// The longest text, in characters (documented for a whole statement).
pub(super) const MAX_CHARACTERS: usize = 100_000;
/// How deep parentheses may be nested. Ours: the system's own bound is not known, and ours keeps the stack small.
pub(super) const MAX_DEPTH: usize = 100;
/// How many parents a path may go over (documented).
pub(super) const MAX_PARENTS: usize = 5;
/// More mistakes than that are not worth reading.
pub(super) const MAX_ERRORS: usize = 20;

/// Reads a condition: what stands behind `WHERE`, without the word itself.
///
/// # Errors
///
/// With every mistake that could be found, in the order of the text, and at least one. Anything that is not a single
/// condition to its very end is one: a whole statement, a clause behind the condition, a comment.
pub fn parse_condition(text: &str) -> Result<Condition, Vec<SyntaxError>> {
    let mut parser = Parser::new(text)?;
    parser.refuse_other_starts()?;
    let condition = parser.condition(Ends::Nowhere);
    if let Some(token) = parser.peek().filter(|_| !parser.stopped).cloned() {
        parser.error(SyntaxError::new(token.place, "this parenthesis closes nothing").with_help("leave it out"));
    }
    parser.finish(condition).and_then(|condition| {
        let errors = rules::broken(&condition);
        if errors.is_empty() { Ok(condition) } else { Err(errors) }
    })
}

/// Reads a whole query.
///
/// # Errors
///
/// As [`parse_condition`].
pub fn parse_select(text: &str) -> Result<Select, Vec<SyntaxError>> {
    let mut parser = Parser::new(text)?;
    let select = match parser.select() {
        Ok(select) => select,
        Err(error) => {
            parser.error(error);
            None
        }
    };
    if let Some(token) = parser.peek().filter(|_| parser.errors.is_empty()).cloned() {
        let error = parser.unexpected(&token, "the end of the query");
        parser.error(error);
    }
    parser.finish(select).and_then(|select| {
        let errors = rules::broken_by_select(&select);
        if errors.is_empty() { Ok(select) } else { Err(errors) }
    })
}

/// Where a condition ends, apart from the end of the text and a closing parenthesis.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ends {
    /// Nowhere else: a clause that follows is a mistake.
    Nowhere,
    /// Before the next clause of the query it belongs to.
    BeforeClause,
}

/// Words that start a clause behind the condition of a query.
const CLAUSES: [&str; 9] = ["ORDER", "LIMIT", "OFFSET", "GROUP", "HAVING", "FOR", "WITH", "ALL", "USING"];

pub(super) struct Parser<'text> {
    text: &'text str,
    tokens: Vec<Token>,
    position: usize,
    depth: usize,
    errors: Vec<SyntaxError>,
    /// The rest of the text cannot be judged.
    pub(super) stopped: bool,
}

impl<'text> Parser<'text> {
    fn new(text: &'text str) -> Result<Self, Vec<SyntaxError>> {
        let characters = text.chars().count();
        if characters > MAX_CHARACTERS {
            let message = format!("this is {characters} characters long, and the system takes at most {MAX_CHARACTERS}");
            let help = "split it into several policies, or select by a field instead of a list of values";
            return Err(vec![SyntaxError::new(Place { start: 0, end: text.len() }, message).with_help(help)]);
        }
        Ok(Self { text, tokens: tokens(text)?, position: 0, depth: 0, errors: Vec::new(), stopped: false })
    }

    /// What was read, unless there were mistakes.
    fn finish<T>(mut self, read: Option<T>) -> Result<T, Vec<SyntaxError>> {
        match read {
            Some(read) if self.errors.is_empty() => Ok(read),
            _ => {
                self.errors.sort_by_key(|error| error.start);
                Err(self.errors)
            }
        }
    }

    pub(super) fn error(&mut self, error: SyntaxError) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.position)
    }

    pub(super) fn kind(&self) -> Option<&TokenKind> {
        self.peek().map(|token| &token.kind)
    }

    pub(super) fn advance(&mut self) {
        self.position += 1;
    }

    pub(super) fn slice(&self, place: Place) -> &'text str {
        &self.text[place.start..place.end]
    }

    /// The place of the next token, or the end of the text.
    pub(super) fn here(&self) -> Place {
        self.peek().map_or(Place { start: self.text.len(), end: self.text.len() }, |token| token.place)
    }

    /// Where the token before the next one ends.
    pub(super) fn end_of_last(&self) -> usize {
        self.position.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |token| token.place.end)
    }

    /// The word that stands `ahead` tokens on.
    fn word_ahead(&self, ahead: usize) -> Option<&'text str> {
        let token = self.tokens.get(self.position + ahead)?;
        (token.kind == TokenKind::Word).then(|| self.slice(token.place))
    }

    pub(super) fn at_word(&self, word: &str) -> bool {
        self.word_ahead(0).is_some_and(|found| found.eq_ignore_ascii_case(word))
    }

    /// Moves over `word` when it comes next.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        self.position += usize::from(found);
        found
    }

    pub(super) fn at_clause(&self) -> bool {
        self.word_ahead(0).is_some_and(|found| CLAUSES.iter().any(|clause| clause.eq_ignore_ascii_case(found)))
    }

    /// The error for the next token when `expected` should stand there.
    pub(super) fn expected(&self, expected: &str) -> SyntaxError {
        match self.peek() {
            Some(token) => self.unexpected(token, expected),
            None => SyntaxError::new(self.here(), format!("expected {expected}, found the end")),
        }
    }

    fn unexpected(&self, token: &Token, expected: &str) -> SyntaxError {
        SyntaxError::new(token.place, format!("expected {expected}, found {}", shown(self.slice(token.place))))
    }

    /// The same as [`Parser::expected`], with the nearest of the words that could stand there.
    fn expected_word(&self, expected: &str, words: &[&str]) -> SyntaxError {
        let error = self.expected(expected);
        match self.word_ahead(0).and_then(|found| nearest(found, words.iter().copied())) {
            Some(word) => error.with_help(format!("did you mean `{word}`?")),
            None => error,
        }
    }

    fn refuse_other_starts(&mut self) -> Result<(), Vec<SyntaxError>> {
        let here = self.here();
        let error = if self.tokens.is_empty() {
            let whole = Place { start: 0, end: self.text.len() };
            SyntaxError::new(whole, "the filter is empty")
                .with_help("write a condition, such as `Status = 'Closed'`; an empty filter would mean every record")
        } else if self.at_word("WHERE") {
            SyntaxError::new(here, "the filter starts with `WHERE`")
                .with_help("leave the word out: the condition alone is the filter")
        } else if self.at_word("SELECT") {
            let error = SyntaxError::new(here, "the filter is a whole statement, not a condition");
            match parse_select(self.text).ok().and_then(|select| select.condition) {
                Some(condition) => error.with_help(format!("write the WHERE part alone: {}", quote(&condition.to_string()))),
                None => error.with_help("write the WHERE part alone, without `WHERE`, such as `Status = 'Closed'`"),
            }
        } else {
            return Ok(());
        };
        Err(vec![error])
    }

    /// Reads parts joined by `AND` or by `OR`, up to a closing parenthesis or the end; reports what is wrong and goes on
    /// behind it. `None` when anything was wrong.
    pub(super) fn condition(&mut self, ends: Ends) -> Option<Condition> {
        let mut level = Level::default();
        loop {
            let first = self.position;
            let negated = self.at_word("NOT");
            let start = self.here().start;
            let part = match self.part() {
                Ok(part) => part,
                Err(error) => {
                    self.error(error);
                    if self.stopped {
                        return None;
                    }
                    self.position = first;
                    self.skip_part(ends);
                    None
                }
            };
            if self.stopped {
                return None;
            }
            level.take(part, Place { start, end: self.end_of_last().max(start) }, negated);
            self.refuse_what_follows(ends);
            let joiner = self.here();
            let word = match self.word_ahead(0) {
                Some(word) if word.eq_ignore_ascii_case("AND") => "AND",
                Some(word) if word.eq_ignore_ascii_case("OR") => "OR",
                _ => break,
            };
            self.advance();
            level.join(word, joiner);
        }
        for error in level.mistakes(self.text) {
            self.error(error);
        }
        level.condition()
    }

    /// Reports a token that cannot follow a part, and moves to one that can.
    fn refuse_what_follows(&mut self, ends: Ends) {
        let ends_here = |parser: &Self| match parser.kind() {
            None | Some(TokenKind::Close) => true,
            Some(_) => parser.at_word("AND") || parser.at_word("OR") || (ends == Ends::BeforeClause && parser.at_clause()),
        };
        if ends_here(self) {
            return;
        }
        let error = if self.at_clause() {
            let clause = self.word_ahead(0).unwrap_or_default().to_ascii_uppercase();
            SyntaxError::new(self.here(), format!("`{clause}` does not belong in a condition"))
                .with_help("leave it out: a condition only says which records are meant, not how many or in which order")
        } else {
            let error = self.expected_word("`AND`, `OR` or the end of the condition", &["AND", "OR"]);
            match self.kind() {
                Some(TokenKind::Comma) => {
                    error.with_help("several values stand behind `IN`, as in `IN (1, 2)`; numbers have no `,`")
                }
                _ => error,
            }
        };
        self.error(error);
        self.skip_part(ends);
    }

    /// Moves to the next `AND`, `OR` or closing parenthesis that belongs to this level, or to the end.
    fn skip_part(&mut self, ends: Ends) {
        let mut open = 0usize;
        while let Some(kind) = self.kind() {
            match kind {
                TokenKind::Open => open += 1,
                TokenKind::Close if open == 0 => return,
                TokenKind::Close => open -= 1,
                _ if open > 0 => {}
                _ if self.at_word("AND") || self.at_word("OR") => return,
                _ if ends == Ends::BeforeClause && self.at_clause() => return,
                _ => {}
            }
            self.advance();
        }
    }

    /// Reads one part: a comparison, a condition in parentheses, or either behind `NOT`.
    fn part(&mut self) -> Result<Option<Condition>, SyntaxError> {
        let not = self.here();
        if self.take_word("NOT") {
            if self.at_word("NOT") {
                return Err(
                    SyntaxError::new(not, "`NOT` stands beside `NOT`").with_help("write `NOT (NOT …)`, or leave both out")
                );
            }
            return Ok(self.part()?.map(|part| Condition::Not(Box::new(part))));
        }
        match self.kind() {
            Some(TokenKind::Open) => self.in_parentheses(|parser| Ok(parser.condition(Ends::Nowhere))),
            Some(TokenKind::Word) => self.comparison().map(|comparison| comparison.map(Condition::Comparison)),
            _ => Err(self.expected("a condition")),
        }
    }

    /// Reads what stands between the next parenthesis and the one that closes it.
    pub(super) fn in_parentheses<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Option<T>, SyntaxError>,
    ) -> Result<Option<T>, SyntaxError> {
        let open = self.here();
        if self.kind() != Some(&TokenKind::Open) {
            return Err(self.expected("`(`"));
        }
        if self.depth == MAX_DEPTH {
            self.stopped = true;
            return Err(SyntaxError::new(open, format!("parentheses are nested more than {MAX_DEPTH} deep"))
                .with_help("take away those that change nothing"));
        }
        self.advance();
        self.depth += 1;
        let inside = read(self);
        self.depth -= 1;
        let inside = inside?;
        match self.kind() {
            _ if self.stopped => Ok(None),
            Some(TokenKind::Close) => {
                self.advance();
                Ok(inside)
            }
            Some(_) => Err(self.expected("`)`")),
            None => {
                self.stopped = true;
                Err(SyntaxError::new(open, "this parenthesis is never closed"))
            }
        }
    }

    fn comparison(&mut self) -> Result<Option<Comparison>, SyntaxError> {
        let path = self.path("a field")?;
        if self.kind() == Some(&TokenKind::Open) {
            return Err(SyntaxError::new(
                path.place,
                format!("the function {} is not supported in a filter", shown(path.as_str())),
            )
            .with_help("compare the field itself; a date literal such as `LAST_YEAR` stands for a range of days"));
        }
        let test = self.test(&path)?;
        let place = Place { start: path.place.start, end: self.end_of_last() };
        Ok(test.map(|test| Comparison { path, test, place }))
    }

    pub(super) fn path(&mut self, expected: &str) -> Result<Path, SyntaxError> {
        let place = self.here();
        let path = self.word_ahead(0).and_then(|word| Path::new(word, place)).filter(|path| !path.is_reserved());
        let path = path.ok_or_else(|| self.expected(expected))?;
        if path.parents() > MAX_PARENTS {
            return Err(SyntaxError::new(place, format!("{} goes over {} parents", shown(path.as_str()), path.parents()))
                .with_help(format!("the system follows at most {MAX_PARENTS}")));
        }
        self.advance();
        Ok(path)
    }

    fn test(&mut self, path: &Path) -> Result<Option<Test>, SyntaxError> {
        const WORDS: [&str; 6] = ["LIKE", "IN", "NOT IN", "INCLUDES", "EXCLUDES", "NOT"];
        let here = self.here();
        if let Some(TokenKind::Operator(operator)) = self.kind() {
            let operator = *operator;
            self.advance();
            return Ok(Some(Test::Compare(operator, self.literal()?)));
        }
        if self.take_word("LIKE") {
            return self.pattern().map(Some);
        }
        if self.take_word("IN") {
            return self.members(Test::In, Test::InSubquery);
        }
        if self.take_word("INCLUDES") {
            return self.in_parentheses(Self::texts).map(|values| values.map(Test::Includes));
        }
        if self.take_word("EXCLUDES") {
            return self.in_parentheses(Self::texts).map(|values| values.map(Test::Excludes));
        }
        if self.take_word("NOT") {
            if self.take_word("IN") {
                return self.members(Test::NotIn, Test::NotInSubquery);
            }
            let error = self.expected_word("`IN` after `NOT`", &["IN"]);
            return Err(if self.at_word("LIKE") {
                error.with_help(format!("write `(NOT {path} LIKE '…')`"))
            } else {
                error
            });
        }
        // Its own `AND` is not one that joins conditions.
        self.stopped = self.at_word("BETWEEN");
        let error = self.expected_word("a comparison such as `=`, `!=`, `<`, `LIKE` or `IN`", &WORDS);
        Err(match self.word_ahead(0).map(str::to_ascii_uppercase).as_deref() {
            Some("IS") => {
                let not = self.word_ahead(1).is_some_and(|word| word.eq_ignore_ascii_case("NOT"));
                error.with_help(format!("write `{path} {} null`", if not { "!=" } else { "=" }))
            }
            Some("BETWEEN") => error.with_help(format!("write `{path} >= … AND {path} <= …`")),
            _ if here.start == self.text.len() => error.with_help(format!("as in `{path} = true` or `{path} != null`")),
            _ => error,
        })
    }

    fn members(
        &mut self,
        list: fn(Vec<Literal>) -> Test,
        subquery: fn(Box<Select>) -> Test,
    ) -> Result<Option<Test>, SyntaxError> {
        if self.kind() != Some(&TokenKind::Open) {
            return Err(self.expected("`(`").with_help("values stand in parentheses, as in `('a', 'b')`"));
        }
        let is_subquery = self.word_ahead(1).is_some_and(|word| word.eq_ignore_ascii_case("SELECT"));
        self.in_parentheses(|parser| {
            if is_subquery {
                return Ok(parser.select()?.map(|select| subquery(Box::new(select))));
            }
            parser.separated(Self::literal).map(|literals| Some(list(literals)))
        })
    }

    fn texts(&mut self) -> Result<Option<Vec<String>>, SyntaxError> {
        self.separated(|parser| {
            let place = parser.here();
            if parser.kind() != Some(&TokenKind::Text) {
                return Err(parser.expected("text in single quotes"));
            }
            parser.advance();
            read_text(inside(parser.slice(place)), place.start + 1)
        })
        .map(Some)
    }

    /// Reads one or more of something, with commas between them.
    pub(super) fn separated<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, SyntaxError> {
        let mut items = vec![read(self)?];
        while self.kind() == Some(&TokenKind::Comma) {
            self.advance();
            items.push(read(self)?);
        }
        Ok(items)
    }

    fn pattern(&mut self) -> Result<Test, SyntaxError> {
        let place = self.here();
        if self.kind() != Some(&TokenKind::Text) {
            return Err(self.expected("text in single quotes after `LIKE`"));
        }
        self.advance();
        Ok(Test::Like(read_pattern(inside(self.slice(place)), place.start + 1)?))
    }

    fn literal(&mut self) -> Result<Literal, SyntaxError> {
        const EXPECTED: &str = "a value";
        let Some(Token { kind, place }) = self.peek().cloned() else {
            return Err(self.expected(EXPECTED).with_help("text stands in single quotes, as in `'Closed'`"));
        };
        let literal = match kind {
            TokenKind::Text => Literal::Text(read_text(inside(self.slice(place)), place.start + 1)?),
            TokenKind::Number(number) => Literal::Number(number),
            TokenKind::Date(date) => Literal::Date(date),
            TokenKind::DateTime(moment) => Literal::DateTime(moment),
            TokenKind::Word => return self.named_literal(place),
            TokenKind::Colon => {
                return Err(self.expected(EXPECTED).with_help("there are no variables here: write the value itself"));
            }
            _ => return Err(self.expected(EXPECTED)),
        };
        self.advance();
        Ok(literal)
    }

    fn named_literal(&mut self, place: Place) -> Result<Literal, SyntaxError> {
        let name = self.slice(place);
        let simple = match name.to_ascii_lowercase().as_str() {
            "null" => Some(Literal::Null),
            "true" => Some(Literal::Boolean(true)),
            "false" => Some(Literal::Boolean(false)),
            _ => None,
        };
        if let Some(literal) = simple {
            self.advance();
            return Ok(literal);
        }
        let Some(named) = DateLiteral::named(name) else {
            let names: Vec<String> = DateLiteral::names().into_iter().map(|(name, _)| name).collect();
            let known = names.iter().map(String::as_str).chain(["null", "true", "false"]);
            let help = match nearest(name, known) {
                Some(known) => format!("did you mean `{known}`? Text stands in single quotes, as in `'{name:.40}'`"),
                None => format!("text stands in single quotes: `'{name:.40}'`"),
            };
            return Err(self.expected("a value").with_help(help));
        };
        self.advance();
        let count = self.count(place)?;
        let literal = match (named, count) {
            (Named::Fixed(literal), None) => literal,
            (Named::Counted(period, make), Some(count)) => make(period, count),
            (Named::Fixed(_), Some(_)) => {
                return Err(SyntaxError::new(place, format!("`{}` takes no number", name.to_ascii_uppercase())));
            }
            (Named::Counted(..), None) => {
                let name = name.to_ascii_uppercase();
                return Err(
                    SyntaxError::new(place, format!("`{name}` needs a number")).with_help(format!("as in `{name}:3`"))
                );
            }
        };
        Ok(Literal::DateLiteral(literal))
    }

    /// Reads the `:n` behind the name of a date literal, when there is one.
    fn count(&mut self, name: Place) -> Result<Option<u32>, SyntaxError> {
        if self.kind() != Some(&TokenKind::Colon) {
            return Ok(None);
        }
        self.advance();
        let count = match self.kind() {
            Some(TokenKind::Number(number)) => number.as_str().parse().ok(),
            _ => None,
        };
        let place = Place { start: name.start, end: self.here().end };
        let error = || SyntaxError::new(place, "expected a whole number after `:`").with_help("as in `LAST_N_DAYS:30`");
        let count = count.ok_or_else(error)?;
        self.advance();
        Ok(Some(count))
    }
}

fn inside(quoted: &str) -> &str {
    &quoted[1..quoted.len() - 1]
}
