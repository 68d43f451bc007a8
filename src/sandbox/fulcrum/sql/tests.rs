//! Queries against a small form.

use insta::assert_snapshot;

use super::run;
use crate::sandbox::fulcrum::{Organization, Value};

fn organization() -> Organization {
    let mut organization = Organization::example("2026-11-21T10:00:00Z".parse().expect("valid"));
    let rows = [
        ("a", "Good", "Bench 50%", Some(1.5), "2020-01-01", "oak"),
        ("B", "Removed", "bench_2", None, "2024-05-05", "iron"),
        ("c", "Good", "O'Neill", Some(-3.0), "2026-11-20", "oak"),
    ];
    for (id, status, asset, height, day, material) in rows {
        let day: jiff::civil::Date = day.parse().expect("a day");
        let made = Value::read(crate::sandbox::fulcrum::ColumnKind::Timestamp, &day.to_string()).expect("a moment");
        let values = [
            ("_record_id", id.into()),
            ("_status", status.into()),
            ("asset", asset.into()),
            ("height", height.map_or(Value::Null, Value::from)),
            ("last_inspection", day.into()),
            ("_created_at", made),
            ("materials", [material, "paint"].as_slice().into()),
            ("inspections", Value::Integer(i64::from(height.is_some()))),
        ];
        organization.insert("Park Inventory", values).expect("known columns");
    }
    organization
}

/// The rows as text, or the error.
fn ask(query: &str) -> String {
    match run(query, &organization()) {
        Ok(result) => {
            let rows = result.rows.iter().map(|row| row.iter().map(Value::to_text).collect::<Vec<_>>().join(","));
            rows.collect::<Vec<_>>().join(" ")
        }
        Err(error) => error.to_string(),
    }
}

fn matching(condition: &str) -> String {
    ask(&format!("SELECT _record_id FROM \"Park Inventory\" WHERE {condition} ORDER BY _record_id"))
}

#[test]
fn conditions_select_as_postgresql_would() {
    for (condition, expected) in [
        ("_status = 'Good'", "a c"),
        ("_status <> 'Good'", "B"),
        ("_record_id = 'b'", ""),
        ("_record_id > 'a'", "B c"),
        ("_record_id >= 'B'", "B c"),
        ("height > 1", "a"),
        ("NOT height > 1", "c"),
        ("height > 1 OR height IS NULL", "a B"),
        ("height > 1 AND NULL", ""),
        ("(height > 1) IS NOT TRUE", "B c"),
        ("(height > 1) IS UNKNOWN", "B"),
        ("height IS DISTINCT FROM 1.5", "B c"),
        ("height IN (1.5, -3)", "a c"),
        ("height NOT IN (1.5, NULL)", ""),
        ("_record_id IN ('a', 'c', 'x')", "a c"),
        ("_record_id NOT IN ('a', NULL)", ""),
        ("_record_id NOT IN ('a')", "B c"),
        ("height BETWEEN -3 AND 0", "c"),
        ("inspections + 1 = 2 AND inspections / 1 = 1", "a c"),
        ("asset LIKE 'Bench%'", "a"),
        ("asset ILIKE 'bench%'", "a B"),
        ("asset LIKE '%!%' ESCAPE '!'", "a"),
        ("asset LIKE 'x!' ESCAPE '!'", "LIKE pattern must not end with escape character"),
        ("asset LIKE '%50\\%'", "a"),
        ("asset LIKE 'bench_2'", "B"),
        ("asset NOT LIKE '%e%'", ""),
        ("asset = 'O''Neill'", "c"),
        ("lower(asset) = 'o''neill' AND length(asset) = 7", "c"),
        ("coalesce(height, 0) = 0", "B"),
        ("asset || '!' = 'bench_2!'", "B"),
        ("last_inspection < '2024-05-05'", "a"),
        ("last_inspection <= DATE '2024-05-05'", "a B"),
        ("_created_at < now() - interval '3 years'", "a"),
        ("_created_at < now() - INTERVAL '2' YEAR", "a B"),
        ("_created_at >= '2026-11-20T00:00:00Z'::timestamptz", "c"),
        ("_created_at::date = '2020-01-01'", "a"),
        ("last_inspection = current_date - interval '1 day'", "c"),
        ("'oak' = ANY (materials)", "a c"),
        ("materials @> ARRAY['paint', 'iron']", "B"),
        ("materials && '{iron,steel}'", "B"),
        ("materials[1] = 'oak' AND materials[2] = 'paint' AND materials[3] IS NULL", "a c"),
        ("\"Park Inventory\".materials[1 + 1] = 'paint'", "a B c"),
        ("date_trunc('month', _created_at)::date = '2024-05-01'", "B"),
        ("date_trunc('week', _created_at) = '2026-11-16' AND date_trunc('year', last_inspection) = '2026-01-01'", "c"),
        ("date_part('year', _created_at) = 2024 AND extract(dow from last_inspection) = 0", "B"),
        ("extract(quarter FROM _created_at) = 4 AND date_part('week', _created_at) = 47", "c"),
        ("(_created_at AT TIME ZONE 'America/New_York')::date = '2024-05-04'", "B"),
        ("_created_at AT TIME ZONE 'Europe/Berlin' = '2020-01-01 01:00'", "a"),
        ("CASE WHEN height > 1 THEN 'tall' WHEN height IS NULL THEN 'none' ELSE 'low' END = 'low'", "c"),
        ("CASE _status WHEN 'Good' THEN height END > 0", "a"),
        ("position('enc' in asset) = 2 AND strpos(asset, '50') = 7", "a"),
        ("FCM_ConvertToFloat(asset) IS NULL AND fcm_converttofloat('1.5') = height", "a"),
        ("true", "a B c"),
    ] {
        assert_eq!(matching(condition), expected, "{condition}");
    }
}

