//! What gates are told of the policies of a run, on the numbers of now.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Zoned;

use crate::base::{CommandError, Exit, PolicyName, TargetName};
use crate::execute::{OpenedRun, Recheck, kept_back, planned_ids};
use crate::manifest::{Accept, AllOrNone, Limits, Policy};
use crate::plan::{
    self, CallsNeeded, CascadeCount, FindingKind, GateInput, ObjectFacts, Occasion, Permission, PlannedPolicy, PolicyCalls,
    Population, Share, TargetCalls, Together,
};
use crate::select::{Connection, Connections, CountedCascades, Project, count_cascades};
use crate::state::State;
use crate::system::Capabilities;

/// One policy that is not at its end, as it is now.
pub(super) struct Fresh<'a> {
    pub(super) planned: &'a PlannedPolicy,
    policy: &'a Policy,
    connection: &'a Connection,
    recheck: &'a Recheck,
    has_begun: bool,
    facts: Arc<ObjectFacts>,
    capabilities: Capabilities,
    hard_delete: Option<Permission>,
    cascades: Vec<CascadeCount>,
    accept: Accept,
    kept_back: u64,
    limits: Limits,
    population: Population,
    already_deleted: u64,
    calls: CallsNeeded,
    calls_left: Option<u64>,
    left_behind: Option<u64>,
}

