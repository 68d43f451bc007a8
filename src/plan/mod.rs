//! What would be deleted: selection, holds, gates, order, route, comparison and seal. No I/O.
//!
//! Rows never pass through here as a whole: this folder decides on numbers and on sorted streams of ids, so that a plan
//! of ten million records needs no more memory than a plan of ten.

mod attribution;
mod calls;
mod cascade;
mod cascade_graph;
mod changed_document;
mod compare;
mod count;
mod facts;
mod gate;
mod header;
mod hold;
mod merge;
mod order;
mod overlap;
mod plan_base;
mod query;
mod route;
mod schema;
mod symbol;
#[cfg(test)]
mod test_policy;
mod totals;

pub use attribution::{Attribution, EarlierCondition, Widening};
pub use calls::{CallsNeeded, PolicyCalls, TargetCalls};
pub use cascade::CascadeCount;
pub use cascade_graph::{CascadeEdge, CascadeGraph, Climb};
pub use changed_document::{ChangedDocument, changed_documents};
pub use compare::{Difference, DifferenceCounts, compare};
pub use count::{Count, Population};
pub use facts::{ChildRelationship, FieldFacts, Identity, ObjectFacts};
pub use gate::{
    CLOCK_TOLERANCE, FindingKind, GATES, Gate, GateFinding, GateInput, Occasion, OpenCascade, Permission, Restriction,
    judge, judge_begun,
};
pub use header::{
    Comparison, CountCause, HeaderError, PLAN_FORMAT, PlanHeader, PlannedPolicy, RecordsSeal, SampledRecord, SealedDocument,
    SealedManifests, SealedTarget,
};
pub use hold::{HeldBecause, HeldCount, HeldWay, HoldReach, PlannedHold, names_nothing};
pub use merge::{Keyed, MergeError, RecheckVerdict, intersect, recheck, subtract};
pub use order::order;
pub use overlap::{Claims, MixedDeletion, PlannedElsewhere, claims};
pub use plan_base::{BaseKind, PlanBase};
pub use query::{IdList, Matching, MissingIds, PlannedQuery, Query, Row};
pub use route::{NoRoute, Route, choose};
pub use schema::plan_schema;
pub use symbol::Symbol;
#[cfg(test)]
use test_policy::test_policy;
#[cfg(test)]
pub(crate) use test_policy::test_settings;
pub use totals::{ObjectTotal, PlanTotal, Share, Together, Totals};