#[test]
fn says_that_a_gap_is_its_own() {
    let conditions = [
        "to_char(_created_at, 'YYYY') = '2020'",
        "asset SIMILAR TO 'a%'",
        "asset ->> 'a' = 'b'",
        "to_tsvector(asset) @@ to_tsquery('a')",
        "ST_Length(_geometry::geography) > 1",
        "ST_Distance(_geometry, _geometry) > 1",
        "FCM_FormatTimestamp(_created_at, 'UTC') = 'a'",
        "'2020-01-01'::timestamp AT TIME ZONE 'UTC' = _created_at",
        "_created_at AT TIME ZONE 'Nowhere' = '2020-01-01'",
        "date_trunc('decade', _created_at) = '2020-01-01'",
        "asset[1] = 'a'",
    ];
    assert_snapshot!(conditions.map(matching).join("\n"), @r#"
    the sandbox does not simulate the function to_char
    the sandbox does not simulate asset SIMILAR TO 'a%'
    the sandbox does not simulate ->>
    the sandbox does not simulate @@
    the sandbox does not simulate the function st_length
    the sandbox does not simulate the function st_distance
    the sandbox does not simulate the function fcm_formattimestamp
    the sandbox does not simulate AT TIME ZONE of a timestamp without time zone
    time zone "Nowhere" not recognized
    the sandbox does not simulate the part "decade" of a date
    cannot subscript type text because it does not support subscripting
    "#);
}

#[test]
fn selects_orders_and_limits() {
    let rows = [
        "SELECT count(*) FROM \"Park Inventory\"",
        "SELECT count(height), min(height), max(_record_id) FROM \"Park Inventory\"",
        "SELECT min(height) FROM \"Park Inventory\" WHERE false",
        "SELECT _record_id AS id, count(*) OVER () FROM \"Park Inventory\" WHERE height IS NOT NULL ORDER BY id LIMIT 1",
        "SELECT p._record_id FROM \"Park Inventory\" AS p ORDER BY p.height",
        "SELECT _record_id FROM \"Park Inventory\" ORDER BY height DESC",
        "SELECT _record_id FROM \"Park Inventory\" ORDER BY height DESC NULLS LAST, 1",
        "SELECT _record_id FROM \"6b1c2f0a-35d7-4c7e-9b0e-2f6f1a8d4c01\" ORDER BY _status, _record_id DESC LIMIT 2 OFFSET 1",
        "SELECT upper(asset), height * 2, 'x', _STATUS FROM \"Park Inventory\" WHERE _record_id = 'a';",
        "SELECT name FROM tables ORDER BY name",
        "SELECT email, role_name FROM memberships ORDER BY 1",
        "SELECT form_id FROM forms WHERE name = 'Testing App'",
    ];
    let shown: Vec<String> = rows.iter().map(|query| ask(query)).collect();
    assert_snapshot!(shown.join("\n"), @"
    3
    2,-3,c

    a,2
    c a B
    B a c
    a c B
    a B
    BENCH 50%,3,x,Good
    forms memberships Park Inventory Site Visits Testing App
    fiona.field@sandbox.example,Manager rhea.reader@sandbox.example,Standard User
    6b1c2f0a-35d7-4c7e-9b0e-2f6f1a8d4c03
    ");
    let columns = run("SELECT *, count(*) OVER (), height + 1 FROM \"Park Inventory\" LIMIT 0", &organization());
    let columns = columns.expect("valid").columns;
    assert_eq!(
        (columns.len(), columns[34].0.as_str(), columns[40].0.as_str(), columns[41].0.as_str()),
        (42, "asset", "count", "?column?")
    );
}

#[test]
fn refuses_in_the_words_of_postgresql() {
    let queries = [
        "",
        "SELECT _record_id FORM \"Park Inventory\"",
        "SELECT _record_id FROM",
        "SELECT _record_id FROM Park",
        "SELECT _record_id FROM \"park inventory\"",
        "SELECT \"_STATUS\" FROM \"Park Inventory\"",
        "SELECT x._status FROM \"Park Inventory\"",
        "SELECT _status, count(*) FROM \"Park Inventory\"",
        "SELECT _record_id FROM \"Park Inventory\" WHERE asset",
        "SELECT _record_id FROM \"Park Inventory\" WHERE asset = 5",
        "SELECT _record_id FROM \"Park Inventory\" WHERE height = 'tall'",
        "SELECT _record_id FROM \"Park Inventory\" WHERE _created_at > 'soon'",
        "SELECT _record_id FROM \"Park Inventory\" WHERE inspections / 0 = 1",
        "SELECT pg_sleep(10) FROM \"Park Inventory\"",
        "SELECT _record_id FROM \"Park Inventory\" ORDER BY 2",
        "DELETE FROM \"Park Inventory\"",
        "SELECT 1 FROM tables; DROP TABLE tables",
        "SELECT _status FROM \"Park Inventory\" GROUP BY 1",
        "SELECT a._status FROM \"Park Inventory\" a JOIN tables t ON true",
    ];
    let shown: Vec<String> = queries.iter().map(|query| ask(query)).collect();
    assert_snapshot!(shown.join("\n"), @r#"
    syntax error at end of input
    syntax error at or near ""Park Inventory""
    syntax error at end of input
    relation "park" does not exist
    relation "park inventory" does not exist
    column "_STATUS" does not exist
    missing FROM-clause entry for table "x"
    column "_status" must appear in the GROUP BY clause or be used in an aggregate function
    argument of WHERE must be type boolean, not type text
    operator does not exist: text = bigint
    invalid input syntax for type double precision: "tall"
    invalid input syntax for type timestamp with time zone: "soon"
    division by zero
    function pg_sleep does not exist
    ORDER BY position 2 is not in select list
    cannot execute DELETE in a read-only transaction
    cannot insert multiple commands into a prepared statement
    the sandbox does not simulate DISTINCT, GROUP BY, HAVING and INTO
    the sandbox does not simulate anything but one table
    "#);
}

#[test]
fn a_name_too_long_for_the_database_breaks_and_its_id_does_not() {
    let mut organization = organization();
    let name = "n".repeat(64);
    organization.rename("Park Inventory", &name).expect("known");
    let error = run(&format!("SELECT 1 FROM \"{name}\""), &organization).expect_err("refused").to_string();
    assert_eq!(error, "relation \"organization_1234.form_123456_undefined_view\" does not exist");
    let id = "SELECT 1 FROM \"6b1c2f0a-35d7-4c7e-9b0e-2f6f1a8d4c01\"";
    assert_eq!(run(id, &organization).expect("valid").rows.len(), 3);
}

#[test]
fn ten_thousand_ids_are_looked_up_quickly() {
    let mut organization = organization();
    organization.generate("Testing App", 10_000, 1).expect("known");
    let ids: Vec<String> =
        organization.form("Testing App").expect("known").records().keys().map(|id| format!("'{id}'")).collect();
    let query = format!("SELECT count(*) FROM \"Testing App\" WHERE _record_id IN ({})", ids.join(","));
    assert_eq!(run(&query, &organization).expect("valid").rows, [[Value::Integer(10_000)]]);
}
