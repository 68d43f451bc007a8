//! Reads the holds again while an apply goes on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{Timestamp, Zoned};
use tokio::sync::Mutex;

use crate::apply::SkipCause;
use crate::base::{CommandError, PolicyName, counted};
use crate::execute::{HoldWatch, OpenedRun, Recheck, Rechecking, kept_back};
use crate::manifest::AllOrNone;
use crate::plan::{PlannedPolicy, Row, intersect};
use crate::select::{Connections, Context, HeldRecords, IfMoving, Project, ProjectContext, Selector, broken_selection};
use crate::store::{Place, RowSorter, Scratch, SortOrder, SortedRows};

/// Reads the manifests and the holds again, once for all policies that ask for the same moment.
pub(super) struct HoldRefresh<'a> {
    context: &'a Context,
    /// The directory of the manifests.
    directory: Place,
    opened: &'a OpenedRun,
    connections: &'a Connections,
    begun: Timestamp,
    every: Duration,
    last: Mutex<Option<Arc<HoldReading>>>,
}

/// The manifests and what their holds keep, at one moment.
struct HoldReading {
    /// When it began.
    at: Timestamp,
    took: Duration,
    project: Project,
    now: Zoned,
    held: Arc<HeldRecords>,
}

impl<'a> HoldRefresh<'a> {
    /// For a run whose first reading began at `now`.
    pub(super) fn new(
        context: &'a Context,
        project: &Project,
        opened: &'a OpenedRun,
        connections: &'a Connections,
        now: &Zoned,
    ) -> Result<Self, CommandError> {
        let end = project.workspace.project.hold_refresh.after(now);
        let end = end.map_err(|error| CommandError::plain("`holdRefresh` is too long").caused_by(&error))?;
        Ok(Self {
            context,
            directory: project.directory.clone(),
            opened,
            connections,
            begun: now.timestamp(),
            every: Duration::try_from(end.timestamp().duration_since(now.timestamp())).unwrap_or_default(),
            last: Mutex::default(),
        })
    }

    /// A reading that began at that moment or later; where there is none, it is made. Others wait for it.
    async fn reading(&self, since: Timestamp) -> Result<Arc<HoldReading>, CommandError> {
        let mut last = self.last.lock().await;
        if let Some(reading) = last.as_ref().filter(|reading| reading.at >= since) {
            return Ok(Arc::clone(reading));
        }
        let project = Project::load(&self.directory)?;
        let at = self.context.clock.now();
        let now = at.to_zoned(project.workspace.project.time_zone.clone());
        let held = {
            let project = ProjectContext { context: self.context.clone(), project: &project, now: &now };
            Arc::new(HeldRecords::read(&project, self.connections, self.opened.scratch.place()).await?)
        };
        let took = Duration::try_from(self.context.clock.now().duration_since(at)).unwrap_or_default();
        let reading = Arc::new(HoldReading { at, took, project, now, held });
        *last = Some(Arc::clone(&reading));
        Ok(reading)
    }

    fn planned(&self, policy: &PolicyName) -> Result<&'a PlannedPolicy, CommandError> {
        let planned = self.opened.bundle.policy(policy);
        planned.ok_or_else(|| CommandError::plain(format!("internal error: the policy `{policy}` was not planned")))
    }

    async fn recheck_with(
        &self,
        reading: &HoldReading,
        planned: &PlannedPolicy,
        if_moving: IfMoving,
    ) -> Result<Recheck, CommandError> {
        let project = ProjectContext { context: self.context.clone(), project: &reading.project, now: &reading.now };
        let spill = self.opened.scratch.place();
        let selector = Selector::with_holds(&project, self.connections, Arc::clone(&reading.held), spill);
        let (bundle, scratch) = (self.opened.bundle.as_ref(), Scratch::from(spill));
        Rechecking { selector, bundle, planned, if_moving, scratch }.run().await
    }
}

#[async_trait(?Send)]
impl HoldWatch for HoldRefresh<'_> {
    fn begun(&self) -> Timestamp {
        self.begun
    }

    async fn recheck(&self, policy: &PolicyName) -> Result<Recheck, CommandError> {
        let planned = self.planned(policy)?;
        let reading = self.reading(self.context.clock.now()).await?;
        let recheck = self.recheck_with(&reading, planned, IfMoving::ReadAgain).await?;
        if planned.settings.all_or_none == AllOrNone::Policy
            && let Some(connection) = self.connections.get(&planned.settings.target)
        {
            let (provider, place) = (connection.provider.as_ref(), self.opened.scratch.place());
            let kept_back = kept_back(&recheck, provider, &planned.query.object, place).await?;
            if kept_back > 0 {
                let records = counted(kept_back, "record");
                return Err(CommandError::plain(format!(
                    "while it waited, {records} came to be held, changed or no longer match, so that not all can go together"
                )));
            }
        }
        Ok(recheck)
    }

    async fn held_since(
        &self,
        policy: &PolicyName,
        read: Timestamp,
    ) -> Result<Option<(Timestamp, SortedRows)>, CommandError> {
        let last = self.last.lock().await.clone();
        let every = last.map_or(self.every, |last| self.every.max(last.took));
        let now = self.context.clock.now();
        if now < read.saturating_add(every).unwrap_or(now) {
            return Ok(None);
        }
        let planned = self.planned(policy)?;
        let reading = self.reading(now.saturating_sub(every).unwrap_or(now)).await?;
        let held = reading.held.of(&planned.settings.target, &planned.query.object);
        let broken = |error: std::io::Error| broken_selection(policy, &error);
        let mut sorter = RowSorter::new(self.opened.scratch.place(), SortOrder::Id, RowSorter::WINDOW);
        let mut hold = |id| sorter.push(&Row { id, values: vec![SkipCause::Held.word().to_owned()] });
        if held.lookups.is_empty() {
            let planned_ids = || -> Result<_, CommandError> {
                let rows = self.opened.bundle.rows(policy).transpose()?.into_iter().flatten();
                Ok(rows.map(|row| row.map(|row| row.id).map_err(std::io::Error::other)))
            };
            for set in &held.sets {
                for id in intersect(planned_ids()?, set.rows.distinct_ids()) {
                    id.map_err(|error| broken_selection(policy, &error)).and_then(|id| hold(id).map_err(broken))?;
                }
            }
        } else {
            // What its records look up to is in the records themselves.
            let recheck = self.recheck_with(&reading, planned, IfMoving::ReadAgain).await?;
            for row in recheck.excluded.rows() {
                let row = row.map_err(broken)?;
                if row.values.first().is_some_and(|word| word == SkipCause::Held.word()) {
                    hold(row.id).map_err(broken)?;
                }
            }
        }
        // A record that two holds keep came twice.
        let all = sorter.finish().map_err(broken)?;
        let mut once = RowSorter::new(self.opened.scratch.place(), SortOrder::Id, RowSorter::WINDOW);
        for id in all.distinct_ids() {
            let row = id.map(|id| Row { id, values: vec![SkipCause::Held.word().to_owned()] });
            row.and_then(|row| once.push(&row)).map_err(broken)?;
        }
        Ok(Some((reading.at, once.finish().map_err(broken)?)))
    }
}
