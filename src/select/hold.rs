//! Which records of an object holds keep, directly or because a held record would go with them in a cascade.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use jiff::Zoned;

use super::Context;
use super::Reading;
use super::condition::condition_for;
use super::connection::Connection;
use crate::base::CommandError;
use crate::base::{HoldName, PolicyName, RecordId, TargetName};
use crate::filter::Language;
use crate::manifest::{Hold, Workspace};
use crate::plan::{ObjectFacts, OpenCascade, Query, Row};
use crate::store::{RowSorter, SortOrder, SortedRows};
use crate::system::Capabilities;

/// How many generations a cascade is followed upward from a held record. Salesforce's own paths end after five.
const MOST_GENERATIONS: usize = 5;

/// The records of one object that one hold keeps.
pub struct HeldSet {
    /// The hold.
    pub hold: HoldName,
    /// Whether they are kept because a held record would go with them.
    pub through_cascade: bool,
    /// Their ids; repeated ones are possible.
    pub rows: Arc<SortedRows>,
}

/// Everything holds keep of one object.
#[derive(Default)]
pub struct Held {
    /// One entry a hold and way.
    pub sets: Vec<HeldSet>,
    /// Cascades that lead to a held record and could not be followed to the end.
    pub open: Vec<OpenCascade>,
}

/// Deleting a `parent` deletes the `child`ren whose `field` names it.
#[derive(Clone, Debug)]
struct Cascade {
    parent: String,
    child: String,
    field: String,
}

/// What is needed to ask about holds.
pub struct HoldReading<'a> {
    /// Who looks on.
    pub host: &'a Context,
    /// For which policy.
    pub policy: &'a PolicyName,
    /// The manifests as they are now, also when the plan is older.
    pub workspace: &'a Workspace,
    /// The one clock reading of this command.
    pub now: &'a Zoned,
    /// Where ids go that do not fit into memory.
    pub spill: &'a Path,
}

