//! A proof before an apply sends anything: the plan says what the manifests say.

use std::collections::BTreeSet;

use crate::base::{CommandError, Exit, PolicyName};
use crate::manifest::Policy;
use crate::plan::{self, PlanHeader, PlannedPolicy};
use crate::select::{Connections, Project, query_for};
use crate::store::Bundle;

/// Works every policy out again from the manifests, with the plan's own clock reading, and refuses a plan that says anything else.
///
/// A bundle's digests show that it was not altered by accident; whoever can write the bundle can also write new digests. What
/// would be done is therefore never taken from the bundle's word alone. The records are: they are what people reviewed, and the
/// recheck keeps back those that the query does not give.
pub async fn refuse_other_words(project: &Project, bundle: &Bundle, connections: &Connections) -> Result<(), CommandError> {
    let header = bundle.header();
    if let Some(cause) = other_project(project, header) {
        return Err(other_words(&cause));
    }
    for planned in &header.policies {
        if let Some(cause) = other_policy(project, header, planned, connections).await? {
            return Err(other_words(&cause));
        }
    }
    missing_dependency(header).map_or(Ok(()), |cause| Err(other_words(&cause)))
}

/// Says which policy the plan lacks that another one has to wait for; `None` if it lacks none.
fn missing_dependency(header: &PlanHeader) -> Option<String> {
    let planned: BTreeSet<&PolicyName> = header.policies.iter().map(|planned| &planned.policy).collect();
    let mut depended_on = header.policies.iter().flat_map(|planned| &planned.settings.depends_on);
    let missing = depended_on.find(|name| !planned.contains(name))?;
    Some(format!("it lacks the policy `{missing}`, on which another one depends"))
}

/// How the plan as a whole differs from the manifests; `None` if it does not.
pub fn other_project(project: &Project, header: &PlanHeader) -> Option<String> {
    let settings = &project.workspace.project;
    let created = header.created.to_zoned(settings.time_zone.clone());
    let expires = settings.plan_expires_after.after(&created).map(|expires| expires.timestamp());
    if expires.ok() != Some(header.expires) {
        return Some("its expiry is not the one that the project's `planExpiresAfter` gives".into());
    }
    let planned: BTreeSet<&PolicyName> = header.policies.iter().map(|planned| &planned.policy).collect();
    if !header.only.is_empty() && !planned.iter().copied().eq(&header.only) {
        return Some("its policies are not those that it was asked for".into());
    }
    None
}

/// How the plan of one policy differs from the manifests; `None` if it does not.
///
/// # Errors
///
/// When the system cannot describe the object.
pub async fn other_policy(
    project: &Project,
    header: &PlanHeader,
    planned: &PlannedPolicy,
    connections: &Connections,
) -> Result<Option<String>, CommandError> {
    let created = header.created.to_zoned(project.workspace.project.time_zone.clone());
    let Some(policy) = project.workspace.policies.get(&planned.policy) else {
        return Ok(Some(format!("the manifests have no policy `{}`", planned.policy)));
    };
    if let Some(cause) = other_settings(policy, planned) {
        return Ok(Some(cause));
    }
    let Some(connection) = connections.get(&policy.settings.target) else {
        return Ok(Some(format!("policy `{}` has no target", planned.policy)));
    };
    let facts = connection.describe(&policy.settings.object).await?;
    let capabilities = connection.capabilities();
    let (layout, query) = query_for(policy, &facts, &capabilities, &created, project.files())?;
    let route = plan::choose(&policy.settings, planned.selected, &capabilities).ok();
    let route = route.filter(|_| planned.selected > 0);
    let what = [
        ("labels", policy.labels == planned.labels),
        ("query", query == planned.query),
        ("route", route == planned.route),
        ("columns", layout.columns() == planned.records.columns),
        ("number of records", planned.records.rows == planned.selected),
    ];
    let differs = what.into_iter().find(|(_, same)| !same).map(|(what, _)| what);
    Ok(differs.map(|what| format!("policy `{}`: its {what} is not what the manifests give", planned.policy)))
}

/// How the settings of a policy differ from what the manifests say; `None` if they do not.
pub fn other_settings(policy: &Policy, planned: &PlannedPolicy) -> Option<String> {
    let differing = policy.settings.differing(&planned.settings);
    let differing: Vec<String> = differing.iter().map(|key| format!("`{key}`")).collect();
    let same = policy.settings == planned.settings;
    (!same).then(|| format!("policy `{}`: the manifests give a different {}", planned.policy, differing.join(" and ")))
}

fn other_words(cause: &str) -> CommandError {
    CommandError::new(Exit::PlanUnusable, "the plan does not match the manifests it was made from; nothing was deleted")
        .with_note(cause.to_owned())
        .with_note("the bundle was not written by `sexton plan`, or the object changed in the system")
        .with_help("make a new plan with `sexton plan` and review it")
}
