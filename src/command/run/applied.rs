//! What came of an apply, read back from its outcomes.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use crate::apply::{Seal, SkipCause};
use crate::base::{CommandError, Digest, Exit, PolicyName, TargetName, counted};
use crate::command::Shell;
use crate::execute::{OpenedRun, PolicyResult, PolicyResultKind};
use crate::plan::{PlannedPolicy, Population};
use crate::report::{Applied, AppliedPolicy, AppliedView};
use crate::select::Context;
use crate::state::{OpenRecords, PolicyEnd, State, fold_open};
use crate::store::{LockedState, OutcomeRow, OutcomesWriter, StoreError, compact_journal, read_outcomes};

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

impl AppliedPlan {
    /// Shows what was done, and what to do `next` where the run is not at its end.
    ///
    /// # Errors
    ///
    /// When that cannot be written. The deletions are done by then, so the exit code is that of the apply, or 3.
    pub(in crate::command) fn show(&self, shell: &dyn Shell, next: &str) -> Result<(), CommandError> {
        let view = AppliedView { plan: self.plan, applied: &self.report, unfinished: &self.unfinished };
        let shown = shell.show(&view);
        self.unfinished.iter().for_each(|note| shell.warn(note));
        if !self.unfinished.is_empty() {
            shell.warn(&format!("{} not finished: {next}", counted(self.unfinished.len() as u64, "policy")));
        }
        shown.map_err(|mut error| {
            error.exit = if self.exit == Exit::Done { Exit::SomeFailed } else { self.exit };
            error.with_help(format!("the apply itself finished; its evidence is in {}", self.report.evidence))
        })
    }
}

/// The outcomes of a finished policy, in order of ids.
async fn outcomes_of(
    opened: &OpenedRun,
    policy: &PolicyName,
    seal: Seal,
) -> Result<impl Iterator<Item = std::io::Result<OutcomeRow>>, CommandError> {
    let place = opened.scratch.outcomes(policy);
    // A policy that ended in this process has left its outcomes here; those of an earlier one are in the store.
    let fetched = match read_outcomes(&place) {
        Ok(rows) => return Ok(rows),
        Err(_) => opened.store.fetch(opened.store.outcomes(policy), seal, &place).await,
    };
    fetched.map_err(|error: StoreError| CommandError::from(error))?;
    read_outcomes(&place).map_err(|error| unreadable_outcomes(&error))
}

fn unreadable_outcomes(error: &std::io::Error) -> CommandError {
    CommandError::plain("the outcomes of the run cannot be read back").caused_by(error)
}

/// What came of a run so far. `found` is, for every policy that was rechecked, the object's population and how many records wait
/// for the next plan.
pub(in crate::command) async fn summarize(
    opened: &OpenedRun,
    results: &[PolicyResult],
    found: &BTreeMap<PolicyName, (Population, u64)>,
) -> Result<AppliedPlan, CommandError> {
    let mut report = Applied {
        policies: Vec::new(),
        unfinished: 0,
        ended_before: opened.replay.has_ended(),
        evidence: opened.store.place(),
    };
    let mut unfinished = Vec::new();
    for (result, planned) in results.iter().filter_map(|result| Some((result, opened.bundle.policy(&result.policy)?))) {
        let (tally, halted, outcomes) = match &result.kind {
            PolicyResultKind::Finished { tally, halted, outcomes } => {
                (*tally, halted.as_ref().map(|(cause, _)| cause.clone()), Some(*outcomes))
            }
            PolicyResultKind::Unfinished { cause, settled } => {
                unfinished.push(format!("policy {}: {cause}", result.policy));
                (*settled, None, None)
            }
            PolicyResultKind::Interrupted { settled } => {
                let runs_on = planned.route.as_ref().is_some_and(|route| route.api.shape().runs_on());
                let rest = if runs_on { "; a batch that was started cannot be stopped and runs to completion" } else { "" };
                unfinished.push(format!("policy {}: interrupted{rest}", result.policy));
                (*settled, None, None)
            }
        };
        let mut policy = AppliedPolicy {
            policy: result.policy.clone(),
            labels: planned.labels.clone(),
            target: planned.settings.target.clone(),
            object: planned.settings.object.clone(),
            tally,
            skipped: BTreeMap::new(),
            failed: BTreeMap::new(),
            gone_by: BTreeMap::new(),
            waiting: found.get(&result.policy).map_or(0, |(_, waiting)| *waiting),
            halted,
            unsettled: planned.selected.saturating_sub(tally.total()),
            with_them: planned.cascades.clone(),
        };
        // Causes and codes are in the outcomes, which a run that is not at its end does not have. Only what was kept back, failed or
        // was gone has any.
        if let Some(seal) = outcomes.filter(|_| tally.skipped + tally.failed + tally.already_gone > 0) {
            for row in outcomes_of(opened, &result.policy, seal).await? {
                let row = row.map_err(|error| unreadable_outcomes(&error))?;
                match row.outcome.as_str() {
                    "skipped" => {
                        if let Some(cause) = SkipCause::from_word(&row.cause) {
                            *policy.skipped.entry(cause).or_default() += 1;
                        }
                    }
                    "already-gone" if !row.plan.is_empty() => *policy.gone_by.entry(row.plan).or_default() += 1,
                    "failed" => *policy.failed.entry(row.code).or_default() += 1,
                    _ => {}
                }
            }
        }
        report.policies.push(policy);
    }
    report.unfinished = unfinished.len();
    Ok(AppliedPlan { plan: opened.bundle.digest(), report, exit: Exit::Done, unfinished })
}

