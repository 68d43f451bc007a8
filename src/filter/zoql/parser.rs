//! Reads ZOQL conditions and queries.

use super::lexer::{Token, TokenKind, tokens};
use super::quote::read_text;
use super::{Comparison, Condition, Literal, Name, Operator, Pattern, Select, Test};
use crate::filter::{Place, SyntaxError};

/// The longest query, in characters (documented).
pub(super) const MAX_CHARACTERS: usize = 10_000;
/// The most comparisons of a condition (documented).
pub(super) const MAX_COMPARISONS: usize = 200;
/// More mistakes than that are not worth reading.
const MAX_ERRORS: usize = 20;

/// Reads a condition: what stands behind `where`, without the word itself.
///
/// # Errors
///
/// With every mistake that could be found, in the order of the text, and at least one. Anything that is not a single
/// condition to its very end is one: a whole query, a clause behind the condition, anything that only SQL has.
pub fn parse_condition(text: &str) -> Result<Condition, Vec<SyntaxError>> {
    let mut parser = Parser::new(text)?;
    parser.refuse_other_starts()?;
    parser.condition(false)
}

/// Reads a whole query. A semicolon at its end is passed over (documented in samples).
///
/// # Errors
///
/// As [`parse_condition`].
pub fn parse_select(text: &str) -> Result<Select, Vec<SyntaxError>> {
    let mut parser = Parser::new(text)?;
    let (fields, object) = parser.head().map_err(|error| vec![error])?;
    let condition = if parser.take_word("where") { Some(parser.condition(true)?) } else { None };
    parser.end_of_query().map_err(|error| vec![error])?;
    Ok(Select { fields, object, condition })
}

/// A mistake at a place, with what to write instead.
pub(super) fn mistake(place: Place, message: impl Into<String>, help: &str) -> SyntaxError {
    SyntaxError { start: place.start, end: place.end, message: message.into(), help: Some(help.to_owned()) }
}

const NO_PARENTHESES: &str = "ZOQL has no parentheses";
const WRITE_OUT: &str = "`and` binds tighter than `or`: write `a = 1 and c = 3 or b = 2 and c = 3`, or use a filter tree \
                         (`all`, `any`), which is written out for you";

struct Parser<'text> {
    text: &'text str,
    tokens: Vec<Token>,
    position: usize,
}

impl<'text> Parser<'text> {
    fn new(text: &'text str) -> Result<Self, Vec<SyntaxError>> {
        let characters = text.chars().count();
        if characters > MAX_CHARACTERS {
            let message = format!("this is {characters} characters long, and the system takes at most {MAX_CHARACTERS}");
            let help = "split it into several policies, or select by a field instead of a list of values";
            return Err(vec![mistake(Place { start: 0, end: text.len() }, message, help)]);
        }
        let tokens = tokens(text).map_err(|error| vec![error])?;
        Ok(Self { text, tokens, position: 0 })
    }

    fn kind(&self) -> Option<&TokenKind> {
        self.tokens.get(self.position).map(|token| &token.kind)
    }

    /// The place of the next token, or the end of the text.
    fn here(&self) -> Place {
        let end = Place { start: self.text.len(), end: self.text.len() };
        self.tokens.get(self.position).map_or(end, |token| token.place)
    }

