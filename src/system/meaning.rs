//! What codes of a system mean, for those who show or select and know no system.

use super::{salesforce, zuora};

/// What to do about records that failed with this code, where it says that other work held their locks to the last. No two systems
/// share such a code.
pub fn lock_help(code: &str) -> Option<&'static str> {
    let held = salesforce::LOCK_CODES.contains(&code) || zuora::LOCK_CODES.contains(&code);
    held.then_some(
        "other work held their locks: write `concurrency: serial` for one batch at a time (Bulk API 1.0 in Salesforce), and `groupBy` \
         with the field that names their parent",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_told_from_other_failures() {
        assert!(["UNABLE_TO_LOCK_ROW", "LOCK_COMPETITION"].iter().all(|code| lock_help(code).is_some()));
        assert_eq!(lock_help("DELETE_FAILED"), None);
    }
}
