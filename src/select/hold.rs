//! Which records holds keep: those they name, those that look up to them, and those whose deletion would take a held one along.

use std::collections::{BTreeMap, BTreeSet};

use super::ProjectContext;
use super::connection::{Connection, Connections};
use super::found_hold::{FoundHold, Kept, KeptByHold};
use super::held::Held;
use super::hold_reading::{HoldTarget, read_hold};
use super::side_by_side::side_by_side;
use super::sort_space::SortSpace;
use crate::base::{CommandError, TargetName};
use crate::manifest::Hold;
use crate::plan::CascadeGraph;
use crate::store::Place;

/// Everything the holds of a project keep of the objects that its policies delete from. Each hold is read once, whatever number
/// of policies it concerns.
pub struct HeldRecords {
    by_object: BTreeMap<(TargetName, String), Held>,
    nothing: Held,
    found: Vec<FoundHold>,
    unseen: BTreeMap<(TargetName, String), Vec<String>>,
    calls: BTreeMap<TargetName, u64>,
}

impl HeldRecords {
    /// Reads the holds. What does not fit into memory goes into one file in `spill`.
    ///
    /// A hold on a policy's object keeps the records it names. A hold on another object keeps the records whose deletion would
    /// take a held one with it: from the held records the cascades are walked upward, generation by generation.
    ///
    /// # Errors
    ///
    /// When a hold cannot be read completely, or is on an object that the system does not know, so that it is not known what must
    /// stay.
    pub async fn read(project: &ProjectContext<'_>, connections: &Connections, spill: &Place) -> Result<Self, CommandError> {
        let holds = &project.project.workspace.holds;
        let reads = || connections.iter().map(|(name, connection)| (name, connection.reads()));
        let before: BTreeMap<&TargetName, u64> = reads().collect();
        let mut targets = BTreeMap::new();
        for (name, connection) in connections {
            if holds.values().any(|hold| hold.target == *name) {
                let roots = objects_of_policies(project, name, connection).await?;
                let graph = graph_below(connection, &roots).await?;
                targets.insert(name, HoldTarget { connection, roots, graph });
            }
        }
        let unseen = targets.iter().flat_map(|(name, target)| {
            let below = |root: &String| target.graph.unseen(root).into_iter().map(str::to_owned).collect();
            target.roots.iter().map(move |root| (((*name).clone(), root.clone()), below(root)))
        });
        let unseen = unseen.collect();
        let concerned: Vec<(&Hold, &HoldTarget<'_>)> =
            holds.values().filter_map(|hold| Some((hold, targets.get(&hold.target)?))).collect();
        let space = &SortSpace::for_holds(spill, concerned.len());
        let kept = side_by_side(&project.context.observer, concerned.iter().copied(), |(hold, target), observer| {
            let project = project.observed_by(observer);
            async move {
                let read = read_hold(&project, hold, target, space).await;
                read.map_err(|error| error.with_note(format!("while reading hold `{}`", hold.name)))
            }
        });
        let mut by_object: BTreeMap<(TargetName, String), Held> = BTreeMap::new();
        let mut found = Vec::new();
        for KeptByHold { found: hold, kept } in kept.await? {
            for (object, kept) in kept {
                let held = by_object.entry((hold.target.clone(), object)).or_default();
                match kept {
                    Kept::Records(set) => held.sets.push(set),
                    Kept::Lookup(lookup) => held.lookups.push(lookup),
                    Kept::Open(open) => held.open.push(open),
                }
            }
            found.push(hold);
        }
        let since =
            |(name, reads): (&TargetName, u64)| (name.clone(), reads - before.get(name).copied().unwrap_or_default());
        Ok(Self { by_object, nothing: Held::default(), found, unseen, calls: reads().map(since).collect() })
    }

    /// What they keep of an object, in the system's own spelling, that policies delete from.
    pub fn of(&self, target: &TargetName, object: &str) -> &Held {
        self.by_object.get(&(target.clone(), object.to_owned())).unwrap_or(&self.nothing)
    }

    /// How many calls the reading took in a target, less what need not be asked again.
    pub fn calls(&self, target: &TargetName) -> u64 {
        self.calls.get(target).copied().unwrap_or_default()
    }

    /// The holds as they were found, by name.
    pub fn found(&self) -> &[FoundHold] {
        &self.found
    }

    /// The objects below one that policies delete from which this login cannot see. Known only of targets that have holds.
    pub fn unseen_below(&self, target: &TargetName, object: &str) -> &[String] {
        self.unseen.get(&(target.clone(), object.to_owned())).map(Vec::as_slice).unwrap_or_default()
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
    Ok(connection.describe_each(&named).await?.into_iter().flatten().map(|facts| facts.name.clone()).collect())
}

/// Every cascade that deleting records of these objects can set off, directly or through others. Of an object that this login
/// cannot see the graph knows only that.
async fn graph_below(connection: &Connection, roots: &BTreeSet<String>) -> Result<CascadeGraph, CommandError> {
    let mut graph = CascadeGraph::default();
    loop {
        let wanted: Vec<String> =
            graph.undescribed(roots.iter().map(String::as_str)).into_iter().map(str::to_owned).collect();
        if wanted.is_empty() {
            return Ok(graph);
        }
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        for (object, facts) in wanted.iter().zip(connection.describe_each(&wanted).await?) {
            graph.add(object, facts.as_deref());
        }
    }
}
