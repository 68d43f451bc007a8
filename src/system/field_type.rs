//! The types of fields that change how a literal is written.

/// The types that change how a literal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// Yes or no.
    Boolean,
    /// A whole or decimal number, a currency, a percentage.
    Number,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// A key.
    Reference,
    /// A multi-select picklist.
    MultiPicklist,
    /// Everything that is written as quoted text.
    Text,
}
