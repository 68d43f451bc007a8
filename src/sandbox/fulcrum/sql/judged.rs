//! Conditions, rows, and what the sandbox selects of them, for a real PostgreSQL: `tests/interop/sql_judge.sh` asks it.
#![expect(clippy::disallowed_methods, reason = "a test that writes files for another program")]

use std::fmt::Write as _;

use fastrand::Rng;

use super::run;
use crate::filter::sql::parse_condition;
use crate::sandbox::fulcrum::{ColumnKind, Organization, Value};

/// How many conditions are made up, and over how many rows.
const CONDITIONS: usize = 6_000;
const ROWS: usize = 40;

const COLUMNS: [(&str, ColumnKind); 9] = [
    ("_record_id", ColumnKind::Text),
    ("_status", ColumnKind::Text),
    ("asset", ColumnKind::Text),
    ("park", ColumnKind::Text),
    ("materials", ColumnKind::Array),
    ("height", ColumnKind::Double),
    ("inspections", ColumnKind::Integer),
    ("last_inspection", ColumnKind::Date),
    ("_created_at", ColumnKind::Timestamp),
];
const TEXTS: [&str; 14] =
    ["", "oak", "Oak", "OAK tree", "o'k", "50%", "5_0", "a\\b", " oak ", "Ä", "ä", "straße", "no\nw", "10"];
const DAYS: [&str; 8] =
    ["1999-12-31", "2019-02-28", "2020-01-01", "2020-02-29", "2020-03-29", "2024-05-05", "2026-11-20", "2026-11-21"];
const TIMES: [&str; 6] = ["00:00:00", "00:30:00", "04:59:59", "12:00:00", "22:30:00", "23:59:59.5"];
const UNITS: [&str; 8] = ["year", "quarter", "month", "week", "day", "hour", "minute", "second"];

/// Makes up expressions of a wanted type.
struct Maker(Rng);

