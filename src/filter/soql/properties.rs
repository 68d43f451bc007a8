//! What must hold for every condition, every text and every typed tree.

use proptest::prelude::*;
use strum::IntoEnumIterator as _;

use super::{
    Comparison, ComparisonOperator as Operator, Condition, DateLiteral, DatePart, Decimal, Destination, DistanceUnit,
    Function, Literal, Path, Pattern, PatternPart, Period, Place, Subquery, Test, compile, field_path, parse_condition,
};
use crate::filter;
use crate::filter::testing::leaf;

fn path() -> impl Strategy<Value = Path> {
    unreserved("[A-Za-z][A-Za-z0-9_]{0,6}(\\.[A-Za-z][A-Za-z0-9_]{0,6}){0,5}")
}

fn name() -> impl Strategy<Value = Path> {
    unreserved("[A-Za-z][A-Za-z0-9_]{0,6}")
}

fn unreserved(form: &'static str) -> impl Strategy<Value = Path> {
    form.prop_filter_map("a word of the language", |text| field_path(&text, Place::default()))
}

/// Text with what could end a literal early, more often than chance would give it.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => any::<char>(),
        4 => proptest::sample::select(vec!['\'', '\\', '"', '%', '_', '\n', '\r', '\t', '\u{8}', '\u{c}', '\0', ';', 'n', 'u', '’', '\u{2028}']),
        1 => proptest::char::range('a', 'z'),
    ];
    proptest::collection::vec(character, 0..40).prop_map(String::from_iter)
}

fn operator() -> impl Strategy<Value = Operator> {
    use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    proptest::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual])
}

fn date_literal() -> impl Strategy<Value = DateLiteral> {
    use Period::{Day, FiscalQuarter, FiscalYear, Month, Quarter, Week, Year};
    let period = proptest::sample::select(vec![Day, Week, Month, Quarter, Year, FiscalQuarter, FiscalYear]);
    (period, any::<u32>(), 0..8).prop_map(|(period, count, form)| match form {
        0 => DateLiteral::Last(period),
        1 => DateLiteral::This(period),
        2 => DateLiteral::Next(period),
        3 => DateLiteral::Last90Days,
        4 => DateLiteral::Next90Days,
        5 => DateLiteral::LastN(period, count),
        6 => DateLiteral::NextN(period, count),
        _ => DateLiteral::NAgo(period, count),
    })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        "[+-]?[0-9]{1,20}(\\.[0-9]{1,9})?".prop_map(|digits| Literal::Number(Decimal::new(&digits).expect("a number"))),
        text().prop_map(Literal::Text),
        (1700i16..=4000, 1i8..=12, 1i8..=28)
            .prop_map(|(year, month, day)| Literal::Date(jiff::civil::date(year, month, day))),
        // The seconds of the years that have valid dates.
        (-8_520_336_000i64..64_092_211_200, 0i32..1000).prop_map(|(second, millisecond)| {
            let moment = jiff::Timestamp::new(second, 0).expect("in the calendar");
            Literal::DateTime(moment + jiff::SignedDuration::from_millis(millisecond.into()))
        }),
        date_literal().prop_map(Literal::DateLiteral),
        (0i8..24, 0i8..60, 0i8..60, 0i32..1000).prop_map(|(hour, minute, second, millisecond)| {
            Literal::Time(jiff::civil::time(hour, minute, second, millisecond * 1_000_000))
        }),
        (proptest::sample::select(vec!["USD", "EUR", "JPY"]), "[0-9]{1,9}(\\.[0-9]{1,3})?")
            .prop_map(|(code, amount)| Literal::Currency(code.to_owned(), Decimal::new(&amount).expect("a number"))),
    ]
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let part = prop_oneof![
        Just(PatternPart::AnyRun),
        Just(PatternPart::AnyOne),
        proptest::sample::select(vec!['%', '_', '\\', '\'']).prop_map(PatternPart::Exactly),
        any::<char>().prop_map(PatternPart::Exactly),
    ];
    proptest::collection::vec(part, 0..20).prop_map(Pattern)
}

