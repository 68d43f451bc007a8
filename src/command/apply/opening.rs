//! The run of a plan, opened: a new one, or one that was begun before.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Zoned;

use super::request::{ApplyRequest, PlanToApply};
use crate::base::{CommandError, Digest, Exit, TargetName};
use crate::command::run::{
    blocked_by, changed, open_begun, refused_when_made, restore_or_abandon, run_error, untimely, unusable,
};
use crate::execute::{OpenError, OpenedRun, machine_settings};
use crate::manifest::OnRefusal;
use crate::plan::{PlanHeader, PlannedPolicy, SealedTarget};
use crate::select::{Context, Project};
use crate::state::{PlanStatus, State};
use crate::store::{Backend, Bundle, RunScratch};
use crate::system::DeleteMode;

/// The targets in which the plan hard deletes.
pub(super) fn hard_targets(header: &PlanHeader) -> BTreeSet<TargetName> {
    let hard = |policy: &&PlannedPolicy| policy.settings.delete == DeleteMode::Hard && policy.selected > 0;
    let sent = header.policies.iter().filter(|policy| !policy.is_refused());
    sent.filter(hard).map(|policy| policy.settings.target.clone()).collect()
}

/// The targets that are production and in which the plan deletes.
pub(super) fn production_targets(header: &PlanHeader) -> BTreeSet<TargetName> {
    let sent = header.policies.iter().filter(|policy| !policy.is_refused() && policy.selected > 0);
    let named = sent.map(|policy| &policy.settings.target);
    let is_production = |name: &&TargetName| header.targets.get(*name).is_some_and(SealedTarget::is_production);
    named.filter(is_production).cloned().collect()
}

/// The run of the plan that is to be applied, the state, and whether the run was begun before.
pub(super) async fn open_run(
    context: &Context,
    project: &Project,
    request: &ApplyRequest,
    on_refusal: OnRefusal,
    state: Option<State>,
    now: &Zoned,
) -> Result<(OpenedRun, State, bool), CommandError> {
    let settings = |planned: &PlannedPolicy| machine_settings(planned, context.seed);
    let backend = project.store(context) as Arc<dyn Backend>;
    let scratch = || RunScratch::new(&project.scratch_directory(), &(context.fresh_id)());
    let unfinished: Vec<Digest> = state.iter().flat_map(State::unfinished).map(|consumed| consumed.plan).collect();
    let begun = match &request.plan {
        PlanToApply::Unfinished => match unfinished.first() {
            Some(plan) => Some(*plan),
            None => {
                return Err(CommandError::plain("there is no unfinished run to continue")
                    .with_help("name a reviewed plan, as in `sexton apply plan`"));
            }
        },
        PlanToApply::Bundle(place) => {
            // A journal that cannot be read is that of a run which may have deleted something.
            let run = unfinished.first().copied();
            let opened = OpenedRun::of_bundle(&backend, scratch()?, &context.place(place), &settings).await;
            let opened = opened.map_err(|error| open_error(error, run))?;
            let plan = opened.bundle.digest();
            if !unfinished.contains(&plan) {
                return open_new(context, project, opened, on_refusal, (state, &unfinished), now).await;
            }
            Some(plan)
        }
    };
    let (Some(plan), Some(state)) = (begun, state) else {
        return Err(CommandError::plain("internal error: a run without a state"));
    };
    let mut opened = open_begun(context, project, plan).await?;
    if let (Err(OpenError::PlanMissing { .. }), PlanToApply::Bundle(place)) = (&opened, &request.plan) {
        opened = OpenedRun::of_bundle(&backend, scratch()?, &context.place(place), &settings).await;
    }
    let opened = opened.map_err(|error| open_error(error, Some(plan)))?;
    if opened.replay.end.is_empty() {
        return Err(CommandError::new(
            Exit::PlanUnusable,
            format!("the plan {} was begun, but the journal of its run is not in {}", plan.short(), opened.store.place()),
        )
        .with_note("without the journal it is not known what was sent, so the run cannot be continued")
        .with_help(restore_or_abandon(plan)));
    }
    Ok((opened, state, true))
}

/// A run that the state does not know as begun.
async fn open_new(
    context: &Context,
    project: &Project,
    mut opened: OpenedRun,
    on_refusal: OnRefusal,
    (state, unfinished): (Option<State>, &[Digest]),
    now: &Zoned,
) -> Result<(OpenedRun, State, bool), CommandError> {
    let state = usable_state(state, &opened.bundle)?;
    if let Some(other) = unfinished.first() {
        return Err(blocked_by(*other));
    }
    if opened.replay.has_begun() {
        // The state was given every run that has sent something.
        return Err(CommandError::plain("internal error: a run that was begun, and that the state does not know"));
    }
    let (plan, header) = (opened.bundle.digest(), opened.bundle.header());
    let changed = || changed(project, plan, header, header.policies.iter());
    if let Some(cause) = untimely(plan, header, now).or_else(changed).or_else(|| refused_when_made(header, on_refusal)) {
        return Err(cause);
    }
    if !opened.replay.end.is_empty() {
        // An earlier attempt ended before its first request, and before the state said that the plan was begun.
        opened.start_over(&|planned| machine_settings(planned, context.seed)).await?;
    }
    Ok((opened, state, false))
}

fn open_error(error: OpenError, plan: Option<Digest>) -> CommandError {
    match error {
        OpenError::Bundle(error) => error.into(),
        OpenError::Run(error) => match plan {
            Some(plan) => run_error(&error, plan),
            None => CommandError::from_error(Exit::Error, &error),
        },
        OpenError::PlanMissing { plan } => CommandError::new(
            Exit::PlanUnusable,
            format!("the plan {} was begun, but the store does not have it", plan.short()),
        )
        .with_help(restore_or_abandon(plan)),
    }
}

/// The state, when it allows a plan that was not begun to be applied.
fn usable_state(state: Option<State>, bundle: &Bundle) -> Result<State, CommandError> {
    let header = bundle.header();
    let Some(state) = state else {
        return Err(unusable(format!(
            "the plan {} was made with a state that is not here: it belongs to another project, or the state was lost",
            bundle.digest().short()
        )));
    };
    if state.lineage != header.lineage {
        return Err(unusable(format!("the plan {} belongs to another project", bundle.digest().short()))
            .with_note(format!("the plan's lineage is {}, this project's is {}", header.lineage, state.lineage)));
    }
    match state.status_of(bundle.digest()) {
        PlanStatus::Finished { at } => {
            Err(unusable(format!("the plan {} was used: its apply finished at {at:.0}", bundle.digest().short())))
        }
        PlanStatus::Started { .. } | PlanStatus::Unused => Ok(state),
    }
}

pub(super) fn confirm_hard_deletes(header: &PlanHeader, confirmed: &[String]) -> Result<(), CommandError> {
    let missing: Vec<String> = hard_targets(header)
        .iter()
        .filter(|target| !confirmed.iter().any(|name| name == target.as_str()))
        .map(|target| format!("--confirm-target {target}"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(CommandError::new(
        Exit::GateRefused,
        "the plan hard deletes, and its target was not confirmed by name; nothing was deleted",
    )
    .with_help(format!("look at the plan with `sexton show`, then add {}", missing.join(" "))))
}
