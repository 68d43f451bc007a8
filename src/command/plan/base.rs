//! What a new plan is compared with.

use crate::base::{CommandError, Digest, RecordId};
use crate::manifest::{DocumentKind, Policy};
use crate::plan::{Query, SealedDocument};
use crate::select::{Context, Project};
use crate::state::{PlanStatus, PolicyHistory, State};
use crate::store::{Bundle, BundleError, Place, RunStore, read_outcomes};

/// Ids in ascending order.
pub(super) type Ids = Box<dyn Iterator<Item = std::io::Result<RecordId>> + Send>;

/// The plan that lay at the place before, to compare with.
pub(super) struct Before {
    pub(super) bundle: Option<Bundle>,
    /// Whether its apply is finished.
    finished: bool,
}

impl Before {
    /// A damaged bundle is told and left out.
    pub(super) fn read(context: &Context, directory: &Place, state: &State) -> Result<Self, CommandError> {
        let bundle = match Bundle::open(directory) {
            Ok(bundle) => Some(bundle),
            Err(BundleError::Missing { .. }) => None,
            Err(error @ BundleError::NotABundle { .. }) => {
                return Err(CommandError::from(error)
                    .with_help("a new plan would replace it: move it away, or name another directory with --out"));
            }
            Err(error) => {
                let place = directory.path().display();
                context
                    .observer
                    .warn(&format!("the plan in {place} cannot be read, so the new one is not compared with it: {error}"));
                None
            }
        };
        let finished =
            bundle.as_ref().is_some_and(|bundle| matches!(state.status_of(bundle.digest()), PlanStatus::Finished { .. }));
        Ok(Self { bundle, finished })
    }

    /// The records of the plan before that are still to be deleted: all of them, or, when it was applied to its end, those that
    /// were not deleted then.
    pub(super) async fn awaited(
        &self,
        context: &Context,
        project: &Project,
        policy: &Policy,
        history: Option<&PolicyHistory>,
        scratch: &Place,
    ) -> Result<Ids, CommandError> {
        let Some(bundle) = &self.bundle else { return Ok(Box::new(std::iter::empty())) };
        if self.finished {
            let runs = history.map(|history| history.runs.as_slice()).unwrap_or_default();
            // The evidence may have been moved to an archive; then nothing is known to be awaited.
            let Some(run) = runs.iter().find(|run| run.plan == bundle.digest()) else {
                return Ok(Box::new(std::iter::empty()));
            };
            let store = RunStore::new(project.store(context), run.plan);
            let scratch = scratch.join(format!("awaited.{}", policy.name));
            if store.fetch(store.outcomes(&policy.name), run.outcomes, &scratch).await.is_err() {
                return Ok(Box::new(std::iter::empty()));
            }
            let rows = read_outcomes(&scratch).map_err(|error| {
                CommandError::plain("the outcomes of the previous plan could not be read").caused_by(&error)
            })?;
            let left = rows.filter_map(|row| match row {
                Ok(row) if matches!(row.outcome.as_str(), "deleted" | "already-gone") => None,
                row => Some(row.map(|row| row.id)),
            });
            return Ok(Box::new(left));
        }
        let rows = bundle.rows(&policy.name).transpose()?;
        Ok(Box::new(rows.into_iter().flatten().map(|row| row.map(|row| row.id).map_err(std::io::Error::other))))
    }

    /// Whether a policy and the holds of its target read as they did in the plan before: the very same query, or the same document.
    pub(super) fn same_question(&self, project: &Project, policy: &Policy, query: &Query) -> bool {
        let Some(bundle) = &self.bundle else { return false };
        let (before, now) = (&bundle.header().manifests.documents, project.sealed_documents());
        let same_query = bundle.policy(&policy.name).is_some_and(|planned| planned.query == *query);
        let same = |kind: DocumentKind, name: &str| digest_of(before, kind, name) == digest_of(&now, kind, name);
        // A hold that is new, and on another target, is none of this policy.
        let elsewhere = |name: &str| {
            let hold = project.workspace.holds.values().find(|hold| hold.name.as_str() == name);
            hold.is_some_and(|hold| hold.target != policy.settings.target)
                && digest_of(before, DocumentKind::Hold, name).is_none()
        };
        let mut holds = before.iter().chain(&now).filter(|document| document.kind == DocumentKind::Hold);
        (same_query || same(DocumentKind::DeletionPolicy, policy.name.as_str()))
            && holds.all(|hold| elsewhere(&hold.name) || same(DocumentKind::Hold, &hold.name))
    }
}

fn digest_of(documents: &[SealedDocument], kind: DocumentKind, name: &str) -> Option<Digest> {
    documents.iter().find(|document| document.kind == kind && document.name == name).map(|document| document.digest)
}
