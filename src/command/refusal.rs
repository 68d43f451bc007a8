//! Why a plan, or one policy of a run, may not be carried out.

use std::collections::BTreeMap;

use jiff::Zoned;

use super::plan::{Judging, judge};
use crate::base::{CommandError, Exit, PolicyName, TargetName};
use crate::execute::{OpenedRun, Recheck, refuse_other_words};
use crate::plan::{self, GateName, Moment, PlanHeader, PlannedPolicy};
use crate::report::{Palette, manifest_diff};
use crate::select::{Connection, Project, count_cascades};
use crate::state::State;
use crate::store::Bundle;

/// Why a plan of which nothing was sent may not be applied any more, if so: it has expired, or the manifests have changed.
pub(super) fn stale_reason(project: &Project, header: &PlanHeader, now: &Zoned) -> Option<CommandError> {
    let unusable = |title: String| {
        CommandError::new(Exit::PlanUnusable, title).with_help("make a new plan with `sexton plan` and review it")
    };
    if now.timestamp() > header.expires {
        return Some(unusable(format!("the plan expired at {}", header.expires)));
    }
    if header.manifests.digest != project.workspace.binding_digest() {
        let changes = manifest_diff(&header.manifests.files, &project.sealed_manifests().files, Palette::new(false));
        let mut error = unusable("the plan is stale: the manifests changed since it was made".into());
        error.notes.extend(changes.lines().take(40).map(str::to_owned));
        return Some(error);
    }
    None
}

/// Refuses a plan that a gate refused when it was made, or that does not say what the manifests say.
pub(super) async fn refuse_new(
    project: &Project,
    bundle: &Bundle,
    connections: &mut BTreeMap<TargetName, Connection>,
) -> Result<(), CommandError> {
    let header = bundle.header();
    if header.is_refused() {
        let mut error =
            CommandError::new(Exit::GateRefused, "a gate refused this plan when it was made; nothing was deleted");
        for policy in &header.policies {
            let refused = policy.gates.iter().filter(|verdict| !verdict.passed);
            error.notes.extend(refused.map(|verdict| format!("policy {}: {}", policy.policy, verdict.message)));
        }
        return Err(error);
    }
    refuse_other_words(project, bundle, connections).await
}

/// The gates that stop also the rest of a policy that has begun.
fn stops_begun(gate: GateName) -> bool {
    matches!(gate, GateName::MaxRecords | GateName::MaxPercent | GateName::Production | GateName::HeldCascade)
}

/// Asks the gates again, on the fresh numbers: why policies may not be carried out, or not any further.
pub(super) async fn begun_refusals(
    project: &Project,
    opened: &OpenedRun,
    connections: &mut BTreeMap<TargetName, Connection>,
    rechecks: &BTreeMap<PolicyName, Recheck>,
    state: &State,
    now: &Zoned,
    begun: bool,
) -> Result<BTreeMap<PolicyName, String>, CommandError> {
    let mut refusals = BTreeMap::new();
    for planned in &opened.bundle.header().policies {
        let (Some(recheck), Some(replayed)) = (rechecks.get(&planned.policy), opened.replay.policies.get(&planned.policy))
        else {
            continue;
        };
        let Some(policy) = project.workspace.policies.get(&planned.policy) else {
            refusals.insert(planned.policy.clone(), "the manifests do not have the policy any more".to_owned());
            continue;
        };
        let connection = connections.get_mut(&planned.settings.target).ok_or_else(|| {
            CommandError::new(Exit::PlanUnusable, format!("target `{}` is gone from the manifests", planned.settings.target))
        })?;
        let has_begun = replayed.machine.has_begun();
        let facts = connection.describe(&planned.query.object).await?;
        let cascades = if has_begun { Vec::new() } else { count_cascades(connection, &facts, &planned.query).await? };
        let deleted = replayed.machine.status().tally.deleted;
        let population = match replayed.rechecked.filter(|_| has_begun) {
            Some(at_its_start) => at_its_start.population,
            None => recheck.population,
        };
        let verdicts = judge(&Judging {
            policy,
            facts: &facts,
            connection,
            cascades: &cascades,
            open: &recheck.open,
            population,
            selected: recheck.cleared + deleted,
            history: state.policies.get(&planned.policy),
            now,
            moment: Moment::Apply,
        })
        .await?;
        // Counted by the policy's own condition, so with new matches among the parents it says nothing about the planned ones.
        let grown = (!has_begun && recheck.cleared > 0 && recheck.waiting == 0)
            .then(|| plan::cascade_growth(&planned.cascades, &cascades));
        let refused = verdicts
            .into_iter()
            .filter(|verdict| !has_begun || stops_begun(verdict.gate))
            .chain(grown)
            .filter(|verdict| !verdict.passed)
            .map(|verdict| verdict.message);
        let refused: Vec<String> = refused.collect();
        if !refused.is_empty() {
            refusals.insert(planned.policy.clone(), refused.join("; "));
        }
    }
    if !begun {
        for (target, connection) in connections.iter() {
            let planned: Vec<&PlannedPolicy> =
                opened.bundle.header().policies.iter().filter(|planned| planned.settings.target == *target).collect();
            let calls = planned.iter().filter_map(|planned| planned.route.as_ref()).map(|route| route.calls).sum();
            let verdict = plan::quota(target, calls, connection.calls_left);
            if !verdict.passed {
                for planned in planned {
                    refusals.entry(planned.policy.clone()).or_insert_with(|| verdict.message.clone());
                }
            }
        }
    }
    Ok(refusals)
}
