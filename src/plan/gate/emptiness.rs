//! Whether an object that appears empty is plausibly empty.
//!
//! It is if sexton itself emptied it, or if it was empty before. If it had records that sexton did not delete, they may have
//! become invisible to the login instead, and "nothing to delete" would be a false report.

use super::finding::Finding;
use super::input::GateInput;
use crate::base::with_thousands;

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let (object, population) = (&input.facts.name, input.population);
    let has = format!("`{object}` has {}", population.told());
    Some(match input.left_behind.filter(|left| *left > 0) {
        Some(left) if population.exact() == Some(0) => Finding::refuse(format!(
            "`{object}` shows no records at all, but the last apply left {} in it: check that this login can still see them; if they \
             are gone for good, remove the policy from the manifests, run `sexton state rm` for it, and add it again",
            with_thousands(left),
        )),
        // Nothing is deleted, and nobody knows whether that is because the login sees nothing any more.
        Some(left) if population.exact().is_none() && input.selected == 0 && input.already_deleted == 0 => {
            Finding::warn(format!(
                "{has} (they could not be counted) and none of them is selected; the last apply left {} in it: check that this login \
                 can still see them",
                with_thousands(left)
            ))
        }
        _ => Finding::pass(has),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::count::Population;
    use super::super::scene::{Scene, scene};
    use super::*;

    #[test]
    fn refuses_an_object_that_cannot_have_become_empty() {
        let of = |population, selected, left_behind| Scene { population, selected, left_behind, ..scene() }.said(ask);
        let said = |population, left_behind| of(Population::Exact(population), 0, left_behind);
        let about = Population::About(80_000);
        let table = [
            said(0, None),
            said(0, Some(0)),
            said(0, Some(78_796)),
            said(1, Some(78_796)),
            of(about, 1, Some(78_796)),
            of(about, 0, None),
            of(about, 0, Some(78_796)),
            of(Population::Unknown, 0, Some(78_796)),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        pass: `Lead` has 0 records
        pass: `Lead` has 0 records
        refuse: `Lead` shows no records at all, but the last apply left 78,796 in it: check that this login can still see them; if they are gone for good, remove the policy from the manifests, run `sexton state rm` for it, and add it again
        pass: `Lead` has 1 record
        pass: `Lead` has about 80,000 records
        pass: `Lead` has about 80,000 records
        warn: `Lead` has about 80,000 records (they could not be counted) and none of them is selected; the last apply left 78,796 in it: check that this login can still see them
        warn: `Lead` has an unknown number of records (they could not be counted) and none of them is selected; the last apply left 78,796 in it: check that this login can still see them
        ");
    }
}
