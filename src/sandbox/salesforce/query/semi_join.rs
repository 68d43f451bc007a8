//! Where a query may hold others in `IN (SELECT …)`, in the vendor's words.
//!
//! The rules are documented, but for the one on parentheses, which clients see. Of the words those on `OR` are recorded, those on nested
//! expressions seen by clients; the rest is a guess.

use super::problem::QueryProblem;
use crate::filter::Path;
use crate::filter::soql::{Comparison, Condition, Test};

const MOST: usize = 2;

/// Refuses the first semi-join of a query on `object` that may not be there. Whether fields are ids is not judged here.
pub(super) fn check(text: &str, object: &Path, condition: &Condition) -> Result<(), QueryProblem> {
    let mut count = 0;
    visit(condition, Above::Top, &mut |comparison, above| {
        let (Test::InSubquery(subquery) | Test::NotInSubquery(subquery)) = &comparison.test else { return Ok(()) };
        count += 1;
        let refuse = |code, message: &str| Err(QueryProblem::at(code, text, comparison.place.start, message));
        if count > MOST {
            return refuse("EXCEEDED_MAX_SEMIJOIN_SUBSELECTS", "maximum number of semi join sub-selects is 2");
        }
        if subquery.grouped || above == Above::Nested {
            let message = "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions";
            return refuse("MALFORMED_QUERY", message);
        }
        match above {
            Above::Or => {
                return refuse("MALFORMED_QUERY", "Semi join sub-selects are not allowed with the 'OR' operator");
            }
            Above::Not => {
                return refuse("MALFORMED_QUERY", "Semi join sub-selects are not allowed with the 'NOT' operator");
            }
            Above::Top | Above::And | Above::Nested => {}
        }
        if subquery.object.as_str().eq_ignore_ascii_case(object.as_str()) {
            return refuse("MALFORMED_QUERY", "The inner and outer selects should not be on the same object type");
        }
        if subquery.condition.as_ref().is_some_and(|inner| !inner.subqueries().is_empty()) {
            return refuse("MALFORMED_QUERY", "Nesting of semi join sub-selects is not supported");
        }
        Ok(())
    })
}

/// What a comparison stands below.
#[derive(Clone, Copy, PartialEq)]
enum Above {
    Top,
    And,
    Or,
    Not,
    /// More than one of them.
    Nested,
}

fn visit(
    condition: &Condition,
    above: Above,
    judge: &mut dyn FnMut(&Comparison, Above) -> Result<(), QueryProblem>,
) -> Result<(), QueryProblem> {
    let below = |here: Above| if above == Above::Top { here } else { Above::Nested };
    match condition {
        Condition::And(parts) => parts.iter().try_for_each(|part| visit(part, below(Above::And), judge)),
        Condition::Or(parts) => parts.iter().try_for_each(|part| visit(part, below(Above::Or), judge)),
        Condition::Not(part) => visit(part, below(Above::Not), judge),
        Condition::Comparison(comparison) => judge(comparison, above),
    }
}
