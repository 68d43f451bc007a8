//! Why one record was not deleted.

use super::RecordKey;

/// Why one record was not deleted, in the vendor's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemError {
    /// The code, such as `ENTITY_IS_DELETED`.
    pub status_code: String,
    /// The message.
    pub message: String,
    /// The fields it is about; mostly none.
    pub fields: Vec<String>,
}

impl ItemError {
    /// An error about a whole record.
    pub fn new(status_code: &str, message: impl Into<String>) -> Self {
        Self { status_code: status_code.to_owned(), message: message.into(), fields: Vec::new() }
    }

    /// What happened to a record that could have been deleted, in a call that was undone (documented text).
    pub(in crate::sandbox) fn rolled_back() -> Self {
        let message = "Record rolled back because not all records were valid and the request was using AllOrNone header";
        Self::new("ALL_OR_NONE_OPERATION_ROLLED_BACK", message)
    }

    /// The row lock error as one call sees it (recorded text). `others` are further locked rows, of which ten are named.
    pub fn locked(keys: &[RecordKey]) -> Self {
        let named: Vec<String> = keys.iter().take(10).map(ToString::to_string).collect();
        let more = match keys.len().saturating_sub(10) {
            0 => String::new(),
            rest => format!(", ... ({rest} more)"),
        };
        let message = format!(
            "unable to obtain exclusive access to this record or {} records: {}{more}",
            keys.len().max(1),
            named.join(",")
        );
        Self::new("UNABLE_TO_LOCK_ROW", message)
    }
}
