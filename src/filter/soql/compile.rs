//! Compiles the typed tree of a manifest to SOQL.

use jiff::Zoned;

use super::dialect::{SOQL, YEARS, has_valid_year, is_in_milliseconds};
use super::parser::{MAX_DEPTH, MAX_PARENTS};
use super::quote::MAX_TEXT_CHARACTERS;
use super::rules::{ONLY_DELETED, means_deleted};
use super::{Comparison, ComparisonOperator, Condition, Literal, Path, Pattern, Place, Test, field_path};
use crate::base::Age;
use crate::filter::error::shown;
use crate::filter::field::{Field, Operand, about_the_whole, join};
use crate::filter::{self, CompileError, FilterTree, Predicate, Threshold};
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
    tree: &FilterTree,
    field_type: &dyn Fn(&str) -> Option<FieldType>,
    now: &Zoned,
) -> Result<Condition, CompileError> {
    let condition = compile_level(tree, field_type, now, 0)?;
    let (characters, most) = (condition.to_string().chars().count(), SOQL.max_characters);
    if characters > most {
        let message = format!("the filter is {characters} characters long in SOQL, and the system takes at most {most}");
        let help = "split it into several policies, or select by a field instead of a list of values";
        return Err(about_the_whole(tree, message, help));
    }
    Ok(condition)
}

fn compile_level(
    tree: &FilterTree,
    field_type: &dyn Fn(&str) -> Option<FieldType>,
    now: &Zoned,
    depth: usize,
) -> Result<Condition, CompileError> {
    if depth > MAX_DEPTH {
        let message = format!("the filter is nested more than {MAX_DEPTH} deep");
        return Err(about_the_whole(tree, message, "write it with fewer levels"));
    }
    let parts = |parts: &[FilterTree]| -> Result<Vec<Condition>, CompileError> {
        parts.iter().map(|part| compile_level(part, field_type, now, depth + 1)).collect()
    };
    Ok(match tree {
        FilterTree::All(all) => join(parts(all)?, Condition::And),
        FilterTree::Any(any) => join(parts(any)?, Condition::Or),
        FilterTree::Not(part) => Condition::Not(Box::new(compile_level(part, field_type, now, depth + 1)?)),
        FilterTree::Field { field, span, predicate } => {
            let field = Field { name: field, span: *span, field_type: field_type(field), now };
            let comparison =
                Comparison { path: path(&field)?, function: None, test: test(&field, predicate)?, place: Place::default() };
            if means_deleted(&comparison) {
                return Err(field.error(ONLY_DELETED, "leave it out, or write `equals: false`"));
            }
            Condition::Comparison(comparison)
        }
    })
}

fn path(field: &Field<'_>) -> Result<Path, CompileError> {
    let path = field_path(field.name, Place::default()).ok_or_else(|| {
        field.error(
            format!("{} is not a field", shown(field.name)),
            "names are letters, digits and `_`, start with a letter, and are joined by single dots, as in `Account.Name`",
        )
    })?;
    if path.parents() > MAX_PARENTS {
        let message = format!("{} goes through {} parents", shown(path.as_str()), path.parents());
        return Err(field.error(message, format!("the system follows at most {MAX_PARENTS}")));
    }
    Ok(path)
}

fn test(field: &Field<'_>, predicate: &Predicate) -> Result<Test, CompileError> {
    let ordered =
        |operator, threshold: &Threshold| Ok(Test::Compare(operator, literal(field, field.threshold(threshold)?)?));
    match predicate {
        Predicate::Equals(value) => Ok(Test::Compare(ComparisonOperator::Equal, literal(field, value)?)),
        Predicate::NotEquals(value) => Ok(Test::Compare(ComparisonOperator::NotEqual, literal(field, value)?)),
        Predicate::In(values) => Ok(Test::In(literals(field, values)?)),
        Predicate::NotIn(values) => Ok(Test::NotIn(literals(field, values)?)),
        Predicate::Less(threshold) => ordered(ComparisonOperator::Less, threshold),
        Predicate::LessOrEqual(threshold) => ordered(ComparisonOperator::LessOrEqual, threshold),
        Predicate::Greater(threshold) => ordered(ComparisonOperator::Greater, threshold),
        Predicate::GreaterOrEqual(threshold) => ordered(ComparisonOperator::GreaterOrEqual, threshold),
        Predicate::Like(text) => {
            let pattern = Pattern::from_wildcards(field.pattern(text)?);
            within_length(field, pattern.0.len())?;
            Ok(Test::Like(pattern))
        }
        Predicate::IsNull(true) => Ok(Test::Compare(ComparisonOperator::Equal, null(field)?)),
        Predicate::IsNull(false) => Ok(Test::Compare(ComparisonOperator::NotEqual, null(field)?)),
        Predicate::OlderThan(age) => Ok(Test::Compare(ComparisonOperator::Less, before(field, age)?)),
        Predicate::NewerThan(age) => Ok(Test::Compare(ComparisonOperator::GreaterOrEqual, before(field, age)?)),
        Predicate::Includes(values) => Ok(Test::Includes(choices(field, values)?)),
        Predicate::Excludes(values) => Ok(Test::Excludes(choices(field, values)?)),
    }
}

