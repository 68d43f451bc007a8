//! A run that was begun, opened again.

use std::sync::Arc;

use crate::base::{CommandError, Digest};
use crate::execute::{OpenError, OpenedRun, machine_settings};
use crate::plan::PlannedPolicy;
use crate::select::{Context, Project};
use crate::store::{Backend, Bundle, FileKind, Place, RunScratch, RunStore, fetch_bundle};

/// The plan of a run, as the store or else the working tree has it.
pub(in crate::command) async fn kept_plan(store: &RunStore, project: &Project, scratch: &Place) -> Option<Bundle> {
    let place = scratch.join("plan");
    match fetch_bundle(store, &place).await {
        Ok(true) => Bundle::open(&place).ok(),
        _ => in_working_tree(project, store.plan()).and_then(|place| Bundle::open(&place).ok()),
    }
}

/// Where the bundle of a plan lies in the working tree: in the plan directory, or up to two directories below the one that it stands
/// in, as in `plans/pr-17`.
fn in_working_tree(project: &Project, plan: Digest) -> Option<Place> {
    let directories = |place: &Place| -> Vec<Place> {
        let names = place.list().unwrap_or_default().into_iter();
        let shown = names.filter(|name| !name.as_encoded_bytes().starts_with(b"."));
        let places = shown.map(|name| place.join(name));
        let is_directory = |place: &Place| place.metadata().is_ok_and(|metadata| metadata.kind == FileKind::Directory);
        places.filter(is_directory).collect()
    };
    let is_it = |place: &Place| Bundle::digest_at(place) == Some(plan);
    let own = project.plan_directory();
    let beside = directories(&own.parent());
    let below = beside.iter().flat_map(directories);
    std::iter::once(own).chain(beside.iter().cloned()).chain(below).find(is_it)
}

/// A run that was begun before, from what the store has of it. Where the store has lost the plan, a copy in the working tree does
/// as well: its digest is its name.
///
/// # Errors
///
/// When the scratch files cannot be made: then nothing is known of the run, and it is not lost.
pub(in crate::command) async fn open_begun(
    context: &Context,
    project: &Project,
    plan: Digest,
) -> Result<Result<OpenedRun, OpenError>, CommandError> {
    let settings = |planned: &PlannedPolicy| machine_settings(planned, context.seed);
    let backend = project.store(context) as Arc<dyn Backend>;
    let scratch = || RunScratch::new(&project.scratch_directory(), &(context.fresh_id)());
    let opened = OpenedRun::of_begun(&backend, scratch()?, plan, &settings).await;
    if let Err(OpenError::PlanMissing { .. }) = &opened
        && let Some(place) = in_working_tree(project, plan)
        && let Ok(copy) = OpenedRun::of_bundle(&backend, scratch()?, &place, &settings).await
        && copy.bundle.digest() == plan
    {
        return Ok(Ok(copy));
    }
    Ok(opened)
}
