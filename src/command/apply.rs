//! `sexton apply`: delete the records of a plan, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Zoned;
use tokio_util::sync::CancellationToken;

use super::plan::{Judging, judge};
use crate::apply::{BatchSpecification, Event, SkipCause};
use crate::base::{CommandError, Exit};
use crate::base::{Digest, PolicyName, TargetName, counted};
use crate::execute::{
    Cleared, Clearing, PlannedIds, PolicyResult, PolicyResultKind, PolicyRun, RESTORE, Run, excluded_by_now, execute,
    refuse_other_words, refuse_unplanned_rounds,
};
use crate::manifest::{AllOrNone, Concurrency, SendAs};
use crate::plan::{self, Moment, PlanHeader, PlannedPolicy};
use crate::report::{Applied, AppliedPolicy, Palette, manifest_diff};
use crate::select::{Connection, Context, Project, count_cascades, open_all};
use crate::state::{PlanStatus, PolicyEnd, State, fold_open};
use crate::store::{self, Bundle, Journal, JournalError, JournalFile, LockedState, RunDirectory, read_outcomes};
use crate::system::DeleteMode;

/// What is to be applied.
#[derive(Clone, Debug)]
pub struct ApplyRequest {
    /// The directory that holds the manifests.
    pub project: PathBuf,
    /// The bundle.
    pub plan: PathBuf,
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

/// Applies a plan, or continues an apply of it. `stop` asks to send nothing new; what was sent is waited for.
///
/// A run that was begun is continued also when the plan has expired by now, the manifests have changed or a gate would refuse:
/// what was sent must be settled, and the gates judged the whole of it before. The selection is asked anew: what is held, has
/// changed or does not match by now is not sent any more.
pub async fn apply(host: &Context, request: &ApplyRequest, stop: &CancellationToken) -> Result<AppliedPlan, CommandError> {
    let bundle = Arc::new(Bundle::open(&request.plan)?);
    let project = Project::load(&request.project)?;
    let now = host.clock.now().to_zoned(project.workspace.project.time_zone.clone());
    let mut locked = project.state().lock(&host.lock_info("apply"))?;
    let mut state = usable_state(&mut locked, &bundle, &project, &now)?;
    let going_on = matches!(state.status_of(bundle.digest()), PlanStatus::Started { .. });
    confirm_hard_deletes(bundle.header(), &request.confirmed_targets)?;

    let runs = project.runs_directory();
    let run_place = runs.join(bundle.digest().short());
    let (directory, journal) = open_run(host, &runs, &bundle, going_on)?;
    let mut connections = open_all(host, &project).await?;
    check_systems(bundle.header(), &connections)?;

    let mut cleared: BTreeMap<PolicyName, Cleared> = BTreeMap::new();
    if !going_on {
        refuse_other_words(&project, &bundle, &mut connections).await?;
        for planned in &bundle.header().policies {
            let clearing = Clearing { host, project: &project, bundle: &bundle, planned, directory: &directory, now: &now };
            let connection = connection_of(&mut connections, planned)?;
            let done = clearing.run(connection).await.map_err(|error| error.about_policy(&planned.policy))?;
            cleared.insert(planned.policy.clone(), done);
        }
        refuse_by_gates(&project, &bundle, &mut connections, &cleared, &state, &now).await?;
        for planned in &bundle.header().policies {
            if let Some(done) = cleared.get(&planned.policy) {
                append(&journal, Some(&planned.policy), &done.event)?;
            }
        }
        state
            .consume(bundle.digest(), host.clock.now())
            .map_err(|error| CommandError::new(Exit::PlanUnusable, error.to_string()))?;
        locked.save(&mut state)?;
    }

    let mut policies_to_run = policies_to_run(&bundle, &connections, request.isolate_failures)?;
    if going_on {
        refuse_unplanned_rounds(&bundle, &directory)?;
        let excluded = excluded_by_now(host, &project, &bundle, &directory, &mut connections, &now).await?;
        for machine in &mut policies_to_run {
            machine.excluded = excluded.get(&machine.order.policy).cloned();
        }
    }
    let run = Run {
        directory: &directory,
        journal: &journal,
        clock: host.clock.as_ref(),
        seed: host.seed,
        observer: host.observer.as_ref(),
        stop,
    };
    let ends = execute(&run, policies_to_run).await.map_err(|error| {
        // Records may have gone before it broke off, so this is not "nothing was deleted".
        let converted = CommandError::new(Exit::SomeFailed, error.to_string()).caused_by_source(&error);
        converted.with_help(if error.is_loss() {
            RESTORE
        } else {
            "what was journalled stands; mend the cause and run the same command again: it asks the system what happened first"
        })
    })?;
    let applied = summarize(&bundle, &directory, &ends, &cleared, &run_place).map_err(after_deletion)?;
    if applied.unfinished.is_empty() {
        finish(host, &mut locked, &mut state, &bundle, &directory, &ends, &cleared).map_err(after_deletion)?;
    }
    Ok(AppliedPlan { exit: exit_of(&applied, stop), ..applied })
}

/// An error that comes after records may have gone: its exit code must not say that none were.
fn after_deletion(mut error: CommandError) -> CommandError {
    error.exit = Exit::SomeFailed;
    let kept = error.help.take();
    error.with_help(
        kept.unwrap_or_else(|| "mend the cause and run the same command again: it takes up the run where it is".to_owned()),
    )
}

/// The state, when it allows this plan to be applied.
fn usable_state(locked: &mut LockedState, bundle: &Bundle, project: &Project, now: &Zoned) -> Result<State, CommandError> {
    let header = bundle.header();
    let unusable = |title: String| {
        CommandError::new(Exit::PlanUnusable, title).with_help("make a new plan with `sexton plan` and review it")
    };
    let Some(state) = locked.load()? else {
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
            return Err(unusable(format!("the plan {} was used: its apply finished at {at}", bundle.digest().short())));
        }
        // What was begun must be brought to its end, however old the plan is by now and whatever the manifests say today.
        PlanStatus::Started { .. } => return Ok(state),
        PlanStatus::Unused => {}
    }
    if now.timestamp() > header.expires {
        return Err(unusable(format!("the plan {} expired at {}", bundle.digest().short(), header.expires)));
    }
    if header.manifests.digest != project.workspace.binding_digest() {
        let changes = manifest_diff(&header.manifests.files, &project.sealed_manifests().files, Palette::new(false));
        let mut error =
            unusable(format!("the plan {} is stale: the manifests changed since it was made", bundle.digest().short()));
        error.notes.extend(changes.lines().take(40).map(str::to_owned));
        return Err(error);
    }
    if header.is_refused() {
        let mut error =
            CommandError::new(Exit::GateRefused, "a gate refused this plan when it was made; nothing was deleted");
        error.notes.extend(refusals(&header.policies));
        return Err(error);
    }
    Ok(state)
}

