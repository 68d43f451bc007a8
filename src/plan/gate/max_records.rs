//! Whether the selection is within `limits.maxRecords`. The limit stops; it never shortens a selection.

use super::finding::Finding;
use super::input::GateInput;
use crate::base::{counted, with_thousands};

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let most = input.limits.max_records;
    let total = input.selected.saturating_add(input.already_deleted);
    let records = match input.already_deleted {
        0 => counted(total, "record"),
        before => format!("{} ({} of them deleted already)", counted(total, "record"), with_thousands(before)),
    };
    if total <= most {
        return Some(Finding::pass(format!("{records}, at most {} may go", with_thousands(most))));
    }
    Some(Finding::refuse(format!(
        "{records} and `limits.maxRecords` is {}: raise it by {} to {}, or narrow the filter",
        with_thousands(most),
        with_thousands(total - most),
        with_thousands(total),
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::finding::FindingKind;
    use super::super::scene::{Scene, scene};
    use super::*;

    fn of(selected: u64, already_deleted: u64, most: u64) -> Scene {
        let mut scene = Scene { selected, already_deleted, ..scene() };
        scene.limits.max_records = most;
        scene
    }

    #[test]
    fn says_by_how_much() {
        let said = [
            of(1_204, 0, 5_000).said(ask),
            of(5_000, 0, 5_000).said(ask),
            of(6_204, 0, 5_000).said(ask),
            of(1, 0, 0).said(ask),
        ];
        insta::assert_snapshot!(said.join("\n"), @"
        pass: 1,204 records, at most 5,000 may go
        pass: 5,000 records, at most 5,000 may go
        refuse: 6,204 records and `limits.maxRecords` is 5,000: raise it by 1,204 to 6,204, or narrow the filter
        refuse: 1 record and `limits.maxRecords` is 0: raise it by 1 to 1, or narrow the filter
        ");
    }

    #[test]
    fn counts_what_this_run_has_deleted_already() {
        let said = [of(600, 400, 1_000).said(ask), of(601, 400, 1_000).said(ask)];
        insta::assert_snapshot!(said.join("\n"), @"
        pass: 1,000 records (400 of them deleted already), at most 1,000 may go
        refuse: 1,001 records (400 of them deleted already) and `limits.maxRecords` is 1,000: raise it by 1 to 1,001, or narrow the filter
        ");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn the_number_that_a_refusal_names_would_pass(selected in 0..=u64::MAX / 2, before in 0..=u64::MAX / 2, most: u64) {
            let total = selected + before;
            prop_assert_eq!(of(selected, before, most).kind(ask) == Some(FindingKind::Pass), total <= most);
            prop_assert_eq!(of(selected, before, total).kind(ask), Some(FindingKind::Pass));
        }
    }
}
