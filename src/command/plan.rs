//! `sexton plan`: compute which records would be deleted, compare with the last plan, write the bundle. Only reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Zoned;

use crate::base::{CommandError, Exit};
use crate::base::{Digest, PolicyName, RecordId, TargetName};
use crate::manifest::{self, DocumentKind, ManifestFile, Policy, Workspace};
use crate::plan::{
    self, CascadeCount, CauseBasis, Comparison, Difference, DifferenceCounts, Moment, ObjectFacts, OpenCascade, PLAN_FORMAT,
    PlanHeader, PlannedPolicy, Query, SealedFile, SealedTarget, Symbol, Verdict,
};
use crate::provider::ErrorClass;
use crate::report::{PolicySample, SampleRow};
use crate::select::{
    Connection, Context, Layout, Project, Selecting, Selection, broken_selection, count_cascades, open_all, query_for,
    selected_ids,
};
use crate::state::{PlanStatus, PolicyHistory, State};
use crate::store::{Bundle, BundleError, BundleWriter, read_outcomes};
use crate::system::DeleteMode;

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
    /// The manifests of the plan that lay there before.
    pub before: Option<Vec<SealedFile>>,
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
    let before = bundle_before(host, &directory)?;
    let before_is_finished =
        before.as_ref().is_some_and(|bundle| matches!(state.status_of(bundle.digest()), PlanStatus::Finished { .. }));
    let documents_before = before.as_ref().and_then(documents_of);
    let mut connections = open_all(host, &project).await?;
    let writer = BundleWriter::create(&directory)?;
    let spill = writer.scratch().to_owned();
    let ordered =
        plan::order(project.workspace.policies.values()).map_err(|error| CommandError::plain(error.to_string()))?;

    let mut calls_by_target: BTreeMap<TargetName, u64> = BTreeMap::new();
    let mut policies = Vec::new();
    let mut samples = BTreeMap::new();
    for policy in ordered {
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
        };
        let (mut planned, sample) =
            planning.run(connection, &writer).await.map_err(|error| error.about_policy(&policy.name))?;
        let calls = calls_by_target.entry(policy.settings.target.clone()).or_default();
        *calls += planned.route.as_ref().map_or(0, |route| route.calls);
        planned.gates.push(plan::quota(&policy.settings.target, *calls, connection.calls_left));
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
    let header = PlanHeader {
        format: PLAN_FORMAT,
        tool: env!("CARGO_PKG_VERSION").into(),
        created: now.timestamp(),
        expires: expires.timestamp(),
        lineage: state.lineage.clone(),
        serial: state.serial,
        manifests: project.sealed_manifests(),
        targets,
        policies,
    };
    let digest = writer.seal(&header)?;
    let before = before.map(|bundle| bundle.header().manifests.files.clone());
    Ok(Planned { header, digest, directory, samples, before })
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
        let (comparison, picked) = self.compare(&selection, &query)?;
        let (records, sample) = self.write(writer, &selection, &layout, &picked)?;
        let cascades = count_cascades(connection, &facts, &query).await?;
        let mut gates = judge(&Judging {
            policy,
            facts: &facts,
            connection,
            cascades: &cascades,
            open: &selection.open,
            population: selection.population,
            selected: selection.selected_count(),
            history: self.history,
            now: self.now,
            moment: Moment::Plan,
        })
        .await?;
        let route = match plan::choose(&policy.settings, selection.selected_count(), &capabilities) {
            Ok(route) => (selection.selected_count() > 0).then_some(route),
            Err(verdict) => {
                gates.push(verdict);
                None
            }
        };
        let planned = PlannedPolicy {
            policy: policy.name.clone(),
            settings: policy.settings.clone(),
            query,
            population: selection.population,
            matched: selection.matched_count(),
            selected: selection.selected_count(),
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
        selection: &Selection,
        query: &Query,
    ) -> Result<(Option<Comparison>, BTreeMap<RecordId, Symbol>), CommandError> {
        let broken = |error: &dyn std::error::Error| broken_selection(&self.policy.name, error);
        let reviewed = self.awaited()?;
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
            let basis = CauseBasis {
                same_policy: self.same_policy(bundle, documents, query),
                same_holds: self.same_holds(documents),
                same_data: false,
            };
            counts.comparison(bundle.digest(), basis)
        });
        Ok((comparison, picked))
    }

    /// The records of the plan before that are still to be deleted: all of them, or, when it was applied to its end, those that
    /// were not deleted then.
    fn awaited(&self) -> Result<Box<dyn Iterator<Item = std::io::Result<RecordId>>>, CommandError> {
        let Some(bundle) = self.before else { return Ok(Box::new(std::iter::empty())) };
        if self.before_is_finished {
            let run = self.project.runs_directory().join(bundle.digest().short());
            let outcomes = run.join("outcomes").join(format!("{}.csv", self.policy.name));
            // Evidence may have been moved to where it is kept; then nothing is known to be awaited.
            let Ok(rows) = read_outcomes(&outcomes) else { return Ok(Box::new(std::iter::empty())) };
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

/// What gates judge of one policy.
pub(super) struct Judging<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Its object.
    pub facts: &'a ObjectFacts,
    /// Its system.
    pub connection: &'a Connection,
    /// What goes with the selection.
    pub cascades: &'a [CascadeCount],
    /// Cascades to held records that could not be followed to the end.
    pub open: &'a [OpenCascade],
    /// How many records the object has.
    pub population: u64,
    /// How many records would be deleted.
    pub selected: u64,
    /// What it did before.
    pub history: Option<&'a PolicyHistory>,
    /// The one clock reading of this command.
    pub now: &'a Zoned,
    /// When the gates are asked.
    pub moment: Moment,
}

/// Asks every gate but the route's.
pub(super) async fn judge(judging: &Judging<'_>) -> Result<Vec<Verdict>, CommandError> {
    let Judging { policy, facts, connection, cascades, open, population, selected, history, now, moment } = judging;
    let mut gates = vec![
        plan::max_records(&policy.settings.limits, *selected),
        plan::max_percent(&policy.settings.limits, *selected, *population),
        plan::cascade(&policy.settings.limits, *selected, cascades),
        plan::deletable(facts, connection.sealed.system, policy.settings.delete),
        plan::production(connection.identity(), connection.sealed.environment),
        plan::emptiness(&facts.name, *population, history.and_then(|history| history.population)),
        plan::review_by(policy.settings.review_by, now.date(), *moment),
        plan::held_cascade(&facts.name, open),
    ];
    if policy.settings.delete == DeleteMode::Hard {
        let found = match connection.provider.check_permission(&facts.name, DeleteMode::Hard).await {
            Ok(()) => Ok(()),
            Err(error) if error.class == ErrorClass::Denied => Err(error.help.unwrap_or(error.message)),
            Err(error) => return Err(error.into()),
        };
        gates.push(plan::hard_delete(
            &facts.name,
            connection.sealed.system,
            found.as_ref().copied().map_err(String::as_str),
        ));
    }
    Ok(gates)
}

/// The exit code of a plan: refused by a gate, or with something to delete where the caller asks for that distinction.
pub fn plan_exit(header: &PlanHeader, detailed: bool) -> Exit {
    match (header.is_refused(), detailed && header.selected() > 0) {
        (true, _) => Exit::GateRefused,
        (false, true) => Exit::ChangesPresent,
        (false, false) => Exit::Done,
    }
}
