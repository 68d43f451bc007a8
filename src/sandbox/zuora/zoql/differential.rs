//! The client's reader of ZOQL and the sandbox's, held against each other: both refuse a text, or both read the same condition, which then
//! means the same rows.

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::read_condition;
use super::text::Pattern;
use super::tree::{Comparison, Condition, Literal, Operator, Test};
use crate::filter::ComparisonOperator;
use crate::filter::zoql as client;

/// How many conditions are made up, each way.
const GENERATED: usize = 6_000;

/// A condition of the client as the sandbox has it.
fn translated(condition: &client::Condition) -> Condition {
    let comparison = |comparison: &client::Comparison| Comparison {
        field: comparison.field.as_str().to_owned(),
        test: match &comparison.test {
            client::Test::Like(pattern) => Test::Like(Pattern::read(pattern.as_str()).expect("a pattern")),
            client::Test::Compare(by, value) => Test::Compare(operator(*by), literal(value)),
        },
    };
    Condition(condition.alternatives().iter().map(|row| row.iter().map(comparison).collect()).collect())
}

fn operator(operator: ComparisonOperator) -> Operator {
    match operator {
        ComparisonOperator::Equal => Operator::Equal,
        ComparisonOperator::NotEqual => Operator::NotEqual,
        ComparisonOperator::Less => Operator::Less,
        ComparisonOperator::LessOrEqual => Operator::LessOrEqual,
        ComparisonOperator::Greater => Operator::Greater,
        ComparisonOperator::GreaterOrEqual => Operator::GreaterOrEqual,
    }
}

fn literal(literal: &client::Literal) -> Literal {
    match literal {
        client::Literal::Null => Literal::Null,
        client::Literal::Boolean(value) => Literal::Boolean(*value),
        client::Literal::Number(number) => Literal::Number(number.as_str().parse().expect("a number")),
        client::Literal::Text(text) => Literal::Text(text.clone()),
        client::Literal::Unquoted(text) => Literal::Bare(text.clone()),
    }
}

/// What the two do not agree on.
fn disagreement(text: &str) -> Option<String> {
    let (ours, theirs) = (client::parse_condition(text), read_condition(text));
    match (&ours, &theirs) {
        (Err(_), None) => None,
        (Ok(ours), Some(theirs)) if translated(ours) == *theirs => None,
        _ => Some(format!("{text}\n  client: {ours:?}\n  sandbox: {theirs:?}")),
    }
}

/// What people write.
const READ: [&str; 16] = [
    "SourceName = \"import\" AND Quantity=0 or UOM like 'Test%'",
    "Name = 'San Francisco\\'s Finest'",
    "Name = \"it's\" and Notes = 'a \"quote\"'",
    "Notes = 'tab\\there, line\\nend, back\\\\slash \\b\\f\\r'",
    "AutoPay = true and Status = 'Active'",
    "AutoPay != FALSE",
    "Balance >= -0.50 and Balance<=+2 and Balance > 0007",
    "PurchaseOrderNumber = null or PurchaseOrderNumber != NULL",
    "Name like '%abc' or Name like 'a_c' or Name like '_' or Name like '%'",
    "CreatedDate >= '2008-09-12T05:07:32' and CreatedDate < 2008-09-12T05:07:32-08:00",
    "InvoiceDate = '2026-01-31' or InvoiceDate = 2026-01-31",
    "Custom__c = 'x'",
    "A = 1 or B = 2 and C = 3 or D = 4",
    "A='x'and B='y'or C='z'",
    "nothing = 1 or order = 2",
    "A = ''",
];

#[test]
fn both_read_the_same_of_what_people_write_and_refuse_the_same() {
    // A semicolon ends a query, and a condition has none.
    let refused = client::REFUSED.into_iter().filter(|text| !text.ends_with(';'));
    let found: Vec<String> = READ.into_iter().chain(refused).filter_map(disagreement).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    for text in READ {
        assert!(read_condition(text).is_some(), "{text}");
    }
}

#[test]
fn the_sandbox_reads_what_the_client_prints_as_the_same_condition() {
    let mut runner = TestRunner::deterministic();
    let conditions = client::condition();
    for _ in 0..GENERATED {
        let condition = conditions.new_tree(&mut runner).expect("a condition").current();
        let printed = condition.to_string();
        assert_eq!(read_condition(&printed), Some(translated(&condition)), "{printed}");
    }
}

#[test]
fn both_take_the_same_of_what_is_joined_in_right_and_wrong_ways() {
    let comparison = proptest::sample::select(vec![
        "A = 1",
        "B != null",
        "C like 'x%'",
        "D like '%x%'",
        "E = 2026-01-31",
        "F<'a\\'b'",
        "G = true",
        "H < null",
        "I = \"x\"",
        "J = 'a\\x'",
        "K <> 1",
        "not L = 1",
        "M in ('a')",
        "N >= -1.5",
        "O = 2026-01-31T00:00:00Z",
        "P > 1e5",
        "Q = x",
    ]);
    let around = proptest::sample::select(vec!["", "", "", "", "", "(", ")"]);
    let between = proptest::sample::select(vec!["and", "and", "or", "OR", "And", ","]);
    let texts = proptest::collection::vec((around, comparison, between), 1..4).prop_map(|parts| {
        let last = parts.len() - 1;
        let words = parts.iter().enumerate().map(|(number, (around, comparison, between))| {
            format!("{around} {comparison} {}", if number == last { "" } else { between })
        });
        words.collect::<Vec<_>>().join(" ")
    });
    let mut runner = TestRunner::deterministic();
    let made_up = std::iter::repeat_with(|| texts.new_tree(&mut runner).expect("a text").current()).take(GENERATED);
    let (read, refused): (Vec<String>, Vec<String>) = made_up.partition(|text| client::parse_condition(text).is_ok());
    assert!(read.len() > GENERATED / 20 && refused.len() > GENERATED / 20, "{} were read", read.len());
    let found: Vec<String> = read.iter().chain(&refused).filter_map(|text| disagreement(text)).take(10).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
