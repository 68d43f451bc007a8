//! `sexton apply`: delete the records of a plan, and nothing else.

mod fresh;
mod hold_watch;
mod opening;
mod policy_runs;
mod refusal;
mod request;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use strum::IntoEnumIterator as _;
use tokio_util::sync::CancellationToken;

use self::hold_watch::HoldRefresh;
use self::opening::{hard_targets, open_run, production_targets};
use self::policy_runs::{interrupted, policy_runs, recheck_all, stale_reasons};
use self::refusal::refusals_on_fresh_numbers;
pub use self::request::{ApplyRequest, PlanToApply};
use super::plan::{PlanRequest, plan};
use super::run::{
    AppliedPlan, Stopped, after_deletion, by_cause, check_systems, compact, exit_of, finish, journal_error, open_journal,
    refused_at_plan, run_error, summarize, unfinished_run, with_unknown_runs,
};
use super::{Shell, Verb};
use crate::apply::Event;
use crate::base::{CommandError, Exit, PolicyName, TargetName, counted, did_you_mean};
use crate::execute::{EarlierRuns, Run, execute, refuse_other_words};
use crate::manifest::OnRefusal;
use crate::plan::Population;
use crate::select::{Context, Project, ProjectContext, open_all};
use crate::store::{Bundle, Journal, keep_bundle};

/// Delete the records of a reviewed plan, and nothing else
///
/// It selects again first: a record that no longer matches or is now held is skipped, and one that is not in the plan is
/// left alone. After an interruption the same command continues where this one stopped.
#[derive(Clone, Debug, Args)]
pub struct Apply {
    /// The plan's directory; without one, continues an unfinished run, or makes a plan, shows it and asks
    #[arg(conflicts_with = "continue_run")]
    plan: Option<PathBuf>,
    /// Continue the unfinished run; the plan's directory is not needed
    #[arg(long = "continue")]
    continue_run: bool,
    /// Do not ask; hard deletes also need --confirm-target
    #[arg(long)]
    auto_approve: bool,
    /// Confirm a target by name: it is not asked about then, and hard deletes without a prompt need it
    #[arg(long, value_name = "NAME")]
    confirm_target: Vec<String>,
    /// For `allOrNone: perRequest`: send a failed group again in halves, until the failing record is alone
    #[arg(long)]
    isolate_failures: bool,
    /// Refuse when the run would delete more records than this, in all; it only lowers the limits of the manifests
    #[arg(long, value_name = "N")]
    max_records: Option<u64>,
    /// When a gate refuses a policy: delete nothing (`stop`), or apply the others (`skip`) [default: stop, or what the project says]
    #[arg(long, value_name = "CHOICE", value_parser = on_refusal)]
    on_refusal: Option<OnRefusal>,
}

fn on_refusal(text: &str) -> Result<OnRefusal, &'static str> {
    OnRefusal::iter().find(|choice| <&str>::from(*choice) == text).ok_or("write `stop` or `skip`")
}

impl Verb for Apply {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let context = shell.context()?;
        self.know_targets(&Project::load(&context.place(shell.project()))?)?;
        let unfinished = unfinished_run(&context, shell.project()).await?;
        let plan = match (&self.plan, unfinished) {
            (Some(directory), _) => PlanToApply::Bundle(directory.clone()),
            (None, Some(run)) => {
                // No new plan in the same command: what it would delete, nobody has asked for.
                shell.note(&format!("Continuing the unfinished run of the plan {}.", run.plan.short()));
                PlanToApply::Unfinished
            }
            (None, None) if self.continue_run => PlanToApply::Unfinished,
            (None, None) => match self.make_plan(shell).await? {
                ControlFlow::Continue(directory) => PlanToApply::Bundle(directory),
                ControlFlow::Break(exit) => return Ok(exit),
            },
        };
        let mut confirmed_targets = self.confirm_target.clone();
        if let PlanToApply::Bundle(directory) = &plan {
            let ControlFlow::Continue(confirmed) = self.confirm_targets(directory, shell)? else {
                return Ok(Exit::GateRefused);
            };
            confirmed_targets = confirmed;
        }
        let request = ApplyRequest {
            project: shell.project().to_owned(),
            plan,
            confirmed_targets,
            isolate_failures: self.isolate_failures,
            max_records: self.max_records,
            on_refusal: self.on_refusal,
        };
        let applied = apply(&context, &request, &shell.stop()).await?;
        applied.show(shell, "run the same command again; it asks the system what happened before it sends anything")?;
        Ok(applied.exit)
    }
}

