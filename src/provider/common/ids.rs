//! What must be true of ids before they are sent.

use super::failure::error;
use crate::base::RecordId;
use crate::provider::{ErrorClass, ProviderError};

/// Refuses what cannot be the ids of one batch of at most `most`: none, too many, one twice, or one that `is_id` does not know.
pub(in crate::provider) fn check_ids(
    doing: &str,
    ids: &[RecordId],
    most: usize,
    is_id: impl Fn(&RecordId) -> bool,
) -> Result<(), ProviderError> {
    let wrong = |code, message| Err(error(ErrorClass::Invalid, doing, code, message));
    if ids.is_empty() || ids.len() > most {
        return wrong("batch-size", format!("a batch has 1 to {most} ids"));
    }
    let mut sorted: Vec<&RecordId> = ids.iter().collect();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return wrong("repeated-id", "the same id is in one batch twice".to_owned());
    }
    check_forms(doing, ids, is_id)
}

/// Refuses ids that have not the form of this system's.
pub(super) fn check_forms(doing: &str, ids: &[RecordId], is_id: impl Fn(&RecordId) -> bool) -> Result<(), ProviderError> {
    match ids.iter().find(|id| !is_id(id)) {
        Some(id) => {
            let message = format!("`{id}` is not a full id of this system");
            Err(error(ErrorClass::Invalid, doing, "malformed-id", message))
        }
        None => Ok(()),
    }
}
