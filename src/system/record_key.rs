//! The form of each system's keys.

use super::{SalesforceIdError, SystemKind, canonical_salesforce_id};
use crate::base::{RecordId, counted};

/// The key of a record, from the text that a person or a file has for it, in the form in which the system gives it.
///
/// # Errors
///
/// In words for people, when no record of the system can have that key. They do not repeat the text, which may be anything.
pub fn record_key(system: SystemKind, text: &str) -> Result<RecordId, String> {
    let letters = text.chars().count();
    let refuse =
        |form: &str| Err(format!("{} that are no {} id: {form}", counted(letters as u64, "character"), system.title()));
    match system {
        SystemKind::Salesforce => match canonical_salesforce_id(text) {
            Ok(id) => Ok(id),
            Err(SalesforceIdError::Checksum { expected, .. }) => Err(format!(
                "the id has a wrong checksum, as after a change of letter case: its first 15 characters give `{expected}`"
            )),
            Err(SalesforceIdError::Shape(_) | SalesforceIdError::Record(_)) => refuse("it has 15 or 18 letters and digits"),
        },
        SystemKind::Zuora => match zuora_record_key(text) {
            // Every recorded id has small letters, and whether case counts is not documented: another case may be another record or none.
            Some(_) if text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Err("the id has capitals, which Zuora's have not".to_owned())
            }
            Some(id) => Ok(id),
            None => refuse("it has 32 letters and digits, or digits alone"),
        },
        SystemKind::Fulcrum => match RecordId::new(text) {
            // The form is documented with small letters. Ids of other forms are opaque, and their case counts (recorded).
            Ok(_) if is_uuid(text) && text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Err("the id has capitals, which the UUIDs of Fulcrum have not".to_owned())
            }
            Ok(id) => Ok(id),
            Err(_) => refuse("it has up to 36 ASCII letters, digits, `-` and `_`"),
        },
    }
}

/// Whether a text has the form of a UUID.
fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
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
        let key = |system, text: &str| record_key(system, text).map(|id| id.to_string());
        assert_eq!(key(SystemKind::Salesforce, "001D000000ISUr3"), Ok("001D000000ISUr3IAH".into()));
        assert_eq!(key(SystemKind::Salesforce, "001D000000ISUr3IAH"), Ok("001D000000ISUr3IAH".into()));
        let lowered = key(SystemKind::Salesforce, "001d000000isur3iah").expect_err("a wrong checksum");
        assert!(lowered.contains("checksum"), "{lowered}");
        let zuora = "2c92c0f95e1b7f5c015e2ac2a7ff3b53";
        assert_eq!(key(SystemKind::Zuora, zuora), Ok(zuora.into()));
        assert_eq!(key(SystemKind::Zuora, "4711"), Ok("4711".into()));
        assert!(key(SystemKind::Zuora, "A-00000001").is_err());
        assert!(key(SystemKind::Zuora, &zuora.to_uppercase()).is_err(), "it may be another record, or none");
        let uuid = "0f4b9a52-6a9c-4f0c-9a63-3d0f3bb2a9d1";
        assert_eq!(key(SystemKind::Fulcrum, uuid), Ok(uuid.into()));
        assert!(key(SystemKind::Fulcrum, &uuid.to_uppercase()).is_err());
        assert_eq!(key(SystemKind::Fulcrum, "0m3iTkWWD1QVwGRFJz7LAHU1"), Ok("0m3iTkWWD1QVwGRFJz7LAHU1".into()));
        for system in SystemKind::ALL {
            let refused = key(system, "sandbox secret").expect_err("no id");
            assert!(!refused.contains("secret"), "{refused}");
        }
        assert_eq!(key(SystemKind::Fulcrum, "51a7c7bc1e3b4a0f8d000001"), Ok("51a7c7bc1e3b4a0f8d000001".into()));
        assert!(key(SystemKind::Fulcrum, "a b").is_err());
    }
}
