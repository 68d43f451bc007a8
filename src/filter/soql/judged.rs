//! Conditions with their trees, for a parser that others wrote: `tests/interop/soql_judge.mjs` compares what it reads.
#![expect(clippy::disallowed_methods, reason = "a test that writes files for another program")]

use std::fmt::Write as _;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};

use super::corpus::READ;
use super::properties::condition;
use super::{Comparison, Condition, DateLiteral, Destination, Function, Literal, PatternPart, Test, parse_condition};

/// How many conditions are made up.
const GENERATED: usize = 8_000;

/// The same in the words of that parser, where there is a choice.
fn tree(condition: &Condition) -> Json {
    let all = |parts: &[Condition]| parts.iter().map(tree).collect::<Vec<_>>();
    match condition {
        Condition::And(parts) => json!({ "and": all(parts) }),
        Condition::Or(parts) => json!({ "or": all(parts) }),
        Condition::Not(part) => json!({ "not": tree(part) }),
        Condition::Comparison(comparison) => leaf(comparison),
    }
}

fn leaf(comparison: &Comparison) -> Json {
    let (operator, value) = match &comparison.test {
        Test::Compare(operator, value) => (operator.to_string(), literal(value)),
        Test::Like(pattern) => {
            let text: String = pattern
                .0
                .iter()
                .map(|part| match part {
                    PatternPart::AnyRun => "%".to_owned(),
                    PatternPart::AnyOne => "_".to_owned(),
                    PatternPart::Exactly(special @ ('%' | '_' | '\\')) => format!("\\{special}"),
                    PatternPart::Exactly(other) => other.to_string(),
                })
                .collect();
            ("LIKE".to_owned(), json!({ "pattern": text }))
        }
        Test::In(values) => ("IN".to_owned(), values.iter().map(literal).collect()),
        Test::NotIn(values) => ("NOT IN".to_owned(), values.iter().map(literal).collect()),
        Test::Includes(values) => ("INCLUDES".to_owned(), values.iter().map(|text| json!({ "text": text })).collect()),
        Test::Excludes(values) => ("EXCLUDES".to_owned(), values.iter().map(|text| json!({ "text": text })).collect()),
        Test::InSubquery(subquery) | Test::NotInSubquery(subquery) => {
            let operator = if matches!(comparison.test, Test::InSubquery(_)) { "IN" } else { "NOT IN" };
            let condition = subquery.condition.as_ref().map(tree);
            let object = json!({ "field": subquery.field.as_str(), "object": subquery.object.as_str(), "where": condition });
            (operator.to_owned(), object)
        }
    };
    json!({ "field": comparison.path.as_str(), "function": comparison.function.as_ref().map(function), "operator": operator, "value": value })
}

fn function(function: &Function) -> Json {
    match function {
        Function::Date { part, in_user_zone } => json!([part.to_string(), in_user_zone]),
        Function::Label => json!(["toLabel"]),
        Function::Distance { to: Destination::Point([latitude, longitude]), unit } => {
            json!(["DISTANCE", latitude.as_str(), longitude.as_str(), unit.to_string()])
        }
        Function::Distance { to: Destination::Field(other), unit } => json!(["DISTANCE", other.as_str(), unit.to_string()]),
    }
}

fn literal(literal: &Literal) -> Json {
    match literal {
        Literal::Null => json!("null"),
        Literal::Boolean(value) => json!(value),
        Literal::Number(number) => json!({ "number": number.as_str() }),
        Literal::Text(text) => json!({ "text": text }),
        Literal::Date(day) => json!({ "day": day.to_string() }),
        Literal::DateTime(moment) => json!({ "milliseconds": moment.as_millisecond() }),
        Literal::Currency(code, amount) => json!({ "currency": format!("{code}{}", amount.as_str()) }),
        Literal::DateLiteral(range) => {
            let counted = matches!(range, DateLiteral::LastN(..) | DateLiteral::NextN(..) | DateLiteral::NAgo(..));
            json!({ if counted { "counted" } else { "range" }: range.to_string() })
        }
        Literal::Time(time) => json!({ "time": time.to_string() }),
    }
}

#[test]
#[ignore = "writes files for tests/interop/run.sh into the directory that SEXTON_JUDGED names"]
fn writes_judged_conditions() {
    let directory = std::env::var("SEXTON_JUDGED").expect("SEXTON_JUDGED names a directory");
    let mut runner = TestRunner::deterministic();
    let generated = condition();
    let made_up = std::iter::repeat_with(|| generated.new_tree(&mut runner).expect("a condition").current());
    let read = READ.iter().map(|text| parse_condition(text).expect("a condition"));
    let mut lines = String::new();
    for condition in read.chain(made_up.take(GENERATED)) {
        let line = json!({ "soql": condition.to_string(), "tree": tree(&condition) });
        writeln!(lines, "{line}").expect("memory");
    }
    std::fs::write(format!("{directory}/soql.jsonl"), lines).expect("written");
}
