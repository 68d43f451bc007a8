//! What holds keep by now of the records of a run that is continued.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Zoned;

use super::connection::Connection;
use super::hold::{Held, HoldReading};
use super::project::Project;
use super::selection::broken_selection;
use super::{CommandError, Host};
use crate::apply::Event;
use crate::base::{PolicyName, RecordId, TargetName};
use crate::plan::{PlannedPolicy, Row, intersect};
use crate::store::{Bundle, RowSorter, RunDirectory, SortOrder, SortedRows, read_journal};

/// The planned records that holds keep by now, by id, for every policy of a run that has some and is not at its end.
///
/// Its first recheck asked for holds too, and what they kept then was never cleared. Since then holds may have been written,
/// and records may have come to match older ones.
///
/// # Errors
///
/// When the journal or a hold cannot be read. Nothing may then be sent: nobody knows what is kept.
pub(super) async fn held_by_now(
    host: &Host,
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
        let Some(connection) = connections.get_mut(&planned.target).filter(|_| !finished.contains(name)) else { continue };
        let scratch = directory.scratch(&format!("holds.{name}")).map_err(|error| broken_selection(name, &error))?;
        let facts = connection.describe(&planned.query.object).await?;
        let reading = HoldReading { host, policy: name, workspace: &project.workspace, now, spill: scratch.path() };
        let held = reading.held(connection, &planned.target, &facts).await.map_err(|error| {
            error
                .with_note("the run goes on only when every hold can be read; mend the cause and run the same command again")
        })?;
        let rows = planned_and_held(host, bundle, planned, &held, &scratch)?;
        if rows.count() > 0 {
            found.insert(name.clone(), Arc::new(rows));
        }
    }
    Ok(found)
}

fn planned_and_held(
    host: &Host,
    bundle: &Bundle,
    planned: &PlannedPolicy,
    held: &Held,
    scratch: &tempfile::TempDir,
) -> Result<SortedRows, CommandError> {
    let name = &planned.policy;
    let ids = || {
        let rows = bundle.rows(name).transpose()?.into_iter().flatten();
        Ok::<_, CommandError>(rows.map(|row| row.map(|row| row.id).map_err(std::io::Error::other)))
    };
    let mut sorter = RowSorter::new(scratch.path(), SortOrder::Id, RowSorter::WINDOW);
    let mut push =
        |id: RecordId| sorter.push(&Row { id, values: Vec::new() }).map_err(|error| broken_selection(name, &error));
    if let Some(open) = held.open.first() {
        // The gate that refuses this has been passed already. Any record may take a held one with it.
        host.watcher.warn(&format!(
            "{name}: hold {} may keep records that go along by the cascade {}, which cannot be followed to its end, so none of \
             this policy's records is sent any more",
            open.hold,
            open.path.join(" > "),
        ));
        for id in ids()? {
            push(id.map_err(|error| broken_selection(name, &error))?)?;
        }
    }
    for set in &held.sets {
        for id in intersect(ids()?, set.rows.distinct_ids()) {
            push(id.map_err(|error| broken_selection(name, &error))?)?;
        }
    }
    sorter.finish().map_err(|error| broken_selection(name, &error))
}
