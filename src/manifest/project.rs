//! Settings that hold for a whole directory of manifests.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::{Accept, Limits};
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
    /// How old a reading of the holds may be when an apply sends something more.
    pub hold_refresh: Age,
    /// The limits of policies that name none of their own; an `everything` policy must still name its own.
    pub limits: Limits,
    /// The doubts that it accepts for every policy.
    pub accept: Accept,
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
            hold_refresh: Age::DEFAULT_HOLD_REFRESH,
            limits: Limits::default(),
            accept: Accept::default(),
            store_directory: PathBuf::from(".sexton"),
            plan_directory: PathBuf::from("plan"),
        }
    }
}

impl Project {
    /// The settings that a plan is bound to, by their keys: those that decide what a plan says or how long it lives, and stand nowhere
    /// else in it. Where plans and the store lie decides nothing, the lineage is compared with the state's, and each policy has
    /// its own limits, the project's where it names none.
    pub fn binding_settings(&self) -> BTreeMap<String, String> {
        let Self {
            name: _,
            lineage: _,
            time_zone,
            plan_expires_after,
            hold_refresh: _,
            limits: _,
            accept,
            store_directory: _,
            plan_directory: _,
        } = self;
        let zone = time_zone.iana_name().map_or_else(|| format!("{time_zone:?}"), str::to_owned);
        let mut accepted = accept.unknown_cascades.clone();
        accepted.sort_unstable();
        BTreeMap::from([
            ("timeZone".to_owned(), zone),
            ("planExpiresAfter".to_owned(), plan_expires_after.to_string()),
            ("accept.unknownCascades".to_owned(), accepted.join(", ")),
        ])
    }
}
