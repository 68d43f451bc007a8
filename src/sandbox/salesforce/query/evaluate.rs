//! Decides whether a record meets a condition, as Salesforce would.

use std::cmp::Ordering;

use jiff::Zoned;

use super::date_range::days;
use super::function::apply;
use super::like::matches_pattern;
use super::value::{Value, parts};
use crate::sandbox::salesforce::soql::{Comparison, Condition, DateLiteral, Literal, Operator, Test};
use crate::system::canonical_salesforce_id;

/// A record that a condition can be held against.
pub(super) trait Record {
    /// The value of the field that `path` leads to, or `None` when there is no such field, which counts as an empty one.
    ///
    /// Upper and lower case in the path mean the same. A path over a parent that is not there leads to [`Value::Null`]
    /// (documented: such records still take part, as in an outer join).
    fn value(&self, path: &str) -> Option<Value>;
}

/// Whether `record` meets `condition`.
///
/// There are two truth values, not the three of SQL: what is not true is false, and `NOT` turns it round. So
/// `Name != 'x'`, `Name NOT IN ('x')` and `NOT (Name = 'x')` all hold for an empty name, while no ordering comparison does.
///
/// Documented: text is compared without regard to case; `null` equals `false` for a yes-or-no field; a multi-select
/// picklist equals text when exactly those values are chosen; the ranges of date literals.
///
/// Guessed: that an empty field meets `!=`, `NOT IN`, `EXCLUDES` and a negated comparison; that text is ordered by its
/// lower-case form; that values of different kinds are unequal and without order.
///
/// `now` is the present moment, in the zone where days begin and end (the zone of the user who asks). A condition has no subqueries any
/// more: [`super::check`] runs them and puts key tests in their place.
pub(super) fn evaluate(condition: &Condition, record: &dyn Record, now: &Zoned) -> bool {
    match condition {
        Condition::And(parts) => parts.iter().all(|part| evaluate(part, record, now)),
        Condition::Or(parts) => parts.iter().any(|part| evaluate(part, record, now)),
        Condition::Not(part) => !evaluate(part, record, now),
        Condition::Group(part) => evaluate(part, record, now),
        Condition::Comparison(comparison) => meets(comparison, record, now),
    }
}

fn meets(comparison: &Comparison, record: &dyn Record, now: &Zoned) -> bool {
    let value = record.value(&comparison.path.text).unwrap_or(Value::Null);
    let value = match &comparison.function {
        Some(function) => apply(function, value, now),
        None => value,
    };
    let equals_any = |literals: &[Literal]| literals.iter().any(|literal| compare(Operator::Equal, &value, literal, now));
    let includes_any = |wanted: &[String]| {
        let chosen = value.chosen();
        wanted.iter().any(|wanted| parts(wanted).iter().all(|part| chosen.iter().any(|value| same_text(part, value))))
    };
    match &comparison.test {
        Test::Compare(operator, literal) => compare(*operator, &value, literal, now),
        Test::Like(pattern) => matches!(&value, Value::Text(text) if !text.is_empty() && matches_pattern(pattern, text)),
        Test::In(literals) => equals_any(literals),
        Test::NotIn(literals) => !equals_any(literals),
        Test::InSubquery(_) | Test::NotInSubquery(_) => false,
        Test::Includes(wanted) => includes_any(wanted),
        Test::Excludes(wanted) => !includes_any(wanted),
    }
}

fn compare(operator: Operator, value: &Value, literal: &Literal, now: &Zoned) -> bool {
    if let Literal::DateLiteral(literal) = literal {
        return compare_with_days(operator, value, *literal, now);
    }
    match operator {
        Operator::Equal => equals(value, literal),
        Operator::NotEqual => !equals(value, literal),
        Operator::Less => order(value, literal).is_some_and(Ordering::is_lt),
        Operator::LessOrEqual => order(value, literal).is_some_and(Ordering::is_le),
        Operator::Greater => order(value, literal).is_some_and(Ordering::is_gt),
        Operator::GreaterOrEqual => order(value, literal).is_some_and(Ordering::is_ge),
    }
}

/// Below a range is before its first day, above it is after its last one.
fn compare_with_days(operator: Operator, value: &Value, literal: DateLiteral, now: &Zoned) -> bool {
    let day = match value {
        Value::Date(day) => *day,
        Value::DateTime(moment) => moment.to_zoned(now.time_zone().clone()).date(),
        _ => return operator == Operator::NotEqual,
    };
    let days = days(literal, now.date());
    match operator {
        Operator::Equal => days.contains(&day),
        Operator::NotEqual => !days.contains(&day),
        Operator::Less => day < days.start,
        Operator::LessOrEqual => day < days.end,
        Operator::Greater => day >= days.end,
        Operator::GreaterOrEqual => day >= days.start,
    }
}

