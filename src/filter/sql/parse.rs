//! Reads a condition: a parser that knows all of PostgreSQL, and a list of what of it is let through.

use sqlparser::ast::{
    AccessExpr, Array, ArrayElemTypeDef, BinaryOperator, CastKind, CeilFloorKind, DataType, DateTimeField, Expr, Function,
    FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Interval, Spanned, Subscript, TypedString, UnaryOperator, Value,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};

use super::{Condition, Expression, Field, FormName, IsTest, Operator, TypeName, functions};
use crate::filter::error::shown;
use crate::filter::{Place, SyntaxError};

/// The longest condition, in bytes. A limit of this program: the query is in a request's body, and no limit is documented.
pub(super) const MAX_BYTES: usize = 100_000;
/// How deep a condition may be nested.
pub(super) const MAX_DEPTH: usize = 20;
/// How deep the parser may go for that: printing puts each level into parentheses, which are a level of the parser's own. More
/// would exhaust a thread's stack.
const PARSER_DEPTH: usize = 50;
/// How deep `CASE` may be nested: the parser needs much more stack for it than for parentheses.
const MAX_CASES: usize = 4;
/// How many words and signs besides literals and commas a condition may have, so that long chains cannot exhaust the stack.
const MAX_WORDS: usize = 4_000;

/// Parses a condition: what follows `WHERE`, without the word itself.
///
/// Subqueries are refused, although they only read: they reach records of other forms, which no hold, count or recheck covers, and
/// each page of the selection and each batch would run them again.
///
/// # Errors
///
/// With the first mistake; places are byte offsets into `text`.
pub fn parse_condition(text: &str) -> Result<Condition, Vec<SyntaxError>> {
    Reader { text }.condition().map_err(|error| vec![error])
}

type Read<T> = Result<T, SyntaxError>;

struct Reader<'text> {
    text: &'text str,
}