fn object_of(planned: &PlannedPolicy) -> (&TargetName, &str) {
    (&planned.settings.target, &planned.query.object)
}

/// How many records of each object are gone by this run, or may be.
fn gone_by_object<'a>(opened: &'a OpenedRun, results: &[PolicyResult]) -> BTreeMap<(&'a TargetName, &'a str), u64> {
    let mut gone: BTreeMap<_, u64> = BTreeMap::new();
    for result in results {
        let PolicyResultKind::Finished { tally, .. } = &result.kind else { continue };
        if let Some(planned) = opened.bundle.policy(&result.policy) {
            *gone.entry(object_of(planned)).or_default() += tally.deleted + tally.unknown;
        }
    }
    gone
}

/// Folds a finished run into the state.
pub(in crate::command) async fn finish(
    context: &Context,
    locked: &mut LockedState,
    state: &mut State,
    opened: &OpenedRun,
    results: &[PolicyResult],
    found: &BTreeMap<PolicyName, (Population, u64)>,
) -> Result<(), CommandError> {
    let gone = gone_by_object(opened, results);
    let mut finished = Vec::new();
    for planned in opened.bundle.header().policies.iter().filter(|planned| planned.selected == 0) {
        // It ran and found nothing to delete, which is an end like any other.
        let place = opened.scratch.outcomes(&planned.policy);
        let tally = OutcomesWriter::create(&place).and_then(OutcomesWriter::finish);
        let tally = tally.map_err(|error| CommandError::plain("the outcomes cannot be written").caused_by(&error))?;
        let outcomes = opened.store.publish(opened.store.outcomes(&planned.policy), &place).await?;
        let history = state.policies.get(&planned.policy);
        let open = history.map(|history| OpenRecords { listed: history.open.clone(), total: history.open_total });
        let open = open.unwrap_or_default();
        let labels = planned.labels.clone();
        finished.push((planned.policy.clone(), PolicyEnd { labels, tally, outcomes, population: None, open }));
    }
    for result in results {
        let PolicyResultKind::Finished { tally, outcomes, .. } = &result.kind else { continue };
        let open = still_open(state, &result.policy, outcomes_of(opened, &result.policy, *outcomes).await?)?;
        let planned = opened.bundle.policy(&result.policy);
        let replayed = opened.replay.policies.get(&result.policy).and_then(|replayed| replayed.rechecked);
        let population = replayed
            .map(|rechecked| rechecked.population)
            .or_else(|| found.get(&result.policy).map(|(population, _)| *population))
            .or_else(|| planned.map(|planned| planned.population));
        // What other policies deleted of the object is not left in it either.
        let by_all = planned.and_then(|planned| gone.get(&object_of(planned)));
        let by_others = by_all.map_or(0, |gone| gone.saturating_sub(tally.deleted + tally.unknown));
        let population = population.map(|population| population.less(by_others));
        let labels = planned.map(|planned| planned.labels.clone()).unwrap_or_default();
        finished.push((result.policy.clone(), PolicyEnd { labels, tally: *tally, outcomes: *outcomes, population, open }));
    }
    state
        .finish(opened.bundle.digest(), context.clock.now(), &context.actor, finished)
        .map_err(|error| CommandError::new(Exit::PlanUnusable, error.to_string()))?;
    Ok(locked.save(state).await?)
}

/// The records that a policy leaves open, by its outcomes in order of ids.
pub(in crate::command) fn still_open(
    state: &State,
    policy: &PolicyName,
    rows: impl Iterator<Item = std::io::Result<OutcomeRow>>,
) -> Result<OpenRecords, CommandError> {
    let before = state.policies.get(policy).map(|history| history.open.as_slice()).unwrap_or_default();
    let codes = rows.map(|row| {
        row.map(|row| match row.outcome.as_str() {
            "failed" => (row.id, Some(row.code)),
            "unknown" => (row.id, Some("unknown".to_owned())),
            _ => (row.id, None),
        })
    });
    fold_open(before, codes)
        .map_err(|error| CommandError::plain("the outcomes cannot be recorded in the state").caused_by(&error))
}

