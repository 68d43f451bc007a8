//! Which records holds keep, directly or because a cascade from them would delete a held record: sends the requests that
//! [`crate::plan::CascadeGraph`] asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::ProjectContext;
use super::condition::condition_for;
use super::connection::{Connection, Connections};
use super::held::{Held, HeldSet};
use super::reading::{IfMoving, Reading, read_sorted};
use super::side_by_side::side_by_side;
use super::sort_space::SortSpace;
use crate::base::{CommandError, RecordId, TargetName};
use crate::manifest::Hold;
use crate::plan::{CascadeEdge, CascadeGraph, ObjectFacts, OpenCascade, Query, Row};
use crate::store::{Place, RowSorter, SortedRows};

/// How many objects are described at once at most; a system may take fewer.
const DESCRIBED_AT_ONCE: usize = 16;

/// Everything the holds of a project keep of the objects that its policies delete from. Each hold is read once, whatever number
/// of policies it concerns.
pub struct HeldRecords {
    by_object: BTreeMap<(TargetName, String), Held>,
    nothing: Held,
}

/// One system that has holds and policies.
struct HoldTarget<'a> {
    connection: &'a Connection,
    /// The objects that policies delete from, in the system's own spelling.
    roots: BTreeSet<String>,
    graph: CascadeGraph,
}

/// What one hold keeps: of which object, and in what way.
type KeptByHold = Vec<(String, Kept)>;

enum Kept {
    Records(HeldSet),
    Open(OpenCascade),
}