    fn found(&self) -> &'text str {
        &self.text[self.here().start..self.here().end]
    }

    /// The next token in lower case, when it is a word.
    fn word(&self) -> Option<String> {
        (self.kind() == Some(&TokenKind::Word)).then(|| self.found().to_ascii_lowercase())
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.word().as_deref() == Some(word);
        self.position += usize::from(found);
        found
    }

    fn at(&self, symbol: char) -> bool {
        self.kind() == Some(&TokenKind::Symbol(symbol))
    }

    fn expected(&self, expected: &str, help: &str) -> SyntaxError {
        let found = match self.kind() {
            Some(_) => {
                let shown: String = self.found().chars().take(60).flat_map(char::escape_debug).collect();
                format!("`{shown}`")
            }
            None => "the end".to_owned(),
        };
        mistake(self.here(), format!("expected {expected}, found {found}"), help)
    }

    fn refuse_other_starts(&self) -> Result<(), Vec<SyntaxError>> {
        let (message, help) = match self.word().as_deref() {
            Some("where") => ("the filter starts with `where`", "leave the word out: the condition alone is the filter"),
            Some("select") => (
                "the filter is a whole query, not a condition",
                "write what stands behind `where` alone, such as `UOM = 'Each'`",
            ),
            _ if self.tokens.is_empty() => {
                let whole = Place { start: 0, end: self.text.len() };
                let help = "write a condition, such as `UOM = 'Each'`; an empty filter would mean every record";
                return Err(vec![mistake(whole, "the filter is empty", help)]);
            }
            _ => return Ok(()),
        };
        Err(vec![mistake(self.here(), message, help)])
    }

    /// Reads comparisons to the end; reports what is wrong in one and goes on behind it.
    fn condition(&mut self, in_query: bool) -> Result<Condition, Vec<SyntaxError>> {
        let mut errors = Vec::new();
        let mut alternatives = vec![Vec::new()];
        let mut count = 0;
        loop {
            let start = self.here();
            match self.comparison().and_then(|comparison| self.refuse_what_follows(in_query).map(|()| comparison)) {
                Ok(comparison) => alternatives.last_mut().expect("there is always one").push(comparison),
                Err(error) => {
                    // The `and` of a `between` joins nothing, and an endless list of mistakes helps nobody.
                    let stop = self.word().as_deref() == Some("between") || errors.len() + 1 == MAX_ERRORS;
                    errors.push(error);
                    if stop {
                        break;
                    }
                    self.skip();
                }
            }
            count += 1;
            if count > MAX_COMPARISONS {
                let message = format!("this is comparison {count}, and the system takes at most {MAX_COMPARISONS}");
                errors.push(mistake(start, message, "split the filter into several policies"));
                break;
            }
            match self.word().as_deref() {
                Some("and") => {}
                Some("or") => alternatives.push(Vec::new()),
                _ => break,
            }
            self.position += 1;
        }
        match Condition::new(alternatives) {
            Some(condition) if errors.is_empty() => Ok(condition),
            _ => Err(errors),
        }
    }

    /// Moves to the next `and` or `or` outside parentheses, or to the end.
    fn skip(&mut self) {
        let mut open = 0usize;
        while self.kind().is_some() {
            match self.kind() {
                Some(TokenKind::Symbol('(')) => open += 1,
                Some(TokenKind::Symbol(')')) => open = open.saturating_sub(1),
                Some(TokenKind::Word) if open == 0 && matches!(self.word().as_deref(), Some("and" | "or")) => return,
                _ => {}
            }
            self.position += 1;
        }
    }

    fn comparison(&mut self) -> Result<Comparison, SyntaxError> {
        if self.at('(') {
            return Err(mistake(self.here(), NO_PARENTHESES, WRITE_OUT));
        }
        if self.word().as_deref() == Some("not") {
            let help = "turn the comparison round, as in `UOM != 'Each'`, or use a filter tree (`not`)";
            return Err(mistake(self.here(), "ZOQL has no `not`", help));
        }
        let field = self.name("a field")?;
        let test = self.test(&field)?;
        Ok(Comparison { field, test })
    }

    fn name(&mut self, expected: &str) -> Result<Name, SyntaxError> {
        let place = self.here();
        let word = self.found();
        let is_word = self.kind() == Some(&TokenKind::Word);
        if is_word && word.contains('.') {
            let help = "name a field of the object itself, such as `AccountId`";
            return Err(mistake(place, "ZOQL reads one object and follows no references: a name has no dots", help));
        }
        let next = self.tokens.get(self.position + 1).map(|token| &token.kind);
        if is_word && next == Some(&TokenKind::Symbol('(')) && Name::new(word, place).is_some() {
            let help = "compare the field itself; Sexton counts the records it selects by itself";
            return Err(mistake(place, format!("ZOQL has no functions such as `{word:.40}`"), help));
        }
        let name = Some(word).filter(|_| is_word).and_then(|word| Name::new(word, place));
        let name =
            name.ok_or_else(|| self.expected(expected, "names are letters, digits and `_`, and start with a letter"))?;
        self.position += 1;
        Ok(name)
    }

    fn test(&mut self, field: &Name) -> Result<Test, SyntaxError> {
        if let Some(TokenKind::Operator(operator)) = self.kind() {
            let operator = *operator;
            self.position += 1;
            return self.literal(operator).map(|literal| Test::Compare(operator, literal));
        }
        if self.take_word("like") {
            return self.pattern();
        }
        let not = self.word().as_deref() == Some("not");
        let second = self.tokens.get(self.position + 1).filter(|_| not);
        let word = second.map_or_else(|| self.found(), |token| &self.text[token.place.start..token.place.end]);
        let here = self.here();
        let place = Place { start: here.start, end: second.map_or(here.end, |token| token.place.end) };
        let (message, help) = match word.to_ascii_lowercase().as_str() {
            "in" if not => ("ZOQL has no `not in`", format!("write `{field} != 'a' and {field} != 'b'`")),
            "in" => ("ZOQL has no `in`", format!("write `{field} = 'a' or {field} = 'b'`, or use a filter tree (`in`)")),
            "is" => ("ZOQL has no `is null`", format!("write `{field} = null` or `{field} != null`")),
            "between" => ("ZOQL has no `between`", format!("write `{field} >= … and {field} <= …`")),
            "like" => ("ZOQL has no `not like`", "select by another field".to_owned()),
            _ => {
                let expected = "a comparison: `=`, `!=`, `<`, `<=`, `>`, `>=` or `like`";
                return Err(self.expected(expected, &format!("as in `{field} = 'text'` or `{field} != null`")));
            }
        };
        Err(mistake(place, message, &help))
    }

    fn quoted_text(&mut self) -> Result<String, SyntaxError> {
        let place = self.here();
        let quoted = self.found();
        self.position += 1;
        read_text(&quoted[1..quoted.len() - 1]).map_err(|(wrong, message)| {
            let inside = place.start + 1;
            let place = Place { start: inside + wrong.start, end: inside + wrong.end };
            let help = "the sequences are `\\'` `\\\"` `\\\\` `\\n` `\\r` `\\t` `\\b` `\\f`; a backslash is written twice";
            mistake(place, message, help)
        })
    }

    fn pattern(&mut self) -> Result<Test, SyntaxError> {
        let place = self.here();
        if self.kind() != Some(&TokenKind::Text) {
            return Err(self.expected("text in single quotes after `like`", "as in `SourceName like 'Test%'`"));
        }
        let pattern = Pattern::new(&self.quoted_text()?);
        pattern.map(Test::Like).map_err(|reason| mistake(place, reason, "write a pattern such as `'Test%'` or `'%.csv'`"))
    }

    fn literal(&mut self, operator: Operator) -> Result<Literal, SyntaxError> {
        let here = self.here();
        let literal = match self.kind() {
            Some(TokenKind::Text) => return self.quoted_text().map(Literal::Text),
            Some(TokenKind::Number(number)) => Literal::Number(number.clone()),
            Some(TokenKind::Moment) => Literal::Moment(self.found().to_owned()),
            Some(TokenKind::Word) => match self.word().unwrap_or_default().as_str() {
                "null" if !matches!(operator, Operator::Equal | Operator::NotEqual) => {
                    let help = "write `= null` or `!= null`";
                    return Err(mistake(here, format!("`null` has no order, and stands behind `{operator}`"), help));
                }
                "null" => Literal::Null,
                "true" => Literal::Boolean(true),
                "false" => Literal::Boolean(false),
                _ => {
                    let help = "text stands in single quotes, as in `'Each'`; ZOQL compares no field with another one, and has \
                                no relative dates: for those use a filter tree (`olderThan`)";
                    return Err(self.expected("a value", help));
                }
            },
            Some(TokenKind::Symbol('(')) => {
                let help = "write the values themselves, each in a comparison of its own";
                return Err(mistake(here, "ZOQL has neither parentheses nor subqueries", help));
            }
            _ => return Err(self.expected("a value", "text stands in single quotes, as in `'Each'`")),
        };
        self.position += 1;
        Ok(literal)
    }

    /// Refuses what can follow no comparison.
    fn refuse_what_follows(&self, in_query: bool) -> Result<(), SyntaxError> {
        const CLAUSES: [&str; 9] = ["order", "group", "limit", "offset", "having", "join", "union", "where", "for"];
        let word = self.word();
        let word = word.as_deref();
        match self.kind() {
            None => Ok(()),
            Some(TokenKind::Symbol(';')) if in_query => Ok(()),
            Some(TokenKind::Symbol(';')) => Err(mistake(self.here(), "the condition ends in `;`", "leave it out")),
            Some(TokenKind::Symbol('(' | ')')) => Err(mistake(self.here(), NO_PARENTHESES, WRITE_OUT)),
            Some(_) if matches!(word, Some("and" | "or")) => Ok(()),
            Some(_) => match word.filter(|word| CLAUSES.contains(word)) {
                Some(clause) => {
                    let help = "leave it out: a condition only says which records are meant, not how many or in which order";
                    Err(mistake(self.here(), format!("ZOQL has no `{clause}`"), help))
                }
                None => Err(self.expected("`and`, `or` or the end", "numbers have no `,`; text stands in single quotes")),
            },
        }
    }

    fn head(&mut self) -> Result<(Vec<Name>, Name), SyntaxError> {
        const FORM: &str = "as in `select Id from Usage where UOM = 'Each'`";
        if !self.take_word("select") {
            return Err(self.expected("`select`", FORM));
        }
        let mut fields = vec![self.name("a field")?];
        while self.at(',') {
            self.position += 1;
            fields.push(self.name("a field")?);
        }
        if !self.take_word("from") {
            return Err(self.expected("`,` or `from`", FORM));
        }
        Ok((fields, self.name("an object")?))
    }

    fn end_of_query(&mut self) -> Result<(), SyntaxError> {
        self.position += usize::from(self.at(';'));
        match self.kind() {
            None => Ok(()),
            Some(_) => Err(self.expected("`where` or the end", "ZOQL has no other clauses")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with `text`: each mistake under the text it stands at, with its help.
    fn wrong(text: &str) -> String {
        let errors = parse_condition(text).expect_err(text);
        let shown = |error: SyntaxError| {
            let help = error.help.expect("every mistake has a help");
            let carets = "^".repeat(text[error.start..error.end].chars().count().max(1));
            format!(
                "{text}\n{:indent$}{carets} {}\n  {help}",
                "",
                error.message,
                indent = text[..error.start].chars().count()
            )
        };
        errors.into_iter().map(shown).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_only_sql_has_is_refused_each_with_its_reason() {
        let texts = [
            "(UOM = 'Each' or Quantity = 0) and RbeStatus = 'x'",
            "UOM in ('Each', 'Hour')",
            "UOM not in ('Each')",
            "not UOM = 'Each'",
            "SourceName not like 'a%'",
            "SourceName is null",
            "Quantity between 1 and 2",
            "UOM = 'Each' order by Id",
            "count(Id) > 3",
            "Account.Name = 'Acme'",
            "AccountId = (select Id from Account)",
            "StartDateTime < today",
            "UOM = Each",
            "SourceName like '%a%'",
            "UOM = 'Each';",
            "UOM <> 'Each'",
            "UpdatedDate < 2026-01-31",
            "Quantity < null",
            "UOM = \"Each",
            "UOM = 'a\\x'",
        ];
        insta::assert_snapshot!(texts.map(wrong).join("\n"), @r#"
        (UOM = 'Each' or Quantity = 0) and RbeStatus = 'x'
        ^ ZOQL has no parentheses
          `and` binds tighter than `or`: write `a = 1 and c = 3 or b = 2 and c = 3`, or use a filter tree (`all`, `any`), which is written out for you
        UOM in ('Each', 'Hour')
            ^^ ZOQL has no `in`
          write `UOM = 'a' or UOM = 'b'`, or use a filter tree (`in`)
        UOM not in ('Each')
            ^^^^^^ ZOQL has no `not in`
          write `UOM != 'a' and UOM != 'b'`
        not UOM = 'Each'
        ^^^ ZOQL has no `not`
          turn the comparison round, as in `UOM != 'Each'`, or use a filter tree (`not`)
        SourceName not like 'a%'
                   ^^^^^^^^ ZOQL has no `not like`
          select by another field
        SourceName is null
                   ^^ ZOQL has no `is null`
          write `SourceName = null` or `SourceName != null`
        Quantity between 1 and 2
                 ^^^^^^^ ZOQL has no `between`
          write `Quantity >= … and Quantity <= …`
        UOM = 'Each' order by Id
                     ^^^^^ ZOQL has no `order`
          leave it out: a condition only says which records are meant, not how many or in which order
        count(Id) > 3
        ^^^^^ ZOQL has no functions such as `count`
          compare the field itself; Sexton counts the records it selects by itself
        Account.Name = 'Acme'
        ^^^^^^^^^^^^ ZOQL reads one object and follows no references: a name has no dots
          name a field of the object itself, such as `AccountId`
        AccountId = (select Id from Account)
                    ^ ZOQL has neither parentheses nor subqueries
          write the values themselves, each in a comparison of its own
        StartDateTime < today
                        ^^^^^ expected a value, found `today`
          text stands in single quotes, as in `'Each'`; ZOQL compares no field with another one, and has no relative dates: for those use a filter tree (`olderThan`)
        UOM = Each
              ^^^^ expected a value, found `Each`
          text stands in single quotes, as in `'Each'`; ZOQL compares no field with another one, and has no relative dates: for those use a filter tree (`olderThan`)
        SourceName like '%a%'
                        ^^^^^ in ZOQL `%` stands once in a pattern, at its beginning or at its end
          write a pattern such as `'Test%'` or `'%.csv'`
        UOM = 'Each';
                    ^ the condition ends in `;`
          leave it out
        UOM <> 'Each'
            ^^ ZOQL has no `<>`
          another value is `!=`
        UpdatedDate < 2026-01-31
                      ^^^^^^^^^^ this is neither a number nor a moment
          numbers are written `42` or `-1.5`, days `'2026-01-31'`, moments `'2026-01-31T12:00:00+00:00'`
        Quantity < null
                   ^^^^ `null` has no order, and stands behind `<`
          write `= null` or `!= null`
        UOM = "Each
              ^ this text is never closed
          end it with `"`; inside text it is written `\"`
        UOM = 'a\x'
                ^^ `\x` is not an escape sequence
          the sequences are `\'` `\"` `\\` `\n` `\r` `\t` `\b` `\f`; a backslash is written twice
        "#);
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        insta::assert_snapshot!(wrong("Account.Id = 'a' and UOM = 'x' or UOM in ('a and b') or Quantity = 1 2"), @"
        Account.Id = 'a' and UOM = 'x' or UOM in ('a and b') or Quantity = 1 2
        ^^^^^^^^^^ ZOQL reads one object and follows no references: a name has no dots
          name a field of the object itself, such as `AccountId`
        Account.Id = 'a' and UOM = 'x' or UOM in ('a and b') or Quantity = 1 2
                                              ^^ ZOQL has no `in`
          write `UOM = 'a' or UOM = 'b'`, or use a filter tree (`in`)
        Account.Id = 'a' and UOM = 'x' or UOM in ('a and b') or Quantity = 1 2
                                                                             ^ expected `and`, `or` or the end, found `2`
          numbers have no `,`; text stands in single quotes
        ");
    }

    #[test]
    fn an_empty_filter_a_query_and_a_clause_are_no_conditions() {
        for text in ["", "  \n", "where Id = 'x'", "select Id from Usage", "and", "UOM", "UOM =", "UOM = 'x' or", "é"] {
            assert!(parse_condition(text).is_err(), "{text}");
        }
        let many = |count: usize| vec!["A = 1"; count].join(" or ");
        assert!(parse_condition(&many(MAX_COMPARISONS)).is_ok());
        assert!(parse_condition(&many(MAX_COMPARISONS + 1)).is_err());
        assert!(parse_condition(&format!("A = '{}'", "x".repeat(MAX_CHARACTERS))).is_err());
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let condition = parse_condition("A = 1 OR B = 2 AND C = 3 or D = 4").expect("valid");
        let sizes: Vec<usize> = condition.alternatives().iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 2, 1]);
    }

    #[test]
    fn reads_whole_queries() {
        let printed = |text: &str| parse_select(text).map(|select| select.to_string());
        assert_eq!(
            printed("SELECT Id,AccountId\n FROM Usage WHERE CreatedDate < 2026-01-31T00:00:00-08:00;").as_deref(),
            Ok("select Id, AccountId from Usage where CreatedDate < 2026-01-31T00:00:00-08:00")
        );
        assert_eq!(printed("select Id from Usage").as_deref(), Ok("select Id from Usage"));
        for text in [
            "select * from Usage",
            "select count(Id) from Usage",
            "select Id from Usage limit 5",
            "select Id from Usage, Account",
            "select Id from Usage where",
            "select Id from Usage where A = 1 order by Id",
            "select Id from Usage;;",
            "select Id Usage",
            "delete from Usage",
        ] {
            assert!(parse_select(text).is_err(), "{text}");
        }
    }
}
