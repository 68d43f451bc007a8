//! What holds keep of one object.

use std::io;
use std::sync::Arc;

use super::sort_space::SortSpace;
use crate::base::{HoldName, RecordId};
use crate::plan::{HeldCount, MergeError, OpenCascade, Row, intersect};
use crate::store::SortedRows;

/// The records of one object that one hold keeps.
pub struct HeldSet {
    /// The hold.
    pub hold: HoldName,
    /// Whether they are kept because a held record would go with them.
    pub through_cascade: bool,
    /// Their ids; repeated ones are possible.
    pub rows: Arc<SortedRows>,
}

/// Everything holds keep of one object.
#[derive(Default)]
pub struct Held {
    /// One entry a hold and way, in the order of the holds.
    pub sets: Vec<HeldSet>,
    /// Cascades that lead to a held record and could not be followed to the end.
    pub open: Vec<OpenCascade>,
}

/// The records among others that some hold keeps, each once, by id.
pub struct HeldIds {
    rows: SortedRows,
    count: u64,
    /// How many each hold keeps.
    pub by_hold: Vec<HeldCount>,
}

impl HeldIds {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The ids in order.
    pub fn ids(&self) -> impl Iterator<Item = io::Result<RecordId>> + Send + '_ {
        self.rows.distinct_ids()
    }
}

impl Held {
    /// Those of `ids` that are held. `ids` gives the same sorted ids each time it is called.
    pub(super) fn among<I>(&self, ids: impl Fn() -> I, space: &SortSpace) -> Result<HeldIds, MergeError>
    where
        I: Iterator<Item = io::Result<RecordId>>,
    {
        let unsorted = |source| MergeError::Read { stream: "held", source };
        let mut union = space.sorter();
        let mut by_hold: Vec<HeldCount> = Vec::new();
        for set in &self.sets {
            let mut records = 0;
            for id in intersect(ids(), set.rows.distinct_ids()) {
                union.push(&Row { id: id?, values: Vec::new() }).map_err(unsorted)?;
                records += 1;
            }
            if records == 0 {
                continue;
            }
            match by_hold.iter_mut().find(|count| count.hold == set.hold) {
                // One hold can reach a record in several ways; the largest way is the least it can be.
                Some(count) => {
                    count.records = count.records.max(records);
                    count.through_cascade |= set.through_cascade;
                }
                None => by_hold.push(HeldCount { hold: set.hold.clone(), records, through_cascade: set.through_cascade }),
            }
        }
        let rows = space.finish(union).map_err(unsorted)?;
        let mut count = 0;
        for id in rows.distinct_ids() {
            id.map_err(unsorted)?;
            count += 1;
        }
        Ok(HeldIds { rows, count, by_hold })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;

    fn id(number: u32) -> RecordId {
        RecordId::new(&format!("{number:05}")).expect("valid")
    }

    fn set(space: &SortSpace, hold: &str, through_cascade: bool, numbers: &[u32]) -> HeldSet {
        let mut sorter = space.sorter();
        numbers.iter().for_each(|number| sorter.push(&Row { id: id(*number), values: Vec::new() }).expect("written"));
        let rows = Arc::new(space.finish(sorter).expect("written"));
        HeldSet { hold: HoldName::new(hold).expect("a name"), through_cascade, rows }
    }

    #[test]
    fn a_record_that_several_holds_keep_in_several_ways_is_counted_once_and_for_each_hold() {
        let directory = tempfile::tempdir().expect("a directory");
        let space = SortSpace::for_holds(&Place::of_machine(directory.path()), 1);
        let held = Held {
            sets: vec![
                set(&space, "acme", false, &[1, 2, 9]),
                // A parent comes once for each of its held children.
                set(&space, "acme", true, &[2, 2, 3, 4, 2]),
                set(&space, "tax", false, &[4]),
                set(&space, "void", false, &[8]),
            ],
            open: Vec::new(),
        };
        let kept = held.among(|| (1..=5).map(|number| Ok(id(number))), &space).expect("sorted");
        assert_eq!(kept.count(), 4);
        assert_eq!(kept.ids().map(|id| id.expect("readable")).collect::<Vec<_>>(), [1, 2, 3, 4].map(id));
        let told: Vec<String> =
            kept.by_hold.iter().map(|count| format!("{} {} {}", count.hold, count.records, count.through_cascade)).collect();
        assert_eq!(told, ["acme 3 true", "tax 1 false"]);
    }

    #[test]
    fn ids_that_are_not_in_order_keep_nothing_quietly() {
        let directory = tempfile::tempdir().expect("a directory");
        let space = SortSpace::for_holds(&Place::of_machine(directory.path()), 1);
        let held = Held { sets: vec![set(&space, "acme", false, &[1])], open: Vec::new() };
        assert!(held.among(|| [2, 1].into_iter().map(|number| Ok(id(number))), &space).is_err());
    }
}
