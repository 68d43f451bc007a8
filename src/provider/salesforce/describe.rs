//! What the system says about an object.

use serde::Deserialize;

use super::call::Call;
use super::session::Session;
use super::soql::check_names;
use crate::filter::FieldType;
use crate::plan::{ChildRelationship, FieldFacts, ObjectFacts};
use crate::provider::{ErrorClass, ProviderError};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    name: String,
    deletable: bool,
    undeletable: bool,
    queryable: bool,
    key_prefix: Option<String>,
    fields: Vec<DescribedField>,
    child_relationships: Vec<DescribedChild>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribedField {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    filterable: bool,
    nillable: bool,
    relationship_name: Option<String>,
    #[serde(default)]
    reference_to: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribedChild {
    #[serde(rename = "childSObject")]
    child: String,
    field: String,
    cascade_delete: bool,
    restricted_delete: bool,
}

/// Asks what the system says about an object.
pub(super) async fn describe(session: &Session, object: &str) -> Result<ObjectFacts, ProviderError> {
    let doing = format!("describe {object}");
    check_names(&doing, object, [])?;
    let call = Call::get(doing, format!("sobjects/{object}/describe"));
    let described: Described = session.read_json(&call).await.map_err(|error| match error.class {
        ErrorClass::NotFound => ProviderError {
            help: Some(format!(
                "check the name `{object}` (custom objects end in `__c`), and that this user may read the object"
            )),
            ..error
        },
        _ => error,
    })?;
    if !described.name.eq_ignore_ascii_case(object) {
        return Err(call.unreadable("the answer is about another object"));
    }
    Ok(ObjectFacts {
        name: described.name,
        deletable: described.deletable,
        undeletable: described.undeletable,
        queryable: described.queryable,
        key_prefix: described.key_prefix,
        fields: described.fields.into_iter().map(field).collect(),
        children: described.child_relationships.into_iter().filter(|child| is_record(&child.child)).map(child).collect(),
    })
}

fn field(field: DescribedField) -> FieldFacts {
    let kind = match field.kind.as_str() {
        "boolean" => FieldType::Boolean,
        "int" | "long" | "double" | "currency" | "percent" => FieldType::Number,
        "date" => FieldType::Date,
        "datetime" => FieldType::DateTime,
        "id" | "reference" => FieldType::Reference,
        "multipicklist" => FieldType::MultiPicklist,
        _ => FieldType::Text,
    };
    FieldFacts {
        name: field.name,
        kind,
        filterable: field.filterable,
        nillable: field.nillable,
        relationship_name: field.relationship_name,
        reference_to: field.reference_to,
    }
}

/// Change events are listed as children and are no records (recorded list).
fn is_record(child: &str) -> bool {
    !child.ends_with("ChangeEvent")
}

fn child(child: DescribedChild) -> ChildRelationship {
    ChildRelationship {
        child: child.child,
        field: child.field,
        cascades: child.cascade_delete,
        restricts: child.restricted_delete,
    }
}
