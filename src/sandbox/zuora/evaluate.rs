//! Decides whether a record meets a condition, as Zuora would.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::zoql::{Condition, Literal, Operator, Test, read_day, read_moment};

/// The value of a field of one record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Empty.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A day.
    Date(Date),
    /// A moment.
    DateTime(Timestamp),
    /// Text, a pick-list value, a key.
    Text(String),
}

/// A record that a condition can be held against.
pub(super) trait Record {
    /// The value of the field of that name, whatever its case, or `None` when there is no such field, which counts as empty.
    fn value(&self, field: &str) -> Option<Value>;
}

/// What a condition depends on besides the record.
pub(super) struct Context<'a> {
    /// The tenant's zone, for moments that name none.
    pub zone: &'a TimeZone,
    /// Whether text is compared by case: the query option of that name (documented; its default is not).
    pub case_sensitive: bool,
}

/// Whether `record` meets `condition`.
///
/// Guessed: that an empty field meets `!=` only against `null` (the filter that Zuora documents for `RatePlan`,
/// `AmendmentType = null or AmendmentType != 'RemoveProduct'`, would not name `null` otherwise); that an empty field has no
/// order; that text is ordered by its characters; that values of different kinds are unequal and without order.
pub(super) fn evaluate(condition: &Condition, record: &dyn Record, context: &Context<'_>) -> bool {
    evaluate_with(condition, record, context, false)
}

/// The same, for either reading of `!=` on an empty field.
pub(super) fn evaluate_with(
    condition: &Condition,
    record: &dyn Record,
    context: &Context<'_>,
    empty_is_unequal: bool,
) -> bool {
    condition.0.iter().any(|comparisons| {
        comparisons.iter().all(|comparison| {
            let value = record.value(&comparison.field).unwrap_or(Value::Null);
            match &comparison.test {
                Test::Like(pattern) => {
                    matches!(&value, Value::Text(text) if pattern.matches(text, context.case_sensitive))
                }
                Test::Compare(operator, literal) => compare(*operator, &value, literal, context, empty_is_unequal),
            }
        })
    })
}

fn compare(operator: Operator, value: &Value, literal: &Literal, context: &Context<'_>, empty_is_unequal: bool) -> bool {
    if *literal == Literal::Null {
        return match operator {
            Operator::Equal => *value == Value::Null,
            Operator::NotEqual => *value != Value::Null,
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => false,
        };
    }
    if *value == Value::Null {
        return operator == Operator::NotEqual && empty_is_unequal;
    }
    let order = order(value, literal, context);
    match operator {
        Operator::Equal => order == Some(Ordering::Equal),
        Operator::NotEqual => order != Some(Ordering::Equal),
        Operator::Less => order.is_some_and(Ordering::is_lt),
        Operator::LessOrEqual => order.is_some_and(Ordering::is_le),
        Operator::Greater => order.is_some_and(Ordering::is_gt),
        Operator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    }
}

fn order(value: &Value, literal: &Literal, context: &Context<'_>) -> Option<Ordering> {
    match (value, literal) {
        (Value::Boolean(value), Literal::Boolean(literal)) => Some(value.cmp(literal)),
        (Value::Number(value), Literal::Number(literal)) => value.partial_cmp(literal),
        (Value::Date(value), Literal::Text(literal) | Literal::Bare(literal)) => Some(value.cmp(&read_day(literal)?)),
        (Value::DateTime(value), Literal::Text(literal) | Literal::Bare(literal)) => {
            Some(value.cmp(&read_moment(literal, context.zone)?))
        }
        (Value::Text(value), Literal::Text(literal)) if context.case_sensitive => Some(value.cmp(literal)),
        (Value::Text(value), Literal::Text(literal)) => Some(value.to_lowercase().cmp(&literal.to_lowercase())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::zuora::zoql::read_condition;

    struct Usage;

    impl Record for Usage {
        fn value(&self, field: &str) -> Option<Value> {
            Some(match field {
                "Quantity" => Value::Number(12.5),
                "UOM" => Value::Text("Each".into()),
                "SourceName" => Value::Null,
                "Approved" => Value::Boolean(true),
                "Day" => Value::Date(jiff::civil::date(2026, 1, 31)),
                "UpdatedDate" => Value::DateTime("2026-01-31T20:00:00Z".parse().expect("a moment")),
                _ => return None,
            })
        }
    }

    fn meets(text: &str, case_sensitive: bool) -> bool {
        let condition = read_condition(text).expect(text);
        evaluate(&condition, &Usage, &Context { zone: &TimeZone::fixed(jiff::tz::offset(-8)), case_sensitive })
    }

    #[test]
    fn compares_each_kind_of_value() {
        for text in [
            "Quantity = 12.50",
            "Quantity > 12 and Quantity <= 13",
            "Quantity = 1 or UOM = 'Each'",
            "UOM != 'each'",
            "UOM like 'Ea%'",
            "Approved = true",
            "Day = '2026-01-31' and Day < '2026-02-01' and Day = 2026-01-31",
            "UpdatedDate = '2026-01-31T12:00:00'",
            "UpdatedDate >= 2026-01-31T21:00:00+01:00",
            "SourceName = null",
            "UOM != null",
            "Nothing = null",
        ] {
            assert!(meets(text, true), "{text}");
        }
    }

    #[test]
    fn an_empty_field_meets_nothing_but_null() {
        for text in ["SourceName != 'x'", "SourceName = ''", "SourceName < 'x'", "SourceName >= 'x'", "SourceName like '%'"]
        {
            assert!(!meets(text, true), "{text}");
        }
    }

    #[test]
    fn case_counts_when_the_query_says_so() {
        assert!(meets("UOM = 'EACH' and UOM like 'ea%'", false));
        assert!(!meets("UOM = 'EACH'", true) && !meets("UOM like 'ea%'", true));
    }
}
