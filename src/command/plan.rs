//! `sexton plan`: compute which records would be deleted, compare with the base, write the bundle. Only reads.

mod base;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::Zoned;

use self::base::{Base, Ids, Search};
use super::run::unfinished_run_of;
use super::{Shell, Verb};
use crate::base::{CommandError, Exit};
use crate::base::{Digest, PolicyName, RecordId, TargetName};
use crate::manifest::Policy;
use crate::plan::{
    self, Comparison, Difference, DifferenceCounts, GateInput, ObjectFacts, Occasion, OpenCascade, PLAN_FORMAT, Permission,
    PlanHeader, PlannedPolicy, Query, SealedTarget, Symbol,
};
use crate::provider::{ErrorClass, ProviderError};
use crate::report::{PlanView, PolicySample, SampleRow, manifest_diff};
use crate::select::{
    Connection, Connections, Context, IfMoving, Layout, Project, ProjectContext, Selection, Selector, broken_selection,
    count_cascades, no_such_object, open_all, query_for,
};
use crate::state::{PolicyHistory, State};
use crate::store::{BundleWriter, RunScratch};

/// Compute which records would be deleted, and write a plan for review
///
/// It signs in to every target, selects what each policy matches, removes what a hold keeps, evaluates the gates, compares
/// with the base, which was reviewed, and writes a sealed bundle of files. It sends no request that changes a record.
#[derive(Clone, Debug, Args)]
pub struct Plan {
    /// Where to write the plan [default: plan, or what the project says]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What was reviewed: a git revision (or REVISION:DIR), a directory, or the digest of an applied plan [default: the plan last applied]
    #[arg(long, value_name = "REVISION|DIR|DIGEST")]
    base: Option<String>,
    /// Exit with 2 when there is something to delete
    #[arg(long)]
    detailed_exitcode: bool,
}

impl Verb for Plan {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let request = PlanRequest { project: shell.project().to_owned(), out: self.out.clone(), base: self.base.clone() };
        let planned = plan(&shell.context()?, &request).await?;
        planned.show(shell)?;
        Ok(match (planned.header.is_refused(), self.detailed_exitcode && planned.header.selected() > 0) {
            (true, _) => Exit::GateRefused,
            (false, true) => Exit::ChangesPresent,
            (false, false) => Exit::Done,
        })
    }
}

/// How many records of each kind of change a sample shows.
const SAMPLED: usize = 5;

/// What is to be planned.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The directory that holds the manifests.
    pub project: PathBuf,
    /// Where the bundle goes; the project's own place when `None`.
    pub out: Option<PathBuf>,
    /// What was reviewed: a git revision, a directory or a digest; the plan last applied when `None`.
    pub base: Option<String>,
}

/// A plan that was written.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its header.
    pub header: PlanHeader,
    /// Its name.
    pub digest: Digest,
    /// Where it lies.
    pub directory: PathBuf,
    /// A few records of each policy.
    pub samples: BTreeMap<PolicyName, PolicySample>,
}

impl Planned {
    /// Shows the plan, and what to type to apply it.
    pub(super) fn show(&self, shell: &dyn Shell) -> Result<(), CommandError> {
        let place = self.directory.display().to_string();
        shell.show(&PlanView { header: &self.header, digest: Some(self.digest), samples: &self.samples, place: &place })?;
        if self.header.selected() > 0 && !self.header.is_refused() {
            shell.note(&format!("To delete exactly these records: sexton apply {place}"));
        }
        Ok(())
    }
}

