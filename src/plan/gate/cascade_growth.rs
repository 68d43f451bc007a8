//! Whether no more records would go along now than when the plan was made: what was not reviewed is not taken along either.

use super::super::cascade::CascadeCount;
use super::finding::Finding;
use super::input::GateInput;
use crate::base::with_thousands;

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let planned = input.planned_cascades?;
    let before = |cascade: &CascadeCount| {
        let same = planned.iter().find(|other| other.child == cascade.child && other.field == cascade.field);
        same.map_or(Some(0), |other| other.records)
    };
    let grown = input.cascades.iter().find_map(|cascade| match (cascade.records, before(cascade)) {
        (Some(records), Some(before)) if records > before => Some((cascade, records, before)),
        _ => None,
    });
    let Some((cascade, records, before)) = grown else {
        return Some(Finding::pass("no more is deleted along than was reviewed"));
    };
    Some(Finding::refuse(format!(
        "the system would now also delete {} `{}` by `{}` that belong to these records, and {} when the plan was made: make a new plan \
         and review it",
        with_thousands(records),
        cascade.child,
        cascade.field,
        with_thousands(before),
    )))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, contacts, scene};
    use super::*;

    #[test]
    fn refuses_what_came_to_belong_to_the_records_after_the_review() {
        let between = |before: &[Option<u64>], now: Option<u64>| {
            let planned_cascades = Some(before.iter().map(|records| contacts(*records)).collect());
            Scene { planned_cascades, cascades: vec![contacts(now)], ..scene() }.said(ask)
        };
        for (before, now) in [(Some(5), Some(5)), (Some(5), Some(4)), (None, Some(1)), (Some(5), None)] {
            assert_eq!(between(&[before], now), "pass: no more is deleted along than was reviewed", "{before:?} {now:?}");
        }
        assert!(between(&[], Some(1)).starts_with("refuse"));
        insta::assert_snapshot!(between(&[Some(5)], Some(6)), @"refuse: the system would now also delete 6 `Contact` by `AccountId` that belong to these records, and 5 when the plan was made: make a new plan and review it");
    }

    #[test]
    fn a_plan_has_nothing_to_compare_with() {
        assert_eq!(Scene { cascades: vec![contacts(Some(6))], ..scene() }.said(ask), "not asked");
    }
}