fn equals(value: &Value, literal: &Literal) -> bool {
    match (value, literal) {
        (Value::Boolean(value), Literal::Null) => !value,
        (value, Literal::Null) => value.is_empty(),
        (Value::Boolean(value), Literal::Boolean(literal)) => value == literal,
        (value, Literal::Boolean(literal)) => value.is_empty() && !literal,
        (Value::MultiPicklist(chosen), Literal::Text(text)) => {
            let wanted = parts(text);
            wanted.iter().all(|part| chosen.iter().any(|value| same_text(part, value)))
                && chosen.iter().all(|value| wanted.iter().any(|part| same_text(part, value)))
        }
        (value, Literal::Text(text)) if text.is_empty() => value.is_empty(),
        (Value::Text(value), Literal::Text(literal)) => same_text(value, literal),
        (value, literal) => order(value, literal).is_some_and(Ordering::is_eq),
    }
}

fn order(value: &Value, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Value::Number(value), Literal::Number(literal)) => value.partial_cmp(literal),
        (Value::Date(value), Literal::Date(literal)) => Some(value.cmp(literal)),
        (Value::DateTime(value), Literal::DateTime(literal)) => Some(value.cmp(literal)),
        (Value::Text(value), Literal::Text(literal)) if !value.is_empty() => Some(folded(value).cmp(folded(literal))),
        _ => None,
    }
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Text without regard to case, except that the 15 character form of a key, whose case matters, equals its own 18
/// character form only.
fn same_text(one: &str, other: &str) -> bool {
    if let (15, 18) | (18, 15) = (one.len(), other.len()) {
        return matches!((canonical_salesforce_id(one), canonical_salesforce_id(other)), (Ok(one), Ok(other)) if one == other);
    }
    folded(one).eq(folded(other))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sandbox::salesforce::soql::read_condition;

    struct Fields(BTreeMap<&'static str, Value>);

    impl Record for Fields {
        fn value(&self, path: &str) -> Option<Value> {
            self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(path)).map(|(_, value)| value.clone())
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    /// Evaluates in Berlin at 00:30, when it is still the day before in UTC.
    fn holds(condition: &str, fields: &[(&'static str, Value)]) -> bool {
        let condition = read_condition(condition).unwrap_or_else(|refusal| panic!("{condition}: {refusal:?}"));
        let now = "2026-11-21T00:30:00[Europe/Berlin]".parse().expect("valid");
        evaluate(&condition, &Fields(fields.iter().cloned().collect()), &now)
    }

    #[test]
    fn knows_two_truth_values() {
        let empty = [("Name", Value::Null)];
        for condition in [
            "Name = null",
            "Name = ''",
            "Name != 'x'",
            "NOT Name = 'x'",
            "Name NOT IN ('x')",
            "NOT Name LIKE '%'",
            "NOT Name < 'x'",
            "Name EXCLUDES ('x')",
            "Unknown = null",
            "Name != TODAY",
        ] {
            assert!(holds(condition, &empty), "{condition}");
        }
        for condition in [
            "Name != null",
            "Name != ''",
            "Name = 'x'",
            "Name < 'x'",
            "Name >= 'x'",
            "Name <= null",
            "Name LIKE '%'",
            "Name IN ('x')",
            "Name INCLUDES ('x')",
            "Name = TODAY",
            "Name < TODAY",
            "NOT Name != 'x'",
        ] {
            assert!(!holds(condition, &empty), "{condition}");
        }
        assert!(holds("Name IN ('x', null)", &empty));
        assert!(holds("Name = null", &[("Name", text(""))]));
    }

    #[test]
    fn compares_text_without_case() {
        let record = [("Name", text("Straße")), ("Id", text("001D000000ISUr3IAH"))];
        for condition in [
            "name = 'STRAßE'",
            "Name IN ('x', 'straße')",
            "Name LIKE 's%E'",
            "Name > 'A'",
            "Name < 'z'",
            "Id = '001d000000isur3iah'",
            "Id = '001D000000ISUr3'",
        ] {
            assert!(holds(condition, &record), "{condition}");
        }
        for condition in ["Name = 'Strasse'", "Id = '001d000000ISUr3'", "Name = 1", "Name = 2026-01-01", "Name < 1"] {
            assert!(!holds(condition, &record), "{condition}");
        }
    }

    #[test]
    fn takes_an_empty_yes_or_no_for_no() {
        assert!(holds("Done = null", &[("Done", Value::Boolean(false))]));
        assert!(holds("Done != null", &[("Done", Value::Boolean(true))]));
        assert!(holds("Done = false", &[("Done", Value::Null)]));
        assert!(!holds("Done = true", &[("Done", Value::Null)]));
        assert!(!holds("Done = true", &[("Done", text("true"))]));
    }

    #[test]
    fn compares_numbers_and_moments() {
        let day = |text: &str| Value::Date(text.parse().expect("valid"));
        let moment = |text: &str| Value::DateTime(text.parse().expect("valid"));
        assert!(holds("A = 1.50 AND A > -2 AND A <= 1.5", &[("A", Value::Number(1.5))]));
        assert!(!holds("A != 1.5 OR A < 1.5", &[("A", Value::Number(1.5))]));
        assert!(holds("D = 2026-01-01 AND D < 2026-01-02", &[("D", day("2026-01-01"))]));
        assert!(holds("D = 2026-01-01T01:00:00+01:00", &[("D", moment("2026-01-01T00:00:00Z"))]));
        assert!(!holds("D = 2026-01-01", &[("D", moment("2026-01-01T00:00:00Z"))]));
    }

    #[test]
    fn days_begin_in_the_zone_of_the_clock() {
        let at = |text: &str| [("D", Value::DateTime(text.parse().expect("valid")))];
        // Midnight in Berlin is 23:00 UTC.
        assert!(holds("D = TODAY", &at("2026-11-20T23:00:00Z")));
        assert!(holds("D = YESTERDAY AND D < TODAY", &at("2026-11-20T22:59:59Z")));
        assert!(holds("D = LAST_N_DAYS:1", &at("2026-11-20T22:59:59Z")));
        assert!(holds(
            "D <= TODAY AND D >= TODAY AND NOT D > TODAY".replace("AND NOT D > TODAY", "AND (NOT D > TODAY)").as_str(),
            &at("2026-11-21T22:59:59Z")
        ));
        assert!(holds("D > TODAY", &at("2026-11-21T23:00:00Z")));
        assert!(holds("D < LAST_MONTH", &[("D", Value::Date("2026-09-30".parse().expect("valid")))]));
        assert!(!holds("D < LAST_MONTH", &[("D", Value::Date("2026-10-01".parse().expect("valid")))]));
        assert!(holds("D > LAST_MONTH AND D != LAST_MONTH", &[("D", Value::Date("2026-11-01".parse().expect("valid")))]));
    }

    #[test]
    fn takes_parts_of_days_and_moments_in_utc_unless_they_are_converted() {
        // Berlin is an hour ahead: there it is the first day of the next year, a Friday.
        let moment = Value::DateTime("2026-12-31T23:30:00Z".parse().expect("valid"));
        let record = [("D", moment), ("Day", Value::Date("2026-02-28".parse().expect("valid"))), ("None", Value::Null)];
        for condition in [
            "CALENDAR_YEAR(D) = 2026 AND calendar_month(D) = 12 AND CALENDAR_QUARTER(D) = 4",
            "CALENDAR_YEAR(convertTimezone(D)) = 2027 AND DAY_IN_YEAR(CONVERTTIMEZONE(D)) = 1",
            "DAY_ONLY(D) = 2026-12-31 AND DAY_ONLY(convertTimezone(D)) = 2027-01-01",
            "HOUR_IN_DAY(D) = 23 AND HOUR_IN_DAY(convertTimezone(D)) = 0",
            "DAY_IN_WEEK(D) = 5 AND DAY_IN_WEEK(convertTimezone(D)) = 6",
            "DAY_IN_MONTH(Day) = 28 AND WEEK_IN_MONTH(Day) = 4 AND WEEK_IN_YEAR(Day) = 9 AND DAY_IN_YEAR(Day) = 59",
            "FISCAL_YEAR(Day) IN (2025, 2026) AND FISCAL_QUARTER(Day) < 2 AND FISCAL_MONTH(Day) >= 2",
            "CALENDAR_YEAR(None) = null AND CALENDAR_YEAR(None) != 2020 AND (NOT CALENDAR_YEAR(None) < 2020)",
            "toLabel(None) = null",
        ] {
            assert!(holds(condition, &record), "{condition}");
        }
        for condition in ["CALENDAR_YEAR(D) != 2026", "DAY_ONLY(D) > TODAY AND DAY_ONLY(D) < 2026-12-31"] {
            assert!(!holds(condition, &record), "{condition}");
        }
    }

    #[test]
    fn looks_into_multi_select_picklists() {
        let record = [("M", Value::MultiPicklist(vec!["AAA".into(), "bbb".into(), "DDD".into()]))];
        for condition in ["M INCLUDES ('AAA;BBB', 'CCC')", "M EXCLUDES ('AAA;CCC')", "M = 'ddd;aaa;bbb'", "M != 'AAA;BBB'"] {
            assert!(holds(condition, &record), "{condition}");
        }
        assert!(!holds("M INCLUDES ('AAA;CCC', 'E')", &record));
        assert!(holds("M INCLUDES ('b')", &[("M", text("a;b"))]));
    }
}