impl Reader<'_> {
    fn condition(&self) -> Read<Condition> {
        let whole = self.whole();
        if self.text.len() > MAX_BYTES {
            let message = format!("the condition has {} bytes, and at most {MAX_BYTES} are accepted", self.text.len());
            return Err(error(whole, message, "split it into several policies"));
        }
        let dialect = PostgreSqlDialect {};
        let tokens = Tokenizer::new(&dialect, self.text).tokenize_with_location().map_err(|mistake| {
            let start = self.offset(mistake.location);
            error(Place { start, end: self.text.len() }, lower_first(&mistake.message), "close what was opened")
        })?;
        self.check_tokens(&tokens)?;
        let mut parser = Parser::new(&dialect).with_recursion_limit(PARSER_DEPTH).with_tokens_with_locations(tokens);
        let parsed = parser.parse_expr().map_err(|mistake| self.parser_error(mistake))?;
        let next = parser.next_token();
        if next.token != Token::EOF {
            let message = format!("the condition ends before {}", shown(&next.token.to_string()));
            return Err(error(self.place(next.span), message, "join conditions with `AND` or `OR`"));
        }
        let condition = Condition(self.expression(&parsed, 0)?);
        if condition.fields().is_empty() {
            return Err(error(whole, "the condition names no field", "for every record write `filter: everything`"));
        }
        Ok(condition)
    }

    fn check_tokens(&self, tokens: &[TokenWithSpan]) -> Read<()> {
        let (mut words, mut cases) = (0, 0usize);
        let first = tokens.iter().find(|token| !matches!(token.token, Token::Whitespace(_)));
        if let Some(TokenWithSpan { token: Token::Word(word), span }) = first
            && matches!(word.keyword, Keyword::SELECT | Keyword::WHERE | Keyword::DELETE | Keyword::WITH)
        {
            let message = format!("a filter does not begin with {}", shown(&word.value));
            return Err(error(self.place(*span), message, "write only the condition: what follows `WHERE`"));
        }
        for token in tokens {
            let place = || self.place(token.span);
            if let Token::Word(word) = &token.token
                && word.quote_style.is_none()
            {
                cases = match word.keyword {
                    Keyword::CASE => cases + 1,
                    Keyword::END => cases.saturating_sub(1),
                    _ => cases,
                };
                if cases > MAX_CASES {
                    let message = format!("`CASE` is nested more than {MAX_CASES} deep");
                    return Err(error(place(), message, "write it with fewer levels"));
                }
            }
            match &token.token {
                Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)) => {
                    return Err(error(place(), "the condition contains a comment", "put comments into the YAML, with `#`"));
                }
                Token::SemiColon => {
                    return Err(error(
                        place(),
                        "the condition contains a `;`",
                        "a filter is one condition, not a statement",
                    ));
                }
                Token::Whitespace(_) | Token::Comma | Token::Number(..) | Token::SingleQuotedString(_) => {}
                _ => words += 1,
            }
        }
        if words > MAX_WORDS {
            let message = format!("the condition has {words} words and signs, and at most {MAX_WORDS} are accepted");
            return Err(error(self.whole(), message, "use `IN` for long lists, or split it into several policies"));
        }
        Ok(())
    }

    fn expression(&self, parsed: &Expr, depth: usize) -> Read<Expression> {
        if depth > MAX_DEPTH {
            let message = format!("the condition is nested more than {MAX_DEPTH} deep");
            return Err(error(self.whole(), message, "write it with fewer levels"));
        }
        let deeper = |part: &Expr| self.expression(part, depth + 1);
        let part = |part: &Expr| deeper(part).map(Box::new);
        let list = |parts: &[Expr]| parts.iter().map(deeper).collect::<Read<Vec<_>>>();
        let is = |value: &Expr, negated, test| Ok(Expression::Is { value: part(value)?, negated, test });
        match parsed {
            // Parentheses are no level of their own: printing puts them back where they are needed.
            Expr::Nested(inner) => self.expression(inner, depth),
            Expr::Identifier(name) => self.field(name),
            Expr::Value(value) => self.literal(&value.value, parsed),
            Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. } => self.chain(parsed, depth),
            Expr::BinaryOp { left, op, right } => {
                let operator = self.operator(op, parsed)?;
                self.refuse_chained(operator, &[left, right])?;
                self.binary(left, operator, right, depth)
            }
            Expr::CompoundIdentifier(path) => match path.as_slice() {
                [form, name] => self.field_of(form, name),
                _ => Err(self.unsupported(parsed)),
            },
            Expr::CompoundFieldAccess { root, access_chain } => self.element(root, access_chain, parsed, depth),
            Expr::Case { operand, conditions, else_result, .. } => {
                let branches = conditions.iter().map(|branch| Ok((deeper(&branch.condition)?, deeper(&branch.result)?)));
                Ok(Expression::Case {
                    operand: operand.as_deref().map(part).transpose()?,
                    branches: branches.collect::<Read<_>>()?,
                    otherwise: else_result.as_deref().map(part).transpose()?,
                })
            }
            Expr::AtTimeZone { timestamp, time_zone } => self.binary(timestamp, Operator("AT TIME ZONE"), time_zone, depth),
            Expr::SimilarTo { negated, expr, pattern, escape_char: None } => {
                self.binary(expr, Operator(if *negated { "NOT SIMILAR TO" } else { "SIMILAR TO" }), pattern, depth)
            }
            // The same under its other name.
            Expr::Position { expr, r#in } => Ok(Expression::Call("strpos", vec![deeper(r#in)?, deeper(expr)?])),
            Expr::IsDistinctFrom(left, right) => self.binary(left, Operator("IS DISTINCT FROM"), right, depth),
            Expr::IsNotDistinctFrom(left, right) => self.binary(left, Operator("IS NOT DISTINCT FROM"), right, depth),
            Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
                self.binary(expr, Operator(if *negated { "NOT LIKE" } else { "LIKE" }), pattern, depth)
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char: None } => {
                self.binary(expr, Operator(if *negated { "NOT ILIKE" } else { "ILIKE" }), pattern, depth)
            }
            Expr::AnyOp { left, compare_op, right, .. } => self.each(left, compare_op, right, false, depth),
            Expr::AllOp { left, compare_op, right } => self.each(left, compare_op, right, true, depth),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => Ok(Expression::Not(part(expr)?)),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Ok(Expression::Negative(part(expr)?)),
            Expr::UnaryOp { op: UnaryOperator::Plus, expr } => deeper(expr),
            Expr::IsNull(value) => is(value, false, IsTest::Null),
            Expr::IsNotNull(value) => is(value, true, IsTest::Null),
            Expr::IsTrue(value) => is(value, false, IsTest::True),
            Expr::IsNotTrue(value) => is(value, true, IsTest::True),
            Expr::IsFalse(value) => is(value, false, IsTest::False),
            Expr::IsNotFalse(value) => is(value, true, IsTest::False),
            Expr::IsUnknown(value) => is(value, false, IsTest::Unknown),
            Expr::IsNotUnknown(value) => is(value, true, IsTest::Unknown),
            Expr::InList { expr, list: values, negated } if !values.is_empty() => {
                Ok(Expression::In { value: part(expr)?, negated: *negated, list: list(values)? })
            }
            Expr::Between { expr, negated, low, high } => {
                Ok(Expression::Between { value: part(expr)?, negated: *negated, low: part(low)?, high: part(high)? })
            }
            Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, format: None } => {
                let name = self.type_name(data_type, parsed)?;
                Ok(Expression::Cast(Box::new(self.cast_operand(expr, name, depth)?), name))
            }
            Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }) => {
                let name = self.type_name(data_type, parsed)?;
                let value = Expr::Value(value.clone());
                Ok(Expression::Cast(Box::new(self.cast_operand(&value, name, depth)?), name))
            }
            Expr::Interval(Interval { value, leading_field: None, last_field: None, .. }) => {
                Ok(Expression::Cast(part(value)?, TypeName("interval")))
            }
            Expr::Array(Array { elem, named: true }) => Ok(Expression::Array(list(elem)?)),
            Expr::Function(function) => self.call(function, parsed, depth),
            Expr::Extract { field, expr, .. } => {
                let field = Expression::Text(date_field(field).ok_or_else(|| self.unsupported(parsed))?.to_owned());
                Ok(Expression::Call("date_part", vec![field, deeper(expr)?]))
            }
            Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                Ok(Expression::Call("ceil", vec![deeper(expr)?]))
            }
            Expr::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                Ok(Expression::Call("floor", vec![deeper(expr)?]))
            }
            Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
                let parts = [Some(expr), Some(from), substring_for.as_ref()];
                Ok(Expression::Call("substring", parts.into_iter().flatten().map(|part| deeper(part)).collect::<Read<_>>()?))
            }
            Expr::Trim { trim_where: None, trim_what: None, trim_characters: None, expr } => {
                Ok(Expression::Call("trim", vec![deeper(expr)?]))
            }
            _ => Err(self.unsupported(parsed)),
        }
    }

    /// A chain of `AND` or of `OR`, which the parser nests as deep as it is long.
    fn chain(&self, parsed: &Expr, depth: usize) -> Read<Expression> {
        let Expr::BinaryOp { op: joint, .. } = parsed else { return Err(self.unsupported(parsed)) };
        let mut parts = Vec::new();
        let mut rest = parsed;
        while let Expr::BinaryOp { left, op, right } = rest
            && op == joint
        {
            parts.push(self.expression(right, depth + 1)?);
            rest = left;
        }
        parts.push(self.expression(rest, depth + 1)?);
        parts.reverse();
        Ok(if *joint == BinaryOperator::And { Expression::And(parts) } else { Expression::Or(parts) })
    }

    fn binary(&self, left: &Expr, operator: Operator, right: &Expr, depth: usize) -> Read<Expression> {
        let left = self.expression(left, depth + 1)?;
        let right = match text_of(right).filter(|_| operator.takes_a_pattern()) {
            Some(pattern) => self.text(pattern, right)?,
            None => self.expression(right, depth + 1)?,
        };
        Ok(Expression::Binary(Box::new(left), operator, Box::new(right)))
    }

    fn each(&self, value: &Expr, operator: &BinaryOperator, array: &Expr, all: bool, depth: usize) -> Read<Expression> {
        let operator = self.operator(operator, value)?;
        let part = |part: &Expr| self.expression(part, depth + 1).map(Box::new);
        Ok(Expression::Each { value: part(value)?, operator, all, array: part(array)? })
    }

    /// `a < b < c` means nothing in PostgreSQL, and something else than it says elsewhere.
    fn refuse_chained(&self, operator: Operator, sides: &[&Expr]) -> Read<()> {
        let compares = |side: &Expr| matches!(side, Expr::BinaryOp { op, .. } if operator_text(op).is_some_and(|text| Operator(text).compares()));
        match sides.iter().find(|side| operator.compares() && compares(side)) {
            Some(side) => Err(error(self.place(side.span()), "comparisons are chained", "join comparisons with `AND`")),
            None => Ok(()),
        }
    }

    fn operator(&self, operator: &BinaryOperator, parsed: &Expr) -> Read<Operator> {
        operator_text(operator).map(Operator).ok_or_else(|| {
            let message = format!("the operator `{operator}` is not accepted here");
            error(self.place(parsed.span()), message, "use `=` `<>` `<` `<=` `>` `>=` `LIKE` `IN` `IS NULL` `@>` `&&`")
        })
    }

    fn field(&self, name: &Ident) -> Read<Expression> {
        let place = self.place(name.span);
        if name.quote_style.is_some() {
            return Ok(Expression::Field(Field { name: name.value.clone(), place, form: None }));
        }
        let folded = name.value.to_ascii_lowercase();
        if functions::tells_the_time(&folded) && folded != "age" && folded != "now" {
            return Err(self.of_the_clock(place, &folded));
        }
        if functions::is_reserved(&folded) {
            let message = format!("{} is a word of the language, not a field", shown(&name.value));
            return Err(error(place, message, format!("a field of that name is written in double quotes: `\"{folded}\"`")));
        }
        Ok(Expression::Field(Field { name: folded, place, form: None }))
    }

    /// A field behind the name of its form.
    fn field_of(&self, form: &Ident, name: &Ident) -> Read<Expression> {
        let form = if form.quote_style.is_some() { form.value.clone() } else { form.value.to_ascii_lowercase() };
        Ok(match self.field(name)? {
            Expression::Field(field) => Expression::Field(Field { form: Some(FormName(form)), ..field }),
            other => other,
        })
    }

    /// `array[1]`, perhaps behind the name of the form.
    fn element(&self, root: &Expr, chain: &[AccessExpr], parsed: &Expr, depth: usize) -> Read<Expression> {
        let (array, chain) = match (root, chain) {
            (Expr::Identifier(form), [AccessExpr::Dot(Expr::Identifier(name)), rest @ ..]) => {
                (self.field_of(form, name)?, rest)
            }
            _ => (self.expression(root, depth + 1)?, chain),
        };
        let index = |access: &AccessExpr| match access {
            AccessExpr::Subscript(Subscript::Index { index }) => self.expression(index, depth + 1),
            AccessExpr::Subscript(Subscript::Slice { .. }) | AccessExpr::Dot(_) => Err(self.unsupported(parsed)),
        };
        let indexes = chain.iter().map(index).collect::<Read<Vec<_>>>()?;
        Ok(if indexes.is_empty() { array } else { Expression::Element(Box::new(array), indexes) })
    }

    fn literal(&self, value: &Value, parsed: &Expr) -> Read<Expression> {
        match value {
            Value::Null => Ok(Expression::Null),
            Value::Boolean(value) => Ok(Expression::Boolean(*value)),
            Value::Number(digits, false) if is_number(digits) => Ok(Expression::Number(digits.clone())),
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => {
                if functions::means_the_present(text) {
                    let message = format!("{} means the current day or moment where a date is expected", shown(text));
                    let help = "write the date, or use `olderThan` in a filter tree; for the text itself use `LIKE`";
                    return Err(error(self.place(parsed.span()), message, help));
                }
                self.text(text, parsed)
            }
            _ => Err(error(
                self.place(parsed.span()),
                "this form of literal is not accepted here",
                "write text in single quotes",
            )),
        }
    }

    fn text(&self, text: &str, parsed: &Expr) -> Read<Expression> {
        if text.contains('\0') {
            return Err(error(
                self.place(parsed.span()),
                "a text contains a NUL character",
                "PostgreSQL has no such character: leave it out",
            ));
        }
        Ok(Expression::Text(text.to_owned()))
    }

    fn type_name(&self, data_type: &DataType, parsed: &Expr) -> Read<TypeName> {
        let name = match data_type {
            DataType::Array(ArrayElemTypeDef::SquareBracket(inner, None)) => format!("{inner}[]"),
            other => other.to_string(),
        };
        TypeName::new(&name).ok_or_else(|| {
            let message = format!("the type {} is not accepted here", shown(&name));
            let help = "use `text`, `integer`, `numeric`, `boolean`, `date`, `timestamp`, `interval` or `text[]`";
            error(self.place(parsed.span()), message, help)
        })
    }

    /// What is cast. Of texts only a field or a literal becomes a date, since any other might be put together to say `today`.
    fn cast_operand(&self, operand: &Expr, name: TypeName, depth: usize) -> Read<Expression> {
        let read = match text_of(operand) {
            Some(text) if name.is_a_date() && functions::mentions_the_present(text) => {
                return Err(self.of_the_clock(self.place(operand.span()), text));
            }
            Some(text) => self.text(text, operand)?,
            None => self.expression(operand, depth + 1)?,
        };
        let fixed = is_of_a_field(&read) || matches!(read, Expression::Text(_) | Expression::Null);
        if name.is_a_date() && !fixed && !is_no_text(&read) {
            let message = format!("only a field, a text or a date can be cast to `{}`", name.0);
            return Err(error(self.place(operand.span()), message, "write the date itself"));
        }
        Ok(read)
    }

    fn call(&self, function: &Function, parsed: &Expr, depth: usize) -> Read<Expression> {
        let place = self.place(parsed.span());
        let name = function.name.to_string().to_ascii_lowercase();
        if functions::tells_the_time(&name) {
            return Err(self.of_the_clock(place, &name));
        }
        let Some(known) = functions::known(&name) else {
            let message = format!("the function {} is not accepted here", shown(&name));
            let help = "use plain ones such as `lower`, `length`, `coalesce`, `cardinality` or `date_part`";
            return Err(error(place, message, help));
        };
        let plain = function.filter.is_none()
            && function.over.is_none()
            && function.null_treatment.is_none()
            && function.within_group.is_empty()
            && !function.uses_odbc_syntax
            && matches!(function.parameters, FunctionArguments::None);
        let FunctionArguments::List(list) = &function.args else { return Err(self.unsupported(parsed)) };
        if !plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
            return Err(self.unsupported(parsed));
        }
        let arguments = list.args.iter().map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => self.expression(argument, depth + 1),
            _ => Err(self.unsupported(parsed)),
        });
        Ok(Expression::Call(known, arguments.collect::<Read<_>>()?))
    }

    fn of_the_clock(&self, place: Place, what: &str) -> SyntaxError {
        let message = format!("{} depends on the clock, and every moment of a plan is fixed", shown(what));
        error(place, message, "write the date, such as '2026-01-31', or use `olderThan` in a filter tree")
    }

    fn unsupported(&self, parsed: &Expr) -> SyntaxError {
        let (message, help) = match parsed {
            Expr::InSubquery { .. } | Expr::Exists { .. } | Expr::Subquery(_) => {
                ("a subquery is not accepted here", "name the records by the form's own fields, or list the values")
            }
            Expr::Like { .. } | Expr::ILike { .. } => {
                ("this form of `LIKE` is not accepted here", "a backslash before `%` or `_` makes it stand for itself")
            }
            _ => (
                "this is PostgreSQL that is not accepted here",
                "use fields, literals, comparisons, `AND` `OR` `NOT` `IN` `LIKE` `BETWEEN` `IS NULL` and plain functions",
            ),
        };
        error(self.place(parsed.span()), message, help)
    }

    fn parser_error(&self, mistake: ParserError) -> SyntaxError {
        let whole = self.whole();
        let message = match mistake {
            ParserError::RecursionLimitExceeded => {
                return error(whole, "the condition is nested too deep", "write it with fewer levels");
            }
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
        };
        let (message, place) = match message.rsplit_once(" at Line: ") {
            Some((message, place)) => (message, place.split_once(", Column: ")),
            None => (message.as_str(), None),
        };
        let location = place.and_then(|(line, column)| Some((line.parse().ok()?, column.trim().parse().ok()?)));
        let start = location.map_or(self.text.trim_end().len(), |(line, column)| self.offset(Location { line, column }));
        let end = self.text[start..].chars().next().map_or(start, |first| start + first.len_utf8());
        error(Place { start, end }, lower_first(&message.replace("EOF", "the end")), "write one condition in PostgreSQL")
    }

    /// The byte where a line and column of the parser stand, both counted from 1 and the column in characters.
    fn offset(&self, location: Location) -> usize {
        let (Some(line), Some(column)) = (location.line.checked_sub(1), location.column.checked_sub(1)) else { return 0 };
        let start: usize = self.text.split_inclusive('\n').take(line as usize).map(str::len).sum();
        let rest = &self.text[start..];
        start + rest.char_indices().nth(column as usize).map_or(rest.len(), |(offset, _)| offset)
    }

    fn whole(&self) -> Place {
        Place { start: 0, end: self.text.len() }
    }

    /// The bytes of a span; the whole text for one that is not known.
    fn place(&self, span: sqlparser::tokenizer::Span) -> Place {
        if span.start.line == 0 {
            return self.whole();
        }
        let start = self.offset(span.start);
        Place { start, end: self.offset(span.end).max(start) }
    }
}

