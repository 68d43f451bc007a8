//! `sexton apply`: delete the records of a plan, and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Zoned;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::applied::{finish, summarize};
use super::refusal::{begun_refusals, refuse_new, stale_reason};
use crate::apply::{BatchSpecification, Event, SkipCause};
use crate::base::{CommandError, Digest, Exit, PolicyName, TargetName, counted};
use crate::execute::{
    ExecuteError, OpenError, OpenedRun, POLICIES_AT_ONCE, PlannedIds, PolicyRun, Recheck, Rechecking, Run, execute,
    is_grouped, machine_settings,
};
use crate::manifest::{AllOrNone, Concurrency, SendAs};
use crate::plan::{PlanHeader, PlannedPolicy};
use crate::provider::Provider;
use crate::report::Applied;
use crate::select::{Connection, Context, Project, open_all};
use crate::state::{PlanStatus, State};
use crate::store::{Bundle, Journal, JournalError, RunJournal, compact_journal, keep_bundle};
use crate::system::DeleteMode;

/// Which plan is to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanToApply {
    /// The bundle at that place.
    Bundle(PathBuf),
    /// The one whose run is unfinished, from what the store has of it.
    Unfinished,
}

/// What is to be applied.
#[derive(Clone, Debug)]
pub struct ApplyRequest {
    /// The directory that holds the manifests.
    pub project: PathBuf,
    /// The plan.
    pub plan: PlanToApply,
    /// Targets that were confirmed by name; hard deletes need it.
    pub confirmed_targets: Vec<String>,
    /// Whether an atomic group that fails is sent again in halves, until the record that fails is alone. It is for
    /// `allOrNone: perRequest` only.
    pub isolate_failures: bool,
}

/// How an apply ended.
#[derive(Clone, Debug)]
pub struct AppliedPlan {
    /// The plan.
    pub plan: Digest,
    /// What it did.
    pub report: Applied,
    /// The exit code.
    pub exit: Exit,
    /// Why the run is not at its end, where it is not; the same command continues it.
    pub unfinished: Vec<String>,
}

/// What to do when the store has lost something of a run that nothing can replace.
pub(super) fn restore_or_abandon(plan: Digest) -> String {
    format!(
        "restore the store from a copy and run the same command again; or give the run up with `sexton state abandon {}`",
        plan.short()
    )
}

/// The targets of a bundle that some policy hard deletes from, so that a person can be asked for their names.
pub fn targets_to_confirm(plan: &Path) -> Result<Vec<TargetName>, CommandError> {
    Ok(hard_targets(Bundle::open(plan)?.header()))
}

