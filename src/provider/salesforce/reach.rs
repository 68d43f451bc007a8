//! How a query reaches every record of an object.

use std::sync::Arc;

use crate::plan::ObjectFacts;

/// What a query has to know of an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ObjectShape {
    /// The object's name in the system's own spelling.
    pub(super) name: String,
    /// The first three characters of its records' ids; some objects have none of their own.
    pub(super) key_prefix: Option<String>,
    /// Whether a row says that it is deleted. `GroupMember` and `PermissionSetAssignment` do not (documented).
    pub(super) has_is_deleted: bool,
    /// Whether rows may be archived, which `query` leaves out and `queryAll` shows (documented for tasks and events).
    pub(super) has_is_archived: bool,
}

impl ObjectShape {
    /// Takes what matters of a description.
    pub(super) fn of(facts: &ObjectFacts) -> Self {
        Self {
            name: facts.name.clone(),
            key_prefix: facts.key_prefix.clone(),
            has_is_deleted: facts.field("IsDeleted").is_some(),
            has_is_archived: facts.field("IsArchived").is_some(),
        }
    }
}

/// How a query reaches every record that is not deleted, and none that is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// The object that is asked.
    pub(super) shape: Arc<ObjectShape>,
    /// `query` or `queryAll`, which is also what the operation of a query job is called.
    pub(super) resource: &'static str,
    /// The condition that is sent.
    pub(super) condition: Option<String>,
}
