//! Records that several policies of a plan select. Each is planned by one of them; the others say how many of theirs are planned
//! elsewhere.

use std::collections::BTreeSet;
use std::io;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Row;
use crate::base::{PolicyName, RecordId};

/// How many records of a policy another policy of the plan deletes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedElsewhere {
    /// The policy whose records file has them.
    pub policy: PolicyName,
    /// How many.
    pub records: u64,
}

/// The records of a policy that others select with the other `delete`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MixedDeletion {
    /// How many.
    pub records: u64,
    /// The first of them.
    pub examples: Vec<RecordId>,
    /// The policies that would delete them otherwise.
    pub others: BTreeSet<PolicyName>,
}

impl MixedDeletion {
    const EXAMPLES: usize = 3;

    /// Counts one more record, which these policies would delete otherwise.
    pub fn add(&mut self, id: RecordId, others: impl IntoIterator<Item = PolicyName>) {
        self.records += 1;
        if self.examples.len() < Self::EXAMPLES {
            self.examples.push(id);
        }
        self.others.extend(others);
    }
}

/// One record and the policies that select it, as their places in the order of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The record.
    pub id: RecordId,
    /// The places, in order.
    pub places: Vec<usize>,
}

impl Claims {
    /// As a row, to be sorted.
    pub fn into_row(self) -> Row {
        Row { id: self.id, values: self.places.iter().map(usize::to_string).collect() }
    }

    /// # Errors
    ///
    /// When the row is none that [`Claims::into_row`] gives.
    pub fn from_row(row: &Row) -> io::Result<Self> {
        let places = row.values.iter().map(|place| place.parse().map_err(io::Error::other));
        Ok(Self { id: row.id, places: places.collect::<io::Result<_>>()? })
    }

    /// The place of the policy that plans the record: the first, or the first that no gate refuses.
    pub fn owner(&self, is_refused: impl Fn(usize) -> bool) -> Option<usize> {
        self.places.iter().copied().min_by_key(|place| (is_refused(*place), *place))
    }
}

/// Brings the claims on each record together. `rows` come by id, a record as often as it is claimed.
///
/// # Errors
///
/// The iterator's last item is an error when a row cannot be read.
pub fn claims(rows: impl Iterator<Item = io::Result<Row>>) -> impl Iterator<Item = io::Result<Claims>> {
    let mut rows = rows.peekable();
    std::iter::from_fn(move || {
        let first = rows.next()?;
        let joined = first.and_then(|row| {
            let mut claims = Claims::from_row(&row)?;
            while let Some(more) = rows.next_if(|next| next.as_ref().map_or(true, |next| next.id == row.id)) {
                claims.places.append(&mut Claims::from_row(&more?)?.places);
            }
            claims.places.sort_unstable();
            Ok(claims)
        });
        Some(joined)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(id: &str, places: &[usize]) -> Claims {
        Claims { id: RecordId::new(id).expect("valid"), places: places.to_vec() }
    }

    #[test]
    fn claims_on_one_record_come_together() {
        let rows = [("a", 3), ("a", 1), ("b", 2), ("c", 2), ("c", 10)].map(|(id, place)| Ok(claim(id, &[place]).into_row()));
        let found: Vec<Claims> = claims(rows.into_iter()).collect::<io::Result<_>>().expect("readable");
        assert_eq!(found, [claim("a", &[1, 3]), claim("b", &[2]), claim("c", &[2, 10])]);
    }

    #[test]
    fn the_first_owns_a_record_unless_it_is_refused() {
        let claim = claim("a", &[1, 3, 4]);
        assert_eq!(claim.owner(|_| false), Some(1));
        assert_eq!(claim.owner(|place| place == 1), Some(3));
        assert_eq!(claim.owner(|_| true), Some(1));
    }

    #[test]
    fn a_row_that_cannot_be_read_is_an_error() {
        let broken = [Ok(claim("a", &[1]).into_row()), Err(io::Error::other("lost"))];
        assert!(claims(broken.into_iter()).any(|claims| claims.is_err()));
    }
}
