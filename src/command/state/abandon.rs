//! `sexton state abandon`: give a run up, and settle what it had sent.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::apply::{Event, SkipCause};
use crate::base::{CommandError, Digest, Exit, counted};
use crate::command::run::{
    AppliedPlan, after_deletion, check_systems, compact, finish, journal_error, kept_plan, open_begun, open_journal,
    policy_run, run_error, summarize, unknown_ends, with_unknown_runs,
};
use crate::command::{Shell, Verb};
use crate::execute::{EarlierRuns, OpenedRun, Run, execute};
use crate::select::{Context, Project, ProjectContext, open_all};
use crate::state::State;
use crate::store::{Journal, LockedState, RunScratch, RunStore};

/// Abandon an unfinished run: settle what was sent, and send nothing more
///
/// Jobs that can be stopped are stopped, others are waited for. What was sent is settled by asking the systems; what was never
/// sent is skipped. After that another plan can be applied.
#[derive(Clone, Debug, Args)]
pub struct StateAbandon {
    /// The run: the first digits of its plan, six or more, as `sexton plan` and `sexton apply` print them
    run: String,
    /// Do not ask the systems what became of sent records: they end unknown
    #[arg(long)]
    without_looking: bool,
}

impl Verb for StateAbandon {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let request = AbandonRequest {
            project: shell.project().to_owned(),
            run: self.run.clone(),
            without_looking: self.without_looking,
        };
        match abandon(&shell.context()?, &request, &shell.stop()).await? {
            Abandoned::Settled(applied) => {
                let next = "the run is not abandoned yet; run the same command again, or add --without-looking, by which what was or \
                            may have been sent ends unknown";
                applied.show(shell, next)?;
                if applied.unfinished.is_empty() {
                    shell.done(&format!("the run of the plan {} was abandoned", applied.plan.short()));
                    return Ok(Exit::Done);
                }
                Ok(applied.exit)
            }
            Abandoned::Lost { plan, cause, unknown: 0 } => {
                shell.warn(&format!(
                    "the run of the plan {} was abandoned without outcomes: {cause}; what it deleted is no longer known",
                    plan.short()
                ));
                Ok(Exit::Done)
            }
            Abandoned::Lost { plan, cause, unknown } => {
                shell.warn(&format!(
                    "the run of the plan {} was abandoned: {cause}; any of its {} may have been sent, so all of them end unknown, \
                     and the next plan looks at them again",
                    plan.short(),
                    counted(unknown, "record")
                ));
                Ok(Exit::Done)
            }
        }
    }
}

/// Which run is to be given up, and how.
#[derive(Clone, Debug)]
pub struct AbandonRequest {
    /// The directory that holds the manifests.
    pub project: PathBuf,
    /// The run: the first digits of its plan's digest, six or more.
    pub run: String,
    /// Not to ask the systems what became of what was sent: it ends unknown.
    pub without_looking: bool,
}

/// What came of giving a run up.
#[derive(Debug)]
pub enum Abandoned {
    /// Every planned record has its outcome.
    Settled(Box<AppliedPlan>),
    /// The journal of the run is lost, so that nobody can say what it deleted. The state does not wait for it any more.
    Lost {
        /// The plan.
        plan: Digest,
        /// What is lost.
        cause: String,
        /// How many records end unknown: all of the plan, and none where that is lost, too.
        unknown: u64,
    },
}

/// Gives a run up: jobs that can be stopped are stopped, others are waited for, what was sent is settled by asking, and what was
/// never sent is skipped.
///
/// # Errors
///
/// When there is no such run, or the store cannot be written; and when a system cannot be asked, which
/// [`AbandonRequest::without_looking`] does not need.
pub async fn abandon(
    context: &Context,
    request: &AbandonRequest,
    stop: &CancellationToken,
) -> Result<Abandoned, CommandError> {
    let project = Project::load(&context.place(&request.project))?;
    let mut locked = project.state(context).lock(&context.lock_info("state abandon")).await?;
    let state = locked.load().await?.ok_or_else(|| CommandError::plain("there is no state yet, so there is no run"))?;
    let mut state = with_unknown_runs(context, &project, state).await?;
    let plan = find_run(&state, &request.run)?;
    let cause = match open_begun(context, &project, plan).await? {
        Ok(opened) if opened.replay.end.is_empty() => format!("its journal is not in {}", opened.store.place()),
        Ok(opened) => {
            return settle(context, request, stop, &project, &mut locked, &mut state, opened).await;
        }
        Err(error) => error.to_string(),
    };
    close_lost(context, &project, &mut locked, &mut state, plan, cause).await
}

