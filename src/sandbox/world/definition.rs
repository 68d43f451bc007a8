//! What objects and fields exist.

use super::RecordKey;
use super::place::{Place, SYSTEM_FIELDS};
use super::value::{Value, ValueError, read_moment};

/// An object (a kind of record), such as `Lead`.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectDefinition {
    /// The API name. It is looked up without regard to case and shown as written here.
    pub name: String,
    /// What people call one record.
    pub label: String,
    /// What people call several.
    pub label_plural: String,
    /// The first three characters of its keys.
    pub key_prefix: [u8; 3],
    /// The field that people know a record by.
    pub name_field: String,
    /// Whether records may be deleted at all.
    pub deletable: bool,
    /// Whether deleted records may be restored.
    pub undeletable: bool,
    /// Whether its records say that they are deleted, in the field `IsDeleted`. What has no recycle bin does not (documented for some).
    pub has_is_deleted: bool,
    /// Whether bulk jobs take it, for reading and for deleting.
    pub bulk: bool,
    /// Whether it can be queried: the lists that only a page of a record shows cannot.
    pub queryable: bool,
    /// The fields one of which every query must compare with one key or with a list of them; none where it need not.
    pub needs_filter_on: Vec<String>,
    /// The fields, without the ones every object has (`Id`, `IsDeleted`, `CreatedDate`, …).
    pub fields: Vec<FieldDefinition>,
}

impl ObjectDefinition {
    /// A deletable object without fields, known by its `Name`.
    pub fn new(name: &str, label: &str, label_plural: &str, key_prefix: [u8; 3]) -> Self {
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            label_plural: label_plural.to_owned(),
            key_prefix,
            name_field: "Name".to_owned(),
            deletable: true,
            undeletable: true,
            has_is_deleted: true,
            bulk: true,
            queryable: true,
            needs_filter_on: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// Whether it is made by users; such names end in `__c`.
    pub fn is_custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    /// Whether it has a field of this name, in any case; the ones every object has included.
    pub(in crate::sandbox) fn has_field(&self, name: &str) -> bool {
        let system = self.system_fields().map(|(name, _)| name);
        self.fields.iter().map(|field| field.name.as_str()).chain(system).any(|known| known.eq_ignore_ascii_case(name))
    }

    /// The fields it has without naming them, in the order a description lists them.
    pub(in crate::sandbox) fn system_fields(&self) -> impl Iterator<Item = (&'static str, Place)> {
        let has_is_deleted = self.has_is_deleted;
        SYSTEM_FIELDS.into_iter().filter(move |(_, place)| has_is_deleted || *place != Place::IsDeleted)
    }

    /// The same, with one more field.
    #[must_use]
    pub fn with(mut self, name: &str, kind: FieldKind) -> Self {
        self.fields.push(FieldDefinition { name: name.to_owned(), kind, external_id: false });
        self
    }

    /// The same, known by another field than `Name`.
    #[must_use]
    pub fn named_by(mut self, field: &str) -> Self {
        field.clone_into(&mut self.name_field);
        self
    }
}

/// One field of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDefinition {
    /// The API name.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether records may be addressed by it.
    pub external_id: bool,
}

/// What a field holds. The names are those of the vendor's describe call, except where it splits further.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldKind {
    /// Text of one line, with its longest length in characters.
    Text(u32),
    /// Text of several lines.
    TextArea,
    /// An electronic mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A web address.
    Url,
    /// One of several words.
    Picklist(Vec<String>),
    /// Some of several words.
    MultiPicklist(Vec<String>),
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer,
    /// A decimal number.
    Double,
    /// An amount of money.
    Currency,
    /// A share.
    Percent,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// Text the system counts up, such as `00001000`.
    AutoNumber {
        /// What stands before the number.
        prefix: String,
        /// How many digits.
        digits: usize,
    },
    /// The key of another record.
    Lookup(Lookup),
}

impl FieldKind {
    /// Reads a value as a CSV seed or a text literal writes it. Empty text is nothing.
    ///
    /// # Errors
    ///
    /// When the text does not fit the type.
    pub fn read(&self, text: &str) -> Result<Value, ValueError> {
        if text.is_empty() {
            return Ok(match self {
                Self::Boolean => Value::Boolean(false),
                _ => Value::Null,
            });
        }
        let refuse = |wanted| ValueError { text: text.chars().take(80).collect(), wanted };
        match self {
            Self::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" | "1" => Ok(Value::Boolean(true)),
                "false" | "0" => Ok(Value::Boolean(false)),
                _ => Err(refuse("xsd:boolean")),
            },
            Self::Integer | Self::Double | Self::Currency | Self::Percent => text
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(Value::Number)
                .ok_or_else(|| refuse("xsd:double")),
            Self::Date => text.get(..10).and_then(|day| day.parse().ok()).map(Value::Date).ok_or_else(|| refuse("xsd:date")),
            Self::DateTime => read_moment(text).map(Value::DateTime).ok_or_else(|| refuse("xsd:dateTime")),
            Self::Lookup(_) => RecordKey::parse(text).map(Value::Reference).map_err(|_| refuse("tns:ID")),
            _ => Ok(Value::from(text)),
        }
    }
}

/// A reference from a child to its parent.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    /// The objects it may point at; several for a polymorphic field such as `WhatId`.
    pub to: Vec<String>,
    /// The child's name for the parent, as in `Account.Name`.
    pub parent_name: Option<String>,
    /// The parent's name for its children, as in `Contacts`.
    pub children_name: Option<String>,
    /// What happens to the child when the parent is deleted.
    pub on_delete: OnDelete,
    /// Whether the child cannot live without a parent and inherits its rights (master-detail).
    pub master: bool,
}

impl Lookup {
    /// A plain lookup that is cleared when the parent goes. `parent_name` is what the child calls it.
    pub fn to(objects: &[&str], parent_name: &str) -> Self {
        Self {
            to: objects.iter().map(|object| (*object).to_owned()).collect(),
            parent_name: Some(parent_name.to_owned()),
            children_name: None,
            on_delete: OnDelete::Clear,
            master: false,
        }
    }

    /// The same, with the parent's name for its children.
    #[must_use]
    pub fn children(mut self, name: &str) -> Self {
        self.children_name = Some(name.to_owned());
        self
    }

    /// The same, with another rule for a parent's deletion.
    #[must_use]
    pub fn on_delete(mut self, rule: OnDelete) -> Self {
        self.on_delete = rule;
        self
    }
}

impl From<Lookup> for FieldKind {
    fn from(lookup: Lookup) -> Self {
        Self::Lookup(lookup)
    }
}

/// What happens to a child when its parent is deleted.
#[derive(Clone, Debug, PartialEq)]
pub enum OnDelete {
    /// The child's field is cleared (`SetNull`, the vendor's default).
    Clear,
    /// The parent cannot be deleted (`restrictedDelete`).
    Restrict,
    /// The child goes too (`cascadeDelete`).
    Cascade,
    /// The child goes too, unless this field of it is true: then the parent cannot be deleted. Stands for the vendor's
    /// own rules, such as an account with a won opportunity (documented).
    CascadeUnless(String),
}