impl Apply {
    /// Refuses to take a confirmation of what does not exist: whoever gave it means something else than what is done.
    fn know_targets(&self, project: &Project) -> Result<(), CommandError> {
        let known = || project.workspace.targets.keys().map(TargetName::as_str);
        let Some(unknown) = self.confirm_target.iter().find(|name| !known().any(|known| known == name.as_str())) else {
            return Ok(());
        };
        let help = did_you_mean(unknown, known(), &format!("they have {}", known().collect::<Vec<_>>().join(", ")));
        Err(CommandError::plain(format!(
            "`--confirm-target {unknown}`: the manifests have no such target; nothing was deleted"
        ))
        .with_help(help))
    }

    /// Makes a plan, shows it, and asks; gives its directory, or the exit code where it may not be applied.
    async fn make_plan(&self, shell: &dyn Shell) -> Result<ControlFlow<Exit, PathBuf>, CommandError> {
        if shell.is_json() && !self.auto_approve {
            return Err(CommandError::plain("cannot ask for confirmation with --json")
                .with_help("name a reviewed plan, as in `sexton apply plan --json`, or add --auto-approve"));
        }
        let request = PlanRequest { project: shell.project().to_owned(), out: None, base: None, policies: Vec::new() };
        let context = shell.context()?;
        let planned = plan(&context, &request).await?;
        planned.show(shell)?;
        let project = Project::load(&context.place(shell.project()))?;
        if planned.header.is_refused() && self.on_refusal.unwrap_or(project.workspace.project.on_refusal) == OnRefusal::Stop
        {
            return Ok(ControlFlow::Break(Exit::GateRefused));
        }
        if planned.header.selected() == 0 {
            // Nothing is to be confirmed, and that it ran and found nothing is evidence too.
            shell.note("Nothing to delete.");
            return Ok(ControlFlow::Continue(planned.directory));
        }
        if !self.auto_approve {
            if !shell.can_ask() {
                return Err(CommandError::plain("there is no terminal to ask for confirmation; nothing was deleted")
                    .with_help("name the reviewed plan, as in `sexton apply plan`, or add --auto-approve"));
            }
            let sent =
                planned.header.policies.iter().filter(|policy| !policy.is_refused()).map(|policy| policy.selected).sum();
            let question = format!("Delete {}? Type `yes` to confirm:", counted(sent, "record"));
            if !shell.confirms(&question, "yes") {
                shell.note("Nothing was deleted.");
                return Ok(ControlFlow::Break(Exit::Error));
            }
        }
        Ok(ControlFlow::Continue(planned.directory))
    }

    /// The targets that were confirmed by name, here or on the command line; where a person refuses, the end. A person is asked about
    /// those in which the plan hard deletes and about those that are production; without one only the former must be confirmed.
    fn confirm_targets(&self, plan: &Path, shell: &dyn Shell) -> Result<ControlFlow<(), Vec<String>>, CommandError> {
        let mut confirmed = self.confirm_target.clone();
        if self.auto_approve || !shell.can_ask() {
            return Ok(ControlFlow::Continue(confirmed));
        }
        let bundle = Bundle::open(&shell.place(plan))?;
        let (hard, production) = (hard_targets(bundle.header()), production_targets(bundle.header()));
        for target in hard.union(&production) {
            if !confirmed.iter().any(|name| name == target.as_str()) {
                let why = match (hard.contains(target), production.contains(target)) {
                    (true, true) => "These are hard deletes in production and cannot be undone",
                    (true, false) => "Hard deletes cannot be undone",
                    (false, _) => "This is production",
                };
                let question = format!("{why}. Type the target's name, {target}, to continue:");
                if !shell.confirms(&question, target.as_str()) {
                    shell.note("Nothing was deleted.");
                    return Ok(ControlFlow::Break(()));
                }
                confirmed.push(target.to_string());
            }
        }
        Ok(ControlFlow::Continue(confirmed))
    }
}

