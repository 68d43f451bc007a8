//! How a selection differs from the reviewed one, and what moved its count.

use std::io;

use super::attribution::{Attribution, EarlierCondition};
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
    /// Whether it matches today what the policy asked for then.
    pub matched_earlier: bool,
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
    /// Those of `entered` that match the earlier condition.
    entered_earlier: u64,
    left: u64,
    /// Those that are no longer selected and match the earlier condition.
    kept_earlier: u64,
    unreviewed: u64,
}

impl DifferenceCounts {
    /// Counts one more record.
    pub fn add(&mut self, difference: Difference) {
        self.by_symbol[difference.symbol as usize] += 1;
        let earlier = u64::from(difference.matched_earlier);
        match (difference.symbol, difference.before) {
            (Symbol::NewlySelected | Symbol::Retried, false) => {
                self.entered += 1;
                self.entered_earlier += earlier;
            }
            (Symbol::NewlySelected, true) => self.unreviewed += 1,
            (Symbol::NoLongerSelected, true) => {
                self.left += 1;
                self.kept_earlier += earlier;
            }
            (Symbol::Held, true) => self.left += 1,
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
        Self { by_symbol, left: self.left, kept_earlier: self.kept_earlier, ..selected }
    }

    /// Whether the two selections are not the same set.
    pub fn moved(&self) -> bool {
        self.entered + self.left > 0
    }

    /// How much the policy moved and how much the data did.
    ///
    /// # Errors
    ///
    /// With the reason where it is not known what the policy asked for before.
    pub fn attribution<'e>(&self, earlier: &'e EarlierCondition, holds_changed: bool) -> Result<Attribution, &'e str> {
        let (entered, kept) = (self.entered, self.of(Symbol::NoLongerSelected));
        let (added_by_policy, dropped_by_policy) = match earlier {
            EarlierCondition::Same => (0, 0),
            EarlierCondition::Other => (entered - self.entered_earlier, self.kept_earlier),
            EarlierCondition::Absent => (entered, kept),
            EarlierCondition::Unknown(reason) => return Err(reason),
        };
        Ok(Attribution {
            added_by_policy,
            added_by_data: entered - added_by_policy,
            dropped_by_policy,
            dropped_by_data: kept - dropped_by_policy,
            holds_changed,
        })
    }

    /// What is sealed in the plan.
    pub fn comparison(&self, with: Digest, earlier: &EarlierCondition, holds_changed: bool) -> Comparison {
        let attribution = self.attribution(earlier, holds_changed);
        Comparison {
            with,
            newly_selected: self.of(Symbol::NewlySelected),
            unreviewed: self.unreviewed,
            retried: self.of(Symbol::Retried),
            reviewed: self.of(Symbol::Reviewed),
            no_longer_selected: self.of(Symbol::NoLongerSelected),
            held: self.of(Symbol::Held),
            cause: self.cause(attribution.as_ref().ok()),
            attribution: attribution.ok(),
            not_attributed: attribution.err().filter(|_| self.moved()).map(str::to_owned),
        }
    }

    /// What moved the count. It claims no more than is known: where a hold changed, or where it is not known what the policy asked for
    /// before, the data may have changed as well.
    fn cause(&self, attribution: Option<&Attribution>) -> CountCause {
        let Some(attribution) = attribution.filter(|attribution| self.moved() && !attribution.holds_changed) else {
            return if self.moved() { CountCause::PolicyAndData } else { CountCause::Nothing };
        };
        let by_policy = attribution.added_by_policy + attribution.dropped_by_policy;
        match by_policy {
            0 => CountCause::Data,
            _ if by_policy == self.entered + self.left => CountCause::Policy,
            _ => CountCause::PolicyAndData,
        }
    }
}

