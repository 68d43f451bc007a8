//! What the columns of a query are: the answer to `columns=true`, which runs nothing.

use serde_json::{Value as Json, json as tree};

use super::statement::{Column, Shape, Statement};
use crate::sandbox::world::Place;
use crate::sandbox::{FieldKind, World};

/// What a query would answer with (the members are recorded, those of a parent's fields and of counts a guess from what clients do with
/// them).
pub(super) fn metadata(world: &World, statement: &Statement) -> Json {
    let definition = world.tables()[statement.table].definition();
    let (columns, counts): (&[Column], bool) = match &statement.shape {
        Shape::Records(columns) => (columns, false),
        Shape::Aggregate(columns) => (columns, true),
        Shape::Count => (&[], false),
    };
    let mut described: Vec<Json> = Vec::new();
    for column in columns {
        if counts {
            let mut counted = leaf(&column.name, "Integer", false, true);
            counted["displayName"] = tree!(format!("count({})", column.route.name));
            described.push(counted);
            continue;
        }
        let (kind, editable) = types(world, column);
        let path: Vec<&str> = column.name.split('.').collect();
        place(&mut described, &path, kind, editable);
    }
    tree!({
        "columnMetadata": described,
        "entityName": definition.name,
        "groupBy": false,
        "idSelected": !counts && columns.iter().any(|column| column.name == "Id"),
        "keyPrefix": String::from_utf8_lossy(&definition.key_prefix),
    })
}

/// Puts a field below the parents that lead to it.
fn place(columns: &mut Vec<Json>, path: &[&str], kind: &str, editable: bool) {
    let (name, rest) = match path {
        [] => return,
        [field] => return columns.push(leaf(field, kind, editable, false)),
        [parent, rest @ ..] => (*parent, rest),
    };
    let known = columns.iter().position(|column| column["columnName"] == name && column["joinColumns"] != tree!([]));
    let at = known.unwrap_or_else(|| {
        columns.push(leaf(name, "Object", false, false));
        columns.len() - 1
    });
    if let Some(Json::Array(below)) = columns[at].get_mut("joinColumns") {
        place(below, rest, kind, editable);
    }
}

fn leaf(name: &str, kind: &str, editable: bool, aggregate: bool) -> Json {
    tree!({
        "aggregate": aggregate,
        "apexType": kind,
        "booleanType": kind == "Boolean",
        "columnName": name,
        "custom": name.ends_with("__c"),
        "displayName": name,
        "foreignKeyName": null,
        "insertable": editable,
        "joinColumns": [],
        "numberType": matches!(kind, "Integer" | "Double" | "Decimal"),
        "textType": kind == "String",
        "updatable": editable,
    })
}

/// The Apex type of a column, and whether it can be written.
fn types(world: &World, column: &Column) -> (&'static str, bool) {
    match column.route.end_place() {
        Some(Place::Field(_)) => {}
        Some(Place::IsDeleted) => return ("Boolean", false),
        Some(Place::CreatedDate | Place::LastModifiedDate | Place::SystemModstamp) => return ("Datetime", false),
        Some(Place::Id | Place::CreatedById | Place::LastModifiedById) => return ("Id", false),
        None => return ("String", false),
    }
    match column.route.kind(world) {
        Some(FieldKind::Boolean) => ("Boolean", true),
        Some(FieldKind::Integer) => ("Integer", true),
        Some(FieldKind::Double | FieldKind::Percent) => ("Double", true),
        Some(FieldKind::Currency) => ("Decimal", true),
        Some(FieldKind::Date) => ("Date", true),
        Some(FieldKind::DateTime) => ("Datetime", true),
        Some(FieldKind::Lookup(_)) => ("Id", true),
        Some(FieldKind::AutoNumber { .. }) => ("String", false),
        _ => ("String", true),
    }
}
