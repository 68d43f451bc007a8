//! Selecting for the policies of a project, side by side.

use std::io;
use std::sync::Arc;

use super::ProjectContext;
use super::connection::{Connection, Connections};
use super::found_hold::FoundHold;
use super::held::{Held, HeldIds};
use super::hold::HeldRecords;
use super::id_lists::sorted_ids;
use super::listed::{Listing, read_listed};
use super::lookup::{about_lookups, held_by_lookups, with_lookups};
use super::read_error::ReadError;
use super::reading::{IfMoving, Reading, read_sorted};
use super::selection::{Selection, broken_selection};
use super::side_by_side::side_by_side;
use super::sort_space::SortSpace;
use crate::base::{CommandError, Exit, PolicyName, RecordId, TargetName};
use crate::filter::Filter;
use crate::plan::{Matching, OpenCascade, PlannedPolicy, PlannedQuery, PolicyCalls, Query};
use crate::provider::ProviderError;
use crate::store::{Place, SortedRows};

/// The planned ids of a policy, each once and in order.
pub struct PlannedIds<'a> {
    /// How many there are.
    pub count: u64,
    /// The ids.
    pub ids: Box<dyn Iterator<Item = io::Result<RecordId>> + Send + 'a>,
}

/// Selects for any number of policies, with one reading of the holds for all of them.
#[derive(Clone)]
pub struct Selector<'a> {
    project: ProjectContext<'a>,
    connections: &'a Connections,
    held: Arc<HeldRecords>,
    spill: &'a Place,
    policies: usize,
    earlier: SortSpace,
}

impl<'a> Selector<'a> {
    /// Reads the holds that concern the project's policies. Rows that do not fit into memory go into files without a name in
    /// `spill`, which exists.
    ///
    /// # Errors
    ///
    /// When a hold cannot be read to its end.
    pub async fn new(
        project: &ProjectContext<'a>,
        connections: &'a Connections,
        spill: &'a Place,
    ) -> Result<Self, CommandError> {
        let held = Arc::new(HeldRecords::read(project, connections, spill).await?);
        Ok(Self::with_holds(project, connections, held, spill))
    }

    /// Selects with holds that were read before.
    pub fn with_holds(
        project: &ProjectContext<'a>,
        connections: &'a Connections,
        held: Arc<HeldRecords>,
        spill: &'a Place,
    ) -> Self {
        let policies = project.project.workspace.policies.len();
        let earlier = SortSpace::for_earlier(spill, policies);
        Self { project: project.clone(), connections, held, spill, policies, earlier }
    }

