//! Why a plan of which nothing was sent may not be applied any more.

use std::collections::BTreeMap;

use jiff::Zoned;

use super::stopped::{Stopped, by_cause, refused_at_plan};
use crate::base::{CommandError, Digest, Exit};
use crate::manifest::OnRefusal;
use crate::plan::{CLOCK_TOLERANCE, PlanHeader, PlannedPolicy, changed_documents};
use crate::report::manifest_diff;
use crate::select::Project;

/// How many lines of a difference are shown.
const MOST_LINES: usize = 40;

/// What to do about a plan that cannot be used.
pub(in crate::command) fn unusable(title: String) -> CommandError {
    CommandError::new(Exit::PlanUnusable, title).with_help("make a new plan with `sexton plan` and review it")
}

/// The error of every other plan while the run of one is unfinished.
pub(in crate::command) fn blocked_by(run: Digest) -> CommandError {
    let run = run.short();
    CommandError::new(
        Exit::PlanUnusable,
        format!("no other plan can be applied while the run of the plan {run} is unfinished"),
    )
    .with_help(format!("finish it with `sexton apply --continue`, or abandon it with `sexton state abandon {run}`"))
}

/// The error of a plan that has expired, or that was made in the future: it counts its ages by the clock that it was made by, and would
/// expire too late.
pub(in crate::command) fn untimely(plan: Digest, header: &PlanHeader, now: &Zoned) -> Option<CommandError> {
    if header.created.duration_since(now.timestamp()) > CLOCK_TOLERANCE {
        let (plan, created) = (plan.short(), header.created);
        let title = format!("the plan {plan} is from the future: it was made at {created}, and here it is {now:.0}");
        let help = "set this machine's clock right; if that of the machine that made the plan was wrong, make a new plan and review it";
        return Some(CommandError::new(Exit::PlanUnusable, title).with_help(help));
    }
    let late = now.timestamp() > header.expires;
    late.then(|| unusable(format!("the plan {} expired at {}", plan.short(), header.expires)))
}

/// The error of a plan of these policies, when a document that they use was changed since.
pub(in crate::command) fn changed<'a>(
    project: &Project,
    plan: Digest,
    header: &'a PlanHeader,
    policies: impl Iterator<Item = &'a PlannedPolicy>,
) -> Option<CommandError> {
    let now = project.sealed_manifests();
    let changes =
        changed_documents(&header.manifests, &now, policies.map(|planned| (&planned.policy, &planned.settings.target)));
    let mut told = changes.iter().map(ToString::to_string);
    let mut error = unusable(format!("the plan {} is stale: {}", plan.short(), told.next()?));
    error.notes.extend(told);
    let before = changes.iter().filter_map(|change| change.before);
    let after = changes.iter().filter_map(|change| change.now);
    error.notes.extend(manifest_diff(before, after).lines().take(MOST_LINES).map(str::to_owned));
    Some(error)
}

/// The error of a plan that a gate refused when it was made, if one did and nothing else of it is to be done.
pub(in crate::command) fn refused_when_made(header: &PlanHeader, on_refusal: OnRefusal) -> Option<CommandError> {
    let stopped = Stopped::new(header, refused_at_plan(header), &BTreeMap::new());
    if !header.is_refused() || (on_refusal == OnRefusal::Skip && !stopped.leaves_nothing()) {
        return None;
    }
    let mut error = CommandError::new(Exit::GateRefused, "a gate refused this plan when it was made; nothing was deleted")
        .with_help(format!("mend what was refused and make a new plan{}", stopped.other_way()));
    let refusals = header.policies.iter().flat_map(|planned| planned.refusals().map(|finding| (&planned.policy, finding)));
    error.notes = by_cause(refusals.map(|(policy, finding)| (policy, finding.to_string())));
    Some(error)
}