fn operator_text(operator: &BinaryOperator) -> Option<&'static str> {
    Some(match operator {
        BinaryOperator::Eq => "=",
        BinaryOperator::NotEq => "<>",
        BinaryOperator::Lt => "<",
        BinaryOperator::LtEq => "<=",
        BinaryOperator::Gt => ">",
        BinaryOperator::GtEq => ">=",
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::StringConcat => "||",
        BinaryOperator::PGRegexMatch => "~",
        BinaryOperator::PGRegexIMatch => "~*",
        BinaryOperator::PGRegexNotMatch => "!~",
        BinaryOperator::PGRegexNotIMatch => "!~*",
        BinaryOperator::AtArrow => "@>",
        BinaryOperator::ArrowAt => "<@",
        BinaryOperator::PGOverlap => "&&",
        BinaryOperator::Arrow => "->",
        BinaryOperator::LongArrow => "->>",
        BinaryOperator::AtAt => "@@",
        _ => return None,
    })
}

/// Whether an expression is a value of the record as it is stored.
fn is_of_a_field(expression: &Expression) -> bool {
    match expression {
        Expression::Field(_) => true,
        Expression::Element(value, _) => is_of_a_field(value),
        Expression::Binary(value, Operator("->" | "->>"), _) => is_of_a_field(value),
        _ => false,
    }
}

