//! What must hold for every condition, every text and every typed tree.

use std::collections::BTreeMap;

use jiff::Zoned;
use proptest::prelude::*;

use super::{
    Comparison, Condition, Context, DateLiteral, Decimal, Literal, Operator, Path, Pattern, PatternPart, Period, Place,
    Record, Select, SelectItem, Test, Value, compile, evaluate, parse_condition, parse_select,
};
use crate::base::{SourceMap, Span};
use crate::filter;

fn path() -> impl Strategy<Value = Path> {
    unreserved("[A-Za-z][A-Za-z0-9_]{0,6}(\\.[A-Za-z][A-Za-z0-9_]{0,6}){0,5}")
}

fn name() -> impl Strategy<Value = Path> {
    unreserved("[A-Za-z][A-Za-z0-9_]{0,6}")
}

fn unreserved(form: &'static str) -> impl Strategy<Value = Path> {
    form.prop_filter_map("a word of the language", |text| {
        Path::new(&text, Place::default()).filter(|path| !path.is_reserved())
    })
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
    let literals = || proptest::collection::vec(literal(), 1..4);
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

fn compared(path: Path, test: Test) -> Condition {
    Condition::Comparison(Comparison { path, test, place: Place::default() })
}

fn without_subqueries() -> impl Strategy<Value = Condition> {
    let leaf = (path(), test()).prop_map(|(path, test)| compared(path, test));
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Condition::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Condition::Or),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    let subquery = (name(), name(), name(), proptest::option::of(without_subqueries()), any::<bool>()).prop_map(
        |(path, item, object, condition, anti)| {
            let items = vec![SelectItem::Field(item, None)];
            let select =
                Select { items, object, condition, order_by: vec![], limit: None, offset: None, place: Place::default() };
            compared(path, if anti { Test::NotInSubquery(Box::new(select)) } else { Test::InSubquery(Box::new(select)) })
        },
    );
    (without_subqueries(), proptest::collection::vec(subquery, 0..3))
        .prop_map(|(first, subqueries)| subqueries.into_iter().fold(first, Condition::and))
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
        let _ = parse_select(&text);
    }

    #[test]
    fn no_row_of_words_makes_the_parser_panic(words in proptest::collection::vec(proptest::sample::select(vec![
        "Name", "A.B", "=", "!=", "<", "LIKE", "IN", "NOT", "AND", "OR", "(", ")", ",", ":", "'x'", "'", "\\", "\\'", "null", "TODAY",
        "LAST_N_DAYS", ":3", "3", "2026-01-01", "SELECT", "FROM", "WHERE", "ORDER", "BY", "LIMIT", "COUNT", "INCLUDES", "é", "--", "/*",
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
}

fn span() -> Span {
    Span { source: SourceMap::default().add("test", ""), start: 0, end: 0 }
}

fn compiled(field: &str, comparison: filter::Comparison) -> Result<Condition, filter::CompileError> {
    let tree = filter::Condition::Field { field: field.into(), span: span(), comparison };
    compile(&tree, &|_| None, &"2026-11-21T10:00:00[UTC]".parse().expect("valid"))
}

/// What comes back when the SOQL of a compiled comparison is read again.
fn read_back(comparison: filter::Comparison) -> Condition {
    let printed = compiled("Name", comparison).expect("compiles").to_string();
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
        prop_assert_eq!(read_back(filter::Comparison::Equals(plain())), named(Test::Compare(Operator::Equal, literal())));
        prop_assert_eq!(read_back(filter::Comparison::Less(filter::Threshold(plain()))), named(Test::Compare(Operator::Less, literal())));
        prop_assert_eq!(read_back(filter::Comparison::NotIn(vec![plain(), plain()])), named(Test::NotIn(vec![literal(), literal()])));
        prop_assert_eq!(read_back(filter::Comparison::Includes(vec![text.clone()])), named(Test::Includes(vec![text.clone()])));
        prop_assert_eq!(read_back(filter::Comparison::Like(text.clone())), named(Test::Like(Pattern::from_wildcards(&text))));
    }

    #[test]
    fn no_field_and_no_number_of_a_typed_tree_becomes_anything_else(text in prop_oneof![text(), "[A-Za-z_.]{0,9}", "[0-9.+-]{0,9}"]) {
        if let Ok(condition) = compiled(&text, filter::Comparison::IsNull(true)) {
            let parsed = parse_condition(&condition.to_string());
            let path = Path::new(&text, Place::default()).expect("it compiled");
            prop_assert_eq!(parsed, Ok(compared(path, Test::Compare(Operator::Equal, Literal::Null))));
        }
        if let Ok(condition) = compiled("Name", filter::Comparison::Equals(filter::Literal::Number(text.clone()))) {
            let parsed = parse_condition(&condition.to_string());
            let number = Decimal::new(&text).expect("it compiled");
            prop_assert_eq!(parsed, Ok(named(Test::Compare(Operator::Equal, Literal::Number(number)))));
        }
    }
}

/// A record of small numbers, some of them missing.
struct Small(BTreeMap<&'static str, Option<i8>>);

impl Record for Small {
    fn value(&self, path: &str) -> Option<Value> {
        self.0.get(path).map(|value| value.map_or(Value::Null, |value| Value::Number(value.into())))
    }
}

struct Nothing(Zoned);

impl Context for Nothing {
    fn now(&self) -> &Zoned {
        &self.0
    }

    fn subquery(&self, _: &Select) -> Vec<Value> {
        Vec::new()
    }
}

/// The oracle: a condition over small numbers as a tree of closures would see it.
#[derive(Clone, Debug)]
enum Naive {
    Equal(&'static str, Option<i8>),
    Less(&'static str, i8),
    Among(&'static str, Vec<i8>),
    Not(Box<Naive>),
    Both(Box<Naive>, Box<Naive>),
    Either(Box<Naive>, Box<Naive>),
}

impl Naive {
    fn holds(&self, record: &Small) -> bool {
        match self {
            Self::Equal(field, wanted) => record.0[field] == *wanted,
            Self::Less(field, bound) => matches!(record.0[field], Some(value) if value < *bound),
            Self::Among(field, wanted) => matches!(record.0[field], Some(value) if wanted.contains(&value)),
            Self::Not(part) => !part.holds(record),
            Self::Both(one, other) => one.holds(record) & other.holds(record),
            Self::Either(one, other) => one.holds(record) | other.holds(record),
        }
    }

    /// The same in SOQL, written without the printer.
    fn soql(&self) -> String {
        match self {
            Self::Equal(field, None) => format!("{field} = null"),
            Self::Equal(field, Some(wanted)) => format!("{field} = {wanted}"),
            Self::Less(field, bound) => format!("{field} < {bound}"),
            Self::Among(field, wanted) => {
                format!("{field} IN ({})", wanted.iter().map(i8::to_string).collect::<Vec<_>>().join(","))
            }
            Self::Not(part) => match part.as_ref() {
                Self::Equal(field, Some(wanted)) => format!("{field} != {wanted}"),
                Self::Among(..) => part.soql().replace(" IN ", " NOT IN "),
                part => format!("(NOT ({}))", part.soql()),
            },
            Self::Both(one, other) => format!("({} AND {})", one.soql(), other.soql()),
            Self::Either(one, other) => format!("({} OR {})", one.soql(), other.soql()),
        }
    }
}

fn naive() -> impl Strategy<Value = Naive> {
    let field = || proptest::sample::select(vec!["A", "B"]);
    let number = || -2i8..3;
    let leaf = prop_oneof![
        (field(), proptest::option::of(number())).prop_map(|(field, wanted)| Naive::Equal(field, wanted)),
        (field(), number()).prop_map(|(field, bound)| Naive::Less(field, bound)),
        (field(), proptest::collection::vec(number(), 1..3)).prop_map(|(field, wanted)| Naive::Among(field, wanted)),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| Naive::Not(Box::new(part))),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| Naive::Both(Box::new(one), Box::new(other))),
            (inner.clone(), inner).prop_map(|(one, other)| Naive::Either(Box::new(one), Box::new(other))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn evaluation_agrees_with_a_naive_one(
        naive in naive(),
        a in proptest::option::of(-2i8..3),
        b in proptest::option::of(-2i8..3),
    ) {
        let record = Small([("A", a), ("B", b)].into());
        let condition = parse_condition(&naive.soql()).unwrap_or_else(|errors| panic!("{}: {errors:?}", naive.soql()));
        let context = Nothing("2026-11-21T10:00:00[UTC]".parse().expect("valid"));
        prop_assert_eq!(evaluate(&condition, &record, &context), naive.holds(&record), "{}", condition);
    }

    #[test]
    fn a_pattern_agrees_with_a_naive_one(pattern in "[ab%_]{0,7}", text in "[abAB]{0,7}") {
        fn matches(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern, text) {
                ([], rest) => rest.is_empty(),
                ([b'%', behind @ ..], _) => (0..=text.len()).any(|taken| matches(behind, &text[taken..])),
                ([b'_', behind @ ..], [_, rest @ ..]) => matches(behind, rest),
                ([wanted, behind @ ..], [found, rest @ ..]) => wanted.eq_ignore_ascii_case(found) && matches(behind, rest),
                (_, []) => false,
            }
        }
        let expected = matches(pattern.as_bytes(), text.as_bytes());
        prop_assert_eq!(Pattern::from_wildcards(&pattern).matches(&text), expected);
    }
}
