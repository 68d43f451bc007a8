//! What went wrong between us and a system.

use crate::base::{CommandError, coded};

use std::fmt;
use std::time::Duration;

/// What may be done about an error. Decided once, at the edge, from the system's own code and status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Nothing happened, and the same request may succeed later.
    Transient,
    /// Nothing happened; not before this long.
    Throttled {
        /// How long to wait, where the system said so.
        wait: Option<Duration>,
    },
    /// Nothing happened; a limit of the system is used up for hours.
    Quota,
    /// The sign-in was refused, or the session ended and could not be renewed.
    Unauthenticated,
    /// The login may not do this.
    Denied,
    /// The login is for another organization than the one asked for. Nothing else was asked and nothing was sent.
    WrongSystem,
    /// What was asked for does not exist.
    NotFound,
    /// The request is wrong; repeating it cannot help.
    Invalid,
    /// The system cannot do this.
    Unsupported,
    /// Nothing happened; the request is too much for one transaction, and a smaller one may not be.
    TooHeavy,
    /// A deleting request may have taken effect. Never repeated blindly.
    Ambiguous,
    /// A read ended before it was complete.
    Incomplete,
    /// The answer cannot be understood.
    Malformed,
    /// Something on this machine: a secret that cannot be found, a file that cannot be read.
    Local,
}

impl ErrorClass {
    /// Whether the system has understood the request and says no to what it asks for: the same one will not be answered later, and
    /// others will.
    pub fn is_about_the_request(self) -> bool {
        matches!(self, Self::Denied | Self::NotFound | Self::Invalid | Self::Unsupported | Self::TooHeavy)
    }
}

/// What went wrong between us and a system, in words for people, the system's own code and words kept.
///
/// `message` may be hostile text and is escaped by whatever shows it. No part ever contains a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    /// What may be done about it.
    pub class: ErrorClass,
    /// What was being done, to read after "could not": `create a Bulk API 2.0 job for Lead`.
    pub doing: String,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The system's own code, such as `FEATURENOTENABLED`; ours in lower case where it gave none.
    pub code: String,
    /// The system's own words.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

impl ProviderError {
    /// The system's own code and words.
    pub fn said(&self) -> String {
        coded(&self.code, &self.message)
    }

    /// Whether the same call may simply be made again after a pause.
    pub fn may_be_retried(&self) -> bool {
        matches!(self.class, ErrorClass::Transient | ErrorClass::Throttled { .. })
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "could not {}: ", self.doing)?;
        let said = self.said();
        match self.status {
            Some(status) if said == self.message => write!(formatter, "HTTP {status}: {said}"),
            Some(status) => write!(formatter, "HTTP {status} {said}"),
            None => formatter.write_str(&said),
        }
    }
}

impl std::error::Error for ProviderError {}

impl From<ProviderError> for CommandError {
    fn from(error: ProviderError) -> Self {
        let mut converted = Self::plain(error.to_string());
        converted.help = error.help;
        converted
    }
}
