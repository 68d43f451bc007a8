//! Compiles the typed tree of a manifest to SQL.

use jiff::Zoned;

use super::functions::means_the_present;
use super::parse::{MAX_BYTES, MAX_DEPTH};
use super::{Condition, Expression, IsTest, Operator};
use crate::base::Age;
use crate::filter::error::shown;
use crate::filter::field::{Field, Operand, about_the_whole, join};
use crate::filter::{CompileError, FilterTree, Literal, Place, Predicate, Threshold};
use crate::system::FieldType;

/// Compiles a typed tree to a condition.
///
/// `field_type` tells the type of a field, or `None` when it is not known, as in a validation without a login: then
/// nothing is refused for its type, and ages are compared as moments. `now` is the one clock reading of the plan.
///
/// A tree means the same here as in every other language, which is not what SQL's own operators mean: `notEquals`, `notIn`,
/// `excludes` and `not` also match an empty field, and `like` does not tell upper from lower case. So they become
/// `IS DISTINCT FROM`, `IS NOT TRUE` and `ILIKE`.
///
/// # Errors
///
/// With the first comparison that has no meaning: a name that can be no field's, a literal that does not fit the field's type.
pub fn compile(
    tree: &FilterTree,
    field_type: &dyn Fn(&str) -> Option<FieldType>,
    now: &Zoned,
) -> Result<Condition, CompileError> {
    let condition = Condition(compile_level(tree, field_type, now, 0)?);
    let bytes = condition.to_string().len();
    if bytes > MAX_BYTES {
        let message = format!("the filter has {bytes} bytes in SQL, and at most {MAX_BYTES} are sent");
        return Err(about_the_whole(tree, message, "split it into several policies"));
    }
    Ok(condition)
}

fn compile_level(
    tree: &FilterTree,
    field_type: &dyn Fn(&str) -> Option<FieldType>,
    now: &Zoned,
    depth: usize,
) -> Result<Expression, CompileError> {
    // A comparison itself takes up to three levels.
    if depth + 3 > MAX_DEPTH {
        let message = format!("the filter is nested more than {} deep", MAX_DEPTH - 3);
        return Err(about_the_whole(tree, message, "write it with fewer levels"));
    }
    let parts = |parts: &[FilterTree]| -> Result<Vec<Expression>, CompileError> {
        parts.iter().map(|part| compile_level(part, field_type, now, depth + 1)).collect()
    };
    Ok(match tree {
        FilterTree::All(all) => join(parts(all)?, Expression::And),
        FilterTree::Any(any) => join(parts(any)?, Expression::Or),
        FilterTree::Not(part) => not_true(compile_level(part, field_type, now, depth + 1)?),
        FilterTree::Field { field, span, predicate } => {
            compare(&Field { name: field, span: *span, field_type: field_type(field), now }, predicate)?
        }
    })
}

fn not_true(part: Expression) -> Expression {
    Expression::Is { value: Box::new(part), negated: true, test: IsTest::True }
}

fn compare(field: &Field<'_>, predicate: &Predicate) -> Result<Expression, CompileError> {
    let ordered = |operator: &'static str, threshold: &Threshold| {
        binary(field, operator, literal(field, field.threshold(threshold)?)?)
    };
    let aged = |operator: &'static str, age: &Age| binary(field, operator, written(field, field.before(age, 1)?)?);
    match predicate {
        Predicate::Equals(Literal::Null) | Predicate::IsNull(true) => is_null(field, false),
        Predicate::NotEquals(Literal::Null) | Predicate::IsNull(false) => is_null(field, true),
        Predicate::Equals(value) => binary(field, "=", literal(field, value)?),
        Predicate::NotEquals(value) => binary(field, "IS DISTINCT FROM", literal(field, value)?),
        Predicate::In(values) => one_of(field, values),
        Predicate::NotIn(values) => Ok(not_true(one_of(field, values)?)),
        Predicate::Less(threshold) => ordered("<", threshold),
        Predicate::LessOrEqual(threshold) => ordered("<=", threshold),
        Predicate::Greater(threshold) => ordered(">", threshold),
        Predicate::GreaterOrEqual(threshold) => ordered(">=", threshold),
        Predicate::Like(pattern) => binary(field, "ILIKE", quotable(field, pattern_text(field.pattern(pattern)?))?),
        Predicate::OlderThan(age) => aged("<", age),
        Predicate::NewerThan(age) => aged(">=", age),
        Predicate::Includes(choices) => includes(field, choices),
        Predicate::Excludes(choices) => Ok(not_true(includes(field, choices)?)),
    }
}

fn path(field: &Field<'_>) -> Result<Box<Expression>, CompileError> {
    // The system's names are words; quoting makes any other harmless, but for these.
    if field.name.is_empty() || field.name.chars().any(char::is_control) {
        return Err(field.error("this is not a field's name", "write the field's data name, such as `_status`"));
    }
    Ok(Box::new(Expression::Field(super::Field { name: field.name.to_owned(), place: Place::default(), form: None })))
}

