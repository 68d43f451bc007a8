//! Settings that hold for a whole directory of manifests.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::Limits;
use crate::base::{Age, ProjectName};

/// Settings of a project: at most one document of this kind in a directory of manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its name; `None` where no document gives one.
    pub name: Option<ProjectName>,
    /// The lineage that its state must have; `None` where no document gives one, and the first plan makes it.
    pub lineage: Option<String>,
    /// The zone in which `olderThan: 3 years` counts its calendar.
    pub time_zone: TimeZone,
    /// How long a plan may wait for its apply.
    pub plan_expires_after: Age,
    /// The limits of policies that name none of their own; an `everything` policy must still name its own.
    pub limits: Limits,
    /// The directory of the store, relative to the project's directory.
    pub store_directory: PathBuf,
    /// The bundle's directory, relative to the project's directory.
    pub plan_directory: PathBuf,
}

impl Default for Project {
    /// The defaults: UTC, plans that expire after seven days, and the usual directories.
    fn default() -> Self {
        Self {
            name: None,
            lineage: None,
            time_zone: TimeZone::UTC,
            plan_expires_after: Age::DEFAULT_PLAN_LIFE,
            limits: Limits::default(),
            store_directory: PathBuf::from(".sexton"),
            plan_directory: PathBuf::from("plan"),
        }
    }
}
