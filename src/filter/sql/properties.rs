//! What must hold for every condition.

use proptest::prelude::*;

use super::condition::{Condition, Expression, Field, IsTest, Operator, TypeName};
use super::parse_condition;
use crate::filter::Place;

fn field() -> impl Strategy<Value = Expression> {
    let name = prop_oneof![
        Just("_status".to_owned()),
        Just("user".to_owned()),
        Just("Park Name".to_owned()),
        "[a-zA-Z_][a-zA-Z0-9_]{0,8}",
        "[^\\p{Cc}]{1,8}",
    ];
    name.prop_map(|name| Expression::Field(Field { name, place: Place::default() }))
}

/// Texts that try to end their quotes.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof!["(['\"\\\\;$%_]|--|/\\*|E'| OR |x){0,12}", "[^\\x00]{0,12}"]
        .prop_filter("never the present", |text| !super::functions::mentions_the_present(text))
}

fn value() -> impl Strategy<Value = Expression> {
    prop_oneof![
        field(),
        hostile().prop_map(Expression::Text),
        "[0-9]{1,6}(\\.[0-9]{1,3})?".prop_map(Expression::Number),
        any::<bool>().prop_map(Expression::Boolean),
        Just(Expression::Null),
        hostile().prop_map(|text| Expression::Cast(Box::new(Expression::Text(text)), TypeName("timestamptz"))),
        prop::collection::vec(hostile().prop_map(Expression::Text), 1..4).prop_map(Expression::Array),
        field().prop_map(|field| Expression::Call("lower", vec![field])),
    ]
}

fn expression() -> impl Strategy<Value = Expression> {
    let operators = ["=", "<>", "<", ">=", "@>", "&&", "~", "LIKE", "NOT ILIKE", "IS DISTINCT FROM", "+", "||"];
    let binary = move |left: Expression, operator: usize, right: Expression| {
        Expression::Binary(Box::new(left), Operator(operators[operator]), Box::new(right))
    };
    let leaf =
        prop_oneof![
            (field(), 0..operators.len(), value()).prop_map(move |(left, operator, right)| binary(left, operator, right)),
            (field(), any::<bool>(), prop::collection::vec(value(), 1..4))
                .prop_map(|(field, negated, list)| Expression::In { value: Box::new(field), negated, list }),
            (field(), any::<bool>(), value(), value()).prop_map(|(field, negated, low, high)| Expression::Between {
                value: Box::new(field),
                negated,
                low: Box::new(low),
                high: Box::new(high)
            }),
            (value(), any::<bool>(), field()).prop_map(|(value, all, array)| Expression::Each {
                value: Box::new(value),
                operator: Operator("="),
                all,
                array: Box::new(array)
            }),
        ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::Or),
            inner.clone().prop_map(|part| Expression::Not(Box::new(part))),
            (inner, any::<bool>()).prop_map(|(part, negated)| Expression::Is {
                value: Box::new(part),
                negated,
                test: IsTest::True
            }),
        ]
    })
}

