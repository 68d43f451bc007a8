//! Why a plan, or one policy of a run, may not be carried out.

use std::collections::BTreeMap;

use jiff::Zoned;

use crate::base::{CommandError, Exit, PolicyName, TargetName};
use crate::execute::{OpenedRun, Recheck};
use crate::plan::{self, FindingKind, GateInput, Occasion};
use crate::select::{Connections, Project, count_cascades};
use crate::state::State;

/// Asks the gates again, on the fresh numbers: why policies may not be carried out, or not any further.
pub(super) async fn refusals_on_fresh_numbers(
    project: &Project,
    opened: &OpenedRun,
    connections: &Connections,
    rechecks: &BTreeMap<PolicyName, Recheck>,
    state: &State,
    now: &Zoned,
    begun: bool,
) -> Result<BTreeMap<PolicyName, Vec<String>>, CommandError> {
    let mut refusals = BTreeMap::new();
    let mut calls_by_target: BTreeMap<&TargetName, u64> = BTreeMap::new();
    for planned in &opened.bundle.header().policies {
        let (Some(recheck), Some(replayed)) = (rechecks.get(&planned.policy), opened.replay.policies.get(&planned.policy))
        else {
            continue;
        };
        let Some(policy) = project.workspace.policies.get(&planned.policy) else {
            refusals.insert(planned.policy.clone(), vec!["the policy is no longer in the manifests".to_owned()]);
            continue;
        };
        let connection = connections.get(&planned.settings.target).ok_or_else(|| {
            CommandError::new(
                Exit::PlanUnusable,
                format!("target `{}` is no longer in the manifests", planned.settings.target),
            )
        })?;
        let has_begun = replayed.machine.has_begun();
        let facts = connection.describe(&planned.query.object).await?;
        let cascades = if has_begun { Vec::new() } else { count_cascades(connection, &facts, &planned.query).await? };
        let capabilities = connection.capabilities();
        let hard_delete = connection.hard_delete_permission(&facts.name, policy.settings.delete).await?;
        // A run that is continued has its calls behind it, or was judged when it began.
        let calls = calls_by_target.entry(&planned.settings.target).or_default();
        *calls += planned.route.as_ref().filter(|_| !begun).map_or(0, |route| route.calls);
        let at_its_start = replayed.rechecked.filter(|_| has_begun).map(|rechecked| rechecked.population);
        // What is in doubt counts as deleted, and all together are never more than was planned.
        let deleted = replayed.machine.status().tally.deleted + replayed.machine.in_doubt();
        let already_deleted = deleted.min(planned.selected.saturating_sub(recheck.cleared));
        let limits =
            if has_begun { planned.settings.limits.stricter(policy.settings.limits) } else { policy.settings.limits };
        let input = GateInput {
            occasion: Occasion::Apply,
            today: now.date(),
            settings: &policy.settings,
            limits,
            identity: connection.identity(),
            clock_difference: connection.provider.clock_difference(),
            environment: connection.sealed.environment,
            capabilities: &capabilities,
            facts: &facts,
            hard_delete: hard_delete.as_ref(),
            population: at_its_start.unwrap_or(recheck.population),
            selected: recheck.cleared,
            already_deleted,
            left_behind: state.policies.get(&planned.policy).and_then(|history| history.population),
            open_cascades: &recheck.open,
            cascades: &cascades,
            // Counted by the policy's own condition, so with new matches among the parents it says nothing about the planned ones.
            planned_cascades: (!has_begun && recheck.cleared > 0 && recheck.waiting == 0).then_some(&planned.cascades),
            calls: *calls,
            calls_left: connection.calls_left.filter(|_| !begun),
        };
        let findings = if has_begun { plan::judge_begun(&input) } else { plan::judge(&input) };
        let refused: Vec<String> = findings
            .into_iter()
            .filter(|finding| finding.kind == FindingKind::Refuse)
            .map(|finding| finding.to_string())
            .collect();
        if !refused.is_empty() {
            refusals.insert(planned.policy.clone(), refused);
        }
    }
    Ok(refusals)
}
