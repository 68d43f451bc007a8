//! Reading one hold: the records it names, those above them that would take them along, and those that look up to them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ProjectContext;
use super::condition::matching_for;
use super::connection::Connection;
use super::found_hold::{FoundHold, Kept, KeptByHold};
use super::held::{HeldLookup, HeldSet};
use super::id_lists::sorted_ids;
use super::lookup::check_lookup;
use super::no_such_object::no_such_object;
use super::read_error::ReadError;
use super::reading::{IfMoving, Reading, read_sorted};
use super::sort_space::SortSpace;
use super::unseen::doubts;
use crate::base::{CommandError, RecordId};
use crate::filter::Filter;
use crate::manifest::{HeldChildren, Hold};
use crate::plan::{
    CascadeEdge, CascadeGraph, HeldBecause, Matching, MissingIds, ObjectFacts, OpenCascade, PlannedQuery, Query, Row,
};
use crate::provider::{ErrorClass, ProviderError};
use crate::store::{RowSorter, SortedRows};

/// One system that has holds.
pub(super) struct HoldTarget<'a> {
    pub connection: &'a Connection,
    /// The objects that policies delete from, in the system's own spelling.
    pub roots: BTreeSet<String>,
    pub graph: CascadeGraph,
}

/// Reads one hold. One that can keep no record of a policy's object is checked, and not read.
pub(super) async fn read_hold(
    project: &ProjectContext<'_>,
    hold: &Hold,
    target: &HoldTarget<'_>,
    space: &SortSpace,
) -> Result<KeptByHold, CommandError> {
    let reader = HoldReader { project, hold, target, space };
    let facts = match target.connection.describe(&hold.object).await {
        Err(error) => return Err(reader.not_described(error, &hold.object)),
        Ok(facts) => facts,
    };
    reader.read(&facts).await
}

struct HoldReader<'a> {
    project: &'a ProjectContext<'a>,
    hold: &'a Hold,
    target: &'a HoldTarget<'a>,
    space: &'a SortSpace,
}

/// What a hold names.
struct Named {
    /// Every record or listed id, by id.
    rows: SortedRows,
    /// How many of them are there.
    present: u64,
    /// The others, of a list.
    missing: Option<MissingIds>,
}

/// How the records of an object look up to those that a hold names.
#[derive(Default)]
struct Lookups {
    followed: BTreeSet<String>,
    not_followed: BTreeSet<String>,
}

