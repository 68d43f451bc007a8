//! Rules of the language that no single comparison can break.

use super::{Comparison, Condition, Select, SelectItem, SyntaxError, Test};

/// How many subqueries a condition may hold (documented).
const MAX_SUBQUERIES: usize = 2;

/// Every rule about subqueries that the condition breaks (all documented).
pub(super) fn broken(condition: &Condition) -> Vec<SyntaxError> {
    let mut errors = Vec::new();
    let mut count = 0;
    visit(condition, None, &mut count, &mut errors);
    errors
}

/// Every rule that a whole query breaks.
pub(super) fn broken_by_select(select: &Select) -> Vec<SyntaxError> {
    let Some(condition) = &select.condition else { return Vec::new() };
    let mut errors = broken(condition);
    for subquery in condition.subqueries() {
        if subquery.object.as_str().eq_ignore_ascii_case(select.object.as_str()) {
            let message = format!("a subquery on `{}` stands inside a query on the same object", subquery.object);
            errors.push(SyntaxError::new(subquery.object.place, message).with_help("compare with the fields directly"));
        }
    }
    errors
}

fn visit(condition: &Condition, above: Option<&str>, count: &mut usize, errors: &mut Vec<SyntaxError>) {
    match condition {
        Condition::And(parts) => parts.iter().for_each(|part| visit(part, above, count, errors)),
        Condition::Or(parts) => parts.iter().for_each(|part| visit(part, Some("OR"), count, errors)),
        Condition::Not(part) => visit(part, Some("NOT"), count, errors),
        Condition::Comparison(comparison) => {
            let (Test::InSubquery(select) | Test::NotInSubquery(select)) = &comparison.test else { return };
            let error = |message: String| SyntaxError::new(comparison.place, message);
            *count += 1;
            if *count == MAX_SUBQUERIES + 1 {
                errors.push(error(format!("this is the third subquery, and a condition holds at most {MAX_SUBQUERIES}")));
            }
            match above {
                Some("NOT") => {
                    errors.push(error("a subquery cannot stand below `NOT`".to_owned()).with_help(turned_round(comparison)))
                }
                Some(_) => errors.push(
                    error("a subquery cannot stand below `OR`".to_owned())
                        .with_help("make two policies, one for each side of the `OR`"),
                ),
                None => {}
            }
            if comparison.path.parents() > 0 {
                errors.push(
                    SyntaxError::new(
                        comparison.path.place,
                        format!("`{}` goes over a parent, and is compared with a subquery", comparison.path),
                    )
                    .with_help("use the field of this object that refers to the parent, such as `AccountId`"),
                );
            }
            errors.extend(broken_by_subquery(comparison, select));
        }
    }
}

fn turned_round(comparison: &Comparison) -> String {
    match comparison.test {
        Test::InSubquery(_) => format!("write `{} NOT IN (SELECT …)` without the `NOT` before it", comparison.path),
        _ => format!("write `{} IN (SELECT …)` without the `NOT` before it", comparison.path),
    }
}

fn broken_by_subquery(comparison: &Comparison, select: &Select) -> Vec<SyntaxError> {
    let error = |message: &str| SyntaxError::new(select.place, message);
    let mut errors = Vec::new();
    match select.items.as_slice() {
        [SelectItem::Field(path, None)] if path.parents() == 0 => {}
        [SelectItem::Field(path, None)] => errors.push(
            SyntaxError::new(path.place, format!("`{path}` goes over a parent, in a subquery"))
                .with_help("select the field that refers to the parent, such as `AccountId`"),
        ),
        _ => errors.push(error("a subquery selects exactly one field").with_help("as in `(SELECT AccountId FROM Contact)`")),
    }
    if !select.order_by.is_empty() || select.limit.is_some() || select.offset.is_some() {
        errors.push(error("a subquery has no `ORDER BY`, `LIMIT` or `OFFSET`").with_help("leave it out"));
    }
    let nested = select.condition.as_ref().is_some_and(|condition| !condition.subqueries().is_empty());
    if nested {
        errors.push(SyntaxError::new(comparison.place, "a subquery stands inside a subquery"));
    }
    errors
}