impl HeldRecords {
    /// Reads the holds. What does not fit into memory goes into one file in `spill`.
    ///
    /// A hold on a policy's object keeps the records it names. A hold on another object keeps the records whose deletion would
    /// take a held one with it: from the held records the cascades are walked upward, generation by generation.
    ///
    /// # Errors
    ///
    /// When a hold that concerns a policy cannot be read completely, so that it is not known what must stay.
    pub async fn read(project: &ProjectContext<'_>, connections: &Connections, spill: &Place) -> Result<Self, CommandError> {
        let holds = &project.project.workspace.holds;
        let mut targets = BTreeMap::new();
        for (name, connection) in connections {
            if holds.values().any(|hold| hold.target == *name) {
                let roots = objects_of_policies(project, name, connection).await?;
                let graph = graph_below(connection, &roots).await?;
                targets.insert(name, HoldTarget { connection, roots, graph });
            }
        }
        let concerned: Vec<(&Hold, &HoldTarget<'_>)> =
            holds.values().filter_map(|hold| Some((hold, targets.get(&hold.target)?))).collect();
        let space = &SortSpace::for_holds(spill, concerned.len());
        let kept = side_by_side(&project.context.observer, concerned.iter().copied(), |(hold, target), observer| {
            let project = project.observed_by(observer);
            async move {
                let read = read_hold(&project, hold, target, space).await;
                let kept = read.map_err(|error| error.with_note(format!("while reading hold `{}`", hold.name)))?;
                Ok((hold.target.clone(), kept))
            }
        });
        let mut by_object: BTreeMap<(TargetName, String), Held> = BTreeMap::new();
        for (target, kept) in kept.await? {
            for (object, kept) in kept {
                let held = by_object.entry((target.clone(), object)).or_default();
                match kept {
                    Kept::Records(set) => held.sets.push(set),
                    Kept::Open(open) => held.open.push(open),
                }
            }
        }
        Ok(Self { by_object, nothing: Held::default() })
    }

    /// What they keep of an object, in the system's own spelling, that policies delete from.
    pub fn of(&self, target: &TargetName, object: &str) -> &Held {
        self.by_object.get(&(target.clone(), object.to_owned())).unwrap_or(&self.nothing)
    }
}

/// The objects that the policies of a target delete from. One that cannot be seen is left for its policy to complain of.
async fn objects_of_policies(
    project: &ProjectContext<'_>,
    target: &TargetName,
    connection: &Connection,
) -> Result<BTreeSet<String>, CommandError> {
    let policies = project.project.workspace.policies.values().filter(|policy| policy.settings.target == *target);
    let named: BTreeSet<&str> = policies.map(|policy| policy.settings.object.as_str()).collect();
    let named: Vec<&str> = named.into_iter().collect();
    Ok(describe_all(connection, &named).await?.into_iter().flatten().map(|facts| facts.name.clone()).collect())
}

/// Every cascade that deleting records of these objects can set off, directly or through others. An object this login cannot see
/// is passed over.
async fn graph_below(connection: &Connection, roots: &BTreeSet<String>) -> Result<CascadeGraph, CommandError> {
    let mut graph = CascadeGraph::default();
    loop {
        let wanted: Vec<String> =
            graph.undescribed(roots.iter().map(String::as_str)).into_iter().map(str::to_owned).collect();
        if wanted.is_empty() {
            return Ok(graph);
        }
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        for (object, facts) in wanted.iter().zip(describe_all(connection, &wanted).await?) {
            graph.add(object, facts.as_deref());
        }
    }
}

async fn describe_all(connection: &Connection, objects: &[&str]) -> Result<Vec<Option<Arc<ObjectFacts>>>, CommandError> {
    let described = stream::iter(objects.iter().map(|object| connection.describe_if_visible(object)));
    Ok(described.buffered(DESCRIBED_AT_ONCE).try_collect().await?)
}

/// Reads one hold, and the records above it.
async fn read_hold(
    project: &ProjectContext<'_>,
    hold: &Hold,
    target: &HoldTarget<'_>,
    space: &SortSpace,
) -> Result<KeptByHold, CommandError> {
    let HoldTarget { connection, roots, graph } = target;
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    let facts = connection.describe(&hold.object).await?;
    let above = graph.roots_above(roots.iter().map(String::as_str), &facts.name);
    if above.is_empty() {
        return Ok(Vec::new());
    }
    let sources = &project.project.workspace.sources;
    let condition = condition_for(&hold.filter, connection.language(), &facts, project.now, sources)?;
    let key = connection.capabilities().key.to_owned();
    let query = Query { object: facts.name.clone(), key, fields: Vec::new(), condition };
    let named = Arc::new(read_ids(project, connection, hold, &query, space).await?);

    let mut kept = Vec::new();
    let mut keep = |object: &str, through_cascade, rows: &Arc<SortedRows>| {
        if above.contains(object) {
            let set = HeldSet { hold: hold.name.clone(), through_cascade, rows: Arc::clone(rows) };
            kept.push((object.to_owned(), Kept::Records(set)));
        }
    };
    keep(&facts.name, false, &named);
    let mut climb = graph.climb(above.iter().copied(), &facts.name);
    let mut generation = BTreeMap::from([(facts.name.clone(), named)]);
    loop {
        let parents = climb.parents();
        if parents.is_empty() {
            break;
        }
        let mut found = BTreeMap::new();
        for (parent, edges) in parents {
            let mut sorter = space.sorter();
            for edge in edges {
                if let Some(children) = generation.get(&edge.child) {
                    read_parents(project, connection, hold, edge, children, space, &mut sorter).await?;
                }
            }
            if sorter.count() > 0 {
                let rows = Arc::new(space.finish(sorter).map_err(|error| unsorted(&error))?);
                keep(parent, true, &rows);
                found.insert(parent.to_owned(), rows);
            }
        }
        climb.go_on(found.keys().cloned());
        generation = found;
    }
    for root in above.iter().filter(|root| climb.is_open_at(root)) {
        let path = vec![(*root).to_owned(), facts.name.clone()];
        kept.push(((*root).to_owned(), Kept::Open(OpenCascade { hold: hold.name.clone(), path })));
    }
    Ok(kept)
}

async fn read_ids(
    project: &ProjectContext<'_>,
    connection: &Connection,
    hold: &Hold,
    query: &Query,
    space: &SortSpace,
) -> Result<SortedRows, CommandError> {
    let doing = format!("reading hold {}", hold.name);
    let reading = Reading { query, policy: None, doing: &doing, if_moving: IfMoving::Refuse };
    read_sorted(&project.context, connection, reading, space).await
}

/// Puts the parents of `children` along one cascade into `parents`. A field that may name records of several objects gives those
/// of the others as well; nothing is selected of them here, and nothing is lost.
async fn read_parents(
    project: &ProjectContext<'_>,
    connection: &Connection,
    hold: &Hold,
    edge: &CascadeEdge,
    children: &SortedRows,
    space: &SortSpace,
    parents: &mut RowSorter,
) -> Result<(), CommandError> {
    let mut ids = children.distinct_ids();
    loop {
        let chunk: Vec<RecordId> = ids
            .by_ref()
            .take(connection.language().ids_at_once())
            .collect::<Result<_, _>>()
            .map_err(|error| CommandError::plain("held ids could not be read back").caused_by(&error))?;
        if chunk.is_empty() {
            return Ok(());
        }
        let rows = read_ids(project, connection, hold, &parents_of(connection, edge, &chunk)?, space).await?;
        // Children share parents, so a parent may come many times.
        for id in rows.distinct_ids() {
            id.and_then(|id| parents.push(&Row { id, values: Vec::new() })).map_err(|error| unsorted(&error))?;
        }
    }
}

fn unsorted(error: &std::io::Error) -> CommandError {
    CommandError::plain("held ids could not be sorted").caused_by(error)
}

/// The query for the parents that would take these children with them.
fn parents_of(connection: &Connection, edge: &CascadeEdge, children: &[RecordId]) -> Result<Query, CommandError> {
    let CascadeEdge { child, field, .. } = edge;
    let condition = connection
        .language()
        .among(connection.capabilities().key, children, field)
        .ok_or_else(|| CommandError::plain(format!("the field `{field}` of {child} cannot be queried")))?;
    Ok(Query { object: child.clone(), key: field.clone(), fields: Vec::new(), condition: Some(condition) })
}
