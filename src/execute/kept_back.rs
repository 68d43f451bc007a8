//! How many planned records a recheck keeps back that are still there.

use std::io;

use super::excluded::check_presence_of;
use super::recheck::Recheck;
use super::round_note::note_of;
use crate::base::CommandError;
use crate::provider::ReadHalf;
use crate::store::{IdNote, Place, SortOrder};
use crate::system::DeleteMode;

/// How many records must not be sent although they are there: held ones, changed ones, and those that do not match any more. For
/// `allOrNone: true`, which has no use for a part; what is gone is where the policy wants it.
///
/// # Errors
///
/// When the system cannot be asked, or a scratch file not be used.
pub async fn kept_back(
    recheck: &Recheck,
    provider: &dyn ReadHalf,
    object: &str,
    scratch: &Place,
) -> Result<u64, CommandError> {
    let broken =
        |error: io::Error| CommandError::plain("the records that are kept back could not be counted").caused_by(&error);
    // No API hard-deletes all or none.
    let told = check_presence_of(&recheck.excluded, 0, SortOrder::Id, provider, (object, DeleteMode::Soft), scratch).await;
    let mut kept = 0;
    for row in told.map_err(broken)??.rows() {
        let note = row.and_then(|row| note_of(&row, 0)).map_err(broken)?;
        kept += u64::from(note != IdNote::Gone);
    }
    Ok(kept)
}