fn hard_targets(header: &PlanHeader) -> Vec<TargetName> {
    let mut names: Vec<TargetName> = header
        .policies
        .iter()
        .filter(|policy| policy.settings.delete == DeleteMode::Hard && policy.selected > 0)
        .map(|policy| policy.settings.target.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Applies a plan, or continues an apply of it: a first apply is a continued one whose journal is empty. `stop` asks to send
/// nothing new; what was sent is waited for.
///
/// Every policy of which nothing was sent yet has to pass everything a first apply has to pass: the plan's age, the manifests,
/// the limits and the other gates, on the fresh numbers. One that was begun comes to its end with what was sent; a lowered limit,
/// a hold, and what is wrong with the target or the organization stop the rest of it.
pub async fn apply(
    context: &Context,
    request: &ApplyRequest,
    stop: &CancellationToken,
) -> Result<AppliedPlan, CommandError> {
    let project = Project::load(&request.project)?;
    let now = context.clock.now().to_zoned(project.workspace.project.time_zone.clone());
    let mut locked = project.state().lock(&context.lock_info("apply"))?;
    let state = locked.load()?;
    let (opened, mut state, begun) = open_run(context, &project, request, state, &now).await?;
    if !begun {
        confirm_hard_deletes(opened.bundle.header(), &request.confirmed_targets)?;
    }
    let mut connections = open_all(context, &project).await?;
    check_systems(opened.bundle.header(), &connections)?;

    let sent = opened.replay.has_begun();
    let late = |error| if sent { after_deletion(error) } else { error };
    let stopped = if begun {
        stale_reasons(&project, &opened, &mut connections, &now).await.map_err(late)?
    } else {
        refuse_new(&project, &opened.bundle, &mut connections).await?;
        BTreeMap::new()
    };
    let rechecks = recheck_all(context, &project, &opened, &mut connections, &now, &stopped, stop).await.map_err(late)?;
    let refusals =
        begun_refusals(&project, &opened, &mut connections, &rechecks, &state, &now, begun).await.map_err(late)?;
    if !begun && !refusals.is_empty() {
        let mut error = CommandError::new(Exit::GateRefused, "a gate refused on the fresh numbers; nothing was deleted");
        error.notes = refusals.into_iter().map(|(policy, cause)| format!("policy {policy}: {cause}")).collect();
        return Err(error);
    }
    if stop.is_cancelled() {
        return Err(late(interrupted(begun)));
    }

    let journal = open_journal(context, &opened)?;
    if !begun {
        keep_bundle(&opened.store, &opened.bundle).await?;
    }
    let opening = Event::RunOpened { plan: opened.bundle.digest(), tool: env!("CARGO_PKG_VERSION").to_owned() };
    journal.append(None, &[opening]).await.map_err(|error| late(journal_error(&error)))?;
    if !begun {
        state
            .consume(opened.bundle.digest(), context.clock.now())
            .map_err(|error| CommandError::new(Exit::PlanUnusable, error.to_string()))?;
        locked.save(&mut state)?;
    }
    let policies = policy_runs(&opened, &connections, rechecks, stopped, refusals, request, begun)?;
    let permits = Semaphore::new(POLICIES_AT_ONCE);
    let run = Run {
        store: &opened.store,
        scratch: &opened.scratch,
        journal: &journal,
        clock: context.clock.as_ref(),
        seed: context.seed,
        observer: context.observer.as_ref(),
        stop,
        permits: &permits,
        asks_what_happened: true,
    };
    let found: BTreeMap<PolicyName, (u64, u64)> = policies
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
    Ok(AppliedPlan { exit: exit_of(&applied, &results, stop), ..applied })
}

/// An error that comes after records may have gone: its exit code must not say that none were.
pub(super) fn after_deletion(mut error: CommandError) -> CommandError {
    if !matches!(error.exit, Exit::Interrupted | Exit::LockHeld | Exit::PlanUnusable) {
        error.exit = Exit::SomeFailed;
    }
    let kept = error.help.take();
    error.with_help(
        kept.unwrap_or_else(|| "mend the cause and run the same command again: it takes up the run where it is".to_owned()),
    )
}

pub(super) fn run_error(error: &ExecuteError, plan: Digest) -> CommandError {
    if error.is_overtaken() {
        return CommandError::new(Exit::LockHeld, "another process goes on with this run; this one has stopped")
            .caused_by(error)
            .with_help("what this process had sent is looked at by the other one; wait for it to end");
    }
    // Records may have gone before it broke off, so this is not "nothing was deleted".
    let converted = CommandError::new(Exit::SomeFailed, error.to_string()).caused_by_source(error);
    converted.with_help(if error.is_loss() {
        restore_or_abandon(plan)
    } else {
        "what was journalled stands; mend the cause and run the same command again: it asks the system what happened first"
            .to_owned()
    })
}

fn interrupted(begun: bool) -> CommandError {
    CommandError::new(Exit::Interrupted, "interrupted; nothing was sent").with_help(if begun {
        "run the same command to continue"
    } else {
        "the plan is not used up: the same command applies it"
    })
}

/// The run of the plan that is to be applied, the state, and whether the run was begun before.
async fn open_run(
    context: &Context,
    project: &Project,
    request: &ApplyRequest,
    state: Option<State>,
    now: &Zoned,
) -> Result<(OpenedRun, State, bool), CommandError> {
    let settings = |planned: &PlannedPolicy| machine_settings(planned, context.seed);
    let (backend, scratch) = (project.backend(), project.scratch_directory());
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
            let opened =
                OpenedRun::of_bundle(&backend, &scratch, place, &settings).await.map_err(|error| open_error(error, None))?;
            let plan = opened.bundle.digest();
            if !unfinished.contains(&plan) {
                return open_new(context, project, opened, state, &unfinished, now).await;
            }
            Some(plan)
        }
    };
    let (Some(plan), Some(state)) = (begun, state) else {
        return Err(CommandError::plain("internal error: a run without a state"));
    };
    let mut opened = OpenedRun::of_begun(&backend, &scratch, plan, &settings).await;
    if let (Err(OpenError::PlanMissing { .. }), PlanToApply::Bundle(place)) = (&opened, &request.plan) {
        // The working tree has what the store has lost.
        opened = OpenedRun::of_bundle(&backend, &scratch, place, &settings).await;
    }
    let opened = opened.map_err(|error| open_error(error, Some(plan)))?;
    if opened.replay.end.is_empty() {
        return Err(CommandError::new(
            Exit::PlanUnusable,
            format!("the plan {} was begun, and the journal of its run is not in {}", plan.short(), opened.store.place()),
        )
        .with_note("without the journal nobody knows what was sent, so the run cannot be continued")
        .with_help(restore_or_abandon(plan)));
    }
    Ok((opened, state, true))
}

