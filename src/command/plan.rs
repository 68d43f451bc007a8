//! `sexton plan`: compute which records would be deleted, compare with the last plan, write the bundle. Only reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Zoned;

use super::unfinished::unfinished_run_of;
use super::{Shell, Verb};
use crate::base::{CommandError, Exit};
use crate::base::{Digest, PolicyName, RecordId, TargetName};
use crate::manifest::{self, DocumentKind, ManifestFile, Policy, Workspace};
use crate::plan::{
    self, Comparison, Difference, DifferenceCounts, GateInput, ObjectFacts, Occasion, PLAN_FORMAT, PlanHeader,
    PlannedPolicy, Query, SealedTarget, Symbol,
};
use crate::report::{PlanView, PolicySample, SampleRow, manifest_diff};
use crate::select::{
    Connection, Context, Layout, Project, Selecting, Selection, broken_selection, count_cascades, open_all, query_for,
    selected_ids,
};
use crate::state::{PlanStatus, PolicyHistory, State};
use crate::store::{Bundle, BundleError, BundleWriter, RunStore, read_outcomes};

/// Compute which records would be deleted, and write that down for review
///
/// Signs in to every target, selects what each policy matches, takes out what a hold keeps, judges the gates, compares
/// with the plan that lies there already, and writes a sealed bundle of files. It sends no request that changes anything.
#[derive(Clone, Debug, Args)]
pub struct Plan {
    /// Where to write the plan; it is compared with the one that lies there [default: plan, or what the project says]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Exit with 2 when there is something to delete
    #[arg(long)]
    detailed_exitcode: bool,
}

