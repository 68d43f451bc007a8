//! The form of each system's keys.

use super::{SystemKind, canonical_salesforce_id};
use crate::base::{RecordId, shortened};

/// The key of a record, from the text that a person or a file has for it, in the form in which the system gives it.
///
/// # Errors
///
/// In words for people, when no record of the system can have that key.
pub fn record_key(system: SystemKind, text: &str) -> Result<RecordId, String> {
    match system {
        SystemKind::Salesforce => canonical_salesforce_id(text).map_err(|error| error.to_string()),
        SystemKind::Zuora => zuora_record_key(text)
            .ok_or_else(|| format!("`{}` is not a Zuora id: 32 letters and digits, or digits alone", shortened(text))),
        // Opaque, and not always a UUID (documented).
        SystemKind::Fulcrum => RecordId::new(text).map_err(|error| error.to_string()),
    }
}

/// A key of Zuora: 32 letters and digits, or digits alone (documented, WSDL).
pub fn zuora_record_key(text: &str) -> Option<RecordId> {
    let well_formed = match text.len() {
        32 => text.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        _ => text.bytes().all(|byte| byte.is_ascii_digit()),
    };
    RecordId::new(text).ok().filter(|_| well_formed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_knows_its_own_keys_and_says_what_is_wrong_with_others() {
        let key = |system, text| record_key(system, text).map(|id| id.to_string());
        assert_eq!(key(SystemKind::Salesforce, "001D000000ISUr3"), Ok("001D000000ISUr3IAH".into()));
        assert_eq!(key(SystemKind::Salesforce, "001D000000ISUr3IAH"), Ok("001D000000ISUr3IAH".into()));
        let lowered = key(SystemKind::Salesforce, "001d000000isur3iah").expect_err("a wrong checksum");
        assert!(lowered.contains("checksum"), "{lowered}");
        let zuora = "2c92c0f95e1b7f5c015e2ac2a7ff3b53";
        assert_eq!(key(SystemKind::Zuora, zuora), Ok(zuora.into()));
        assert_eq!(key(SystemKind::Zuora, "4711"), Ok("4711".into()));
        assert!(key(SystemKind::Zuora, "A-00000001").is_err());
        assert_eq!(key(SystemKind::Fulcrum, "51a7c7bc1e3b4a0f8d000001"), Ok("51a7c7bc1e3b4a0f8d000001".into()));
        assert!(key(SystemKind::Fulcrum, "a b").is_err());
    }
}
