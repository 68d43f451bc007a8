//! Reads SOQL conditions.

use super::dialect::{SOQL, read_currency};
use super::fitting::misfit;
use super::function::{self, Destination, DistanceUnit, Function};
use super::level::{Joiner, Level};
use super::quote::{read_pattern, read_text};
use super::rules;
use super::{
    Comparison, Condition, DateLiteral, Decimal, Literal, Named, Path, Place, Subquery, SyntaxError, Test, field_path,
};
use crate::base::nearest;
use crate::filter::cursor::Cursor;
use crate::filter::error::shown;
use crate::filter::lexer::{MAX_ERRORS, TokenKind};

/// How deep parentheses may be nested. A limit of this program, to keep the stack small: the system's own is not known.
pub(super) const MAX_DEPTH: usize = 100;
/// How many parents a path may go over (documented).
pub(super) const MAX_PARENTS: usize = 5;

/// Parses a condition: what follows `WHERE`, without the word itself.
///
/// # Errors
///
/// With all mistakes that were found, at least one, in the order of the text. Anything but a single condition is a mistake: a
/// whole statement, a clause after the condition, a comment.
pub fn parse_condition(text: &str) -> Result<Condition, Vec<SyntaxError>> {
    let mut parser = Parser::new(text)?;
    if let Some(error) = parser.cursor.refused_start(&SOQL) {
        return Err(vec![error]);
    }
    let condition = parser.condition(Ends::Nowhere);
    if !parser.stopped && parser.cursor.kind().is_some() {
        let error = SyntaxError::new(parser.cursor.here(), "this parenthesis closes nothing");
        parser.error(error.with_help("leave it out"));
    }
    parser.finish(condition).and_then(|condition| {
        let errors = rules::broken(&condition);
        if errors.is_empty() { Ok(condition) } else { Err(errors) }
    })
}

/// Where a condition ends, apart from the end of the text and a closing parenthesis.
#[derive(Clone, Copy, PartialEq)]
enum Ends {
    /// Nowhere else: a clause that follows is a mistake.
    Nowhere,
    /// Before the next clause of the query it belongs to.
    BeforeClause,
}

/// Reads parts of a condition, and keeps what is wrong in them.
struct Parser<'text> {
    /// What is read.
    cursor: Cursor<'text, Literal>,
    depth: usize,
    /// How many parentheses around conditions are open, in this query.
    grouped: usize,
    errors: Vec<SyntaxError>,
    /// The rest of the text cannot be judged.
    stopped: bool,
}

impl<'text> Parser<'text> {
    /// # Errors
    ///
    /// When the text is too long, and with everything that cannot be a token.
    fn new(text: &'text str) -> Result<Self, Vec<SyntaxError>> {
        Ok(Self { cursor: Cursor::new(text, &SOQL)?, depth: 0, grouped: 0, errors: Vec::new(), stopped: false })
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

    fn error(&mut self, error: SyntaxError) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }

    /// The same as [`Cursor::expected`], with the nearest of the words that could stand there.
    fn expected_word(&self, expected: &str, words: &[&str]) -> SyntaxError {
        let error = self.cursor.expected(expected);
        match self.cursor.word().and_then(|found| nearest(found, words.iter().copied())) {
            Some(word) => error.with_help(format!("did you mean `{word}`?")),
            None => error,
        }
    }

    /// Reads parts joined by `AND` or by `OR`, up to a closing parenthesis or the end. Reports mistakes and continues after them;
    /// `None` if there was any.
    fn condition(&mut self, ends: Ends) -> Option<Condition> {
        let mut level = Level::default();
        loop {
            let first = self.cursor.position;
            let negated = self.cursor.at_word("NOT");
            let start = self.cursor.here().start;
            let part = match self.part() {
                Ok(part) => part,
                Err(error) => {
                    self.error(error);
                    if self.stopped {
                        return None;
                    }
                    self.cursor.position = first;
                    self.skip_part(ends);
                    None
                }
            };
            if self.stopped {
                return None;
            }
            level.take(part, Place { start, end: self.cursor.end_of_last().max(start) }, negated);
            self.refuse_what_follows(ends);
            let Some(joiner) = self.cursor.word().and_then(Joiner::new) else { break };
            level.join(joiner, self.cursor.here());
            self.cursor.advance();
        }
        for error in level.mistakes(self.cursor.text) {
            self.error(error);
        }
        level.condition()
    }

