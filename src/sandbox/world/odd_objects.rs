//! Objects that lack what most have.

use super::definition::{FieldKind, Lookup, ObjectDefinition};

/// Objects whose records do not say that they are deleted: `GroupMember` (the field reference) and `PermissionSetAssignment` (seen by
/// clients); and one that bulk jobs refuse: `ApexLog` (seen by clients).
pub fn odd_objects() -> Vec<ObjectDefinition> {
    let user = || FieldKind::from(Lookup::to(&["User"], "User"));
    let mut member = ObjectDefinition::new("GroupMember", "Group Member", "Group Members", *b"011")
        .named_by("Id")
        .with("GroupId", FieldKind::Text(18))
        .with("UserOrGroupId", user());
    let mut assignment =
        ObjectDefinition::new("PermissionSetAssignment", "Permission Set Assignment", "Permission Set Assignments", *b"0Pa")
            .named_by("Id")
            .with("PermissionSetId", FieldKind::Text(18))
            .with("AssigneeId", user());
    for object in [&mut member, &mut assignment] {
        object.has_is_deleted = false;
        object.undeletable = false;
    }
    let mut log = ObjectDefinition::new("ApexLog", "Apex Debug Log", "Apex Debug Logs", *b"07L")
        .named_by("Id")
        .with("Operation", FieldKind::Text(255))
        .with("Status", FieldKind::Text(255))
        .with("LogLength", FieldKind::Integer)
        .with("StartTime", FieldKind::DateTime)
        .with("LogUserId", user());
    log.bulk = false;
    log.undeletable = false;
    vec![member, assignment, log]
}
