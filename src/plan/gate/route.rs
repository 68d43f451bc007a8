//! Whether any API can delete in the way the policy asks for. A route that was found is told by the plan itself.

use super::super::route::{NoRoute, choose};
use super::finding::Finding;
use super::input::GateInput;

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    match choose(input.settings, input.selected.saturating_sub(input.elsewhere), input.capabilities) {
        Err(NoRoute::NoApi(message)) => Some(Finding::refuse(message)),
        Ok(_) | Err(NoRoute::NotAtomic(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::scene;
    use super::*;
    use crate::system::Api;

    #[test]
    fn refuses_a_pin_to_an_api_that_the_system_does_not_have() {
        let mut scene = scene();
        assert_eq!(scene.said(ask), "not asked");
        scene.settings.via = Some(Api::Bulk1);
        assert_eq!(
            scene.said(ask),
            "refuse: `via: bulk1` pins Bulk API 1.0, which a salesforce target does not have: use collections, or leave `via` out"
        );
    }
}