/// A run that the state does not know as begun.
async fn open_new(
    context: &Context,
    project: &Project,
    mut opened: OpenedRun,
    state: Option<State>,
    unfinished: &[Digest],
    now: &Zoned,
) -> Result<(OpenedRun, State, bool), CommandError> {
    let state = usable_state(state, &opened.bundle)?;
    if let Some(other) = unfinished.first() {
        return Err(CommandError::new(
            Exit::PlanUnusable,
            format!("the run of the plan {} is unfinished; nothing was deleted", other.short()),
        )
        .with_note("another plan can be applied when it has come to its end")
        .with_help(format!(
            "finish it with `sexton apply --continue`, or give it up with `sexton state abandon {}`",
            other.short()
        )));
    }
    if opened.replay.has_begun() {
        // An older copy of the state was restored. What was sent must come to its end all the same.
        context.observer.warn(&format!(
            "the state does not know it, but the run of the plan {} was begun before: it is continued",
            opened.bundle.digest().short()
        ));
        let mut state = state;
        state
            .consume(opened.bundle.digest(), context.clock.now())
            .map_err(|error| CommandError::new(Exit::PlanUnusable, error.to_string()))?;
        return Ok((opened, state, true));
    }
    if let Some(cause) = stale_reason(project, opened.bundle.header(), now) {
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
            format!("the plan {} was begun, and the store does not have it", plan.short()),
        )
        .with_help(restore_or_abandon(plan)),
    }
}

/// The state, when it allows a plan that was not begun to be applied.
fn usable_state(state: Option<State>, bundle: &Bundle) -> Result<State, CommandError> {
    let header = bundle.header();
    let unusable = |title: String| {
        CommandError::new(Exit::PlanUnusable, title).with_help("make a new plan with `sexton plan` and review it")
    };
    let Some(state) = state else {
        return Err(unusable(format!(
            "the plan {} was made beside a state that is not here: it belongs to another project, or the state was lost",
            bundle.digest().short()
        )));
    };
    if state.lineage != header.lineage {
        return Err(unusable(format!("the plan {} belongs to another project", bundle.digest().short()))
            .with_note(format!("the plan's lineage is {}, this project's is {}", header.lineage, state.lineage)));
    }
    match state.status_of(bundle.digest()) {
        PlanStatus::Finished { at } => {
            Err(unusable(format!("the plan {} was used: its apply finished at {at}", bundle.digest().short())))
        }
        PlanStatus::Started { .. } | PlanStatus::Unused => Ok(state),
    }
}