fn test() -> impl Strategy<Value = Test> {
    let is_amount = |literal: &Literal| matches!(literal, Literal::Currency(..));
    let is_number = |literal: &Literal| matches!(literal, Literal::Number(_));
    let literals = move || {
        let any = proptest::collection::vec(literal(), 1..4);
        any.prop_filter("mixed amounts", move |all| !(all.iter().any(is_amount) && all.iter().any(is_number)))
    };
    let texts = || proptest::collection::vec(text(), 1..4);
    prop_oneof![
        6 => (operator(), literal()).prop_map(|(operator, literal)| Test::Compare(operator, literal)),
        1 => pattern().prop_map(Test::Like),
        1 => literals().prop_map(Test::In),
        1 => literals().prop_map(Test::NotIn),
        1 => texts().prop_map(Test::Includes),
        1 => texts().prop_map(Test::Excludes),
    ]
}

/// A function with something that its result can be compared with.
fn functional() -> impl Strategy<Value = Condition> {
    let degrees = || "[+-]?[0-9]{1,3}(\\.[0-9]{1,6})?".prop_map(|digits| Decimal::new(&digits).expect("a number"));
    let unit = proptest::sample::select(DistanceUnit::iter().collect::<Vec<_>>());
    let part = proptest::sample::select(DatePart::iter().collect::<Vec<_>>());
    let function = prop_oneof![
        4 => (part, any::<bool>()).prop_map(|(part, in_user_zone)| Function::Date { part, in_user_zone }),
        1 => Just(Function::Label),
        1 => (degrees(), degrees(), unit).prop_map(|(one, other, unit)| Function::Distance { to: Destination::Point([one, other]), unit }),
    ];
    (path(), function, test()).prop_map(|(path, function, any)| {
        let number = || Literal::Number(Decimal::new("20").expect("a number"));
        let test = match &function {
            fits if super::fitting::misfit(fits, &any).is_none() => any,
            Function::Date { part: DatePart::DayOnly, .. } => {
                Test::Compare(Operator::Less, Literal::Date(jiff::civil::date(2026, 1, 31)))
            }
            Function::Date { .. } | Function::Distance { .. } => Test::Compare(Operator::Less, number()),
            Function::Label => Test::In(vec![Literal::Text("a".into()), Literal::Null]),
        };
        Condition::Comparison(Comparison { path, function: Some(function), test, place: Place::default() })
    })
}

fn compared(path: Path, test: Test) -> Condition {
    Condition::Comparison(Comparison { path, function: None, test, place: Place::default() })
}

fn without_subqueries() -> impl Strategy<Value = Condition> {
    let plain = (path(), test()).prop_map(|(path, test)| compared(path, test));
    let leaf = prop_oneof![3 => plain, 1 => functional()];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Condition::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Condition::Or),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

