//! Where in a wave the records stand that a hold keeps by now.

use std::io;

use super::perform::WaveFiles;
use crate::base::RecordId;
use crate::plan::{Row, intersect};
use crate::store::{RowSorter, SortOrder, SortedRows};

/// The places in a wave of the records that a hold keeps by now, in the order of the wave.
pub(super) struct WithheldPlaces {
    /// One row a place, with the place as its value; `None` when nothing is held.
    rows: Option<SortedRows>,
    // Last, so that the folder goes after the files in it.
    _scratch: Option<tempfile::TempDir>,
}

impl WithheldPlaces {
    /// Finds the records of `held` in a wave. `scratch` makes a folder for what does not fit into memory.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or written.
    pub fn find(
        wave: &WaveFiles,
        held: Option<&SortedRows>,
        scratch: impl FnOnce() -> io::Result<tempfile::TempDir>,
    ) -> io::Result<Self> {
        let Some(held) = held else { return Ok(Self { rows: None, _scratch: None }) };
        let scratch = scratch()?;
        let sorter = |order| RowSorter::new(scratch.path(), order, RowSorter::WINDOW);
        // The wave in the order of the ids, and in the same order what is held of it.
        let mut by_id = sorter(SortOrder::Id);
        for (id, place) in wave.ids.iter()?.zip(0_u64..) {
            by_id.push(&placed(id?, place))?;
        }
        let by_id = by_id.finish()?;
        let mut rows = by_id.rows();
        let mut found = sorter(SortOrder::FirstValueThenId);
        for id in intersect(by_id.distinct_ids(), held.distinct_ids()) {
            let id = id.map_err(io::Error::other)?;
            let row = rows.find(|row| row.as_ref().map_or(true, |row| row.id == id));
            found.push(&row.transpose()?.ok_or_else(|| io::Error::other(format!("{id} is in a wave and not in it")))?)?;
        }
        drop(rows);
        Ok(Self { rows: Some(found.finish()?), _scratch: Some(scratch) })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.as_ref().is_none_or(|rows| rows.count() == 0)
    }

    /// The places.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<u64>> + '_ {
        self.rows.iter().flat_map(SortedRows::rows).map(|row| {
            let row = row?;
            row.values.first().and_then(|place| place.parse().ok()).ok_or_else(|| io::Error::other("a place is no number"))
        })
    }
}

/// With leading zeros, so that places sort as numbers.
fn placed(id: RecordId, place: u64) -> Row {
    Row { id, values: vec![format!("{place:020}")] }
}
