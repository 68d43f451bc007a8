//! What a new plan is compared with: the base, which was reviewed, or else the plan that lies where the new one goes.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::earlier::EarlierPlan;
use crate::base::{CommandError, Digest, Exit, PolicyName, RecordId};
use crate::manifest::{DocumentKind, Policy};
use crate::plan::{BaseKind, PlanBase, SealedDocument, SealedManifests};
use crate::select::{Context, Project};
use crate::state::{PlanStatus, RunSummary, State};
use crate::store::{
    Bundle, BundleError, FileKind, Place, RevisionBundle, RevisionError, RunStore, fetch_bundle, kept_header, read_outcomes,
};

/// Ids in ascending order.
pub(super) type Ids = Box<dyn Iterator<Item = io::Result<RecordId>> + Send>;

/// The fewest digits that name a plan.
const FEWEST_DIGITS: usize = 12;

/// What a new plan is compared with, opened.
pub(super) struct Base {
    /// What the new plan seals of it; `None` where there is nothing to compare with.
    pub(super) sealed: Option<PlanBase>,
    /// The bundle; `None` where the policies' own last runs are the base.
    bundle: Option<Bundle>,
    /// The headers of the plans that are in it, where the store has them.
    headers: BTreeMap<Digest, EarlierPlan>,
    /// Where the records of each policy are.
    sources: BTreeMap<PolicyName, Source>,
}

/// The records of one policy that the base has.
enum Source {
    /// Those of the bundle.
    Bundle,
    /// Those that were not deleted when the plan was applied, by the outcomes in a scratch file.
    Outcomes(Digest, Place),
    /// Not known any more.
    Unknown,
}

/// Where to look for a base.
pub(super) struct Search<'a> {
    pub(super) context: &'a Context,
    pub(super) project: &'a Project,
    pub(super) state: &'a State,
    /// Where the new plan goes.
    pub(super) directory: &'a Place,
    /// For files that are of use only while the plan is made.
    pub(super) scratch: &'a Place,
}