/// Compares a selection with the reviewed one, record by record in order of keys.
///
/// `reviewed` are the old plan's records, `selected` the new ones without held ones, `open` those that failed or are
/// unknown by the state, `held` those that match the policy and are kept by a hold now, `earlier` those that match today what the
/// policy asked for when the old plan was made. A record that is only open, or matches only the earlier condition, is not mentioned.
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
    earlier: impl Iterator<Item = io::Result<RecordId>>,
) -> impl Iterator<Item = Result<Difference, MergeError>> {
    let mut streams = None;
    let mut inputs = Some((reviewed, selected, open, held, earlier));
    until_error(move || {
        if let Some((reviewed, selected, open, held, earlier)) = inputs.take() {
            streams = Some((
                Ascending::new("reviewed", reviewed)?,
                Ascending::new("selected", selected)?,
                Ascending::new("open", open)?,
                Ascending::new("held", held)?,
                Ascending::new("earlier", earlier)?,
            ));
        }
        let Some((reviewed, selected, open, held, earlier)) = &mut streams else { return Ok(None) };
        loop {
            let keys = [reviewed.key(), selected.key(), open.key(), held.key(), earlier.key()];
            let Some(id) = smallest(keys) else { return Ok(None) };
            let before = reviewed.take_if(id)?.is_some();
            let now = selected.take_if(id)?.is_some();
            let (open, held) = (open.take_if(id)?.is_some(), held.take_if(id)?.is_some());
            let matched_earlier = earlier.take_if(id)?.is_some();
            let symbol = match (now, held) {
                (true, true) => return Err(MergeError::HeldAndSelected { id }),
                (false, true) => Symbol::Held,
                (true, false) if open => Symbol::Retried,
                (true, false) if before => Symbol::Reviewed,
                (true, false) => Symbol::NewlySelected,
                (false, false) if before => Symbol::NoLongerSelected,
                (false, false) => continue,
            };
            return Ok(Some(Difference { id, symbol, before, matched_earlier }));
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
        fn agrees_with_sets(
            old in any_set(),
            matched in any_set(),
            open in any_set(),
            holds in any_set(),
            earlier in any_set(),
        ) {
            let held: BTreeSet<u16> = matched.intersection(&holds).copied().collect();
            let new: BTreeSet<u16> = matched.difference(&held).copied().collect();
            let found = compare(stream(&old), stream(&new), stream(&open), stream(&held), stream(&earlier));
            let found: Vec<Difference> = found.collect::<Result<_, _>>().expect("sorted");
            let mut counts = DifferenceCounts::default();
            found.iter().for_each(|difference| counts.add(*difference));

            let ids = |symbol| found.iter().filter(move |found| found.symbol == symbol).map(|found| found.id).collect::<Vec<_>>();
            let of = |set: BTreeSet<u16>| set.into_iter().map(id).collect::<Vec<_>>();
            let without = |left: &BTreeSet<u16>, right: &BTreeSet<u16>| left.difference(right).copied().collect::<BTreeSet<_>>();
            prop_assert_eq!(ids(Symbol::Retried), of(&new & &open));
            prop_assert_eq!(ids(Symbol::Reviewed), of(without(&(&new & &old), &open)));
            prop_assert_eq!(ids(Symbol::NewlySelected), of(without(&without(&new, &old), &open)));
            prop_assert_eq!(ids(Symbol::NoLongerSelected), of(without(&without(&old, &new), &held)));
            prop_assert_eq!(ids(Symbol::Held), of(held.clone()));

            let selected = counts.of(Symbol::NewlySelected) + counts.of(Symbol::Retried) + counts.of(Symbol::Reviewed);
            prop_assert_eq!(selected, new.len() as u64);
            prop_assert_eq!(counts.moved(), old != new);

            let (added, dropped) = (without(&new, &old), without(&without(&old, &new), &held));
            let count = |set: BTreeSet<u16>| set.len() as u64;
            let by = |added_by_policy: BTreeSet<u16>, dropped_by_policy: BTreeSet<u16>| Attribution {
                added_by_data: count(without(&added, &added_by_policy)),
                dropped_by_data: count(without(&dropped, &dropped_by_policy)),
                added_by_policy: count(added_by_policy),
                dropped_by_policy: count(dropped_by_policy),
                holds_changed: false,
            };
            let attributed = |condition| counts.attribution(&condition, false).expect("known");
            prop_assert_eq!(attributed(EarlierCondition::Other), by(without(&added, &earlier), &dropped & &earlier));
            prop_assert_eq!(attributed(EarlierCondition::Same), by(BTreeSet::new(), BTreeSet::new()));
            prop_assert_eq!(attributed(EarlierCondition::Absent), by(added.clone(), dropped.clone()));
            let unknown = EarlierCondition::Unknown("gone".into());
            prop_assert_eq!(counts.attribution(&unknown, false), Err("gone"));
        }
    }

    #[test]
    fn what_is_no_base_reviews_nothing_and_moves_a_count_all_the_same() {
        let mut counts = DifferenceCounts::default();
        for (symbol, before) in [(Symbol::Reviewed, true), (Symbol::NewlySelected, false), (Symbol::Retried, true)] {
            counts.add(Difference { id: id(1), symbol, before, matched_earlier: false }.unreviewed());
        }
        let comparison = counts.comparison(Digest::of(b"plan"), &EarlierCondition::Same, false);
        assert_eq!(
            (comparison.reviewed, comparison.newly_selected, comparison.unreviewed, comparison.retried),
            (0, 2, 1, 1)
        );
        assert_eq!(comparison.cause, CountCause::Data);
        let mut still = DifferenceCounts::default();
        still.add(Difference { id: id(1), symbol: Symbol::Reviewed, before: true, matched_earlier: true }.unreviewed());
        assert!(!still.moved());
    }

    #[test]
    fn refuses_a_selection_with_a_held_record_in_it() {
        let (some, none) = (BTreeSet::from([1, 2]), BTreeSet::new());
        let last = compare(stream(&none), stream(&some), stream(&none), stream(&BTreeSet::from([2])), stream(&none)).last();
        assert!(matches!(last, Some(Err(MergeError::HeldAndSelected { id: held })) if held == id(2)));
    }

    #[test]
    fn names_a_cause_only_as_far_as_it_is_known() {
        let moved = |symbols: &[(Symbol, bool, bool)]| {
            let mut counts = DifferenceCounts::default();
            for (symbol, before, matched_earlier) in symbols.iter().copied() {
                counts.add(Difference { id: id(1), symbol, before, matched_earlier });
            }
            counts
        };
        let cause = |counts: &DifferenceCounts, earlier: EarlierCondition, holds_changed| {
            counts.comparison(Digest::of(b"plan"), &earlier, holds_changed).cause
        };
        use EarlierCondition::{Absent, Other, Same, Unknown};
        let kept = moved(&[(Symbol::NoLongerSelected, true, true)]);
        assert_eq!(cause(&moved(&[]), Unknown("gone".into()), true), CountCause::Nothing);
        assert_eq!(cause(&kept, Same, false), CountCause::Data);
        assert_eq!(cause(&kept, Same, true), CountCause::PolicyAndData, "a hold may have done it");
        assert_eq!(cause(&kept, Other, false), CountCause::Policy);
        assert_eq!(cause(&kept, Absent, false), CountCause::Policy);
        assert_eq!(cause(&kept, Unknown("gone".into()), false), CountCause::PolicyAndData);
        let both = moved(&[(Symbol::NewlySelected, false, true), (Symbol::NewlySelected, false, false)]);
        assert_eq!(cause(&both, Other, false), CountCause::PolicyAndData);
        let by_data = moved(&[(Symbol::NewlySelected, false, true), (Symbol::NoLongerSelected, true, false)]);
        assert_eq!(cause(&by_data, Other, false), CountCause::Data);
        let one_is_held = moved(&[(Symbol::NoLongerSelected, true, true), (Symbol::Held, true, false)]);
        assert_eq!(cause(&one_is_held, Other, false), CountCause::PolicyAndData, "the data may have done that");
    }

    #[test]
    fn why_it_is_not_known_is_sealed_where_something_moved() {
        let unknown = EarlierCondition::Unknown("gone".into());
        let mut counts = DifferenceCounts::default();
        let sealed = |counts: &DifferenceCounts| counts.comparison(Digest::of(b"plan"), &unknown, false).not_attributed;
        assert_eq!(sealed(&counts), None);
        counts.add(Difference { id: id(1), symbol: Symbol::NewlySelected, before: false, matched_earlier: false });
        assert_eq!(sealed(&counts).as_deref(), Some("gone"));
    }
}
