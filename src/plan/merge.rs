//! Merges of sorted streams of records: one pass, one record of each stream in memory.

use std::cmp::Ordering;
use std::io;

use super::Row;
use crate::base::RecordId;

/// Anything that is about one record.
pub trait Keyed {
    /// The record's key.
    fn key(&self) -> RecordId;
}

impl Keyed for RecordId {
    #[inline]
    fn key(&self) -> RecordId {
        *self
    }
}

impl Keyed for Row {
    #[inline]
    fn key(&self) -> RecordId {
        self.id
    }
}

/// Why a merge stopped. What it gave before is no result: a merge that stops has shown part of a selection only.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A stream could not be read.
    #[error("the {stream} records could not be read")]
    Read {
        /// Which stream.
        stream: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A stream is not in order.
    #[error("the {stream} records are not in order: `{after}` comes after `{before}`")]
    Disorder {
        /// Which stream.
        stream: &'static str,
        /// The earlier record.
        before: RecordId,
        /// The later record, which sorts before it.
        after: RecordId,
    },
    /// A stream has a record twice.
    #[error("the {stream} records have `{id}` twice")]
    Duplicate {
        /// Which stream.
        stream: &'static str,
        /// The record.
        id: RecordId,
    },
    /// A record is selected although a hold keeps it: the selection was not made with the same holds.
    #[error("the record `{id}` is both selected and held")]
    HeldAndSelected {
        /// The record.
        id: RecordId,
    },
}

/// One sorted stream, checked while it is read, with its next record in view.
pub(super) struct Ascending<I: Iterator<Item = io::Result<T>>, T> {
    stream: &'static str,
    items: I,
    head: Option<T>,
    head_key: Option<RecordId>,
}

impl<I: Iterator<Item = io::Result<T>>, T: Keyed> Ascending<I, T> {
    /// Reads up to the first record.
    pub(super) fn new(stream: &'static str, items: I) -> Result<Self, MergeError> {
        let mut ascending = Self { stream, items, head: None, head_key: None };
        ascending.advance()?;
        Ok(ascending)
    }

    /// The key of the next record; `None` at the end.
    #[inline]
    pub(super) fn key(&self) -> Option<RecordId> {
        self.head_key
    }

    /// Takes the next record when it has this key, and reads up to the one after it.
    #[inline]
    pub(super) fn take_if(&mut self, key: RecordId) -> Result<Option<T>, MergeError> {
        if self.head_key != Some(key) {
            return Ok(None);
        }
        let taken = self.head.take();
        self.advance()?;
        Ok(taken)
    }

    #[inline]
    fn advance(&mut self) -> Result<(), MergeError> {
        let stream = self.stream;
        let before = self.head_key;
        self.head = self.items.next().transpose().map_err(|source| MergeError::Read { stream, source })?;
        self.head_key = self.head.as_ref().map(Keyed::key);
        if let (Some(before), Some(after)) = (before, self.head_key) {
            match before.cmp(&after) {
                Ordering::Less => {}
                Ordering::Equal => return Err(MergeError::Duplicate { stream, id: after }),
                Ordering::Greater => return Err(MergeError::Disorder { stream, before, after }),
            }
        }
        Ok(())
    }
}

/// The smallest of several next keys.
#[inline]
pub(super) fn smallest<const N: usize>(keys: [Option<RecordId>; N]) -> Option<RecordId> {
    keys.into_iter().flatten().min()
}

/// Turns a step that may fail into an iterator that gives its error once and then ends.
pub(super) fn until_error<T>(
    mut step: impl FnMut() -> Result<Option<T>, MergeError>,
) -> impl Iterator<Item = Result<T, MergeError>> {
    let mut over = false;
    std::iter::from_fn(move || {
        if over {
            return None;
        }
        let next = step().transpose();
        over = !matches!(next, Some(Ok(_)));
        next
    })
}