impl Search<'_> {
    /// The base that `named` names; where nothing is named, the plans last applied; where none was, the plan that lies where the new
    /// one goes.
    pub(super) async fn find(&self, named: Option<&str>) -> Result<Base, CommandError> {
        if let Some(named) = named {
            return match self.named(named).await? {
                Some((sealed, bundle)) => self.of_bundle(sealed, bundle).await,
                None => Ok(Base { sealed: None, bundle: None, headers: BTreeMap::new(), sources: BTreeMap::new() }),
            };
        }
        if let Some(base) = self.applied().await? {
            return Ok(base);
        }
        match self.lies_here()? {
            Some(bundle) => self.of_bundle(base_of(BaseKind::LayHere, &bundle), bundle).await,
            None => Ok(Base { sealed: None, bundle: None, headers: BTreeMap::new(), sources: BTreeMap::new() }),
        }
    }

    /// A base that was named: a directory, a plan in the store, or a git revision, in this order. A revision without a plan is none.
    async fn named(&self, named: &str) -> Result<Option<(PlanBase, Bundle)>, CommandError> {
        let place = self.context.place(named);
        if place.resolved_metadata().is_ok_and(|metadata| metadata.kind == FileKind::Directory) {
            let bundle = Bundle::open(&place).map_err(|error| unusable_base(named, error))?;
            let resolved = |place: &Place| place.files().resolve(place.path()).ok();
            let same = resolved(&place).is_some_and(|place| resolved(self.directory).as_ref() == Some(&place));
            if same {
                self.context.observer.warn(&format!(
                    "`{named}` is where the new plan goes: the plan that lies there is compared with, and reviews nothing"
                ));
            }
            let kind = if same { BaseKind::LayHere } else { BaseKind::Directory };
            return Ok(Some((base_of(kind, &bundle), bundle)));
        }
        if let Some(bundle) = self.kept(named).await? {
            return Ok(Some((base_of(BaseKind::Store, &bundle), bundle)));
        }
        let (revision, directory) = match named.split_once(':') {
            Some((revision, directory)) => (revision, self.context.place(Path::new(directory))),
            None => (named, self.directory.clone()),
        };
        self.revision(revision, &directory).await
    }

    /// The bundle that the store has of a plan, by its digest or the first digits of it.
    async fn kept(&self, digits: &str) -> Result<Option<Bundle>, CommandError> {
        if digits.len() < FEWEST_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let digits = digits.to_ascii_lowercase();
        let Some(used) = self.state.consumed.iter().find(|used| used.plan.to_string().starts_with(&digits)) else {
            return Ok(None);
        };
        let into = self.scratch.join("base");
        if !fetch_bundle(&RunStore::new(self.project.store(self.context), used.plan), &into).await? {
            return Err(CommandError::plain(format!("the store does not have the plan {} any more", used.plan.short()))
                .with_help("name a directory or a git revision that has it"));
        }
        Bundle::open(&into).map(Some).map_err(|error| unusable_base(&digits, error))
    }

    /// The bundle that a git revision has in a directory.
    async fn revision(&self, revision: &str, directory: &Place) -> Result<Option<(PlanBase, Bundle)>, CommandError> {
        let git = self.context.git.as_ref();
        let found = RevisionBundle::find(git, directory, revision).await.map_err(|error| unknown_base(revision, &error))?;
        let into = self.scratch.join("base");
        if !found.fetch(&into).await.map_err(|error| CommandError::from_error(Exit::Error, &error))? {
            let place = directory.path().display();
            self.context
                .observer
                .warn(&format!("the revision `{revision}` has no plan in {place}: nothing was reviewed yet"));
            return Ok(None);
        }
        let bundle = Bundle::open(&into).map_err(|error| unusable_base(revision, error))?;
        let commit = Some(found.commit().to_owned());
        let sealed = PlanBase { revision: Some(revision.to_owned()), commit, ..base_of(BaseKind::Revision, &bundle) };
        Ok(Some((sealed, bundle)))
    }

    /// What lies where the new plan goes. A damaged bundle is told and left out.
    fn lies_here(&self) -> Result<Option<Bundle>, CommandError> {
        match Bundle::open(self.directory) {
            Ok(bundle) => Ok(Some(bundle)),
            Err(BundleError::Missing { .. }) => Ok(None),
            Err(error) => {
                let place = self.directory.path().display();
                self.context
                    .observer
                    .warn(&format!("the plan in {place} cannot be read, so the new one is not compared with it: {error}"));
                Ok(None)
            }
        }
    }

    async fn of_bundle(&self, sealed: PlanBase, bundle: Bundle) -> Result<Base, CommandError> {
        let finished = matches!(self.state.status_of(bundle.digest()), PlanStatus::Finished { .. });
        let reviews = sealed.kind.reviews();
        let mut sources = BTreeMap::new();
        for planned in &bundle.header().policies {
            if reviews && planned.is_refused() {
                let (policy, plan) = (&planned.policy, bundle.digest().short());
                self.context
                    .observer
                    .warn(&format!("the base {plan} has reviewed nothing of policy `{policy}`, which is refused there"));
                continue;
            }
            let source = if finished {
                let history = self.state.policies.get(&planned.policy);
                let run = history.and_then(|history| history.runs.iter().find(|run| run.plan == bundle.digest()));
                self.outcomes(&planned.policy, run).await
            } else {
                Source::Bundle
            };
            sources.insert(planned.policy.clone(), source);
        }
        let header = bundle.header().clone();
        let earlier = if reviews { EarlierPlan::reviewed(header) } else { EarlierPlan::of(header) };
        let headers = BTreeMap::from([(bundle.digest(), earlier)]);
        Ok(Base { sealed: Some(sealed), bundle: Some(bundle), headers, sources })
    }

    /// For every policy the plan that it was last applied in and not refused, of which only what was not deleted counts.
    async fn applied(&self) -> Result<Option<Base>, CommandError> {
        let finished = self.state.consumed.iter().filter_map(|used| Some((used.finished?, used.plan)));
        let Some((_, last)) = finished.max_by_key(|(at, _)| *at) else { return Ok(None) };
        let mut headers = BTreeMap::new();
        self.add_header(last, &mut headers).await;
        let mut sources = BTreeMap::new();
        for policy in self.project.workspace.policies.keys() {
            let Some(history) = self.state.policies.get(policy) else { continue };
            for run in history.runs.iter().rev() {
                self.add_header(run.plan, &mut headers).await;
                let source = match headers.get(&run.plan) {
                    // An apply that skipped it as refused has carried out nothing of it.
                    Some(earlier) if !earlier.has(policy) => continue,
                    Some(_) => self.outcomes(policy, Some(run)).await,
                    None => self.unknown(policy, run.plan, "the store does not have it any more"),
                };
                sources.insert(policy.clone(), source);
                break;
            }
        }
        let sealed = PlanBase { kind: BaseKind::Applied, plan: last, revision: None, commit: None };
        Ok(Some(Base { sealed: Some(sealed), bundle: None, headers, sources }))
    }

    /// A header that the store does not have, or that cannot be read any more, only leaves unknown what the manifests said.
    async fn add_header(&self, plan: Digest, headers: &mut BTreeMap<Digest, EarlierPlan>) {
        if headers.contains_key(&plan) {
            return;
        }
        let run = RunStore::new(self.project.store(self.context), plan);
        if let Ok(Some(header)) = kept_header(&run).await {
            headers.insert(plan, EarlierPlan::reviewed(header));
        }
    }

    /// What a finished run left; the evidence may have been moved to an archive.
    async fn outcomes(&self, policy: &PolicyName, run: Option<&RunSummary>) -> Source {
        let Some(run) = run else { return Source::Unknown };
        let store = RunStore::new(self.project.store(self.context), run.plan);
        let place = self.scratch.join(format!("base.{policy}"));
        match store.fetch(store.outcomes(policy), run.outcomes, &place).await {
            Ok(()) => Source::Outcomes(run.plan, place),
            Err(error) => self.unknown(policy, run.plan, &error.to_string()),
        }
    }

    fn unknown(&self, policy: &PolicyName, plan: Digest, why: &str) -> Source {
        let plan = plan.short();
        self.context.observer.warn(&format!(
            "policy `{policy}` is compared with nothing: what the plan {plan} left cannot be read from the store: {why}"
        ));
        Source::Unknown
    }
}

