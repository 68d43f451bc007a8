//! What objects and fields there are. The members of these answers are in alphabetical order, like the recorded ones.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value as Json, json as tree};

use super::error::{ApiError, json};
use super::gate::ApiVersion;
use super::record::{ObjectPath, all_places};
use crate::sandbox::session::Session;
use crate::sandbox::world::{Place, Table};
use crate::sandbox::{FieldKind, ObjectDefinition, OnDelete, Sandbox, World};

/// `GET …/sobjects`.
pub(super) async fn list(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Extension(session): Extension<Session>,
) -> Response {
    let world = sandbox.world();
    let objects: Vec<Json> = world
        .objects()
        .into_iter()
        .filter_map(|name| world.table(name))
        .map(|table| Json::Object(summary(&world, table.definition(), version, session)))
        .collect();
    json(StatusCode::OK, &tree!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects }))
}

/// What an object is, and what this login may do with it.
fn summary(
    world: &World,
    object: &ObjectDefinition,
    version: ApiVersion,
    session: Session,
) -> serde_json::Map<String, Json> {
    let base = format!("/services/data/v{}/sobjects/{}", version.dotted(), object.name);
    let is_business = object.deletable;
    let prefix = String::from_utf8_lossy(&object.key_prefix).into_owned();
    let described = tree!({
        "createable": is_business,
        "custom": object.is_custom(),
        "customSetting": false,
        "deletable": object.deletable && world.may_delete(&object.name, session.user),
        "deprecatedAndHidden": false,
        "keyPrefix": if object.name == "UserPermissionAccess" { Json::Null } else { Json::String(prefix) },
        "label": object.label,
        "labelPlural": object.label_plural,
        "mergeable": matches!(object.name.as_str(), "Account" | "Case" | "Contact" | "Lead"),
        "name": object.name,
        "queryable": object.queryable,
        "replicateable": is_business,
        "retrieveable": true,
        "searchable": is_business,
        "triggerable": is_business,
        "undeletable": object.undeletable,
        "updateable": is_business,
        "urls": {
            "describe": format!("{base}/describe"),
            "rowTemplate": format!("{base}/{{ID}}"),
            "sobject": base,
        },
    });
    match described {
        Json::Object(members) => members,
        _ => serde_json::Map::new(),
    }
}

/// `GET …/sobjects/{object}`.
pub(super) async fn brief(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Extension(session): Extension<Session>,
    Path(path): Path<ObjectPath>,
) -> Result<Response, ApiError> {
    let world = sandbox.world();
    let table = world.table(&path.object).ok_or_else(ApiError::not_found)?;
    if !world.may_read(&table.definition().name, session.user) {
        return Err(ApiError::not_found());
    }
    Ok(json(
        StatusCode::OK,
        &tree!({ "objectDescribe": summary(&world, table.definition(), version, session), "recentItems": [] }),
    ))
}

/// `GET …/sobjects/{object}/describe`.
pub(super) async fn whole(
    State(sandbox): State<Sandbox>,
    Extension(version): Extension<ApiVersion>,
    Extension(session): Extension<Session>,
    Path(path): Path<ObjectPath>,
) -> Result<Response, ApiError> {
    let world = sandbox.world();
    let number = world.table_number(&path.object).ok_or_else(ApiError::not_found)?;
    let table = &world.tables()[number];
    if !world.may_read(&table.definition().name, session.user) {
        return Err(ApiError::not_found());
    }
    let mut described = summary(&world, table.definition(), version, session);
    let fields: Vec<Json> = all_places(table).into_iter().map(|place| field(&world, table, place)).collect();
    described.insert("childRelationships".to_owned(), Json::Array(child_relationships(&world, number)));
    described.insert("fields".to_owned(), Json::Array(fields));
    described.insert("recordTypeInfos".to_owned(), Json::Array(Vec::new()));
    described.insert("supportedScopes".to_owned(), tree!([{ "label": "All records", "name": "everything" }]));
    Ok(json(StatusCode::OK, &described))
}

fn child_relationships(world: &World, parent: usize) -> Vec<Json> {
    let mut children: Vec<(String, Json)> = Vec::new();
    for relation in world.relations(parent) {
        let child = &world.tables()[relation.child_table];
        let definition = &child.definition().fields[relation.child_field];
        let FieldKind::Lookup(lookup) = &definition.kind else { continue };
        let described = tree!({
            "cascadeDelete": matches!(relation.on_delete, OnDelete::Cascade | OnDelete::CascadeUnless(_)),
            "childSObject": child.definition().name,
            "deprecatedAndHidden": false,
            "field": definition.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": lookup.children_name,
            "restrictedDelete": relation.on_delete == OnDelete::Restrict,
        });
        children.push((format!("{}.{}", child.definition().name, definition.name), described));
    }
    children.sort_by(|left, right| left.0.cmp(&right.0));
    children.into_iter().map(|(_, described)| described).collect()
}