/// The records of `matched` that no hold keeps. Whoever counts both sides knows how many were held.
///
/// # Errors
///
/// The iterator's last item is an error when a stream cannot be read, is not in order, or has a record twice.
pub fn subtract<T: Keyed>(
    matched: impl Iterator<Item = io::Result<T>>,
    held: impl Iterator<Item = io::Result<RecordId>>,
) -> impl Iterator<Item = Result<T, MergeError>> {
    let mut streams = None;
    let mut inputs = Some((matched, held));
    until_error(move || {
        if let Some((matched, held)) = inputs.take() {
            streams = Some((Ascending::new("matched", matched)?, Ascending::new("held", held)?));
        }
        let Some((matched, held)) = &mut streams else { return Ok(None) };
        loop {
            let Some(key) = smallest([matched.key(), held.key()]) else { return Ok(None) };
            let (record, keep) = (matched.take_if(key)?, held.take_if(key)?);
            if keep.is_none() && record.is_some() {
                return Ok(record);
            }
        }
    })
}

/// The ids that both streams have.
///
/// # Errors
///
/// The iterator's last item is an error when a stream cannot be read, is not in order, or has a record twice.
pub fn intersect(
    matched: impl Iterator<Item = io::Result<RecordId>>,
    held: impl Iterator<Item = io::Result<RecordId>>,
) -> impl Iterator<Item = Result<RecordId, MergeError>> {
    let mut streams = None;
    let mut inputs = Some((matched, held));
    until_error(move || {
        if let Some((matched, held)) = inputs.take() {
            streams = Some((Ascending::new("matched", matched)?, Ascending::new("held", held)?));
        }
        let Some((matched, held)) = &mut streams else { return Ok(None) };
        // Both are read to their ends: disorder after the end of the other one may have hidden an id before it.
        while let Some(key) = smallest([matched.key(), held.key()]) {
            let (left, right) = (matched.take_if(key)?, held.take_if(key)?);
            if left.is_some() && right.is_some() {
                return Ok(Some(key));
            }
        }
        Ok(None)
    })
}

/// What the recheck before an apply finds about one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecheckVerdict {
    /// Planned, still matched, and not held: it may be sent.
    Cleared,
    /// Planned, and it does not match any more.
    NoLongerMatches,
    /// Planned and matched, and it changed since the plan.
    Changed,
    /// Planned, and a hold keeps it; also when it does not match any more.
    Held,
    /// Matched and not planned: it waits for the next plan.
    New,
}

