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
    /// Where the object's name stands.
    pub object_span: Span,
    /// Whether it also keeps records that look up to those it names.
    pub children: HeldChildren,
    /// Why.
    pub reason: String,
    /// Where the name stands.
    pub span: Span,
}

/// Which records a hold keeps beside those it names: records of policies' objects that look up to a named one.
///
/// It is not about cascades: a record whose deletion would take a held one with it is always kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HeldChildren {
    /// None.
    #[default]
    None,
    /// Those that look up to a named record by any field of which the system says that it does.
    All,
    /// Those that look up to a named record by one of these fields.
    By(Vec<ChildLookup>),
}

/// A field by which records of one object look up to those of another, written `Case.AccountId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildLookup {
    /// The object that has the field.
    pub object: String,
    /// The field, or in Salesforce the path to it, such as `Parent.AccountId`.
    pub field: String,
    /// Where it stands.
    pub span: Span,
}