/// Applies a plan, or continues an apply of it: a first apply is a continued one whose journal is empty. `stop` asks to send
/// nothing new; what was sent is waited for.
///
/// A policy of which nothing was sent yet must pass every check of a first apply: the plan's age, the manifests, the limits and
/// the other gates, on the fresh numbers. One that has begun still settles what was sent; a lowered limit, a hold, or a problem
/// with the target or the organization stops the rest of it.
pub async fn apply(
    context: &Context,
    request: &ApplyRequest,
    stop: &CancellationToken,
) -> Result<AppliedPlan, CommandError> {
    let project = Project::load(&context.place(&request.project))?;
    let now = context.clock.now().to_zoned(project.workspace.project.time_zone.clone());
    let mut locked = project.state(context).lock(&context.lock_info("apply")).await?;
    let state = match locked.load().await? {
        Some(state) => Some(with_unknown_runs(context, &project, state).await?),
        None => None,
    };
    let on_refusal = request.on_refusal.unwrap_or(project.workspace.project.on_refusal);
    let (opened, mut state, begun) = open_run(context, &project, request, on_refusal, state, &now).await?;
    let sent = opened.replay.has_begun();
    let carried_out = async {
        if !begun {
            opening::confirm_hard_deletes(opened.bundle.header(), &request.confirmed_targets)?;
        }
        let project_context = ProjectContext { context: context.clone(), project: &project, now: &now };
        let connections = or_stop(open_all(&project_context), stop, begun).await?;
        check_systems(opened.bundle.header(), &connections)?;

        let mut stopped = refused_at_plan(opened.bundle.header());
        stopped.extend(if begun {
            or_stop(stale_reasons(&project, &opened, &connections, &now), stop, begun).await?
        } else {
            refuse_other_words(&project, &opened.bundle, &connections).await?;
            BTreeMap::new()
        });
        let rechecks = recheck_all(&project_context, &opened, &connections, &stopped, stop);
        let rechecks = or_stop(rechecks, stop, begun).await?;
        let refusals = refusals_on_fresh_numbers(
            &project_context,
            &opened,
            &connections,
            (&rechecks, &stopped),
            &state,
            begun,
            request.max_records,
        );
        let refusals = or_stop(refusals, stop, begun).await?;
        let stopped = Stopped::new(opened.bundle.header(), stopped, &refusals);
        if !begun && !refusals.is_empty() && (on_refusal == OnRefusal::Stop || stopped.leaves_nothing()) {
            let mut error = CommandError::new(Exit::GateRefused, "a gate refused on the fresh numbers; nothing was deleted")
                .with_help(format!(
                    "mend what was refused and run the same command again, or make a new plan{}",
                    stopped.other_way()
                ));
            error.notes = by_cause(
                refusals.iter().flat_map(|(policy, causes)| causes.iter().map(move |cause| (policy, cause.clone()))),
            );
            return Err(error);
        }
        if stop.is_cancelled() {
            return Err(interrupted(begun));
        }

        let journal = open_journal(context, &opened)?;
        if !begun {
            keep_bundle(&opened.store, &opened.bundle).await?;
        }
        let (tool, by) = (env!("CARGO_PKG_VERSION").to_owned(), context.actor.clone());
        let opening = Event::RunOpened { plan: opened.bundle.digest(), tool, by };
        journal.append(None, &[opening]).await.map_err(|error| journal_error(&error))?;
        if !begun {
            state
                .consume(opened.bundle.digest(), context.clock.now(), &context.actor)
                .map_err(|error| CommandError::new(Exit::PlanUnusable, error.to_string()))?;
            locked.save(&mut state).await?;
        }
        let any_refused = stopped.any();
        let policies = policy_runs(&opened, &connections, rechecks, &stopped, request)?;
        let holds = HoldRefresh::new(context, &project, &opened, &connections, &now)?;
        let earlier = EarlierRuns::of(context, &state, &opened);
        let run = Run { holds: Some(&holds), earlier: Some(&earlier), ..Run::new(context, &opened, &journal, stop, true) };
        let found: BTreeMap<PolicyName, (Population, u64)> = policies
            .iter()
            .filter_map(|policy| Some((policy, policy.recheck.as_ref()?)))
            .map(|(policy, recheck)| (policy.specification.policy.clone(), (recheck.population, recheck.waiting)))
            .collect();
        let results =
            execute(&run, policies, &opened.replay).await.map_err(|error| run_error(&error, opened.bundle.digest()))?;
        let applied = summarize(&opened, &results, &found).await.map_err(after_deletion)?;
        if applied.unfinished.is_empty() {
            finish(context, &mut locked, &mut state, &opened, &results, &found).await.map_err(after_deletion)?;
            compact(context, &opened).await;
        }
        Ok(AppliedPlan { exit: exit_of(&applied, &results, any_refused, stop), ..applied })
    };
    // Whatever it was, an earlier process may have deleted something.
    carried_out.await.map_err(|error| if sent { after_deletion(error) } else { error })
}

/// Awaits a part that only reads, unless `stop` comes first: a system may have asked to be left alone for minutes.
async fn or_stop<T>(
    reading: impl Future<Output = Result<T, CommandError>>,
    stop: &CancellationToken,
    begun: bool,
) -> Result<T, CommandError> {
    tokio::select! {
        biased;
        read = reading => read,
        () = stop.cancelled() => Err(interrupted(begun)),
    }
}