/// Compares the planned records with a fresh selection: what of them may still be sent, and what is new.
///
/// Only [`RecheckVerdict::Cleared`] records may be sent, and those are all planned ones: this is where apply can only shrink.
/// A record that is held and not planned is not mentioned. `changed` says whether a record is another than it was, for
/// `recheck: unchanged`.
///
/// # Errors
///
/// The iterator's last item is an error when a stream cannot be read, is not in order, or has a record twice.
pub fn recheck<P: Keyed, F: Keyed>(
    planned: impl Iterator<Item = io::Result<P>>,
    fresh: impl Iterator<Item = io::Result<F>>,
    held: impl Iterator<Item = io::Result<RecordId>>,
    changed: impl Fn(&P, &F) -> bool,
) -> impl Iterator<Item = Result<(RecordId, RecheckVerdict), MergeError>> {
    let mut streams = None;
    let mut inputs = Some((planned, fresh, held));
    until_error(move || {
        if let Some((planned, fresh, held)) = inputs.take() {
            streams = Some((
                Ascending::new("planned", planned)?,
                Ascending::new("freshly selected", fresh)?,
                Ascending::new("held", held)?,
            ));
        }
        let Some((planned, fresh, held)) = &mut streams else { return Ok(None) };
        loop {
            let Some(key) = smallest([planned.key(), fresh.key(), held.key()]) else { return Ok(None) };
            let (planned, fresh, held) = (planned.take_if(key)?, fresh.take_if(key)?, held.take_if(key)?);
            let verdict = match (planned, fresh, held) {
                (Some(_), _, Some(_)) => RecheckVerdict::Held,
                (Some(_), None, None) => RecheckVerdict::NoLongerMatches,
                (Some(before), Some(now), None) if changed(&before, &now) => RecheckVerdict::Changed,
                (Some(_), Some(_), None) => RecheckVerdict::Cleared,
                (None, Some(_), None) => RecheckVerdict::New,
                (None, _, _) => continue,
            };
            return Ok(Some((key, verdict)));
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn id(number: u16) -> RecordId {
        RecordId::new(&format!("{number:05}")).expect("valid")
    }

    fn stream(numbers: impl IntoIterator<Item = u16>) -> impl Iterator<Item = io::Result<RecordId>> {
        numbers.into_iter().map(|number| Ok(id(number)))
    }

    fn any_set() -> impl Strategy<Value = BTreeSet<u16>> {
        prop::collection::btree_set(0..60_u16, 0..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn subtract_is_the_difference_of_sets(matched in any_set(), held in any_set()) {
            let left: Vec<RecordId> =
                subtract(stream(matched.clone()), stream(held.clone())).collect::<Result<_, _>>().expect("sorted");
            prop_assert_eq!(left, matched.difference(&held).map(|number| id(*number)).collect::<Vec<_>>());
        }

        #[test]
        fn intersect_is_what_both_sets_have(matched in any_set(), held in any_set()) {
            let both: Vec<RecordId> =
                intersect(stream(matched.clone()), stream(held.clone())).collect::<Result<_, _>>().expect("sorted");
            prop_assert_eq!(both, matched.intersection(&held).map(|number| id(*number)).collect::<Vec<_>>());
        }

        #[test]
        fn recheck_clears_only_what_is_planned_and_matched_and_not_held(
            planned in any_set(), fresh in any_set(), held in any_set(), other in any_set(),
        ) {
            let changed = |before: &RecordId, _: &RecordId| other.iter().any(|number| id(*number) == *before);
            let found: Vec<(RecordId, RecheckVerdict)> =
                recheck(stream(planned.clone()), stream(fresh.clone()), stream(held.clone()), changed)
                    .collect::<Result<_, _>>()
                    .expect("sorted");
            let expected: Vec<(RecordId, RecheckVerdict)> = (0..60)
                .filter_map(|number| {
                    let verdict = match (planned.contains(&number), fresh.contains(&number), held.contains(&number)) {
                        (true, _, true) => RecheckVerdict::Held,
                        (true, false, _) => RecheckVerdict::NoLongerMatches,
                        (true, true, _) if other.contains(&number) => RecheckVerdict::Changed,
                        (true, true, _) => RecheckVerdict::Cleared,
                        (false, true, false) => RecheckVerdict::New,
                        _ => return None,
                    };
                    Some((id(number), verdict))
                })
                .collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn a_stream_out_of_order_never_ends_well(numbers in prop::collection::vec(0..30_u16, 2..12), others in any_set()) {
            prop_assume!(numbers.windows(2).any(|pair| pair[0] >= pair[1]));
            prop_assert!(subtract(stream(numbers.clone()), stream(others.clone())).last().is_some_and(|last| last.is_err()));
            prop_assert!(subtract(stream(others.clone()), stream(numbers.clone())).last().is_some_and(|last| last.is_err()));
            prop_assert!(intersect(stream(others), stream(numbers)).last().is_some_and(|last| last.is_err()));
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_stream() {
        let last = |matched: Vec<u16>, held: Vec<u16>| {
            subtract(stream(matched), stream(held)).last().and_then(Result::err).map(|error| error.to_string())
        };
        assert_eq!(last(vec![1, 1], vec![]).as_deref(), Some("the matched records have `00001` twice"));
        assert_eq!(
            last(vec![1], vec![5, 2]).as_deref(),
            Some("the held records are not in order: `00002` comes after `00005`")
        );
        let broken = [Ok(id(1)), Err(io::Error::other("disk"))];
        let read: Vec<_> = subtract(broken.into_iter(), stream([])).collect();
        assert!(matches!(read.last(), Some(Err(MergeError::Read { stream: "matched", .. }))), "{read:?}");
    }
}
