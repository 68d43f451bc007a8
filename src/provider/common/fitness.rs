//! Whether an API can do what a batch specification asks for.

use crate::apply::BatchSpecification;
use crate::provider::{ErrorClass, ProviderError};
use crate::system::{Capabilities, DeleteMode};

/// Refuses a specification that its API cannot carry out, by the table of the system: no route leads to one.
pub(in crate::provider) fn refuse_unfit(
    capabilities: &Capabilities,
    specification: &BatchSpecification,
) -> Result<(), ProviderError> {
    let Some(route) = capabilities.routes.iter().find(|route| route.api == specification.api) else {
        return Err(other_system(capabilities, specification));
    };
    let title = specification.api.title();
    let message = match specification.delete {
        DeleteMode::Soft if !route.soft => format!("{} has no recycle bin", capabilities.system.title()),
        DeleteMode::Hard if !route.hard => format!("{title} only deletes into the recycle bin"),
        _ if specification.atomic && route.atomic_size == 0 => format!("{title} is never atomic"),
        _ if !specification.atomic && route.batch_size == 0 => format!("{title} is always atomic"),
        _ => return Ok(()),
    };
    Err(unsupported(specification, message))
}

/// The error for a specification whose API belongs to another system.
pub(in crate::provider) fn other_system(capabilities: &Capabilities, specification: &BatchSpecification) -> ProviderError {
    let (system, title) = (capabilities.system.title(), specification.api.title());
    unsupported(specification, format!("{title} is not an API of {system}"))
}

fn unsupported(specification: &BatchSpecification, message: String) -> ProviderError {
    let doing = format!("delete records of {}", specification.object);
    ProviderError { class: ErrorClass::Unsupported, doing, status: None, code: "unsupported".into(), message, help: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::PolicyName;
    use crate::system::{Api, fulcrum, salesforce, zuora};

    #[test]
    fn what_no_route_leads_to_is_refused() {
        let mut lines = Vec::new();
        for capabilities in [salesforce::CAPABILITIES, zuora::CAPABILITIES, fulcrum::CAPABILITIES] {
            for api in Api::ALL {
                for (delete, atomic) in [(DeleteMode::Soft, false), (DeleteMode::Soft, true), (DeleteMode::Hard, false)] {
                    let policy = PolicyName::new("policy").expect("a name");
                    let object = "Lead".into();
                    let specification =
                        BatchSpecification { policy, object, delete, api, atomic, serial: false, matching: None };
                    let verdict = match refuse_unfit(&capabilities, &specification) {
                        Ok(()) => "fits".to_owned(),
                        Err(error) => error.message,
                    };
                    if api.system() == capabilities.system {
                        lines.push(format!("{api} {delete:?}{}: {verdict}", if atomic { " atomic" } else { "" }));
                    } else {
                        assert!(verdict.contains("is not an API of"), "{verdict}");
                    }
                }
            }
        }
        insta::assert_snapshot!(lines.join("\n"), @"
        collections Soft: fits
        collections Soft atomic: fits
        collections Hard: sObject Collections only deletes into the recycle bin
        composite Soft: Composite is always atomic
        composite Soft atomic: fits
        composite Hard: Composite only deletes into the recycle bin
        bulk2 Soft: fits
        bulk2 Soft atomic: Bulk API 2.0 is never atomic
        bulk2 Hard: fits
        bulk1 Soft: fits
        bulk1 Soft atomic: Bulk API 1.0 is never atomic
        bulk1 Hard: fits
        soap Soft: Zuora has no recycle bin
        soap Soft atomic: Zuora has no recycle bin
        soap Hard: fits
        batch Soft: Fulcrum has no recycle bin
        batch Soft atomic: Fulcrum has no recycle bin
        batch Hard: fits
        ");
    }
}
