//! What holds keep of one object.

use std::io;
use std::sync::Arc;

use super::sort_space::SortSpace;
use crate::base::{HoldName, RecordId};
use crate::plan::{HeldBecause, HeldCount, HeldWay, MergeError, OpenCascade, Row, intersect};
use crate::store::{RowSorter, SortedRows};

/// The records of one object that one hold keeps in one way.
#[derive(Clone)]
pub struct HeldSet {
    /// The hold.
    pub hold: HoldName,
    /// Why they are kept.
    pub because: HeldBecause,
    /// Their ids; repeated ones are possible.
    pub rows: Arc<SortedRows>,
}

/// A field by which records of one object look up to those that one hold names.
#[derive(Clone)]
pub struct HeldLookup {
    /// The hold.
    pub hold: HoldName,
    /// The field, or the path to it.
    pub field: String,
    /// The ids of the records that the hold names; repeated ones are possible.
    pub named: Arc<SortedRows>,
}

/// Everything holds keep of one object.
#[derive(Default)]
pub struct Held {
    /// One entry a hold and way, in the order of the holds.
    pub sets: Vec<HeldSet>,
    /// What they keep of its records beside those, by what these look up to.
    pub lookups: Vec<HeldLookup>,
    /// Cascades that may lead to a held record and could not be followed to the end.
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
    /// Those of `ids` that are held by one of these or of the `further` sets. `ids` gives the same sorted ids each time it is
    /// called.
    pub(super) fn among<I>(&self, further: &[HeldSet], ids: impl Fn() -> I, space: &SortSpace) -> Result<HeldIds, MergeError>
    where
        I: Iterator<Item = io::Result<RecordId>>,
    {
        let unsorted = |source| MergeError::Read { stream: "held", source };
        let mut union = space.sorter();
        let mut by_hold: Vec<HeldCount> = Vec::new();
        let mut holds: Vec<&HoldName> = Vec::new();
        let sets = || self.sets.iter().chain(further);
        for set in sets() {
            if !holds.contains(&&set.hold) {
                holds.push(&set.hold);
            }
        }
        for hold in holds {
            let mut ways: Vec<HeldWay> = Vec::new();
            // What is kept in one way only comes once; of several ways, each id is to count once.
            let mut several = (sets().filter(|set| set.hold == *hold).count() > 1).then(|| space.sorter());
            for set in sets().filter(|set| set.hold == *hold) {
                let mut records = 0;
                for id in intersect(ids(), set.rows.distinct_ids()) {
                    let row = Row { id: id?, values: Vec::new() };
                    several.as_mut().unwrap_or(&mut union).push(&row).map_err(unsorted)?;
                    records += 1;
                }
                match ways.iter_mut().find(|way| way.because == set.because) {
                    _ if records == 0 => {}
                    Some(way) => way.records = way.records.max(records),
                    None => ways.push(HeldWay { because: set.because.clone(), records }),
                }
            }
            let records = match several {
                Some(several) => add_distinct(several, &mut union, space).map_err(unsorted)?,
                None => ways.first().map_or(0, |way| way.records),
            };
            if records > 0 {
                by_hold.push(HeldCount { hold: hold.clone(), records, ways });
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

/// Puts what is in one sorter into another, each id once, and says how many there are.
fn add_distinct(from: RowSorter, into: &mut RowSorter, space: &SortSpace) -> io::Result<u64> {
    let mut count = 0;
    for id in space.finish(from)?.distinct_ids() {
        into.push(&Row { id: id?, values: Vec::new() })?;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;

    fn id(number: u32) -> RecordId {
        RecordId::new(&format!("{number:05}")).expect("valid")
    }

    fn set(space: &SortSpace, hold: &str, because: HeldBecause, numbers: &[u32]) -> HeldSet {
        let mut sorter = space.sorter();
        numbers.iter().for_each(|number| sorter.push(&Row { id: id(*number), values: Vec::new() }).expect("written"));
        let rows = Arc::new(space.finish(sorter).expect("written"));
        HeldSet { hold: HoldName::new(hold).expect("a name"), because, rows }
    }

    #[test]
    fn a_record_that_several_holds_keep_in_several_ways_is_counted_once_and_for_each_hold() {
        let directory = tempfile::tempdir().expect("a directory");
        let space = SortSpace::for_holds(&Place::of_machine(directory.path()), 1);
        let held = Held {
            sets: vec![
                set(&space, "acme", HeldBecause::Named, &[1, 2, 9]),
                // A parent comes once for each of its held children.
                set(&space, "acme", HeldBecause::Cascade, &[2, 2, 3, 4, 2]),
                set(&space, "tax", HeldBecause::Named, &[4]),
                set(&space, "void", HeldBecause::Named, &[8]),
            ],
            ..Held::default()
        };
        let further = [set(&space, "tax", HeldBecause::Lookup("Lead.Owner".into()), &[4, 5])];
        let kept = held.among(&further, || (1..=5).map(|number| Ok(id(number))), &space).expect("sorted");
        assert_eq!(kept.count(), 5);
        assert_eq!(kept.ids().map(|id| id.expect("readable")).collect::<Vec<_>>(), [1, 2, 3, 4, 5].map(id));
        let told = |count: &HeldCount| {
            let ways = count.ways.iter().map(|way| format!("{} {}", way.records, way.because));
            format!("{} {}: {}", count.hold, count.records, ways.collect::<Vec<_>>().join(", "))
        };
        assert_eq!(
            kept.by_hold.iter().map(told).collect::<Vec<_>>(),
            [
                "acme 4: 2 by its filter, 3 since a held record would go with them",
                "tax 2: 1 by its filter, 2 since Lead.Owner names a held record",
            ]
        );
    }

    #[test]
    fn ids_that_are_not_in_order_keep_nothing_quietly() {
        let directory = tempfile::tempdir().expect("a directory");
        let space = SortSpace::for_holds(&Place::of_machine(directory.path()), 1);
        let held = Held { sets: vec![set(&space, "acme", HeldBecause::Named, &[1])], ..Held::default() };
        assert!(held.among(&[], || [2, 1].into_iter().map(|number| Ok(id(number))), &space).is_err());
    }
}
