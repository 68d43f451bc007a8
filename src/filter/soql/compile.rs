//! Compiles the typed tree of a manifest to SOQL.

use jiff::{Timestamp, Zoned};

use super::lexer::{YEARS, read_date, read_moment};
use super::parser::{MAX_CHARACTERS, MAX_DEPTH, MAX_PARENTS};
use super::quote::MAX_TEXT_CHARACTERS;
use super::{Comparison, Condition, Decimal, Literal, Operator, Path, Pattern, Place, Test};
use crate::base::{Age, Span};
use crate::filter::error::shown;
use crate::filter::{self, CompileError};
use crate::system::FieldType;

/// Compiles a typed tree to a condition.
///
/// `field_type` tells the type of a field, or `None` when it is not known, as in a validation without a login: then
/// nothing is refused for its type, and ages are compared as moments. `now` is the one clock reading of the plan:
/// `olderThan: 3 years` is `Field < moment`, where the moment lies three calendar years before it, in whole seconds, and
/// on a day field `Field < day`, with the day in the zone of `now`. `newerThan` is `>=` against the same.
///
/// As in SOQL itself, `notEquals`, `notIn`, `excludes` and `not` also match an empty field; `olderThan`, `newerThan` and
/// the ordering comparisons never do. In `includes` and `excludes`, `a;b` means both.
///
/// What a tree holds can become a literal only, never anything else of the language: field names are checked, numbers are
/// checked, and text is quoted in one place.
///
/// # Errors
///
/// With the first comparison that has no meaning: not a field's name, a literal that does not fit the field's type, too
/// many or too long values.
pub fn compile(
    tree: &filter::Condition,
    field_type: &dyn Fn(&str) -> Option<FieldType>,
    now: &Zoned,
) -> Result<Condition, CompileError> {
    let condition = compile_level(tree, field_type, now, 0)?;
    let characters = condition.to_string().chars().count();
    if characters > MAX_CHARACTERS {
        let message =
            format!("the filter is {characters} characters long in SOQL, and the system takes at most {MAX_CHARACTERS}");
        return Err(too_large(
            tree,
            message,
            "split it into several policies, or select by a field instead of a list of values",
        ));
    }
    Ok(condition)
}

fn compile_level(
    tree: &filter::Condition,
    field_type: &dyn Fn(&str) -> Option<FieldType>,
    now: &Zoned,
    depth: usize,
) -> Result<Condition, CompileError> {
    if depth > MAX_DEPTH {
        let message = format!("the filter is nested more than {MAX_DEPTH} deep");
        return Err(too_large(tree, message, "write it with fewer levels"));
    }
    let parts = |parts: &[filter::Condition]| -> Result<Vec<Condition>, CompileError> {
        parts.iter().map(|part| compile_level(part, field_type, now, depth + 1)).collect()
    };
    Ok(match tree {
        filter::Condition::All(all) => join(parts(all)?, Condition::And),
        filter::Condition::Any(any) => join(parts(any)?, Condition::Or),
        filter::Condition::Not(part) => Condition::Not(Box::new(compile_level(part, field_type, now, depth + 1)?)),
        filter::Condition::Field { field, span, comparison } => {
            let field = Field { name: field, span: *span, kind: field_type(field), now };
            let path = field.path()?;
            let test = field.test(comparison)?;
            Condition::Comparison(Comparison { path, test, place: Place::default() })
        }
    })
}

