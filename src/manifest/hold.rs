//! Records that must not be deleted.

use std::collections::BTreeMap;

use crate::base::{HoldName, Span, TargetName};
use crate::filter::Filter;

/// Records that must not be deleted, whatever any policy says, also when the hold is younger than an approved plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its name.
    pub name: HoldName,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
    /// The target that holds the records.
    pub target: TargetName,
    /// The object, such as `Lead`.
    pub object: String,
    /// Which records.
    pub filter: Filter,
    /// Why.
    pub reason: String,
    /// Where the name stands.
    pub span: Span,
}
