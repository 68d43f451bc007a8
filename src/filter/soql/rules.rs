//! Rules of the language that no single comparison can break.

use super::{Comparison, Condition, Subquery, SyntaxError, Test};

/// How many subqueries a condition may hold (documented).
const MAX_SUBQUERIES: usize = 2;

/// Every rule about subqueries that the condition breaks (all documented).
pub(crate) fn broken(condition: &Condition) -> Vec<SyntaxError> {
    let mut errors = Vec::new();
    let mut count = 0;
    visit(condition, None, &mut count, &mut errors);
    errors
}

fn visit(condition: &Condition, above: Option<&str>, count: &mut usize, errors: &mut Vec<SyntaxError>) {
    match condition {
        Condition::And(parts) => parts.iter().for_each(|part| visit(part, above, count, errors)),
        Condition::Or(parts) => parts.iter().for_each(|part| visit(part, Some("OR"), count, errors)),
        Condition::Not(part) => visit(part, Some("NOT"), count, errors),
        Condition::Comparison(comparison) => {
            let (subquery, opposite) = match &comparison.test {
                Test::InSubquery(subquery) => (subquery, "NOT IN"),
                Test::NotInSubquery(subquery) => (subquery, "IN"),
                Test::Compare(..) | Test::Like(_) | Test::In(_) | Test::NotIn(_) | Test::Includes(_) | Test::Excludes(_) => {
                    return;
                }
            };
            let error = |message: String| SyntaxError::new(comparison.place, message);
            *count += 1;
            if *count == MAX_SUBQUERIES + 1 {
                errors.push(error(format!("this is the third subquery, and a condition holds at most {MAX_SUBQUERIES}")));
            }
            match above {
                Some("NOT") => {
                    let help = format!("write `{} {opposite} (SELECT …)` without the `NOT` before it", comparison.path);
                    errors.push(error("a subquery cannot be inside `NOT`".to_owned()).with_help(help));
                }
                Some(_) => errors.push(
                    error("a subquery cannot be inside `OR`".to_owned())
                        .with_help("make two policies, one for each side of the `OR`"),
                ),
                None => {}
            }
            if comparison.path.parents() > 0 {
                errors.push(
                    SyntaxError::new(
                        comparison.path.place,
                        format!("`{}` goes through a parent and is compared with a subquery", comparison.path),
                    )
                    .with_help("use the field of this object that refers to the parent, such as `AccountId`"),
                );
            }
            errors.extend(broken_by_subquery(comparison, subquery));
        }
    }
}

fn broken_by_subquery(comparison: &Comparison, subquery: &Subquery) -> Vec<SyntaxError> {
    let mut errors = Vec::new();
    if subquery.field.parents() > 0 {
        errors.push(
            SyntaxError::new(subquery.field.place, format!("`{}` goes through a parent, in a subquery", subquery.field))
                .with_help("select the field that refers to the parent, such as `AccountId`"),
        );
    }
    if subquery.condition.as_ref().is_some_and(|condition| !condition.subqueries().is_empty()) {
        errors.push(SyntaxError::new(comparison.place, "a subquery is nested in a subquery"));
    }
    errors
}
