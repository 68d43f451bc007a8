//! The policies of a run: what the recheck finds of each, and what is to be carried out.

use std::collections::BTreeMap;

use jiff::Zoned;
use tokio_util::sync::CancellationToken;

use super::request::ApplyRequest;
use crate::base::{CommandError, Exit, PolicyName};
use crate::command::run::{Stopped, changed, policy_run, untimely};
use crate::execute::{OpenedRun, PolicyRun, Recheck, Rechecking, other_policy};
use crate::manifest::AllOrNone;
use crate::plan::{PlannedPolicy, names_nothing};
use crate::select::{Connections, IfMoving, Project, ProjectContext, Selector};
use crate::store::Scratch;

/// Why policies of a begun run of which nothing was sent may not begin any more: the plan is too old, or the manifests are not
/// those it was made from.
pub(super) async fn stale_reasons(
    project: &Project,
    opened: &OpenedRun,
    connections: &Connections,
    now: &Zoned,
) -> Result<BTreeMap<PolicyName, String>, CommandError> {
    let header = opened.bundle.header();
    let plan = opened.bundle.digest();
    let untimely = untimely(plan, header, now).map(|error| error.title);
    let mut reasons = BTreeMap::new();
    for planned in &header.policies {
        let Some(replayed) = opened.replay.policies.get(&planned.policy) else { continue };
        if replayed.machine.has_begun() || replayed.machine.status().finished.is_some() {
            continue;
        }
        let changed = || changed(project, plan, header, std::iter::once(planned)).map(|error| error.title);
        let reason = match untimely.clone().or_else(changed) {
            Some(reason) => Some(reason),
            None => other_policy(project, header, planned, connections).await?,
        };
        if let Some(reason) = reason {
            reasons.insert(planned.policy.clone(), reason);
        }
    }
    Ok(reasons)
}

pub(super) fn interrupted(begun: bool) -> CommandError {
    CommandError::new(Exit::Interrupted, "interrupted; nothing was sent").with_help(if begun {
        "run the same command to continue"
    } else {
        "the plan is still unused: the same command applies it"
    })
}

/// Rechecks every policy that is not at its end and not stopped, a few at once. The holds are read once for all of them.
pub(super) async fn recheck_all(
    project: &ProjectContext<'_>,
    opened: &OpenedRun,
    connections: &Connections,
    stopped: &BTreeMap<PolicyName, String>,
    stop: &CancellationToken,
) -> Result<BTreeMap<PolicyName, Recheck>, CommandError> {
    let due: Vec<(&PlannedPolicy, bool)> = opened
        .bundle
        .header()
        .policies
        .iter()
        .filter(|planned| !stopped.contains_key(&planned.policy))
        .filter_map(|planned| Some((planned, &opened.replay.policies.get(&planned.policy)?.machine)))
        .filter(|(_, machine)| machine.status().finished.is_none())
        .map(|(planned, machine)| (planned, machine.has_begun()))
        .collect();
    if due.is_empty() {
        return Ok(BTreeMap::new());
    }
    let any_begun = due.iter().any(|(_, begun)| *begun);
    let unread = |error: CommandError| if any_begun { error.with_note(GOES_ON_ONLY) } else { error };
    let selector = Selector::new(project, connections, opened.scratch.place()).await.map_err(unread)?;
    for hold in selector.holds().iter().filter(|hold| hold.matched == Some(0)) {
        // Somebody may have written it in a hurry, for records that are about to go.
        project.context.observer.warn(&names_nothing(&hold.hold, &hold.object, hold.matching.as_ref()));
    }
    let scratch = Scratch::from(opened.scratch.place());
    let rechecks = selector
        .for_each(due, |selector, (planned, begun)| {
            let works_by_jobs = planned.route.as_ref().is_some_and(|route| route.api.shape().jobs().is_some());
            let if_moving = if begun && works_by_jobs { IfMoving::ReadAgain } else { IfMoving::Refuse };
            let (bundle, scratch) = (opened.bundle.as_ref(), scratch.clone());
            async move {
                if stop.is_cancelled() {
                    return Err(interrupted(!opened.replay.end.is_empty()));
                }
                let rechecking = Rechecking { selector, bundle, planned, if_moving, scratch };
                let recheck = rechecking.run().await.map_err(|error| error.about_policy(&planned.policy))?;
                Ok((planned.policy.clone(), recheck))
            }
        })
        .await
        .map_err(unread)?;
    Ok(rechecks.into_iter().collect())
}

/// The note for a run that has begun and cannot continue.
const GOES_ON_ONLY: &str =
    "the run continues only when the selection and every hold can be read; fix the cause and run the same command again";

/// What is to be carried out, in the order of the plan.
pub(super) fn policy_runs(
    opened: &OpenedRun,
    connections: &Connections,
    mut rechecks: BTreeMap<PolicyName, Recheck>,
    stopped: &Stopped<'_>,
    request: &ApplyRequest,
) -> Result<Vec<PolicyRun>, CommandError> {
    let mut policies = Vec::new();
    for planned in &opened.bundle.header().policies {
        // A policy without records needs no route, and nothing is done for it.
        let Some(connection) = connections.get(&planned.settings.target) else { continue };
        let Some(mut policy) = policy_run(&opened.bundle, planned, Some(&connection.provider)) else { continue };
        policy.isolate_failures = request.isolate_failures && planned.settings.all_or_none == AllOrNone::PerRequest;
        policy.recheck = rechecks.remove(&planned.policy);
        policy.stopped = stopped.of(&planned.policy).cloned();
        policies.push(policy);
    }
    Ok(policies)
}
