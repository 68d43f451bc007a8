//! What is to be applied.

use std::path::PathBuf;

use crate::manifest::OnRefusal;

/// Which plan is to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanToApply {
    /// The bundle at that place.
    Bundle(PathBuf),
    /// The one whose run is unfinished, from what the store has of it.
    Unfinished,
}

/// What is to be applied.
#[derive(Clone, Debug)]
pub struct ApplyRequest {
    /// The directory that holds the manifests.
    pub project: PathBuf,
    /// The plan.
    pub plan: PlanToApply,
    /// Targets that were confirmed by name; hard deletes need it.
    pub confirmed_targets: Vec<String>,
    /// Whether an atomic group that fails is sent again in halves, until the record that fails is alone. It is for
    /// `allOrNone: perRequest` only.
    pub isolate_failures: bool,
    /// The most records that the run may delete; it only lowers the limits of the manifests.
    pub max_records: Option<u64>,
    /// What becomes of the other policies when a gate refuses one; what the project says when `None`.
    pub on_refusal: Option<OnRefusal>,
}
