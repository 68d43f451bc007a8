//! Reads the holds again while an apply goes on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{Timestamp, Zoned};
use tokio::sync::Mutex;

use crate::apply::SkipCause;
use crate::base::{CommandError, PolicyName, counted};
use crate::execute::{HoldWatch, OpenedRun, Recheck, Rechecking, kept_back, planned_ids};
use crate::manifest::AllOrNone;
use crate::plan::{OpenCascade, PlannedPolicy, Row};
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

impl HoldReading {
    fn project_context(&self, context: &Context) -> ProjectContext<'_> {
        ProjectContext { context: context.clone(), project: &self.project, now: &self.now }
    }
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
        let every = project.hold_refresh_from(now)?;
        Ok(Self {
            context,
            directory: project.directory.clone(),
            opened,
            connections,
            begun: now.timestamp(),
            every,
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

    /// When a reading of that moment is too old: since when another one must have begun.
    async fn due(&self, read: Timestamp) -> Option<Timestamp> {
        let last = self.last.lock().await.clone();
        // A reading ages while it is made. So half of the time is left for sending, whatever it takes.
        let every = last.map_or(self.every, |last| self.every.max(last.took.saturating_mul(2)));
        let now = self.context.clock.now();
        let is_young = read.saturating_add(every).is_ok_and(|end| now <= end);
        (!is_young).then(|| now.saturating_sub(every).unwrap_or(now))
    }

    fn planned(&self, policy: &PolicyName) -> Result<&'a PlannedPolicy, CommandError> {
        let planned = self.opened.bundle.policy(policy);
        planned.ok_or_else(|| CommandError::plain(format!("internal error: the policy `{policy}` was not planned")))
    }

    fn selector<'s>(&'s self, project: &ProjectContext<'s>, reading: &HoldReading) -> Selector<'s> {
        Selector::with_holds(project, self.connections, Arc::clone(&reading.held), self.opened.scratch.place())
    }

    async fn recheck_with(
        &self,
        reading: &HoldReading,
        planned: &PlannedPolicy,
        if_moving: IfMoving,
    ) -> Result<Recheck, CommandError> {
        let project = reading.project_context(self.context);
        let selector = self.selector(&project, reading);
        let (bundle, scratch) = (self.opened.bundle.as_ref(), Scratch::from(self.opened.scratch.place()));
        Rechecking { selector, bundle, planned, if_moving, scratch }.run().await
    }
}

#[async_trait(?Send)]
impl HoldWatch for HoldRefresh<'_> {
    fn begun(&self) -> Timestamp {
        self.begun
    }

    async fn is_old(&self, read: Timestamp) -> bool {
        self.due(read).await.is_some()
    }

    async fn recheck(&self, policy: &PolicyName) -> Result<Recheck, CommandError> {
        let planned = self.planned(policy)?;
        let reading = self.reading(self.context.clock.now()).await?;
        let recheck = self.recheck_with(&reading, planned, IfMoving::ReadAgain).await?;
        refuse_doubt(recheck.open.iter().find(|open| !open.accepted))?;
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
        let Some(due) = self.due(read).await else { return Ok(None) };
        let planned = self.planned(policy)?;
        let reading = self.reading(due).await?;
        let held = reading.held.of(&planned.settings.target, &planned.query.object);
        let accept = reading.project.workspace.accepted(policy, &planned.settings.target);
        refuse_doubt(held.open.iter().find(|open| !accept.unknown_cascade(&open.unknown)))?;
        let broken = |error: std::io::Error| broken_selection(policy, &error);
        let mut found = RowSorter::new(self.opened.scratch.place(), SortOrder::Id, RowSorter::WINDOW);
        let mut hold = |id| found.push(&Row { id, values: vec![SkipCause::Held.word().to_owned()] });
        if held.lookups.is_empty() {
            let project = reading.project_context(self.context);
            let selector = self.selector(&project, &reading);
            for id in selector.held_among(policy, planned, || planned_ids(&self.opened.bundle, policy))?.ids() {
                id.and_then(&mut hold).map_err(broken)?;
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
        Ok(Some((reading.at, found.finish().map_err(broken)?)))
    }
}

/// A doubt that came up while the run was under way: nothing more may be sent. The gate words it when the run is continued.
fn refuse_doubt(open: Option<&OpenCascade>) -> Result<(), CommandError> {
    let Some(open) = open else { return Ok(()) };
    Err(CommandError::plain(format!(
        "it is not known whether the deletion takes records along that hold `{}` keeps by now, over {}",
        open.hold,
        open.path.join(" > ")
    )))
}