fn confirm_hard_deletes(header: &PlanHeader, confirmed: &[String]) -> Result<(), CommandError> {
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

pub(super) fn open_journal(context: &Context, opened: &OpenedRun) -> Result<RunJournal, CommandError> {
    let (backend, prefix) = (Arc::clone(opened.store.backend()), opened.store.journal()?);
    let end = opened.replay.end.clone();
    Ok(RunJournal::new(backend, prefix, Arc::clone(&context.clock), (context.fresh_id)(), end))
}

pub(super) fn journal_error(error: &JournalError) -> CommandError {
    match error {
        JournalError::Overtaken { .. } => {
            CommandError::new(Exit::LockHeld, "another process goes on with this run; nothing was sent").caused_by(error)
        }
        _ => CommandError::plain("the journal cannot be written, so nothing more is sent").caused_by(error),
    }
}

/// Refuses when any login is for another organization than the plan was made in.
pub(super) fn check_systems(
    header: &PlanHeader,
    connections: &BTreeMap<TargetName, Connection>,
) -> Result<(), CommandError> {
    for (name, sealed) in &header.targets {
        let Some(connection) = connections.get(name) else {
            return Err(CommandError::new(
                Exit::PlanUnusable,
                format!("the plan's target `{name}` is not used by any policy any more"),
            ));
        };
        let found = &connection.identity().organization_id;
        if *found != sealed.identity.organization_id {
            return Err(CommandError::new(
                Exit::PlanUnusable,
                format!("target `{name}` is another organization than the plan was made in; nothing was sent"),
            )
            .with_note(format!("the plan was made in {}, the login is for {found}", sealed.identity.organization_id))
            .with_help("check the credentials of this environment, or make a plan for this organization"));
        }
    }
    Ok(())
}

/// Why policies of a begun run of which nothing was sent may not begin any more: the plan is too old, or the manifests are not
/// those it was made from.
async fn stale_reasons(
    project: &Project,
    opened: &OpenedRun,
    connections: &mut BTreeMap<TargetName, Connection>,
    now: &Zoned,
) -> Result<BTreeMap<PolicyName, String>, CommandError> {
    let header = opened.bundle.header();
    let whole = stale_reason(project, header, now).map(|error| error.title);
    let mut reasons = BTreeMap::new();
    for planned in &header.policies {
        let Some(replayed) = opened.replay.policies.get(&planned.policy) else { continue };
        if replayed.machine.has_begun() || replayed.machine.status().finished.is_some() {
            continue;
        }
        let reason = match &whole {
            Some(reason) => Some(reason.clone()),
            None => crate::execute::other_policy(project, header, planned, connections).await?,
        };
        if let Some(reason) = reason {
            reasons.insert(planned.policy.clone(), reason);
        }
    }
    Ok(reasons)
}

/// Rechecks every policy that is not at its end and not stopped.
async fn recheck_all(
    context: &Context,
    project: &Project,
    opened: &OpenedRun,
    connections: &mut BTreeMap<TargetName, Connection>,
    now: &Zoned,
    stopped: &BTreeMap<PolicyName, String>,
    stop: &CancellationToken,
) -> Result<BTreeMap<PolicyName, Recheck>, CommandError> {
    let mut rechecks = BTreeMap::new();
    for planned in &opened.bundle.header().policies {
        let Some(replayed) = opened.replay.policies.get(&planned.policy) else { continue };
        if replayed.machine.status().finished.is_some() || stopped.contains_key(&planned.policy) {
            continue;
        }
        if stop.is_cancelled() {
            return Err(interrupted(!opened.replay.end.is_empty()));
        }
        let connection = connection_of(connections, planned)?;
        let begun = replayed.machine.has_begun();
        let rechecking = Rechecking {
            context,
            project,
            bundle: &opened.bundle,
            planned,
            now,
            jobs_may_run: begun && planned.route.as_ref().is_some_and(|route| route.api.works_by_jobs()),
        };
        let folder = opened
            .scratch
            .folder(&format!("recheck.{}", planned.policy))
            .map_err(|error| CommandError::plain("the scratch files of the recheck cannot be written").caused_by(&error))?;
        let recheck = rechecking.run(connection, folder).await.map_err(|error| {
            let error = error.about_policy(&planned.policy);
            if begun {
                error.with_note(
                    "the run goes on only when the selection and every hold can be read; mend the cause and run the same \
                     command again",
                )
            } else {
                error
            }
        })?;
        rechecks.insert(planned.policy.clone(), recheck);
    }
    Ok(rechecks)
}

fn connection_of<'c>(
    connections: &'c mut BTreeMap<TargetName, Connection>,
    planned: &PlannedPolicy,
) -> Result<&'c mut Connection, CommandError> {
    connections.get_mut(&planned.settings.target).ok_or_else(|| {
        CommandError::new(Exit::PlanUnusable, format!("target `{}` is gone from the manifests", planned.settings.target))
    })
}

