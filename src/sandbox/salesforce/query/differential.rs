//! The client's reader of SOQL and the sandbox's, held against each other: both refuse a text, or both read the same condition, which
//! then means the same rows.

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::semi_join;
use crate::filter::ComparisonOperator;
use crate::filter::soql as client;
use crate::sandbox::salesforce::soql::{
    Comparison, Condition, DateLiteral, Function, Literal, Operator, Path, Pattern, PatternPart, Place, Subquery, Test,
    read_condition,
};

/// How many conditions are made up, each way.
const GENERATED: usize = 6_000;

/// What the client refuses by itself, and the sandbox where it knows the types of fields and of what functions give: `query::tests`.
const JUDGED_BY_TYPE: [&str; 12] = [
    "CALENDAR_YEAR(CreatedDate) = '2020'",
    "CALENDAR_YEAR(CreatedDate) LIKE '20%'",
    "DAY_ONLY(CreatedDate) = 2020",
    "DAY_ONLY(CreatedDate) = LAST_N_DAYS:30",
    "CALENDAR_YEAR(CreatedDate) = THIS_YEAR",
    "toLabel(Status) = 1",
    "toLabel(Contact.recordtype.name) = 'x'",
    "Amount IN (USD5, 10)",
    "DISTANCE(L__c, GEOLOCATION(1, 2), 'mi') = 20",
    "A.B.C.D.E.F.G = 1",
    // The client takes neither meaning of it.
    r"Name = 'a\b'",
    "Name IN (SELECT Name FROM A)",
];

/// A condition of the client as the sandbox has it, without parentheses and places.
fn translated(condition: &client::Condition) -> Condition {
    let all = |parts: &[client::Condition]| parts.iter().map(translated).collect();
    match condition {
        client::Condition::And(parts) => Condition::And(all(parts)),
        client::Condition::Or(parts) => Condition::Or(all(parts)),
        client::Condition::Not(part) => Condition::Not(Box::new(translated(part))),
        client::Condition::Comparison(comparison) => Condition::Comparison(Comparison {
            path: path(comparison.path.as_str()),
            function: comparison.function.as_ref().map(function),
            test: test(&comparison.test),
            start: 0,
        }),
    }
}

fn path(text: &str) -> Path {
    Path { text: text.to_owned(), start: 0 }
}

fn function(function: &client::Function) -> Function {
    match function {
        client::Function::Date { part, in_user_zone } => {
            Function::Date { part: part.to_string().parse().expect("a part"), in_user_zone: *in_user_zone }
        }
        client::Function::Label => Function::Label,
        client::Function::Distance { to: client::Destination::Point([latitude, longitude]), .. } => {
            Function::Distance(Place::Point(number(latitude), number(longitude)))
        }
        client::Function::Distance { to: client::Destination::Field(other), .. } => {
            Function::Distance(Place::Field(path(other.as_str())))
        }
    }
}

fn number(number: &crate::filter::Decimal) -> f64 {
    number.as_str().parse().expect("a number")
}

fn test(test: &client::Test) -> Test {
    let all = |literals: &[client::Literal]| literals.iter().map(literal).collect();
    match test {
        client::Test::Compare(operator, value) => Test::Compare(self::operator(*operator), literal(value)),
        client::Test::Like(pattern) => Test::Like(Pattern(
            pattern
                .0
                .iter()
                .map(|part| match part {
                    client::PatternPart::AnyRun => PatternPart::AnyRun,
                    client::PatternPart::AnyOne => PatternPart::AnyOne,
                    client::PatternPart::Exactly(character) => PatternPart::Exactly(*character),
                })
                .collect(),
        )),
        client::Test::In(literals) => Test::In(all(literals)),
        client::Test::NotIn(literals) => Test::NotIn(all(literals)),
        client::Test::InSubquery(inner) => Test::InSubquery(Box::new(subquery(inner))),
        client::Test::NotInSubquery(inner) => Test::NotInSubquery(Box::new(subquery(inner))),
        client::Test::Includes(texts) => Test::Includes(texts.clone()),
        client::Test::Excludes(texts) => Test::Excludes(texts.clone()),
    }
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
        client::Literal::Number(value) => Literal::Number(number(value)),
        client::Literal::Text(text) => Literal::Text(text.clone()),
        client::Literal::Date(day) => Literal::Date(*day),
        client::Literal::DateTime(moment) => Literal::DateTime(*moment),
        client::Literal::Time(time) => Literal::Time(*time),
        client::Literal::Currency(code, amount) => Literal::Currency(code.clone(), number(amount)),
        client::Literal::DateLiteral(range) => Literal::DateLiteral(DateLiteral::read(&range.to_string()).expect("a range")),
    }
}

fn subquery(inner: &client::Subquery) -> Subquery {
    Subquery {
        field: path(inner.field.as_str()),
        object: path(inner.object.as_str()),
        condition: inner.condition.as_ref().map(translated),
    }
}

