//! Where a record's values are found.

/// Where a field's value is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sandbox) enum Place {
    /// The record's own key.
    Id,
    /// Whether the record is in the recycle bin.
    IsDeleted,
    /// When it was made.
    CreatedDate,
    /// Who made it: the world's first user.
    CreatedById,
    /// When a user last changed it.
    LastModifiedDate,
    /// Who last changed it: the world's first user.
    LastModifiedById,
    /// When anybody, the system included, last changed it.
    SystemModstamp,
    /// One of the object's own fields, by position.
    Field(usize),
}

/// The fields every object has, in the order a description lists them.
pub(in crate::sandbox) const SYSTEM_FIELDS: [(&str, Place); 7] = [
    ("Id", Place::Id),
    ("IsDeleted", Place::IsDeleted),
    ("CreatedDate", Place::CreatedDate),
    ("CreatedById", Place::CreatedById),
    ("LastModifiedDate", Place::LastModifiedDate),
    ("LastModifiedById", Place::LastModifiedById),
    ("SystemModstamp", Place::SystemModstamp),
];
