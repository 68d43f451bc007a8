//! How a selection differs from the reviewed one, and what moved its count.

use std::io;

use super::merge::{Ascending, smallest, until_error};
use super::{Comparison, CountCause, MergeError, Symbol};
use crate::base::{Digest, RecordId};

/// One record of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The record.
    pub id: RecordId,
    /// What became of it.
    pub symbol: Symbol,
    /// Whether the reviewed plan has it.
    pub before: bool,
}

impl Difference {
    /// The same where the plan compared with is no base: nothing in it was reviewed.
    #[must_use]
    pub fn unreviewed(self) -> Self {
        let symbol = if self.symbol == Symbol::Reviewed { Symbol::NewlySelected } else { self.symbol };
        Self { symbol, ..self }
    }
}

/// How many records have which symbol.
///
/// **Invariant**: each record is counted under one symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DifferenceCounts {
    by_symbol: [u64; 5],
    entered: u64,
    left: u64,
    unreviewed: u64,
}

impl DifferenceCounts {
    /// Counts one more record.
    pub fn add(&mut self, difference: Difference) {
        self.by_symbol[difference.symbol as usize] += 1;
        match (difference.symbol, difference.before) {
            (Symbol::NewlySelected | Symbol::Retried, false) => self.entered += 1,
            (Symbol::NewlySelected, true) => self.unreviewed += 1,
            (Symbol::KeptNow | Symbol::Held, true) => self.left += 1,
            _ => {}
        }
    }

    /// How many records have the symbol.
    pub fn of(&self, symbol: Symbol) -> u64 {
        self.by_symbol[symbol as usize]
    }

    /// The same with other records selected now: `selected` counts those.
    #[must_use]
    pub fn with_selected(&self, selected: Self) -> Self {
        let by_symbol = Symbol::ALL.map(|symbol| if symbol.is_selected() { selected.of(symbol) } else { self.of(symbol) });
        Self { by_symbol, entered: selected.entered, left: self.left, unreviewed: selected.unreviewed }
    }

    /// Whether the two selections are not the same set.
    pub fn moved(&self) -> bool {
        self.entered + self.left > 0
    }

    /// What is sealed in the plan; `same_question` as in [`cause`].
    pub fn comparison(&self, with: Digest, same_question: bool) -> Comparison {
        Comparison {
            with,
            newly_selected: self.of(Symbol::NewlySelected),
            unreviewed: self.unreviewed,
            retried: self.of(Symbol::Retried),
            reviewed: self.of(Symbol::Reviewed),
            kept_now: self.of(Symbol::KeptNow),
            held: self.of(Symbol::Held),
            cause: cause(self, same_question),
        }
    }
}

/// What moved a count between two plans. `same_question` says that the policy and the holds on its object read alike in both,
/// or that both sent the very same query.
///
/// It claims no more than is known. Where the question is the same only the records can have changed, the passing of time among
/// the changes: a record that has become three years old counts as data. Where it is another, the records may have changed too.
pub fn cause(counts: &DifferenceCounts, same_question: bool) -> CountCause {
    match (counts.moved(), same_question) {
        (false, _) => CountCause::Nothing,
        (true, true) => CountCause::Data,
        (true, false) => CountCause::PolicyAndData,
    }
}

