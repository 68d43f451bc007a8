//! Whether an API can give the atomicity that the policy asks for at this size.

use super::super::route::{NoRoute, choose};
use super::finding::Finding;
use super::input::GateInput;
use crate::base::counted;
use crate::manifest::AllOrNone;

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    if input.elsewhere > 0 && input.settings.all_or_none == AllOrNone::Policy {
        return Some(Finding::refuse(format!(
            "{} of this policy are planned by another policy, so that they cannot all go together or not at all: exclude them from \
             one of the filters, or leave `allOrNone` out",
            counted(input.elsewhere, "record"),
        )));
    }
    if input.kept_back > 0 && input.settings.all_or_none == AllOrNone::Policy {
        return Some(Finding::refuse(format!(
            "{} of this policy are held, changed or do not match any more, so that they cannot all go together or not at all: make a \
             new plan",
            counted(input.kept_back, "record"),
        )));
    }
    match choose(input.settings, input.selected.saturating_sub(input.elsewhere), input.capabilities) {
        Err(NoRoute::NotAtomic(message)) => Some(Finding::refuse(message)),
        Ok(_) | Err(NoRoute::NoApi(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, scene};
    use super::*;

    #[test]
    fn refuses_a_whole_that_no_request_takes() {
        let said = |selected| {
            let mut scene = Scene { selected, ..scene() };
            scene.settings.all_or_none = AllOrNone::Policy;
            scene.said(ask)
        };
        assert_eq!(said(200), "not asked");
        assert!(said(201).starts_with("refuse: 201 records cannot be deleted as a whole"), "{}", said(201));
    }

    #[test]
    fn refuses_a_whole_of_which_another_policy_deletes_a_part() {
        let mut scene = Scene { elsewhere: 2, ..scene() };
        assert_eq!(scene.said(ask), "not asked");
        scene.settings.all_or_none = AllOrNone::Policy;
        assert!(scene.said(ask).starts_with("refuse: 2 records of this policy are planned by another policy"));
    }

    #[test]
    fn refuses_a_whole_of_which_a_part_is_kept_back() {
        let mut scene = Scene { kept_back: 1, ..scene() };
        assert_eq!(scene.said(ask), "not asked");
        scene.settings.all_or_none = AllOrNone::Policy;
        assert!(scene.said(ask).starts_with("refuse: 1 record of this policy are held, changed"), "{}", scene.said(ask));
    }
}
