//! Results as events for machines.
//!
//! Views give these as their second form.

use super::{
    Applied, JsonActor, JsonAttribution, JsonBase, JsonCascade, JsonChanges, JsonElsewhere, JsonEvent, JsonGate,
    JsonHoldReach, JsonList,
};
use crate::base::{Digest, PolicyName, RecordId};
use crate::manifest::AllOrNone;
use crate::plan::{
    CascadeCount, Difference, DifferenceCounts, HoldReach, Matching, MissingIds, PlanHeader, PlannedHold, PlannedPolicy,
    Population, Symbol,
};
use crate::system::DeleteMode;

/// The word of a serde enum.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A plan: its targets, its policies, its sums.
pub(super) fn planned(header: &PlanHeader, digest: Option<Digest>, place: &str) -> Vec<JsonEvent> {
    let mut events: Vec<JsonEvent> = header
        .targets
        .iter()
        .map(|(name, target)| JsonEvent::Target {
            name: name.to_string(),
            system: target.system.to_string(),
            organization_id: target.identity.organization_id.clone(),
            production: target.identity.is_production,
            user: target.identity.user_name.clone(),
            calls: target.calls,
            least_seconds: target.least_seconds,
        })
        .collect();
    events.extend(header.holds.iter().map(hold));
    events.extend(header.policies.iter().map(policy_planned));
    events.push(JsonEvent::PlanSummary {
        plan: digest.map(|digest| digest.to_string()),
        directory: Some(place.to_owned()),
        base: header.base.as_ref().map(|base| JsonBase {
            kind: word(&base.kind),
            plan: base.plan.to_string(),
            revision: base.revision.clone(),
            commit: base.commit.clone(),
        }),
        expires: header.expires.to_string(),
        only: header.only.iter().map(ToString::to_string).collect(),
        delete: header.selected(),
        held: header.policies.iter().map(PlannedPolicy::held).sum(),
        refused: header.is_refused(),
        made_by: Box::new(JsonActor::from(&header.made_by)),
    });
    events
}

fn hold(hold: &PlannedHold) -> JsonEvent {
    let reach = |reach: &HoldReach| JsonHoldReach { policy: reach.policy.to_string(), records: reach.records };
    JsonEvent::Hold {
        hold: hold.hold.to_string(),
        target: hold.target.to_string(),
        object: hold.object.clone(),
        reason: hold.reason.clone(),
        condition: hold.matching.as_ref().and_then(Matching::condition).map(str::to_owned),
        list: hold.matching.as_ref().and_then(|matching| list(matching, hold.missing_ids.as_ref())),
        matched: hold.matched,
        policies: hold.policies.iter().map(reach).collect(),
        not_followed: hold.not_followed.clone(),
    }
}

fn list(matching: &Matching, missing: Option<&MissingIds>) -> Option<Box<JsonList>> {
    let Matching::Listed(list) = matching else { return None };
    let missing = missing.cloned().unwrap_or_default();
    Some(Box::new(JsonList {
        file: list.file.clone(),
        digest: list.digest.to_string(),
        ids: list.ids,
        already_gone: missing.already_gone,
        not_found: missing.not_found,
        first_not_found: missing.first_not_found.iter().map(ToString::to_string).collect(),
    }))
}

