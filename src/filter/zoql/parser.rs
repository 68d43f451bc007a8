//! Reads ZOQL conditions.

use super::dialect::ZOQL;
use super::quote::read_text;
use super::{Comparison, ComparisonOperator, Condition, Literal, Path, Pattern, Place, SyntaxError, Test, name};
use crate::filter::cursor::Cursor;
use crate::filter::lexer::{MAX_ERRORS, TokenKind};

/// The most comparisons of a condition (documented).
pub(super) const MAX_COMPARISONS: usize = 200;

/// Parses a condition: what follows `where`, without the word itself.
///
/// # Errors
///
/// With all mistakes that were found, at least one, in the order of the text. Anything but a single condition is a mistake: a
/// whole query, a clause after the condition, anything that only SQL has.
pub fn parse_condition(text: &str) -> Result<Condition, Vec<SyntaxError>> {
    let mut parser = Parser::new(text)?;
    match parser.cursor.refused_start(&ZOQL) {
        Some(error) => Err(vec![error]),
        None => parser.condition(),
    }
}

/// A mistake at a place, with what to write instead.
fn mistake(place: Place, message: impl Into<String>, help: &str) -> SyntaxError {
    SyntaxError::new(place, message).with_help(help)
}

const NO_PARENTHESES: &str = "ZOQL has no parentheses";
const WRITE_OUT: &str = "`and` binds tighter than `or`: write `a = 1 and c = 3 or b = 2 and c = 3`, or use a filter tree \
                         (`all`, `any`), which is expanded for you";

/// Reads parts of a condition.
struct Parser<'text> {
    /// What is read.
    cursor: Cursor<'text, Literal>,
}

impl<'text> Parser<'text> {
    /// # Errors
    ///
    /// When the text is too long, and with everything that cannot be a token.
    fn new(text: &'text str) -> Result<Self, Vec<SyntaxError>> {
        Ok(Self { cursor: Cursor::new(text, &ZOQL)? })
    }