/// As the parser gives it: a chain within the same chain is one chain.
fn is_flat(expression: &Expression) -> bool {
    match expression {
        Expression::And(parts) => parts.iter().all(|part| !matches!(part, Expression::And(_)) && is_flat(part)),
        Expression::Or(parts) => parts.iter().all(|part| !matches!(part, Expression::Or(_)) && is_flat(part)),
        Expression::Not(part) | Expression::Is { value: part, .. } => is_flat(part),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_printed_reads_back_as_the_same(expression in expression().prop_filter("flat", is_flat)) {
        let condition = Condition(expression);
        let printed = condition.to_string();
        let parsed = parse_condition(&printed);
        prop_assert_eq!(parsed.as_ref(), Ok(&condition), "{}", printed);
        prop_assert_eq!(parsed.expect("parsed").to_string(), printed);
    }

    #[test]
    fn no_text_leaves_its_quotes(text in hostile()) {
        let condition = Condition(Expression::Binary(
            Box::new(Expression::Field(Field { name: "park".into(), place: Place::default() })),
            Operator("LIKE"),
            Box::new(Expression::Text(text)),
        ));
        prop_assert_eq!(parse_condition(&condition.to_string()), Ok(condition));
    }

    #[test]
    fn no_input_is_more_than_an_error(text in "([a-z_\"'();,.=<>%$\\\\-]|AND |OR |NOT |IN |SELECT |/\\*|\\PC|\n){0,40}") {
        match parse_condition(&text) {
            Ok(condition) => prop_assert_eq!(parse_condition(&condition.to_string()), Ok(condition)),
            Err(errors) => for error in errors {
                prop_assert!(error.start <= error.end && text.get(error.start..error.end).is_some(), "{:?}", error);
            },
        }
    }
}

/// Each refusal with the place it points at.
fn refusals(texts: &[&str]) -> String {
    let line = |text: &&str| {
        let error = parse_condition(text).expect_err(text).remove(0);
        let marked = format!("{}>{}<{}", &text[..error.start], &text[error.start..error.end], &text[error.end..]);
        format!("{marked}\n    {error}\n    {}", error.help.as_deref().unwrap_or_default())
    };
    texts.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn accepts_what_people_write() {
    let texts = [
        "_status = 'closed' AND _server_updated_at < '2023-01-01'",
        "Park_Name ilike 'a%' or \"Park Name\" IS NULL and not _version > 3",
        "'oak' = ANY(species) and cardinality(species) >= 2",
        "species && ARRAY['oak', 'ash'] OR species @> array['elm']::text[]",
        "_created_at < TIMESTAMP '2026-01-01 00:00:00' - INTERVAL '3 years'",
        "cast(inspected as date) between date '2020-01-01' and '2021-01-01'::date",
        "extract(year from _created_at) < 2020 and lower(trim(note)) in ('x', 'y')",
        "(_latitude + 1) * -2 <> 4.5e1 and coalesce(note, '') ~* '^today'",
        "substring(note from 1 for 3) = 'abc' and note not like '%now%'",
        "note = E'a\\\\b' and note IS NOT DISTINCT FROM 'it''s'",
        "((((_status = 'a'))))",
    ];
    let lines: Vec<String> = texts
        .iter()
        .map(|text| parse_condition(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}")).to_string())
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    _status = 'closed' AND _server_updated_at < '2023-01-01'
    park_name ILIKE 'a%' OR ("Park Name" IS NULL AND NOT (_version > 3))
    'oak' = ANY (species) AND cardinality(species) >= 2
    species && ARRAY['oak', 'ash'] OR species @> ARRAY['elm']::text[]
    _created_at < ('2026-01-01 00:00:00'::timestamp - '3 years'::interval)
    inspected::date BETWEEN '2020-01-01'::date AND '2021-01-01'::date
    date_part('year', _created_at) < 2020 AND lower(trim(note)) IN ('x', 'y')
    ((_latitude + 1) * (- 2)) <> 4.5e1 AND coalesce(note, '') ~* '^today'
    substring(note, 1, 3) = 'abc' AND note NOT LIKE '%now%'
    note = E'a\\b' AND note IS NOT DISTINCT FROM 'it''s'
    _status = 'a'
    "#);
}

#[test]
fn refuses_what_is_not_one_harmless_condition() {
    insta::assert_snapshot!(refusals(&[
        "",
        "SELECT _record_id FROM \"Parks\" WHERE _status = 'a'",
        "where _status = 'a'",
        "_status =",
        "_status = 'a",
        "_status = 'a'; DELETE FROM x",
        "_status = 'a' -- and not reviewed",
        "_status = 'a' /* hm */",
        "_status = 'a' ORDER BY _status",
        "_status = 'a' UNION SELECT 1",
        "_record_id IN (SELECT _record_id FROM other)",
        "EXISTS (SELECT 1)",
        "_version = (SELECT 1)",
        "pg_sleep(10) IS NULL",
        "nextval('x') = _version",
        "\"Park\"._status = 'a'",
        "_created_at < now()",
        "_created_at < CURRENT_DATE",
        "_created_at < 'today'",
        "é = 'é' AND _created_at < 'today'::date",
        "_created_at < ('to' || 'day')::date",
        "age(_created_at) > '3 years'",
        "_status = $1",
        "_version < 1 < 2",
        "note = $$a$$",
        "geo::regclass = 1",
        "TRUE",
        "1 = 1",
        "count(*) > 1",
        "rank() over () = 1",
        "note LIKE 'a' ESCAPE '!'",
    ]), @r#"
    ><
        expected: an expression, found: the end
        write one condition in PostgreSQL
    >SELECT< _record_id FROM "Parks" WHERE _status = 'a'
        a filter does not begin with `SELECT`
        write only the condition: what follows `WHERE`
    >where< _status = 'a'
        a filter does not begin with `where`
        write only the condition: what follows `WHERE`
    _status =><
        expected: an expression, found: the end
        write one condition in PostgreSQL
    _status = >'a<
        unterminated string literal
        close what was opened
    _status = 'a'>;< DELETE FROM x
        the condition contains a `;`
        a filter is one condition, not a statement
    _status = 'a' >-- and not reviewed<
        the condition contains a comment
        put comments into the YAML, with `#`
    _status = 'a' >/* hm */<
        the condition contains a comment
        put comments into the YAML, with `#`
    _status = 'a' >ORDER< BY _status
        the condition ends before `ORDER`
        join conditions with `AND` or `OR`
    _status = 'a' >UNION< SELECT 1
        the condition ends before `UNION`
        join conditions with `AND` or `OR`
    >_record_id IN (SELECT _record_id FROM other<)
        a subquery is not accepted here
        name the records by the form's own fields, or list the values
    EXISTS (>SELECT 1<)
        a subquery is not accepted here
        name the records by the form's own fields, or list the values
    _version = (>SELECT 1<)
        a subquery is not accepted here
        name the records by the form's own fields, or list the values
    >pg_sleep(10<) IS NULL
        the function `pg_sleep` is not accepted here
        use plain ones such as `lower`, `length`, `coalesce`, `cardinality` or `date_part`
    >nextval('x'<) = _version
        the function `nextval` is not accepted here
        use plain ones such as `lower`, `length`, `coalesce`, `cardinality` or `date_part`
    >"Park"._status< = 'a'
        a field of a named form is not accepted here
        write the field alone: a condition is about one form
    _created_at < >now<()
        `now` depends on the clock, and every moment of a plan is fixed
        write the date, such as '2026-01-31', or use `olderThan` in a filter tree
    _created_at < >CURRENT_DATE<
        `current_date` depends on the clock, and every moment of a plan is fixed
        write the date, such as '2026-01-31', or use `olderThan` in a filter tree
    _created_at < >'today'<
        `today` means the current day or moment where a date is expected
        write the date, or use `olderThan` in a filter tree; for the text itself use `LIKE`
    é = 'é' AND _created_at < >'today'<::date
        `today` depends on the clock, and every moment of a plan is fixed
        write the date, such as '2026-01-31', or use `olderThan` in a filter tree
    _created_at < (>'to' || 'day'<)::date
        only a field or a text can be cast to `date`
        write the date itself
    >age(_created_at<) > '3 years'
        `age` depends on the clock, and every moment of a plan is fixed
        write the date, such as '2026-01-31', or use `olderThan` in a filter tree
    _status = >$1<
        this form of literal is not accepted here
        write text in single quotes
    >_version < 1< < 2
        comparisons are chained
        join comparisons with `AND`
    note = >$$a$$<
        this form of literal is not accepted here
        write text in single quotes
    >geo<::regclass = 1
        the type `REGCLASS` is not accepted here
        use `text`, `integer`, `numeric`, `boolean`, `date`, `timestamp`, `interval` or `text[]`
    >TRUE<
        the condition names no field
        for every record write `filter: everything`
    >1 = 1<
        the condition names no field
        for every record write `filter: everything`
    >count<(*) > 1
        the function `count` is not accepted here
        use plain ones such as `lower`, `length`, `coalesce`, `cardinality` or `date_part`
    >rank<() over () = 1
        the function `rank` is not accepted here
        use plain ones such as `lower`, `length`, `coalesce`, `cardinality` or `date_part`
    >note LIKE 'a'< ESCAPE '!'
        this form of `LIKE` is not accepted here
        a backslash before `%` or `_` makes it stand for itself
    "#);
}

#[test]
fn a_long_condition_is_an_error_and_no_overflow() {
    for text in [
        vec!["a"; 1_900].join(" OR "),
        format!("{}a", "NOT ".repeat(18)),
        format!("{}a{}", "(".repeat(40), ")".repeat(40)),
        format!("a IN ({})", vec!["'x'"; 10_000].join(", ")),
    ] {
        let condition = parse_condition(&text).expect("not too long");
        assert_eq!(parse_condition(&condition.to_string()), Ok(condition));
    }
    for text in [
        vec!["a"; 5_000].join(" OR "),
        vec!["a"; 500].join(" + "),
        format!("{}a", "NOT ".repeat(1_000)),
        format!("{}a{}", "(".repeat(500), ")".repeat(500)),
        format!("{}a{}", "lower(".repeat(60), ")".repeat(60)),
        "x".repeat(200_000),
    ] {
        assert!(parse_condition(&text).is_err(), "{}", &text[..20]);
    }
}

#[test]
fn names_the_fields_and_where_they_stand() {
    let text = "é = 1 AND\n \"Park\" IS NULL OR lower(_status) IN ('a')";
    let condition = parse_condition(text).expect("valid");
    let fields: Vec<(&str, &str)> =
        condition.fields().into_iter().map(|(name, start, end)| (name, &text[start..end])).collect();
    assert_eq!(fields, [("é", "é"), ("Park", "\"Park\""), ("_status", "_status")]);
}
