//! Compiles the typed tree of a manifest to SQL.

use jiff::civil::Date;
use jiff::{Timestamp, Unit, Zoned};

use super::parse::{MAX_BYTES, MAX_DEPTH, is_number};
use super::{Condition, Expression, IsTest, Operator};
use crate::base::{Age, Span};
use crate::filter::{self, CompileError, Place};
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
    tree: &filter::Condition,
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
    tree: &filter::Condition,
    field_type: &dyn Fn(&str) -> Option<FieldType>,
    now: &Zoned,
    depth: usize,
) -> Result<Expression, CompileError> {
    // A comparison itself takes up to three levels.
    if depth + 3 > MAX_DEPTH {
        let message = format!("the filter is nested more than {} deep", MAX_DEPTH - 3);
        return Err(about_the_whole(tree, message, "write it with fewer levels"));
    }
    let parts = |parts: &[filter::Condition]| -> Result<Vec<Expression>, CompileError> {
        parts.iter().map(|part| compile_level(part, field_type, now, depth + 1)).collect()
    };
    Ok(match tree {
        filter::Condition::All(all) => join(parts(all)?, Expression::And),
        filter::Condition::Any(any) => join(parts(any)?, Expression::Or),
        filter::Condition::Not(part) => not_true(compile_level(part, field_type, now, depth + 1)?),
        filter::Condition::Field { field, span, comparison } => {
            Field { name: field, span: *span, kind: field_type(field), now }.compare(comparison)?
        }
    })
}

/// Joins parts, of which there is at least one.
fn join(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    assert!(!parts.is_empty(), "a level of a filter is never empty: an empty one would mean every record");
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

fn not_true(part: Expression) -> Expression {
    Expression::Is { value: Box::new(part), negated: true, test: IsTest::True }
}

/// An error about a whole tree, which points at its first field. It walks without recursion, since the tree may be deep.
fn about_the_whole(mut tree: &filter::Condition, message: String, help: &str) -> CompileError {
    loop {
        tree = match tree {
            filter::Condition::All(parts) | filter::Condition::Any(parts) => &parts[0],
            filter::Condition::Not(part) => part,
            filter::Condition::Field { field, span, .. } => {
                return CompileError { field: field.clone(), span: *span, message, help: Some(help.to_owned()) };
            }
        }
    }
}

/// A field that is compared, and what is known of it.
struct Field<'tree> {
    name: &'tree str,
    span: Span,
    kind: Option<FieldType>,
    now: &'tree Zoned,
}

