//! Whether an object that appears empty is plausibly empty.
//!
//! It is if sexton itself emptied it, or if it was empty before. If it had records that sexton did not delete, they may have
//! become invisible to the login instead, and "nothing to delete" would be a false report.

use super::finding::Finding;
use super::input::GateInput;
use crate::base::{counted, with_thousands};

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let (object, population) = (&input.facts.name, input.population);
    Some(match input.left_behind {
        Some(left) if population == 0 && left > 0 => Finding::refuse(format!(
            "`{object}` shows no records at all, but the last apply left {} in it: check that this login can still see them; if they \
             are gone for good, remove the policy from the manifests, run `sexton state rm` for it, and add it again",
            with_thousands(left),
        )),
        _ => Finding::pass(format!("`{object}` has {}", counted(population, "record"))),
    })
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, scene};
    use super::*;

    #[test]
    fn refuses_an_object_that_cannot_have_become_empty() {
        let said = |population, left_behind| Scene { population, left_behind, ..scene() }.said(ask);
        let table = [said(0, None), said(0, Some(0)), said(0, Some(78_796)), said(1, Some(78_796))];
        insta::assert_snapshot!(table.join("\n"), @"
        pass: `Lead` has 0 records
        pass: `Lead` has 0 records
        refuse: `Lead` shows no records at all, but the last apply left 78,796 in it: check that this login can still see them; if they are gone for good, remove the policy from the manifests, run `sexton state rm` for it, and add it again
        pass: `Lead` has 1 record
        ");
    }
}