    /// Reads comparisons to the end; reports a mistake in one and continues after it.
    fn condition(&mut self) -> Result<Condition, Vec<SyntaxError>> {
        let mut errors = Vec::new();
        let (mut alternatives, mut alternative) = (Vec::new(), Vec::new());
        let mut count = 0;
        loop {
            let start = self.cursor.here();
            match self.comparison().and_then(|comparison| self.refuse_what_follows().map(|()| comparison)) {
                Ok(comparison) => alternative.push(comparison),
                Err(error) => {
                    // The `and` of a `between` joins nothing, and an endless list of mistakes helps nobody.
                    let stop = self.cursor.at_word("between") || errors.len() + 1 == MAX_ERRORS;
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
            if self.cursor.take_word("or") {
                alternatives.push(std::mem::take(&mut alternative));
            } else if !self.cursor.take_word("and") {
                break;
            }
        }
        alternatives.push(alternative);
        match Condition::new(alternatives) {
            Some(condition) if errors.is_empty() => Ok(condition),
            _ => Err(errors),
        }
    }

    /// Moves to the next `and` or `or` outside parentheses, or to the end.
    fn skip(&mut self) {
        let mut open = 0usize;
        while let Some(kind) = self.cursor.kind() {
            match kind {
                TokenKind::Symbol('(') => open += 1,
                TokenKind::Symbol(')') => open = open.saturating_sub(1),
                _ if open == 0 && self.at_joiner() => return,
                _ => {}
            }
            self.cursor.advance();
        }
    }

    fn at_joiner(&self) -> bool {
        self.cursor.at_word("and") || self.cursor.at_word("or")
    }

    fn comparison(&mut self) -> Result<Comparison, SyntaxError> {
        if self.cursor.at('(') {
            return Err(mistake(self.cursor.here(), NO_PARENTHESES, WRITE_OUT));
        }
        if self.cursor.at_word("not") {
            let help = "negate the comparison, as in `UOM != 'Each'`, or use a filter tree (`not`)";
            return Err(mistake(self.cursor.here(), "ZOQL has no `not`", help));
        }
        let field = self.name("a field")?;
        let test = self.test(&field)?;
        let place = Place { start: field.place.start, end: self.cursor.end_of_last() };
        Ok(Comparison { field, test, place })
    }

    /// Reads the name of a field or an object.
    fn name(&mut self, expected: &str) -> Result<Path, SyntaxError> {
        let place = self.cursor.here();
        let word = self.cursor.word().unwrap_or_default();
        if word.contains('.') {
            let help = "name a field of the object itself, such as `AccountId`";
            return Err(mistake(place, "ZOQL reads one object and follows no references: a name has no dots", help));
        }
        let name = name(word, place).ok_or_else(|| {
            self.cursor.expected(expected).with_help("names are letters, digits and `_`, and start with a letter")
        })?;
        self.cursor.advance();
        if self.cursor.at('(') {
            let help = "compare the field itself; Sexton itself counts the records it selects";
            return Err(mistake(place, format!("ZOQL has no functions such as `{word:.40}`"), help));
        }
        Ok(name)
    }

    fn test(&mut self, field: &Path) -> Result<Test, SyntaxError> {
        if let Some(TokenKind::Operator(operator)) = self.cursor.kind() {
            let operator = *operator;
            self.cursor.advance();
            return self.literal(operator).map(|literal| Test::Compare(operator, literal));
        }
        if self.cursor.take_word("like") {
            return self.pattern();
        }
        let start = self.cursor.here().start;
        let not = self.cursor.take_word("not");
        let place = Place { start, end: self.cursor.here().end };
        let word = self.cursor.found();
        let (message, help) = match word.to_ascii_lowercase().as_str() {
            "in" if not => ("ZOQL has no `not in`", format!("write `{field} != 'a' and {field} != 'b'`")),
            "in" => ("ZOQL has no `in`", format!("write `{field} = 'a' or {field} = 'b'`, or use a filter tree (`in`)")),
            "is" => ("ZOQL has no `is null`", format!("write `{field} = null` or `{field} != null`")),
            "between" => ("ZOQL has no `between`", format!("write `{field} >= … and {field} <= …`")),
            "like" => ("ZOQL has no `not like`", "select by another field".to_owned()),
            _ => {
                let expected = "a comparison: `=`, `!=`, `<`, `<=`, `>`, `>=` or `like`";
                let help = format!("as in `{field} = 'text'` or `{field} != null`");
                return Err(self.cursor.expected(expected).with_help(help));
            }
        };
        Err(mistake(place, message, &help))
    }

    fn quoted_text(&mut self) -> Result<String, SyntaxError> {
        let (quoted, start) = (self.cursor.found(), self.cursor.here().start);
        self.cursor.advance();
        read_text(&quoted[1..quoted.len() - 1], start + 1)
    }

    fn pattern(&mut self) -> Result<Test, SyntaxError> {
        let place = self.cursor.here();
        if self.cursor.kind() != Some(&TokenKind::Text) {
            let error = self.cursor.expected("text in single quotes after `like`");
            return Err(error.with_help("as in `SourceName like 'Test%'`"));
        }
        let pattern = Pattern::new(&self.quoted_text()?);
        pattern.map(Test::Like).map_err(|reason| mistake(place, reason, "write a pattern such as `'Test%'` or `'%.csv'`"))
    }

    fn literal(&mut self, operator: ComparisonOperator) -> Result<Literal, SyntaxError> {
        let here = self.cursor.here();
        let literal = match self.cursor.kind() {
            Some(TokenKind::Text) => return self.quoted_text().map(Literal::Text),
            Some(TokenKind::Value(value)) => value.clone(),
            Some(TokenKind::Word) => match self.cursor.found().to_ascii_lowercase().as_str() {
                "null" if !matches!(operator, ComparisonOperator::Equal | ComparisonOperator::NotEqual) => {
                    let help = "write `= null` or `!= null`";
                    return Err(mistake(here, format!("`null` has no order, but follows `{operator}`"), help));
                }
                "null" => Literal::Null,
                "true" => Literal::Boolean(true),
                "false" => Literal::Boolean(false),
                _ => {
                    let help = "text goes in single quotes, as in `'Each'`; ZOQL compares no field with another one, and has \
                                no relative dates: for those use a filter tree (`olderThan`)";
                    return Err(self.cursor.expected("a value").with_help(help));
                }
            },
            Some(TokenKind::Symbol('(')) => {
                let help = "write the values themselves, each in a comparison of its own";
                return Err(mistake(here, "ZOQL has neither parentheses nor subqueries", help));
            }
            Some(TokenKind::Symbol(_) | TokenKind::Operator(_)) | None => {
                return Err(self.cursor.expected("a value").with_help("text goes in single quotes, as in `'Each'`"));
            }
        };
        self.cursor.advance();
        Ok(literal)
    }

    /// Refuses what can follow no comparison.
    fn refuse_what_follows(&self) -> Result<(), SyntaxError> {
        if self.cursor.at('(') || self.cursor.at(')') {
            return Err(mistake(self.cursor.here(), NO_PARENTHESES, WRITE_OUT));
        }
        if self.cursor.kind().is_none() || self.at_joiner() {
            return Ok(());
        }
        Err(self.cursor.refused_clause().unwrap_or_else(|| {
            let error = self.cursor.expected("`and`, `or` or the end");
            error.with_help("numbers have no `,`; text goes in single quotes")
        }))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What is wrong with `text`: each mistake under the text it stands at, with its help.
    /// What only SQL has, or no language at all.
    pub(crate) const REFUSED: [&str; 20] = [
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
        "UpdatedDate < 2026-1-31",
        "Quantity < null",
        "UOM = \"Each",
        "UOM = 'a\\x'",
    ];

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
        insta::assert_snapshot!(REFUSED.map(wrong).join("\n"), @r#"
        (UOM = 'Each' or Quantity = 0) and RbeStatus = 'x'
        ^ ZOQL has no parentheses
          `and` binds tighter than `or`: write `a = 1 and c = 3 or b = 2 and c = 3`, or use a filter tree (`all`, `any`), which is expanded for you
        UOM in ('Each', 'Hour')
            ^^ ZOQL has no `in`
          write `UOM = 'a' or UOM = 'b'`, or use a filter tree (`in`)
        UOM not in ('Each')
            ^^^^^^ ZOQL has no `not in`
          write `UOM != 'a' and UOM != 'b'`
        not UOM = 'Each'
        ^^^ ZOQL has no `not`
          negate the comparison, as in `UOM != 'Each'`, or use a filter tree (`not`)
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
                     ^^^^^ `ORDER` does not belong in a condition
          leave it out: a condition only says which records are meant, not how many or in which order
        count(Id) > 3
        ^^^^^ ZOQL has no functions such as `count`
          compare the field itself; Sexton itself counts the records it selects
        Account.Name = 'Acme'
        ^^^^^^^^^^^^ ZOQL reads one object and follows no references: a name has no dots
          name a field of the object itself, such as `AccountId`
        AccountId = (select Id from Account)
                    ^ ZOQL has neither parentheses nor subqueries
          write the values themselves, each in a comparison of its own
        StartDateTime < today
                        ^^^^^ expected a value, found `today`
          text goes in single quotes, as in `'Each'`; ZOQL compares no field with another one, and has no relative dates: for those use a filter tree (`olderThan`)
        UOM = Each
              ^^^^ expected a value, found `Each`
          text goes in single quotes, as in `'Each'`; ZOQL compares no field with another one, and has no relative dates: for those use a filter tree (`olderThan`)
        SourceName like '%a%'
                        ^^^^^ in ZOQL a pattern has one `%`, at its beginning or at its end
          write a pattern such as `'Test%'` or `'%.csv'`
        UOM = 'Each';
                    ^ ZOQL has no `;`
          leave it out
        UOM <> 'Each'
            ^^ ZOQL has no `<>`
          another value is `!=`
        UpdatedDate < 2026-1-31
                      ^^^^^^^^^ `2026-1-31` is not a value in ZOQL
          numbers are written `42` or `-1.5`, days `'2026-01-31'`, moments `'2026-01-31T12:00:00+00:00'`
        Quantity < null
                   ^^^^ `null` has no order, but follows `<`
          write `= null` or `!= null`
        UOM = "Each
              ^ this text has no closing quotation mark
          end it with `"`; a quotation mark inside text is written `\"`
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
          numbers have no `,`; text goes in single quotes
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
        assert!(parse_condition(&format!("A = '{}'", "x".repeat(10_000))).is_err());
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let condition = parse_condition("A = 1 OR B = 2 AND C = 3 or D = 4").expect("valid");
        let sizes: Vec<usize> = condition.alternatives().iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 2, 1]);
    }
}
