//! Whether the manifest knows that the system is production, where the system says so.

use super::finding::Finding;
use super::input::GateInput;
use crate::manifest::Environment;

pub(super) fn ask(input: &GateInput<'_>) -> Option<Finding> {
    let identity = input.identity;
    let organization = match &identity.organization_name {
        Some(name) => format!("organization {} ({name})", identity.organization_id),
        None => format!("organization {}", identity.organization_id),
    };
    Some(match (identity.is_production, input.environment) {
        (Some(true), Some(Environment::Production)) => {
            Finding::pass(format!("{organization} is production, and the target says so"))
        }
        (Some(true), said) => {
            let said = match said {
                Some(Environment::Sandbox) => "says `environment: sandbox`",
                Some(Environment::Development) => "says `environment: development`",
                _ => "does not say so",
            };
            Finding::refuse(format!(
                "{organization} is production and the target {said}: sign in to the system you mean, or set \
                 `environment: production` in the target"
            ))
        }
        (Some(false), Some(Environment::Production)) => {
            Finding::pass(format!("{organization} is not production, although the target says `environment: production`"))
        }
        (Some(false), _) => Finding::pass(format!("{organization} is not production")),
        (None, _) => Finding::pass(format!("{organization} does not say whether it is production")),
    })
}

#[cfg(test)]
mod tests {
    use super::super::scene::scene;
    use super::*;

    #[test]
    fn refuses_a_production_that_the_target_does_not_name() {
        let said = |is_production, name: Option<&str>, environment| {
            let mut scene = scene();
            scene.identity.is_production = is_production;
            scene.identity.organization_name = name.map(str::to_owned);
            scene.environment = environment;
            scene.said(ask)
        };
        let table = [
            said(Some(true), Some("Acme"), Some(Environment::Production)),
            said(Some(true), Some("Acme"), None),
            said(Some(true), None, Some(Environment::Sandbox)),
            said(Some(true), None, Some(Environment::Development)),
            said(Some(false), None, Some(Environment::Production)),
            said(Some(false), None, Some(Environment::Sandbox)),
            said(None, None, None),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        pass: organization 00D000000000001EAA (Acme) is production, and the target says so
        refuse: organization 00D000000000001EAA (Acme) is production and the target does not say so: sign in to the system you mean, or set `environment: production` in the target
        refuse: organization 00D000000000001EAA is production and the target says `environment: sandbox`: sign in to the system you mean, or set `environment: production` in the target
        refuse: organization 00D000000000001EAA is production and the target says `environment: development`: sign in to the system you mean, or set `environment: production` in the target
        pass: organization 00D000000000001EAA is not production, although the target says `environment: production`
        pass: organization 00D000000000001EAA is not production
        pass: organization 00D000000000001EAA does not say whether it is production
        ");
    }
}
