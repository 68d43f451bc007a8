//! What the columns of a query are: the answer to `columns=true`, which runs nothing.

use serde_json::{Value as Json, json as tree};

use super::statement::{Column, Shape, Statement};
use crate::sandbox::world::Place;
use crate::sandbox::{FieldKind, World};

/// What a query would answer with. All members are recorded, but for `editable` of a parent's fields, which is a guess.
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
            let mut counted = leaf(&column.name, None, false, true);
            counted["displayName"] = tree!(format!("count({})", column.route.name));
            counted["numberType"] = tree!(true);
            described.push(counted);
            continue;
        }
        let (kind, editable) = types(world, column);
        let lookups = lookups(world, statement.table, column);
        place(&mut described, &lookups, leaf(&column.route.name, Some(kind), editable, false));
    }
    tree!({
        "columnMetadata": described,
        "entityName": definition.name,
        "groupBy": false,
        "idSelected": !counts && columns.iter().any(|column| column.name == "Id"),
        "keyPrefix": String::from_utf8_lossy(&definition.key_prefix),
    })
}

/// The parents that lead to a field: their names, and the fields that point at them.
fn lookups<'a>(world: &'a World, table: usize, column: &'a Column) -> Vec<(&'a str, &'a str)> {
    let mut table = table;
    let hops = column.route.hops.iter().map(|hop| {
        let field = world.tables()[table].field_name(hop.place);
        table = hop.tables.first().copied().unwrap_or(table);
        (hop.name.as_str(), field)
    });
    hops.collect()
}

/// Puts a field below the parents that lead to it.
fn place(columns: &mut Vec<Json>, lookups: &[(&str, &str)], field: Json) {
    let Some(((name, lookup), rest)) = lookups.split_first() else { return columns.push(field) };
    let known = columns.iter().position(|column| column["columnName"] == *name && column["foreignKeyName"] == *lookup);
    let at = known.unwrap_or_else(|| {
        let mut parent = leaf(name, None, false, false);
        parent["foreignKeyName"] = tree!(lookup);
        columns.push(parent);
        columns.len() - 1
    });
    if let Some(Json::Array(below)) = columns[at].get_mut("joinColumns") {
        place(below, rest, field);
    }
}

fn leaf(name: &str, kind: Option<&str>, editable: bool, aggregate: bool) -> Json {
    tree!({
        "aggregate": aggregate,
        "apexType": kind,
        "booleanType": kind == Some("Boolean"),
        "columnName": name,
        "custom": name.ends_with("__c"),
        "displayName": name,
        "foreignKeyName": null,
        "insertable": editable,
        "joinColumns": [],
        "numberType": matches!(kind, Some("Integer" | "Double" | "Decimal")),
        "textType": kind == Some("String"),
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