/// Joins what a finished run keeps into a handful of objects. It is tidiness: the run is finished in any case.
pub(in crate::command) async fn compact(context: &Context, opened: &OpenedRun) {
    let compacted = match opened.store.journal() {
        Ok(prefix) => compact_journal(opened.store.backend().as_ref(), &prefix).await,
        Err(error) => Err(error),
    };
    if let Err(error) = compacted {
        context.observer.warn(&format!("the journal of the finished run could not be compacted: {error}"));
    }
}

/// The exit code. `any_refused` says that a policy was refused, also one without records of its own.
pub(in crate::command) fn exit_of(
    applied: &AppliedPlan,
    results: &[PolicyResult],
    any_refused: bool,
    stop: &CancellationToken,
) -> Exit {
    let tally = applied.report.tally();
    if !applied.unfinished.is_empty() {
        return if stop.is_cancelled() { Exit::Interrupted } else { Exit::SomeFailed };
    }
    let halted = |wanted: &dyn Fn(SkipCause) -> bool| {
        results.iter().any(
            |result| matches!(&result.kind, PolicyResultKind::Finished { halted: Some((_, skip)), .. } if wanted(*skip)),
        )
    };
    let refused = any_refused || halted(&|skip| skip == SkipCause::Refused);
    // Those that depend on a refused policy are skipped with it.
    let other = halted(&|skip| skip != SkipCause::Refused && !(refused && skip == SkipCause::Dependency));
    match (tally.failed + tally.unknown > 0 || other, refused) {
        (true, _) => Exit::SomeFailed,
        (false, true) => Exit::GateRefused,
        (false, false) => Exit::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Tally;

    /// The end of an apply of one policy.
    fn ended(tally: Tally, halted: Option<SkipCause>, any_refused: bool, is_whole: bool, is_stopped: bool) -> Exit {
        let policy = PolicyName::new("leads").expect("a name");
        let outcomes = Seal { attempt: 0, parts: 0, digest: Digest::of(b"") };
        let kind = PolicyResultKind::Finished { tally, outcomes, halted: halted.map(|skip| (String::new(), skip)) };
        let result = PolicyResult { policy: policy.clone(), kind };
        let applied = AppliedPolicy {
            policy,
            labels: BTreeMap::new(),
            target: TargetName::new("crm").expect("a name"),
            object: "Lead".into(),
            tally,
            skipped: BTreeMap::new(),
            failed: BTreeMap::new(),
            gone_by: BTreeMap::new(),
            waiting: 0,
            halted: None,
            unsettled: 0,
            with_them: Vec::new(),
        };
        let report = Applied { policies: vec![applied], unfinished: 0, ended_before: false, evidence: String::new() };
        let unfinished = if is_whole { Vec::new() } else { vec!["leads: not at its end".to_owned()] };
        let applied = AppliedPlan { plan: Digest::of(b""), report, exit: Exit::Done, unfinished };
        let stop = CancellationToken::new();
        if is_stopped {
            stop.cancel();
        }
        exit_of(&applied, &[result], any_refused, &stop)
    }

    #[test]
    fn an_apply_ends_with_0_only_where_every_record_has_come_to_a_good_end() {
        let good = Tally { deleted: 3, already_gone: 2, skipped: 1, ..Tally::default() };
        let (failed, unknown) = (Tally { failed: 1, ..good }, Tally { unknown: 1, ..good });
        use SkipCause::{Dependency, Refused};
        for (tally, halted, any_refused, expected) in [
            (good, None, false, Exit::Done),
            (failed, None, false, Exit::SomeFailed),
            (unknown, None, false, Exit::SomeFailed),
            (good, None, true, Exit::GateRefused),
            (good, Some(Refused), false, Exit::GateRefused),
            (good, Some(Dependency), true, Exit::GateRefused),
            (good, Some(Dependency), false, Exit::SomeFailed),
            (failed, Some(Refused), true, Exit::SomeFailed),
            (unknown, None, true, Exit::SomeFailed),
        ] {
            // Whoever asked to stop too late has stopped nothing.
            for is_stopped in [false, true] {
                assert_eq!(
                    ended(tally, halted, any_refused, true, is_stopped),
                    expected,
                    "{tally:?} {halted:?} {any_refused} {is_stopped}"
                );
            }
            assert_eq!(ended(tally, halted, any_refused, false, false), Exit::SomeFailed);
            assert_eq!(ended(tally, halted, any_refused, false, true), Exit::Interrupted);
        }
    }
}