/// Selects for every policy, judges the gates and writes the bundle. Only reads from the systems.
pub async fn plan(host: &Context, request: &PlanRequest) -> Result<Planned, CommandError> {
    let project = Project::load(&host.place(&request.project))?;
    project.warnings.iter().for_each(|warning| host.observer.warn(&warning.title));
    let directory = request.out.as_ref().map_or_else(|| project.plan_directory(), |out| host.place(out));
    let zone = project.workspace.project.time_zone.clone();
    let now = host.clock.now().to_zoned(zone);
    let expires = project
        .workspace
        .project
        .plan_expires_after
        .after(&now)
        .map_err(|error| CommandError::plain("the plan would never expire").caused_by(&error))?;
    let state = state_with_lineage(host, &project).await?;
    if let Some(run) = unfinished_run_of(host, &project, &state).await {
        host.observer.warn(&run.note());
    }
    RunScratch::clean(&project.scratch_directory());
    let writer = BundleWriter::create(&directory, &(host.fresh_id)())?;
    let search =
        Search { context: host, project: &project, state: &state, directory: &directory, scratch: writer.scratch() };
    let base = search.find(request.base.as_deref()).await?;
    let project_context = ProjectContext { context: host.clone(), project: &project, now: &now };
    let connections = open_all(&project_context).await?;
    let selector = Selector::new(&project_context, &connections, writer.scratch()).await?;
    let ordered = plan::order(project.workspace.policies.values());
    let unjudged = selector
        .for_each(ordered, |selector, policy| {
            let history = state.policies.get(&policy.name);
            let planning = Planning { selector, policy, writer: &writer, base: &base, history };
            async move { planning.run().await.map_err(|error| error.about_policy(&policy.name)) }
        })
        .await?;

    let mut calls_by_target: BTreeMap<TargetName, u64> = BTreeMap::new();
    let mut policies = Vec::new();
    let mut samples = BTreeMap::new();
    for unjudged in unjudged {
        let target = &unjudged.planned.settings.target;
        let connection = selector.connection(target)?;
        // The calls of the policies before it are those of its target, too.
        let calls = calls_by_target.entry(target.clone()).or_default();
        *calls += unjudged.planned.route.as_ref().map_or(0, |route| route.calls);
        let (mut planned, sample) = unjudged.judged(connection, &now, *calls);
        planned.sample = sample.sealed();
        samples.insert(planned.policy.clone(), sample);
        policies.push(planned);
    }
    let workspace = &project.workspace;
    let holds =
        selector.holds().iter().filter_map(|found| Some(found.planned(workspace.holds.get(&found.hold)?, &policies)));
    let holds = holds.collect();
    let targets = sealed_targets(&connections, &policies, &calls_by_target);
    let mut manifests = project.sealed_manifests();
    if let Some(before) = base.manifests() {
        manifests.changes = manifest_diff(&before.documents, &manifests.documents);
    }
    let header = PlanHeader {
        format: PLAN_FORMAT,
        tool: env!("CARGO_PKG_VERSION").into(),
        made_by: host.actor.clone(),
        created: now.timestamp(),
        expires: expires.timestamp(),
        lineage: state.lineage.clone(),
        serial: state.serial,
        manifests,
        base: base.sealed,
        targets,
        holds,
        policies,
    };
    let digest = writer.seal(&header)?;
    Ok(Planned { header, digest, directory: directory.path().to_owned(), samples })
}

/// The targets as the plan seals them, with the calls that applying takes. Targets that only holds name are left out.
fn sealed_targets(
    connections: &Connections,
    policies: &[PlannedPolicy],
    calls_by_target: &BTreeMap<TargetName, u64>,
) -> BTreeMap<TargetName, SealedTarget> {
    let mut targets = BTreeMap::new();
    for (name, calls) in calls_by_target {
        let Some(connection) = connections.get(name) else { continue };
        let capabilities = connection.capabilities();
        // Apply asks anew what it may delete: how many records each object has, how many match, and every page of them.
        let asked = || policies.iter().filter(|planned| planned.settings.target == *name);
        let objects = asked().map(|planned| &planned.query.object).collect::<BTreeSet<_>>().len() as u64;
        let reads: u64 = asked().map(|planned| 1 + planned.matched.div_ceil(capabilities.page_size)).sum();
        let least_seconds = capabilities.budget.map(|budget| budget.least_time(calls + objects + reads).as_secs());
        targets.insert(name.clone(), SealedTarget { calls: *calls, least_seconds, ..connection.sealed.clone() });
    }
    targets
}