impl Field<'_> {
    fn error(&self, message: impl Into<String>, help: impl Into<String>) -> CompileError {
        CompileError { field: self.name.to_owned(), span: self.span, message: message.into(), help: Some(help.into()) }
    }

    /// The error for a comparison that has no meaning for the field's type.
    fn unfit(&self, what: &str) -> CompileError {
        let (kind, help) = match self.kind {
            Some(FieldType::Boolean) => ("a yes-or-no field", "write `true` or `false` without quotes"),
            Some(FieldType::Number) => ("a number field", "write a number without quotes, such as `42` or `-1.5`"),
            Some(FieldType::Date) => {
                ("a date field", "write a date such as `2026-01-31`, or use `olderThan` or `newerThan`")
            }
            Some(FieldType::DateTime) => {
                ("a date and time field", "write a moment such as `2026-01-31T00:00:00Z`, or use `olderThan` or `newerThan`")
            }
            Some(FieldType::MultiPicklist) => ("a field of several texts", "use `includes`, `excludes` or `isNull`"),
            Some(FieldType::Text | FieldType::Reference) | None => ("a text field", "write text in quotes"),
        };
        self.error(format!("`{}` is {kind} and does not take {what}", self.name), help)
    }

    fn field(&self) -> Result<Expression, CompileError> {
        // The system's names are words; quoting makes any other harmless, but for these.
        if self.name.is_empty() || self.name.chars().any(char::is_control) {
            return Err(self.error("this is not a field's name", "write the field's data name, such as `_status`"));
        }
        Ok(Expression::Field(super::Field { name: self.name.to_owned(), place: Place::default() }))
    }

    fn compare(&self, comparison: &filter::Comparison) -> Result<Expression, CompileError> {
        use filter::Comparison as Tree;
        match comparison {
            Tree::Equals(filter::Literal::Null) | Tree::IsNull(true) => self.is_null(false),
            Tree::NotEquals(filter::Literal::Null) | Tree::IsNull(false) => self.is_null(true),
            Tree::Equals(literal) => self.binary("=", self.literal(literal)?),
            Tree::NotEquals(literal) => self.binary("IS DISTINCT FROM", self.literal(literal)?),
            Tree::In(literals) => self.one_of(literals),
            Tree::NotIn(literals) => Ok(not_true(self.one_of(literals)?)),
            Tree::Less(threshold) => self.binary("<", self.threshold(threshold)?),
            Tree::LessOrEqual(threshold) => self.binary("<=", self.threshold(threshold)?),
            Tree::Greater(threshold) => self.binary(">", self.threshold(threshold)?),
            Tree::GreaterOrEqual(threshold) => self.binary(">=", self.threshold(threshold)?),
            Tree::Like(_) if !matches!(self.kind, None | Some(FieldType::Text)) => Err(self.unfit("a text pattern")),
            Tree::Like(pattern) => self.binary("ILIKE", self.quotable(&pattern_text(pattern))?),
            Tree::OlderThan(age) => self.binary("<", self.moment_before(age)?),
            Tree::NewerThan(age) => self.binary(">=", self.moment_before(age)?),
            Tree::Includes(choices) => self.includes(choices),
            Tree::Excludes(choices) => Ok(not_true(self.includes(choices)?)),
        }
    }

    fn is_null(&self, negated: bool) -> Result<Expression, CompileError> {
        Ok(Expression::Is { value: Box::new(self.field()?), negated, test: IsTest::Null })
    }

    fn binary(&self, operator: &'static str, right: Expression) -> Result<Expression, CompileError> {
        Ok(Expression::Binary(Box::new(self.field()?), Operator(operator), Box::new(right)))
    }

    fn one_of(&self, literals: &[filter::Literal]) -> Result<Expression, CompileError> {
        let (empty, values): (Vec<_>, Vec<_>) = literals.iter().partition(|literal| **literal == filter::Literal::Null);
        let list = values.into_iter().map(|literal| self.literal(literal)).collect::<Result<Vec<_>, _>>()?;
        let mut parts = Vec::new();
        if !list.is_empty() {
            parts.push(Expression::In { value: Box::new(self.field()?), negated: false, list });
        }
        if !empty.is_empty() {
            parts.push(self.is_null(false)?);
        }
        if parts.is_empty() {
            return Err(self.error("the list of values is empty", "list at least one value"));
        }
        Ok(join(parts, Expression::Or))
    }

    /// Each choice may be several joined by `;`, which must all be there.
    fn includes(&self, choices: &[String]) -> Result<Expression, CompileError> {
        if !matches!(self.kind, None | Some(FieldType::MultiPicklist)) {
            return Err(self.unfit("`includes` or `excludes`"));
        }
        let parts = choices.iter().map(|choice| {
            let wanted = choice.split(';').map(|value| self.quotable(value)).collect::<Result<_, _>>()?;
            self.binary("@>", Expression::Array(wanted))
        });
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        if parts.is_empty() {
            return Err(self.error("the list of values is empty", "list at least one value"));
        }
        Ok(join(parts, Expression::Or))
    }

    fn literal(&self, literal: &filter::Literal) -> Result<Expression, CompileError> {
        match (literal, self.kind) {
            (filter::Literal::Boolean(value), None | Some(FieldType::Boolean)) => Ok(Expression::Boolean(*value)),
            (filter::Literal::Number(digits), None | Some(FieldType::Number)) => self.number(digits),
            (filter::Literal::Text(text), None | Some(FieldType::Text | FieldType::Reference)) => self.quotable(text),
            (filter::Literal::Text(text), Some(FieldType::Date)) => date(text).ok_or_else(|| self.unfit("this text")),
            (filter::Literal::Text(text), Some(FieldType::DateTime)) => moment(text).ok_or_else(|| self.unfit("this text")),
            (filter::Literal::Boolean(value), _) => Err(self.unfit(&format!("`{value}`"))),
            (filter::Literal::Number(_), _) => Err(self.unfit("a number")),
            (filter::Literal::Text(_), _) => Err(self.unfit("text")),
            (filter::Literal::Null, _) => Err(self.unfit("`null`: it has no order")),
        }
    }

    fn number(&self, digits: &str) -> Result<Expression, CompileError> {
        let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
        if !is_number(unsigned) {
            return Err(self.unfit("this text"));
        }
        let number = Expression::Number(unsigned.to_owned());
        Ok(if digits.starts_with('-') { Expression::Negative(Box::new(number)) } else { number })
    }

    fn threshold(&self, filter::Threshold(literal): &filter::Threshold) -> Result<Expression, CompileError> {
        match self.kind {
            Some(FieldType::Boolean | FieldType::MultiPicklist) => {
                Err(self.unfit("less or greater values: it has no order"))
            }
            _ => self.literal(literal),
        }
    }

    /// Text that PostgreSQL can hold, and that it cannot take for the present moment.
    fn quotable(&self, text: &str) -> Result<Expression, CompileError> {
        if text.contains('\0') {
            return Err(self.error("a text holds the character zero", "PostgreSQL has none: leave it out"));
        }
        if self.kind.is_none() && super::functions::means_the_present(text) {
            let help = "write the date, or use `olderThan` or `newerThan`; for the text itself use `like`";
            return Err(self.error(format!("`{text}` means the present day or moment to PostgreSQL"), help));
        }
        Ok(Expression::Text(text.to_owned()))
    }

    fn moment_before(&self, age: &Age) -> Result<Expression, CompileError> {
        if !matches!(self.kind, None | Some(FieldType::Date | FieldType::DateTime)) {
            return Err(self.unfit("an age"));
        }
        let before = age.before(self.now).ok().filter(|moment| moment.year() > 0);
        let before = before.ok_or_else(|| self.error(format!("{age} ago is before the year 1"), "write a shorter age"))?;
        Ok(Expression::Text(match self.kind {
            Some(FieldType::Date) => before.date().to_string(),
            _ => whole_second(before.timestamp()).to_string(),
        }))
    }
}

