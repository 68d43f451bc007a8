//! What a gate finds.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a policy may pass a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FindingKind {
    /// It may.
    Pass,
    /// It may, and a person should know something.
    Warn,
    /// It may not: such a plan is not applied.
    Refuse,
}

/// The finding of one gate about one policy, without the gate's name, which [`GateFinding`] adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the policy may pass.
    pub kind: FindingKind,
    /// One sentence with the numbers; for a refusal also what to change, and by how much.
    pub message: String,
}

impl Finding {
    /// The policy may pass.
    pub(super) fn pass(message: impl Into<String>) -> Self {
        Self { kind: FindingKind::Pass, message: message.into() }
    }

    /// The policy may pass, and a person should know something.
    pub(super) fn warn(message: impl Into<String>) -> Self {
        Self { kind: FindingKind::Warn, message: message.into() }
    }

    /// The policy may not pass.
    pub(super) fn refuse(message: impl Into<String>) -> Self {
        Self { kind: FindingKind::Refuse, message: message.into() }
    }
}

/// What a gate said of a policy, as a plan seals it. Printed as `gate: message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GateFinding {
    /// The gate's name, such as `max-records`. In a plan that was altered it may be any text.
    pub gate: String,
    /// Whether the policy may pass.
    pub kind: FindingKind,
    /// One sentence with the numbers; for a refusal also what to change, and by how much.
    pub message: String,
}

impl fmt::Display for GateFinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.gate, self.message)
    }
}
