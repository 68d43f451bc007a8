//! What a column of a form holds, and the three ways the Query API writes it.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::ColumnKind;

/// A value in a row of a form or of a query's result. Not the value in a record's JSON, where choices are objects.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL's null: unlike everything, itself included, for the operators of a query.
    Null,
    /// True or false. No field holds one; conditions do.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Double(f64),
    /// Text. The empty one is not null.
    Text(String),
    /// A moment; written in UTC.
    Timestamp(Timestamp),
    /// A day.
    Date(Date),
    /// The choices of a choice field.
    Array(Vec<String>),
    /// A place on earth, in degrees.
    Point {
        /// East of Greenwich.
        longitude: f64,
        /// North of the equator.
        latitude: f64,
    },
}

/// Text that does not fit a column. The words are those of PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid input syntax for type {kind}: \"{text}\"")]
pub struct ValueError {
    kind: &'static str,
    text: String,
}

impl Value {
    /// Reads text as PostgreSQL reads an untyped literal. A moment without a zone is in UTC; an array may lack its braces.
    ///
    /// # Errors
    ///
    /// When the text is no value of that kind.
    pub fn read(kind: ColumnKind, text: &str) -> Result<Self, ValueError> {
        let trimmed = text.trim();
        let value = match kind {
            ColumnKind::Text => Some(Self::Text(text.to_owned())),
            ColumnKind::Boolean => match trimmed.to_ascii_lowercase().as_str() {
                "t" | "true" | "y" | "yes" | "on" | "1" => Some(Self::Boolean(true)),
                "f" | "false" | "n" | "no" | "off" | "0" => Some(Self::Boolean(false)),
                _ => None,
            },
            ColumnKind::Integer => trimmed.parse().ok().map(Self::Integer),
            ColumnKind::Double => trimmed.parse().ok().map(Self::Double),
            ColumnKind::Timestamp => moment(trimmed).map(Self::Timestamp),
            ColumnKind::Date => {
                let day = |moment: Timestamp| moment.to_zoned(TimeZone::UTC).date();
                trimmed.parse().ok().or_else(|| moment(trimmed).map(day)).map(Self::Date)
            }
            ColumnKind::Array => Some(Self::Array(elements(trimmed))),
            ColumnKind::Point => None,
        };
        value.ok_or_else(|| ValueError { kind: kind.sql_name(), text: text.to_owned() })
    }

    /// The order of two values that can be compared; nothing if one is null or they cannot.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Boolean(left), Self::Boolean(right)) => left.cmp(right),
            (Self::Integer(left), Self::Integer(right)) => left.cmp(right),
            (Self::Integer(_) | Self::Double(_), Self::Integer(_) | Self::Double(_)) => {
                self.number()?.total_cmp(&other.number()?)
            }
            (Self::Text(left), Self::Text(right)) => collate(left, right),
            (Self::Date(left), Self::Date(right)) => left.cmp(right),
            (Self::Timestamp(_) | Self::Date(_), Self::Timestamp(_) | Self::Date(_)) => self.moment()?.cmp(&other.moment()?),
            (Self::Array(left), Self::Array(right)) => left.cmp(right),
            _ => return None,
        })
    }

    /// A number as one with a fraction.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// A moment, or the midnight in UTC that a day begins with.
    pub(super) fn moment(&self) -> Option<Timestamp> {
        match self {
            Self::Timestamp(moment) => Some(*moment),
            Self::Date(date) => date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()),
            _ => None,
        }
    }

    /// As in the rows of a JSON answer (recorded forms).
    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Boolean(truth) => json!(truth),
            Self::Integer(number) => json!(number),
            Self::Double(number) => json!(number),
            Self::Text(text) => json!(text),
            Self::Timestamp(moment) => json!(format!("{:.3}", moment)),
            Self::Date(date) => json!(format!("{date}T00:00:00.000Z")),
            Self::Array(elements) => json!(elements),
            Self::Point { longitude, latitude } => json!({ "type": "Point", "coordinates": [longitude, latitude] }),
        }
    }

    /// As in a CSV answer (recorded forms, but for the truth of a condition and for more than one choice, which are guesses).
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Boolean(truth) => truth.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Double(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Timestamp(moment) => moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            Self::Date(date) => date.to_string(),
            Self::Array(elements) => elements.join(","),
            Self::Point { longitude, latitude } => format!("SRID=4326;POINT({longitude} {latitude})"),
        }
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    // jiff wants minutes in an offset, PostgreSQL does not.
    let with_minutes = || format!("{text}:00").parse().ok();
    let in_utc = |civil: DateTime| civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(|| text.parse().ok().and_then(in_utc)).or_else(with_minutes)
}

fn elements(text: &str) -> Vec<String> {
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let elements = text.split(',').map(|element| element.trim().trim_matches('"').to_owned());
    elements.filter(|element| !element.is_empty()).collect()
}

/// The order of two texts. Which collation the vendor's database has is not known; this one looks at letters and digits
/// without their case first, so that a client which takes the order of bytes for granted is found out. Only equal texts are equal.
pub(super) fn collate(left: &str, right: &str) -> Ordering {
    let letters = |character: &char| character.is_alphanumeric();
    let first = left.chars().filter(letters).flat_map(char::to_lowercase);
    first.cmp(right.chars().filter(letters).flat_map(char::to_lowercase)).then_with(|| right.cmp(left))
}

/// A moment so many seconds before another.
pub(super) fn seconds_before(moment: Timestamp, seconds: i64) -> Timestamp {
    moment.saturating_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN)
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::Timestamp(moment)
    }
}

impl From<Date> for Value {
    fn from(date: Date) -> Self {
        Self::Date(date)
    }
}

impl From<&[&str]> for Value {
    fn from(elements: &[&str]) -> Self {
        Self::Array(elements.iter().map(|element| (*element).to_owned()).collect())
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_as_recorded() {
        let read = |kind, text| Value::read(kind, text).map(|value| (value.to_json().to_string(), value.to_text()));
        let pair = |json: &str, csv: &str| Ok((json.to_owned(), csv.to_owned()));
        let moment = pair("\"2016-10-27T11:54:51.000Z\"", "2016-10-27 11:54:51 UTC");
        for text in ["2016-10-27 11:54:51 UTC", "2016-10-27T11:54:51.000Z", "2016-10-27 11:54:51", "2016-10-27 13:54:51+02"]
        {
            assert_eq!(read(ColumnKind::Timestamp, text), moment, "{text}");
        }
        assert_eq!(
            read(ColumnKind::Timestamp, "2016-10-27"),
            pair("\"2016-10-27T00:00:00.000Z\"", "2016-10-27 00:00:00 UTC")
        );
        assert_eq!(read(ColumnKind::Date, "2016-10-27"), pair("\"2016-10-27T00:00:00.000Z\"", "2016-10-27"));
        assert_eq!(read(ColumnKind::Double, "9.84"), pair("9.84", "9.84"));
        assert_eq!(read(ColumnKind::Array, "{a,\"b c\"}"), pair("[\"a\",\"b c\"]", "a,b c"));
        let error = read(ColumnKind::Timestamp, "soon").expect_err("refused").to_string();
        assert_eq!(error, "invalid input syntax for type timestamp with time zone: \"soon\"");
    }

    #[test]
    fn orders_texts_otherwise_than_bytes_do_and_totally() {
        let mut texts = ["b", "B-", "a", "Z", "-c", "A", "b-"];
        texts.sort_by(|left, right| collate(left, right));
        assert_eq!(texts, ["a", "A", "b-", "b", "B-", "-c", "Z"]);
    }
}