/// Gathers what gates are told; of policies that are no longer in the manifests, why they are refused. `begun` says that the run was
/// begun before.
pub(super) async fn gather<'a>(
    (project, now): (&'a Project, &Zoned),
    opened: &'a OpenedRun,
    connections: &'a Connections,
    rechecks: &'a BTreeMap<PolicyName, Recheck>,
    state: &State,
    begun: bool,
) -> Result<(Vec<Fresh<'a>>, BTreeMap<PolicyName, Vec<String>>), CommandError> {
    let (mut gathered, mut missing) = (Vec::new(), BTreeMap::new());
    let mut calls_by_target: BTreeMap<&TargetName, TargetCalls> = BTreeMap::new();
    let hold_refresh = project.hold_refresh_from(now)?;
    let at_start = populations_at_start(opened);
    for planned in &opened.bundle.header().policies {
        let (Some(recheck), Some(replayed)) = (rechecks.get(&planned.policy), opened.replay.policies.get(&planned.policy))
        else {
            continue;
        };
        let Some(policy) = project.workspace.policies.get(&planned.policy) else {
            missing.insert(planned.policy.clone(), vec!["the policy is no longer in the manifests".to_owned()]);
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
        // By the keys of the planned records, as the plan did it: only those may go.
        let ids = || planned_ids(&opened.bundle, &planned.policy);
        let cascades = match has_begun {
            true => CountedCascades { counts: Vec::new(), calls: 0 },
            false => count_cascades(connection, &facts, &planned.query, planned.selected, ids).await?,
        };
        let hard_delete = connection.hard_delete_permission(&facts.name, policy.settings.delete).await?;
        let kept_back = if policy.settings.all_or_none == AllOrNone::Policy {
            kept_back(recheck, connection.provider.as_ref(), &planned.query.object, opened.scratch.place()).await?
        } else {
            0
        };
        // A run that is continued has its calls behind it, or was judged when it began.
        let capabilities = connection.capabilities();
        let (policy_calls, hold_calls) = recheck.calls;
        let calls = calls_by_target.entry(&planned.settings.target);
        let calls = calls.or_insert_with(|| TargetCalls::new(capabilities.budget, hold_refresh, hold_calls));
        if !begun {
            calls.add(PolicyCalls { counting: cascades.calls, ..policy_calls });
        }
        // What is in doubt counts as deleted, and all together are never more than was planned.
        let deleted = replayed.machine.status().tally.deleted + replayed.machine.in_doubt();
        let already_deleted = deleted.min(planned.selected.saturating_sub(recheck.cleared));
        let limits =
            if has_begun { planned.settings.limits.stricter(policy.settings.limits) } else { policy.settings.limits };
        gathered.push(Fresh {
            planned,
            policy,
            connection,
            recheck,
            has_begun,
            facts,
            capabilities,
            hard_delete,
            cascades: cascades.counts,
            accept: project.workspace.accepted(&planned.policy, &planned.settings.target),
            kept_back,
            limits,
            population: at_start.get(&object_of(planned)).copied().unwrap_or(recheck.population),
            already_deleted,
            calls: calls.needed(),
            calls_left: connection.calls_left.filter(|_| !begun),
            left_behind: state.policies.get(&planned.policy).and_then(|history| history.population),
        });
    }
    Ok((gathered, missing))
}

fn object_of(planned: &PlannedPolicy) -> (&TargetName, &str) {
    (&planned.settings.target, &planned.query.object)
}

/// How many records each object had when the run began, as far as anything was rechecked then.
fn populations_at_start(opened: &OpenedRun) -> BTreeMap<(&TargetName, &str), Population> {
    let mut populations = BTreeMap::new();
    for planned in &opened.bundle.header().policies {
        let replayed = opened.replay.policies.get(&planned.policy);
        if let Some(rechecked) = replayed.and_then(|replayed| replayed.rechecked) {
            let most = populations.entry(object_of(planned)).or_insert(rechecked.population);
            *most = most.larger(rechecked.population);
        }
    }
    populations
}

impl<'a> Fresh<'a> {
    /// Why gates refuse the policy.
    pub(super) fn refusals(&self, now: &Zoned, together: Option<&Together>) -> Vec<String> {
        let Self { planned, policy, connection, recheck, has_begun, .. } = self;
        let input = GateInput {
            occasion: Occasion::Apply,
            today: now.date(),
            settings: &policy.settings,
            limits: self.limits,
            identity: connection.identity(),
            clock_difference: connection.provider.clock_difference(),
            environment: connection.sealed.environment,
            capabilities: &self.capabilities,
            facts: &self.facts,
            hard_delete: self.hard_delete.as_ref(),
            population: self.population,
            selected: recheck.cleared.saturating_add(planned.elsewhere()),
            elsewhere: planned.elsewhere(),
            mixed: None,
            already_deleted: self.already_deleted,
            together,
            kept_back: self.kept_back,
            left_behind: self.left_behind,
            open_cascades: &recheck.open,
            accept: &self.accept,
            cascades: &self.cascades,
            // Counted by the policy's own condition, so with new matches among the parents it says nothing about the planned ones.
            planned_cascades: (!has_begun && recheck.cleared > 0 && recheck.waiting == 0).then_some(&planned.cascades),
            restrictions: &[],
            widening: None,
            max_widened_at: "",
            calls: self.calls,
            earlier_calls: 0,
            calls_left: self.calls_left,
        };
        let findings = if *has_begun { plan::judge_begun(&input) } else { plan::judge(&input) };
        let refused = findings.into_iter().filter(|finding| finding.kind == FindingKind::Refuse);
        refused.map(|finding| finding.to_string()).collect()
    }

    /// What the policy adds to all together. Of one that `is_stopped`, nothing more is sent.
    pub(super) fn share(&self, is_stopped: bool) -> Share<'a> {
        Share {
            planned: self.planned,
            limits: self.policy.settings.limits,
            selected: if is_stopped { 0 } else { self.recheck.cleared },
            already_deleted: self.already_deleted,
            population: Some(self.population),
        }
    }
}

/// What a policy adds of which nothing more is sent: what this run has deleted of it.
pub(super) fn share_at_its_end<'a>(planned: &'a PlannedPolicy, opened: &OpenedRun) -> Share<'a> {
    let replayed = opened.replay.policies.get(&planned.policy);
    let deleted = replayed.map_or(0, |replayed| {
        let tally = replayed.machine.status().tally;
        tally.deleted + tally.unknown + replayed.machine.in_doubt()
    });
    let population = replayed.and_then(|replayed| replayed.rechecked).map(|rechecked| rechecked.population);
    let limits = planned.settings.limits;
    Share { planned, limits, selected: 0, already_deleted: deleted.min(planned.selected), population }
}
