//! `sexton check`.

use std::path::PathBuf;

use clap::Args;

use super::run::{blocked_by, changed, refused_when_made, untimely, unusable, with_unknown_runs};
use super::{Shell, Verb};
use crate::base::{CommandError, Digest, Exit};
use crate::execute::{Replay, machine_settings, other_project, other_settings};
use crate::plan::PlanHeader;
use crate::report::{CheckView, Use};
use crate::select::{Context, Project};
use crate::state::PlanStatus;
use crate::store::{Bundle, RunStore};

/// Check that a plan can still be applied, offline
///
/// It asks no system and writes nothing. The plan must be whole, belong to the manifests and to the state, be unexpired, unused and
/// refused by no gate. What only the system can tell, apply checks.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// The plan's directory [default: plan, or what the project says]
    plan: Option<PathBuf>,
    /// Exit with 5 where it is not known whether the plan was used
    #[arg(long)]
    strict: bool,
}

impl Verb for Check {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let context = shell.context()?;
        let project = Project::load(&shell.place(shell.project()))?;
        let directory = self.plan.as_ref().map_or_else(|| project.plan_directory(), |plan| shell.place(plan));
        let bundle = Bundle::open_untouched(&directory)?;
        let (plan, header) = (bundle.digest(), bundle.header());

        let (used, foreign) = use_of(&context, &project, plan, header).await;
        let reasons: Vec<CommandError> = foreign.into_iter().chain(reasons(&context, &project, plan, header)).collect();
        let has = |exit: Exit| reasons.iter().any(|reason| reason.exit == exit);
        let exit = match &used {
            _ if has(Exit::PlanUnusable) => Exit::PlanUnusable,
            Use::Unknown(_) if self.strict => Exit::PlanUnusable,
            _ if has(Exit::GateRefused) => Exit::GateRefused,
            _ => Exit::Done,
        };
        let left_out = project.workspace.policies.keys().filter(|policy| bundle.policy(policy).is_none()).collect();
        let place = directory.path().display().to_string();
        shell.show(&CheckView { header, plan, place: &place, used: &used, reasons: &reasons, left_out, exit })?;
        Ok(exit)
    }
}

/// Why the plan cannot be applied, as far as manifests and clock say: every reason.
fn reasons(context: &Context, project: &Project, plan: Digest, header: &PlanHeader) -> Vec<CommandError> {
    let now = context.clock.now().to_zoned(project.workspace.project.time_zone.clone());
    let stale = changed(project, plan, header, header.policies.iter());
    // What a changed document explains is not told twice.
    let altered = || {
        let settings = header
            .policies
            .iter()
            .filter_map(|planned| other_settings(project.workspace.policies.get(&planned.policy)?, planned));
        let causes: Vec<String> = other_project(project, header).into_iter().chain(settings).collect();
        let title = "the plan does not match the manifests it was made from";
        (!causes.is_empty()).then(|| CommandError { notes: causes, ..unusable(title.to_owned()) })
    };
    let overdue = header.policies.iter().filter_map(|planned| {
        let day = planned.settings.review_by.filter(|day| now.date() > *day)?;
        let title = format!("policy `{}` was to be reviewed by {day}", planned.policy);
        Some(CommandError::new(Exit::GateRefused, title).with_help("review the policy, set a later day, and plan again"))
    });
    let stale = stale.or_else(altered);
    untimely(plan, header, &now)
        .into_iter()
        .chain(stale)
        .chain(refused_when_made(header, project.workspace.project.on_refusal))
        .chain(overdue)
        .collect()
}