impl Maker {
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.usize(..of.len())]
    }

    fn quoted(text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    fn literal(&mut self) -> String {
        Self::quoted(self.one(&TEXTS))
    }

    fn day(&mut self) -> &'static str {
        self.one(&DAYS)
    }

    fn moment_text(&mut self) -> String {
        let (day, time) = (self.day(), self.one(&TIMES));
        match self.0.u8(..4) {
            0 => day.to_owned(),
            1 => format!("{day} {time}"),
            2 => format!("{day}T{time}Z"),
            _ => format!("{day} {time}+02:00"),
        }
    }

    fn text(&mut self, depth: u8) -> String {
        if depth == 0 || self.0.bool() {
            return self.one(&["asset", "park", "_status", "_record_id", "materials[1]", "materials[2]"]).to_owned();
        }
        let inner = self.text(depth - 1);
        match self.0.u8(..9) {
            0 => format!("lower({inner})"),
            1 => format!("upper({inner})"),
            2 => format!("trim({inner})"),
            3 => format!("coalesce({inner}, {})", self.literal()),
            4 => format!("({inner} || {})", self.literal()),
            5 => format!("({inner} || {})", self.text(depth - 1)),
            6 => format!("materials[{}]", self.number(depth - 1, true)),
            7 => format!("CASE WHEN {} THEN {inner} ELSE {} END", self.condition(depth - 1), self.literal()),
            _ => "inspections::text".to_owned(),
        }
    }

    /// A number; a whole one if asked for.
    fn number(&mut self, depth: u8, whole: bool) -> String {
        if depth == 0 || self.0.bool() {
            return if whole || self.0.bool() { "inspections".to_owned() } else { "height".to_owned() };
        }
        match self.0.u8(..8) {
            0 => format!("length({})", self.text(depth - 1)),
            1 => format!("position({} in {})", self.literal(), self.text(depth - 1)),
            2 => format!("({} {} {})", self.number(depth - 1, whole), self.one(&["+", "-", "*"]), self.0.u8(1..4)),
            3 => format!("({} / {})", self.number(depth - 1, whole), self.0.u8(1..4)),
            4 => format!("({} % {})", self.number(depth - 1, true), self.0.u8(1..4)),
            5 => format!("coalesce({}, {})", self.number(depth - 1, whole), self.0.u8(..3)),
            6 if !whole => {
                let unit = self.one(&["year", "quarter", "month", "week", "day", "dow", "hour", "minute", "epoch"]);
                if self.0.bool() {
                    format!("date_part('{unit}', {})", self.moment(depth - 1).0)
                } else {
                    format!("extract({unit} from {})", self.moment(depth - 1).0)
                }
            }
            _ => format!("(- {})", self.number(depth - 1, whole)),
        }
    }

    /// A moment or day, and whether it has a zone.
    fn moment(&mut self, depth: u8) -> (String, bool) {
        if depth == 0 || self.0.bool() {
            return ("_created_at".to_owned(), true);
        }
        match self.0.u8(..6) {
            0 => {
                let (moment, zoned) = self.moment(depth - 1);
                (format!("date_trunc('{}', {moment})", self.one(&UNITS)), zoned)
            }
            1 => {
                let (moment, zoned) = self.moment(depth - 1);
                let span = self.one(&["1 day", "3 years", "1 month", "90 minutes", "2 weeks"]);
                (format!("({moment} {} interval '{span}')", self.one(&["+", "-"])), zoned)
            }
            2 => {
                let zone = self.one(&["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata"]);
                (format!("(_created_at AT TIME ZONE '{zone}')"), false)
            }
            3 => (format!("('{}'::timestamptz)", self.moment_text()), true),
            4 => ("(last_inspection + interval '1 month')".to_owned(), false),
            _ => (format!("coalesce(_created_at, '{}')", self.day()), true),
        }
    }

    fn date(&mut self, depth: u8) -> String {
        if depth == 0 || self.0.bool() {
            return "last_inspection".to_owned();
        }
        let (moment, _) = self.moment(depth - 1);
        // That might be a text, for all that is known of it.
        if moment.starts_with("coalesce") { "last_inspection".to_owned() } else { format!("{moment}::date") }
    }

    fn condition(&mut self, depth: u8) -> String {
        if depth == 0 {
            return self.comparison(0);
        }
        let less = depth - 1;
        match self.0.u8(..12) {
            0 | 1 => format!("({} AND {})", self.condition(less), self.condition(less)),
            2 | 3 => format!("({} OR {})", self.condition(less), self.condition(less)),
            4 => format!("NOT ({})", self.condition(less)),
            5 => {
                let test = self.one(&["TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN", "NOT UNKNOWN"]);
                format!("({}) IS {test}", self.condition(less))
            }
            6 => format!(
                "CASE WHEN {} THEN {} ELSE {} END",
                self.condition(less),
                self.condition(less),
                self.one(&["TRUE", "FALSE", "NULL"])
            ),
            _ => self.comparison(less),
        }
    }

    fn comparison(&mut self, depth: u8) -> String {
        let not = self.one(&["", "NOT "]);
        let order = self.one(&["=", "<>", "<", "<=", ">", ">="]);
        let same = self.one(&["=", "<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]);
        match self.0.u8(..14) {
            0 | 1 => format!("{} {same} {}", self.text(depth), self.literal()),
            2 => format!("{} {same} {}", self.text(depth), self.text(depth)),
            3 => {
                let like = self.one(&["LIKE", "ILIKE"]);
                let pattern = self.one(&["%", "oak%", "%A%", "_ak", "50\\%", "%\\_%", "%''%", "Ä", "%ß%", "a\\\\b", ""]);
                format!("{} {not}{like} '{pattern}'", self.text(depth))
            }
            4 => {
                let null = self.one(&["", "", ", NULL"]);
                format!("{} {not}IN ({}, {}{null})", self.text(depth), self.literal(), self.literal())
            }
            5 => format!("{} {order} {}", self.number(depth, false), self.one(&["0", "1", "2", "-3", "1.5", "7"])),
            6 => format!("{} {order} {}", self.number(depth, false), self.number(depth, false)),
            7 => format!(
                "{} {not}BETWEEN {} AND {}",
                self.number(depth, false),
                self.one(&["-3", "0"]),
                self.one(&["1", "2.5"])
            ),
            8 | 9 => {
                let (moment, zoned) = self.moment(depth);
                let text = self.moment_text();
                // A zone in a literal is passed over by a moment without one.
                let text = if zoned { text } else { text.trim_end_matches("+02:00").trim_end_matches('Z').to_owned() };
                format!("{moment} {order} '{text}'")
            }
            10 => format!("{} {order} '{}'", self.date(depth), self.day()),
            11 => format!("{} {order} {}", self.date(depth), self.moment(depth).0),
            12 => {
                let element = self.one(&["oak", "elm", "steel"]);
                match self.0.u8(..3) {
                    0 => format!("'{element}' = ANY (materials)"),
                    1 => format!("materials @> ARRAY['{element}']"),
                    _ => format!("materials && ARRAY['{element}', 'oak']"),
                }
            }
            _ => {
                let (name, _) = self.one(&COLUMNS);
                format!("{name} IS {not}NULL")
            }
        }
    }

    fn value(&mut self, name: &str, kind: ColumnKind, row: usize) -> Value {
        if name == "_record_id" {
            return Value::Text(format!("r{row:02}"));
        }
        if name != "_created_at" && self.0.u8(..5) == 0 {
            return Value::Null;
        }
        match kind {
            ColumnKind::Text => self.one(&TEXTS).into(),
            ColumnKind::Array => {
                let all = ["oak", "elm", "steel"];
                Value::Array(all[..self.0.usize(..4)].iter().rev().map(|element| (*element).to_owned()).collect())
            }
            ColumnKind::Double => self.one(&[-3.0, -0.5, 0.0, 1.0, 1.5, 2.5, 100.25]).into(),
            ColumnKind::Integer => Value::Integer(self.0.i64(-3..6)),
            ColumnKind::Date => Value::read(kind, self.day()).expect("a day"),
            ColumnKind::Timestamp => {
                let text = format!("{}T{}Z", self.day(), self.one(&TIMES));
                Value::read(kind, &text).expect("a moment")
            }
            ColumnKind::Boolean | ColumnKind::Point => Value::Null,
        }
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Array(elements) => Maker::quoted(&format!("{{{}}}", elements.join(","))),
        Value::Timestamp(moment) => Maker::quoted(&moment.to_string()),
        other => Maker::quoted(&other.to_text()),
    }
}

fn type_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "text",
        ColumnKind::Array => "text[]",
        ColumnKind::Double => "double precision",
        ColumnKind::Integer => "bigint",
        ColumnKind::Date => "date",
        ColumnKind::Timestamp => "timestamptz",
        ColumnKind::Boolean => "boolean",
        ColumnKind::Point => "point",
    }
}

