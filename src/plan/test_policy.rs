//! A policy for tests, to be changed by struct update.

use std::collections::BTreeMap;

use crate::base::{PolicyName, SourceMap, Span, TargetName};
use crate::filter::Filter;
use crate::manifest::{Accept, AllOrNone, Concurrency, Limits, Policy, PolicySettings, Recheck, SendAs};
use crate::system::DeleteMode;

/// A policy for all leads.
pub(super) fn test_policy() -> Policy {
    let span = Span { source: SourceMap::default().add("test.yaml", ""), start: 0, end: 0 };
    Policy {
        name: PolicyName::new("stale-leads").expect("valid"),
        labels: BTreeMap::new(),
        filter: Filter::Everything,
        settings: test_settings(),
        object_span: span,
        max_widened_span: None,
        span,
    }
}

/// A soft deletion of leads with the default limits and nothing else asked.
pub(crate) fn test_settings() -> PolicySettings {
    PolicySettings {
        target: TargetName::new("crm").expect("valid"),
        object: "Lead".into(),
        delete: DeleteMode::Soft,
        justification: None,
        all_or_none: AllOrNone::No,
        limits: Limits::default(),
        max_widened: None,
        via: None,
        batch_size: None,
        concurrency: Concurrency::Parallel,
        group_by: None,
        depends_on: Vec::new(),
        recheck: Recheck::Matches,
        send_as: SendAs::Ids,
        review_fields: Vec::new(),
        review_by: None,
        accept: Accept::default(),
    }
}