    /// Reports a token that cannot follow a part, and moves to one that can.
    fn refuse_what_follows(&mut self, ends: Ends) {
        let ends_here = |parser: &Self| match parser.cursor.kind() {
            None | Some(TokenKind::Symbol(')')) => true,
            Some(_) => parser.at_joiner() || parser.at_end(ends),
        };
        if ends_here(self) {
            return;
        }
        let error = self.cursor.refused_clause().unwrap_or_else(|| {
            let error = self.expected_word("`AND`, `OR` or the end of the condition", &["AND", "OR"]);
            if self.cursor.at(',') {
                return error.with_help("several values follow `IN` in parentheses, as in `IN (1, 2)`; numbers have no `,`");
            }
            error
        });
        self.error(error);
        self.skip_part(ends);
    }

    /// Moves to the next `AND`, `OR` or closing parenthesis that belongs to this level, or to the end.
    fn skip_part(&mut self, ends: Ends) {
        let mut open = 0usize;
        while let Some(kind) = self.cursor.kind() {
            match kind {
                TokenKind::Symbol('(') => open += 1,
                TokenKind::Symbol(')') if open == 0 => return,
                TokenKind::Symbol(')') => open -= 1,
                _ if open > 0 => {}
                _ if self.at_joiner() || self.at_end(ends) => return,
                _ => {}
            }
            self.cursor.advance();
        }
    }

    fn at_joiner(&self) -> bool {
        self.cursor.word().and_then(Joiner::new).is_some()
    }

    /// Whether a clause comes next that ends the condition.
    fn at_end(&self, ends: Ends) -> bool {
        ends == Ends::BeforeClause && self.cursor.clause().is_some()
    }

    /// Reads one part: a comparison, a condition in parentheses, or either behind `NOT`.
    fn part(&mut self) -> Result<Option<Condition>, SyntaxError> {
        let not = self.cursor.here();
        if self.cursor.take_word("NOT") {
            if self.cursor.at_word("NOT") {
                return Err(SyntaxError::new(not, "`NOT` follows `NOT`").with_help("write `NOT (NOT …)`, or leave both out"));
            }
            return Ok(self.part()?.map(|part| Condition::Not(Box::new(part))));
        }
        match self.cursor.kind() {
            Some(TokenKind::Symbol('(')) => {
                self.grouped += 1;
                let inside = self.in_parentheses(|parser| Ok(parser.condition(Ends::Nowhere)));
                self.grouped -= 1;
                inside
            }
            Some(TokenKind::Word) => self.comparison().map(|comparison| comparison.map(Condition::Comparison)),
            _ => Err(self.cursor.expected("a condition")),
        }
    }

