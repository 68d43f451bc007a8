//! One policy's selection: what matches, what holds keep of it, and the numbers gates judge.

use std::path::Path;

use jiff::Zoned;

use super::Context;
use super::Reading;
use super::condition::condition_for;
use super::connection::Connection;
use super::hold::{Held, HoldReading};
use crate::base::CommandError;
use crate::base::{Digest, RecordId, SourceMap};
use crate::filter::Language;
use crate::manifest::{Policy, Recheck, Workspace};
use crate::plan::{HeldCount, MergeError, ObjectFacts, OpenCascade, PlannedPolicy, Query, Row, intersect};
use crate::store::{RowSorter, SortOrder, SortedRows};
use crate::system::Capabilities;

/// The column of a record's fingerprint in a records file.
const FINGERPRINT: &str = "Fingerprint";

/// Which fields a policy reads, and where each stands in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The query's further fields.
    pub fields: Vec<String>,
    group: Option<usize>,
    stamp: Option<usize>,
    review: Vec<usize>,
}

impl Layout {
    /// What a policy needs to read beside the key. No field is read twice, since Salesforce refuses that.
    ///
    /// # Errors
    ///
    /// For `recheck: unchanged` on a system without a field that moves with every change.
    pub fn of(policy: &Policy, capabilities: &Capabilities) -> Result<Self, CommandError> {
        let mut fields: Vec<String> = Vec::new();
        let mut place = |name: &str| -> usize {
            let known = fields.iter().position(|field| field.eq_ignore_ascii_case(name));
            known.unwrap_or_else(|| {
                fields.push(name.to_owned());
                fields.len() - 1
            })
        };
        let group = policy.settings.group_by.as_deref().map(&mut place);
        let stamp = match (policy.settings.recheck, capabilities.change_stamp) {
            (Recheck::Matches, _) => None,
            (Recheck::Unchanged, Some(stamp)) => Some(place(stamp)),
            (Recheck::Unchanged, None) => {
                let title = format!("{} does not show when a record changed", capabilities.system.title());
                return Err(CommandError::plain(title).with_help("leave `recheck: unchanged` out of the policy"));
            }
        };
        let key = capabilities.key;
        let review = policy
            .settings
            .review_fields
            .iter()
            .filter(|name| !name.eq_ignore_ascii_case(key))
            .map(|name| place(name))
            .collect();
        Ok(Self { fields, group, stamp, review })
    }

    /// What [`Layout::changed`] needs of a sealed policy, whose manifest may say something else by now.
    pub fn of_planned(planned: &PlannedPolicy, capabilities: &Capabilities) -> Self {
        let fields = planned.query.fields.clone();
        let asked = capabilities.change_stamp.filter(|_| planned.settings.recheck == Recheck::Unchanged);
        let stamp = asked.and_then(|stamp| fields.iter().position(|field| field.eq_ignore_ascii_case(stamp)));
        Self { fields, group: None, stamp, review: Vec::new() }
    }

    /// The columns of the records file beside the key.
    pub fn columns(&self) -> Vec<String> {
        let stamp = self.stamp.map(|_| FINGERPRINT.to_owned());
        stamp.into_iter().chain(self.review.iter().map(|place| self.fields[*place].clone())).collect()
    }

    /// The columns people review.
    pub fn review_columns(&self) -> Vec<String> {
        self.review.iter().map(|place| self.fields[*place].clone()).collect()
    }

    /// The values people review.
    pub fn review_values(&self, row: &Row) -> Vec<String> {
        self.review.iter().map(|place| value(row, *place).to_owned()).collect()
    }

    /// A row as the records file holds it: a fingerprint instead of the moment of the last change, and review fields.
    pub fn sealed(&self, row: &Row) -> Row {
        let stamp = self.stamp.map(|place| fingerprint(value(row, place)));
        Row { id: row.id, values: stamp.into_iter().chain(self.review_values(row)).collect() }
    }

    /// Whether a record is another than the planned one, for a policy that asks for unchanged records.
    pub fn changed(&self, planned: &Row, fresh: &Row) -> bool {
        self.stamp.is_some_and(|place| value(planned, 0) != fingerprint(value(fresh, place)))
    }

    /// Whether records are kept together in batches by a value.
    pub fn has_groups(&self) -> bool {
        self.group.is_some()
    }

    /// The value that keeps records together in one batch.
    pub fn group_value<'r>(&self, row: &'r Row) -> Option<&'r str> {
        self.group.map(|place| value(row, place))
    }
}

fn value(row: &Row, place: usize) -> &str {
    row.values.get(place).map_or("", String::as_str)
}

/// Enough of a digest to notice a change; the moment itself is a value of the record and stays out of the plan.
fn fingerprint(stamp: &str) -> String {
    Digest::of(stamp.as_bytes()).short()
}