fn literals(field: &Field<'_>, values: &[filter::Literal]) -> Result<Vec<Literal>, CompileError> {
    field.at_least_one(values)?.iter().map(|value| literal(field, value)).collect()
}

fn literal(field: &Field<'_>, value: &filter::Literal) -> Result<Literal, CompileError> {
    written(field, field.operand(value)?)
}

fn before(field: &Field<'_>, age: &Age) -> Result<Literal, CompileError> {
    written(field, field.before(age, *YEARS.start())?)
}

fn written(field: &Field<'_>, operand: Operand) -> Result<Literal, CompileError> {
    match operand {
        Operand::Null => null(field),
        Operand::Boolean(value) => Ok(Literal::Boolean(value)),
        Operand::Number(number) => Ok(Literal::Number(number)),
        Operand::Text(text) => quotable(field, &text).map(Literal::Text),
        Operand::Day(day) if has_valid_year(&day) => Ok(Literal::Date(day)),
        Operand::Day(day) => Err(out_of_years(field, day.year())),
        Operand::Moment(moment) => {
            let year = moment.to_zoned(jiff::tz::TimeZone::UTC).year();
            if !YEARS.contains(&year) {
                return Err(out_of_years(field, year));
            }
            if !is_in_milliseconds(&moment) {
                return Err(field.unfit("a fraction of a millisecond", "write at most three decimal places of a second"));
            }
            Ok(Literal::DateTime(moment))
        }
    }
}

fn out_of_years(field: &Field<'_>, year: i16) -> CompileError {
    let help = format!("the system knows the years {} to {}", YEARS.start(), YEARS.end());
    field.unfit(&format!("the year {year}"), help)
}

/// `null`, refused for a boolean field: in SOQL it equals `null` if it is `false` (documented), which is never what is meant.
fn null(field: &Field<'_>) -> Result<Literal, CompileError> {
    if field.field_type == Some(FieldType::Boolean) {
        return Err(field.unfit("`null`: it is never empty", "write `equals: false` or `equals: true`"));
    }
    Ok(Literal::Null)
}

fn choices(field: &Field<'_>, values: &[String]) -> Result<Vec<String>, CompileError> {
    field.choices(values)?.iter().map(|value| quotable(field, value)).collect()
}

fn quotable(field: &Field<'_>, text: &str) -> Result<String, CompileError> {
    within_length(field, text.chars().count())?;
    Ok(text.to_owned())
}

fn within_length(field: &Field<'_>, characters: usize) -> Result<(), CompileError> {
    if characters > MAX_TEXT_CHARACTERS {
        let message = format!("a text has {characters} characters, and the system takes at most {MAX_TEXT_CHARACTERS}");
        return Err(field.error(message, "compare its beginning with `like`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::testing::{age, leaf as field, span, text};
    use crate::filter::{FilterTree as Node, Literal as Plain, Predicate as Tree};

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
          use `equals`, `in` or, on a field of several choices, `includes`
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
          compare its beginning with `like`
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
        `Choices` is a field of several choices and does not take less or greater values: it has no order
          use `equals`, `in` or, on a field of several choices, `includes`
        `Name = 'x' OR Name` is not a field
          names are letters, digits and `_`, start with a letter, and are joined by single dots, as in `Account.Name`
        `NOT` is not a field
          names are letters, digits and `_`, start with a letter, and are joined by single dots, as in `Account.Name`
        `` is not a field
          names are letters, digits and `_`, start with a letter, and are joined by single dots, as in `Account.Name`
        `A.B.C.D.E.F.G` goes through 6 parents
          the system follows at most 5
        the filter is 120168 characters long in SOQL, and the system takes at most 100000
          split it into several policies, or select by a field instead of a list of values
        the filter is nested more than 100 deep
          write it with fewer levels
        "#);
    }
}
