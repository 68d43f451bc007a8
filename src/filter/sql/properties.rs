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
    name.prop_map(|name| Expression::Field(Field { name, place: Place::default(), form: None }))
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
    let operators = [
        "=",
        "<>",
        "<",
        ">=",
        "@>",
        "&&",
        "~",
        "LIKE",
        "NOT ILIKE",
        "IS DISTINCT FROM",
        "+",
        "||",
        "SIMILAR TO",
        "->>",
        "@@",
    ];
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
            (field(), prop::collection::vec(value(), 1..3), value()).prop_map(move |(array, indexes, value)| binary(
                Expression::Element(Box::new(array), indexes),
                0,
                value
            )),
            (prop::option::of(value()), prop::collection::vec((field(), value()), 1..3), prop::option::of(value()))
                .prop_map(|(operand, branches, otherwise)| Expression::Case {
                    operand: operand.map(Box::new),
                    branches,
                    otherwise: otherwise.map(Box::new)
                }),
            (field(), value()).prop_map(move |(field, zone)| binary(
                Expression::Cast(
                    Box::new(Expression::Binary(Box::new(field), Operator("AT TIME ZONE"), Box::new(zone))),
                    TypeName("date")
                ),
                0,
                Expression::Null
            )),
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
            Box::new(Expression::Field(Field { name: "park".into(), place: Place::default(), form: None })),
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
        "to_char(_created_at, 'YYYY-MM') = '2020-01' AND upper(note) <> 'A'",
        "date_trunc('month', _created_at)::date < '2020-01-01' and cast(date_trunc('day', _created_at) as timestamp) is not null",
        "(_created_at AT TIME ZONE 'America/New_York')::date = '2020-01-01' or _created_at at time zone 'UTC' < '2020-01-01 10:00'",
        "materials[1] = 'oak' AND (string_to_array(note, ','))[2] <> 'a' AND grid[1][2] > 0 AND lower(materials[ _version + 1 ]) = 'x'",
        "data ->> 'a' = 'b' and data -> 'a' ->> 'c' is null and (data ->> 'n')::integer > 3",
        "case when _version > 3 and a then 'x' else note end = 'x' OR CASE _status WHEN 'a' THEN 1 WHEN 'b' THEN 2 END > 1",
        "note SIMILAR TO '%(a|b)%' and note not similar to '_' and position('oak' in note) > 0",
        "ST_Length(_geometry::geography) > 5 and ST_Distance(_geometry, ST_SetSRID(ST_MakePoint(1, -2), 4326)) < 0.5",
        "to_tsvector('english', note) @@ to_tsquery('oak & ash')",
        "FCM_ConvertToFloat(height) > 5 and FCM_FormatTimestamp(_created_at, 'UTC') like '2020%'",
        "\"Park Inventory\"._status = 'a' and parks.\"Note\" is null and \"Park Inventory\".materials[1] = 'x'",
        "(note ->> 'x')::date = '2020-01-01' or materials[1]::date = '2020-01-01'",
        "(_created_at::date - '1 day'::interval)::date < '2020-01-01'",
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
    to_char(_created_at, 'YYYY-MM') = '2020-01' AND upper(note) <> 'A'
    date_trunc('month', _created_at)::date < '2020-01-01' AND date_trunc('day', _created_at)::timestamp IS NOT NULL
    (_created_at AT TIME ZONE 'America/New_York')::date = '2020-01-01' OR (_created_at AT TIME ZONE 'UTC') < '2020-01-01 10:00'
    materials[1] = 'oak' AND (string_to_array(note, ','))[2] <> 'a' AND grid[1][2] > 0 AND lower(materials[_version + 1]) = 'x'
    ("data" ->> 'a') = 'b' AND (("data" -> 'a') ->> 'c') IS NULL AND ("data" ->> 'n')::integer > 3
    (CASE WHEN (_version > 3 AND a) THEN 'x' ELSE note END) = 'x' OR (CASE _status WHEN 'a' THEN 1 WHEN 'b' THEN 2 END) > 1
    note SIMILAR TO '%(a|b)%' AND note NOT SIMILAR TO '_' AND strpos(note, 'oak') > 0
    st_length(_geometry::geography) > 5 AND st_distance(_geometry, st_setsrid(st_makepoint(1, - 2), 4326)) < 0.5
    to_tsvector('english', note) @@ to_tsquery('oak & ash')
    fcm_converttofloat(height) > 5 AND fcm_formattimestamp(_created_at, 'UTC') LIKE '2020%'
    _status = 'a' AND "Note" IS NULL AND materials[1] = 'x'
    (note ->> 'x')::date = '2020-01-01' OR materials[1]::date = '2020-01-01'
    (_created_at::date - '1 day'::interval)::date < '2020-01-01'
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
        "a.b.c = 'a'",
        "materials[1:2] = 'a'",
        "CASE WHEN a THEN 'today' END = 'x'",
        "(CASE WHEN a THEN 'to' ELSE 'tomorrow' || '' END)::date < '2020-01-01'",
        "('{}'::json ->> 'x')::date = _created_at",
        "'now'::timestamp AT TIME ZONE 'UTC' > _created_at",
        "title = 'v1' AND NOT",
        "user = 'a'",
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
    >a.b.c< = 'a'
        this is PostgreSQL that is not accepted here
        use fields, literals, comparisons, `AND` `OR` `NOT` `IN` `LIKE` `BETWEEN` `IS NULL` and plain functions
    >materials[1:2<] = 'a'
        this is PostgreSQL that is not accepted here
        use fields, literals, comparisons, `AND` `OR` `NOT` `IN` `LIKE` `BETWEEN` `IS NULL` and plain functions
    CASE WHEN a THEN >'today'< END = 'x'
        `today` means the current day or moment where a date is expected
        write the date, or use `olderThan` in a filter tree; for the text itself use `LIKE`
    (CASE WHEN a THEN 'to' ELSE >'tomorrow'< || '' END)::date < '2020-01-01'
        `tomorrow` means the current day or moment where a date is expected
        write the date, or use `olderThan` in a filter tree; for the text itself use `LIKE`
    (>'{}'::json ->> 'x'<)::date = _created_at
        only a field, a text or a date can be cast to `date`
        write the date itself
    >'now'<::timestamp AT TIME ZONE 'UTC' > _created_at
        `now` depends on the clock, and every moment of a plan is fixed
        write the date, such as '2026-01-31', or use `olderThan` in a filter tree
    title = 'v1' AND >NOT<
        `NOT` is a word of the language, not a field
        a field of that name is written in double quotes: `"not"`
    >user< = 'a'
        the function `user` is not accepted here
        use plain ones such as `lower`, `length`, `coalesce`, `cardinality` or `date_part`
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
        only a field, a text or a date can be cast to `date`
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
        format!("{}a{}", "CASE WHEN ".repeat(4), " THEN b END".repeat(4)),
        format!("{}a{}", "a[".repeat(15), "]".repeat(15)),
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
        format!("{}a{}", "a[".repeat(60), "]".repeat(60)),
        format!("{}a{}", "CASE WHEN ".repeat(200), " THEN 1 END".repeat(200)),
        format!("{}a{}", "CASE a WHEN 1 THEN ".repeat(5), " END".repeat(5)),
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
