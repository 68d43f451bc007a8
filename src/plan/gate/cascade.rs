//! Whether the selected records and those that go with them are within `limits.maxRecords`.

use super::finding::Finding;
use super::input::GateInput;
use crate::base::{counted, with_thousands};

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let most = input.limits.max_records;
    let together: u64 = input.cascades.iter().filter_map(|cascade| cascade.records).sum();
    let words: Vec<String> = input
        .cascades
        .iter()
        .filter(|cascade| cascade.records != Some(0))
        .map(|cascade| match cascade.records {
            Some(records) => format!("{} `{}` by `{}`", with_thousands(records), cascade.child, cascade.field),
            None => format!("an unknown number of `{}` by `{}`", cascade.child, cascade.field),
        })
        .collect();
    if input.selected == 0 || words.is_empty() {
        return Some(Finding::pass("no other record is deleted with them"));
    }
    let words = words.join(", ");
    let total = input.selected.saturating_add(input.already_deleted).saturating_add(together);
    if total <= most {
        return Some(Finding::pass(format!("the system also deletes what belongs to them: {words}")));
    }
    Some(Finding::refuse(format!(
        "the system also deletes what belongs to them: {words}; that is {} in all, and `limits.maxRecords` is {}: raise it to {}, \
         or first delete the children by a policy of their own",
        counted(total, "record"),
        with_thousands(most),
        with_thousands(total),
    )))
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, contacts, scene};
    use super::*;

    fn of(selected: u64, along: &[Option<u64>], most: u64) -> Scene {
        let cascades = along.iter().map(|records| contacts(*records)).collect();
        let mut scene = Scene { selected, cascades, ..scene() };
        scene.limits.max_records = most;
        scene
    }

    #[test]
    fn counts_what_goes_along_against_the_limit() {
        let said = [of(600, &[Some(400)], 1_000).said(ask), of(600, &[Some(401), None], 1_000).said(ask)];
        insta::assert_snapshot!(said.join("\n"), @"
        pass: the system also deletes what belongs to them: 400 `Contact` by `AccountId`
        refuse: the system also deletes what belongs to them: 401 `Contact` by `AccountId`, an unknown number of `Contact` by `AccountId`; that is 1,001 records in all, and `limits.maxRecords` is 1,000: raise it to 1,001, or first delete the children by a policy of their own
        ");
    }

    #[test]
    fn counts_what_this_run_has_deleted_already() {
        assert!(Scene { already_deleted: 1, ..of(599, &[Some(400)], 1_000) }.said(ask).starts_with("pass"));
        assert!(Scene { already_deleted: 1, ..of(600, &[Some(400)], 1_000) }.said(ask).starts_with("refuse"));
    }

    #[test]
    fn says_nothing_where_nothing_goes_along() {
        for scene in [of(0, &[Some(9)], 0), of(0, &[], 0), of(5, &[Some(0)], 0)] {
            assert_eq!(scene.said(ask), "pass: no other record is deleted with them");
        }
    }
}
