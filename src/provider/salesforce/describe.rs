//! What the system says about an object.

use serde::Deserialize;

use super::call::Call;
use super::session::Session;
use super::soql::check_names;
use crate::plan::{ChildRelationship, FieldFacts, ObjectFacts};
use crate::provider::{ErrorClass, ProviderError};
use crate::system::FieldType;

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
        knows_all_fields: true,
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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::provider::transport::scripted::json;

    const ACCOUNT: &str = r#"{"name":"Account","deletable":true,"undeletable":true,"queryable":true,"keyPrefix":"001","custom":false,
        "fields":[{"name":"Id","type":"id","filterable":true,"nillable":false,"relationshipName":null,"referenceTo":[]},
            {"name":"OwnerId","type":"reference","filterable":true,"nillable":false,"relationshipName":"Owner","referenceTo":["User"]},
            {"name":"AnnualRevenue","type":"currency","filterable":true,"nillable":true,"relationshipName":null,"referenceTo":[]}],
        "childRelationships":[
            {"cascadeDelete":true,"childSObject":"Contact","deprecatedAndHidden":false,"field":"AccountId","relationshipName":"Contacts","restrictedDelete":false},
            {"cascadeDelete":false,"childSObject":"Case","deprecatedAndHidden":false,"field":"AccountId","relationshipName":"Cases","restrictedDelete":true},
            {"cascadeDelete":false,"childSObject":"AccountChangeEvent","deprecatedAndHidden":false,"field":"OwnerId","relationshipName":null,"restrictedDelete":false}]}"#;

    #[tokio::test]
    async fn tells_fields_and_children() {
        let (provider, transport) = org(|_| json(200, ACCOUNT));
        let facts = provider.describe("account").await.expect("described");
        assert_eq!(asked(&transport)[0].line(), "GET /services/data/v66.0/sobjects/account/describe");
        assert_eq!((facts.name.as_str(), facts.key_prefix.as_deref(), facts.deletable), ("Account", Some("001"), true));
        let kinds: Vec<FieldType> = facts.fields.iter().map(|field| field.kind).collect();
        assert_eq!(kinds, [FieldType::Reference, FieldType::Reference, FieldType::Number]);
        assert_eq!(facts.fields[1].reference_to, ["User"]);
        let children: Vec<_> =
            facts.children.iter().map(|child| (child.child.as_str(), child.cascades, child.restricts)).collect();
        assert_eq!(children, [("Contact", true, false), ("Case", false, true)]);
    }

    #[tokio::test]
    async fn an_unknown_object_is_named_with_what_to_check() {
        let (provider, _) =
            org(|_| json(404, r#"[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]"#));
        let error = provider.describe("Leed").await.expect_err("no such thing");
        assert_eq!(error.class, ErrorClass::NotFound);
        assert!(error.help.expect("a remedy").contains("`Leed`"));
    }

    #[tokio::test]
    async fn another_object_and_a_path_are_refused() {
        let (provider, _) = org(|_| json(200, ACCOUNT));
        assert_eq!(provider.describe("Contact").await.expect_err("another").class, ErrorClass::Malformed);
        assert_eq!(provider.describe("../Account").await.expect_err("a path").class, ErrorClass::Invalid);
    }
}
