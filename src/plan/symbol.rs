//! What became of one record between two plans.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of one record between two plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Symbol {
    /// `-` Selected now, and not in the plan compared with.
    NewlySelected,
    /// `~` Selected now; failed or unknown last time, and tried again.
    Retried,
    /// `=` Selected now and in the plan compared with.
    Reviewed,
    /// `+` In the plan compared with, and not selected any more: it does not match now, or is gone, by whatever plan.
    NoLongerSelected,
    /// `#` Kept by a hold now, whether or not the plan compared with has it.
    Held,
}

impl Symbol {
    /// Every symbol, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::NewlySelected, Self::Retried, Self::Reviewed, Self::NoLongerSelected, Self::Held];

    /// Whether the record is selected now.
    pub fn is_selected(self) -> bool {
        matches!(self, Self::NewlySelected | Self::Retried | Self::Reviewed)
    }

    /// The character people see.
    pub fn character(self) -> char {
        match self {
            Self::NewlySelected => '-',
            Self::Retried => '~',
            Self::Reviewed => '=',
            Self::NoLongerSelected => '+',
            Self::Held => '#',
        }
    }
}