impl Verb for Plan {
    async fn run(&self, shell: &dyn Shell) -> Result<Exit, CommandError> {
        let request = PlanRequest { project: shell.project().to_owned(), out: self.out.clone() };
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

/// Plans.
pub async fn plan(host: &Context, request: &PlanRequest) -> Result<Planned, CommandError> {
    let project = Project::load(&request.project)?;
    project.warnings.iter().for_each(|warning| host.observer.warn(&warning.title));
    let directory = request.out.clone().unwrap_or_else(|| project.plan_directory());
    let zone = project.workspace.project.time_zone.clone();
    let now = host.clock.now().to_zoned(zone);
    let expires = project
        .workspace
        .project
        .plan_expires_after
        .after(&now)
        .map_err(|error| CommandError::plain("the plan would never expire").caused_by(&error))?;
    let state = state_with_lineage(host, &project)?;
    if let Some(run) = unfinished_run_of(&project, &state).await {
        host.observer.warn(&run.note());
    }
    let before = bundle_before(host, &directory)?;
    let before_is_finished =
        before.as_ref().is_some_and(|bundle| matches!(state.status_of(bundle.digest()), PlanStatus::Finished { .. }));
    let documents_before = before.as_ref().and_then(documents_of);
    let mut connections = open_all(host, &project).await?;
    let writer = BundleWriter::create(&directory)?;
    let spill = writer.scratch().to_owned();
    let mut calls_by_target: BTreeMap<TargetName, u64> = BTreeMap::new();
    let mut policies = Vec::new();
    let mut samples = BTreeMap::new();
    for policy in plan::order(project.workspace.policies.values()) {
        let Some(connection) = connections.get_mut(&policy.settings.target) else {
            return Err(CommandError::plain(format!("policy `{}` has no target", policy.name)));
        };
        let planning = Planning {
            host,
            project: &project,
            policy,
            now: &now,
            spill: &spill,
            before: before.as_ref(),
            documents_before: documents_before.as_ref(),
            before_is_finished,
            history: state.policies.get(&policy.name),
            calls_before: calls_by_target.get(&policy.settings.target).copied().unwrap_or_default(),
        };
        let (planned, sample) = planning.run(connection, &writer).await.map_err(|error| error.about_policy(&policy.name))?;
        let calls = calls_by_target.entry(policy.settings.target.clone()).or_default();
        *calls += planned.route.as_ref().map_or(0, |route| route.calls);
        samples.insert(policy.name.clone(), sample);
        policies.push(planned);
    }
    // A target that only a hold names is no part of what would be done.
    let targets = connections
        .into_iter()
        .filter(|(name, _)| project.workspace.policies.values().any(|policy| policy.settings.target == *name))
        .map(|(name, connection)| {
            let calls = calls_by_target.get(&name).copied().unwrap_or_default();
            let capabilities = connection.provider.capabilities();
            // Apply asks anew what it may delete: two counts, and every page.
            let asked = policies.iter().filter(|planned| planned.settings.target == name);
            let reads: u64 = asked.map(|planned| 2 + planned.matched.div_ceil(capabilities.page_size)).sum();
            let least_seconds = capabilities.budget.map(|budget| budget.least_time(calls + reads).as_secs());
            (name, SealedTarget { calls, least_seconds, ..connection.sealed })
        })
        .collect();
    let mut manifests = project.sealed_manifests();
    if let Some(before) = &before {
        manifests.changes = manifest_diff(&before.header().manifests.files, &manifests.files);
    }
    let header = PlanHeader {
        format: PLAN_FORMAT,
        tool: env!("CARGO_PKG_VERSION").into(),
        created: now.timestamp(),
        expires: expires.timestamp(),
        lineage: state.lineage.clone(),
        serial: state.serial,
        manifests,
        targets,
        policies,
    };
    let digest = writer.seal(&header)?;
    Ok(Planned { header, digest, directory, samples })
}

/// The state; the first plan of a project makes it, so that its lineage exists before anything rests on it.
fn state_with_lineage(host: &Context, project: &Project) -> Result<State, CommandError> {
    let store = project.state();
    if let Some(state) = store.load()? {
        return Ok(state);
    }
    let mut locked = store.lock(&host.lock_info("plan"))?;
    // Another process may have made it between the look and the lock.
    if let Some(state) = locked.load()? {
        return Ok(state);
    }
    let mut state = State::new((host.fresh_id)(), env!("CARGO_PKG_VERSION"));
    locked.save(&mut state)?;
    Ok(state)
}

/// The bundle that lies at that place, to compare with; a damaged one is told and left out.
fn bundle_before(host: &Context, directory: &Path) -> Result<Option<Bundle>, CommandError> {
    match Bundle::open(directory) {
        Ok(bundle) => Ok(Some(bundle)),
        Err(BundleError::Missing { .. }) => Ok(None),
        Err(error @ BundleError::NotABundle { .. }) => Err(CommandError::from(error)
            .with_help("a plan would take its place: move it away, or name another directory with --out")),
        Err(error) => {
            host.observer.warn(&format!("the plan that lay in {} was not compared with: {error}", directory.display()));
            Ok(None)
        }
    }
}

/// The manifests a bundle was made from, read again; `None` where this version cannot read them any more.
fn documents_of(bundle: &Bundle) -> Option<Workspace> {
    let files = bundle
        .header()
        .manifests
        .files
        .iter()
        .map(|file| ManifestFile { name: file.path.clone(), content: Ok(file.text.clone().into_bytes()) });
    manifest::read(files).workspace
}

/// What is needed to plan one policy.
struct Planning<'a> {
    host: &'a Context,
    project: &'a Project,
    policy: &'a Policy,
    now: &'a Zoned,
    spill: &'a Path,
    before: Option<&'a Bundle>,
    documents_before: Option<&'a Workspace>,
    before_is_finished: bool,
    history: Option<&'a PolicyHistory>,
    /// The calls that the deletions of the policies before it take in its target.
    calls_before: u64,
}

impl Planning<'_> {
    async fn run(
        &self,
        connection: &mut Connection,
        writer: &BundleWriter,
    ) -> Result<(PlannedPolicy, PolicySample), CommandError> {
        let policy = self.policy;
        let workspace = &self.project.workspace;
        let facts = connection.describe(&policy.settings.object).await?;
        let capabilities = connection.provider.capabilities();
        let (layout, query) = query_for(policy, &facts, &capabilities, self.now, &workspace.sources)?;
        self.check_fields(&facts)?;
        let selecting =
            Selecting { host: self.host, workspace, policy, facts: &facts, query: &query, now: self.now, spill: self.spill };
        let selection = selecting.run(connection).await?;
        let reviewed = self.awaited().await?;
        let (comparison, picked) = self.compare(reviewed, &selection, &query)?;
        let (records, sample) = self.write(writer, &selection, &layout, &picked)?;
        let cascades = count_cascades(connection, &facts, &query).await?;
        let selected = selection.selected_count();
        let route = plan::choose(&policy.settings, selected, &capabilities).ok().filter(|_| selected > 0);
        let hard_delete = connection.hard_delete_permission(&facts.name, policy.settings.delete).await?;
        let gates = plan::judge(&GateInput {
            occasion: Occasion::Plan,
            today: self.now.date(),
            settings: &policy.settings,
            limits: policy.settings.limits,
            identity: connection.identity(),
            environment: connection.sealed.environment,
            capabilities: &capabilities,
            facts: &facts,
            hard_delete: hard_delete.as_ref(),
            population: selection.population,
            selected,
            already_deleted: 0,
            left_behind: self.history.and_then(|history| history.population),
            open_cascades: &selection.open,
            cascades: &cascades,
            planned_cascades: None,
            calls: self.calls_before + route.as_ref().map_or(0, |route| route.calls),
            calls_left: connection.calls_left,
        });
        let planned = PlannedPolicy {
            policy: policy.name.clone(),
            settings: policy.settings.clone(),
            query,
            population: selection.population,
            matched: selection.matched_count(),
            selected,
            holds: selection.holds.clone(),
            cascades,
            route,
            gates,
            comparison,
            records,
        };
        Ok((planned, sample))
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
                .with_help(format!("correct `{key}` of the policy, or grant the login to read the field")));
            }
        }
        Ok(())
    }

    /// Compares with the plan that lay here before, and picks the records a sample shows.
    fn compare(
        &self,
        reviewed: Box<dyn Iterator<Item = std::io::Result<RecordId>> + Send>,
        selection: &Selection,
        query: &Query,
    ) -> Result<(Option<Comparison>, BTreeMap<RecordId, Symbol>), CommandError> {
        let broken = |error: &dyn std::error::Error| broken_selection(&self.policy.name, error);
        let open: Vec<RecordId> =
            self.history.map(|history| history.open.iter().map(|open| open.id).collect()).unwrap_or_default();
        let selected = selected_ids(selection).map(|id| id.map_err(std::io::Error::other));
        let differences = plan::compare(reviewed, selected, open.into_iter().map(Ok), selection.held.distinct_ids());
        let mut counts = DifferenceCounts::default();
        let mut picked = BTreeMap::new();
        for difference in differences {
            let difference: Difference = difference.map_err(|error| broken(&error))?;
            if counts.of(difference.symbol) < SAMPLED as u64 {
                picked.insert(difference.id, difference.symbol);
            }
            counts.add(difference);
        }
        let comparison = self.before.map(|bundle| {
            let documents = self.documents_before;
            let same_question = self.same_policy(bundle, documents, query) && self.same_holds(documents);
            counts.comparison(bundle.digest(), same_question)
        });
        Ok((comparison, picked))
    }

    /// The records of the plan before that are still to be deleted: all of them, or, when it was applied to its end, those that
    /// were not deleted then.
    async fn awaited(&self) -> Result<Box<dyn Iterator<Item = std::io::Result<RecordId>> + Send>, CommandError> {
        let Some(bundle) = self.before else { return Ok(Box::new(std::iter::empty())) };
        if self.before_is_finished {
            let runs = self.history.map(|history| history.runs.as_slice()).unwrap_or_default();
            // Evidence may have been moved to where it is kept; then nothing is known to be awaited.
            let Some(run) = runs.iter().find(|run| run.plan == bundle.digest()) else {
                return Ok(Box::new(std::iter::empty()));
            };
            let store = RunStore::new(self.project.backend(), run.plan);
            let scratch = self.spill.join(format!("awaited.{}", self.policy.name));
            if store.fetch(store.outcomes(&self.policy.name), run.outcomes, &scratch).await.is_err() {
                return Ok(Box::new(std::iter::empty()));
            }
            let rows = read_outcomes(&scratch).map_err(|error| {
                CommandError::plain("the outcomes of the plan before could not be read").caused_by(&error)
            })?;
            let left = rows.filter_map(|row| match row {
                Ok(row) if matches!(row.outcome.as_str(), "deleted" | "already-gone") => None,
                row => Some(row.map(|row| row.id)),
            });
            return Ok(Box::new(left));
        }
        let rows = bundle.rows(&self.policy.name).transpose()?;
        Ok(Box::new(rows.into_iter().flatten().map(|row| row.map(|row| row.id).map_err(std::io::Error::other))))
    }

    /// Whether the policy reads as it did in the plan before: the very same query, or the same document.
    fn same_policy(&self, before: &Bundle, documents: Option<&Workspace>, query: &Query) -> bool {
        let same_query = before.policy(&self.policy.name).is_some_and(|planned| planned.query == *query);
        let name = self.policy.name.as_str();
        let text = |workspace: &Workspace| workspace.document_text(DocumentKind::DeletionPolicy, name);
        same_query || documents.is_some_and(|documents| text(documents) == text(&self.project.workspace))
    }

    /// Whether the holds of the policy's target read as they did in the plan before.
    fn same_holds(&self, documents: Option<&Workspace>) -> bool {
        let texts = |workspace: &Workspace| -> Vec<Option<String>> {
            let holds = workspace.holds.values().filter(|hold| hold.target == self.policy.settings.target);
            holds.map(|hold| workspace.document_text(DocumentKind::Hold, hold.name.as_str())).collect()
        };
        documents.is_some_and(|documents| texts(documents) == texts(&self.project.workspace))
    }

    /// Writes the selected records and fills the sample.
    fn write(
        &self,
        writer: &BundleWriter,
        selection: &Selection,
        layout: &Layout,
        picked: &BTreeMap<RecordId, Symbol>,
    ) -> Result<(plan::RecordsSeal, PolicySample), CommandError> {
        let mut records = writer.records(&self.policy.name, &layout.columns(), selection.selected_count())?;
        let mut sample = PolicySample { columns: layout.review_columns(), rows: Vec::new(), more: 0 };
        let mut shown = 0;
        for row in plan::subtract(selection.matched.rows(), selection.held.distinct_ids()) {
            let row = row.map_err(|error| broken_selection(&self.policy.name, &error))?;
            records.push(&layout.sealed(&row))?;
            if let Some(symbol) = picked.get(&row.id) {
                shown += 1;
                sample.rows.push(SampleRow { symbol: symbol.character(), id: row.id, values: layout.review_values(&row) });
            }
        }
        for (id, symbol) in picked.iter().filter(|(_, symbol)| matches!(symbol, Symbol::KeptNow | Symbol::Held)) {
            sample.rows.push(SampleRow { symbol: symbol.character(), id: *id, values: Vec::new() });
        }
        sample.more = selection.selected_count() - shown;
        Ok((records.finish()?, sample))
    }
}
