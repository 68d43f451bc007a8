//! Values of fields.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::RecordKey;

/// The value of one field of one record.
///
/// A multi-select picklist is text with `;` between its values, as the vendor stores and shows it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing. Empty text is stored as nothing too (documented).
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A day.
    Date(Date),
    /// A moment, to the second.
    DateTime(Timestamp),
    /// Text.
    Text(Arc<str>),
    /// The key of a record.
    Reference(RecordKey),
}

impl Value {
    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text a person would read, without quotes; empty for nothing. Moments are written as in bulk CSV files,
    /// with milliseconds and `Z`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Boolean(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::Date(value) => value.to_string(),
            Self::DateTime(value) => value.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
            Self::Text(value) => value.to_string(),
            Self::Reference(key) => key.to_string(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        if text.is_empty() { Self::Null } else { Self::Text(text.into()) }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<Date> for Value {
    fn from(value: Date) -> Self {
        Self::Date(value)
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::DateTime(whole_seconds(value))
    }
}

impl From<RecordKey> for Value {
    fn from(value: RecordKey) -> Self {
        Self::Reference(value)
    }
}

/// The same moment without its fraction of a second: the vendor shows `.000` always.
pub(in crate::sandbox) fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// Text that does not fit a field's type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a valid value for the type {wanted}")]
pub struct ValueError {
    pub(super) text: String,
    pub(super) wanted: &'static str,
}

/// Reads a moment as seeds and requests write it: `2026-01-01T00:00:00Z`, `…+01:00`, `…000+0000`, or with a space
/// instead of the `T`, or a date alone (midnight UTC).
pub(super) fn read_moment(text: &str) -> Option<Timestamp> {
    let moment = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| jiff::Zoned::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok().map(|zoned| zoned.timestamp()))
        .or_else(|| {
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })?;
    Some(whole_seconds(moment))
}