/// Whether the value of an expression is certainly no text, whatever its fields hold.
fn is_no_text(expression: &Expression) -> bool {
    match expression {
        Expression::Call(name, _) => ["date_trunc", "make_date", "to_date"].contains(name),
        Expression::Cast(_, name) => !name.is_a_text(),
        Expression::Binary(_, operator, _) => ["+", "-", "AT TIME ZONE"].contains(&operator.0),
        Expression::Boolean(_) | Expression::Number(_) | Expression::Negative(_) => true,
        _ => false,
    }
}

/// The parts of a date that `EXTRACT` may name.
fn date_field(field: &DateTimeField) -> Option<&'static str> {
    Some(match field {
        DateTimeField::Year => "year",
        DateTimeField::Quarter => "quarter",
        DateTimeField::Month => "month",
        DateTimeField::Week(None) => "week",
        DateTimeField::Day => "day",
        DateTimeField::Dow => "dow",
        DateTimeField::Hour => "hour",
        DateTimeField::Minute => "minute",
        DateTimeField::Second => "second",
        DateTimeField::Doy => "doy",
        DateTimeField::Isodow => "isodow",
        DateTimeField::Isoyear => "isoyear",
        DateTimeField::Decade => "decade",
        DateTimeField::Century => "century",
        DateTimeField::Epoch => "epoch",
        _ => return None,
    })
}

fn text_of(parsed: &Expr) -> Option<&str> {
    match parsed {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a text is a number: digits, at most one point, at most one exponent.
pub(super) fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| digits(exponent) && !exponent.is_empty())
}

fn error(place: Place, message: impl Into<String>, help: impl Into<String>) -> SyntaxError {
    SyntaxError::new(place, message).with_help(help)
}

fn lower_first(message: &str) -> String {
    let mut characters = message.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