impl HoldReading<'_> {
    /// Everything the holds of `target` keep of the object in `facts`.
    ///
    /// A hold on the object itself keeps the records it names. A hold on another object keeps the records whose deletion
    /// would take a held one with it: from the held records the cascades are walked upward, generation by generation.
    pub async fn held(
        &self,
        connection: &mut Connection,
        target: &TargetName,
        facts: &ObjectFacts,
    ) -> Result<Held, CommandError> {
        let holds: Vec<&Hold> = self.workspace.holds.values().filter(|hold| hold.target == *target).collect();
        let mut held = Held::default();
        if holds.is_empty() {
            return Ok(held);
        }
        let cascades = cascades_below(connection, facts).await?;
        for hold in holds {
            self.walk(connection, hold, facts, &cascades, &mut held).await?;
        }
        Ok(held)
    }

    async fn walk(
        &self,
        connection: &mut Connection,
        hold: &Hold,
        facts: &ObjectFacts,
        cascades: &[Cascade],
        held: &mut Held,
    ) -> Result<(), CommandError> {
        let hold_facts = connection.describe(&hold.object).await?;
        let is_below = cascades.iter().any(|cascade| cascade.child == hold_facts.name);
        if hold_facts.name != facts.name && !is_below {
            return Ok(());
        }
        let capabilities = connection.provider.capabilities();
        let language = Language::of(capabilities.system);
        let condition = condition_for(&hold.filter, language, &hold_facts, self.now, &self.workspace.sources)?;
        let query =
            Query { object: hold_facts.name.clone(), key: capabilities.key.to_owned(), fields: Vec::new(), condition };
        let named = Arc::new(self.read(connection, hold, &query).await?);
        if hold_facts.name == facts.name {
            held.sets.push(HeldSet { hold: hold.name.clone(), through_cascade: false, rows: Arc::clone(&named) });
        }
        let mut generation: BTreeMap<String, Arc<SortedRows>> = BTreeMap::from([(hold_facts.name.clone(), named)]);
        for _ in 0..MOST_GENERATIONS {
            let mut parents: BTreeMap<String, RowSorter> = BTreeMap::new();
            for (child, rows) in &generation {
                for cascade in cascades.iter().filter(|cascade| cascade.child == *child) {
                    let sorter = parents
                        .entry(cascade.parent.clone())
                        .or_insert_with(|| RowSorter::new(self.spill, SortOrder::Id, RowSorter::WINDOW));
                    self.climb(connection, hold, cascade, rows, sorter).await?;
                }
            }
            generation.clear();
            for (parent, sorter) in parents {
                if sorter.count() == 0 {
                    continue;
                }
                let rows = Arc::new(sorter.finish().map_err(|error| unsorted(&error))?);
                if parent == facts.name {
                    held.sets.push(HeldSet { hold: hold.name.clone(), through_cascade: true, rows: Arc::clone(&rows) });
                }
                generation.insert(parent, rows);
            }
            if generation.is_empty() {
                return Ok(());
            }
        }
        let climbs_on = generation.keys().any(|object| cascades.iter().any(|cascade| cascade.child == *object));
        if climbs_on {
            held.open.push(OpenCascade { hold: hold.name.clone(), path: vec![facts.name.clone(), hold_facts.name] });
        }
        Ok(())
    }

    async fn read(&self, connection: &Connection, hold: &Hold, query: &Query) -> Result<SortedRows, CommandError> {
        let doing = format!("reading hold {}", hold.name);
        let reading = Reading {
            provider: connection.provider.as_ref(),
            host: self.host,
            policy: Some(self.policy),
            doing: &doing,
            spill: self.spill,
        };
        reading.all(query, SortOrder::Id).await
    }

    /// Puts the parents of `children` along one cascade into `parents`.
    async fn climb(
        &self,
        connection: &Connection,
        hold: &Hold,
        cascade: &Cascade,
        children: &SortedRows,
        parents: &mut RowSorter,
    ) -> Result<(), CommandError> {
        let at_once = Language::of(connection.provider.capabilities().system).ids_at_once();
        let mut ids = children.distinct_ids();
        loop {
            let chunk: Vec<RecordId> = ids
                .by_ref()
                .take(at_once)
                .collect::<Result<_, _>>()
                .map_err(|error| CommandError::plain("held ids could not be read back").caused_by(&error))?;
            if chunk.is_empty() {
                return Ok(());
            }
            let rows =
                self.read(connection, hold, &parents_of(&connection.provider.capabilities(), cascade, &chunk)?).await?;
            // Children share parents, so a parent may come many times.
            for id in rows.distinct_ids() {
                id.and_then(|id| parents.push(&Row { id, values: Vec::new() })).map_err(|error| unsorted(&error))?;
            }
        }
    }
}

fn unsorted(error: &std::io::Error) -> CommandError {
    CommandError::plain("held ids could not be sorted").caused_by(error)
}

/// The query for the parents that would take these children with them.
fn parents_of(capabilities: &Capabilities, cascade: &Cascade, children: &[RecordId]) -> Result<Query, CommandError> {
    let condition =
        Language::of(capabilities.system).among(capabilities.key, children, &cascade.field).ok_or_else(|| {
            CommandError::plain(format!("the field `{}` of {} cannot be asked for", cascade.field, cascade.child))
        })?;
    Ok(Query { object: cascade.child.clone(), key: cascade.field.clone(), fields: Vec::new(), condition: Some(condition) })
}

/// Whether rows of this object are no records of their own: no hold can name them usefully, and most cannot be queried.
pub fn is_shadow(object: &str) -> bool {
    ["History", "Share", "Feed", "ChangeEvent"].iter().any(|suffix| object.ends_with(suffix))
}

/// Every cascade that deleting records of an object can set off, directly or through others. An object this login cannot see
/// is passed over.
///
/// Only cascades count: a cleared lookup deletes nothing, and a restricting child keeps its parent.
async fn cascades_below(connection: &mut Connection, from: &ObjectFacts) -> Result<Vec<Cascade>, CommandError> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([from.name.clone()]);
    let mut queue = VecDeque::from([from.name.clone()]);
    while let Some(parent) = queue.pop_front() {
        let Some(facts) = connection.describe_if_visible(&parent).await? else { continue };
        for child in facts.children.iter().filter(|child| child.cascades && !is_shadow(&child.child)) {
            found.push(Cascade { parent: parent.clone(), child: child.child.clone(), field: child.field.clone() });
            if seen.insert(child.child.clone()) {
                queue.push_back(child.child.clone());
            }
        }
    }
    Ok(found)
}
