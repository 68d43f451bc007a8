//! `sexton plan`: compute which records would be deleted, compare with the base, write the bundle. Only reads.

mod base;
mod chosen;
mod earlier;
mod overlap;
mod widened;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::Zoned;

use self::base::{Base, Ids, Search};
use self::chosen::chosen_policies;
use self::earlier::Earlier;
use self::overlap::{Left, Overlap, left_by};
use self::widened::Widened;
use super::run::{Stopped, refused_at_plan, unfinished_run_of, with_unknown_runs};
use super::{Shell, Verb};
use crate::base::{CommandError, Exit};
use crate::base::{Digest, PolicyName, RecordId, TargetName};
use crate::manifest::{Accept, Policy};
use crate::plan::{
    self, CallsNeeded, CascadeCount, Comparison, Difference, DifferenceCounts, GateFinding, GateInput, MixedDeletion,
    ObjectFacts, Occasion, OpenCascade, PLAN_FORMAT, Permission, PlanHeader, PlannedElsewhere, PlannedPolicy, PolicyCalls,
    Restriction, SealedTarget, Symbol, TargetCalls, Together, Totals,
};
use crate::provider::{ErrorClass, ProviderError};
use crate::report::{PlanView, PolicySample, SampleRow, manifest_diff};
use crate::select::{
    Connection, Context, IfMoving, Layout, Project, ProjectContext, Selection, Selector, broken_selection, count_cascades,
    count_restricting, no_such_object, open_all, query_for,
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
    /// Plan these policies only; whatever they depend on must be among them
    #[arg(long = "policy", value_name = "NAMES", value_delimiter = ',', value_parser = |text: &str| PolicyName::new(text))]
    policies: Vec<PolicyName>,
}

impl Verb for Plan {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let request = PlanRequest {
            project: shell.project().to_owned(),
            out: self.out.clone(),
            base: self.base.clone(),
            policies: self.policies.clone(),
        };
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
    /// The policies to plan; all of them when there is none here.
    pub policies: Vec<PolicyName>,
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
        let stopped = Stopped::new(&self.header, refused_at_plan(&self.header), &BTreeMap::new());
        if stopped.leaves_nothing() {
            return Ok(());
        }
        shell.note(&if stopped.any() {
            format!("To delete what passed and skip what was refused: sexton apply {place} --on-refusal skip")
        } else {
            format!("To delete exactly these records: sexton apply {place}")
        });
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
    let ordered = plan::order(chosen_policies(&project.workspace, &request.policies)?);
    let expires = project
        .workspace
        .project
        .plan_expires_after
        .after(&now)
        .map_err(|error| CommandError::plain("the plan would never expire").caused_by(&error))?;
    let state = with_unknown_runs(host, &project, state_with_lineage(host, &project).await?).await?;
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
    let shared = (&writer, &base, &state);
    let mut unjudged: Vec<Unjudged> = selector
        .for_each(ordered.iter().copied(), |selector, policy| {
            let planning = Planning::new(selector, policy, shared);
            async move { planning.run().await.map_err(|error| error.about_policy(&policy.name)) }
        })
        .await?;

    let planned: Vec<&PlannedPolicy> = unjudged.iter().map(|policy| &policy.planned).collect();
    let overlap = Overlap::find(&planned, &writer)?;
    judge(&mut unjudged, &overlap, &selector, &now, None)?;
    let refused = unjudged.iter().enumerate().filter(|(_, policy)| policy.planned.is_refused()).map(|(place, _)| place);
    let left = overlap.left(&refused.collect())?;
    share_out(&left, &mut unjudged, |place| Planning::new(selector.clone(), ordered[place], shared))?;
    let totals = Totals::of_plan(&project.workspace.project.shared_limits, unjudged.iter().map(|policy| &policy.planned));
    let calls_by_target = judge(&mut unjudged, &overlap, &selector, &now, Some(&totals))?;
    for policy in &mut unjudged {
        policy.planned.sample = policy.sample.sealed();
    }
    let samples = unjudged.iter_mut().map(|policy| (policy.planned.policy.clone(), std::mem::take(&mut policy.sample)));
    let samples = samples.collect();
    let policies: Vec<PlannedPolicy> = unjudged.into_iter().map(|policy| policy.planned).collect();
    let workspace = &project.workspace;
    let holds =
        selector.holds().iter().filter_map(|found| Some(found.planned(workspace.holds.get(&found.hold)?, &policies)));
    let holds = holds.collect();
    let targets = sealed_targets(&selector, &policies, &calls_by_target)?;
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
        only: request.policies.iter().cloned().collect(),
        shared_limits: project.workspace.project.shared_limits,
        targets,
        holds,
        policies,
    };
    let digest = writer.seal(&header)?;
    Ok(Planned { header, digest, directory: directory.path().to_owned(), samples })
}

