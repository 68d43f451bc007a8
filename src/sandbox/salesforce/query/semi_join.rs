//! Where a query may hold others in `IN (SELECT …)`, in the vendor's words.
//!
//! The rules are documented, but for the one on parentheses, which clients see. Of the words those on `OR` are recorded, those on nested
//! expressions seen by clients; the rest is a guess or from memory.

use super::problem::QueryProblem;
use crate::sandbox::salesforce::soql::{Comparison, Condition, Path, Test};

const MOST: usize = 2;

/// Objects that no subquery may be about, with tags besides, such as `AccountTag` (documented).
const REFUSED: [&str; 7] = ["ActivityHistory", "Attachment", "Attachments", "Event", "Note", "OpenActivity", "Task"];

/// Refuses the first semi-join of a query on `object` that may not be there. Whether fields are ids is not judged here.
pub(super) fn check(text: &str, object: &Path, condition: &Condition) -> Result<(), QueryProblem> {
    let mut count = 0;
    visit(condition, Above::Top, &mut |comparison, above| {
        let (Test::InSubquery(subquery) | Test::NotInSubquery(subquery)) = &comparison.test else { return Ok(()) };
        count += 1;
        let refuse = |code, message: &str| Err(QueryProblem::at(code, text, comparison.start, message));
        if count > MOST {
            return refuse("EXCEEDED_MAX_SEMIJOIN_SUBSELECTS", "maximum number of semi join sub-selects is 2");
        }
        match above {
            Above::Parentheses => {
                let message = "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions";
                return refuse("MALFORMED_QUERY", message);
            }
            Above::Or => {
                return refuse("MALFORMED_QUERY", "Semi join sub-selects are not allowed with the 'OR' operator");
            }
            Above::Not => {
                return refuse("MALFORMED_QUERY", "Semi join sub-selects are not allowed with the 'NOT' operator");
            }
            Above::Top => {}
        }
        if comparison.function.is_some() || comparison.path.text.contains('.') {
            // Documented: the left operand is a field of the object itself.
            return refuse(
                "MALFORMED_QUERY",
                "The left operand of a semi join must be an ID or reference field without relationships",
            );
        }
        if subquery.field.text.contains('.') {
            // Documented: the selected field is one of the inner object itself.
            return refuse("MALFORMED_QUERY", "The selected field of a semi join cannot traverse relationships");
        }
        if subquery.object.text.eq_ignore_ascii_case(&object.text) {
            return refuse("MALFORMED_QUERY", "The inner and outer selects should not be on the same object type");
        }
        let inner = subquery.object.text.as_str();
        if REFUSED.iter().any(|refused| refused.eq_ignore_ascii_case(inner))
            || (inner.ends_with("Tag") && !inner.contains("__"))
        {
            let message = format!("Entity '{inner}' is not supported for semi join inner selects");
            return refuse("MALFORMED_QUERY", &message);
        }
        if subquery.condition.as_ref().is_some_and(Condition::has_subquery) {
            return refuse("MALFORMED_QUERY", "Nesting of semi join sub-selects is not supported");
        }
        Ok(())
    })
}

/// What a comparison stands in, the outermost but for `AND`.
#[derive(Clone, Copy, PartialEq)]
enum Above {
    /// The `WHERE` itself, or an `AND` of it.
    Top,
    Or,
    Not,
    Parentheses,
}

fn visit(
    condition: &Condition,
    above: Above,
    judge: &mut dyn FnMut(&Comparison, Above) -> Result<(), QueryProblem>,
) -> Result<(), QueryProblem> {
    let below = |here: Above| if above == Above::Parentheses { above } else { here };
    match condition {
        Condition::And(parts) => parts.iter().try_for_each(|part| visit(part, above, judge)),
        Condition::Or(parts) => parts.iter().try_for_each(|part| visit(part, below(Above::Or), judge)),
        Condition::Not(part) => visit(part, below(Above::Not), judge),
        Condition::Group(part) => visit(part, Above::Parentheses, judge),
        Condition::Comparison(comparison) => judge(comparison, above),
    }
}
