//! The key of one record in one system.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest identifier of any supported system: a UUID with hyphens (Fulcrum).
const CAPACITY: usize = 36;

/// The key of one record, as the system that holds it writes it.
///
/// It is not a row number, and not unique across systems or objects. It is stored inline, so that a million of them
/// cost one allocation.
///
/// **Invariants**
/// - 1 to 36 bytes of ASCII letters, digits, `-` and `_`: it needs no quoting in CSV, SOQL, ZOQL, SQL or XML.
/// - Ordering is by byte, which is also how `LC_ALL=C sort` orders a records file.
///
/// A Salesforce identifier must be made canonical (18 characters) with [`super::canonical_salesforce_id`] before it becomes
/// one, since the 15 and the 18 character form name the same record.
///
/// ```
/// use sexton::base::RecordId;
///
/// let id = RecordId::new("00Q000000000001EAA")?;
/// assert_eq!(id.as_str(), "00Q000000000001EAA");
/// assert!(RecordId::new("' OR Id != '").is_err());
/// # Ok::<(), sexton::base::RecordIdError>(())
/// ```
#[derive(Clone, Copy)]
pub struct RecordId {
    length: u8,
    bytes: [u8; CAPACITY],
}

impl RecordId {
    /// Takes `text` as a record's key.
    ///
    /// # Errors
    ///
    /// When the text is empty, longer than 36 bytes, or holds anything but ASCII letters, digits, `-` and `_`.
    pub fn new(text: &str) -> Result<Self, RecordIdError> {
        let source = text.as_bytes();
        let well_formed = !source.is_empty()
            && source.len() <= CAPACITY
            && source.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !well_formed {
            return Err(RecordIdError { shown: text.chars().take(48).collect() });
        }
        let mut bytes = [0; CAPACITY];
        bytes[..source.len()].copy_from_slice(source);
        Ok(Self { length: source.len() as u8, bytes })
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The key as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl PartialEq for RecordId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for RecordId {}

impl PartialOrd for RecordId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RecordId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for RecordId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RecordId({self})")
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

/// Text that cannot be a record's key in any supported system.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a record id: 1 to 36 ASCII letters, digits, `-` or `_`")]
pub struct RecordIdError {
    shown: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_by_byte_and_not_by_length() {
        let mut ids = ["b", "a", "aa", "B"].map(|text| RecordId::new(text).expect("valid"));
        ids.sort();
        assert_eq!(ids.map(|id| id.to_string()), ["B", "a", "aa", "b"]);
    }

    #[test]
    fn refuses_what_would_need_quoting() {
        for text in ["", "a b", "a'b", "a,b", "a\nb", "é", "=cmd()", &"x".repeat(37)] {
            assert!(RecordId::new(text).is_err(), "{text:?}");
        }
    }
}
