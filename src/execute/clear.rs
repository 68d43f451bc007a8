//! The recheck before an apply: which planned records may still be sent.

use jiff::Zoned;

use crate::apply::{Event, SkipCause};
use crate::base::RecordId;
use crate::base::{CommandError, Exit};
use crate::manifest::{AllOrNone, Policy};
use crate::plan::{self, OpenCascade, PlannedPolicy, RecheckVerdict, Row};
use crate::select::{Connection, Context, Layout, Project, Selecting, broken_selection};
use crate::store::{Bundle, IdNote, IdsWriter, RowSorter, RunDirectory, SkippedWriter, SortOrder};

/// What a recheck found.
pub struct Cleared {
    /// Planned records that may be sent.
    pub cleared: u64,
    /// Records that match now and were not planned.
    pub waiting: u64,
    /// How many records the object has now.
    pub population: u64,
    /// Cascades to held records that could not be followed to the end.
    pub open: Vec<OpenCascade>,
    /// What the journal is to say.
    pub event: Event,
}

/// What is needed to recheck one policy.
pub struct Clearing<'a> {
    /// Who looks on.
    pub host: &'a Context,
    /// The manifests as they are now: holds that are younger than the plan count.
    pub project: &'a Project,
    /// The plan.
    pub bundle: &'a Bundle,
    /// Its policy.
    pub planned: &'a PlannedPolicy,
    /// Where the run's files go.
    pub directory: &'a RunDirectory,
    /// The one clock reading of this command.
    pub now: &'a Zoned,
}

impl Clearing<'_> {
    /// Asks the sealed query again and writes what may be sent, in the order in which it goes, and what was kept back.
    ///
    /// This can only shrink the plan: a record that is not in it is counted and never written.
    pub async fn run(&self, connection: &mut Connection) -> Result<Cleared, CommandError> {
        let policy = self.policy()?;
        let layout = Layout::of(policy, &connection.provider.capabilities())?;
        let spill =
            self.directory.scratch(&format!("recheck.{}", self.planned.policy)).map_err(|error| self.unwritable(&error))?;
        let facts = connection.describe(&self.planned.query.object).await?;
        let selecting = Selecting {
            host: self.host,
            workspace: &self.project.workspace,
            policy,
            facts: &facts,
            query: &self.planned.query,
            now: self.now,
            spill: spill.path(),
        };
        let fresh = selecting.run(connection).await?;
        let name = &policy.name;
        let planned =
            self.bundle.rows(name).transpose()?.into_iter().flatten().map(|row| row.map_err(std::io::Error::other));

        let mut skipped = SkippedWriter::create(&self.directory.skipped(name)).map_err(|error| self.unwritable(&error))?;
        let mut ids = IdsWriter::create(&self.directory.round(name, 0)).map_err(|error| self.unwritable(&error))?;
        // They come by id, which is the order in which they go unless they are grouped.
        let mut groups = layout.has_groups().then(|| Groups::new(&layout, fresh.matched.rows(), spill.path()));
        // An atomic group is what was reviewed as one: so many records of the plan, less those that are kept back.
        let atomic = self.planned.settings.all_or_none == AllOrNone::PerRequest;
        let group_size = self.planned.route.as_ref().filter(|_| atomic).map(|route| route.batch_size.max(1));
        let (mut place, mut last_group) = (0, None);
        let mut waiting = 0;
        let changed = |planned: &Row, fresh: &Row| layout.changed(planned, fresh);
        for standing in plan::recheck(planned, fresh.matched.rows(), fresh.held.distinct_ids(), changed) {
            let (id, standing) = standing.map_err(|error| broken_selection(name, &error))?;
            let kept = match standing {
                RecheckVerdict::Cleared => {
                    let kept_in_order = match &mut groups {
                        None => {
                            let group = group_size.map(|size| place / size);
                            let begins = group != last_group;
                            last_group = group;
                            ids.push(&id, if begins { IdNote::Group } else { IdNote::None })
                        }
                        Some(groups) => groups.push(id),
                    };
                    kept_in_order.map_err(|error| self.unwritable(&error))?;
                    None
                }
                RecheckVerdict::NoLongerMatches => Some(SkipCause::NoLongerMatches),
                RecheckVerdict::Changed => Some(SkipCause::Changed),
                RecheckVerdict::Held => Some(SkipCause::Held),
                RecheckVerdict::New => {
                    waiting += 1;
                    None
                }
            };
            place += u64::from(standing != RecheckVerdict::New);
            if let Some(cause) = kept {
                skipped.push(id, cause).map_err(|error| self.unwritable(&error))?;
            }
        }
        if let Some(groups) = groups {
            groups.write(&mut ids).map_err(|error| self.unwritable(&error))?;
        }
        let (cleared, digest) = ids.finish().map_err(|error| self.unwritable(&error))?;
        let skipped = skipped.finish().map_err(|error| self.unwritable(&error))?;
        if cleared + skipped != self.planned.selected {
            return Err(CommandError::plain(format!(
                "the recheck of policy `{name}` does not balance: {cleared} cleared and {skipped} kept back of {} planned",
                self.planned.selected
            )));
        }
        let event = Event::Cleared { cleared, skipped, digest };
        Ok(Cleared { cleared, waiting, population: fresh.population, open: fresh.open, event })
    }

    fn policy(&self) -> Result<&Policy, CommandError> {
        self.project.workspace.policies.get(&self.planned.policy).ok_or_else(|| {
            CommandError::new(Exit::PlanUnusable, format!("policy `{}` is gone from the manifests", self.planned.policy))
        })
    }

    fn unwritable(&self, error: &std::io::Error) -> CommandError {
        CommandError::plain(format!("the run's files in {} cannot be written", self.directory.path().display()))
            .caused_by(error)
            .with_help("nothing was deleted; make room or mend the disk, and run the same command again")
    }
}

/// The cleared records with equal `groupBy` values together, and by id within them.
struct Groups<'a, I> {
    layout: &'a Layout,
    /// The fresh rows, by id.
    rows: I,
    sorter: RowSorter,
}

impl<'a, I: Iterator<Item = std::io::Result<Row>>> Groups<'a, I> {
    fn new(layout: &'a Layout, rows: I, spill: &std::path::Path) -> Self {
        Self { layout, rows, sorter: RowSorter::new(spill, SortOrder::FirstValueThenId, RowSorter::WINDOW) }
    }

    /// Takes the next cleared record, in the order of ids.
    fn push(&mut self, id: RecordId) -> std::io::Result<()> {
        let row = loop {
            match self.rows.next().transpose()? {
                Some(row) if row.id == id => break row,
                Some(_) => {}
                None => return Err(std::io::Error::other(format!("the record {id} was cleared and is not there"))),
            }
        };
        let group = self.layout.group_value(&row).map(str::to_owned);
        self.sorter.push(&Row { id, values: group.into_iter().collect() })
    }

    fn write(self, ids: &mut IdsWriter) -> std::io::Result<()> {
        let sorted = self.sorter.finish()?;
        let mut last: Option<String> = None;
        for row in sorted.rows() {
            let Row { id, values } = row?;
            let group = values.into_iter().next().unwrap_or_default();
            // Records without a value have nothing in common, so that nothing keeps them together.
            let begins = group.is_empty() || last.as_ref() != Some(&group);
            ids.push(&id, if begins { IdNote::Group } else { IdNote::None })?;
            last = Some(group);
        }
        Ok(())
    }
}