/// Takes from every policy what it leaves to others.
fn share_out<'p>(
    left: &Left,
    policies: &mut [Unjudged],
    planning: impl Fn(usize) -> Planning<'p>,
) -> Result<(), CommandError> {
    let mut rows = left.rows();
    for (place, owners) in left.counts() {
        let elsewhere = owners
            .iter()
            .map(|(owner, records)| PlannedElsewhere { policy: policies[*owner].planned.policy.clone(), records: *records });
        let elsewhere = elsewhere.collect();
        planning(*place).leave(&mut policies[*place], elsewhere, left_by(*place, &mut rows))?;
    }
    Ok(())
}

/// Asks the gates about every policy, and gives the calls that each target takes.
fn judge(
    policies: &mut [Unjudged],
    overlap: &Overlap,
    selector: &Selector<'_>,
    now: &Zoned,
    totals: Option<&Totals>,
) -> Result<BTreeMap<TargetName, TargetCalls>, CommandError> {
    let hold_refresh = selector.project().project.hold_refresh_from(now)?;
    let mut calls_by_target: BTreeMap<TargetName, TargetCalls> = BTreeMap::new();
    let mut earlier_calls: BTreeMap<TargetName, u64> = BTreeMap::new();
    for Unjudged { planned, earlier, .. } in policies.iter() {
        *earlier_calls.entry(planned.settings.target.clone()).or_default() += earlier.calls;
    }
    let mut deleted_by: BTreeMap<(TargetName, String), Vec<PolicyName>> = BTreeMap::new();
    for Unjudged { planned, .. } in policies.iter() {
        let object = (planned.settings.target.clone(), planned.query.object.clone());
        deleted_by.entry(object).or_default().push(planned.policy.clone());
    }
    for (place, policy) in policies.iter_mut().enumerate() {
        let target = &policy.planned.settings.target;
        let connection = selector.connection(target)?;
        // The calls of the policies before it are those of its target, too.
        let new = || TargetCalls::new(connection.capabilities().budget, hold_refresh, selector.hold_calls(target));
        let calls = calls_by_target.entry(target.clone()).or_insert_with(new);
        calls.add(PolicyCalls { counting: policy.counting, ..selector.policy_calls(connection, &policy.planned) });
        let calls = calls.needed();
        let restrictions = restrictions(&policy.planned, &deleted_by);
        let together = totals.and_then(|totals| totals.of(&policy.planned));
        let calls = (calls, earlier_calls.get(target).copied().unwrap_or_default());
        policy.planned.gates =
            policy.findings(connection, now, calls, overlap.mixed(place), together.as_ref(), &restrictions);
    }
    Ok(calls_by_target)
}

/// What keeps records of a policy from being deleted, with the policies that delete it.
fn restrictions<'a>(
    planned: &'a PlannedPolicy,
    deleted_by: &'a BTreeMap<(TargetName, String), Vec<PolicyName>>,
) -> Vec<Restriction<'a>> {
    let restriction = |children: &'a CascadeCount| {
        let deleted_by = deleted_by.get(&(planned.settings.target.clone(), children.child.clone()));
        let others = deleted_by.into_iter().flatten().filter(|name| **name != planned.policy);
        Restriction { children, deleted_by: others.collect() }
    };
    planned.restricted_by.iter().map(restriction).collect()
}

/// The targets as the plan seals them, with the calls that applying takes. Targets that only holds name are left out.
fn sealed_targets(
    selector: &Selector<'_>,
    policies: &[PlannedPolicy],
    calls_by_target: &BTreeMap<TargetName, TargetCalls>,
) -> Result<BTreeMap<TargetName, SealedTarget>, CommandError> {
    let mut targets = BTreeMap::new();
    for (name, calls) in calls_by_target {
        let connection = selector.connection(name)?;
        let (capabilities, calls) = (connection.capabilities(), calls.needed().all);
        // Apply asks anew what it may delete: how many records each object has, which are held, how many match, and every page of them.
        let asked = || policies.iter().filter(|planned| planned.settings.target == *name);
        let objects = asked().map(|planned| &planned.query.object).collect::<BTreeSet<_>>().len() as u64;
        let reads: u64 = asked().map(|planned| connection.selection_calls(&planned.query, planned.matched)).sum();
        let least_seconds = capabilities
            .budget
            .map(|budget| budget.least_time(calls + objects + selector.hold_calls(name) + reads).as_secs());
        targets.insert(name.clone(), SealedTarget { calls, least_seconds, ..connection.sealed.clone() });
    }
    Ok(targets)
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
    counts: DifferenceCounts,
    earlier: Earlier,
    widened: Widened,
    facts: Arc<ObjectFacts>,
    hard_delete: Option<Permission>,
    open: Vec<OpenCascade>,
    accept: Accept,
    /// How many calls it takes to count what goes along.
    counting: u64,
    left_behind: Option<u64>,
}

