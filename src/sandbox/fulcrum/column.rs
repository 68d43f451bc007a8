//! The columns of a form's table: the system's first, then the form's own.

/// The kind of a column, by the names the Query API and PostgreSQL have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// True or false: conditions, no columns.
    Boolean,
    /// Whole numbers.
    Integer,
    /// Numbers.
    Double,
    /// Text.
    Text,
    /// Moments.
    Timestamp,
    /// Days.
    Date,
    /// Choices.
    Array,
    /// Places.
    Point,
}

impl ColumnKind {
    /// As in the `fields` of a JSON answer (recorded; `boolean` is a guess).
    pub(super) fn wire_name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Double => "double",
            Self::Text => "string",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Array => "string[]",
            Self::Point => "geometry",
        }
    }

    /// As in PostgreSQL's errors.
    pub(super) fn sql_name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "bigint",
            Self::Double => "double precision",
            Self::Text => "text",
            Self::Timestamp => "timestamp with time zone",
            Self::Date => "date",
            Self::Array => "text[]",
            Self::Point => "geometry",
        }
    }
}

/// The columns every form has, in the order of a recorded answer.
pub(super) const SYSTEM_COLUMNS: [(&str, ColumnKind); 34] = [
    ("_record_id", ColumnKind::Text),
    ("_project_id", ColumnKind::Text),
    ("_assigned_to_id", ColumnKind::Text),
    ("_status", ColumnKind::Text),
    ("_latitude", ColumnKind::Double),
    ("_longitude", ColumnKind::Double),
    ("_created_at", ColumnKind::Timestamp),
    ("_updated_at", ColumnKind::Timestamp),
    ("_version", ColumnKind::Integer),
    ("_created_by_id", ColumnKind::Text),
    ("_updated_by_id", ColumnKind::Text),
    ("_server_created_at", ColumnKind::Timestamp),
    ("_server_updated_at", ColumnKind::Timestamp),
    ("_geometry", ColumnKind::Point),
    ("_altitude", ColumnKind::Double),
    ("_speed", ColumnKind::Double),
    ("_course", ColumnKind::Double),
    ("_horizontal_accuracy", ColumnKind::Double),
    ("_vertical_accuracy", ColumnKind::Double),
    ("_changeset_id", ColumnKind::Text),
    ("_title", ColumnKind::Text),
    ("_created_latitude", ColumnKind::Double),
    ("_created_longitude", ColumnKind::Double),
    ("_created_geometry", ColumnKind::Point),
    ("_created_altitude", ColumnKind::Double),
    ("_created_horizontal_accuracy", ColumnKind::Double),
    ("_updated_latitude", ColumnKind::Double),
    ("_updated_longitude", ColumnKind::Double),
    ("_updated_geometry", ColumnKind::Point),
    ("_updated_altitude", ColumnKind::Double),
    ("_updated_horizontal_accuracy", ColumnKind::Double),
    ("_created_duration", ColumnKind::Integer),
    ("_updated_duration", ColumnKind::Integer),
    ("_edited_duration", ColumnKind::Integer),
];

/// Where in that list the columns begin that cannot be written: calculated, or measured by devices.
pub(super) const NOT_SIMULATED: std::ops::RangeFrom<usize> = 13..;

/// The key of a record among its columns.
pub(super) const KEY: &str = "_record_id";