/// How a policy is asked of its system: which fields, and the query with every moment fixed to `now`. The same arguments give
/// the same query, which is what apply compares a plan with.
pub fn query_for(
    policy: &Policy,
    facts: &ObjectFacts,
    capabilities: &Capabilities,
    now: &Zoned,
    sources: &SourceMap,
) -> Result<(Layout, Query), CommandError> {
    let layout = Layout::of(policy, capabilities)?;
    let condition = condition_for(&policy.filter, Language::of(capabilities.system), facts, now, sources)?;
    let query =
        Query { object: facts.name.clone(), key: capabilities.key.to_owned(), fields: layout.fields.clone(), condition };
    Ok((layout, query))
}

/// What one policy selects at one moment.
pub struct Selection {
    /// Every matching record with the layout's fields, by id.
    pub matched: SortedRows,
    /// The ids among them that some hold keeps.
    pub held: SortedRows,
    /// How many each hold keeps.
    pub holds: Vec<HeldCount>,
    /// Cascades to held records that could not be followed to the end.
    pub open: Vec<OpenCascade>,
    /// How many records the object has.
    pub population: u64,
}

impl Selection {
    /// Matching records.
    pub fn matched_count(&self) -> u64 {
        self.matched.count()
    }

    /// Matching records that no hold keeps.
    pub fn selected_count(&self) -> u64 {
        self.matched.count() - self.held.count()
    }
}

/// What is needed to select.
pub struct Selecting<'a> {
    /// Who looks on.
    pub host: &'a Context,
    /// The manifests as they are now.
    pub workspace: &'a Workspace,
    /// The policy.
    pub policy: &'a Policy,
    /// The object, as the system describes it.
    pub facts: &'a ObjectFacts,
    /// The query; apply hands in the sealed one.
    pub query: &'a Query,
    /// The one clock reading of this command.
    pub now: &'a Zoned,
    /// Where rows go that do not fit into memory.
    pub spill: &'a Path,
}

impl Selecting<'_> {
    /// Selects.
    pub async fn run(&self, connection: &mut Connection) -> Result<Selection, CommandError> {
        let everything =
            Query { object: self.query.object.clone(), key: self.query.key.clone(), fields: Vec::new(), condition: None };
        let population = connection.provider.count(&everything).await?;
        let reading = Reading {
            provider: connection.provider.as_ref(),
            host: self.host,
            policy: Some(&self.policy.name),
            doing: "selecting",
            spill: self.spill,
        };
        let matched = reading.all(self.query, SortOrder::Id).await?;
        let holds = HoldReading {
            host: self.host,
            policy: &self.policy.name,
            workspace: self.workspace,
            now: self.now,
            spill: self.spill,
        };
        let kept = holds.held(connection, &self.policy.settings.target, self.facts).await?;
        let (held, holds) = self.keep(&matched, &kept)?;
        Ok(Selection { matched, held, holds, open: kept.open, population })
    }

    /// The matched ids that are held, each once, and how many each hold keeps.
    fn keep(&self, matched: &SortedRows, kept: &Held) -> Result<(SortedRows, Vec<HeldCount>), CommandError> {
        let mut union = RowSorter::new(self.spill, SortOrder::Id, RowSorter::WINDOW);
        let mut counts: Vec<HeldCount> = Vec::new();
        for set in &kept.sets {
            let mut records = 0;
            for id in intersect(matched.distinct_ids(), set.rows.distinct_ids()) {
                let id = id.map_err(|error| self.broken(&error))?;
                union.push(&Row { id, values: Vec::new() }).map_err(|error| self.broken(&error))?;
                records += 1;
            }
            if records > 0 {
                match counts.iter_mut().find(|count| count.hold == set.hold) {
                    // One hold can reach a record in several ways; the largest way is the least it can be.
                    Some(count) => {
                        count.records = count.records.max(records);
                        count.through_cascade |= set.through_cascade;
                    }
                    None => counts.push(HeldCount { hold: set.hold.clone(), records, through_cascade: set.through_cascade }),
                }
            }
        }
        let union = union.finish().map_err(|error| self.broken(&error))?;
        let mut distinct = RowSorter::new(self.spill, SortOrder::Id, RowSorter::WINDOW);
        for id in union.distinct_ids() {
            id.and_then(|id| distinct.push(&Row { id, values: Vec::new() })).map_err(|error| self.broken(&error))?;
        }
        Ok((distinct.finish().map_err(|error| self.broken(&error))?, counts))
    }

    fn broken(&self, error: &dyn std::error::Error) -> CommandError {
        broken_selection(&self.policy.name, error)
    }
}

/// A selection that could not be put in order; nothing was planned or deleted from it.
pub fn broken_selection(policy: &crate::base::PolicyName, error: &dyn std::error::Error) -> CommandError {
    CommandError::plain(format!("the selection of policy `{policy}` could not be put in order")).caused_by(error)
}

/// The selected ids of a selection: matched less held.
pub fn selected_ids(selection: &Selection) -> impl Iterator<Item = Result<RecordId, MergeError>> + '_ {
    crate::plan::subtract(selection.matched.rows().map(|row| row.map(|row| row.id)), selection.held.distinct_ids())
}