/// The unfinished run that these digits name.
fn find_run(state: &State, digits: &str) -> Result<Digest, CommandError> {
    let named: Vec<Digest> = state
        .unfinished()
        .map(|consumed| consumed.plan)
        .filter(|plan| digits.len() >= 6 && plan.to_string().starts_with(&digits.to_ascii_lowercase()))
        .collect();
    match named.as_slice() {
        [plan] => Ok(*plan),
        [] => {
            let known: Vec<String> = state.unfinished().map(|consumed| consumed.plan.short()).collect();
            let help = match known.as_slice() {
                [] => "no run is unfinished".to_owned(),
                known => format!("unfinished: {}", known.join(", ")),
            };
            Err(CommandError::plain(format!("there is no unfinished run `{}`", crate::base::shortened(digits)))
                .with_help(help))
        }
        _ => Err(CommandError::plain(format!("more than one unfinished run begins with `{digits}`"))
            .with_help("give more digits of the plan's digest")),
    }
}

/// Closes a run of which the store has lost the journal or the plan.
async fn close_lost(
    context: &Context,
    project: &Project,
    locked: &mut LockedState,
    state: &mut State,
    plan: Digest,
    cause: String,
) -> Result<Abandoned, CommandError> {
    let scratch = RunScratch::new(&project.scratch_directory(), &(context.fresh_id)())?;
    let store = RunStore::new(project.store(context), plan);
    let ends = match kept_plan(&store, project, scratch.place()).await {
        Some(bundle) => unknown_ends(&store, &scratch, &bundle, state).await?,
        None => Vec::new(),
    };
    let unknown = ends.iter().map(|(_, end)| end.tally.unknown).sum();
    state.abandon(plan);
    state
        .finish(plan, context.clock.now(), &context.actor, ends)
        .map_err(|error| CommandError::new(Exit::PlanUnusable, error.to_string()))?;
    locked.save(state).await?;
    Ok(Abandoned::Lost { plan, cause, unknown })
}

async fn settle(
    context: &Context,
    request: &AbandonRequest,
    stop: &CancellationToken,
    project: &Project,
    locked: &mut LockedState,
    state: &mut State,
    opened: OpenedRun,
) -> Result<Abandoned, CommandError> {
    let looks = !request.without_looking && opened.replay.has_begun();
    let now = context.clock.now().to_zoned(project.workspace.project.time_zone.clone());
    let connections = if looks {
        let unasked = |error: CommandError| {
            error.with_note(format!(
                "the run was not abandoned; where a system can no longer be asked, `sexton state abandon {} --without-looking` \
                 abandons it: what was or may have been sent ends unknown",
                opened.bundle.digest().short()
            ))
        };
        let connections = open_all(&ProjectContext { context: context.clone(), project, now: &now }).await;
        let connections = connections.map_err(unasked)?;
        check_systems(opened.bundle.header(), &connections).map_err(unasked)?;
        connections
    } else {
        BTreeMap::new()
    };
    let journal = open_journal(context, &opened)?;
    let (plan, tool) = (opened.bundle.digest(), env!("CARGO_PKG_VERSION").to_owned());
    let opening = Event::RunAbandoned { plan, tool, by: context.actor.clone(), looks };
    journal.append(None, &[opening]).await.map_err(|error| journal_error(&error))?;
    let mut policies = Vec::new();
    for planned in &opened.bundle.header().policies {
        let provider = connections.get(&planned.settings.target).map(|connection| &connection.provider);
        let Some(mut policy) = policy_run(&opened.bundle, planned, provider) else { continue };
        policy.stopped = Some(("the run was abandoned".to_owned(), SkipCause::Abandoned));
        policies.push(policy);
    }
    let earlier = EarlierRuns::of(context, state, &opened);
    let run = Run { earlier: Some(&earlier), ..Run::new(context, &opened, &journal, stop, looks) };
    let results = execute(&run, policies, &opened.replay).await.map_err(|error| run_error(&error, plan))?;
    let found = BTreeMap::new();
    let mut applied = summarize(&opened, &results, &found).await.map_err(after_deletion)?;
    if applied.unfinished.is_empty() {
        state.abandon(plan);
        finish(context, locked, state, &opened, &results, &found).await.map_err(after_deletion)?;
        compact(context, &opened).await;
    } else {
        applied.exit = if stop.is_cancelled() { Exit::Interrupted } else { Exit::SomeFailed };
    }
    Ok(Abandoned::Settled(Box::new(applied)))
}
