//! The values that conditions are about.

use jiff::Timestamp;
use jiff::civil::Date;

/// The value of a field of one record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Empty.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A day.
    Date(Date),
    /// A moment.
    DateTime(Timestamp),
    /// Text, a picklist, a key. Empty text is an empty field.
    Text(String),
    /// The chosen values of a multi-select picklist. None chosen is an empty field.
    MultiPicklist(Vec<String>),
}

impl Value {
    /// That empty text is the same as no value at all is a guess from how the system stores text.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::MultiPicklist(chosen) => chosen.is_empty(),
            Self::Boolean(_) | Self::Number(_) | Self::Date(_) | Self::DateTime(_) => false,
        }
    }

    /// What is chosen in a multi-select picklist, also when it is given in the written form `a;b`.
    pub(super) fn chosen(&self) -> Vec<&str> {
        match self {
            Self::MultiPicklist(chosen) => chosen.iter().map(String::as_str).collect(),
            Self::Text(text) => parts(text),
            Self::Null | Self::Boolean(_) | Self::Number(_) | Self::Date(_) | Self::DateTime(_) => Vec::new(),
        }
    }
}

/// The parts of the written form `a;b`.
pub(super) fn parts(text: &str) -> Vec<&str> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).collect()
}