impl Unjudged {
    /// What the gates say. `calls` are those of this policy and of the ones before it in its target, and those that were made there for
    /// conditions of before.
    fn findings(
        &self,
        connection: &Connection,
        now: &Zoned,
        (calls, earlier_calls): (CallsNeeded, u64),
        mixed: Option<&MixedDeletion>,
        together: Option<&Together>,
        restrictions: &[Restriction<'_>],
    ) -> Vec<GateFinding> {
        let planned = &self.planned;
        plan::judge(&GateInput {
            occasion: Occasion::Plan,
            today: now.date(),
            settings: &planned.settings,
            limits: planned.settings.limits,
            identity: connection.identity(),
            clock_difference: connection.provider.clock_difference(),
            environment: connection.sealed.environment,
            capabilities: &connection.capabilities(),
            facts: &self.facts,
            hard_delete: self.hard_delete.as_ref(),
            population: planned.population,
            selected: planned.selected + planned.elsewhere(),
            elsewhere: planned.elsewhere(),
            mixed,
            already_deleted: 0,
            together,
            kept_back: 0,
            left_behind: self.left_behind,
            open_cascades: &self.open,
            accept: &self.accept,
            cascades: &planned.cascades,
            planned_cascades: None,
            restrictions,
            widening: Some(&self.widened.by),
            max_widened_at: &self.widened.limit_at,
            calls,
            earlier_calls,
            calls_left: connection.calls_left,
        })
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

impl<'a> Planning<'a> {
    fn new(
        selector: Selector<'a>,
        policy: &'a Policy,
        (writer, base, state): (&'a BundleWriter, &'a Base, &'a State),
    ) -> Self {
        Self { selector, policy, writer, base, history: state.policies.get(&policy.name) }
    }
}

impl Planning<'_> {
    async fn run(&self) -> Result<Unjudged, CommandError> {
        let policy = self.policy;
        let now = self.selector.project().now;
        let connection = self.selector.connection(&policy.settings.target)?;
        let facts = self.describe(connection).await?;
        let capabilities = connection.capabilities();
        let (layout, query) = query_for(policy, &facts, &capabilities, now, self.selector.project().project.files())?;
        self.check_fields(&facts)?;
        let earlier = Earlier::read(self.base.earlier(&policy.name), &self.selector, policy, &facts, &query).await?;
        let selection = self.selector.select(&policy.name, &policy.settings.target, &query, IfMoving::Refuse, None).await?;
        let reviewed = self.base.awaited(&policy.name)?;
        let selected = selection.selected_ids().map(|id| id.map_err(std::io::Error::other));
        let (counts, picked) = self.differences(reviewed, selected, selection.held.ids(), &earlier)?;
        let comparison = self.comparison(&counts, &earlier);
        let workspace = &self.selector.project().project.workspace;
        let widened = Widened::find(self.base, &earlier, &counts, policy, workspace);
        let (records, sample) = self.write(&selection, &layout, &picked)?;
        let (matched, selected) = (selection.matched_count(), selection.selected_count());
        let ids = || Ok(selection.selected_ids().map(|id| id.map_err(std::io::Error::other)));
        let cascades = count_cascades(connection, &facts, &query, selected, ids).await?;
        let restricted_by = count_restricting(connection, &facts, &query, selected, ids).await?;
        let Selection { held, open, population, missing, .. } = selection;
        let holds = held.by_hold;
        let route = plan::choose(&policy.settings, selected, &capabilities).ok().filter(|_| selected > 0);
        let hard_delete = connection.hard_delete_permission(&facts.name, policy.settings.delete).await?;
        let planned = PlannedPolicy {
            policy: policy.name.clone(),
            labels: policy.labels.clone(),
            settings: policy.settings.clone(),
            query,
            population,
            matched,
            missing_ids: missing,
            selected,
            planned_elsewhere: Vec::new(),
            holds,
            cascades: cascades.counts,
            unseen_cascades: self.selector.unseen_below(&policy.settings.target, &facts.name).to_vec(),
            restricted_by,
            route,
            gates: Vec::new(),
            comparison,
            sample: Vec::new(),
            records,
        };
        let left_behind = self.history.and_then(|history| history.population);
        let (accept, counting) = (workspace.accepted(&policy.name, &policy.settings.target), cascades.calls);
        Ok(Unjudged { planned, sample, counts, earlier, widened, facts, hard_delete, open, accept, counting, left_behind })
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
    fn differences(
        &self,
        reviewed: Ids,
        selected: impl Iterator<Item = std::io::Result<RecordId>>,
        held: impl Iterator<Item = std::io::Result<RecordId>>,
        earlier: &Earlier,
    ) -> Result<(DifferenceCounts, BTreeMap<RecordId, Symbol>), CommandError> {
        let open: Vec<RecordId> =
            self.history.map(|history| history.open.iter().map(|open| open.id).collect()).unwrap_or_default();
        let differences = plan::compare(reviewed, selected, open.into_iter().map(Ok), held, earlier.ids());
        let mut counts = DifferenceCounts::default();
        let mut picked = BTreeMap::new();
        for difference in differences {
            let difference: Difference = difference.map_err(|error| broken_selection(&self.policy.name, &error))?;
            let difference = if self.base.reviews() { difference } else { difference.unreviewed() };
            if counts.of(difference.symbol) < SAMPLED as u64 {
                picked.insert(difference.id, difference.symbol);
            }
            counts.add(difference);
        }
        Ok((counts, picked))
    }

    /// What is sealed of the comparison with the base.
    fn comparison(&self, counts: &DifferenceCounts, earlier: &Earlier) -> Option<Comparison> {
        self.base.plan_of(&self.policy.name).map(|plan| {
            let holds_changed = self.base.holds_changed(self.selector.project().project, self.policy);
            counts.comparison(plan, &earlier.condition, holds_changed)
        })
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
        for (id, symbol) in picked.iter().filter(|(_, symbol)| matches!(symbol, Symbol::NoLongerSelected | Symbol::Held)) {
            sample.rows.push(SampleRow { symbol: *symbol, id: *id, values: Vec::new() });
        }
        sample.more = selection.selected_count() - shown;
        Ok((records.finish()?, sample))
    }

    /// Takes these records, which other policies plan, out of the policy's part of the plan.
    fn leave(
        &self,
        unjudged: &mut Unjudged,
        elsewhere: Vec<PlannedElsewhere>,
        ids: impl Iterator<Item = std::io::Result<RecordId>>,
    ) -> Result<(), CommandError> {
        let Unjudged { planned, sample, counts, earlier, .. } = unjudged;
        let broken = |error: &dyn std::error::Error| broken_selection(&self.policy.name, error);
        let kept = planned.selected.saturating_sub(elsewhere.iter().map(|others| others.records).sum());
        let written = self.writer.take_back(&planned.records)?;
        let mut records = self.writer.records(&planned.policy, &planned.records.columns, kept)?;
        for row in plan::subtract(written, ids) {
            records.push(&row.map_err(|error| broken(&error))?)?;
        }
        let seal = records.finish()?;
        if seal.rows != kept {
            return Err(CommandError::plain(format!(
                "internal error: policy `{}` was to keep {kept} records and kept {}",
                planned.policy, seal.rows
            )));
        }
        let ids = self.writer.written(&seal)?.map(|row| row.map(|row| row.id));
        let (kept_counts, picked) =
            self.differences(self.base.awaited(&self.policy.name)?, ids, std::iter::empty(), earlier)?;
        *counts = counts.with_selected(kept_counts);

        let hidden = seal.columns.len().saturating_sub(sample.columns.len());
        let shown = |id: &RecordId| picked.get(id).filter(|symbol| symbol.is_selected());
        let mut rows = Vec::new();
        let mut written = self.writer.written(&seal)?;
        while rows.len() < picked.values().filter(|symbol| symbol.is_selected()).count()
            && let Some(row) = written.next().transpose().map_err(|error| broken(&error))?
        {
            if let Some(symbol) = shown(&row.id) {
                let values = row.values.into_iter().skip(hidden).collect();
                rows.push(SampleRow { symbol: *symbol, id: row.id, values });
            }
        }
        sample.more = kept - rows.len() as u64;
        rows.extend(sample.rows.drain(..).filter(|row| !row.symbol.is_selected()));
        sample.rows = rows;

        let capabilities = self.selector.connection(&planned.settings.target)?.capabilities();
        planned.route = plan::choose(&planned.settings, kept, &capabilities).ok().filter(|_| kept > 0);
        planned.comparison = self.comparison(counts, earlier);
        planned.selected = kept;
        planned.planned_elsewhere = elsewhere;
        planned.records = seal;
        Ok(())
    }
}
