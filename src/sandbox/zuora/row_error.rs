//! Why one record was not deleted.

/// Why one record was not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct RowError {
    pub code: String,
    pub message: String,
}

impl RowError {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }

    /// Somebody else holds the record (text seen by clients).
    pub(super) fn lock() -> Self {
        Self::new("LOCK_COMPETITION", "Operation failed due to a lock competition, please retry later.")
    }

    /// The system keeps the record.
    pub(super) fn kept(message: &str) -> Self {
        Self::new("CANNOT_DELETE", message)
    }
}

/// A record that refuses, and how often still.
#[derive(Clone, Debug)]
pub(super) struct Stubborn {
    pub error: RowError,
    pub times: Option<u32>,
}
