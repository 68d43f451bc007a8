//! Rules of the language that no single comparison can break, and those that depend on the object.

use super::{Comparison, ComparisonOperator, Condition, Function, Literal, Path, Subquery, SyntaxError, Test};

/// How many subqueries a condition may hold (documented).
const MAX_SUBQUERIES: usize = 2;

/// Every rule about subqueries that the condition breaks (all documented).
pub(super) fn broken(condition: &Condition) -> Vec<SyntaxError> {
    let mut errors = Vec::new();
    let mut count = 0;
    visit(condition, None, &mut count, &mut errors);
    errors
}

/// Everything that makes a condition wrong, or senseless, for the records of `object` that a policy or a hold can mean.
pub fn mistakes_on(condition: &Condition, object: &str) -> Vec<SyntaxError> {
    let mut errors = Vec::new();
    for subquery in condition.subqueries() {
        // Documented: such a query is written without a subquery.
        if subquery.object.as_str().eq_ignore_ascii_case(object) {
            let message = format!("the subquery is about `{object}` too, the object of the filter itself");
            errors.push(SyntaxError::new(subquery.object.place, message).with_help(
                "reach the other record by the name of the reference, as in `Parent.Name = '…'` in place of \
                 `ParentId IN (SELECT Id …)`",
            ));
        }
    }
    refuse_deleted(condition, false, &mut errors);
    errors
}

/// What is wrong with `IsDeleted = true`.
pub(super) const ONLY_DELETED: &str =
    "this means records that are deleted already, and only others are ever selected or held";

/// Whether a comparison means nothing but records in the recycle bin.
pub(super) fn means_deleted(comparison: &Comparison) -> bool {
    deleted(comparison) == Some(true)
}

/// Whether a comparison means records in the recycle bin only, or the others only.
fn deleted(comparison: &Comparison) -> Option<bool> {
    // Empty is the same as no (documented).
    let is_no = |literal: &Literal| matches!(literal, Literal::Boolean(false) | Literal::Null);
    let (literals, negated) = match &comparison.test {
        _ if !comparison.path.is_any_of(&["IsDeleted"]) => return None,
        Test::Compare(ComparisonOperator::Equal, literal) => (std::slice::from_ref(literal), false),
        Test::Compare(ComparisonOperator::NotEqual, literal) => (std::slice::from_ref(literal), true),
        Test::In(literals) => (literals.as_slice(), false),
        Test::NotIn(literals) => (literals.as_slice(), true),
        Test::Compare(
            ComparisonOperator::Less
            | ComparisonOperator::LessOrEqual
            | ComparisonOperator::Greater
            | ComparisonOperator::GreaterOrEqual,
            _,
        )
        | Test::Like(_)
        | Test::InSubquery(_)
        | Test::NotInSubquery(_)
        | Test::Includes(_)
        | Test::Excludes(_) => return None,
    };
    let (no, yes) = (literals.iter().any(is_no), literals.contains(&Literal::Boolean(true)));
    (no != yes).then_some(yes != negated)
}

fn refuse_deleted(condition: &Condition, negated: bool, errors: &mut Vec<SyntaxError>) {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => {
            parts.iter().for_each(|part| refuse_deleted(part, negated, errors));
        }
        Condition::Not(part) => refuse_deleted(part, !negated, errors),
        Condition::Comparison(comparison) if deleted(comparison) == Some(!negated) => {
            let help = "leave it out, or write `IsDeleted = false`; archived records, `IsArchived = true`, are found like any other";
            errors.push(SyntaxError::new(comparison.place, ONLY_DELETED).with_help(help));
        }
        Condition::Comparison(_) => {}
    }
}

