//! What names an object that a run has written.

use serde::{Deserialize, Serialize};

use crate::base::Digest;

/// Names an object that a run has written, for the journal: which one it is, and what its bytes are.
///
/// It is not a place: where the object lies follows from what it is of, and from the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seal {
    /// Which attempt to write it this is, from 0; an earlier one is of a process that died before it could journal it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// In how many parts it lies; 0 for one whole object.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub parts: u32,
    /// The digest of all its bytes.
    pub digest: Digest,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