pub(crate) fn condition() -> impl Strategy<Value = Condition> {
    let reference =
        || name().prop_filter_map("a word of the language", |name| field_path(&format!("{name}Id"), Place::default()));
    let object = name().prop_map(|name| Path::new(&format!("{name}__c"), Place::default()).expect("a name"));
    let subquery = (reference(), reference(), object, proptest::option::of(without_subqueries()), any::<bool>()).prop_map(
        |(path, field, object, condition, anti)| {
            let subquery = Box::new(Subquery { field, object, condition, grouped: false, place: Place::default() });
            compared(path, if anti { Test::NotInSubquery(subquery) } else { Test::InSubquery(subquery) })
        },
    );
    (without_subqueries(), proptest::collection::vec(subquery, 0..3)).prop_map(|(first, subqueries)| {
        let mut parts = match first {
            Condition::And(parts) => parts,
            other => vec![other],
        };
        parts.extend(subqueries);
        if parts.len() == 1 { parts.remove(0) } else { Condition::And(parts) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_printed_reads_back_as_the_same_condition(condition in condition()) {
        let printed = condition.to_string();
        let parsed = parse_condition(&printed);
        prop_assert_eq!(parsed.as_ref(), Ok(&condition), "{}", printed);
        prop_assert_eq!(parsed.map(|parsed| parsed.to_string()), Ok(printed));
    }

    #[test]
    fn places_cut_the_fields_out_of_the_text(condition in condition()) {
        let printed = condition.to_string();
        let parsed = parse_condition(&printed).expect("printed");
        for (field, start, end) in parsed.fields() {
            prop_assert_eq!(field, &printed[start..end]);
        }
        for comparison in parsed.comparisons() {
            prop_assert_eq!(comparison.to_string(), &printed[comparison.place.start..comparison.place.end]);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        let _ = parse_condition(&text);
    }

    #[test]
    fn no_row_of_words_makes_the_parser_panic(words in proptest::collection::vec(proptest::sample::select(vec![
        "Name", "A.B", "=", "!=", "<", "LIKE", "IN", "NOT", "AND", "OR", "(", ")", ",", ":", "'x'", "'", "\\", "\\'", "null", "TODAY",
        "LAST_N_DAYS", ":3", "3", "2026-01-01", "SELECT", "FROM", "WHERE", "ORDER", "BY", "LIMIT", "COUNT", "INCLUDES", "DAY_ONLY", "toLabel", "DISTANCE", "GEOLOCATION", "USD5", "01:00:00Z", "é", "--", "/*",
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
}

fn compiled(field: &str, predicate: filter::Predicate) -> Result<Condition, filter::CompileError> {
    compile(&leaf(field, predicate), &|_| None, &"2026-11-21T10:00:00[UTC]".parse().expect("valid"))
}

/// What comes back when the SOQL of a compiled comparison is read again.
fn read_back(predicate: filter::Predicate) -> Condition {
    let printed = compiled("Name", predicate).expect("compiles").to_string();
    parse_condition(&printed).unwrap_or_else(|errors| panic!("{printed}: {errors:?}"))
}

fn named(test: Test) -> Condition {
    compared(Path::new("Name", Place::default()).expect("a name"), test)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_of_a_typed_tree_escapes_its_quotes(text in text()) {
        let plain = || filter::Literal::Text(text.clone());
        let literal = || Literal::Text(text.clone());
        prop_assert_eq!(read_back(filter::Predicate::Equals(plain())), named(Test::Compare(Operator::Equal, literal())));
        prop_assert_eq!(read_back(filter::Predicate::Less(filter::Threshold(plain()))), named(Test::Compare(Operator::Less, literal())));
        prop_assert_eq!(read_back(filter::Predicate::NotIn(vec![plain(), plain()])), named(Test::NotIn(vec![literal(), literal()])));
        prop_assert_eq!(read_back(filter::Predicate::Includes(vec![text.clone()])), named(Test::Includes(vec![text.clone()])));
        prop_assert_eq!(read_back(filter::Predicate::Like(text.clone())), named(Test::Like(Pattern::from_wildcards(&text))));
    }

    #[test]
    fn no_field_and_no_number_of_a_typed_tree_becomes_anything_else(text in prop_oneof![text(), "[A-Za-z_.]{0,9}", "[0-9.+-]{0,9}"]) {
        if let Ok(condition) = compiled(&text, filter::Predicate::IsNull(true)) {
            let parsed = parse_condition(&condition.to_string());
            let path = Path::new(&text, Place::default()).expect("it compiled");
            prop_assert_eq!(parsed, Ok(compared(path, Test::Compare(Operator::Equal, Literal::Null))));
        }
        if let Ok(condition) = compiled("Name", filter::Predicate::Equals(filter::Literal::Number(text.clone()))) {
            let parsed = parse_condition(&condition.to_string());
            let number = Decimal::new(&text).expect("it compiled");
            prop_assert_eq!(parsed, Ok(named(Test::Compare(Operator::Equal, Literal::Number(number)))));
        }
    }
}