fn visit(condition: &Condition, above: Option<&str>, count: &mut usize, errors: &mut Vec<SyntaxError>) {
    match condition {
        Condition::And(parts) => parts.iter().for_each(|part| {
            let is_nested = above.is_none() && matches!(part, Condition::And(_));
            visit(part, if is_nested { Some("AND") } else { above }, count, errors);
        }),
        Condition::Or(parts) => parts.iter().for_each(|part| visit(part, Some("OR"), count, errors)),
        Condition::Not(part) => visit(part, Some("NOT"), count, errors),
        Condition::Comparison(comparison) => {
            errors.extend(without_label(comparison));
            errors.extend(mixed_amounts(comparison));
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
            let in_parentheses = || {
                let help = "write it outside all parentheses, joined to the other conditions by `AND`";
                error("a subquery stands in parentheses".to_owned()).with_help(help)
            };
            match above {
                _ if subquery.grouped => errors.push(in_parentheses()),
                Some("NOT") => {
                    let help = format!("write `{} {opposite} (SELECT …)` without the `NOT` before it", comparison.path);
                    errors.push(error("a subquery cannot be inside `NOT`".to_owned()).with_help(help));
                }
                Some("AND") => errors.push(in_parentheses()),
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
            } else {
                errors.extend(refused_by_name(&comparison.path));
            }
            errors.extend(broken_by_subquery(comparison, subquery));
        }
    }
}

/// A translated value that no filter can be about (documented).
fn without_label(comparison: &Comparison) -> Option<SyntaxError> {
    const NAMES: [&str; 3] = ["RecordType.Name", "CurrencyIsoCode", "Division"];
    let path = comparison.path.as_str().to_ascii_lowercase();
    let is_one = |name: &&str| {
        path.strip_suffix(name.to_ascii_lowercase().as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let is_label = comparison.function == Some(Function::Label);
    NAMES.iter().find(|name| is_label && is_one(name)).map(|name| {
        SyntaxError::new(comparison.path.place, format!("the system does not filter by the label of `{name}`"))
            .with_help(format!("compare the value itself, as in `{} = '…'`", comparison.path))
    })
}

/// A list of amounts of which some have a currency (documented to be refused).
fn mixed_amounts(comparison: &Comparison) -> Option<SyntaxError> {
    let (Test::In(literals) | Test::NotIn(literals)) = &comparison.test else { return None };
    let has = |wanted: fn(&Literal) -> bool| literals.iter().any(wanted);
    let mixed =
        has(|literal| matches!(literal, Literal::Currency(..))) && has(|literal| matches!(literal, Literal::Number(_)));
    mixed.then(|| {
        SyntaxError::new(comparison.place, "amounts with a currency stand beside amounts without one")
            .with_help("write the currency before each of them, as in `IN (USD10, USD20)`, or before none")
    })
}

/// Objects that no subquery may be about (documented, and tags besides).
const NOT_IN_SUBQUERIES: [&str; 7] =
    ["ActivityHistory", "Attachment", "Attachments", "Event", "Note", "OpenActivity", "Task"];

/// A field that can be no id and no reference, by its name: standard ones end in `Id`, and of custom ones only the system knows.
fn refused_by_name(field: &Path) -> Option<SyntaxError> {
    let name = field.as_str().to_ascii_lowercase();
    (!name.ends_with("id") && !name.contains("__")).then(|| {
        SyntaxError::new(field.place, format!("`{field}` is no id and refers to no record, so no subquery can be about it"))
            .with_help("subqueries compare ids, as in `Id IN (SELECT AccountId FROM Contact)`")
    })
}

fn broken_by_subquery(comparison: &Comparison, subquery: &Subquery) -> Vec<SyntaxError> {
    let mut errors = Vec::new();
    if subquery.field.parents() > 0 {
        errors.push(
            SyntaxError::new(subquery.field.place, format!("`{}` goes through a parent, in a subquery", subquery.field))
                .with_help("select the field that refers to the parent, such as `AccountId`"),
        );
    } else {
        errors.extend(refused_by_name(&subquery.field));
    }
    let object = subquery.object.as_str();
    // Tags have names such as `AccountTag`; a custom object has `__` in its own.
    if subquery.object.is_any_of(&NOT_IN_SUBQUERIES) || (object.ends_with("Tag") && !object.contains("__")) {
        let message = format!("the system takes no subquery about `{object}`");
        let help = "there are none about activities, notes, attachments and tags: select by a field of the object itself";
        errors.push(SyntaxError::new(subquery.object.place, message).with_help(help));
    }
    if subquery.condition.as_ref().is_some_and(|condition| !condition.subqueries().is_empty()) {
        errors.push(SyntaxError::new(comparison.place, "a subquery is nested in a subquery"));
    }
    errors
}
