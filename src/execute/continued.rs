//! The recheck of a run that is continued: which of its records must not be sent any more.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use jiff::Zoned;

use crate::apply::{Event, SkipCause};
use crate::base::CommandError;
use crate::base::{PolicyName, TargetName};
use crate::plan::{self, PlannedPolicy, RecheckVerdict, Row, intersect};
use crate::select::{Connection, Context, Held, HoldReading, Layout, Project, Reading, broken_selection};
use crate::store::{Bundle, RowSorter, RunDirectory, SortOrder, SortedRows, read_journal};

/// The planned records that are held, have changed or do not match by now, by id and each with the word of its cause, for every
/// policy of a run that has some and is not at its end.
///
/// Its first recheck asked for the same, and what it kept back then was never cleared. What this run has deleted since does not
/// match either and is among them.
///
/// # Errors
///
/// When the journal, the selection or a hold cannot be read. Nothing may then be sent: nobody knows what must stay.
pub async fn excluded_by_now(
    host: &Context,
    project: &Project,
    bundle: &Bundle,
    directory: &RunDirectory,
    connections: &mut BTreeMap<TargetName, Connection>,
    now: &Zoned,
) -> Result<BTreeMap<PolicyName, Arc<SortedRows>>, CommandError> {
    let mut finished = BTreeSet::new();
    read_journal(&directory.journal(), |entry| {
        if matches!(entry.event, Event::Finished { .. }) {
            finished.extend(entry.policy);
        }
    })
    .map_err(|error| CommandError::plain("the journal cannot be used, so nothing more is sent").caused_by(&error))?;
    let mut found = BTreeMap::new();
    for planned in bundle.header().policies.iter().filter(|planned| planned.route.is_some()) {
        let name = &planned.policy;
        let Some(connection) = connections.get_mut(&planned.settings.target).filter(|_| !finished.contains(name)) else {
            continue;
        };
        let scratch = directory.scratch(&format!("recheck.{name}")).map_err(|error| broken_selection(name, &error))?;
        let rechecking = Rechecking { host, project, bundle, planned, now, scratch };
        let rows = rechecking.run(connection).await.map_err(|error| {
            error.about_policy(name).with_note(
                "the run goes on only when the selection and every hold can be read; mend the cause and run the same command again",
            )
        })?;
        if rows.count() > 0 {
            found.insert(name.clone(), Arc::new(rows));
        }
    }
    Ok(found)
}

/// What is needed to recheck one policy once more.
struct Rechecking<'a> {
    host: &'a Context,
    project: &'a Project,
    bundle: &'a Bundle,
    planned: &'a PlannedPolicy,
    now: &'a Zoned,
    scratch: tempfile::TempDir,
}

impl Rechecking<'_> {
    async fn run(&self, connection: &mut Connection) -> Result<SortedRows, CommandError> {
        let (host, planned, spill) = (self.host, self.planned, self.scratch.path());
        let name = &planned.policy;
        let facts = connection.describe(&planned.query.object).await?;
        let provider = connection.provider.as_ref();
        let reading = Reading { provider, host, policy: Some(name), doing: "selecting", spill };
        let fresh = reading.all_while_jobs_end(&planned.query, SortOrder::Id).await?;
        let holds = HoldReading { host, policy: name, workspace: &self.project.workspace, now: self.now, spill };
        let held = self.planned_and_held(&holds.held(connection, &planned.settings.target, &facts).await?)?;

        let layout = Layout::of_planned(planned, &connection.provider.capabilities());
        let mut excluded = self.sorter();
        let changed = |planned: &Row, fresh: &Row| layout.changed(planned, fresh);
        for standing in plan::recheck(self.rows()?, fresh.rows(), held.distinct_ids(), changed) {
            let (id, standing) = standing.map_err(|error| broken_selection(name, &error))?;
            let cause = match standing {
                RecheckVerdict::Cleared | RecheckVerdict::New => continue,
                RecheckVerdict::NoLongerMatches => SkipCause::NoLongerMatches,
                RecheckVerdict::Changed => SkipCause::Changed,
                RecheckVerdict::Held => SkipCause::Held,
            };
            let row = Row { id, values: vec![cause.word().to_owned()] };
            excluded.push(&row).map_err(|error| broken_selection(name, &error))?;
        }
        excluded.finish().map_err(|error| broken_selection(name, &error))
    }

    fn sorter(&self) -> RowSorter {
        RowSorter::new(self.scratch.path(), SortOrder::Id, RowSorter::WINDOW)
    }

    fn rows(&self) -> Result<impl Iterator<Item = io::Result<Row>>, CommandError> {
        let rows = self.bundle.rows(&self.planned.policy).transpose()?.into_iter().flatten();
        Ok(rows.map(|row| row.map_err(io::Error::other)))
    }

    /// The planned records that a hold keeps, whether they match by now or not.
    fn planned_and_held(&self, held: &Held) -> Result<SortedRows, CommandError> {
        let name = &self.planned.policy;
        let broken = |error: io::Error| broken_selection(name, &error);
        let ids = || Ok::<_, CommandError>(self.rows()?.map(|row| row.map(|row| row.id)));
        let mut sorter = self.sorter();
        if let Some(open) = held.open.first() {
            // The gate that refuses this has been passed already. Any record may take a held one with it.
            self.host.observer.warn(&format!(
                "{name}: hold {} may keep records that go along by the cascade {}, which cannot be followed to its end, so none \
                 of this policy's records is sent any more",
                open.hold,
                open.path.join(" > "),
            ));
            for id in ids()? {
                sorter.push(&Row { id: id.map_err(broken)?, values: Vec::new() }).map_err(broken)?;
            }
        }
        for set in &held.sets {
            for id in intersect(ids()?, set.rows.distinct_ids()) {
                let id = id.map_err(|error| broken_selection(name, &error))?;
                sorter.push(&Row { id, values: Vec::new() }).map_err(broken)?;
            }
        }
        sorter.finish().map_err(broken)
    }
}
