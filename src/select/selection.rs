//! One policy's selection: what matches, what holds keep of it, and the numbers gates judge.

use super::held::HeldIds;
use crate::base::{CommandError, PolicyName, RecordId};
use crate::plan::{MergeError, MissingIds, OpenCascade, Population, subtract};
use crate::store::SortedRows;

/// What one policy selects at one moment.
pub struct Selection {
    /// Every matching record with the query's fields, by id.
    pub matched: SortedRows,
    /// The other ids of the query's list; `None` where it has none.
    pub missing: Option<MissingIds>,
    /// Those among the matching that some hold keeps.
    pub held: HeldIds,
    /// Cascades to held records that could not be followed to the end.
    pub open: Vec<OpenCascade>,
    /// How many records the object has.
    pub population: Population,
}

impl Selection {
    /// Matching records.
    pub fn matched_count(&self) -> u64 {
        self.matched.count()
    }

    /// Matching records that no hold keeps.
    pub fn selected_count(&self) -> u64 {
        self.matched.count() - self.held.count()
    }

    /// The selected ids: matched less held.
    pub fn selected_ids(&self) -> impl Iterator<Item = Result<RecordId, MergeError>> + '_ {
        subtract(self.matched.rows().map(|row| row.map(|row| row.id)), self.held.ids())
    }
}

/// A selection that could not be put in order; nothing was planned or deleted from it.
pub fn broken_selection(policy: &PolicyName, error: &dyn std::error::Error) -> CommandError {
    CommandError::plain(format!("the selection of policy `{policy}` could not be sorted")).caused_by(error)
}