/// Compares a selection with the reviewed one, record by record in order of keys.
///
/// `reviewed` are the old plan's records, `selected` the new ones without held ones, `open` those that failed or are
/// unknown by the state, `held` those that match the policy and are kept by a hold now. A record that is open and not
/// selected is not mentioned.
///
/// # Errors
///
/// The iterator's last item is an error when a stream cannot be read, is not in order, or has a record twice, and when
/// a record is both selected and held.
pub fn compare(
    reviewed: impl Iterator<Item = io::Result<RecordId>>,
    selected: impl Iterator<Item = io::Result<RecordId>>,
    open: impl Iterator<Item = io::Result<RecordId>>,
    held: impl Iterator<Item = io::Result<RecordId>>,
) -> impl Iterator<Item = Result<Difference, MergeError>> {
    let mut streams = None;
    let mut inputs = Some((reviewed, selected, open, held));
    until_error(move || {
        if let Some((reviewed, selected, open, held)) = inputs.take() {
            streams = Some((
                Ascending::new("reviewed", reviewed)?,
                Ascending::new("selected", selected)?,
                Ascending::new("open", open)?,
                Ascending::new("held", held)?,
            ));
        }
        let Some((reviewed, selected, open, held)) = &mut streams else { return Ok(None) };
        loop {
            let Some(id) = smallest([reviewed.key(), selected.key(), open.key(), held.key()]) else { return Ok(None) };
            let before = reviewed.take_if(id)?.is_some();
            let now = selected.take_if(id)?.is_some();
            let (open, held) = (open.take_if(id)?.is_some(), held.take_if(id)?.is_some());
            let symbol = match (now, held) {
                (true, true) => return Err(MergeError::HeldAndSelected { id }),
                (false, true) => Symbol::Held,
                (true, false) if open => Symbol::Retried,
                (true, false) if before => Symbol::Reviewed,
                (true, false) => Symbol::NewlySelected,
                (false, false) if before => Symbol::KeptNow,
                (false, false) => continue,
            };
            return Ok(Some(Difference { id, symbol, before }));
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

    fn stream(numbers: &BTreeSet<u16>) -> impl Iterator<Item = io::Result<RecordId>> {
        numbers.iter().map(|number| Ok(id(*number)))
    }

    fn any_set() -> impl Strategy<Value = BTreeSet<u16>> {
        prop::collection::btree_set(0..60_u16, 0..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn agrees_with_sets(old in any_set(), matched in any_set(), open in any_set(), holds in any_set()) {
            let held: BTreeSet<u16> = matched.intersection(&holds).copied().collect();
            let new: BTreeSet<u16> = matched.difference(&held).copied().collect();
            let found: Vec<Difference> =
                compare(stream(&old), stream(&new), stream(&open), stream(&held)).collect::<Result<_, _>>().expect("sorted");
            let mut counts = DifferenceCounts::default();
            found.iter().for_each(|difference| counts.add(*difference));

            let ids = |symbol| found.iter().filter(move |found| found.symbol == symbol).map(|found| found.id).collect::<Vec<_>>();
            let of = |set: BTreeSet<u16>| set.into_iter().map(id).collect::<Vec<_>>();
            let without = |left: &BTreeSet<u16>, right: &BTreeSet<u16>| left.difference(right).copied().collect::<BTreeSet<_>>();
            prop_assert_eq!(ids(Symbol::Retried), of(&new & &open));
            prop_assert_eq!(ids(Symbol::Reviewed), of(without(&(&new & &old), &open)));
            prop_assert_eq!(ids(Symbol::NewlySelected), of(without(&without(&new, &old), &open)));
            prop_assert_eq!(ids(Symbol::KeptNow), of(without(&without(&old, &new), &held)));
            prop_assert_eq!(ids(Symbol::Held), of(held.clone()));

            let selected = counts.of(Symbol::NewlySelected) + counts.of(Symbol::Retried) + counts.of(Symbol::Reviewed);
            prop_assert_eq!(selected, new.len() as u64);
            prop_assert_eq!(counts.moved(), old != new);
        }
    }

    #[test]
    fn what_is_no_base_reviews_nothing_and_moves_a_count_all_the_same() {
        let mut counts = DifferenceCounts::default();
        for (symbol, before) in [(Symbol::Reviewed, true), (Symbol::NewlySelected, false), (Symbol::Retried, true)] {
            counts.add(Difference { id: id(1), symbol, before }.unreviewed());
        }
        let comparison = counts.comparison(Digest::of(b"plan"), true);
        assert_eq!(
            (comparison.reviewed, comparison.newly_selected, comparison.unreviewed, comparison.retried),
            (0, 2, 1, 1)
        );
        assert_eq!(comparison.cause, CountCause::Data);
        let mut still = DifferenceCounts::default();
        still.add(Difference { id: id(1), symbol: Symbol::Reviewed, before: true }.unreviewed());
        assert!(!still.moved());
    }

    #[test]
    fn refuses_a_selection_with_a_held_record_in_it() {
        let (some, none) = (BTreeSet::from([1, 2]), BTreeSet::new());
        let last = compare(stream(&none), stream(&some), stream(&none), stream(&BTreeSet::from([2]))).last();
        assert!(matches!(last, Some(Err(MergeError::HeldAndSelected { id: held })) if held == id(2)));
    }

    #[test]
    fn names_a_cause_only_as_far_as_it_is_known() {
        let mut moved = DifferenceCounts::default();
        moved.add(Difference { id: id(1), symbol: Symbol::KeptNow, before: true });
        let still = DifferenceCounts::default();
        assert_eq!(cause(&still, false), CountCause::Nothing);
        assert_eq!(cause(&moved, true), CountCause::Data);
        assert_eq!(cause(&moved, false), CountCause::PolicyAndData);
    }
}