fn policy_planned(policy: &PlannedPolicy) -> JsonEvent {
    let atomic_groups = policy.route.as_ref().filter(|_| policy.settings.all_or_none == AllOrNone::PerRequest);
    JsonEvent::PolicyPlanned {
        policy: policy.policy.to_string(),
        labels: policy.labels.clone(),
        target: policy.settings.target.to_string(),
        object: policy.query.object.clone(),
        delete: match policy.settings.delete {
            DeleteMode::Soft => "soft".into(),
            DeleteMode::Hard => "hard".into(),
        },
        condition: policy.query.matching.condition().map(str::to_owned),
        list: list(&policy.query.matching, policy.missing_ids.as_ref()),
        population: match policy.population {
            Population::Exact(records) | Population::About(records) => Some(records),
            Population::Unknown => None,
        },
        population_is_approximate: matches!(policy.population, Population::About(_)),
        matched: policy.matched,
        held: policy.held(),
        selected: policy.selected,
        planned_elsewhere: policy
            .planned_elsewhere
            .iter()
            .map(|others| JsonElsewhere { policy: others.policy.to_string(), records: others.records })
            .collect(),
        cascades: cascades(&policy.cascades),
        restricted_by: cascades(&policy.restricted_by),
        api: policy.route.as_ref().map(|route| route.api.name().to_owned()),
        batches: policy.route.as_ref().map(|route| route.batches),
        atomic_groups_of: atomic_groups.map(|route| route.batch_size),
        changes: policy.comparison.as_ref().map(|comparison| {
            Box::new(JsonChanges {
                with: comparison.with.to_string(),
                newly_selected: comparison.newly_selected,
                unreviewed: comparison.unreviewed,
                retried: comparison.retried,
                reviewed: comparison.reviewed,
                no_longer_selected: comparison.no_longer_selected,
                held: comparison.held,
                cause: word(&comparison.cause),
                attribution: comparison.attribution.as_ref().map(|moved| JsonAttribution {
                    added_by_policy: moved.added_by_policy,
                    added_by_data: moved.added_by_data,
                    dropped_by_policy: moved.dropped_by_policy,
                    dropped_by_data: moved.dropped_by_data,
                    holds_changed: moved.holds_changed,
                }),
                not_attributed: comparison.not_attributed.clone(),
            })
        }),
        gates: policy
            .gates
            .iter()
            .map(|finding| JsonGate {
                gate: finding.gate.clone(),
                kind: word(&finding.kind),
                message: finding.message.clone(),
            })
            .collect(),
        records: policy.records.path.clone(),
        digest: policy.records.digest.to_string(),
    }
}

fn cascades(counts: &[CascadeCount]) -> Vec<JsonCascade> {
    let cascade = |count: &CascadeCount| JsonCascade {
        child: count.child.clone(),
        field: count.field.clone(),
        records: count.records,
        reason: count.reason.clone(),
    };
    counts.iter().map(cascade).collect()
}

/// One record of a difference.
pub(super) fn change(policy: &PolicyName, difference: Difference) -> JsonEvent {
    let change = match difference.symbol {
        Symbol::NewlySelected => "newly-selected",
        Symbol::Retried => "retried",
        Symbol::Reviewed => "reviewed",
        Symbol::NoLongerSelected => "no-longer-selected",
        Symbol::Held => "held",
    };
    JsonEvent::Change { policy: policy.to_string(), change: change.into(), id: difference.id.to_string() }
}

/// One record of a plan.
pub(super) fn record(policy: &PolicyName, id: RecordId) -> JsonEvent {
    JsonEvent::Change { policy: policy.to_string(), change: "selected".into(), id: id.to_string() }
}

/// The sums of a difference.
pub(super) fn differences(policies: &[(PolicyName, DifferenceCounts)]) -> Vec<JsonEvent> {
    policies
        .iter()
        .map(|(policy, counts)| JsonEvent::PolicyDifference {
            policy: policy.to_string(),
            newly_selected: counts.of(Symbol::NewlySelected),
            reviewed: counts.of(Symbol::Reviewed),
            no_longer_selected: counts.of(Symbol::NoLongerSelected),
        })
        .collect()
}

/// An apply.
pub(super) fn applied(plan: Digest, applied: &Applied, unfinished: &[String]) -> Vec<JsonEvent> {
    let mut events: Vec<JsonEvent> = applied
        .policies
        .iter()
        .map(|policy| JsonEvent::PolicyApplied {
            policy: policy.policy.to_string(),
            labels: policy.labels.clone(),
            tally: policy.tally.into(),
            skipped: policy.skipped.iter().map(|(cause, count)| (word(cause), *count)).collect(),
            failed: policy.failed.clone(),
            gone_by: policy.gone_by.clone(),
            unsettled: policy.unsettled,
            waiting: policy.waiting,
            halted: policy.halted.clone(),
        })
        .collect();
    events.push(JsonEvent::ApplySummary {
        plan: plan.to_string(),
        evidence: applied.evidence.clone(),
        unsettled: applied.policies.iter().map(|policy| policy.unsettled).sum(),
        tally: applied.tally().into(),
        unfinished: unfinished.to_vec(),
        ended_before: applied.ended_before,
    });
    events
}
