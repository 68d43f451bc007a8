//! The typed filter tree that manifests may write instead of native text.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::base::{Age, Span};

/// Which records are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Every record of the object; has to be said aloud.
    Everything,
    /// Text in the target's own language.
    Text(TextFilter),
    /// A typed tree, compiled to the target's language when the plan is made.
    Tree(FilterTree),
    /// The records whose ids a file lists.
    Ids(IdFile),
}

/// A file that lists the ids of records: one a line, or a column of a CSV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdFile {
    /// Its path, relative to the project's directory.
    pub path: String,
    /// The name of the column, whatever its case; where it is not said, the column `Id` or the only one.
    pub column: Option<String>,
    /// Where the path stands.
    pub span: Span,
}

/// A filter written in the target's own language, already known to parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFilter {
    /// The condition alone, without `WHERE`, as the user wrote it.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A node of the typed tree.
///
/// **Invariants**: `All` and `Any` are not empty; an `In` has at least one value. A reader that cannot keep
/// them reports an error and makes no tree, since an empty `all` would mean every record.
#[derive(Clone, Debug, PartialEq, Eq, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(FilterTreeKind),
    doc = "A form that a node of a filter tree may have; its text is the key in manifests.",
    derive(strum::EnumIter, strum::IntoStaticStr),
    strum(serialize_all = "camelCase")
)]
pub enum FilterTree {
    /// Every part holds.
    All(Vec<FilterTree>),
    /// At least one part holds.
    Any(Vec<FilterTree>),
    /// The part does not hold.
    Not(Box<FilterTree>),
    /// One field against something.
    Field {
        /// The field, or a path such as `Account.Name`.
        field: String,
        /// Where the field's name stands.
        span: Span,
        /// What its value must be.
        predicate: Predicate,
    },
}

/// What the value of a field must be: one operator of a filter tree with what it compares with.
///
/// Every match over it, or over [`PredicateKind`], names all variants, and so does each language's `compile`: which records are
/// deleted must not follow from a wildcard.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, strum::EnumDiscriminants)]
#[schemars(rename_all = "camelCase")]
#[strum_discriminants(
    name(PredicateKind),
    doc = "An operator of a filter tree, without what it compares with; its text is the key in manifests.",
    derive(strum::EnumIter, strum::IntoStaticStr),
    strum(serialize_all = "camelCase")
)]
pub enum Predicate {
    /// The same value; `null` means that the field is empty.
    Equals(Literal),
    /// Another value. An empty field matches, as in SOQL.
    NotEquals(Literal),
    /// One of these values.
    In(#[schemars(length(min = 1))] Vec<Literal>),
    /// None of these values. An empty field matches, as in SOQL.
    NotIn(#[schemars(length(min = 1))] Vec<Literal>),
    /// Below.
    Less(Threshold),
    /// Below or equal.
    LessOrEqual(Threshold),
    /// Above.
    Greater(Threshold),
    /// Above or equal.
    GreaterOrEqual(Threshold),
    /// Text with `%` for any run of characters and `_` for any one character.
    Like(#[schemars(regex(pattern = r"\S"))] String),
    /// Empty (`true`) or not (`false`).
    IsNull(bool),
    /// The date is at least this long ago. An empty field never matches.
    OlderThan(Age),
    /// The date is less than this long ago. An empty field never matches.
    NewerThan(Age),
    /// A multi-select picklist holds one of these.
    Includes(#[schemars(length(min = 1), inner(regex(pattern = r"\S")))] Vec<String>),
    /// A multi-select picklist holds none of these.
    Excludes(#[schemars(length(min = 1), inner(regex(pattern = r"\S")))] Vec<String>),
}

/// The right side of an ordering comparison; a value without an order cannot be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold(pub Literal);

impl JsonSchema for Threshold {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"] })
    }
}

/// A value written in a manifest.
///
/// Dates and times arrive as text in YAML; they become their own kind when they have the exact form of one **and**
/// the field's type asks for one. A decimal keeps its digits, since a binary fraction would not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// Nothing.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A number, in the digits of the manifest: an optional sign, digits, an optional fraction.
    Number(String),
    /// Text.
    Text(String),
}

impl JsonSchema for Literal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Literal".into()
    }

    /// Any scalar, `null` too: it is said by what it is not, so that it is not mistaken for a key that may be left out.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "not": { "type": ["array", "object"] } })
    }
}
