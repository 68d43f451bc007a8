//! Errors as every provider makes them.

use crate::provider::{ErrorClass, ProviderError};

/// An error without an HTTP status. `doing` completes "could not".
pub(in crate::provider) fn error(class: ErrorClass, doing: &str, code: &str, message: impl Into<String>) -> ProviderError {
    let (doing, code, message) = (doing.to_owned(), code.to_owned(), message.into());
    ProviderError { class, doing, status: None, code, message, help: None }
}

/// The error for a read that ended before it was complete.
pub(in crate::provider) fn incomplete(doing: &str, message: impl Into<String>) -> ProviderError {
    ProviderError {
        help: Some("nothing was changed; run the same command again".into()),
        ..error(ErrorClass::Incomplete, doing, "incomplete", message)
    }
}

/// The error for rows or answers that cannot be kept on this machine.
pub(in crate::provider) fn not_kept(doing: &str, cause: &std::io::Error) -> ProviderError {
    error(ErrorClass::Local, doing, "not-kept", format!("the answer cannot be stored: {cause}"))
}
