//! What would be deleted: selection, holds, gates, order, route, comparison and seal. No I/O.
//!
//! Rows never pass through here as a whole: this room decides on numbers and on sorted streams of ids, so that a plan
//! of ten million records needs no more memory than a plan of ten.

mod cascade;
mod compare;
mod facts;
mod gate;
mod header;
mod merge;
mod order;
mod query;
mod route;
#[cfg(test)]
mod test_policy;

pub use cascade::{CascadeCount, cascade, cascade_growth};
pub use compare::{CauseBasis, Difference, DifferenceCounts, Symbol, cause, compare};
pub use facts::{ChildRelationship, FieldFacts, Identity, ObjectFacts};
pub use gate::{
    GateName, Moment, OpenCascade, Verdict, deletable, emptiness, hard_delete, held_cascade, max_percent, max_records,
    production, quota, review_by,
};
pub use header::{
    Comparison, CountCause, HeaderError, HeldCount, PLAN_FORMAT, PlanHeader, PlannedPolicy, RecordsSeal, SealedFile,
    SealedManifests, SealedTarget,
};
pub use merge::{Keyed, MergeError, RecheckVerdict, intersect, recheck, subtract};
pub use order::{OrderError, order};
pub use query::{Query, Row};
pub use route::{Route, choose};
#[cfg(test)]
use test_policy::{test_policy, test_settings};
