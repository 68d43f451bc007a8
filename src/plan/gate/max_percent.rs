//! Whether the selection is within `limits.maxPercent` of the object's records. Zero means that nothing may go. Where they could not be
//! counted, half of what the system says there are about is judged by; where it says nothing, that is a doubt.

use super::super::count::Population;
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
    let half = match population {
        Population::About(_) if percent != Percent::ALL => {
            " (they could not be counted, so the share is taken of half that number)"
        }
        _ => "",
    };
    let part = format!("{} of {}{already}{half}", with_thousands(total), population.told());
    let passes = format!("{part}, at most {percent} % may go");
    if population.exact().is_none() && (total == 0 || percent == Percent::ALL) {
        // No share is more than all of them.
        return Some(Finding::pass(passes));
    }
    let Some(judged_by) = population.judged_by() else {
        return Some(Finding::refuse(format!(
            "it is not known how many records `{}` has, so the share of these {} cannot be computed: if `maxRecords` alone is to bound \
             them, write `limits: {{ maxRecords: {}, maxPercent: 100 }}` into the policy",
            input.facts.name,
            with_thousands(total),
            input.limits.max_records,
        )));
    };
    let is_counted = population.exact().is_some();
    let needed = Percent::needed_for(total, judged_by);
    if is_counted && needed.is_none() {
        return Some(Finding::refuse(format!(
            "{part}: more are selected than the object was counted to have, so their share cannot be computed; make a new plan, \
             and check that this login can see every record of the object"
        )));
    }
    if !percent.is_exceeded_by(total, judged_by) {
        return Some(if is_counted { Finding::pass(passes) } else { Finding::warn(passes) });
    }
    let most = percent.most_of(judged_by);
    Some(Finding::refuse(format!(
        "{part} and `limits.maxPercent` is {percent}, so at most {} may go: raise it to {}, or narrow the filter by {}",
        with_thousands(most),
        needed.unwrap_or(Percent::ALL),
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
        about(selected, Population::Exact(population), percent)
    }

    fn about(selected: u64, population: Population, percent: Percent) -> Scene {
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
    fn half_of_an_approximate_population_is_judged_by_and_an_unknown_one_refuses() {
        let eighty = Population::About(80_000);
        let said = [
            about(4_000, eighty, whole(10)).said(ask),
            about(4_001, eighty, whole(10)).said(ask),
            about(40_001, eighty, whole(10)).said(ask),
            about(90_000, eighty, whole(100)).said(ask),
            about(1, Population::About(1), whole(99)).said(ask),
            about(1_200, Population::Unknown, whole(99)).said(ask),
            about(1_200, Population::Unknown, whole(100)).said(ask),
            about(0, Population::Unknown, whole(0)).said(ask),
        ];
        insta::assert_snapshot!(said.join("\n"), @"
        warn: 4,000 of about 80,000 records (they could not be counted, so the share is taken of half that number), at most 10 % may go
        refuse: 4,001 of about 80,000 records (they could not be counted, so the share is taken of half that number) and `limits.maxPercent` is 10, so at most 4,000 may go: raise it to 10.01, or narrow the filter by 1 record
        refuse: 40,001 of about 80,000 records (they could not be counted, so the share is taken of half that number) and `limits.maxPercent` is 10, so at most 4,000 may go: raise it to 100, or narrow the filter by 36,001 records
        pass: 90,000 of about 80,000 records, at most 100 % may go
        refuse: 1 of about 1 record (they could not be counted, so the share is taken of half that number) and `limits.maxPercent` is 99, so at most 0 may go: raise it to 100, or narrow the filter by 1 record
        refuse: it is not known how many records `Lead` has, so the share of these 1,200 cannot be computed: if `maxRecords` alone is to bound them, write `limits: { maxRecords: 1000, maxPercent: 100 }` into the policy
        pass: 1,200 of an unknown number of records, at most 100 % may go
        pass: 0 of an unknown number of records, at most 0 % may go
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