/// What is to be carried out, in the order of the plan.
fn policy_runs(
    opened: &OpenedRun,
    connections: &BTreeMap<TargetName, Connection>,
    mut rechecks: BTreeMap<PolicyName, Recheck>,
    stopped: BTreeMap<PolicyName, String>,
    refusals: BTreeMap<PolicyName, String>,
    request: &ApplyRequest,
    begun: bool,
) -> Result<Vec<PolicyRun>, CommandError> {
    let mut policies = Vec::new();
    for planned in &opened.bundle.header().policies {
        // A policy without records needs no route, and nothing is done for it.
        let Some(connection) = connections.get(&planned.settings.target) else { continue };
        let Some(mut policy) = policy_run(&opened.bundle, planned, Some(&connection.provider)) else { continue };
        policy.isolate_failures = request.isolate_failures && planned.settings.all_or_none == AllOrNone::PerRequest;
        policy.recheck = rechecks.remove(&planned.policy);
        policy.checks_presence = begun;
        let refused = stopped.get(&planned.policy).or_else(|| refusals.get(&planned.policy));
        policy.stopped = refused.map(|cause| (cause.clone(), SkipCause::Refused));
        policies.push(policy);
    }
    Ok(policies)
}

/// One policy to carry out, before anything is known of its recheck; `None` for one without records. Without a `provider` nothing
/// is asked and nothing sent.
pub(super) fn policy_run(
    bundle: &Arc<Bundle>,
    planned: &PlannedPolicy,
    provider: Option<&Arc<dyn Provider>>,
) -> Option<PolicyRun> {
    let route = planned.route.as_ref()?;
    let source = Arc::clone(bundle);
    let policy = planned.policy.clone();
    let planned_ids: PlannedIds = Arc::new(move || {
        let rows = source
            .rows(&policy)
            .ok_or_else(|| std::io::Error::other("the plan does not have the policy"))?
            .map_err(std::io::Error::other)?;
        Ok(Box::new(rows.map(|row| row.map(|row| row.id).map_err(std::io::Error::other))))
    });
    let settings = &planned.settings;
    Some(PolicyRun {
        specification: BatchSpecification {
            policy: planned.policy.clone(),
            object: planned.query.object.clone(),
            delete: settings.delete,
            api: route.api,
            atomic: settings.all_or_none != AllOrNone::No,
            serial: settings.concurrency == Concurrency::Serial,
            matching: planned.query.condition.clone().filter(|_| settings.send_as == SendAs::Query),
        },
        route: route.clone(),
        depends_on: settings.depends_on.clone(),
        provider: provider.map(Arc::clone),
        planned: planned.selected,
        planned_ids,
        grouped: is_grouped(planned),
        isolate_failures: false,
        recheck: None,
        checks_presence: false,
        stopped: None,
    })
}

/// Joins what a finished run keeps into a handful of objects. It is tidiness: the run is finished in any case.
pub(super) async fn compact(context: &Context, opened: &OpenedRun) {
    let compacted = match opened.store.journal() {
        Ok(prefix) => compact_journal(opened.store.backend().as_ref(), &prefix).await,
        Err(error) => Err(error),
    };
    if let Err(error) = compacted {
        context.observer.warn(&format!("the journal of the finished run could not be compacted: {error}"));
    }
}

fn exit_of(applied: &AppliedPlan, results: &[crate::execute::PolicyResult], stop: &CancellationToken) -> Exit {
    use crate::execute::PolicyResultKind;
    let tally = applied.report.tally();
    if !applied.unfinished.is_empty() {
        return if stop.is_cancelled() { Exit::Interrupted } else { Exit::SomeFailed };
    }
    let halted = |wanted: &dyn Fn(SkipCause) -> bool| {
        results.iter().any(
            |result| matches!(&result.kind, PolicyResultKind::Finished { halted: Some((_, skip)), .. } if wanted(*skip)),
        )
    };
    let refused = halted(&|skip| skip == SkipCause::Refused);
    // Those that depend on a refused policy are skipped with it.
    let other = halted(&|skip| skip != SkipCause::Refused && !(refused && skip == SkipCause::Dependency));
    match (tally.failed + tally.unknown > 0 || other, refused) {
        (true, _) => Exit::SomeFailed,
        (false, true) => Exit::GateRefused,
        (false, false) => Exit::Done,
    }
}

/// What an unfinished apply is to tell.
pub fn unfinished_notes(applied: &AppliedPlan) -> Vec<String> {
    let mut notes = applied.unfinished.clone();
    if !notes.is_empty() {
        let (count, verb) = (notes.len() as u64, if notes.len() == 1 { "is" } else { "are" });
        notes.push(format!(
            "{} {verb} not at the end: run the same command again, it asks the system what happened before it sends anything",
            counted(count, "policy")
        ));
    }
    notes
}
