//! What codes and names of a system mean, for those who show or select and know no system.

use super::{SystemKind, salesforce, zuora};

/// What to do about records that failed with this code, where it says that other work held their locks to the last. No two systems
/// share such a code.
pub fn lock_help(code: &str) -> Option<&'static str> {
    let held = salesforce::LOCK_CODES.contains(&code) || zuora::LOCK_CODES.contains(&code);
    held.then_some(
        "other work held their locks: write `concurrency: serial` for one batch at a time (Bulk API 1.0 in Salesforce), and `groupBy` \
         with the field that names their parent",
    )
}

/// Whether the rows of an object are records of their own. Those of an object that the system keeps beside another one come and go
/// with its records: no hold can name them usefully, and most cannot be queried.
pub fn is_row_of_its_own(system: SystemKind, object: &str) -> bool {
    system != SystemKind::Salesforce || !salesforce::COMPANION_SUFFIXES.iter().any(|suffix| object.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_a_record_of_its_own_whatever_its_name_ends_in() {
        assert!(!is_row_of_its_own(SystemKind::Salesforce, "LeadHistory"));
        assert!(!is_row_of_its_own(SystemKind::Salesforce, "Invoice__Share"));
        assert!(is_row_of_its_own(SystemKind::Salesforce, "Lead"));
        assert!(is_row_of_its_own(SystemKind::Fulcrum, "Tree History"));
    }

    #[test]
    fn a_lock_is_told_from_other_failures() {
        assert!(["UNABLE_TO_LOCK_ROW", "LOCK_COMPETITION"].iter().all(|code| lock_help(code).is_some()));
        assert_eq!(lock_help("DELETE_FAILED"), None);
    }
}
