//! Where in a round the records stand that must not be sent any more.

use std::io;

use super::step_runner::RoundFiles;
use crate::apply::{Presence, SkipCause};
use crate::base::RecordId;
use crate::plan::Row;
use crate::provider::{Provider, ProviderError};
use crate::store::{IdNote, RowSorter, SortOrder, SortedRows};

/// The places in a round of the records that must not be sent any more, in the order of the round.
pub(super) struct ExcludedPlaces {
    /// One row a place, with the place and the cause as its values; `None` when there are none.
    rows: Option<SortedRows>,
    // Last, so that the folder goes after the files in it.
    scratch: Option<tempfile::TempDir>,
}

/// The word instead of a cause for a record that is gone.
const GONE: &str = "gone";

impl ExcludedPlaces {
    /// Finds the records of `excluded` in a round. `scratch` makes a folder for what does not fit into memory.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or written.
    pub fn find(
        round: &RoundFiles,
        excluded: Option<&SortedRows>,
        scratch: impl FnOnce() -> io::Result<tempfile::TempDir>,
    ) -> io::Result<Self> {
        let Some(excluded) = excluded else { return Ok(Self { rows: None, scratch: None }) };
        let scratch = scratch()?;
        let sorter = |order| RowSorter::new(scratch.path(), order, RowSorter::WINDOW);
        // The round in the order of the ids, which is the order of the others.
        let mut by_id = sorter(SortOrder::Id);
        for (id, place) in round.ids.iter()?.zip(0_u64..) {
            // With leading zeros, so that places sort as numbers.
            by_id.push(&Row { id: id?.0, values: vec![format!("{place:020}")] })?;
        }
        let mut found = sorter(SortOrder::FirstValueThenId);
        let mut causes = excluded.rows().peekable();
        for row in by_id.finish()?.rows() {
            let mut row = row?;
            while causes.next_if(|cause| cause.as_ref().is_ok_and(|cause| cause.id < row.id)).is_some() {}
            if let Some(cause) = causes.next_if(|cause| cause.as_ref().map_or(true, |cause| cause.id == row.id)) {
                row.values.extend(cause?.values);
                found.push(&row)?;
            }
        }
        Ok(Self { rows: Some(found.finish()?), scratch: Some(scratch) })
    }

    /// Looks at the records that are left of a round and are not selected any more. What they were sent for may have come about; and
    /// one that is gone was not skipped, whoever deleted it: an older copy of the journal would not know of a request for it.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or written; inside, when the system cannot be asked.
    pub async fn check_presence(self, provider: &dyn Provider, object: &str) -> io::Result<Result<Self, ProviderError>> {
        let (Some(rows), Some(scratch)) = (&self.rows, &self.scratch) else { return Ok(Ok(self)) };
        let size = provider.capabilities().presence_size.max(1);
        let mut told = RowSorter::new(scratch.path(), SortOrder::FirstValueThenId, RowSorter::WINDOW);
        let mut rows = rows.rows();
        loop {
            let mut sent: Vec<Row> = Vec::new();
            while sent.len() < size
                && let Some(row) = rows.next().transpose()?
            {
                let (_, note) = read(&row)?;
                if note == IdNote::Excluded(SkipCause::NoLongerMatches) {
                    sent.push(row);
                } else {
                    told.push(&row)?;
                }
            }
            if sent.is_empty() {
                break;
            }
            let ids: Vec<RecordId> = sent.iter().map(|row| row.id).collect();
            let seen = match provider.check_presence(object, &ids).await {
                Ok(seen) => seen,
                Err(error) => return Ok(Err(error)),
            };
            for (place, mut row) in sent.into_iter().enumerate() {
                // What was not shown counts as there: it is not claimed to be deleted.
                if seen.get(place).is_some_and(|presence| *presence != Presence::Present) {
                    row.values.truncate(1);
                    row.values.push(GONE.to_owned());
                }
                told.push(&row)?;
            }
        }
        drop(rows);
        Ok(Ok(Self { rows: Some(told.finish()?), scratch: self.scratch }))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.as_ref().is_none_or(|rows| rows.count() == 0)
    }

    /// The places, and why the record there is not sent any more.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<(u64, IdNote)>> + '_ {
        self.rows.iter().flat_map(SortedRows::rows).map(|row| read(&row?))
    }
}

fn read(row: &Row) -> io::Result<(u64, IdNote)> {
    let found = match row.values.as_slice() {
        [place, word] if word == GONE => place.parse().ok().zip(Some(IdNote::Gone)),
        [place, word] => place.parse().ok().zip(SkipCause::from_word(word).map(IdNote::Excluded)),
        _ => None,
    };
    found.ok_or_else(|| io::Error::other(format!("{} is not sent any more, and has no place or no cause", row.id)))
}
