//! Settings that hold for a whole directory of manifests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Zoned;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

use super::{Accept, Limits};
use crate::base::{Age, AgeError, Percent, ProjectName, Span};

/// What becomes of the other policies of a plan when a gate refuses one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, EnumIter, IntoStaticStr)]
#[schemars(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum OnRefusal {
    /// Nothing is deleted.
    Stop,
    /// They are applied; the records of the refused one, and of those that depend on it, are skipped.
    Skip,
}

/// What bounds all policies of a plan together, beside the limits of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SharedLimits {
    /// The most records of one object of a target, if the project gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_max_records: Option<u64>,
    /// The largest share of the records of one object of a target, if the project gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_max_percent: Option<Percent>,
    /// The most records of a whole plan; there is no default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_max_records: Option<u64>,
}

impl SharedLimits {
    /// The bound of one object. What the project does not give is the largest limit of any one of the object's `policies`.
    pub fn of_object(&self, policies: impl Iterator<Item = Limits>) -> Limits {
        let none = Limits { max_records: 0, max_percent: Percent::NONE };
        let largest = policies.fold(none, |largest, limits| Limits {
            max_records: largest.max_records.max(limits.max_records),
            max_percent: largest.max_percent.max(limits.max_percent),
        });
        Limits {
            max_records: self.object_max_records.unwrap_or(largest.max_records),
            max_percent: self.object_max_percent.unwrap_or(largest.max_percent),
        }
    }
}

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
    /// The most records that each of them may add to the base, and where that stands; a policy's own counts before it.
    pub max_widened: Option<(u64, Span)>,
    /// The doubts that it accepts for every policy.
    pub accept: Accept,
    /// What becomes of the other policies when a gate refuses one.
    pub on_refusal: OnRefusal,
    /// What bounds all policies of a plan together.
    pub shared_limits: SharedLimits,
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
            max_widened: None,
            accept: Accept::default(),
            on_refusal: OnRefusal::Stop,
            shared_limits: SharedLimits::default(),
            store_directory: PathBuf::from(".sexton"),
            plan_directory: PathBuf::from("plan"),
        }
    }
}

impl Project {
    /// How old a reading of the holds may be, counted from `now`.
    ///
    /// # Errors
    ///
    /// When that ends outside the calendar.
    pub fn hold_refresh_from(&self, now: &Zoned) -> Result<Duration, AgeError> {
        let end = self.hold_refresh.after(now)?;
        Ok(Duration::try_from(end.timestamp().duration_since(now.timestamp())).unwrap_or_default())
    }

    /// The settings that a plan is bound to, by their keys: those that decide what a plan says or how long it lives, and stand nowhere
    /// else in it. Where plans and the store lie decides nothing, the lineage is compared with the state's, and each policy has
    /// its own limits, the project's where it names none. Of limits for all policies together the stricter ones hold, then or now.
    pub fn binding_settings(&self) -> BTreeMap<String, String> {
        let Self {
            name: _,
            lineage: _,
            time_zone,
            plan_expires_after,
            hold_refresh: _,
            limits: _,
            max_widened: _,
            accept,
            shared_limits: _,
            on_refusal: _,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_records: u64, percent: u16) -> Limits {
        Limits { max_records, max_percent: Percent::whole(percent).expect("valid") }
    }

    #[test]
    fn an_object_is_bound_by_what_the_project_gives_and_else_by_the_largest_limit_of_a_policy() {
        let policies = [limits(100, 30), limits(500, 5)];
        let of = |shared: SharedLimits| shared.of_object(policies.into_iter());
        assert_eq!(of(SharedLimits::default()), limits(500, 30));
        assert_eq!(of(SharedLimits { object_max_records: Some(7), ..SharedLimits::default() }), limits(7, 30));
        let percent = Some(limits(0, 60).max_percent);
        assert_eq!(of(SharedLimits { object_max_percent: percent, ..SharedLimits::default() }), limits(500, 60));
    }
}
