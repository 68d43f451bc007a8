//! Records that several policies of a plan select: found in what was written of their selections, and left to one policy each.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::iter::Peekable;

use crate::base::{CommandError, RecordId, TargetName};
use crate::plan::{self, Claims, MixedDeletion, PlannedPolicy, Row};
use crate::store::{BundleWriter, RowSorter, Scratch, SortOrder, SortedRows};

/// More bytes of what is kept until all gates were asked do not stay in memory: there are as many of them as objects.
const KEPT_IN_MEMORY: usize = 16 * 1024;

/// The records that several policies select. A record is the same one when target, object and key are: no two targets are the same
/// organization.
pub(super) struct Overlap {
    /// The claims on such records, one entry an object.
    shared: Vec<SortedRows>,
    /// What a policy has in common with policies of the other `delete`, by its place.
    mixed: BTreeMap<usize, MixedDeletion>,
    scratch: Scratch,
}

/// What policies leave to others.
pub(super) struct Left {
    /// The records, for one policy after the other; the first value of a row is the place of the policy.
    rows: SortedRows,
    /// How many, by the place of the policy and of the one that plans them.
    counts: BTreeMap<usize, BTreeMap<usize, u64>>,
}

fn unsorted(error: &dyn std::error::Error) -> CommandError {
    CommandError::plain("the selections of the policies could not be compared").caused_by(error)
}

impl Overlap {
    /// Reads the written selections of every object that several policies delete from, one object after the other.
    pub(super) fn find(policies: &[&PlannedPolicy], writer: &BundleWriter) -> Result<Self, CommandError> {
        let mut objects: BTreeMap<(&TargetName, &str), Vec<usize>> = BTreeMap::new();
        for (place, planned) in policies.iter().enumerate().filter(|(_, planned)| planned.selected > 0) {
            objects.entry((&planned.settings.target, &planned.query.object)).or_default().push(place);
        }
        let scratch = Scratch::from(writer.scratch());
        let mut overlap = Self { shared: Vec::new(), mixed: BTreeMap::new(), scratch };
        for places in objects.values().filter(|places| places.len() > 1) {
            overlap.add_object(places, policies, writer)?;
        }
        Ok(overlap)
    }

    fn add_object(
        &mut self,
        places: &[usize],
        policies: &[&PlannedPolicy],
        writer: &BundleWriter,
    ) -> Result<(), CommandError> {
        let broken = |error: io::Error| unsorted(&error);
        let mut sorter = self.sorter(SortOrder::Id);
        for place in places {
            for row in writer.written(&policies[*place].records)? {
                let claim = Claims { id: row.map_err(broken)?.id, places: vec![*place] };
                sorter.push(&claim.into_row()).map_err(broken)?;
            }
        }
        let sorted = sorter.finish().map_err(broken)?;
        let mut shared = self.sorter(SortOrder::Id);
        for claims in plan::claims(sorted.repeated_rows()) {
            let claims = claims.map_err(broken)?;
            if claims.places.len() > 1 {
                self.find_mixed(&claims, policies);
                shared.push(&claims.into_row()).map_err(broken)?;
            }
        }
        if shared.count() > 0 {
            self.shared.push(shared.finish_within(KEPT_IN_MEMORY).map_err(broken)?);
        }
        Ok(())
    }

    fn find_mixed(&mut self, claims: &Claims, policies: &[&PlannedPolicy]) {
        let delete = |place: usize| policies[place].settings.delete;
        for place in &claims.places {
            let others = claims.places.iter().filter(|other| delete(**other) != delete(*place));
            let mut others = others.map(|other| policies[*other].policy.clone()).peekable();
            if others.peek().is_some() {
                self.mixed.entry(*place).or_default().add(claims.id, others);
            }
        }
    }

    /// What the policy at this place has in common with policies of the other `delete`.
    pub(super) fn mixed(&self, place: usize) -> Option<&MixedDeletion> {
        self.mixed.get(&place)
    }

    /// What each policy leaves to others. A policy that is refused leaves all it can to those that are not.
    pub(super) fn left(&self, refused: &BTreeSet<usize>) -> Result<Left, CommandError> {
        let broken = |error: io::Error| unsorted(&error);
        let mut sorter = self.sorter(SortOrder::FirstValueThenId);
        let mut counts: BTreeMap<usize, BTreeMap<usize, u64>> = BTreeMap::new();
        for row in self.shared.iter().flat_map(SortedRows::rows) {
            let claims = Claims::from_row(&row.map_err(broken)?).map_err(broken)?;
            let Some(owner) = claims.owner(|place| refused.contains(&place)) else { continue };
            for place in claims.places.iter().filter(|place| **place != owner) {
                *counts.entry(*place).or_default().entry(owner).or_default() += 1;
                sorter.push(&Row { id: claims.id, values: vec![sortable(*place)] }).map_err(broken)?;
            }
        }
        Ok(Left { rows: sorter.finish().map_err(broken)?, counts })
    }

    fn sorter(&self, order: SortOrder) -> RowSorter {
        RowSorter::new(self.scratch.clone(), order, RowSorter::WINDOW)
    }
}

/// A place as a text that sorts as the number does.
fn sortable(place: usize) -> String {
    format!("{place:020}")
}

impl Left {
    /// What is left, by the place of the policy and of the one that plans it.
    pub(super) fn counts(&self) -> &BTreeMap<usize, BTreeMap<usize, u64>> {
        &self.counts
    }

    /// The records that are left, for one policy after the other.
    pub(super) fn rows(&self) -> Peekable<impl Iterator<Item = io::Result<Row>> + '_> {
        self.rows.rows().peekable()
    }
}

/// Takes from [`Left::rows`] what the policy at this place leaves.
pub(super) fn left_by(
    place: usize,
    rows: &mut Peekable<impl Iterator<Item = io::Result<Row>>>,
) -> impl Iterator<Item = io::Result<RecordId>> {
    let place = sortable(place);
    let is_its_own = move |row: &io::Result<Row>| row.as_ref().map_or(true, |row| row.values.first() == Some(&place));
    std::iter::from_fn(move || rows.next_if(&is_its_own)).map(|row| row.map(|row| row.id))
}
