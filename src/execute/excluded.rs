//! The places in a round of the excluded records.

use std::io;

use super::round::RoundFiles;
use super::round_note::{GONE, note_of};
use super::turns::Turns;
use crate::apply::{Presence, SkipCause};
use crate::base::RecordId;
use crate::plan::Row;
use crate::provider::{ProviderError, ReadHalf};
use crate::store::{IdNote, Place, RowSorter, SortOrder, SortedRows};
use crate::system::DeleteMode;

/// The places in a round of the records that are excluded by now, in the order of the round.
pub(super) struct ExcludedPlaces {
    /// One row a place, with the place and the cause as its values; `None` when there are none.
    rows: Option<SortedRows>,
}

impl ExcludedPlaces {
    /// Finds the records of `excluded`, which come by id, in a round. What does not fit into memory goes into `scratch`.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or written.
    pub async fn find(
        round: &RoundFiles,
        excluded: impl Iterator<Item = io::Result<Row>>,
        scratch: &Place,
    ) -> io::Result<Self> {
        let mut causes = excluded.peekable();
        if causes.peek().is_none() {
            return Ok(Self { rows: None });
        }
        let sorter = |order| RowSorter::new(scratch, order, RowSorter::WINDOW);
        // The round in the order of the ids, which is the order of the others.
        let (mut by_id, mut turns) = (sorter(SortOrder::Id), Turns::default());
        for (id, place) in round.ids.iter().zip(0_u64..) {
            // With leading zeros, so that places sort as numbers.
            by_id.push(&Row { id: id?.0, values: vec![format!("{place:020}")] })?;
            turns.row().await;
        }
        let mut found = sorter(SortOrder::FirstValueThenId);
        for row in by_id.finish()?.rows() {
            let mut row = row?;
            turns.row().await;
            while causes.next_if(|cause| cause.as_ref().is_ok_and(|cause| cause.id < row.id)).is_some() {}
            if let Some(cause) = causes.next_if(|cause| cause.as_ref().map_or(true, |cause| cause.id == row.id)) {
                row.values.extend(cause?.values);
                found.push(&row)?;
            }
        }
        Ok(Self { rows: Some(found.finish()?) })
    }

    /// Checks the presence of the records that are left of a round and are not selected any more. What they were sent for may
    /// have come about; and one that is gone was not skipped, whoever deleted it: an older copy of the journal would not know of
    /// a request for it.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or written; inside, when the system cannot be asked.
    pub async fn check_presence(
        self,
        provider: &dyn ReadHalf,
        object: &str,
        delete: DeleteMode,
        scratch: &Place,
    ) -> io::Result<Result<Self, ProviderError>> {
        let Some(rows) = &self.rows else { return Ok(Ok(self)) };
        let told = check_presence_of(rows, 1, SortOrder::FirstValueThenId, provider, (object, delete), scratch).await?;
        Ok(told.map(|rows| Self { rows: Some(rows) }))
    }

    /// The places, and why the record there is not sent any more.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<(u64, IdNote)>> + '_ {
        self.records().map(|record| record.map(|(_, place, note)| (place, note)))
    }

    /// The same with the record there.
    pub fn records(&self) -> impl Iterator<Item = io::Result<(RecordId, u64, IdNote)>> + '_ {
        self.rows.iter().flat_map(SortedRows::rows).map(|row| {
            let row = row?;
            read(&row).map(|(place, note)| (row.id, place, note))
        })
    }
}

fn read(row: &Row) -> io::Result<(u64, IdNote)> {
    let place = row.values.first().and_then(|place| place.parse().ok());
    let place = place.ok_or_else(|| io::Error::other(format!("{} is excluded, and has no place", row.id)))?;
    Ok((place, note_of(row, 1)?))
}

/// The same rows of excluded records, whose cause is their value `cause_at`, with [`GONE`] as the cause of those that no longer
/// match and are not present; and with [`SkipCause::InRecycleBin`] for those that were to be hard-deleted and are found there. `of`
/// is their object, and the way in which they were to be deleted.
///
/// # Errors
///
/// When a file cannot be read or written. The inner error: when the system cannot be asked.
pub(super) async fn check_presence_of(
    rows: &SortedRows,
    cause_at: usize,
    order: SortOrder,
    provider: &dyn ReadHalf,
    of: (&str, DeleteMode),
    scratch: &Place,
) -> io::Result<Result<SortedRows, ProviderError>> {
    let (object, delete) = of;
    let size = provider.capabilities().presence_size.max(1);
    let mut told = RowSorter::new(scratch, order, RowSorter::WINDOW);
    let mut rows = rows.rows();
    loop {
        let mut asked: Vec<Row> = Vec::new();
        while asked.len() < size
            && let Some(row) = rows.next().transpose()?
        {
            if note_of(&row, cause_at)? == IdNote::Excluded(SkipCause::NoLongerMatches) {
                asked.push(row);
            } else {
                told.push(&row)?;
            }
        }
        if asked.is_empty() {
            break;
        }
        let ids: Vec<RecordId> = asked.iter().map(|row| row.id).collect();
        let seen = match provider.check_presence(object, &ids).await {
            Ok(seen) => seen,
            Err(error) => return Ok(Err(error)),
        };
        for (place, mut row) in asked.into_iter().enumerate() {
            // What was not shown counts as there: it is not claimed to be deleted.
            let word = match seen.get(place) {
                Some(presence) if presence.is_gone(delete) => GONE,
                Some(Presence::InBin) => SkipCause::InRecycleBin.word(),
                _ => SkipCause::NoLongerMatches.word(),
            };
            row.values.truncate(cause_at);
            row.values.push(word.to_owned());
            told.push(&row)?;
        }
    }
    told.finish().map(Ok)
}