/// Writes `sql_statements.sql`, whose answers begin with a condition's number, and `sql_expected.txt`, the same answers by the
/// sandbox. PostgreSQL gets a condition as it was made up, the sandbox as Sexton prints it.
#[test]
#[ignore = "writes files for tests/interop/run.sh into the directory that SEXTON_JUDGED names"]
fn writes_judged_conditions() {
    let directory = std::env::var("SEXTON_JUDGED").expect("SEXTON_JUDGED names a directory");
    let mut maker = Maker(Rng::with_seed(7));
    let mut organization = Organization::example("2026-11-21T10:00:00Z".parse().expect("a moment"));
    let columns = COLUMNS.map(|(name, kind)| format!("{name} {}", type_name(kind))).join(", ");
    let mut statements = format!("SET TimeZone = 'UTC';\nCREATE TABLE park ({columns});\n");
    for row in 0..ROWS {
        let values = COLUMNS.map(|(name, kind)| (name, maker.value(name, kind, row)));
        let listed = values.iter().map(|(_, value)| written(value)).collect::<Vec<_>>().join(", ");
        writeln!(statements, "INSERT INTO park VALUES ({listed});").expect("memory");
        organization.insert("Park Inventory", values).expect("known columns");
    }
    let mut expected = String::new();
    for number in 0..CONDITIONS {
        let depth = maker.0.u8(..4);
        let condition = maker.condition(depth);
        let printed = match parse_condition(&condition) {
            Ok(printed) => printed,
            Err(errors) if errors[0].message == "the condition names no field" => continue,
            Err(errors) => panic!("{condition}: {errors:?}"),
        };
        let query = format!("SELECT _record_id FROM \"Park Inventory\" WHERE ({printed}) ORDER BY _record_id");
        let answer = match run(&query, &organization) {
            Ok(found) => found.rows.iter().map(|row| row[0].to_text()).collect::<Vec<_>>().join(" "),
            Err(error) => format!("error: {error}"),
        };
        let all = "coalesce(string_agg(_record_id, ' ' ORDER BY _record_id), '')";
        let condition = condition.replace('\n', "' || chr(10) || '");
        writeln!(statements, "SELECT {number} || '|' || {all} FROM park WHERE ({condition});").expect("memory");
        writeln!(expected, "{number}|{answer}\t{condition}").expect("memory");
    }
    std::fs::write(format!("{directory}/sql_statements.sql"), statements).expect("written");
    std::fs::write(format!("{directory}/sql_expected.txt"), expected).expect("written");
}