impl HoldReader<'_> {
    async fn read(&self, facts: &ObjectFacts) -> Result<KeptByHold, CommandError> {
        let HoldTarget { connection, roots, graph } = self.target;
        let files = self.project.project.files();
        let matching = matching_for(&self.hold.filter, connection.language(), facts, self.project.now, files)?;
        let key = connection.capabilities().key.to_owned();
        let query = PlannedQuery { object: facts.name.clone(), key, fields: Vec::new(), matching };

        let all_roots = || roots.iter().map(String::as_str);
        let above = graph.roots_above(all_roots(), &facts.name);
        let lookups = self.lookups(facts).await?;
        let assumed = self.assumed_edges(facts).await?;
        let reaches = |root: &&String| {
            let below = graph.reached([root.as_str()]);
            let looks_up = |(object, lookups): (&String, &Lookups)| {
                !lookups.followed.is_empty() && (object == *root || below.contains(object.as_str()))
            };
            above.contains(root.as_str())
                || lookups.iter().any(looks_up)
                || assumed.iter().any(|edge| below.contains(edge.parent.as_str()))
        };
        let not_followed =
            lookups.iter().filter(|(object, lookups)| roots.contains(*object) && !lookups.not_followed.is_empty());
        let mut found = FoundHold {
            hold: self.hold.name.clone(),
            target: self.hold.target.clone(),
            object: facts.name.clone(),
            matching: None,
            matched: None,
            missing: None,
            reached: roots.iter().filter(reaches).cloned().collect(),
            not_followed: not_followed.map(|(object, lookups)| (object.clone(), lookups.not_followed.clone())).collect(),
        };
        let mut kept = self.open_below_unseen(facts).await?;
        if found.reached.is_empty() {
            // Nothing to keep; but where only a question tells whether there is such an object, it is asked.
            if !facts.is_described() {
                let single = query.single();
                let everything = || of_object(&query);
                let counted = connection.count(&single.clone().unwrap_or_else(everything)).await;
                let counted = counted.map_err(|error| self.not_described(error, &facts.name))?.exact();
                if single.is_some() {
                    (found.matched, found.matching) = (counted, Some(query.matching));
                }
            }
            return Ok(KeptByHold { found, kept });
        }
        let named = self.read_named(&query, facts).await?;
        (found.matched, found.missing) = (Some(named.present), named.missing);
        found.matching = Some(query.matching);
        let named = Arc::new(named.rows);

        if above.contains(facts.name.as_str()) {
            kept.push((facts.name.clone(), Kept::Records(self.set(HeldBecause::Named, &named))));
        }
        self.climb(&facts.name, Arc::clone(&named), &mut kept).await?;
        self.climb_assumed(&assumed, facts, &named, &mut kept).await?;
        for (object, lookups) in &lookups {
            for field in &lookups.followed {
                if roots.contains(object) {
                    let (hold, field) = (self.hold.name.clone(), field.clone());
                    kept.push((object.clone(), Kept::Lookup(HeldLookup { hold, field, named: Arc::clone(&named) })));
                }
                // A record that looks up to a held one is held; so are those whose deletion takes it along.
                if !graph.climb(all_roots(), object).parents().is_empty() {
                    let children = Arc::new(self.read_children(object, field, &named).await?);
                    self.climb(object, children, &mut kept).await?;
                }
            }
        }
        Ok(KeptByHold { found, kept })
    }

    fn set(&self, because: HeldBecause, rows: &Arc<SortedRows>) -> HeldSet {
        HeldSet { hold: self.hold.name.clone(), because, rows: Arc::clone(rows) }
    }

    /// The error about an object that could not be described or queried; where there is no such object, with its place.
    fn not_described(&self, error: ProviderError, object: &str) -> CommandError {
        if error.class != ErrorClass::NotFound {
            return error.into();
        }
        let workspace = &self.project.project.workspace;
        let what = format!("hold `{}`", self.hold.name);
        no_such_object(&error, &what, object, self.hold.object_span, self.target.connection.capabilities().system, workspace)
    }

    /// For each object of a policy, and each that may go along with one, the fields by which its records look up to the hold's.
    async fn lookups(&self, facts: &ObjectFacts) -> Result<BTreeMap<String, Lookups>, CommandError> {
        let HoldTarget { connection, roots, graph } = self.target;
        let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        if let HeldChildren::By(lookups) = &self.hold.children {
            for lookup in lookups {
                let child = connection.describe(&lookup.object).await;
                let child = child.map_err(|error| match error.class {
                    ErrorClass::NotFound => no_such_object(
                        &error,
                        &format!("hold `{}`", self.hold.name),
                        &lookup.object,
                        lookup.span,
                        connection.capabilities().system,
                        &self.project.project.workspace,
                    ),
                    _ => error.into(),
                })?;
                check_lookup(self.hold, lookup, facts, &child, &self.project.project.workspace.sources)?;
                named.entry(child.name.clone()).or_default().insert(lookup.field.clone());
            }
        }
        let objects: Vec<&str> = graph.reached(roots.iter().map(String::as_str)).into_iter().collect();
        let mut found = BTreeMap::new();
        for child in connection.describe_each(&objects).await?.into_iter().flatten() {
            let described = facts.lookups_of(&child);
            let lookups = match &self.hold.children {
                HeldChildren::None => Lookups { not_followed: described, ..Lookups::default() },
                HeldChildren::All => Lookups { followed: described, ..Lookups::default() },
                HeldChildren::By(_) => {
                    let followed = named.remove(&child.name).unwrap_or_default();
                    Lookups { not_followed: described.difference(&followed).cloned().collect(), followed }
                }
            };
            found.insert(child.name.clone(), lookups);
        }
        Ok(found)
    }

    /// For a hold on an object of which nothing is known: the ways in which its records may go along with others, which are those of
    /// the known children of an object.
    async fn assumed_edges(&self, facts: &ObjectFacts) -> Result<Vec<CascadeEdge>, CommandError> {
        if facts.is_described() {
            return Ok(Vec::new());
        }
        let HoldTarget { connection, roots, graph } = self.target;
        let objects: Vec<&str> = graph.reached(roots.iter().map(String::as_str)).into_iter().collect();
        let mut edges = BTreeSet::new();
        for parent in connection.describe_each(&objects).await?.into_iter().flatten() {
            for child in parent.cascading_children() {
                let (parent, field) = (parent.name.clone(), child.field.clone());
                edges.insert(CascadeEdge { parent, child: facts.name.clone(), field });
            }
        }
        Ok(edges.into_iter().collect())
    }

    /// Keeps what is above held records along the cascades that are assumed. An object that has the field of none of them may go
    /// along with anything, and nobody knows.
    async fn climb_assumed(
        &self,
        assumed: &[CascadeEdge],
        facts: &ObjectFacts,
        named: &Arc<SortedRows>,
        kept: &mut Vec<(String, Kept)>,
    ) -> Result<(), CommandError> {
        let HoldTarget { connection, roots, graph } = self.target;
        let first = named.distinct_ids().next().transpose().map_err(|error| unsorted(&error))?;
        let Some(first) = first.filter(|_| !assumed.is_empty()) else { return Ok(()) };
        let key = connection.capabilities().key;
        let mut is_known = false;
        for edge in assumed {
            let condition = connection.language().among(key, &[first], &edge.field);
            let asked = Query { object: edge.child.clone(), key: key.to_owned(), fields: Vec::new(), condition };
            match connection.count(&asked).await {
                Ok(_) => is_known = true,
                Err(error) if matches!(error.class, ErrorClass::Invalid | ErrorClass::NotFound) => continue,
                Err(error) => return Err(error.into()),
            }
            let mut sorter = self.space.sorter();
            self.read_parents(edge, named, &mut sorter).await?;
            if sorter.count() == 0 {
                continue;
            }
            let parents = Arc::new(self.space.finish(sorter).map_err(|error| unsorted(&error))?);
            if roots.contains(&edge.parent) {
                kept.push((edge.parent.clone(), Kept::Records(self.set(HeldBecause::Cascade, &parents))));
            }
            self.climb(&edge.parent, parents, kept).await?;
        }
        if !is_known {
            let above = roots
                .iter()
                .filter(|root| assumed.iter().any(|edge| graph.reached([root.as_str()]).contains(edge.parent.as_str())));
            kept.extend(above.map(|root| (root.clone(), self.open(vec![root.clone(), facts.name.clone()], &facts.name))));
        }
        Ok(())
    }

    fn open(&self, path: Vec<String>, unknown: &str) -> Kept {
        Kept::Open(OpenCascade { hold: self.hold.name.clone(), path, unknown: unknown.to_owned(), accepted: false })
    }

    /// The doubts about what lies below objects that this login cannot see.
    async fn open_below_unseen(&self, facts: &ObjectFacts) -> Result<Vec<(String, Kept)>, CommandError> {
        let HoldTarget { connection, roots, graph } = self.target;
        let blind: Vec<&String> = roots.iter().filter(|root| !graph.unseen(root).is_empty()).collect();
        if blind.is_empty() {
            return Ok(Vec::new());
        }
        let mut open = Vec::new();
        for way in doubts(connection, facts).await? {
            let Some(unseen) = way.first() else { continue };
            for root in &blind {
                let path = std::iter::once((*root).clone()).chain(way.iter().cloned()).collect();
                open.push(((*root).clone(), self.open(path, unseen)));
            }
        }
        Ok(open)
    }

    /// Walks from held records of one object to those above them, and keeps what it finds of the policies' objects.
    async fn climb(&self, object: &str, held: Arc<SortedRows>, kept: &mut Vec<(String, Kept)>) -> Result<(), CommandError> {
        let HoldTarget { roots, graph, .. } = self.target;
        let above = graph.roots_above(roots.iter().map(String::as_str), object);
        let mut climb = graph.climb(above.iter().copied(), object);
        let mut generation = BTreeMap::from([(object.to_owned(), held)]);
        loop {
            let parents = climb.parents();
            if parents.is_empty() {
                break;
            }
            let mut found = BTreeMap::new();
            for (parent, edges) in parents {
                let mut sorter = self.space.sorter();
                for edge in edges {
                    if let Some(children) = generation.get(&edge.child) {
                        self.read_parents(edge, children, &mut sorter).await?;
                    }
                }
                if sorter.count() > 0 {
                    let rows = Arc::new(self.space.finish(sorter).map_err(|error| unsorted(&error))?);
                    if above.contains(parent) {
                        kept.push((parent.to_owned(), Kept::Records(self.set(HeldBecause::Cascade, &rows))));
                    }
                    found.insert(parent.to_owned(), rows);
                }
            }
            climb.go_on(found.keys().cloned());
            generation = found;
        }
        for root in above.iter().filter(|root| climb.is_open_at(root)) {
            let path = vec![(*root).to_owned(), object.to_owned()];
            kept.push(((*root).to_owned(), self.open(path, object)));
        }
        Ok(())
    }

    /// The records that the hold names. Of an object that is not described, only this tells that there is none.
    async fn read_named(&self, query: &PlannedQuery, facts: &ObjectFacts) -> Result<Named, CommandError> {
        let connection = self.target.connection;
        let Some(single) = query.single() else { return self.read_list(query, facts).await };
        if !facts.is_described() {
            let counted = connection.count(&single).await;
            counted.map_err(|error| self.not_described(error, &facts.name))?;
        }
        let rows = self.read_ids(&single).await?;
        Ok(Named { present: rows.count(), rows, missing: None })
    }

    /// The ids of the list that the hold names: all of them, since one of which this login sees no record may be kept as well. How many
    /// records there are is asked once for each list.
    async fn read_list(&self, query: &PlannedQuery, facts: &ObjectFacts) -> Result<Named, CommandError> {
        let HoldTarget { connection, .. } = self.target;
        let project = self.project.project;
        let (Filter::Ids(file), Matching::Listed(list)) = (&self.hold.filter, &query.matching) else {
            return Err(CommandError::plain(format!("hold `{}` has no list of ids", self.hold.name)));
        };
        let of = (list, connection.capabilities().system, facts.key_prefix.as_deref());
        let rows = sorted_ids(&project.directory, file, of, self.space, &project.workspace.sources)?;
        let missing = connection.missing_of(list, &facts.name, || rows.distinct_ids()).await;
        let missing = missing.map_err(|error| match error {
            ReadError::System(error) => self.not_described(error, &facts.name),
            ReadError::Other(error) => error,
        })?;
        let present = rows.count().saturating_sub(missing.already_gone).saturating_sub(missing.not_found);
        Ok(Named { present, rows, missing: Some(missing) })
    }

    async fn read_ids(&self, query: &Query) -> Result<SortedRows, CommandError> {
        let doing = format!("reading hold {}", self.hold.name);
        let reading = Reading { query, policy: None, doing: &doing, if_moving: IfMoving::Refuse };
        Ok(read_sorted(&self.project.context, self.target.connection, reading, self.space).await?)
    }

    /// The records of `object` that look up by `field` to one of those that the hold names.
    async fn read_children(&self, object: &str, field: &str, named: &SortedRows) -> Result<SortedRows, CommandError> {
        let connection = self.target.connection;
        let key = connection.capabilities().key.to_owned();
        let mut children = self.space.sorter();
        self.in_chunks(named, async |chunk: &[RecordId]| {
            let condition = connection.language().one_of(field, chunk).ok_or_else(|| not_queryable(object, field))?;
            let query =
                Query { object: object.to_owned(), key: key.clone(), fields: Vec::new(), condition: Some(condition) };
            let rows = self.read_ids(&query).await?;
            push_all(&rows, &mut children)
        })
        .await?;
        self.space.finish(children).map_err(|error| unsorted(&error))
    }

    /// Puts the parents of `children` along one cascade into `parents`. A field that may name records of several objects gives those
    /// of the others as well; nothing is selected of them here, and nothing is lost.
    async fn read_parents(
        &self,
        edge: &CascadeEdge,
        children: &SortedRows,
        parents: &mut RowSorter,
    ) -> Result<(), CommandError> {
        let connection = self.target.connection;
        let CascadeEdge { child, field, .. } = edge;
        self.in_chunks(children, async |chunk: &[RecordId]| {
            let condition = connection
                .language()
                .among(connection.capabilities().key, chunk, field)
                .ok_or_else(|| not_queryable(child, field))?;
            let query = Query { object: child.clone(), key: field.clone(), fields: Vec::new(), condition: Some(condition) };
            // Children share parents, so a parent may come many times.
            let rows = self.read_ids(&query).await?;
            push_all(&rows, parents)
        })
        .await
    }

    /// Does something with ids, as many at a time as one condition takes.
    async fn in_chunks(
        &self,
        rows: &SortedRows,
        mut work: impl AsyncFnMut(&[RecordId]) -> Result<(), CommandError>,
    ) -> Result<(), CommandError> {
        let mut ids = rows.distinct_ids();
        loop {
            let chunk: Vec<RecordId> = ids
                .by_ref()
                .take(self.target.connection.language().ids_at_once())
                .collect::<Result<_, _>>()
                .map_err(|error| CommandError::plain("held ids could not be read back").caused_by(&error))?;
            if chunk.is_empty() {
                return Ok(());
            }
            work(&chunk).await?;
        }
    }
}

/// The query for every record of the object that another one is about.
fn of_object(query: &PlannedQuery) -> Query {
    Query { object: query.object.clone(), key: query.key.clone(), fields: Vec::new(), condition: None }
}

/// Puts ids into a sorter, each once.
fn push_all(rows: &SortedRows, into: &mut RowSorter) -> Result<(), CommandError> {
    for id in rows.distinct_ids() {
        id.and_then(|id| into.push(&Row { id, values: Vec::new() })).map_err(|error| unsorted(&error))?;
    }
    Ok(())
}

fn unsorted(error: &std::io::Error) -> CommandError {
    CommandError::plain("held ids could not be sorted").caused_by(error)
}

fn not_queryable(object: &str, field: &str) -> CommandError {
    CommandError::plain(format!("the field `{field}` of {object} cannot be queried"))
}