fn base_of(kind: BaseKind, bundle: &Bundle) -> PlanBase {
    PlanBase { kind, plan: bundle.digest(), revision: None, commit: None }
}

fn unusable_base(named: &str, error: BundleError) -> CommandError {
    let cause = CommandError::from(error);
    CommandError { exit: Exit::Error, ..cause }.with_note(format!("it was to be the base: `{named}`"))
}

fn unknown_base(named: &str, error: &RevisionError) -> CommandError {
    let error = CommandError::from_error(Exit::Error, error);
    error.with_note(format!("`{named}` is no directory, and no plan in the store has that digest")).with_help(
        "name a directory with a plan, the digest of a plan that was applied, or a git revision that is fetched; `REVISION:DIR` \
         names another directory of the revision",
    )
}

impl Base {
    /// Whether what is in it was reviewed.
    pub(super) fn reviews(&self) -> bool {
        self.sealed.as_ref().is_some_and(|base| base.kind.reviews())
    }

    /// The manifests as they were then; `None` where that is not known.
    pub(super) fn manifests(&self) -> Option<&SealedManifests> {
        Some(&self.headers.get(&self.sealed.as_ref()?.plan)?.header.manifests)
    }

    /// The plan that a policy is compared with, as far as more than its digest is known.
    pub(super) fn earlier(&self, policy: &PolicyName) -> Option<&EarlierPlan> {
        self.headers.get(&self.plan_of(policy)?)
    }

    /// The plan that a policy is compared with; `None` where nothing is known of it.
    pub(super) fn plan_of(&self, policy: &PolicyName) -> Option<Digest> {
        let sealed = self.sealed.as_ref()?;
        match self.sources.get(policy) {
            Some(Source::Unknown) => None,
            Some(Source::Outcomes(plan, _)) => Some(*plan),
            Some(Source::Bundle) | None => Some(sealed.plan),
        }
    }

    /// The records of a policy that are still to be deleted by the base: all of them, or, when it was applied to its end, those that
    /// were not deleted then.
    pub(super) fn awaited(&self, policy: &PolicyName) -> Result<Ids, CommandError> {
        match (self.sources.get(policy), &self.bundle) {
            (Some(Source::Bundle), Some(bundle)) => {
                let rows = bundle.rows(policy).transpose()?;
                Ok(Box::new(rows.into_iter().flatten().map(|row| row.map(|row| row.id).map_err(io::Error::other))))
            }
            (Some(Source::Outcomes(_, place)), _) => {
                let rows = read_outcomes(place)
                    .map_err(|error| CommandError::plain("the outcomes of the base could not be read").caused_by(&error))?;
                Ok(Box::new(rows.filter_map(|row| match row {
                    Ok(row) if matches!(row.outcome.as_str(), "deleted" | "already-gone") => None,
                    row => Some(row.map(|row| row.id)),
                })))
            }
            _ => Ok(Box::new(std::iter::empty())),
        }
    }

    /// Whether the holds of a policy's target read otherwise than they did then; so it is where nothing is known of them.
    pub(super) fn holds_changed(&self, project: &Project, policy: &Policy) -> bool {
        let Some(EarlierPlan { header, .. }) = self.earlier(&policy.name) else { return true };
        let (before, now) = (&header.manifests.documents, project.sealed_documents());
        let differs = |name: &str| digest_of_hold(before, name) != digest_of_hold(&now, name);
        // A hold that is new, and on another target, is none of this policy.
        let elsewhere = |name: &str| {
            let hold = project.workspace.holds.values().find(|hold| hold.name.as_str() == name);
            hold.is_some_and(|hold| hold.target != policy.settings.target) && digest_of_hold(before, name).is_none()
        };
        let mut holds = before.iter().chain(&now).filter(|document| document.kind == DocumentKind::Hold);
        holds.any(|hold| !elsewhere(&hold.name) && differs(&hold.name))
    }
}

/// What tells whether a hold reads as it did.
fn digest_of_hold(documents: &[SealedDocument], name: &str) -> Option<(Digest, Option<Digest>)> {
    let mut holds = documents.iter().filter(|document| document.kind == DocumentKind::Hold);
    holds
        .find(|document| document.name == name)
        .map(|document| (document.digest, document.list.as_ref().map(|list| list.digest)))
}
