//! The key of one record in one system.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
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
/// - The bytes after the key are zeros, which no key contains. So whole arrays compare as the keys do, without their lengths.
/// - Ordering is by byte, which is also how `LC_ALL=C sort` orders a records file.
///
/// A Salesforce identifier must be made canonical (18 characters) with `system::canonical_salesforce_id` before it becomes
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
#[derive(Clone, Copy, Eq)]
pub struct RecordId {
    bytes: [u8; CAPACITY],
    length: u8,
}

/// Which bytes a key may have.
const ALLOWED: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        allowed[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'_');
        byte += 1;
    }
    allowed
};

impl RecordId {
    /// Takes `text` as a record's key.
    ///
    /// # Errors
    ///
    /// When the text is empty, longer than 36 bytes, or holds anything but ASCII letters, digits, `-` and `_`.
    pub fn new(text: &str) -> Result<Self, RecordIdError> {
        Self::from_bytes(text.as_bytes())
    }

    /// The same of bytes that need not be text.
    ///
    /// # Errors
    ///
    /// As [`RecordId::new`].
    #[inline]
    pub fn from_bytes(source: &[u8]) -> Result<Self, RecordIdError> {
        // Without an early end: nearly every key is well formed, and branches would cost more than the few bytes left.
        let is_allowed = source.iter().fold(true, |allowed, byte| allowed & ALLOWED[usize::from(*byte)]);
        if source.is_empty() || source.len() > CAPACITY || !is_allowed {
            return Err(RecordIdError { shown: String::from_utf8_lossy(source).chars().take(48).collect() });
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
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl PartialEq for RecordId {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // Without a call: two streams of records are compared one by one.
        self.cmp(other) == Ordering::Equal
    }
}

impl Hash for RecordId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl PartialOrd for RecordId {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RecordId {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        // As the bytes compare, four at a time. Sorting and merging do little else.
        for (left, right) in self.bytes.as_chunks::<4>().0.iter().zip(other.bytes.as_chunks::<4>().0) {
            if left != right {
                return u32::from_be_bytes(*left).cmp(&u32::from_be_bytes(*right));
            }
        }
        Ordering::Equal
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

impl JsonSchema for RecordId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RecordId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": CAPACITY })
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_by_byte_and_not_by_length() {
        let mut ids = ["b", "a", "aa", "B"].map(|text| RecordId::new(text).expect("valid"));
        ids.sort();
        assert_eq!(ids.map(|id| id.to_string()), ["B", "a", "aa", "b"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn orders_and_equals_as_its_text_does(left in "[A-Za-z0-9_-]{1,36}", right in "[A-Za-z0-9_-]{1,36}", shared in 0..36_usize) {
            let right: String = left.chars().take(shared).chain(right.chars()).take(36).collect();
            let (one, other) = (RecordId::new(&left).expect("valid"), RecordId::new(&right).expect("valid"));
            prop_assert_eq!(one.cmp(&other), left.cmp(&right));
            prop_assert_eq!(one == other, left == right);
        }
    }

    #[test]
    fn takes_letters_digits_hyphens_and_underscores_and_no_other_byte() {
        for byte in 0..=u8::MAX {
            let is_right = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            for source in [[byte, b'a', b'b'], [b'a', byte, b'b'], [b'a', b'b', byte]] {
                assert_eq!(RecordId::from_bytes(&source).is_ok(), is_right, "{source:?}");
            }
            assert_eq!(RecordId::from_bytes(&[byte; CAPACITY]).is_ok(), is_right, "{byte}");
        }
    }

    #[test]
    fn refuses_what_would_need_quoting() {
        for text in ["", "a b", "a'b", "a,b", "a\nb", "é", "=cmd()", &"x".repeat(37)] {
            assert!(RecordId::new(text).is_err(), "{text:?}");
        }
    }
}
