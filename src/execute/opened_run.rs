//! A run, opened: its plan, its journal and where this process works on it.

use std::sync::Arc;

use super::execute_error::ExecuteError;
use super::replay::Replay;
use crate::apply::MachineSettings;
use crate::base::{Digest, PolicyName};
use crate::manifest::AllOrNone;
use crate::plan::PlannedPolicy;
use crate::store::{Backend, Bundle, BundleError, Place, RunScratch, RunStore, StoreError, fetch_bundle};

/// An opened run. Its plan is a copy of the one in the working tree, so planning meanwhile does not change it.
pub struct OpenedRun {
    /// What it keeps.
    pub store: RunStore,
    /// Where this process works on it.
    pub scratch: RunScratch,
    /// Its plan.
    pub bundle: Arc<Bundle>,
    /// What its journal says.
    pub replay: Replay,
}

/// Why a run cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The bundle is no plan, or not the one it claims to be.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The store does not have the plan of the run.
    #[error("the store does not have the plan {}", .plan.short())]
    PlanMissing {
        /// The plan.
        plan: Digest,
    },
    /// The journal or a scratch file cannot be used.
    #[error(transparent)]
    Run(#[from] ExecuteError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Run(error.into())
    }
}

impl OpenedRun {
    /// The run of the bundle at a place in the working tree, whether it was begun before or not. It is worked on in `scratch`.
    ///
    /// # Errors
    ///
    /// When it is no bundle, or what was kept of its run cannot be read.
    pub async fn of_bundle(
        backend: &Arc<dyn Backend>,
        scratch: RunScratch,
        bundle: &Place,
        settings: &impl Fn(&PlannedPolicy) -> Option<MachineSettings>,
    ) -> Result<Self, OpenError> {
        let bundle = Bundle::open_copy(bundle, &scratch.place().join("bundle"))?;
        Self::open(backend, scratch, bundle, settings).await
    }

    /// Opens a run that has begun, from the store alone. `scratch` is for its scratch files.
    ///
    /// # Errors
    ///
    /// [`OpenError::PlanMissing`] when the store does not have its plan; else when what was kept of it cannot be read.
    pub async fn of_begun(
        backend: &Arc<dyn Backend>,
        scratch: RunScratch,
        plan: Digest,
        settings: &impl Fn(&PlannedPolicy) -> Option<MachineSettings>,
    ) -> Result<Self, OpenError> {
        let place = scratch.place().join("bundle");
        if !fetch_bundle(&RunStore::new(Arc::clone(backend), plan), &place).await? {
            return Err(OpenError::PlanMissing { plan });
        }
        let bundle = Bundle::open(&place)?;
        Self::open(backend, scratch, bundle, settings).await
    }

    /// Forgets what an earlier attempt left that ended before its first request.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn start_over(
        &mut self,
        settings: &impl Fn(&PlannedPolicy) -> Option<MachineSettings>,
    ) -> Result<(), StoreError> {
        self.store.remove().await?;
        self.replay = Replay::empty(policies_of(&self.bundle, settings));
        Ok(())
    }

    async fn open(
        backend: &Arc<dyn Backend>,
        scratch: RunScratch,
        bundle: Bundle,
        settings: &impl Fn(&PlannedPolicy) -> Option<MachineSettings>,
    ) -> Result<Self, OpenError> {
        let store = RunStore::new(Arc::clone(backend), bundle.digest());
        let replay = Replay::read(&store, policies_of(&bundle, settings)).await?;
        Ok(Self { store, scratch, bundle: Arc::new(bundle), replay })
    }
}

fn policies_of(
    bundle: &Bundle,
    settings: &impl Fn(&PlannedPolicy) -> Option<MachineSettings>,
) -> Vec<(PolicyName, MachineSettings)> {
    let planned = bundle.header().policies.iter();
    planned.filter_map(|planned| Some((planned.policy.clone(), settings(planned)?))).collect()
}

/// What the machine of a planned policy is told; `None` for one without records, for which nothing is done. `seed` is what its
/// pauses are drawn from.
pub fn machine_settings(planned: &PlannedPolicy, seed: u64) -> Option<MachineSettings> {
    let route = planned.run_route()?;
    let serial = planned.settings.concurrency == crate::manifest::Concurrency::Serial;
    Some(MachineSettings {
        shape: route.api.shape(),
        same_size: planned.settings.all_or_none != AllOrNone::No || is_grouped(planned),
        batch_size: route.batch_size,
        transaction: route.api.transaction().unwrap_or(route.batch_size),
        parallel: if serial { 1 } else { route.parallel },
        // Policies of one run do not all come back at the same moment.
        seed: planned.policy.as_str().bytes().fold(seed, |seed, byte| seed.rotate_left(5) ^ u64::from(byte)),
    })
}

/// Whether the ids of a round say which records go in one batch.
pub fn is_grouped(planned: &PlannedPolicy) -> bool {
    planned.settings.group_by.is_some() || planned.settings.all_or_none == AllOrNone::PerRequest
}
