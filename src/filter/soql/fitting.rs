//! What the results of functions are compared with.

use super::{ComparisonOperator, DatePart, Function, Literal, Test};

/// What the result of a function can be compared with, where `test` is something else.
pub(super) fn misfit(function: &Function, test: &Test) -> Option<&'static str> {
    let each = |fits: fn(&Literal) -> bool| match test {
        Test::Compare(_, literal) => fits(literal),
        Test::In(literals) | Test::NotIn(literals) => literals.iter().all(fits),
        Test::Like(_) | Test::Includes(_) | Test::Excludes(_) | Test::InSubquery(_) | Test::NotInSubquery(_) => false,
    };
    let (fits, wanted) = match function {
        Function::Date { part: DatePart::DayOnly, .. } => (
            // Documented: date literals go with fields alone.
            each(|literal| matches!(literal, Literal::Date(_) | Literal::Null)),
            "it gives a day: compare it with one such as `2026-01-31`; a date literal such as `LAST_YEAR` is compared with the field itself",
        ),
        Function::Date { .. } => (
            each(|literal| matches!(literal, Literal::Number(_) | Literal::Null)),
            "it gives a number: compare it with one, as in `CALENDAR_YEAR(CreatedDate) < 2020`",
        ),
        Function::Label => (
            matches!(test, Test::Like(_)) || each(|literal| matches!(literal, Literal::Text(_) | Literal::Null)),
            "it gives text: compare it with text in single quotes, as in `toLabel(Status) = 'Closed'`",
        ),
        // Documented: no other operators.
        Function::Distance { .. } => (
            matches!(test, Test::Compare(ComparisonOperator::Less | ComparisonOperator::Greater, Literal::Number(_))),
            "compare a distance by `<` or `>` with a number",
        ),
    };
    (!fits).then_some(wanted)
}
