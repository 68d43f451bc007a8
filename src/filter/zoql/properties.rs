//! What must hold for every condition, every text and every typed tree.

use proptest::prelude::*;

use super::{
    Comparison, ComparisonOperator as Operator, Condition, Decimal, Literal, Path, Pattern, Place, Test, compile, name,
    parse_condition,
};
use crate::filter;
use crate::filter::testing::leaf;

fn field() -> impl Strategy<Value = Path> {
    "[A-Za-z][A-Za-z0-9_]{0,6}".prop_filter_map("a word of the language", |text| name(&text, Place::default()))
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
        "20[0-9]{2}-0[1-9]-[12][0-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9]([+-]0[0-9]:[0-5][0-9])?".prop_map(Literal::Unquoted),
        "20[0-9]{2}-0[1-9]-[12][0-8]".prop_map(Literal::Unquoted),
    ];
    prop_oneof![
        equality.prop_map(|operator| Test::Compare(operator, Literal::Null)),
        (operator, literal).prop_map(|(operator, literal)| Test::Compare(operator, literal)),
        "(%?[a-z'\"_]{0,6}|[a-z'\"_]{0,6}%)".prop_map(|text| Test::Like(Pattern::new(&text).expect("a pattern"))),
    ]
}

/// Any condition that can be written.
pub(crate) fn condition() -> impl Strategy<Value = Condition> {
    let comparison = (field(), test()).prop_map(|(field, test)| Comparison { field, test, place: Place::default() });
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
    }

    #[test]
    fn no_row_of_words_makes_the_parser_panic(words in proptest::collection::vec(proptest::sample::select(vec![
        "Name", "A.B", "=", "!=", "<", "<>", "like", "in", "not", "and", "or", "(", ")", ",", ";", "'x'", "'", "\"", "\\", "\\'", "null",
        "between", "is", "2026-01-01", "2026-01-01T00:00:00", "select", "from", "where", "order", "count", "é", "--", "/*", "%", "*",
    ]), 0..30), glue in proptest::sample::select(vec!["", " "])) {
        let text = words.join(glue);
        if let Err(errors) = parse_condition(&text) {
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
            (filter::Predicate::Equals(plain()), Test::Compare(Operator::Equal, Literal::Text(text.clone()))),
            (filter::Predicate::In(vec![plain()]), Test::Compare(Operator::Equal, Literal::Text(text.clone()))),
            (filter::Predicate::Less(filter::Threshold(plain())), Test::Compare(Operator::Less, Literal::Text(text.clone()))),
            (filter::Predicate::Like(text.clone()), Test::Like(Pattern::new(&text).unwrap_or_else(|_| Pattern::new("").expect("a pattern")))),
        ] {
            if let Ok(compiled) = compiled(&leaf("Name", comparison)) {
                let field = name("Name", Place::default()).expect("a name");
                prop_assert_eq!(parse_condition(&compiled.to_string()), Ok(compiled.clone()));
                prop_assert_eq!(compiled.alternatives(), [[Comparison { field, test, place: Place::default() }]]);
            }
        }
    }

    #[test]
    fn no_field_and_no_number_of_a_typed_tree_becomes_anything_else(
        text in prop_oneof![text(), "[A-Za-z_.]{0,9}", "[0-9.+-]{0,9}"],
    ) {
        for tree in [
            leaf(&text, filter::Predicate::IsNull(true)),
            leaf("Name", filter::Predicate::Equals(filter::Literal::Number(text.clone()))),
        ] {
            if let Ok(compiled) = compiled(&tree) {
                prop_assert_eq!(parse_condition(&compiled.to_string()), Ok(compiled.clone()));
                prop_assert_eq!(compiled.comparisons().count(), 1);
            }
        }
    }
}

fn compiled(tree: &filter::FilterTree) -> Result<Condition, crate::filter::CompileError> {
    compile(tree, &|_| None, &"2026-11-21T10:00:00[UTC]".parse().expect("valid"))
}