fn is_null(field: &Field<'_>, negated: bool) -> Result<Expression, CompileError> {
    Ok(Expression::Is { value: path(field)?, negated, test: IsTest::Null })
}

fn binary(field: &Field<'_>, operator: &'static str, right: Expression) -> Result<Expression, CompileError> {
    Ok(Expression::Binary(path(field)?, Operator(operator), Box::new(right)))
}

fn one_of(field: &Field<'_>, literals: &[Literal]) -> Result<Expression, CompileError> {
    let (empty, values): (Vec<_>, Vec<_>) =
        field.at_least_one(literals)?.iter().partition(|literal| **literal == Literal::Null);
    let list = values.into_iter().map(|value| literal(field, value)).collect::<Result<Vec<_>, _>>()?;
    let mut parts = Vec::new();
    if !list.is_empty() {
        parts.push(Expression::In { value: path(field)?, negated: false, list });
    }
    if !empty.is_empty() {
        parts.push(is_null(field, false)?);
    }
    Ok(join(parts, Expression::Or))
}

/// Each choice may be several joined by `;`, which must all be there.
fn includes(field: &Field<'_>, choices: &[String]) -> Result<Expression, CompileError> {
    let parts = field.choices(choices)?.iter().map(|choice| {
        let wanted = choice.split(';').map(|value| quotable(field, value.to_owned())).collect::<Result<_, _>>()?;
        binary(field, "@>", Expression::Array(wanted))
    });
    Ok(join(parts.collect::<Result<Vec<_>, _>>()?, Expression::Or))
}

fn literal(field: &Field<'_>, literal: &Literal) -> Result<Expression, CompileError> {
    written(field, field.operand(literal)?)
}

fn written(field: &Field<'_>, operand: Operand) -> Result<Expression, CompileError> {
    match operand {
        Operand::Null => Err(field.error("it is compared with `null`", "use `isNull`")),
        Operand::Boolean(value) => Ok(Expression::Boolean(value)),
        Operand::Number(number) => {
            let digits = number.as_str();
            let unsigned = Expression::Number(digits.trim_start_matches(['-', '+']).to_owned());
            Ok(if digits.starts_with('-') { Expression::Negative(Box::new(unsigned)) } else { unsigned })
        }
        Operand::Text(_) if field.field_type == Some(FieldType::MultiPicklist) => {
            Err(field.unfit("text", "use `includes`, `excludes` or `isNull`"))
        }
        Operand::Text(text) => quotable(field, text),
        Operand::Day(day) => Ok(Expression::Text(day.to_string())),
        Operand::Moment(moment) => Ok(Expression::Text(moment.to_string())),
    }
}

/// Text that PostgreSQL can hold, and that it cannot take for the present moment.
fn quotable(field: &Field<'_>, text: String) -> Result<Expression, CompileError> {
    if text.contains('\0') {
        return Err(field.error("a text contains a NUL character", "PostgreSQL has no such character: leave it out"));
    }
    if field.field_type.is_none() && means_the_present(&text) {
        let help = "write the date, or use `olderThan` or `newerThan`; for the text itself use `like`";
        return Err(field.error(format!("{} means the current day or moment to PostgreSQL", shown(&text)), help));
    }
    Ok(Expression::Text(text))
}