fn join(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    assert!(!parts.is_empty(), "{NEVER_EMPTY}");
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

const NEVER_EMPTY: &str = "a level of a filter is never empty: an empty one would mean every record";

/// An error about a whole tree, which points at its first field. It walks without recursion, since the tree may be deep.
fn too_large(mut tree: &filter::Condition, message: String, help: &str) -> CompileError {
    loop {
        tree = match tree {
            filter::Condition::All(parts) | filter::Condition::Any(parts) => parts.first().expect(NEVER_EMPTY),
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
    fn unfit(&self, what: &str, help: impl Into<String>) -> CompileError {
        let kind = match self.kind {
            Some(FieldType::Boolean) => "a yes-or-no field",
            Some(FieldType::Number) => "a number field",
            Some(FieldType::Date) => "a date field",
            Some(FieldType::DateTime) => "a date and time field",
            Some(FieldType::Reference) => "a field that holds a record's id",
            Some(FieldType::MultiPicklist) => "a multi-select picklist",
            Some(FieldType::Text) => "a text field",
            None => "a field of unknown type",
        };
        self.error(format!("`{}` is {kind} and does not take {what}", self.name), help)
    }

    fn path(&self) -> Result<Path, CompileError> {
        let path = Path::new(self.name, Place::default()).filter(|path| !path.is_reserved()).ok_or_else(|| {
            self.error(
                format!("{} is not a field", shown(self.name)),
                "names are letters, digits and `_`, start with a letter, and are joined by single dots, as in `Account.Name`",
            )
        })?;
        if path.parents() > MAX_PARENTS {
            let message = format!("{} goes over {} parents", shown(path.as_str()), path.parents());
            return Err(self.error(message, format!("the system follows at most {MAX_PARENTS}")));
        }
        Ok(path)
    }

    fn test(&self, comparison: &filter::Comparison) -> Result<Test, CompileError> {
        use filter::Comparison as Tree;
        Ok(match comparison {
            Tree::Equals(literal) => Test::Compare(Operator::Equal, self.literal(literal)?),
            Tree::NotEquals(literal) => Test::Compare(Operator::NotEqual, self.literal(literal)?),
            Tree::In(literals) => Test::In(self.literals(literals)?),
            Tree::NotIn(literals) => Test::NotIn(self.literals(literals)?),
            Tree::Less(threshold) => Test::Compare(Operator::Less, self.threshold(threshold)?),
            Tree::LessOrEqual(threshold) => Test::Compare(Operator::LessOrEqual, self.threshold(threshold)?),
            Tree::Greater(threshold) => Test::Compare(Operator::Greater, self.threshold(threshold)?),
            Tree::GreaterOrEqual(threshold) => Test::Compare(Operator::GreaterOrEqual, self.threshold(threshold)?),
            Tree::Like(text) => self.like(text)?,
            Tree::IsNull(empty) => {
                let operator = if *empty { Operator::Equal } else { Operator::NotEqual };
                Test::Compare(operator, self.null()?)
            }
            Tree::OlderThan(age) => Test::Compare(Operator::Less, self.moment_before(age)?),
            Tree::NewerThan(age) => Test::Compare(Operator::GreaterOrEqual, self.moment_before(age)?),
            Tree::Includes(values) => Test::Includes(self.choices(values)?),
            Tree::Excludes(values) => Test::Excludes(self.choices(values)?),
        })
    }

    fn literals(&self, literals: &[filter::Literal]) -> Result<Vec<Literal>, CompileError> {
        self.not_empty(literals)?;
        literals.iter().map(|literal| self.literal(literal)).collect()
    }

    fn choices(&self, values: &[String]) -> Result<Vec<String>, CompileError> {
        if !matches!(self.kind, None | Some(FieldType::MultiPicklist)) {
            return Err(self.unfit("`includes` or `excludes`", "use `in` or `notIn`"));
        }
        self.not_empty(values)?;
        values.iter().map(|value| self.quotable(value)).collect()
    }

    fn not_empty<T>(&self, values: &[T]) -> Result<(), CompileError> {
        if values.is_empty() { Err(self.error("the list of values is empty", "list at least one value")) } else { Ok(()) }
    }

    fn literal(&self, literal: &filter::Literal) -> Result<Literal, CompileError> {
        match literal {
            filter::Literal::Null => self.null(),
            filter::Literal::Boolean(value) => match self.kind {
                None | Some(FieldType::Boolean) => Ok(Literal::Boolean(*value)),
                Some(FieldType::Text) => {
                    Err(self.unfit(&format!("`{value}`"), format!("quote it if it is text: `\"{value}\"`")))
                }
                Some(_) => Err(self.unfit(&format!("`{value}`"), self.example())),
            },
            filter::Literal::Number(digits) => match self.kind {
                None | Some(FieldType::Number) => Decimal::new(digits)
                    .map(Literal::Number)
                    .ok_or_else(|| self.unfit(&shown(digits), "write a number such as `42` or `-1.5`")),
                Some(FieldType::Text | FieldType::Reference | FieldType::MultiPicklist) => {
                    Err(self.unfit("a number", "quote it if it is text, as in `\"42\"`"))
                }
                Some(_) => Err(self.unfit("a number", self.example())),
            },
            filter::Literal::Text(text) => self.text(text),
        }
    }

    /// In SOQL a yes-or-no field equals `null` when it is `false` (documented), which nobody means who asks for empty ones.
    fn null(&self) -> Result<Literal, CompileError> {
        match self.kind {
            Some(FieldType::Boolean) => {
                Err(self.unfit("`null`: it is never empty", "write `equals: false` or `equals: true`"))
            }
            _ => Ok(Literal::Null),
        }
    }

    fn text(&self, text: &str) -> Result<Literal, CompileError> {
        match self.kind {
            None | Some(FieldType::Text | FieldType::Reference | FieldType::MultiPicklist) => {
                Ok(Literal::Text(self.quotable(text)?))
            }
            Some(FieldType::Boolean | FieldType::Number) => Err(self.unfit("text", self.example())),
            Some(FieldType::Date) => {
                read_date(text).map(Literal::Date).ok_or_else(|| self.unfit(&shown(text), self.example()))
            }
            Some(FieldType::DateTime) => read_moment(text).map(Literal::DateTime).ok_or_else(|| match read_date(text) {
                Some(date) => self.unfit("a day without a time", format!("name the moment, as in `{date}T00:00:00Z`")),
                None => self.unfit(&shown(text), self.example()),
            }),
        }
    }

    /// What a value of the field's type looks like.
    fn example(&self) -> String {
        match self.kind {
            Some(FieldType::Boolean) => "write `true` or `false` without quotes".to_owned(),
            Some(FieldType::Number) => "write a number without quotes, such as `42` or `-1.5`".to_owned(),
            Some(FieldType::Date) => "write a date such as `2026-01-31`, or use `olderThan` or `newerThan`".to_owned(),
            Some(FieldType::DateTime) => {
                "write a moment such as `2026-01-31T00:00:00Z`, or use `olderThan` or `newerThan`".to_owned()
            }
            _ => "write text in quotes".to_owned(),
        }
    }

    fn quotable(&self, text: &str) -> Result<String, CompileError> {
        self.within_length(text.chars().count())?;
        Ok(text.to_owned())
    }

    fn within_length(&self, characters: usize) -> Result<(), CompileError> {
        if characters > MAX_TEXT_CHARACTERS {
            let message = format!("a text has {characters} characters, and the system takes at most {MAX_TEXT_CHARACTERS}");
            return Err(self.error(message, "compare with its beginning by `like`"));
        }
        Ok(())
    }

    fn threshold(&self, filter::Threshold(literal): &filter::Threshold) -> Result<Literal, CompileError> {
        match self.kind {
            Some(FieldType::Boolean | FieldType::MultiPicklist) => {
                Err(self
                    .unfit("less or greater values: it has no order", "use `equals`, `in` or, on a picklist, `includes`"))
            }
            _ => self.literal(literal),
        }
    }

    fn like(&self, text: &str) -> Result<Test, CompileError> {
        if !matches!(self.kind, None | Some(FieldType::Text)) {
            return Err(self.unfit("a text pattern", "`like` is for text; use `equals`, `in`, `less` or `greater`"));
        }
        let pattern = Pattern::from_wildcards(text);
        self.within_length(pattern.0.len())?;
        Ok(Test::Like(pattern))
    }

    fn moment_before(&self, age: &Age) -> Result<Literal, CompileError> {
        if !matches!(self.kind, None | Some(FieldType::Date | FieldType::DateTime)) {
            return Err(self.unfit("an age", "`olderThan` and `newerThan` are for dates and times"));
        }
        let moment = age.before(self.now).ok().filter(|moment| YEARS.contains(&moment.year()));
        let moment = moment.ok_or_else(|| {
            self.error(
                format!("{age} ago is before the year {}, the first one the system knows", YEARS.start()),
                "write a shorter age",
            )
        })?;
        Ok(match self.kind {
            Some(FieldType::Date) => Literal::Date(moment.date()),
            _ => Literal::DateTime(whole_second(moment.timestamp())),
        })
    }
}

/// The second a moment is in: the system keeps whole seconds, and the earlier one never makes a record older than it is.
fn whole_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_nanosecond().div_euclid(1_000_000_000).try_into().unwrap_or(i64::MIN)).unwrap_or(moment)
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

    /// The types of the fields that the tests know by name.
    fn kind(name: &str) -> Option<FieldType> {
        Some(match name {
            "Flag" => FieldType::Boolean,
            "Count" => FieldType::Number,
            "Day" => FieldType::Date,
            "Moment" => FieldType::DateTime,
            "Parent" => FieldType::Reference,
            "Choices" => FieldType::MultiPicklist,
            "Name" => FieldType::Text,
            _ => return None,
        })
    }

    fn compiled(tree: &Node) -> Result<String, CompileError> {
        let now = "2026-11-21T10:00:00.5[Europe/Berlin]".parse().expect("valid");
        compile(tree, &kind, &now).map(|condition| condition.to_string())
    }

    fn text(text: &str) -> Plain {
        Plain::Text(text.into())
    }

    fn age(text: &str) -> Age {
        text.parse().expect("valid")
    }

    #[test]
    fn writes_every_comparison() {
        let threshold = |literal| Threshold(literal);
        let trees = [
            field("Name", Tree::Equals(text("O'Hara \\ 50%"))),
            field("Name", Tree::NotEquals(Plain::Null)),
            field("Flag", Tree::Equals(Plain::Boolean(false))),
            field("Count", Tree::Less(threshold(Plain::Number("-1.50".into())))),
            field("Count", Tree::In(vec![Plain::Number("1".into()), Plain::Null])),
            field("Day", Tree::LessOrEqual(threshold(text("2026-01-31")))),
            field("Moment", Tree::Greater(threshold(text("2026-01-31T01:00:00+01:00")))),
            field("Unknown__c", Tree::GreaterOrEqual(threshold(text("2026-01-31")))),
            field("Account.Owner.Name", Tree::NotIn(vec![text("a"), text("b")])),
            field("Name", Tree::Like(r"50\%_%'".into())),
            field("Day", Tree::IsNull(true)),
            field("Day", Tree::IsNull(false)),
            field("Moment", Tree::OlderThan(age("3 years"))),
            field("Moment", Tree::NewerThan(age("36 hours"))),
            field("Day", Tree::OlderThan(age("3 years"))),
            field("Unknown__c", Tree::OlderThan(age("90 days"))),
            field("Choices", Tree::Includes(vec!["a;b".into(), "c".into()])),
            field("Choices", Tree::Excludes(vec!["a".into()])),
            Node::All(vec![
                field("Flag", Tree::Equals(Plain::Boolean(true))),
                Node::Any(vec![
                    field("Name", Tree::Equals(text("a"))),
                    Node::Not(Box::new(field("Name", Tree::Equals(text("b"))))),
                ]),
                Node::Not(Box::new(Node::All(vec![field("Name", Tree::Equals(text("c")))]))),
            ]),
        ];
        let shown: Vec<String> = trees.iter().map(|tree| compiled(tree).expect("compiles")).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        Name = 'O\'Hara \\ 50%'
        Name != null
        Flag = false
        Count < -1.50
        Count IN (1, null)
        Day <= 2026-01-31
        Moment > 2026-01-31T00:00:00Z
        Unknown__c >= '2026-01-31'
        Account.Owner.Name NOT IN ('a', 'b')
        Name LIKE '50\%_%\''
        Day = null
        Day != null
        Moment < 2023-11-21T09:00:00Z
        Moment >= 2026-11-19T21:00:00Z
        Day < 2023-11-21
        Unknown__c < 2026-08-23T08:00:00Z
        Choices INCLUDES ('a;b', 'c')
        Choices EXCLUDES ('a')
        Flag = true AND (Name = 'a' OR (NOT Name = 'b')) AND (NOT Name = 'c')
        ");
    }

    #[test]
    fn refuses_what_does_not_fit_the_field() {
        let number = || Plain::Number("1".into());
        let trees = [
            field("Flag", Tree::Equals(number())),
            field("Flag", Tree::Equals(text("true"))),
            field("Flag", Tree::IsNull(true)),
            field("Flag", Tree::Less(Threshold(number()))),
            field("Name", Tree::Equals(Plain::Boolean(true))),
            field("Name", Tree::NotEquals(number())),
            field("Name", Tree::OlderThan(age("1 day"))),
            field("Name", Tree::Includes(vec!["a".into()])),
            field("Name", Tree::In(vec![])),
            field("Name", Tree::Equals(text(&"x".repeat(4_001)))),
            field("Count", Tree::Equals(text("1"))),
            field("Count", Tree::Equals(Plain::Number("1 OR 1".into()))),
            field("Day", Tree::Like("2026%".into())),
            field("Day", Tree::Equals(text("TODAY"))),
            field("Day", Tree::Equals(text("2026-01-31T00:00:00Z"))),
            field("Day", Tree::OlderThan(age("400 years"))),
            field("Moment", Tree::Less(Threshold(text("2026-01-31")))),
            field("Moment", Tree::Equals(Plain::Boolean(true))),
            field("Parent", Tree::Like("001%".into())),
            field("Choices", Tree::Greater(Threshold(text("a")))),
            field("Name = 'x' OR Name", Tree::Equals(text("a"))),
            field("NOT", Tree::Equals(text("a"))),
            field("", Tree::Equals(text("a"))),
            field("A.B.C.D.E.F.G", Tree::Equals(text("a"))),
            field("Name", Tree::In(vec![text(&"x".repeat(3_000)); 40])),
            (0..200).fold(field("Name", Tree::IsNull(true)), |tree, _| Node::Not(Box::new(tree))),
        ];
        let shown: Vec<String> = trees
            .iter()
            .map(|tree| {
                let error = compiled(tree).expect_err("does not fit");
                assert_eq!(error.span, span());
                format!("{error}\n  {}", error.help.as_deref().unwrap_or_default())
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        `Flag` is a yes-or-no field and does not take a number
          write `true` or `false` without quotes
        `Flag` is a yes-or-no field and does not take text
          write `true` or `false` without quotes
        `Flag` is a yes-or-no field and does not take `null`: it is never empty
          write `equals: false` or `equals: true`
        `Flag` is a yes-or-no field and does not take less or greater values: it has no order
          use `equals`, `in` or, on a picklist, `includes`
        `Name` is a text field and does not take `true`
          quote it if it is text: `"true"`
        `Name` is a text field and does not take a number
          quote it if it is text, as in `"42"`
        `Name` is a text field and does not take an age
          `olderThan` and `newerThan` are for dates and times
        `Name` is a text field and does not take `includes` or `excludes`
          use `in` or `notIn`
        the list of values is empty
          list at least one value
        a text has 4001 characters, and the system takes at most 4000
          compare with its beginning by `like`
        `Count` is a number field and does not take text
          write a number without quotes, such as `42` or `-1.5`
        `Count` is a number field and does not take `1 OR 1`
          write a number such as `42` or `-1.5`
        `Day` is a date field and does not take a text pattern
          `like` is for text; use `equals`, `in`, `less` or `greater`
        `Day` is a date field and does not take `TODAY`
          write a date such as `2026-01-31`, or use `olderThan` or `newerThan`
        `Day` is a date field and does not take `2026-01-31T00:00:00Z`
          write a date such as `2026-01-31`, or use `olderThan` or `newerThan`
        400 years ago is before the year 1700, the first one the system knows
          write a shorter age
        `Moment` is a date and time field and does not take a day without a time
          name the moment, as in `2026-01-31T00:00:00Z`
        `Moment` is a date and time field and does not take `true`
          write a moment such as `2026-01-31T00:00:00Z`, or use `olderThan` or `newerThan`
        `Parent` is a field that holds a record's id and does not take a text pattern
          `like` is for text; use `equals`, `in`, `less` or `greater`
        `Choices` is a multi-select picklist and does not take less or greater values: it has no order
          use `equals`, `in` or, on a picklist, `includes`
        `Name = 'x' OR Name` is not a field
          names are letters, digits and `_`, start with a letter, and are joined by single dots, as in `Account.Name`
        `NOT` is not a field
          names are letters, digits and `_`, start with a letter, and are joined by single dots, as in `Account.Name`
        `` is not a field
          names are letters, digits and `_`, start with a letter, and are joined by single dots, as in `Account.Name`
        `A.B.C.D.E.F.G` goes over 6 parents
          the system follows at most 5
        the filter is 120168 characters long in SOQL, and the system takes at most 100000
          split it into several policies, or select by a field instead of a list of values
        the filter is nested more than 100 deep
          write it with fewer levels
        "#);
    }
}