/// The same without parentheses and places.
fn bare(condition: Condition) -> Condition {
    let all = |parts: Vec<Condition>| parts.into_iter().map(bare).collect();
    let subquery = |inner: Box<Subquery>| {
        Box::new(Subquery {
            field: path(&inner.field.text),
            object: path(&inner.object.text),
            condition: inner.condition.map(bare),
        })
    };
    match condition {
        Condition::And(parts) => Condition::And(all(parts)),
        Condition::Or(parts) => Condition::Or(all(parts)),
        Condition::Not(part) => Condition::Not(Box::new(bare(*part))),
        Condition::Group(part) => bare(*part),
        Condition::Comparison(comparison) => Condition::Comparison(Comparison {
            path: path(&comparison.path.text),
            function: comparison.function.map(|function| match function {
                Function::Distance(Place::Field(other)) => Function::Distance(Place::Field(path(&other.text))),
                other => other,
            }),
            test: match comparison.test {
                Test::InSubquery(inner) => Test::InSubquery(subquery(inner)),
                Test::NotInSubquery(inner) => Test::NotInSubquery(subquery(inner)),
                other => other,
            },
            start: 0,
        }),
    }
}

/// What the sandbox reads, or why it reads nothing.
fn by_sandbox(text: &str) -> Result<Condition, String> {
    let condition = read_condition(text).map_err(|refusal| format!("{refusal:?}"))?;
    semi_join::check(text, &path("Outer"), &condition).map_err(|problem| problem.message)?;
    Ok(bare(condition))
}

/// What the two do not agree on.
fn disagreement(text: &str) -> Option<String> {
    let (ours, theirs) = (client::parse_condition(text), by_sandbox(text));
    match (&ours, &theirs) {
        (Err(_), Err(_)) => None,
        (Ok(ours), Ok(theirs)) if translated(ours) == *theirs => None,
        _ => Some(format!("{text}\n  client: {ours:?}\n  sandbox: {theirs:?}")),
    }
}

#[test]
fn both_read_the_same_of_what_people_write_and_refuse_the_same() {
    let texts = client::READ.iter().chain(client::REFUSED);
    let found: Vec<String> =
        texts.filter(|text| !JUDGED_BY_TYPE.contains(text)).filter_map(|text| disagreement(text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    for text in JUDGED_BY_TYPE {
        assert!(client::parse_condition(text).is_err() && by_sandbox(text).is_ok(), "{text}: both judge it alike now");
    }
}

#[test]
fn the_sandbox_reads_what_the_client_prints_as_the_same_condition() {
    let mut runner = TestRunner::deterministic();
    let conditions = client::condition();
    for _ in 0..GENERATED {
        let condition = conditions.new_tree(&mut runner).expect("a condition").current();
        let printed = condition.to_string();
        assert_eq!(by_sandbox(&printed), Ok(translated(&condition)), "{printed}");
    }
}

/// Comparisons, right ones and wrong ones, joined in right and wrong ways.
fn joined() -> impl Strategy<Value = String> {
    let comparison = proptest::sample::select(vec![
        "A = 1",
        "b.C__c != null",
        "D LIKE 'x\\_%'",
        "E NOT IN ('a', NULL)",
        "F > LAST_N_DAYS:3",
        "G<>-1.5",
        "H INCLUDES ('a;b')",
        "I = 2026-01-31T00:00:00+0100",
        "Id IN (SELECT AId FROM B WHERE (C = 1))",
        "XId NOT IN (SELECT Id FROM Group)",
        "K NOT LIKE 'x'",
        "L IS NULL",
        "M = 'a\\x'",
        "P = EUR5",
        "S >= 01:00:00Z",
        "DAY_ONLY(T) < 2026-01-31",
        "distance(V, W__r.X, 'MI') > 5",
        "YId IN (SELECT Id FROM Event)",
        "toLabel(U) = 'x'",
    ]);
    let before = proptest::sample::select(vec!["", "", "", "", "NOT", "(", "(", "(NOT", "NOT ("]);
    let after = proptest::sample::select(vec!["", "", "", "", ")", ")", "))"]);
    let between = proptest::sample::select(vec!["AND", "AND", "AND", "and", "OR", ","]);
    proptest::collection::vec((before, comparison, after, between), 1..5).prop_map(|parts| {
        let last = parts.len() - 1;
        let words = parts.iter().enumerate().map(|(number, (before, comparison, after, between))| {
            format!("{before} {comparison} {after} {}", if number == last { "" } else { between })
        });
        words.collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn both_take_the_same_of_what_is_joined_in_right_and_wrong_ways() {
    let mut runner = TestRunner::deterministic();
    let texts = joined();
    let made_up = std::iter::repeat_with(|| texts.new_tree(&mut runner).expect("a text").current()).take(GENERATED);
    let (read, refused): (Vec<String>, Vec<String>) = made_up.partition(|text| client::parse_condition(text).is_ok());
    assert!(read.len() > GENERATED / 20 && refused.len() > GENERATED / 20, "{} were read", read.len());
    let found: Vec<String> = read.iter().chain(&refused).filter_map(|text| disagreement(text)).take(10).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