/// The state; the first plan of a project makes it, so that its lineage exists before anything rests on it.
async fn state_with_lineage(host: &Context, project: &Project) -> Result<State, CommandError> {
    let store = project.state(host);
    if let Some(state) = store.load().await? {
        return Ok(state);
    }
    let mut locked = store.lock(&host.lock_info("plan")).await?;
    // Another process may have created it before the lock was taken.
    if let Some(state) = locked.load().await? {
        return Ok(state);
    }
    let lineage = project.workspace.project.lineage.clone().unwrap_or_else(|| (host.fresh_id)());
    let mut state = State::new(lineage, env!("CARGO_PKG_VERSION"));
    locked.save(&mut state).await?;
    Ok(state)
}

/// A policy that was planned, and what its gates are to be told.
struct Unjudged {
    planned: PlannedPolicy,
    sample: PolicySample,
    facts: Arc<ObjectFacts>,
    hard_delete: Option<Permission>,
    open: Vec<OpenCascade>,
    left_behind: Option<u64>,
}

impl Unjudged {
    /// Asks the gates. `calls` are those of this policy and of the ones before it in its target.
    fn judged(self, connection: &Connection, now: &Zoned, calls: u64) -> (PlannedPolicy, PolicySample) {
        let Self { mut planned, sample, facts, hard_delete, open, left_behind } = self;
        planned.gates = plan::judge(&GateInput {
            occasion: Occasion::Plan,
            today: now.date(),
            settings: &planned.settings,
            limits: planned.settings.limits,
            identity: connection.identity(),
            clock_difference: connection.provider.clock_difference(),
            environment: connection.sealed.environment,
            capabilities: &connection.capabilities(),
            facts: &facts,
            hard_delete: hard_delete.as_ref(),
            population: planned.population,
            selected: planned.selected,
            already_deleted: 0,
            left_behind,
            open_cascades: &open,
            cascades: &planned.cascades,
            planned_cascades: None,
            calls,
            calls_left: connection.calls_left,
        });
        (planned, sample)
    }
}

/// What is needed to plan one policy.
struct Planning<'a> {
    selector: Selector<'a>,
    policy: &'a Policy,
    writer: &'a BundleWriter,
    base: &'a Base,
    history: Option<&'a PolicyHistory>,
}

