//! What policies asked for in the plans that a new one is compared with, asked again today.

use std::io;
use std::sync::OnceLock;

use jiff::Zoned;

use crate::base::{CommandError, PolicyName, RecordId};
use crate::manifest::{self, ManifestFile, Policy, Workspace};
use crate::plan::{EarlierCondition, Matching, ObjectFacts, PlanHeader, PlannedPolicy, PlannedQuery};
use crate::select::{Connection, IdLists, Selector, matching_for};
use crate::store::SortedRows;

/// A plan that a new one is compared with.
pub(super) struct EarlierPlan {
    /// Its header.
    pub(super) header: PlanHeader,
    /// Its manifests, read when the first policy asks for them; or why they cannot be read.
    workspace: OnceLock<Result<Workspace, String>>,
}

impl EarlierPlan {
    /// The plan with this header.
    pub(super) fn of(header: PlanHeader) -> Self {
        Self { header, workspace: OnceLock::new() }
    }

    /// What was reviewed of a plan with this header. A policy that is refused there could not be applied, so nobody who approved
    /// the plan approved its records.
    pub(super) fn reviewed(mut header: PlanHeader) -> Self {
        header.policies.retain(|planned| !planned.is_refused());
        Self::of(header)
    }

    /// Whether it has a policy.
    pub(super) fn has(&self, policy: &PolicyName) -> bool {
        self.header.policies.iter().any(|planned| planned.policy == *policy)
    }

    fn workspace(&self) -> Result<&Workspace, String> {
        let read = || {
            let documents = self.header.manifests.documents.iter();
            let files = documents.map(|document| ManifestFile {
                name: document.file.clone(),
                content: Ok(document.text.clone().into_bytes()),
            });
            let reading = manifest::read(files);
            let wrong = reading.diagnostics.first().map(|diagnostic| diagnostic.title.clone()).unwrap_or_default();
            reading.workspace.ok_or_else(|| format!("the manifests of the base cannot be read any more: {wrong}"))
        };
        self.workspace.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// What a policy meant then, as it would be sent today; where that is not known, why.
    fn condition(
        &self,
        policy: &Policy,
        connection: &Connection,
        facts: &ObjectFacts,
        now: &Zoned,
    ) -> Result<Matching, EarlierCondition> {
        let Self { header, .. } = self;
        let target = &policy.settings.target;
        let same_object =
            |planned: &&PlannedPolicy| planned.settings.target == *target && planned.query.object == facts.name;
        let planned = header.policies.iter().find(|planned| planned.policy == policy.name).filter(same_object);
        let organization = header.targets.get(target).map(|sealed| &sealed.identity.organization_id);
        let Some(planned) = planned.filter(|_| organization == Some(&connection.identity().organization_id)) else {
            return Err(EarlierCondition::Absent);
        };
        if let listed @ Matching::Listed(_) = &planned.query.matching {
            return Ok(listed.clone());
        }
        let workspace = self.workspace().map_err(EarlierCondition::Unknown)?;
        let earlier = workspace.policies.get(&policy.name).ok_or(EarlierCondition::Absent)?;
        // In the time zone of then: a project that changes it moves the days that its policies mean.
        let now = now.with_time_zone(workspace.project.time_zone.clone());
        let files = (&workspace.sources, &IdLists::default());
        let condition = matching_for(&earlier.filter, connection.language(), facts, &now, files);
        condition.map_err(|error| {
            let found = error.diagnostics.as_ref().and_then(|diagnostics| diagnostics.0.first());
            EarlierCondition::Unknown(found.map_or_else(|| error.title.clone(), |found| found.title.clone()))
        })
    }
}

/// What a policy asked for before, and what matches that today.
pub(super) struct Earlier {
    /// How it compares with what the policy asks for now.
    pub(super) condition: EarlierCondition,
    matches: Option<SortedRows>,
    /// How many calls it took to read them.
    pub(super) calls: u64,
}

impl Earlier {
    /// Reads what matches today what the policy asked for in the plan that it is compared with, where that is another condition than the
    /// new query's. The condition is taken from the manifests that this plan has sealed, with every moment fixed to now: the query that
    /// was sent then has the moments of then, and what has only become older would seem to be the policy's doing.
    ///
    /// # Errors
    ///
    /// When it is not proven that every matching record came; not where the system refuses the condition itself.
    pub(super) async fn read(
        plan: Option<&EarlierPlan>,
        selector: &Selector<'_>,
        policy: &Policy,
        facts: &ObjectFacts,
        query: &PlannedQuery,
    ) -> Result<Self, CommandError> {
        let known = |condition| Self { condition, matches: None, calls: 0 };
        let target = &policy.settings.target;
        let connection = selector.connection(target)?;
        let now = selector.project().now;
        let condition = match plan {
            None => Err(EarlierCondition::Unknown("what the base had of it is not in the store any more".into())),
            Some(plan) => plan.condition(policy, connection, facts, now),
        };
        let matching = match condition {
            Ok(matching) => matching,
            Err(otherwise) => return Ok(known(otherwise)),
        };
        if matching == query.matching {
            return Ok(known(EarlierCondition::Same));
        }
        let Some(query) = (PlannedQuery { fields: Vec::new(), matching, ..query.clone() }).single() else {
            let why = "the base was made from another list of ids, of which a plan keeps the digest alone";
            return Ok(known(EarlierCondition::Unknown(why.into())));
        };
        Ok(match selector.match_earlier(&policy.name, target, &query).await? {
            Ok(rows) => {
                let pages = rows.count().div_ceil(connection.capabilities().page_size);
                // One to count them, and one for every page.
                Self { condition: EarlierCondition::Other, calls: 1 + pages, matches: Some(rows) }
            }
            Err(error) => Self { calls: 1, ..known(EarlierCondition::Unknown(error.to_string())) },
        })
    }

    /// The records that match today what the policy asked for before, where that is another condition.
    pub(super) fn ids(&self) -> impl Iterator<Item = io::Result<RecordId>> + '_ {
        self.matches.iter().flat_map(|rows| rows.rows().map(|row| row.map(|row| row.id)))
    }
}
