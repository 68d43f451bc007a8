//! Whether the selection is within `limits.maxPercent` of the object's counted population. Zero means that nothing may go.

use super::finding::Finding;
use super::input::GateInput;
use crate::base::{Percent, counted, with_thousands};

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let (percent, population) = (input.limits.max_percent, input.population);
    let total = input.selected.saturating_add(input.already_deleted);
    let already = match input.already_deleted {
        0 => String::new(),
        before => format!(" ({} of them deleted already)", with_thousands(before)),
    };
    let part = format!("{} of {}{already}", with_thousands(total), counted(population, "record"));
    let Some(needed) = Percent::needed_for(total, population) else {
        return Some(Finding::refuse(format!(
            "{part}: more are selected than the object was counted to have, so their share cannot be computed; make a new plan, \
             and check that this login can see every record of the object"
        )));
    };
    if !percent.is_exceeded_by(total, population) {
        return Some(Finding::pass(format!("{part}, at most {percent} % may go")));
    }
    let most = percent.most_of(population);
    Some(Finding::refuse(format!(
        "{part} and `limits.maxPercent` is {percent}, so at most {} may go: raise it to {needed}, or narrow the filter by {}",
        with_thousands(most),
        counted(total - most, "record"),
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::finding::FindingKind;
    use super::super::scene::{Scene, scene};
    use super::*;

    fn of(selected: u64, population: u64, percent: Percent) -> Scene {
        let mut scene = Scene { selected, population, ..scene() };
        scene.limits.max_percent = percent;
        scene
    }

    fn whole(percent: u16) -> Percent {
        Percent::whole(percent).expect("valid")
    }

    #[test]
    fn says_by_how_much() {
        let said = [
            of(8_000, 80_000, whole(10)).said(ask),
            of(8_001, 80_000, whole(10)).said(ask),
            of(1, 3, whole(0)).said(ask),
            of(0, 3, whole(0)).said(ask),
            of(2, 1, whole(10)).said(ask),
        ];
        insta::assert_snapshot!(said.join("\n"), @"
        pass: 8,000 of 80,000 records, at most 10 % may go
        refuse: 8,001 of 80,000 records and `limits.maxPercent` is 10, so at most 8,000 may go: raise it to 10.01, or narrow the filter by 1 record
        refuse: 1 of 3 records and `limits.maxPercent` is 0, so at most 0 may go: raise it to 33.34, or narrow the filter by 1 record
        pass: 0 of 3 records, at most 0 % may go
        refuse: 2 of 1 record: more are selected than the object was counted to have, so their share cannot be computed; make a new plan, and check that this login can see every record of the object
        ");
    }

    #[test]
    fn counts_what_this_run_has_deleted_already_against_what_was_there_when_it_began() {
        let after = |selected| Scene { already_deleted: 40, ..of(selected, 1_000, whole(10)) };
        let said = [after(60).said(ask), after(61).said(ask)];
        insta::assert_snapshot!(said.join("\n"), @"
        pass: 100 of 1,000 records (40 of them deleted already), at most 10 % may go
        refuse: 101 of 1,000 records (40 of them deleted already) and `limits.maxPercent` is 10, so at most 100 may go: raise it to 10.1, or narrow the filter by 1 record
        ");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn the_share_that_a_refusal_names_would_pass(selected in 0..10_000_u64, population in 0..10_000_u64, percent in 0..100_u16) {
            let passes = |percent| of(selected, population, percent).kind(ask) == Some(FindingKind::Pass);
            let percent = whole(percent);
            prop_assert_eq!(passes(percent), !percent.is_exceeded_by(selected, population) && selected <= population);
            if let Some(needed) = Percent::needed_for(selected, population) {
                prop_assert!(passes(needed.max(percent)));
            }
        }
    }
}
