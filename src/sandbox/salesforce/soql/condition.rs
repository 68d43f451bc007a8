//! Conditions of SOQL.
//!
//! There is no precedence (documented): a row of conditions is joined by `AND` alone or by `OR` alone, `NOT` stands before a single one
//! that nothing is joined to (recorded: `A = 1 AND NOT B = 2` is an `unexpected token: 'NOT'`), and parentheses make one condition of
//! several.

use winnow::combinator::{alt, cut_err, opt, peek, preceded, repeat, separated};
use winnow::error::{ErrMode, ParserError as _};
use winnow::prelude::*;
use winnow::token::any;

use super::lexer::{Read, at_sign, at_word, keyword, sign};
use super::literal::{literal, pattern, text};
use super::name::{object, path};
use super::refusal::{Reason, Refusal};
use super::token::{Kind, Token, Tokens};
use super::tree::{Comparison, Condition, DatePart, Function, Literal, Operator, Path, Place, Subquery, Test};

/// How many parentheses may stand in each other. That there is a bound is a guess; it keeps the stack small.
const DEEPEST: usize = 100;

/// Reads a condition. `depth` is how many parentheses it stands in.
pub(super) fn condition(input: &mut Tokens<'_>, depth: usize) -> Read<Condition> {
    if opt(keyword("NOT")).parse_next(input)?.is_some() {
        return cut_err(|input: &mut Tokens<'_>| single(input, depth))
            .map(|part| Condition::Not(Box::new(part)))
            .parse_next(input);
    }
    let first = single(input, depth)?;
    for (joiner, joined) in [("AND", Condition::And as fn(_) -> _), ("OR", Condition::Or)] {
        if at_word(input, joiner) {
            let next = preceded(keyword(joiner), cut_err(|input: &mut Tokens<'_>| single(input, depth)));
            let others: Vec<Condition> = repeat(1.., next).parse_next(input)?;
            return Ok(joined(std::iter::once(first).chain(others).collect()));
        }
    }
    Ok(first)
}

fn single(input: &mut Tokens<'_>, depth: usize) -> Read<Condition> {
    if !at_sign(input, "(") {
        return comparison(input, depth).map(Condition::Comparison);
    }
    if depth == DEEPEST {
        return Err(Refusal::stop(input, Reason::TooDeep));
    }
    let inside = |input: &mut Tokens<'_>| condition(input, depth + 1);
    (sign("("), cut_err(inside), cut_err(sign(")"))).map(|(_, part, _)| Condition::Group(Box::new(part))).parse_next(input)
}

fn comparison(input: &mut Tokens<'_>, depth: usize) -> Read<Comparison> {
    let name: Path = path(input)?;
    let start = name.start;
    let (path, function) = if at_sign(input, "(") {
        cut_err(|input: &mut Tokens<'_>| function(input, &name)).parse_next(input)?
    } else {
        (name, None)
    };
    let test = cut_err(|input: &mut Tokens<'_>| test(input, depth)).parse_next(input)?;
    Ok(Comparison { path, function, test, start })
}

/// Reads what stands in the parentheses of a function.
fn function(input: &mut Tokens<'_>, name: &Path) -> Read<(Path, Option<Function>)> {
    let is = |known: &str| name.text.eq_ignore_ascii_case(known);
    if let Ok(part) = name.text.parse::<DatePart>() {
        let converted = |input: &mut Tokens<'_>| {
            (keyword("convertTimezone"), in_parentheses(path)).map(|(_, path)| path).parse_next(input)
        };
        let field = alt((converted.map(|path| (path, true)), path.map(|path| (path, false))));
        let (path, in_user_zone) = in_parentheses(field).parse_next(input)?;
        return Ok((path, Some(Function::Date { part, in_user_zone })));
    }
    if is("toLabel") {
        return Ok((in_parentheses(path).parse_next(input)?, Some(Function::Label)));
    }
    if is("DISTANCE") {
        let (from, _, to, _, _) = in_parentheses((path, sign(","), place, sign(","), unit)).parse_next(input)?;
        return Ok((from, Some(Function::Distance(to))));
    }
    // Other functions are not for conditions: `convertCurrency` and those that count (documented).
    Err(ErrMode::Cut(Refusal::from_input(input)))
}

fn in_parentheses<'text, T>(
    inside: impl Parser<Tokens<'text>, T, ErrMode<Refusal>>,
) -> impl Parser<Tokens<'text>, T, ErrMode<Refusal>> {
    (sign("("), inside, sign(")")).map(|(_, inside, _)| inside)
}

/// The second place of a distance: a point, or another field (documented).
fn place(input: &mut Tokens<'_>) -> Read<Place> {
    let number = |input: &mut Tokens<'_>| {
        literal.verify_map(|value| if let Literal::Number(number) = value { Some(number) } else { None }).parse_next(input)
    };
    if at_word(input, "GEOLOCATION") {
        let point = (keyword("GEOLOCATION"), in_parentheses((number, sign(","), number)));
        return point.map(|(_, (latitude, _, longitude))| Place::Point(latitude, longitude)).parse_next(input);
    }
    path.map(Place::Field).parse_next(input)
}

fn unit(input: &mut Tokens<'_>) -> Read<()> {
    text.verify(|unit: &String| ["km", "mi"].iter().any(|known| known.eq_ignore_ascii_case(unit))).void().parse_next(input)
}

fn test(input: &mut Tokens<'_>, depth: usize) -> Read<Test> {
    if opt(keyword("LIKE")).parse_next(input)?.is_some() {
        return pattern.map(Test::Like).parse_next(input);
    }
    if opt(keyword("INCLUDES")).parse_next(input)?.is_some() {
        return list(text).map(Test::Includes).parse_next(input);
    }
    if opt(keyword("EXCLUDES")).parse_next(input)?.is_some() {
        return list(text).map(Test::Excludes).parse_next(input);
    }
    if at_word(input, "NOT") || at_word(input, "IN") {
        let (negation, _) = (opt(keyword("NOT")), keyword("IN")).parse_next(input)?;
        let is_subquery = peek(opt((sign("("), keyword("SELECT")))).parse_next(input)?.is_some();
        return Ok(match (is_subquery, negation.is_some()) {
            (true, false) => Test::InSubquery(Box::new(subquery(input, depth)?)),
            (true, true) => Test::NotInSubquery(Box::new(subquery(input, depth)?)),
            (false, false) => Test::In(list(literal).parse_next(input)?),
            (false, true) => Test::NotIn(list(literal).parse_next(input)?),
        });
    }
    let operator = any.verify_map(|token: &Token<'_>| operator(token)).parse_next(input)?;
    Ok(Test::Compare(operator, literal(input)?))
}

fn operator(token: &Token<'_>) -> Option<Operator> {
    Some(match token.text {
        "=" if token.kind == Kind::Symbol => Operator::Equal,
        "!=" | "<>" => Operator::NotEqual,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        _ => return None,
    })
}

fn list<'text, T>(
    value: impl Parser<Tokens<'text>, T, ErrMode<Refusal>>,
) -> impl Parser<Tokens<'text>, Vec<T>, ErrMode<Refusal>> {
    in_parentheses(separated(1.., cut_err(value), sign(",")))
}

