//! Whether the login may delete records of the object at all.

use super::finding::Finding;
use super::input::GateInput;
use crate::system::DeleteMode;

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let (facts, system) = (input.facts, input.capabilities.system);
    let object = &facts.name;
    if !facts.deletable {
        return Some(Finding::refuse(format!(
            "this login may not delete `{object}`: grant it Delete on that object, or remove the policy"
        )));
    }
    Some(Finding::pass(match input.settings.delete {
        _ if !system.has_recycle_bin() => {
            format!(
                "as far as is known, `{object}` can be deleted; whether this login may, {} does not say in advance",
                system.title()
            )
        }
        DeleteMode::Soft if !facts.undeletable => {
            format!(
                "this login may delete `{object}`, which keeps nothing in a recycle bin: even a soft delete cannot be undone"
            )
        }
        _ => format!("this login may delete `{object}`"),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::scene::scene;
    use super::*;
    use crate::system::SystemKind;

    #[test]
    fn says_what_the_login_may() {
        let said = |deletable, undeletable, system, delete| {
            let mut scene = scene();
            (scene.facts.deletable, scene.facts.undeletable) = (deletable, undeletable);
            (scene.capabilities.system, scene.settings.delete) = (system, delete);
            scene.said(ask)
        };
        let table = [
            said(true, true, SystemKind::Salesforce, DeleteMode::Soft),
            said(true, false, SystemKind::Salesforce, DeleteMode::Soft),
            said(false, true, SystemKind::Salesforce, DeleteMode::Hard),
            said(true, false, SystemKind::Fulcrum, DeleteMode::Hard),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        pass: this login may delete `Lead`
        pass: this login may delete `Lead`, which keeps nothing in a recycle bin: even a soft delete cannot be undone
        refuse: this login may not delete `Lead`: grant it Delete on that object, or remove the policy
        pass: as far as is known, `Lead` can be deleted; whether this login may, Fulcrum does not say in advance
        ");
    }
}