    /// Reads what stands between the next parenthesis and the one that closes it.
    fn in_parentheses<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Option<T>, SyntaxError>,
    ) -> Result<Option<T>, SyntaxError> {
        let open = self.cursor.here();
        if !self.cursor.at('(') {
            return Err(self.cursor.expected("`(`"));
        }
        if self.depth == MAX_DEPTH {
            self.stopped = true;
            return Err(SyntaxError::new(open, format!("parentheses are nested more than {MAX_DEPTH} deep"))
                .with_help("remove those that change nothing"));
        }
        self.cursor.advance();
        self.depth += 1;
        let inside = read(self);
        self.depth -= 1;
        let inside = inside?;
        if self.stopped {
            return Ok(None);
        }
        if self.cursor.take(')') {
            return Ok(inside);
        }
        if self.cursor.kind().is_some() {
            return Err(self.cursor.expected("`)`"));
        }
        self.stopped = true;
        Err(SyntaxError::new(open, "this parenthesis is never closed"))
    }

    fn comparison(&mut self) -> Result<Option<Comparison>, SyntaxError> {
        let first = self.path("a field")?;
        let start = first.place.start;
        let (path, function) = if self.cursor.at('(') {
            let Some((path, function)) = self.function(&first)? else { return Ok(None) };
            (path, Some(function))
        } else {
            (first, None)
        };
        let name = Place { start, end: self.cursor.end_of_last() };
        let Some(test) = self.test(&path)? else { return Ok(None) };
        let place = Place { start, end: self.cursor.end_of_last() };
        if let Some(help) = function.as_ref().and_then(|function| misfit(function, &test)) {
            let message = format!("{} cannot be compared like this", shown(&self.cursor.text[name.start..name.end]));
            return Err(SyntaxError::new(place, message).with_help(help));
        }
        Ok(Some(Comparison { path, function, test, place }))
    }

    /// Reads the parentheses behind the name of a function.
    fn function(&mut self, name: &Path) -> Result<Option<(Path, Function)>, SyntaxError> {
        let Some(named) = function::Named::new(name) else {
            let message = format!("the function {} is not supported in a filter", shown(name.as_str()));
            return Err(SyntaxError::new(name.place, message).with_help(
                "compare the field itself, or what a date function such as `CALENDAR_YEAR`, `toLabel` or `DISTANCE` makes of it",
            ));
        };
        self.in_parentheses(|parser| {
            let path = parser.path("a field")?;
            Ok(match named {
                function::Named::Label => Some((path, Function::Label)),
                function::Named::Distance => Some((path, parser.distance()?)),
                function::Named::Date(part) if parser.cursor.at('(') && path.is_any_of(&["convertTimezone"]) => {
                    let inner = parser.in_parentheses(|parser| parser.path("a field").map(Some))?;
                    inner.map(|path| (path, Function::Date { part, in_user_zone: true }))
                }
                function::Named::Date(part) => Some((path, Function::Date { part, in_user_zone: false })),
            })
        })
    }

    /// Reads the rest of a `DISTANCE` behind its field.
    fn distance(&mut self) -> Result<Function, SyntaxError> {
        const EXAMPLE: &str = "as in `DISTANCE(Location__c, GEOLOCATION(37.77, -122.41), 'km') < 20`";
        let expected = |parser: &Self, what: &str| parser.cursor.expected(what).with_help(EXAMPLE);
        if !self.cursor.take(',') {
            return Err(expected(self, "`,` and another place"));
        }
        let to = if self.cursor.take_word("GEOLOCATION") {
            let degrees = self.in_parentheses(|parser| parser.separated(Self::number).map(Some))?;
            let degrees = <[Decimal; 2]>::try_from(degrees.unwrap_or_default());
            Destination::Point(degrees.map_err(|_| expected(self, "a latitude and a longitude before this"))?)
        } else {
            Destination::Field(self.path("`GEOLOCATION(…)` or a field").map_err(|error| error.with_help(EXAMPLE))?)
        };
        if !self.cursor.take(',') {
            return Err(expected(self, "`, 'km'` or `, 'mi'`"));
        }
        let place = self.cursor.here();
        let (unit, _) = self.quoted("`'km'` or `'mi'`")?;
        let unit = DistanceUnit::new(unit);
        let unit = unit.ok_or_else(|| SyntaxError::new(place, "a distance is in `'km'` or `'mi'`").with_help(EXAMPLE))?;
        Ok(Function::Distance { to, unit })
    }

    fn number(&mut self) -> Result<Decimal, SyntaxError> {
        match self.cursor.kind() {
            Some(TokenKind::Value(Literal::Number(number))) => {
                let number = number.clone();
                self.cursor.advance();
                Ok(number)
            }
            _ => Err(self.cursor.expected("a number")),
        }
    }

    fn path(&mut self, expected: &str) -> Result<Path, SyntaxError> {
        let place = self.cursor.here();
        let path = self.cursor.word().and_then(|word| field_path(word, place));
        let path = path.ok_or_else(|| self.cursor.expected(expected))?;
        if path.parents() > MAX_PARENTS {
            return Err(SyntaxError::new(
                place,
                format!("{} goes through {} parents", shown(path.as_str()), path.parents()),
            )
            .with_help(format!("the system follows at most {MAX_PARENTS}")));
        }
        self.cursor.advance();
        Ok(path)
    }

    fn test(&mut self, path: &Path) -> Result<Option<Test>, SyntaxError> {
        const WORDS: [&str; 6] = ["LIKE", "IN", "NOT IN", "INCLUDES", "EXCLUDES", "NOT"];
        if let Some(TokenKind::Operator(operator)) = self.cursor.kind() {
            let operator = *operator;
            self.cursor.advance();
            return Ok(Some(Test::Compare(operator, self.literal()?)));
        }
        if self.cursor.take_word("LIKE") {
            return self.pattern().map(Some);
        }
        if self.cursor.take_word("IN") {
            return self.members(Test::In, Test::InSubquery);
        }
        if self.cursor.take_word("INCLUDES") {
            return self.in_parentheses(Self::texts).map(|values| values.map(Test::Includes));
        }
        if self.cursor.take_word("EXCLUDES") {
            return self.in_parentheses(Self::texts).map(|values| values.map(Test::Excludes));
        }
        if self.cursor.take_word("NOT") {
            if self.cursor.take_word("IN") {
                return self.members(Test::NotIn, Test::NotInSubquery);
            }
            let error = self.expected_word("`IN` after `NOT`", &["IN"]);
            return Err(if self.cursor.at_word("LIKE") {
                error.with_help(format!("write `(NOT {path} LIKE '…')`"))
            } else {
                error
            });
        }
        // Its own `AND` is not one that joins conditions.
        self.stopped = self.cursor.at_word("BETWEEN");
        let error = self.expected_word("a comparison such as `=`, `!=`, `<`, `LIKE` or `IN`", &WORDS);
        Err(match self.cursor.word().map(str::to_ascii_uppercase).as_deref() {
            Some("IS") => {
                let not = self.cursor.word_ahead(1).is_some_and(|word| word.eq_ignore_ascii_case("NOT"));
                error.with_help(format!("write `{path} {} null`", if not { "!=" } else { "=" }))
            }
            Some("BETWEEN") => error.with_help(format!("write `{path} >= … AND {path} <= …`")),
            _ if self.cursor.kind().is_none() => error.with_help(format!("as in `{path} = true` or `{path} != null`")),
            _ => error,
        })
    }

    fn members(
        &mut self,
        list: fn(Vec<Literal>) -> Test,
        subquery: fn(Box<Subquery>) -> Test,
    ) -> Result<Option<Test>, SyntaxError> {
        if !self.cursor.at('(') {
            return Err(self.cursor.expected("`(`").with_help("values go in parentheses, as in `('a', 'b')`"));
        }
        let is_subquery = self.cursor.word_ahead(1).is_some_and(|word| word.eq_ignore_ascii_case("SELECT"));
        self.in_parentheses(|parser| {
            if is_subquery {
                return Ok(parser.subquery()?.map(|found| subquery(Box::new(found))));
            }
            parser.separated(Self::literal).map(|literals| Some(list(literals)))
        })
    }

    /// Reads a subquery. `None` when its condition was wrong, which is then reported already.
    fn subquery(&mut self) -> Result<Option<Subquery>, SyntaxError> {
        let start = self.cursor.here().start;
        self.cursor.advance();
        let field = self.path("a field")?;
        if self.cursor.at(',') || self.cursor.at('(') {
            let place = Place { start, end: self.cursor.here().end };
            return Err(SyntaxError::new(place, "a subquery selects exactly one field")
                .with_help("as in `(SELECT AccountId FROM Contact)`"));
        }
        if !self.cursor.take_word("FROM") {
            return Err(self.cursor.expected("`FROM`"));
        }
        let object = self.object()?;
        let outside = std::mem::take(&mut self.grouped);
        let condition = self.where_clause();
        self.grouped = outside;
        if self.stopped {
            return Ok(None);
        }
        if let Some(clause) = self.cursor.clause() {
            let message = format!("`{}` does not belong in a subquery", clause.to_ascii_uppercase());
            return Err(SyntaxError::new(self.cursor.here(), message).with_help("leave it out"));
        }
        let place = Place { start, end: self.cursor.end_of_last() };
        Ok(condition.map(|condition| Subquery { field, object, condition, grouped: outside > 0, place }))
    }

    /// Reads the name of an object, which may be a word that is reserved elsewhere, such as `Group`.
    fn object(&mut self) -> Result<Path, SyntaxError> {
        let object = self.cursor.word().and_then(|word| Path::new(word, self.cursor.here()));
        let object =
            object.filter(|object| object.parents() == 0 && !object.is_any_of(&["SELECT", "FROM", "WHERE", "LIMIT"]));
        let object = object.ok_or_else(|| self.cursor.expected("the name of an object"))?;
        self.cursor.advance();
        Ok(object)
    }

    /// Reads the condition of a query, when it has one. `None` when it was wrong, which is then reported already.
    fn where_clause(&mut self) -> Option<Option<Condition>> {
        if self.cursor.take_word("WHERE") { self.condition(Ends::BeforeClause).map(Some) } else { Some(None) }
    }

    fn texts(&mut self) -> Result<Option<Vec<String>>, SyntaxError> {
        let text = |parser: &mut Self| parser.quoted("text in single quotes").and_then(|(text, at)| read_text(text, at));
        self.separated(text).map(Some)
    }

    /// The inside of the quoted text that comes next, and where it starts.
    fn quoted(&mut self, expected: &str) -> Result<(&'text str, usize), SyntaxError> {
        if self.cursor.kind() != Some(&TokenKind::Text) {
            return Err(self.cursor.expected(expected));
        }
        let (quoted, start) = (self.cursor.found(), self.cursor.here().start);
        self.cursor.advance();
        Ok((&quoted[1..quoted.len() - 1], start + 1))
    }

    /// Reads one or more of something, with commas between them.
    fn separated<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, SyntaxError>) -> Result<Vec<T>, SyntaxError> {
        let mut items = vec![read(self)?];
        while self.cursor.take(',') {
            items.push(read(self)?);
        }
        Ok(items)
    }

    fn pattern(&mut self) -> Result<Test, SyntaxError> {
        let (text, start) = self.quoted("text in single quotes after `LIKE`")?;
        Ok(Test::Like(read_pattern(text, start)?))
    }

    fn literal(&mut self) -> Result<Literal, SyntaxError> {
        let expected = || self.cursor.expected("a value");
        match self.cursor.kind() {
            Some(TokenKind::Text) => {
                let (text, start) = self.quoted("a value")?;
                read_text(text, start).map(Literal::Text)
            }
            Some(TokenKind::Value(value)) => {
                let value = value.clone();
                self.cursor.advance();
                Ok(value)
            }
            Some(TokenKind::Word) => self.named_literal(),
            Some(TokenKind::Symbol(':')) => Err(expected().with_help("there are no variables here: write the value itself")),
            Some(TokenKind::Symbol(_) | TokenKind::Operator(_)) => Err(expected()),
            None => Err(expected().with_help("text goes in single quotes, as in `'Closed'`")),
        }
    }

    fn named_literal(&mut self) -> Result<Literal, SyntaxError> {
        let (name, place) = (self.cursor.found(), self.cursor.here());
        let simple = match name.to_ascii_lowercase().as_str() {
            "null" => Some(Literal::Null),
            "true" => Some(Literal::Boolean(true)),
            "false" => Some(Literal::Boolean(false)),
            _ => read_currency(name),
        };
        if let Some(literal) = simple {
            self.cursor.advance();
            return Ok(literal);
        }
        let Some(named) = DateLiteral::named(name) else {
            let names: Vec<String> = DateLiteral::names().into_iter().map(|(name, _)| name).collect();
            let known = names.iter().map(String::as_str).chain(["null", "true", "false"]);
            let help = match nearest(name, known) {
                Some(known) => format!("did you mean `{known}`? Text goes in single quotes, as in `'{name:.40}'`"),
                None => format!("text goes in single quotes: `'{name:.40}'`"),
            };
            return Err(self.cursor.expected("a value").with_help(help));
        };
        self.cursor.advance();
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
        if !self.cursor.take(':') {
            return Ok(None);
        }
        let count = self.whole_number();
        let place = Place { start: name.start, end: self.cursor.here().end };
        let error = || SyntaxError::new(place, "expected a whole number after `:`").with_help("as in `LAST_N_DAYS:30`");
        let count = count.ok_or_else(error)?;
        self.cursor.advance();
        Ok(Some(count))
    }

    /// The whole number that comes next.
    fn whole_number<N: std::str::FromStr>(&self) -> Option<N> {
        match self.cursor.kind() {
            Some(TokenKind::Value(Literal::Number(number))) => number.as_str().parse().ok(),
            _ => None,
        }
    }
}
