//! The recheck: which planned records must not be sent, or not be sent any more.

use std::io;

use jiff::Zoned;

use crate::apply::SkipCause;
use crate::base::{CommandError, PolicyName};
use crate::plan::{self, OpenCascade, PlannedPolicy, Query, RecheckVerdict, Row, intersect};
use crate::select::{Connection, Context, Held, HoldReading, Layout, Project, Reading, broken_selection};
use crate::store::{Bundle, RowSorter, SortOrder, SortedRows};

/// What the recheck of one policy found.
pub struct Recheck {
    /// The planned records that must not be sent, by id, each with the word of its [`SkipCause`]. What this run has deleted is
    /// among them, since it does not match any more.
    pub excluded: SortedRows,
    /// The other planned records in the order in which they are sent, each with the value that keeps it together with others;
    /// `None` where they are sent in the order of their ids.
    pub grouped: Option<SortedRows>,
    /// How many planned records may be sent.
    pub cleared: u64,
    /// How many records match now and were not planned.
    pub waiting: u64,
    /// How many records the object has now.
    pub population: u64,
    /// Cascades to held records that could not be followed to their end.
    pub open: Vec<OpenCascade>,
    // Last, so that the folder goes after the files in it.
    pub(super) folder: tempfile::TempDir,
}

/// Rechecks one policy of a plan.
pub struct Rechecking<'a> {
    /// What a command is given.
    pub context: &'a Context,
    /// The manifests as they are now: holds that are younger than the plan count.
    pub project: &'a Project,
    /// The plan.
    pub bundle: &'a Bundle,
    /// Its policy.
    pub planned: &'a PlannedPolicy,
    /// The one clock reading of this command.
    pub now: &'a Zoned,
    /// Whether jobs of this run may be at work on the very records, so that a selection may move while it is read.
    pub jobs_may_run: bool,
}

impl Rechecking<'_> {
    /// Sends the sealed query and reads the holds of now. `folder` is for rows that do not fit into memory.
    ///
    /// This can only shrink the plan: a record that is not in it is counted and never handed on.
    ///
    /// # Errors
    ///
    /// When the selection or a hold cannot be read. Nothing may then be sent: nobody knows what must stay.
    pub async fn run(&self, connection: &mut Connection, folder: tempfile::TempDir) -> Result<Recheck, CommandError> {
        let (context, planned, spill) = (self.context, self.planned, folder.path());
        let name = &planned.policy;
        let broken = |error: io::Error| broken_selection(name, &error);
        let facts = connection.describe(&planned.query.object).await?;
        let capabilities = connection.provider.capabilities();
        let everything = Query {
            object: planned.query.object.clone(),
            key: planned.query.key.clone(),
            fields: Vec::new(),
            condition: None,
        };
        let population = connection.provider.count(&everything).await?;
        let provider = connection.provider.as_ref();
        let reading = Reading { provider, host: context, policy: Some(name), doing: "selecting", spill };
        let fresh = if self.jobs_may_run {
            reading.all_while_jobs_end(&planned.query, SortOrder::Id).await?
        } else {
            reading.all(&planned.query, SortOrder::Id).await?
        };
        let holds = HoldReading { host: context, policy: name, workspace: &self.project.workspace, now: self.now, spill };
        let held = holds.held(connection, &planned.settings.target, &facts).await?;
        let kept = self.planned_and_held(&held, spill)?;

        let layout = Layout::of_planned(planned, &capabilities);
        let mut excluded = RowSorter::new(spill, SortOrder::Id, RowSorter::WINDOW);
        let mut groups = planned.settings.group_by.as_deref().and_then(|field| layout.place_of(field)).map(|place| Groups {
            place,
            rows: fresh.rows(),
            sorter: RowSorter::new(spill, SortOrder::FirstValueThenId, RowSorter::WINDOW),
        });
        let (mut cleared, mut waiting) = (0, 0);
        let changed = |planned: &Row, fresh: &Row| layout.changed(planned, fresh);
        for verdict in plan::recheck(planned_rows(self.bundle, name)?, fresh.rows(), kept.distinct_ids(), changed) {
            let (id, verdict) = verdict.map_err(|error| broken_selection(name, &error))?;
            let cause = match verdict {
                RecheckVerdict::Cleared => {
                    cleared += 1;
                    if let Some(groups) = &mut groups {
                        groups.push(id).map_err(broken)?;
                    }
                    continue;
                }
                RecheckVerdict::New => {
                    waiting += 1;
                    continue;
                }
                RecheckVerdict::NoLongerMatches => SkipCause::NoLongerMatches,
                RecheckVerdict::Changed => SkipCause::Changed,
                RecheckVerdict::Held => SkipCause::Held,
            };
            excluded.push(&Row { id, values: vec![cause.word().to_owned()] }).map_err(broken)?;
        }
        let grouped = groups.map(|groups| groups.sorter.finish()).transpose().map_err(broken)?;
        let excluded = excluded.finish().map_err(broken)?;
        if cleared + excluded.count() != planned.selected {
            return Err(CommandError::plain(format!(
                "internal error: the recheck of policy `{name}` does not balance: {cleared} cleared and {} excluded of {} planned",
                excluded.count(),
                planned.selected
            )));
        }
        Ok(Recheck { excluded, grouped, cleared, waiting, population, open: held.open, folder })
    }

    /// The planned records that a hold keeps, whether they match by now or not.
    fn planned_and_held(&self, held: &Held, spill: &std::path::Path) -> Result<SortedRows, CommandError> {
        let name = &self.planned.policy;
        let broken = |error: io::Error| broken_selection(name, &error);
        let mut sorter = RowSorter::new(spill, SortOrder::Id, RowSorter::WINDOW);
        for set in &held.sets {
            let ids = planned_rows(self.bundle, name)?.map(|row| row.map(|row| row.id));
            for id in intersect(ids, set.rows.distinct_ids()) {
                let id = id.map_err(|error| broken_selection(name, &error))?;
                sorter.push(&Row { id, values: Vec::new() }).map_err(broken)?;
            }
        }
        sorter.finish().map_err(broken)
    }
}

fn planned_rows(bundle: &Bundle, policy: &PolicyName) -> Result<impl Iterator<Item = io::Result<Row>>, CommandError> {
    let rows = bundle.rows(policy).transpose()?.into_iter().flatten();
    Ok(rows.map(|row| row.map_err(io::Error::other)))
}

/// The cleared records with equal `groupBy` values together, and by id within them.
struct Groups<I> {
    /// Where the value stands in a fresh row.
    place: usize,
    /// The fresh rows, by id.
    rows: I,
    sorter: RowSorter,
}

impl<I: Iterator<Item = io::Result<Row>>> Groups<I> {
    /// Takes the next cleared record, in the order of ids.
    fn push(&mut self, id: crate::base::RecordId) -> io::Result<()> {
        let mut row = loop {
            match self.rows.next().transpose()? {
                Some(row) if row.id == id => break row,
                Some(_) => {}
                None => return Err(io::Error::other(format!("the record {id} was cleared and is not there"))),
            }
        };
        let group = if self.place < row.values.len() { row.values.swap_remove(self.place) } else { String::new() };
        self.sorter.push(&Row { id, values: vec![group] })
    }
}
