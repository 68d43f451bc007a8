//! Whether the login may delete past the recycle bin.

use super::finding::Finding;
use super::input::{GateInput, Permission};

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let (object, system) = (&input.facts.name, input.capabilities.system);
    Some(match input.hard_delete? {
        // A system that knows no other deletion has no right of its own for it, and cannot be asked.
        Permission::Granted if !system.has_recycle_bin() => Finding::pass(format!(
            "deleted records of `{object}` cannot be restored; whether this login may delete them, {} does not say in advance",
            system.title()
        )),
        Permission::Granted => {
            Finding::pass(format!("this login may hard delete `{object}`; the records cannot be restored through the API"))
        }
        Permission::Denied(grant) => {
            Finding::refuse(format!("this login may not hard delete `{object}`: {grant}, or set `delete: soft`"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::scene::{Scene, scene};
    use super::*;
    use crate::system::SystemKind;

    #[test]
    fn says_what_to_grant() {
        let said = |system, permission| {
            let mut scene = Scene { hard_delete: Some(permission), ..scene() };
            scene.capabilities.system = system;
            scene.said(ask)
        };
        let table = [
            said(SystemKind::Salesforce, Permission::Granted),
            said(SystemKind::Zuora, Permission::Granted),
            said(SystemKind::Salesforce, Permission::Denied("grant it `Bulk API Hard Delete`".into())),
            scene().said(ask),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        pass: this login may hard delete `Lead`; the records cannot be restored through the API
        pass: deleted records of `Lead` cannot be restored; whether this login may delete them, Zuora does not say in advance
        refuse: this login may not hard delete `Lead`: grant it `Bulk API Hard Delete`, or set `delete: soft`
        not asked
        ");
    }
}
