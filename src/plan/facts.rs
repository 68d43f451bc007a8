//! What a system says about itself and its objects.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::system::{FieldType, is_shadow};

/// Who is signed in, where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// The system's own key of the organization; Salesforce: 18 characters beginning `00D`.
    pub organization_id: String,
    /// The organization's name, where the login may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    /// Who is signed in.
    pub user_name: String,
    /// The user's key.
    pub user_id: String,
    /// The address requests go to, without any credential.
    pub instance_url: String,
    /// Whether the system itself says that it holds real data; absent where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_production: Option<bool>,
}

/// What a system says about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectFacts {
    /// The object's name in the system's own spelling.
    pub name: String,
    /// Whether the login may delete records of it.
    pub deletable: bool,
    /// Whether a soft delete can be taken back.
    pub undeletable: bool,
    /// Whether it can be queried.
    pub queryable: bool,
    /// The first characters of every key of it, where the system has such a thing.
    pub key_prefix: Option<String>,
    /// The fields.
    pub fields: Vec<FieldFacts>,
    /// Whether these are all fields there are. Where not, a name that is not among them may be one, and the system judges it.
    pub knows_all_fields: bool,
    /// What points at it.
    pub children: Vec<ChildRelationship>,
}

impl ObjectFacts {
    /// Whether anything is known of the object. Where not, whether there is such an object is known once it was queried.
    pub fn is_described(&self) -> bool {
        self.knows_all_fields || !self.fields.is_empty()
    }

    /// The fields by which records of `child` look up to records of this object, each once, as far as either of the two descriptions
    /// tells.
    pub fn lookups_of(&self, child: &Self) -> BTreeSet<String> {
        let of_parent = self.children.iter().filter(|known| known.child.eq_ignore_ascii_case(&child.name));
        let of_child = child
            .fields
            .iter()
            .filter(|field| field.reference_to.iter().any(|object| object.eq_ignore_ascii_case(&self.name)));
        of_parent.map(|known| known.field.clone()).chain(of_child.map(|field| field.name.clone())).collect()
    }

    /// Whether there certainly is no field of that name.
    pub fn has_no_field(&self, name: &str) -> bool {
        self.knows_all_fields && self.field(name).is_none()
    }

    /// The field of that name, whatever its case.
    pub fn field(&self, name: &str) -> Option<&FieldFacts> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// What the system deletes together with a record of the object, one generation deep. Rows that are no records of their own
    /// are left out.
    pub fn cascading_children(&self) -> impl Iterator<Item = &ChildRelationship> {
        self.children.iter().filter(|child| child.cascades && !is_shadow(&child.child))
    }

    /// What keeps a record of the object from being deleted as long as it is there.
    pub fn restricting_children(&self) -> impl Iterator<Item = &ChildRelationship> {
        self.children.iter().filter(|child| child.restricts && !child.cascades && !is_shadow(&child.child))
    }
}

/// What a system says about one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFacts {
    /// The field's name in the system's own spelling.
    pub name: String,
    /// Its type.
    pub kind: FieldType,
    /// Whether a condition may use it.
    pub filterable: bool,
    /// Whether it can be empty.
    pub nillable: bool,
    /// The name a path uses to follow it (`Account` for `AccountId`).
    pub relationship_name: Option<String>,
    /// The objects it points at.
    pub reference_to: Vec<String>,
}

/// What happens to children when a record goes. Always read from the parent's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildRelationship {
    /// The child object.
    pub child: String,
    /// The child's field that points at this object.
    pub field: String,
    /// The child goes with the parent.
    pub cascades: bool,
    /// The child keeps the parent from going.
    pub restricts: bool,
}
