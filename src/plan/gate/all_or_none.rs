//! Whether an API can give the atomicity that the policy asks for at this size.

use super::super::route::{NoRoute, choose};
use super::finding::Finding;
use super::input::GateInput;

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    match choose(input.settings, input.selected, input.capabilities) {
        Err(NoRoute::NotAtomic(message)) => Some(Finding::refuse(message)),
        Ok(_) | Err(NoRoute::NoApi(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, scene};
    use super::*;
    use crate::manifest::AllOrNone;

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
}