/// Reads `(SELECT field FROM object WHERE …)`: no order, no limit, no count (documented).
fn subquery(input: &mut Tokens<'_>, depth: usize) -> Read<Subquery> {
    if depth == DEEPEST {
        return Err(Refusal::stop(input, Reason::TooDeep));
    }
    // A group of a subquery is legal, and its place in the text is where the sandbox's own limit lies.
    let grouped = |input: &mut Tokens<'_>| {
        if at_word(input, "GROUP") {
            return Err(Refusal::stop(input, Reason::Unserved("GROUP BY in a subquery".to_owned())));
        }
        Ok(())
    };
    let inside = |input: &mut Tokens<'_>| condition(input, depth + 1);
    let body = (keyword("SELECT"), path, keyword("FROM"), object, opt(preceded(keyword("WHERE"), cut_err(inside))), grouped);
    let (_, field, _, object, condition, ()) = in_parentheses(body).parse_next(input)?;
    Ok(Subquery { field, object, condition })
}

/// Reads a condition alone, for tests.
#[cfg(test)]
pub(in crate::sandbox) fn read_condition(text: &str) -> Result<Condition, Refusal> {
    let tokens = super::lexer::tokens(text)?;
    let mut whole = |input: &mut Tokens<'_>| condition(input, 0);
    whole.parse(Tokens::new(&tokens)).map_err(winnow::error::ParseError::into_inner)
}
