//! What both bulk interfaces do with rows: the pace, transactions of 200, the words for a failed row.

use jiff::{SignedDuration, Timestamp};

use crate::sandbox::{DeleteMode, Deletion, ItemError, RecordKey, World};

/// Rows in one transaction. Source: documented.
pub(super) const CHUNK_ROWS: usize = 200;

/// How long that many rows take.
pub(super) fn time_of(rows: usize, rows_per_second: u64) -> SignedDuration {
    SignedDuration::from_nanos_i128(rows as i128 * 1_000_000_000 / i128::from(rows_per_second.max(1)))
}

/// How many rows a pace allows between two moments.
pub(super) fn rows_due(since: Timestamp, now: Timestamp, rows_per_second: u64) -> usize {
    let nanoseconds = u128::try_from(now.as_nanosecond() - since.as_nanosecond()).unwrap_or_default();
    usize::try_from(nanoseconds * u128::from(rows_per_second) / 1_000_000_000).unwrap_or(usize::MAX)
}

/// Whole milliseconds between two moments; none when they are the wrong way round.
pub(super) fn milliseconds(since: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.as_millisecond() - since.as_millisecond()).unwrap_or_default()
}

/// How the rows of a job are deleted. `operation` is the job's, as sent.
pub(super) fn deletion_of(operation: &str, user: RecordKey) -> Deletion {
    let mode = if operation == "hardDelete" { DeleteMode::Hard } else { DeleteMode::Soft };
    Deletion { mode, all_or_none: false, user }
}

/// Deletes one chunk: a transaction in which each row stands for itself, unless it is kept locked as a whole.
pub(super) fn delete_rows(
    world: &mut World,
    object: &str,
    deletion: Deletion,
    ids: &[&str],
    locked: bool,
) -> Vec<Result<(), ItemError>> {
    let keys: Vec<Result<RecordKey, ItemError>> = ids.iter().map(|id| key_of(world, object, id)).collect();
    let good: Vec<RecordKey> = keys.iter().filter_map(|key| key.as_ref().ok().copied()).collect();
    if locked {
        let error = ItemError::locked(&good);
        return ids.iter().map(|_| Err(error.clone())).collect();
    }
    let names: Vec<String> = good.iter().map(ToString::to_string).collect();
    let mut results = world.delete(&names, deletion).into_iter();
    keys.into_iter().map(|key| key.and_then(|_| results.next().unwrap_or(Ok(())))).collect()
}

/// The record a row names. Both texts are guesses, after those of other interfaces.
pub(super) fn key_of(world: &World, object: &str, id: &str) -> Result<RecordKey, ItemError> {
    let malformed = |message: String| ItemError { fields: vec!["Id".to_owned()], ..ItemError::new("MALFORMED_ID", message) };
    let key = RecordKey::parse(id).map_err(|_| malformed(format!("bad id {id}")))?;
    if world.object_of(key) == Some(object) {
        return Ok(key);
    }
    Err(malformed(format!("{object} ID: id value of incorrect type: {id}")))
}

/// `CODE:message:fields --`, as recorded; `--` stands alone when no field is to blame.
pub(super) fn error_cell(error: &ItemError) -> String {
    let fields = if error.fields.is_empty() { String::new() } else { format!("{} ", error.fields.join(",")) };
    format!("{}:{}:{fields}--", error.status_code, error.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_error_cells_as_recorded() {
        let plain = ItemError::new("ENTITY_IS_DELETED", "entity is deleted");
        assert_eq!(error_cell(&plain), "ENTITY_IS_DELETED:entity is deleted:--");
        let about_a_field = ItemError { fields: vec!["Name".into()], ..ItemError::new("REQUIRED_FIELD_MISSING", "missing") };
        assert_eq!(error_cell(&about_a_field), "REQUIRED_FIELD_MISSING:missing:Name --");
    }
}