/// The second a moment is in: the system tells whole seconds, and the earlier one never makes a record older than it is.
fn whole_second(moment: Timestamp) -> Timestamp {
    let floor = jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Floor);
    moment.round(floor).unwrap_or(moment)
}

fn date(text: &str) -> Option<Expression> {
    let date: Date = text.parse().ok()?;
    (date.to_string() == text).then(|| Expression::Text(text.to_owned()))
}

fn moment(text: &str) -> Option<Expression> {
    text.parse::<Timestamp>().ok().map(|moment| Expression::Text(moment.to_string()))
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
    use crate::base::SourceMap;
    use crate::filter::{Comparison as Tree, Condition as Node, Literal as Plain, Threshold};

    fn span() -> Span {
        Span { source: SourceMap::default().add("test", ""), start: 3, end: 7 }
    }

    fn field(name: &str, comparison: Tree) -> Node {
        Node::Field { field: name.into(), span: span(), comparison }
    }

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

    fn text(text: &str) -> Plain {
        Plain::Text(text.into())
    }

    fn age(text: &str) -> Age {
        text.parse().expect("an age")
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
          write a number without quotes, such as `42` or `-1.5`
        `day` is a date field and does not take this text
          write a date such as `2026-01-31`, or use `olderThan` or `newerThan`
        `day` is a date field and does not take this text
          write a date such as `2026-01-31`, or use `olderThan` or `newerThan`
        `_server_updated_at` is a date and time field and does not take this text
          write a moment such as `2026-01-31T00:00:00Z`, or use `olderThan` or `newerThan`
        `park` is a text field and does not take an age
          write text in quotes
        4000 years ago is before the year 1
          write a shorter age
        `choices` is a field of several texts and does not take text
          use `includes`, `excludes` or `isNull`
        `choices` is a field of several texts and does not take less or greater values: it has no order
          use `includes`, `excludes` or `isNull`
        `park` is a text field and does not take `includes` or `excludes`
          write text in quotes
        `count` is a number field and does not take `null`: it has no order
          write a number without quotes, such as `42` or `-1.5`
        `count` is a number field and does not take this text
          write a number without quotes, such as `42` or `-1.5`
        a text holds the character zero
          PostgreSQL has none: leave it out
        `now` means the present day or moment to PostgreSQL
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