/// A manifest's pattern in PostgreSQL's form, where a backslash always says something about what follows it.
fn pattern_text(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        pattern.push(character);
        if character == '\\' {
            pattern.push(characters.next_if(|next| matches!(next, '%' | '_' | '\\')).unwrap_or('\\'));
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::testing::{age, leaf as field, span, text};
    use crate::filter::{FilterTree as Node, Literal as Plain, Predicate as Tree};

    fn kind(name: &str) -> Option<FieldType> {
        Some(match name {
            "count" => FieldType::Number,
            "day" => FieldType::Date,
            "_server_updated_at" => FieldType::DateTime,
            "choices" => FieldType::MultiPicklist,
            "park" => FieldType::Text,
            _ => return None,
        })
    }

    fn compiled(tree: &Node) -> Result<String, CompileError> {
        let now = "2026-07-01T12:34:56.789[UTC]".parse().expect("a moment");
        let condition = compile(tree, &kind, &now)?;
        let printed = condition.to_string();
        assert_eq!(super::super::parse_condition(&printed), Ok(condition), "{printed}");
        Ok(printed)
    }

    #[test]
    fn every_comparison_has_its_meaning() {
        let trees = [
            field("park", Tree::Equals(text("it's"))),
            field("park", Tree::Equals(Plain::Null)),
            field("park", Tree::NotEquals(text("a"))),
            field("park", Tree::NotEquals(Plain::Null)),
            field("count", Tree::In(vec![Plain::Number("1".into()), Plain::Number("-2.5".into())])),
            field("park", Tree::In(vec![text("a"), Plain::Null])),
            field("park", Tree::NotIn(vec![text("a")])),
            field("count", Tree::Less(Threshold(Plain::Number("3".into())))),
            field("day", Tree::GreaterOrEqual(Threshold(text("2026-01-31")))),
            field("_server_updated_at", Tree::LessOrEqual(Threshold(text("2026-01-31T01:00:00+01:00")))),
            field("park", Tree::Like(r"50\% \x_".into())),
            field("park", Tree::IsNull(true)),
            field("_server_updated_at", Tree::OlderThan(age("3 years"))),
            field("day", Tree::NewerThan(age("90 days"))),
            field("choices", Tree::Includes(vec!["a".into(), "b;c".into()])),
            field("choices", Tree::Excludes(vec!["a".into()])),
            Node::Not(Box::new(Node::Any(vec![field("park", Tree::Equals(text("a"))), field("User", Tree::IsNull(false))]))),
            Node::All(vec![field("park", Tree::Equals(text("' OR TRUE --")))]),
        ];
        let lines: Vec<String> = trees.iter().map(|tree| compiled(tree).expect("fits")).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        park = 'it''s'
        park IS NULL
        park IS DISTINCT FROM 'a'
        park IS NOT NULL
        "count" IN (1, - 2.5)
        park IN ('a') OR park IS NULL
        (park IN ('a')) IS NOT TRUE
        "count" < 3
        "day" >= '2026-01-31'
        _server_updated_at <= '2026-01-31T00:00:00Z'
        park ILIKE E'50\\% \\\\x_'
        park IS NULL
        _server_updated_at < '2023-07-01T12:34:56Z'
        "day" >= '2026-04-02'
        choices @> ARRAY['a'] OR choices @> ARRAY['b', 'c']
        (choices @> ARRAY['a']) IS NOT TRUE
        (park = 'a' OR "User" IS NOT NULL) IS NOT TRUE
        park = ''' OR TRUE --'
        "#);
    }

    #[test]
    fn what_has_no_meaning_is_refused_at_the_field() {
        let deep = (0..30).fold(field("park", Tree::IsNull(true)), |tree, _| Node::Not(Box::new(tree)));
        let trees = [
            field("count", Tree::Equals(text("a"))),
            field("count", Tree::Like("a%".into())),
            field("day", Tree::Equals(text("today"))),
            field("day", Tree::Equals(text("2026-01-31T00:00:00Z"))),
            field("_server_updated_at", Tree::Equals(text("2026-01-31"))),
            field("park", Tree::OlderThan(age("1 year"))),
            field("day", Tree::OlderThan(age("4000 years"))),
            field("choices", Tree::Equals(text("a"))),
            field("choices", Tree::Less(Threshold(text("a")))),
            field("park", Tree::Includes(vec!["a".into()])),
            field("count", Tree::Less(Threshold(Plain::Null))),
            field("count", Tree::Equals(Plain::Number("1 OR 1".into()))),
            field("park", Tree::Equals(text("a\0b"))),
            field("unknown", Tree::Equals(text("now"))),
            field("", Tree::IsNull(true)),
            field("park", Tree::In(vec![])),
            field("park", Tree::Equals(text(&"x".repeat(200_000)))),
            deep,
        ];
        let lines: Vec<String> = trees
            .iter()
            .map(|tree| {
                let error = compiled(tree).expect_err("does not fit");
                assert_eq!(error.span, span());
                format!("{error}\n  {}", error.help.as_deref().unwrap_or_default())
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        `count` is a number field and does not take text
          write a number without quotes, such as `42` or `-1.5`
        `count` is a number field and does not take a text pattern
          `like` is for text; use `equals`, `in`, `less` or `greater`
        `day` is a date field and does not take `today`
          write a date such as `2026-01-31`, or use `olderThan` or `newerThan`
        `day` is a date field and does not take `2026-01-31T00:00:00Z`
          write a date such as `2026-01-31`, or use `olderThan` or `newerThan`
        `_server_updated_at` is a date and time field and does not take a day without a time
          name the moment, as in `2026-01-31T00:00:00Z`
        `park` is a text field and does not take an age
          `olderThan` and `newerThan` are for dates and times
        4000 years ago is before the year 1, the first one the system knows
          write a shorter age
        `choices` is a field of several choices and does not take text
          use `includes`, `excludes` or `isNull`
        `choices` is a field of several choices and does not take less or greater values: it has no order
          use `equals`, `in` or, on a field of several choices, `includes`
        `park` is a text field and does not take `includes` or `excludes`
          use `in` or `notIn`
        it is compared by order with a value that has no order
          use `equals` or `isNull`
        `count` is a number field and does not take `1 OR 1`
          write a number such as `42` or `-1.5`
        a text contains a NUL character
          PostgreSQL has no such character: leave it out
        `now` means the current day or moment to PostgreSQL
          write the date, or use `olderThan` or `newerThan`; for the text itself use `like`
        this is not a field's name
          write the field's data name, such as `_status`
        the list of values is empty
          list at least one value
        the filter has 200009 bytes in SQL, and at most 100000 are sent
          split it into several policies
        the filter is nested more than 17 deep
          write it with fewer levels
        ");
    }
}
