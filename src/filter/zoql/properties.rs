//! What must hold for every condition, every text and every typed tree.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::evaluate::evaluate_with;
use super::{
    Comparison, Condition, Context, Literal, Name, Operator, Pattern, Record, Test, Value, compile, parse_condition,
    parse_select,
};
use crate::base::{SourceMap, Span};
use crate::filter;
use crate::filter::{Decimal, Place};

fn name() -> impl Strategy<Value = Name> {
    "[A-Za-z][A-Za-z0-9_]{0,6}".prop_filter_map("a word of the language", |text| Name::new(&text, Place::default()))
}

/// Text with what could end a literal early, more often than chance would give it.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => any::<char>(),
        4 => proptest::sample::select(vec!['\'', '\\', '"', '%', '_', '\n', '\r', '\t', '\u{8}', '\u{c}', ';', 'n', ' ', '’']),
        1 => proptest::char::range('a', 'z'),
    ];
    proptest::collection::vec(character, 0..40).prop_map(String::from_iter)
}

fn writable() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.chars().filter(|character| !super::quote::is_unwritable(*character)).collect())
}

fn test() -> impl Strategy<Value = Test> {
    use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let equality = proptest::sample::select(vec![Equal, NotEqual]);
    let operator = proptest::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual]);
    let literal = prop_oneof![
        any::<bool>().prop_map(Literal::Boolean),
        "[+-]?[0-9]{1,20}(\\.[0-9]{1,9})?".prop_map(|digits| Literal::Number(Decimal::new(&digits).expect("a number"))),
        writable().prop_map(Literal::Text),
        "20[0-9]{2}-0[1-9]-[12][0-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9]([+-]0[0-9]:[0-5][0-9])?".prop_map(Literal::Moment),
    ];
    prop_oneof![
        equality.prop_map(|operator| Test::Compare(operator, Literal::Null)),
        (operator, literal).prop_map(|(operator, literal)| Test::Compare(operator, literal)),
        "(%?[a-z'\"_]{0,6}|[a-z'\"_]{0,6}%)".prop_map(|text| Test::Like(Pattern::new(&text).expect("a pattern"))),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let comparison = (name(), test()).prop_map(|(field, test)| Comparison { field, test });
    let alternatives = proptest::collection::vec(proptest::collection::vec(comparison, 1..4), 1..4);
    alternatives.prop_map(|alternatives| Condition::new(alternatives).expect("none is empty"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_printed_reads_back_as_the_same_condition(condition in condition()) {
        let printed = condition.to_string();
        let parsed = parse_condition(&printed);
        prop_assert_eq!(parsed.as_ref(), Ok(&condition), "{}", printed);
        prop_assert_eq!(parsed.map(|parsed| parsed.to_string()), Ok(printed.clone()));
        let parsed = parse_condition(&printed).expect("printed");
        for (field, start, end) in parsed.fields() {
            prop_assert_eq!(field, &printed[start..end]);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        let _ = parse_condition(&text);
        let _ = parse_select(&text);
    }

    #[test]
    fn no_row_of_words_makes_the_parser_panic(words in proptest::collection::vec(proptest::sample::select(vec![
        "Name", "A.B", "=", "!=", "<", "<>", "like", "in", "not", "and", "or", "(", ")", ",", ";", "'x'", "'", "\"", "\\", "\\'", "null",
        "between", "is", "2026-01-01", "2026-01-01T00:00:00", "select", "from", "where", "order", "count", "é", "--", "/*", "%", "*",
    ]), 0..30), glue in proptest::sample::select(vec!["", " "])) {
        let text = words.join(glue);
        for errors in [parse_condition(&text).err(), parse_select(&text).err()].into_iter().flatten() {
            prop_assert!(!errors.is_empty());
            for error in errors {
                prop_assert!(text.get(error.start..error.end).is_some(), "{:?}", error);
            }
        }
        if let Ok(condition) = parse_condition(&text) {
            prop_assert_eq!(parse_condition(&condition.to_string()), Ok(condition));
        }
    }

    #[test]
    fn no_text_of_a_typed_tree_escapes_its_quotes(text in text()) {
        let plain = || filter::Literal::Text(text.clone());
        for (comparison, test) in [
            (filter::Comparison::Equals(plain()), Test::Compare(Operator::Equal, Literal::Text(text.clone()))),
            (filter::Comparison::In(vec![plain()]), Test::Compare(Operator::Equal, Literal::Text(text.clone()))),
            (filter::Comparison::Less(filter::Threshold(plain())), Test::Compare(Operator::Less, Literal::Text(text.clone()))),
            (filter::Comparison::Like(text.clone()), Test::Like(Pattern::new(&text).unwrap_or_else(|_| Pattern::new("").expect("a pattern")))),
        ] {
            if let Ok(compiled) = compiled(&leaf("Name", comparison)) {
                let field = Name::new("Name", Place::default()).expect("a name");
                prop_assert_eq!(parse_condition(&compiled.to_string()), Ok(compiled.clone()));
                prop_assert_eq!(compiled.alternatives(), [[Comparison { field, test }]]);
            }
        }
    }

    #[test]
    fn no_field_and_no_number_of_a_typed_tree_becomes_anything_else(
        text in prop_oneof![text(), "[A-Za-z_.]{0,9}", "[0-9.+-]{0,9}"],
    ) {
        for tree in [
            leaf(&text, filter::Comparison::IsNull(true)),
            leaf("Name", filter::Comparison::Equals(filter::Literal::Number(text.clone()))),
        ] {
            if let Ok(compiled) = compiled(&tree) {
                prop_assert_eq!(parse_condition(&compiled.to_string()), Ok(compiled.clone()));
                prop_assert_eq!(compiled.comparisons().count(), 1);
            }
        }
    }
}

fn span() -> Span {
    Span { source: SourceMap::default().add("test", ""), start: 0, end: 0 }
}

fn leaf(field: &str, comparison: filter::Comparison) -> filter::Condition {
    filter::Condition::Field { field: field.into(), span: span(), comparison }
}

fn compiled(tree: &filter::Condition) -> Result<Condition, crate::filter::CompileError> {
    compile(tree, &|_| None, &"2026-11-21T10:00:00[UTC]".parse().expect("valid"))
}

/// A record of small numbers, some of them missing.
struct Small(BTreeMap<&'static str, Option<i8>>);

impl Record for Small {
    fn value(&self, field: &str) -> Option<Value> {
        self.0.get(field).map(|value| value.map_or(Value::Null, |value| Value::Number(value.into())))
    }
}

/// The oracle: what a tree over small numbers means, with two truth values.
fn holds(tree: &filter::Condition, record: &Small) -> bool {
    use filter::{Comparison as Tree, Condition as Node};
    let number = |literal: &filter::Literal| match literal {
        filter::Literal::Number(digits) => digits.parse::<i8>().ok(),
        _ => None,
    };
    match tree {
        Node::All(parts) => parts.iter().all(|part| holds(part, record)),
        Node::Any(parts) => parts.iter().any(|part| holds(part, record)),
        Node::Not(part) => !holds(part, record),
        Node::Field { field, comparison, .. } => {
            let value = record.0[field.as_str()];
            let below = |filter::Threshold(bound): &filter::Threshold| {
                value.zip(number(bound)).map(|(value, bound)| value.cmp(&bound))
            };
            match comparison {
                Tree::Equals(wanted) => value == number(wanted),
                Tree::NotEquals(wanted) => value != number(wanted),
                Tree::In(wanted) => wanted.iter().any(|wanted| value == number(wanted)),
                Tree::NotIn(wanted) => wanted.iter().all(|wanted| value != number(wanted)),
                Tree::Less(bound) => below(bound).is_some_and(|order| order.is_lt()),
                Tree::GreaterOrEqual(bound) => below(bound).is_some_and(|order| order.is_ge()),
                Tree::IsNull(empty) => value.is_none() == *empty,
                _ => unreachable!("the strategy makes no other"),
            }
        }
    }
}

fn tree() -> impl Strategy<Value = filter::Condition> {
    use filter::{Comparison as Tree, Condition as Node, Literal as Plain};
    let number = || (-2i8..3).prop_map(|number| Plain::Number(number.to_string()));
    let value = || prop_oneof![3 => number(), 1 => Just(Plain::Null)];
    let comparison = prop_oneof![
        value().prop_map(Tree::Equals),
        value().prop_map(Tree::NotEquals),
        proptest::collection::vec(value(), 1..3).prop_map(Tree::In),
        proptest::collection::vec(value(), 1..3).prop_map(Tree::NotIn),
        number().prop_map(|bound| Tree::Less(filter::Threshold(bound))),
        number().prop_map(|bound| Tree::GreaterOrEqual(filter::Threshold(bound))),
        any::<bool>().prop_map(Tree::IsNull),
    ];
    let field =
        (proptest::sample::select(vec!["A", "B"]), comparison).prop_map(|(field, comparison)| leaf(field, comparison));
    field.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| Node::Not(Box::new(part))),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(Node::All),
            proptest::collection::vec(inner, 1..3).prop_map(Node::Any),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_compiled_tree_matches_what_the_tree_means_whatever_an_empty_field_makes_of_unequal(
        tree in tree(),
        a in proptest::option::of(-2i8..3),
        b in proptest::option::of(-2i8..3),
    ) {
        let record = Small([("A", a), ("B", b)].into());
        let context = Context { zone: &TimeZone::UTC, case_sensitive: true };
        if let Ok(condition) = compiled(&tree) {
            for empty_is_unequal in [false, true] {
                let found = evaluate_with(&condition, &record, &context, empty_is_unequal);
                prop_assert_eq!(found, holds(&tree, &record), "{}", condition);
            }
        }
    }
}
