//! The runs of other plans of the project that may have deleted what a plan names.

use std::io;
use std::sync::Arc;

use super::execute_error::ExecuteError;
use super::opened_run::{OpenError, OpenedRun, machine_settings};
use super::policy_run::PolicyRun;
use super::replay::Replay;
use crate::apply::Seal;
use crate::base::{Digest, Observer, PolicyName, RecordId};
use crate::plan::{CLOCK_TOLERANCE, PlanHeader, PlannedPolicy, Row, intersect};
use crate::select::Context;
use crate::state::State;
use crate::store::{
    Backend, Bundle, OutcomeRow, Place, RowSorter, RunStore, SortOrder, SortedRows, StoreError, kept_header, read_outcomes,
};

/// The runs that ended after a plan was made. Whatever it names was there when it was made, so that no older one can have deleted it.
pub struct EarlierRuns {
    bundle: Arc<Bundle>,
    backend: Arc<dyn Backend>,
    /// For scratch files.
    scratch: Place,
    observer: Arc<dyn Observer>,
    /// Their plans, those that ended last at the end.
    plans: Vec<Digest>,
}

impl EarlierRuns {
    /// Those that the state knows to have ended since the plan of a run was made.
    pub fn of(context: &Context, state: &State, opened: &OpenedRun) -> Self {
        let bundle = &opened.bundle;
        // Two machines took the two moments, and the gate on clocks lets each of them be so far off.
        let made = bundle.header().created;
        let since = made.saturating_sub(CLOCK_TOLERANCE * 2).unwrap_or(made);
        let ended = state.consumed.iter().filter(|used| used.plan != bundle.digest());
        let mut ended: Vec<_> = ended.filter_map(|used| Some((used.finished?, used.plan))).collect();
        ended.retain(|(finished, _)| *finished >= since);
        ended.sort_by_key(|(finished, _)| *finished);
        Self {
            bundle: Arc::clone(bundle),
            backend: Arc::clone(opened.store.backend()),
            scratch: opened.scratch.place().clone(),
            observer: Arc::clone(&context.observer),
            plans: ended.into_iter().map(|(_, plan)| plan).collect(),
        }
    }

    /// The planned records of a policy that these runs deleted, each with the name of the plan as the last of its values; of several
    /// rows with one id the largest counts. What cannot be read back is told, and names no plan.
    pub(super) async fn deleted(&self, input: &PolicyRun) -> Result<SortedRows, ExecuteError> {
        let scratch_error = |source| ExecuteError::file("use files in", self.scratch.path())(source);
        let mut sorter = RowSorter::new(&self.scratch, SortOrder::Id, RowSorter::WINDOW);
        if let Some(planned) = self.bundle.policy(&input.specification.policy) {
            for (number, plan) in self.plans.iter().enumerate() {
                if let Err(error) = self.add(input, planned, (number, *plan), &mut sorter).await {
                    self.observer.warn(&format!(
                        "{}: the outcomes of the plan {} cannot be read back, so it is not known which of the records that are \
                         already gone it deleted: {error}",
                        planned.policy,
                        plan.short()
                    ));
                }
            }
        }
        sorter.finish().map_err(scratch_error)
    }

    /// Adds what one run deleted.
    async fn add(
        &self,
        input: &PolicyRun,
        planned: &PlannedPolicy,
        (number, plan): (usize, Digest),
        sorter: &mut RowSorter,
    ) -> Result<(), OpenError> {
        let store = RunStore::new(Arc::clone(&self.backend), plan);
        let place = self.scratch.join("earlier.csv");
        let broken = |source| OpenError::Run(ExecuteError::file("use", place.path())(source));
        for (policy, outcomes) in self.outcomes_of(&store, planned).await? {
            store.fetch(store.outcomes(&policy), outcomes, &place).await?;
            let deleted = |row: &io::Result<OutcomeRow>| row.as_ref().map_or(true, |row| row.outcome == "deleted");
            let deleted = read_outcomes(&place).map_err(&broken)?.filter(deleted).map(|row| row.map(|row| row.id));
            for id in intersect((input.planned_ids)().map_err(&broken)?, deleted) {
                let id: RecordId = id.map_err(|error| broken(io::Error::other(error)))?;
                sorter.push(&Row { id, values: vec![format!("{number:06}"), plan.short()] }).map_err(&broken)?;
            }
        }
        Ok(())
    }

    /// The outcomes of the policies of a run that deleted from the same object of the same organization.
    async fn outcomes_of(&self, store: &RunStore, planned: &PlannedPolicy) -> Result<Vec<(PolicyName, Seal)>, OpenError> {
        let header = kept_header(store).await?.ok_or(OpenError::PlanMissing { plan: store.plan() })?;
        let object = object_of(self.bundle.header(), planned);
        let same = || header.policies.iter().filter(|other| object_of(&header, other) == object);
        let settings = same().filter_map(|other| Some((other.policy.clone(), machine_settings(other, 0)?)));
        let replay = Replay::read(store, settings).await?;
        if replay.end.is_empty() {
            return Err(StoreError::Damaged { place: store.place(), why: "its journal is not there".into() }.into());
        }
        let ended = replay.policies.into_iter().filter_map(|(policy, replayed)| {
            let (tally, outcomes) = replayed.machine.status().finished?;
            (tally.deleted > 0).then_some((policy, outcomes))
        });
        Ok(ended.collect())
    }
}

/// The organization and the object in it that a policy deletes from.
fn object_of<'h>(header: &'h PlanHeader, planned: &'h PlannedPolicy) -> Option<(&'h str, &'h str)> {
    let target = header.targets.get(&planned.settings.target)?;
    Some((&target.identity.organization_id, &planned.query.object))
}