/// Whether the plan was used, as far as the store can be read; and why it can be used no more. Where the state does not know it as
/// used, the run itself is asked: a state that was restored may be older than the run.
async fn use_of(context: &Context, project: &Project, plan: Digest, header: &PlanHeader) -> (Use, Option<CommandError>) {
    let (used, reason) = use_by_state(context, project, plan, header).await;
    // One of another project has no run here.
    if matches!((&used, &reason), (Use::Used, _) | (Use::Unknown(_), Some(_))) {
        return (used, reason);
    }
    let settings =
        header.policies.iter().filter_map(|planned| Some((planned.policy.clone(), machine_settings(planned, 0)?)));
    match Replay::read(&RunStore::new(project.store(context), plan), settings).await {
        Ok(run) if run.has_begun() => {
            let reason = unknown_to_state(plan, &run, &used);
            (Use::Used, Some(reason))
        }
        Ok(_) if used == Use::Unused => match other_run(context, project).await {
            Ok(other) => (used, other.map(blocked_by)),
            Err(error) => (Use::Unknown(error.to_string()), None),
        },
        Ok(_) => (used, reason),
        Err(error) => (Use::Unknown(format!("the journal of its run cannot be read: {error}")), reason),
    }
}

/// A run that has to come to its end before any other plan, also one that the state does not know.
async fn other_run(context: &Context, project: &Project) -> Result<Option<Digest>, CommandError> {
    let Some(state) = project.state(context).load().await? else { return Ok(None) };
    let state = with_unknown_runs(context, project, state).await?;
    Ok(state.unfinished().next().map(|other| other.plan))
}

/// Why a plan whose run the store has, and the state does not, was used.
fn unknown_to_state(plan: Digest, run: &Replay, by_state: &Use) -> CommandError {
    let (how, then) = match run.has_ended() {
        true => ("ended", "which sends nothing and tells the state how the run ended; then make a new plan"),
        false => ("was begun", "which continues the run"),
    };
    let title = format!("the plan {} was used: its run {how}, and the state here has no record of it", plan.short());
    let (why, help) = match by_state {
        Use::Unknown(why) => (why.as_str(), "restore the state of this project".to_owned()),
        _ => (
            "the state is probably an older copy",
            format!("restore the newer state, if there is one; or run `sexton apply` with this plan, {then}"),
        ),
    };
    CommandError::new(Exit::PlanUnusable, title).with_note(why).with_help(help)
}

async fn use_by_state(
    context: &Context,
    project: &Project,
    plan: Digest,
    header: &PlanHeader,
) -> (Use, Option<CommandError>) {
    let foreign = |lineage: &str| {
        let error = unusable(format!("the plan {} belongs to another project", plan.short()));
        error.with_note(format!("the plan's lineage is {}, this project's is {lineage}", header.lineage))
    };
    if let Some(lineage) = project.workspace.project.lineage.as_ref().filter(|lineage| **lineage != header.lineage) {
        return (Use::Unknown("the plan is of another project".into()), Some(foreign(lineage)));
    }
    let state = match project.state(context).load().await {
        Ok(Some(state)) => state,
        Ok(None) => return (Use::Unknown("there is no state here".into()), None),
        Err(error) => return (Use::Unknown(error.to_string()), None),
    };
    if state.lineage != header.lineage {
        return (Use::Unknown("the state is of another project".into()), Some(foreign(&state.lineage)));
    }
    match state.status_of(plan) {
        PlanStatus::Finished { at } => {
            let title = format!("the plan {} was used: its apply finished at {at:.0}", plan.short());
            (Use::Used, Some(unusable(title)))
        }
        PlanStatus::Started { since } => {
            let title = format!("the plan {} was used: its apply began at {since:.0} and is not finished", plan.short());
            let help = format!(
                "finish it with `sexton apply --continue`, or abandon it with `sexton state abandon {}`",
                plan.short()
            );
            (Use::Used, Some(CommandError::new(Exit::PlanUnusable, title).with_help(help)))
        }
        PlanStatus::Unused if state.serial < header.serial => {
            let why =
                format!("the state here has serial {}, and the plan was made beside serial {}", state.serial, header.serial);
            (Use::Unknown(why), None)
        }
        PlanStatus::Unused => (Use::Unused, state.unfinished().next().map(|other| blocked_by(other.plan))),
    }
}