fn refusals(policies: &[PlannedPolicy]) -> Vec<String> {
    policies
        .iter()
        .flat_map(|policy| {
            policy
                .gates
                .iter()
                .filter(|verdict| !verdict.passed)
                .map(|verdict| format!("policy {}: {}", policy.policy, verdict.message))
        })
        .collect()
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

/// The run's directory and journal. A plan that the state does not know as begun starts from an empty directory.
fn open_run(
    host: &Context,
    runs: &Path,
    bundle: &Bundle,
    going_on: bool,
) -> Result<(RunDirectory, JournalFile), CommandError> {
    let place = runs.join(bundle.digest().short());
    let unreadable = |error: &std::io::Error| {
        CommandError::plain(format!("the run's directory {} cannot be used", place.display())).caused_by(error)
    };
    let without_journal = |what: &str| {
        CommandError::new(
            Exit::PlanUnusable,
            format!("the plan {} was begun, and the journal of its run {what} {}", bundle.digest().short(), place.display()),
        )
        .with_note("without the journal nobody knows what was sent, so the run cannot be continued")
        .with_help(
            "restore the directory; or take the plan's directory away and make a new plan, which looks at what is there now",
        )
    };
    if going_on && !place.join("journal.jsonl").exists() {
        return Err(without_journal("is not in"));
    }
    let mut begun = false;
    if place.exists() {
        let (mut opened, mut cleared) = (false, BTreeSet::new());
        let mut watch = |entry: crate::apply::Entry| match &entry.event {
            Event::RunOpened { plan, .. } => opened |= *plan == bundle.digest(),
            Event::Cleared { .. } => cleared.extend(entry.policy),
            Event::Intended { .. } | Event::Finished { .. } => begun = true,
            _ => {}
        };
        JournalFile::open(&place.join("journal.jsonl"), host.clock.clone(), &mut watch)
            .map_err(|error| journal_error(&error))?;
        // All of that was in it before the state said that the plan was begun.
        if going_on && !(opened && bundle.header().policies.iter().all(|planned| cleared.contains(&planned.policy))) {
            return Err(without_journal("has lost entries in"));
        }
        if begun && !going_on {
            return Err(CommandError::new(
                Exit::PlanUnusable,
                format!("the plan {} was begun before, and the state does not know it", bundle.digest().short()),
            )
            .with_note(format!(
                "the journal in {} says that records were sent; was an older state restored?",
                place.display()
            ))
            .with_help("make a new plan, which looks at what is there now"));
        }
        if !going_on {
            // Nothing was ever sent from it: an earlier attempt ended before its first request.
            store::remove_directory(&place)?;
        }
    }
    store::make_directory(runs)?;
    let directory = RunDirectory::open(runs, &bundle.digest()).map_err(|error| unreadable(&error))?;
    let journal =
        JournalFile::open(&directory.journal(), host.clock.clone(), |_| ()).map_err(|error| journal_error(&error))?;
    append(&journal, None, &Event::RunOpened { plan: bundle.digest(), tool: env!("CARGO_PKG_VERSION").to_owned() })?;
    Ok((directory, journal))
}

fn append(journal: &JournalFile, policy: Option<&PolicyName>, event: &Event) -> Result<(), CommandError> {
    journal.append(policy, event).map_err(|error| journal_error(&error))
}

fn journal_error(error: &JournalError) -> CommandError {
    let converted = CommandError::plain("the journal cannot be used, so nothing more is sent").caused_by(error);
    if matches!(error, JournalError::Damaged { .. }) { converted.with_help(RESTORE) } else { converted }
}

/// Refuses when any login is for another organization than the plan was made in.
fn check_systems(header: &PlanHeader, connections: &BTreeMap<TargetName, Connection>) -> Result<(), CommandError> {
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

fn connection_of<'c>(
    connections: &'c mut BTreeMap<TargetName, Connection>,
    planned: &PlannedPolicy,
) -> Result<&'c mut Connection, CommandError> {
    connections.get_mut(&planned.settings.target).ok_or_else(|| {
        CommandError::new(Exit::PlanUnusable, format!("target `{}` is gone from the manifests", planned.settings.target))
    })
}

