//! A run that was begun, opened again.

use std::sync::Arc;

use crate::base::{CommandError, Digest};
use crate::execute::{OpenError, OpenedRun, machine_settings};
use crate::plan::PlannedPolicy;
use crate::select::{Context, Project};
use crate::store::{Backend, Bundle, Place, RunScratch, RunStore, fetch_bundle};

/// The plan of a run, as the store or else the working tree has it.
pub(in crate::command) async fn kept_plan(store: &RunStore, project: &Project, scratch: &Place) -> Option<Bundle> {
    let place = scratch.join("plan");
    match fetch_bundle(store, &place).await {
        Ok(true) => Bundle::open(&place).ok(),
        _ => Bundle::open(&project.plan_directory()).ok().filter(|bundle| bundle.digest() == store.plan()),
    }
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
        && let Ok(copy) = OpenedRun::of_bundle(&backend, scratch()?, &project.plan_directory(), &settings).await
        && copy.bundle.digest() == plan
    {
        return Ok(Ok(copy));
    }
    Ok(opened)
}
