//! Record keys as the world stores them.

use std::fmt;

use crate::system::{SalesforceIdError, canonical_salesforce_id, salesforce_id_checksum};

/// The digits of an identifier's counter, in byte order, so that keys sort by the order of their creation.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The key of one record: the 15 case-sensitive characters that carry meaning.
///
/// It is shown with its checksum, as 18 characters. It is stored in 15 bytes, since a world may hold millions.
///
/// **Invariants**: 15 ASCII letters and digits; ordered by byte.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey([u8; 15]);

impl RecordKey {
    /// Reads a key in its 15 or 18 character form.
    ///
    /// # Errors
    ///
    /// When the text has another shape or a checksum that is not its own.
    pub fn parse(text: &str) -> Result<Self, SalesforceIdError> {
        let canonical = canonical_salesforce_id(text)?;
        let mut key = [0; 15];
        key.copy_from_slice(&canonical.as_bytes()[..15]);
        Ok(Self(key))
    }

    /// The key number `counter` of the objects with this prefix.
    pub(in crate::sandbox) fn numbered(prefix: [u8; 3], counter: u64) -> Self {
        let mut key = *b"000S00000000000";
        key[..3].copy_from_slice(&prefix);
        let mut rest = counter;
        for place in key[6..].iter_mut().rev() {
            *place = DIGITS[(rest % 62) as usize];
            rest /= 62;
        }
        Self(key)
    }

    /// The same key among the objects of another prefix.
    pub(in crate::sandbox) fn with_prefix(mut self, prefix: [u8; 3]) -> Self {
        self.0[..3].copy_from_slice(&prefix);
        self
    }

    /// The first three characters, which name the object.
    pub fn prefix(&self) -> [u8; 3] {
        [self.0[0], self.0[1], self.0[2]]
    }

    /// The 15 characters without a checksum.
    pub fn fifteen(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The 18 characters, as every answer shows them.
    pub fn eighteen(&self) -> [u8; 18] {
        let mut eighteen = [0; 18];
        eighteen[..15].copy_from_slice(&self.0);
        eighteen[15..].copy_from_slice(&salesforce_id_checksum(&self.0));
        eighteen
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(std::str::from_utf8(&self.eighteen()).unwrap_or_default())
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RecordKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_keys_that_sort_like_the_numbers() {
        let keys: Vec<RecordKey> =
            [0, 1, 9, 10, 61, 62, 1_000_000].map(|number| RecordKey::numbered(*b"00Q", number)).into();
        assert!(keys.is_sorted());
        assert_eq!(keys[1].to_string(), "00QS00000000001MAA");
        for key in keys {
            assert_eq!(RecordKey::parse(&key.to_string()), Ok(key));
            assert_eq!(RecordKey::parse(key.fifteen()), Ok(key));
        }
    }
}