/// Runs the gates again, on what is there now.
async fn refuse_by_gates(
    project: &Project,
    bundle: &Bundle,
    connections: &mut BTreeMap<TargetName, Connection>,
    cleared: &BTreeMap<PolicyName, Cleared>,
    state: &State,
    now: &Zoned,
) -> Result<(), CommandError> {
    let mut refused = Vec::new();
    for planned in &bundle.header().policies {
        let (Some(policy), Some(done)) = (project.workspace.policies.get(&planned.policy), cleared.get(&planned.policy))
        else {
            continue;
        };
        let connection = connection_of(connections, planned)?;
        let facts = connection.describe(&planned.query.object).await?;
        let cascades = count_cascades(connection, &facts, &planned.query).await?;
        let verdicts = judge(&Judging {
            policy,
            facts: &facts,
            connection,
            cascades: &cascades,
            open: &done.open,
            population: done.population,
            selected: done.cleared,
            history: state.policies.get(&planned.policy),
            now,
            moment: Moment::Apply,
        })
        .await?;
        // Counted by the policy's own condition, so with new matches among the parents it says nothing about the planned ones.
        let grown = (done.cleared > 0 && done.waiting == 0).then(|| plan::cascade_growth(&planned.cascades, &cascades));
        refused.extend(
            verdicts
                .into_iter()
                .chain(grown)
                .filter(|verdict| !verdict.passed)
                .map(|verdict| format!("policy {}: {}", planned.policy, verdict.message)),
        );
    }
    for (target, connection) in connections.iter() {
        let planned = bundle.header().policies.iter().filter(|planned| planned.settings.target == *target);
        let calls = planned.filter_map(|planned| planned.route.as_ref()).map(|route| route.calls).sum();
        let verdict = plan::quota(target, calls, connection.calls_left);
        if !verdict.passed {
            refused.push(verdict.message);
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let mut error = CommandError::new(Exit::GateRefused, "a gate refused on the fresh numbers; nothing was deleted");
    error.notes = refused;
    Err(error)
}

/// What the driver is to carry out, in the order of the plan.
fn policies_to_run(
    bundle: &Arc<Bundle>,
    connections: &BTreeMap<TargetName, Connection>,
    isolate_failures: bool,
) -> Result<Vec<PolicyRun>, CommandError> {
    let mut policies_to_run = Vec::new();
    for planned in &bundle.header().policies {
        // A policy without records needs no route, and nothing is done for it.
        let (Some(route), Some(connection)) = (&planned.route, connections.get(&planned.settings.target)) else { continue };
        let source = Arc::clone(bundle);
        let policy = planned.policy.clone();
        let planned_ids: PlannedIds = Arc::new(move || {
            let rows = source
                .rows(&policy)
                .ok_or_else(|| std::io::Error::other("the plan does not have the policy"))?
                .map_err(std::io::Error::other)?;
            Ok(Box::new(rows.map(|row| row.map(|row| row.id).map_err(std::io::Error::other))))
        });
        policies_to_run.push(PolicyRun {
            order: BatchSpecification {
                policy: planned.policy.clone(),
                object: planned.query.object.clone(),
                delete: planned.settings.delete,
                api: route.api,
                atomic: planned.settings.all_or_none != AllOrNone::No,
                serial: planned.settings.concurrency == Concurrency::Serial,
                matching: planned.query.condition.clone().filter(|_| planned.settings.send_as == SendAs::Query),
            },
            route: route.clone(),
            depends_on: planned.settings.depends_on.clone(),
            provider: Arc::clone(&connection.provider),
            planned: planned.selected,
            planned_ids,
            grouped: planned.settings.group_by.is_some() || planned.settings.all_or_none == AllOrNone::PerRequest,
            isolate_failures: isolate_failures && planned.settings.all_or_none == AllOrNone::PerRequest,
            excluded: None,
        });
    }
    Ok(policies_to_run)
}

/// What came of it, read back from the outcomes on disk.
fn summarize(
    bundle: &Bundle,
    directory: &RunDirectory,
    ends: &[PolicyResult],
    cleared: &BTreeMap<PolicyName, Cleared>,
    place: &Path,
) -> Result<AppliedPlan, CommandError> {
    let mut report = Applied { policies: Vec::new(), unfinished: 0, evidence: place.display().to_string() };
    let mut unfinished = Vec::new();
    for (end, planned) in ends.iter().filter_map(|end| Some((end, bundle.policy(&end.policy)?))) {
        let (tally, halted) = match &end.kind {
            PolicyResultKind::Finished { tally, halted, .. } => (*tally, halted.clone()),
            PolicyResultKind::Unfinished { cause, settled } => {
                unfinished.push(format!("policy {}: {cause}", end.policy));
                (*settled, None)
            }
            PolicyResultKind::Interrupted { settled } => {
                let runs_on = planned.route.as_ref().is_some_and(|route| route.api.shape().runs_on());
                let rest = if runs_on { "; a batch that was started cannot be stopped and runs to its end" } else { "" };
                unfinished.push(format!("policy {}: interrupted{rest}", end.policy));
                (*settled, None)
            }
        };
        let mut policy = AppliedPolicy {
            policy: end.policy.clone(),
            target: planned.settings.target.clone(),
            object: planned.settings.object.clone(),
            tally,
            skipped: BTreeMap::new(),
            failed: BTreeMap::new(),
            waiting: cleared.get(&end.policy).map_or(0, |done| done.waiting),
            halted,
            unsettled: planned.selected.saturating_sub(tally.total()),
            with_them: planned.cascades.clone(),
        };
        // Causes and codes are in the outcomes, which a run that is not at its end does not have. Only what was kept back or
        // failed has any.
        if !matches!(end.kind, PolicyResultKind::Finished { .. }) || tally.skipped + tally.failed == 0 {
            report.policies.push(policy);
            continue;
        }
        for row in read_outcomes(&directory.outcomes(&end.policy)).map_err(|error| unreadable_outcomes(&error))? {
            let row = row.map_err(|error| unreadable_outcomes(&error))?;
            match row.outcome.as_str() {
                "skipped" => {
                    if let Some(cause) = SkipCause::from_word(&row.cause) {
                        *policy.skipped.entry(cause).or_default() += 1;
                    }
                }
                "failed" => *policy.failed.entry(row.code).or_default() += 1,
                _ => {}
            }
        }
        report.policies.push(policy);
    }
    report.unfinished = unfinished.len();
    Ok(AppliedPlan { plan: bundle.digest(), report, exit: Exit::Done, unfinished })
}

fn unreadable_outcomes(error: &std::io::Error) -> CommandError {
    CommandError::plain("the outcomes of the run cannot be read back").caused_by(error)
}

/// Folds a finished run into the state.
fn finish(
    host: &Context,
    locked: &mut LockedState,
    state: &mut State,
    bundle: &Bundle,
    directory: &RunDirectory,
    ends: &[PolicyResult],
    cleared: &BTreeMap<PolicyName, Cleared>,
) -> Result<(), CommandError> {
    let mut finished = Vec::new();
    for end in ends {
        let PolicyResultKind::Finished { tally, outcomes, .. } = &end.kind else { continue };
        let before = state.policies.get(&end.policy).map(|history| history.open.clone()).unwrap_or_default();
        let rows = read_outcomes(&directory.outcomes(&end.policy)).map_err(|error| unreadable_outcomes(&error))?;
        let codes = rows.map(|row| {
            row.map(|row| match row.outcome.as_str() {
                "failed" => (row.id, Some(row.code)),
                "unknown" => (row.id, Some("unknown".to_owned())),
                _ => (row.id, None),
            })
        });
        let open = fold_open(&before, codes)
            .map_err(|error| CommandError::plain("the outcomes cannot be folded into the state").caused_by(&error))?;
        let planned = bundle.policy(&end.policy).map_or(0, |planned| planned.population);
        let population = cleared.get(&end.policy).map_or(planned, |done| done.population);
        finished.push((end.policy.clone(), PolicyEnd { tally: *tally, outcomes: *outcomes, population, open }));
    }
    state
        .finish(bundle.digest(), host.clock.now(), finished)
        .map_err(|error| CommandError::new(Exit::PlanUnusable, error.to_string()))?;
    Ok(locked.save(state)?)
}

fn exit_of(applied: &AppliedPlan, stop: &CancellationToken) -> Exit {
    let tally = applied.report.tally();
    if !applied.unfinished.is_empty() {
        return if stop.is_cancelled() { Exit::Interrupted } else { Exit::SomeFailed };
    }
    let halted = applied.report.policies.iter().any(|policy| policy.halted.is_some());
    if tally.failed + tally.unknown > 0 || halted { Exit::SomeFailed } else { Exit::Done }
}

/// What an unfinished apply is to tell.
pub fn unfinished_notes(applied: &AppliedPlan) -> Vec<String> {
    let mut notes = applied.unfinished.clone();
    if !notes.is_empty() {
        let policies = counted(notes.len() as u64, "policy");
        notes.push(format!(
            "{} not at the end: run the same command again, it asks the system what happened before it sends anything",
            policies.replace("policys", "policies")
        ));
    }
    notes
}
