//! What a system said when it did not delete a record.

use serde::{Deserialize, Serialize};

/// What may be done about a record that was not deleted. Decided once, at the edge, from the system's own code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// Another transaction held a lock: these rows may be sent again, in smaller groups.
    Locked,
    /// The system was busy or failed for a while: these rows may be sent again.
    Transient,
    /// The login may not delete this record.
    Denied,
    /// Something still depends on the record.
    Dependent,
    /// Logic in the system (a trigger, a validation rule) refused.
    Refused,
    /// The request was too much for one transaction: what goes along with its records, or what logic in the system does about them.
    /// Fewer at a time may go.
    TooHeavy,
    /// The request or the identifier is wrong; sending it again cannot help.
    Invalid,
    /// A limit of the system; not today.
    Quota,
    /// A code that no table here knows. Never sent again.
    Unrecognized,
}

impl FailureClass {
    /// Whether the same record may be sent again in the same run.
    pub fn may_be_retried(self) -> bool {
        matches!(self, Self::Locked | Self::Transient)
    }
}

/// A code and its message, for people. A code of our own, in lower case, names for programs what the message says; it is left out.
pub fn coded(code: &str, message: &str) -> String {
    let is_ours = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    if is_ours { message.to_owned() } else { format!("{code}: {message}") }
}

/// The system's own code and words for one record that it did not delete.
///
/// The message is hostile text: escape it for whatever it is shown in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failure {
    /// What may be done about it.
    pub class: FailureClass,
    /// The system's code, such as `UNABLE_TO_LOCK_ROW`.
    pub code: String,
    /// The system's words.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_the_system_is_shown_and_one_of_ours_is_not() {
        for (code, shown) in [
            ("UNABLE_TO_LOCK_ROW", "UNABLE_TO_LOCK_ROW: words"),
            ("invalid_grant", "invalid_grant: words"),
            ("InvalidBatch", "InvalidBatch: words"),
            ("no-secret", "words"),
            ("incomplete", "words"),
        ] {
            assert_eq!(coded(code, "words"), shown);
        }
    }
}