impl Planning<'_> {
    async fn run(&self) -> Result<Unjudged, CommandError> {
        let policy = self.policy;
        let now = self.selector.project().now;
        let connection = self.selector.connection(&policy.settings.target)?;
        let facts = self.describe(connection).await?;
        let capabilities = connection.capabilities();
        let (layout, query) =
            query_for(policy, &facts, &capabilities, now, &self.selector.project().project.workspace.sources)?;
        self.check_fields(&facts)?;
        let selection = self.selector.select(&policy.name, &policy.settings.target, &query, IfMoving::Refuse).await?;
        let reviewed = self.base.awaited(&policy.name)?;
        let (comparison, picked) = self.compare(reviewed, &selection, &query)?;
        let (records, sample) = self.write(&selection, &layout, &picked)?;
        let (matched, selected) = (selection.matched_count(), selection.selected_count());
        let Selection { held, open, population, .. } = selection;
        let holds = held.by_hold;
        let cascades = count_cascades(connection, &facts, &query).await?;
        let route = plan::choose(&policy.settings, selected, &capabilities).ok().filter(|_| selected > 0);
        let hard_delete = connection.hard_delete_permission(&facts.name, policy.settings.delete).await?;
        let planned = PlannedPolicy {
            policy: policy.name.clone(),
            labels: policy.labels.clone(),
            settings: policy.settings.clone(),
            query,
            population,
            matched,
            selected,
            holds,
            cascades,
            unseen_cascades: self.selector.unseen_below(&policy.settings.target, &facts.name).to_vec(),
            route,
            gates: Vec::new(),
            comparison,
            sample: Vec::new(),
            records,
        };
        let left_behind = self.history.and_then(|history| history.population);
        Ok(Unjudged { planned, sample, facts, hard_delete, open, left_behind })
    }

    /// What the system says about the policy's object; where there is none, an error with its place in the manifests.
    async fn describe(&self, connection: &Connection) -> Result<Arc<ObjectFacts>, CommandError> {
        let object = &self.policy.settings.object;
        let described = async {
            let facts = connection.describe(object).await?;
            if !facts.is_described() {
                // Only a question tells whether there is such an object.
                connection.population(&facts.name).await?;
            }
            Ok(facts)
        };
        described.await.map_err(|error: ProviderError| match error.class {
            ErrorClass::NotFound => {
                let what = format!("policy `{}`", self.policy.name);
                let system = connection.capabilities().system;
                no_such_object(
                    &error,
                    &what,
                    object,
                    self.policy.object_span,
                    system,
                    &self.selector.project().project.workspace,
                )
            }
            _ => error.into(),
        })
    }

    /// Refuses fields that the object does not have, before the system does in its own words.
    fn check_fields(&self, facts: &ObjectFacts) -> Result<(), CommandError> {
        let policy = self.policy;
        let named = policy.settings.review_fields.iter().map(|field| (field, "review.fields"));
        let named = named.chain(policy.settings.group_by.iter().map(|field| (field, "groupBy")));
        for (field, key) in named {
            // A path with a dot leads to another object; the system judges it when the query is sent.
            if !field.contains('.') && facts.has_no_field(field) {
                return Err(CommandError::plain(format!(
                    "{} has no field `{field}`, or this login may not see it",
                    facts.name
                ))
                .with_help(format!("correct `{key}` of the policy, or grant the login read access to the field")));
            }
        }
        Ok(())
    }

    /// Compares with the base, and picks the records a sample shows.
    fn compare(
        &self,
        reviewed: Ids,
        selection: &Selection,
        query: &Query,
    ) -> Result<(Option<Comparison>, BTreeMap<RecordId, Symbol>), CommandError> {
        let broken = |error: &dyn std::error::Error| broken_selection(&self.policy.name, error);
        let open: Vec<RecordId> =
            self.history.map(|history| history.open.iter().map(|open| open.id).collect()).unwrap_or_default();
        let selected = selection.selected_ids().map(|id| id.map_err(std::io::Error::other));
        let differences = plan::compare(reviewed, selected, open.into_iter().map(Ok), selection.held.ids());
        let mut counts = DifferenceCounts::default();
        let mut picked = BTreeMap::new();
        for difference in differences {
            let difference: Difference = difference.map_err(|error| broken(&error))?;
            let difference = if self.base.reviews() { difference } else { difference.unreviewed() };
            if counts.of(difference.symbol) < SAMPLED as u64 {
                picked.insert(difference.id, difference.symbol);
            }
            counts.add(difference);
        }
        let comparison = self.base.plan_of(&self.policy.name).map(|plan| {
            let same_question = self.base.same_question(self.selector.project().project, self.policy, query);
            counts.comparison(plan, same_question)
        });
        Ok((comparison, picked))
    }

    /// Writes the selected records and fills the sample.
    fn write(
        &self,
        selection: &Selection,
        layout: &Layout,
        picked: &BTreeMap<RecordId, Symbol>,
    ) -> Result<(plan::RecordsSeal, PolicySample), CommandError> {
        let mut records = self.writer.records(&self.policy.name, &layout.columns(), selection.selected_count())?;
        let mut sample = PolicySample { columns: layout.review_columns(), rows: Vec::new(), more: 0 };
        let mut shown = 0;
        for row in plan::subtract(selection.matched.rows(), selection.held.ids()) {
            let row = row.map_err(|error| broken_selection(&self.policy.name, &error))?;
            records.push(&layout.sealed(&row))?;
            if let Some(symbol) = picked.get(&row.id) {
                shown += 1;
                sample.rows.push(SampleRow { symbol: *symbol, id: row.id, values: layout.review_values(&row) });
            }
        }
        for (id, symbol) in picked.iter().filter(|(_, symbol)| matches!(symbol, Symbol::KeptNow | Symbol::Held)) {
            sample.rows.push(SampleRow { symbol: *symbol, id: *id, values: Vec::new() });
        }
        sample.more = selection.selected_count() - shown;
        Ok((records.finish()?, sample))
    }
}
