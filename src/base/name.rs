//! Names people give to things in manifests.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a text cannot be a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{shown}` is not a name: lower-case letters, digits and `-`, starting and ending with a letter or digit, at most 63"
)]
pub struct NameError {
    shown: String,
}

/// What a name looks like, for schemas.
pub const NAME_PATTERN: &str = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";

/// Whether `text` is a DNS label (RFC 1123), the habit of Kubernetes manifests.
fn is_dns_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// **Invariant**: a DNS label, so that it is also safe as a file name, an anchor and an argument.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(inline, description = "", extend("pattern" = NAME_PATTERN))]
        pub struct $name(String);

        impl $name {
            /// Takes `text` as a name.
            ///
            /// # Errors
            ///
            /// When the text is not a DNS label.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                if is_dns_label(&text) { Ok(Self(text)) } else { Err(NameError { shown: text.chars().take(80).collect() }) }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }
    )*};
}

names! {
    /// The name of a deletion policy.
    PolicyName;
    /// The name of a target, which is ours, and not the system's own name for the organization.
    TargetName;
    /// The name of a hold.
    HoldName;
    /// The name of a project.
    ProjectName;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_dns_labels_only() {
        for good in ["a", "stale-leads", "9lives", &"a".repeat(63)] {
            assert!(PolicyName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "Stale", "a_b", "a/b", "..", "a b", &"a".repeat(64)] {
            assert!(PolicyName::new(bad).is_err(), "{bad}");
        }
    }
}