    /// The project it selects for.
    pub fn project(&self) -> &ProjectContext<'a> {
        &self.project
    }

    /// The system of a target.
    ///
    /// # Errors
    ///
    /// When there is none, as for a plan whose target was taken out of the manifests.
    pub fn connection(&self, target: &TargetName) -> Result<&'a Connection, CommandError> {
        self.connections
            .get(target)
            .ok_or_else(|| CommandError::new(Exit::PlanUnusable, format!("target `{target}` is no longer in the manifests")))
    }

    /// What holds keep of an object, in the system's own spelling, that policies delete from.
    pub fn held(&self, target: &TargetName, object: &str) -> &Held {
        self.held.of(target, object)
    }

    /// Every hold of the systems that are signed in to, as it was found.
    pub fn holds(&self) -> &[FoundHold] {
        self.held.found()
    }

    /// What deleting the planned records of a policy takes in calls, with what is read again while it goes on, and without counting what
    /// goes along.
    pub fn policy_calls(&self, connection: &Connection, planned: &PlannedPolicy) -> PolicyCalls {
        PolicyCalls {
            deletions: planned.route.as_ref().map_or(0, |route| route.calls),
            counting: 0,
            matches: connection.selection_calls(&planned.query, planned.matched),
            waits: !planned.settings.depends_on.is_empty(),
            looks_up: !self.held(&planned.settings.target, &planned.query.object).lookups.is_empty(),
        }
    }

    /// How many calls one reading of the holds of a target takes.
    pub fn hold_calls(&self, target: &TargetName) -> u64 {
        self.held.calls(target)
    }

    /// The objects below one that policies delete from which this login cannot see; known where the target has holds.
    pub fn unseen_below(&self, target: &TargetName, object: &str) -> &[String] {
        self.held.unseen_below(target, object)
    }

    /// Those of a policy's planned ids that holds name or keep because a held record would go along; not those that look up to a held
    /// record, of which only the records themselves tell. `ids` gives the same sorted ids each time.
    ///
    /// # Errors
    ///
    /// When they cannot be read or sorted.
    pub fn held_among<I>(
        &self,
        policy: &PolicyName,
        planned: &PlannedPolicy,
        ids: impl Fn() -> Result<I, CommandError>,
    ) -> Result<HeldIds, CommandError>
    where
        I: Iterator<Item = io::Result<RecordId>>,
    {
        let space = SortSpace::for_policy(self.spill, self.policies);
        let ids = || {
            let (ids, error) = match ids() {
                Ok(ids) => (Some(ids), None),
                Err(error) => (None, Some(Err(io::Error::other(error)))),
            };
            error.into_iter().chain(ids.into_iter().flatten())
        };
        let held = self.held(&planned.settings.target, &planned.query.object).among(&[], ids, &space);
        held.map_err(|error| broken_selection(policy, &error))
    }

    /// Does `work` for every item with a selector of its own, a few at once; see [`side_by_side`]. The work must be done with a
    /// selection when it ends: all of them together would not fit into memory.
    ///
    /// # Errors
    ///
    /// The error of the first item that has one.
    pub async fn for_each<I, T, F>(
        &self,
        items: impl IntoIterator<Item = I>,
        work: impl Fn(Selector<'a>, I) -> F,
    ) -> Result<Vec<T>, CommandError>
    where
        F: Future<Output = Result<T, CommandError>>,
    {
        side_by_side(&self.project.context.observer, items, |item, observer| {
            work(Selector { project: self.project.observed_by(observer), ..self.clone() }, item)
        })
        .await
    }

    /// What a policy's query selects now. Apply hands in the sealed query and, for one of a list, the planned ids, so that a run needs no
    /// file; the holds are always those of the manifests.
    ///
    /// # Errors
    ///
    /// When it is not proven that every matching record came.
    pub async fn select(
        &self,
        policy: &PolicyName,
        target: &TargetName,
        query: &PlannedQuery,
        if_moving: IfMoving,
        planned: Option<PlannedIds<'_>>,
    ) -> Result<Selection, CommandError> {
        let connection = self.connection(target)?;
        let space = SortSpace::for_policy(self.spill, self.policies);
        let population = connection.population(&query.object).await?;
        let kept = self.held(target, &query.object);
        let (asked, places) = with_lookups(query, kept);
        let about = |error: ReadError| about_lookups(error.into(), kept);
        let (matched, missing) = match asked.single() {
            Some(single) => {
                let reading = Reading { query: &single, policy: Some(policy), doing: "selecting", if_moving };
                (read_sorted(&self.project.context, connection, reading, &space).await.map_err(about)?, None)
            }
            None => {
                let listing = |ids| Listing {
                    query: &asked,
                    ids,
                    policy: Some(policy),
                    doing: "selecting",
                    observer: self.project.context.observer.as_ref(),
                };
                let listed = match planned {
                    Some(planned) => read_listed(connection, listing(planned.count), planned.ids, &space).await,
                    None => {
                        let list = self.listed(policy, connection, &asked).await?;
                        read_listed(connection, listing(list.count()), list.distinct_ids(), &space).await
                    }
                };
                let listed = listed.map_err(about)?;
                (listed.rows, Some(listed.missing))
            }
        };
        let system = connection.capabilities().system;
        let looking_up = held_by_lookups(policy, &query.object, system, &matched, kept, &places, &space)?;
        let held = kept.among(&looking_up, || matched.rows().map(|row| row.map(|row| row.id)), &space);
        let held = held.map_err(|error| broken_selection(policy, &error))?;
        let accept = self.project.project.workspace.accepted(policy, target);
        let accepted = |open: &OpenCascade| OpenCascade { accepted: accept.unknown_cascade(&open.unknown), ..open.clone() };
        Ok(Selection { matched, missing, held, open: kept.open.iter().map(accepted).collect(), population })
    }

    /// The ids of the list that a policy of the manifests names.
    async fn listed(
        &self,
        policy: &PolicyName,
        connection: &Connection,
        query: &PlannedQuery,
    ) -> Result<SortedRows, CommandError> {
        let workspace = &self.project.project.workspace;
        let (Some(Filter::Ids(file)), Matching::Listed(list)) =
            (workspace.policies.get(policy).map(|policy| &policy.filter), &query.matching)
        else {
            return Err(CommandError::new(
                Exit::PlanUnusable,
                format!("the manifests have no list of ids of policy `{policy}`"),
            ));
        };
        let facts = connection.describe(&query.object).await?;
        let of = (list, connection.capabilities().system, facts.key_prefix.as_deref());
        let space = SortSpace::for_earlier(self.spill, self.policies);
        sorted_ids(&self.project.project.directory, file, of, &space, &workspace.sources)
    }

    /// What an earlier query of a policy matches today, held records among them, as surely complete as a selection; or why the system
    /// does not take the query any more.
    ///
    /// # Errors
    ///
    /// When it takes the query, and it is not proven that every matching record came.
    pub async fn match_earlier(
        &self,
        policy: &PolicyName,
        target: &TargetName,
        query: &Query,
    ) -> Result<Result<SortedRows, ProviderError>, CommandError> {
        let doing = "reading what it matched before";
        let reading = Reading { query, policy: Some(policy), doing, if_moving: IfMoving::Refuse };
        match read_sorted(&self.project.context, self.connection(target)?, reading, &self.earlier).await {
            Ok(rows) => Ok(Ok(rows)),
            Err(ReadError::System(error)) if error.class.is_about_the_request() => Ok(Err(error)),
            Err(error) => Err(error.into()),
        }
    }
}
