//! The policies that a plan is for.

use std::collections::BTreeSet;

use crate::base::{CommandError, PolicyName, did_you_mean};
use crate::manifest::{Policy, Workspace};

/// The policies of these names; all of them where no name is given.
///
/// # Errors
///
/// When there is no policy of a name, and when one depends on a policy that is not among them: it would not be waited for.
pub(super) fn chosen_policies<'w>(workspace: &'w Workspace, names: &[PolicyName]) -> Result<Vec<&'w Policy>, CommandError> {
    if names.is_empty() {
        return Ok(workspace.policies.values().collect());
    }
    let chosen: BTreeSet<&PolicyName> = names.iter().collect();
    let mut policies = Vec::new();
    let mut left_out = Vec::new();
    for name in &chosen {
        let Some(policy) = workspace.policies.get(*name) else {
            let known = workspace.policies.keys().map(PolicyName::as_str);
            return Err(CommandError::plain(format!("the manifests have no policy `{name}`")).with_help(did_you_mean(
                name.as_str(),
                known,
                "name a document of kind `DeletionPolicy`",
            )));
        };
        let missing = policy.settings.depends_on.iter().filter(|other| !chosen.contains(other));
        left_out.extend(missing.map(|other| (*name, other)));
        policies.push(policy);
    }
    if left_out.is_empty() {
        return Ok(policies);
    }
    let mut error = CommandError::plain("policies of this plan depend on policies that are not in it");
    error.notes = left_out.iter().map(|(name, other)| format!("`{name}` depends on `{other}`")).collect();
    let missing: BTreeSet<&str> = left_out.iter().map(|(_, other)| other.as_str()).collect();
    Err(error.with_help(format!("add {} to `--policy`", missing.into_iter().collect::<Vec<_>>().join(","))))
}