/// The type, the SOAP type and the length of a field.
fn types(table: &Table, place: Place) -> (&'static str, &'static str, u32) {
    match place {
        Place::Id => return ("id", "tns:ID", 18),
        Place::IsDeleted => return ("boolean", "xsd:boolean", 0),
        Place::CreatedDate | Place::LastModifiedDate | Place::SystemModstamp => return ("datetime", "xsd:dateTime", 0),
        Place::CreatedById | Place::LastModifiedById => return ("reference", "tns:ID", 18),
        Place::Field(_) => {}
    }
    match table.field_kind(place) {
        Some(FieldKind::Text(length)) => ("string", "xsd:string", *length),
        Some(FieldKind::TextArea) => ("textarea", "xsd:string", 32_000),
        Some(FieldKind::Email) => ("email", "xsd:string", 80),
        Some(FieldKind::Phone) => ("phone", "xsd:string", 40),
        Some(FieldKind::Url) => ("url", "xsd:string", 255),
        Some(FieldKind::Picklist(_)) => ("picklist", "xsd:string", 255),
        Some(FieldKind::MultiPicklist(_)) => ("multipicklist", "xsd:string", 4_099),
        Some(FieldKind::Boolean) => ("boolean", "xsd:boolean", 0),
        Some(FieldKind::Integer) => ("int", "xsd:int", 0),
        Some(FieldKind::Double) => ("double", "xsd:double", 0),
        Some(FieldKind::Currency) => ("currency", "xsd:double", 0),
        Some(FieldKind::Percent) => ("percent", "xsd:double", 0),
        Some(FieldKind::Date) => ("date", "xsd:date", 0),
        Some(FieldKind::DateTime) => ("datetime", "xsd:dateTime", 0),
        Some(FieldKind::AutoNumber { .. }) => ("string", "xsd:string", 30),
        Some(FieldKind::Lookup(_)) => ("reference", "tns:ID", 18),
        None => ("string", "xsd:string", 255),
    }
}

fn field(world: &World, table: &Table, place: Place) -> Json {
    let name = table.field_name(place);
    let (kind, soap, length) = types(table, place);
    let own = table.field_kind(place);
    let lookup = if let Some(FieldKind::Lookup(lookup)) = own { Some(lookup) } else { None };
    let by = matches!(place, Place::CreatedById | Place::LastModifiedById);
    let references: Vec<String> = match lookup {
        Some(lookup) => lookup.to.clone(),
        None if by => vec!["User".to_owned()],
        None => Vec::new(),
    };
    let relationship = match lookup {
        Some(lookup) => lookup.parent_name.clone(),
        None if by => name.strip_suffix("Id").map(str::to_owned),
        None => None,
    };
    let picklist: Vec<Json> = match own {
        Some(FieldKind::Picklist(values) | FieldKind::MultiPicklist(values)) => values
            .iter()
            .map(|value| tree!({ "active": true, "defaultValue": false, "label": value, "validFor": null, "value": value }))
            .collect(),
        _ => Vec::new(),
    };
    let is_number = matches!(kind, "double" | "currency" | "percent");
    let editable = own.is_some_and(|kind| !matches!(kind, FieldKind::AutoNumber { .. })) && table.definition().deletable;
    let master = lookup.is_some_and(|lookup| lookup.master);
    let external_id = matches!(place, Place::Field(number) if table.definition().fields[number].external_id);
    tree!({
        "aggregatable": kind != "textarea",
        "autoNumber": matches!(own, Some(FieldKind::AutoNumber { .. })),
        "byteLength": length * 3,
        "calculated": false,
        "cascadeDelete": false,
        "caseSensitive": false,
        "createable": editable,
        "custom": name.ends_with("__c"),
        "defaultValue": if kind == "boolean" { Json::Bool(false) } else { Json::Null },
        "defaultedOnCreate": kind == "boolean" || own.is_none(),
        "deprecatedAndHidden": false,
        "digits": if kind == "int" { 8 } else { 0 },
        "encrypted": false,
        "externalId": external_id,
        "filterable": kind != "textarea",
        "groupable": !is_number && kind != "textarea" && kind != "datetime",
        "idLookup": place == Place::Id || external_id,
        "label": name,
        "length": length,
        "name": name,
        "nameField": name == table.definition().name_field,
        "namePointing": references.len() > 1,
        "nillable": own.is_some() && kind != "boolean" && !master,
        "picklistValues": picklist,
        "polymorphicForeignKey": references.len() > 1,
        "precision": if is_number { 18 } else { 0 },
        "referenceTargetField": null,
        "referenceTo": references.iter().filter(|object| world.table(object).is_some()).collect::<Vec<_>>(),
        "relationshipName": relationship,
        "relationshipOrder": if master { Json::from(0) } else { Json::Null },
        "restrictedDelete": false,
        "restrictedPicklist": false,
        "scale": if is_number { 2 } else { 0 },
        "soapType": soap,
        "sortable": kind != "textarea" && kind != "multipicklist",
        "type": kind,
        "unique": place == Place::Id,
        "updateable": editable,
        "writeRequiresMasterRead": false,
    })
}
