//! Whether the manifest knows that the system is production. What is not known is no sandbox: where neither the system nor its host
//! says what it is, only a target that is declared production passes.

use url::Url;

use super::finding::Finding;
use super::input::GateInput;
use crate::base::is_loopback;
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
            let said = said.map_or_else(|| "does not say so".to_owned(), |said| format!("says `environment: {said}`"));
            Finding::refuse(format!(
                "{organization} is production and the target {said}: sign in to the system you mean, or set \
                 `environment: production` in the target"
            ))
        }
        (Some(false), Some(Environment::Production)) => {
            Finding::pass(format!("{organization} is not production, although the target says `environment: production`"))
        }
        (Some(false), _) => Finding::pass(format!("{organization} is not production")),
        (None, Some(Environment::Production)) => {
            Finding::pass(format!("{organization} does not say whether it is production; the target says that it is"))
        }
        (None, Some(said)) => unproven(input, &organization, said),
        (None, None) => Finding::refuse(format!(
            "neither {organization} nor the target says whether it is production: set `environment` in the target"
        )),
    })
}

/// The finding about a target that is declared something else than production, where the system does not say so.
fn unproven(input: &GateInput<'_>, organization: &str, said: Environment) -> Finding {
    if Url::parse(&input.identity.instance_url).is_ok_and(|url| is_loopback(&url)) {
        return Finding::pass(format!("{organization} is on this machine, and the target says `environment: {said}`"));
    }
    let system = input.capabilities.system;
    let Some(proof) = system.production_proof() else {
        return Finding::pass(format!(
            "the target says `environment: {said}`; {} never says whether an organization is production",
            system.title()
        ));
    };
    Finding::refuse(format!(
        "the target says `environment: {said}`, and neither {organization} nor its host says that it is not production: {proof}, or \
         set `environment: production` in the target"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::scene::scene;
    use super::*;
    use crate::system::SystemKind;

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
            said(Some(false), None, None),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        pass: organization 00D000000000001EAA (Acme) is production, and the target says so
        refuse: organization 00D000000000001EAA (Acme) is production and the target does not say so: sign in to the system you mean, or set `environment: production` in the target
        refuse: organization 00D000000000001EAA is production and the target says `environment: sandbox`: sign in to the system you mean, or set `environment: production` in the target
        refuse: organization 00D000000000001EAA is production and the target says `environment: development`: sign in to the system you mean, or set `environment: production` in the target
        pass: organization 00D000000000001EAA is not production, although the target says `environment: production`
        pass: organization 00D000000000001EAA is not production
        pass: organization 00D000000000001EAA is not production
        ");
    }

    #[test]
    fn what_nobody_says_is_not_taken_for_a_sandbox() {
        let said = |system, instance: &str, environment| {
            let mut scene = scene();
            scene.identity.is_production = None;
            scene.identity.instance_url = instance.to_owned();
            scene.capabilities.system = system;
            scene.environment = environment;
            scene.said(ask)
        };
        let (crm, billing, field) =
            ("https://example.my.salesforce.com", "https://x.zuora.com", "https://api.fulcrumapp.com");
        let table = [
            said(SystemKind::Salesforce, crm, None),
            said(SystemKind::Salesforce, crm, Some(Environment::Production)),
            said(SystemKind::Salesforce, crm, Some(Environment::Sandbox)),
            said(SystemKind::Zuora, billing, Some(Environment::Development)),
            said(SystemKind::Salesforce, "http://127.0.0.1:8800", None),
            said(SystemKind::Salesforce, "http://127.0.0.1:8800", Some(Environment::Sandbox)),
            said(SystemKind::Salesforce, "127.0.0.1", Some(Environment::Sandbox)),
            said(SystemKind::Fulcrum, field, None),
            said(SystemKind::Fulcrum, field, Some(Environment::Sandbox)),
            said(SystemKind::Fulcrum, field, Some(Environment::Production)),
        ];
        insta::assert_snapshot!(table.join("\n"), @"
        refuse: neither organization 00D000000000001EAA nor the target says whether it is production: set `environment` in the target
        pass: organization 00D000000000001EAA does not say whether it is production; the target says that it is
        refuse: the target says `environment: sandbox`, and neither organization 00D000000000001EAA nor its host says that it is not production: let this login read the `Organization` object, or set `environment: production` in the target
        refuse: the target says `environment: development`, and neither organization 00D000000000001EAA nor its host says that it is not production: sign in through the host of an API sandbox, if it is one, or set `environment: production` in the target
        refuse: neither organization 00D000000000001EAA nor the target says whether it is production: set `environment` in the target
        pass: organization 00D000000000001EAA is on this machine, and the target says `environment: sandbox`
        refuse: the target says `environment: sandbox`, and neither organization 00D000000000001EAA nor its host says that it is not production: let this login read the `Organization` object, or set `environment: production` in the target
        refuse: neither organization 00D000000000001EAA nor the target says whether it is production: set `environment` in the target
        pass: the target says `environment: sandbox`; Fulcrum never says whether an organization is production
        pass: organization 00D000000000001EAA does not say whether it is production; the target says that it is
        ");
    }
}
