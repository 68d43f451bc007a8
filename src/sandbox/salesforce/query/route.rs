//! Field paths, resolved: over which parents, to which field.

use crate::sandbox::world::Place;
use crate::sandbox::{FieldKind, Value, World};

/// One step from a record to its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    /// The lookup field.
    pub place: Place,
    /// The parent's name as the definition writes it.
    pub name: String,
    /// The tables the parent may be in.
    pub tables: Vec<usize>,
}

/// What stands at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A field.
    Place(Place),
    /// The name of the parent's object, of polymorphic lookups.
    ObjectName,
}

/// A field path of one object, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// The parents on the way.
    pub hops: Vec<Hop>,
    /// The field, by the table it is in.
    pub ends: Vec<(usize, End)>,
    /// The field's name as the definition writes it.
    pub name: String,
}

/// Where a path stops making sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeadEnd {
    /// The name that leads nowhere.
    pub name: String,
    /// The object it was looked for in.
    pub object: String,
}

impl Route {
    /// Resolves a path of the object in table `table`.
    pub(super) fn resolve(world: &World, table: usize, path: &str) -> Result<Self, DeadEnd> {
        let mut names: Vec<&str> = path.split('.').collect();
        let last = names.pop().unwrap_or_default();
        // A path may begin with the object's own name.
        if names.first().is_some_and(|name| name.eq_ignore_ascii_case(&world.tables()[table].definition().name))
            && hop(world, table, names[0]).is_none()
        {
            names.remove(0);
        }
        let mut hops: Vec<Hop> = Vec::new();
        let mut tables = vec![table];
        let dead_end = |name: &str, tables: &[usize]| DeadEnd {
            name: name.to_owned(),
            object: match tables {
                [table] => world.tables()[*table].definition().name.clone(),
                _ => "Name".to_owned(),
            },
        };
        for name in names {
            let [table] = tables[..] else { return Err(dead_end(name, &tables)) };
            let hop = hop(world, table, name).ok_or_else(|| dead_end(name, &tables))?;
            tables.clone_from(&hop.tables);
            hops.push(hop);
        }
        let ends = tables.iter().filter_map(|table| Some((*table, end(world, *table, last, tables.len() > 1)?)));
        let ends: Vec<(usize, End)> = ends.collect();
        let Some((table, first)) = ends.first().copied() else { return Err(dead_end(last, &tables)) };
        let name = match first {
            End::ObjectName => "Type".to_owned(),
            End::Place(_) if tables.len() > 1 && last.eq_ignore_ascii_case("Name") => "Name".to_owned(),
            End::Place(place) => world.tables()[table].field_name(place).to_owned(),
        };
        Ok(Self { hops, ends, name })
    }

    /// The field of a path that needs no parents.
    pub(super) fn own_place(&self) -> Option<Place> {
        match (self.hops.as_slice(), self.ends.as_slice()) {
            ([], [(_, End::Place(place))]) => Some(*place),
            _ => None,
        }
    }

    /// What the field holds; `None` for the record's own system fields.
    pub(super) fn kind<'a>(&self, world: &'a World) -> Option<&'a FieldKind> {
        match self.ends.first()? {
            (table, End::Place(place)) => world.tables()[*table].field_kind(*place),
            (_, End::ObjectName) => None,
        }
    }

    /// The place at the end, of the first table it may be in.
    pub(super) fn end_place(&self) -> Option<Place> {
        match self.ends.first()? {
            (_, End::Place(place)) => Some(*place),
            (_, End::ObjectName) => None,
        }
    }

    /// The value the path leads to from a row; nothing where a parent is missing.
    pub(super) fn value(&self, world: &World, table: usize, row: usize) -> Value {
        let mut at = (table, row);
        for hop in &self.hops {
            let Value::Reference(parent) = world.value_at(at.0, at.1, hop.place) else { return Value::Null };
            let Some(found) = world.locate(parent) else { return Value::Null };
            at = found;
        }
        self.end_value(world, at.0, at.1)
    }

    /// The value at the end of the path, of the row it leads to.
    pub(super) fn end_value(&self, world: &World, table: usize, row: usize) -> Value {
        match self.ends.iter().find(|(of, _)| *of == table) {
            Some((_, End::Place(place))) => world.value_at(table, row, *place),
            Some((_, End::ObjectName)) => world.tables()[table].definition().name.as_str().into(),
            None => Value::Null,
        }
    }
}

fn end(world: &World, table: usize, name: &str, is_polymorphic: bool) -> Option<End> {
    let table = &world.tables()[table];
    if is_polymorphic {
        return match name.to_ascii_lowercase().as_str() {
            "type" => Some(End::ObjectName),
            "name" => table.place(&table.definition().name_field).map(End::Place),
            "id" => Some(End::Place(Place::Id)),
            _ => None,
        };
    }
    table.place(name).map(End::Place)
}

/// The step that a table's records know by this name.
fn hop(world: &World, table: usize, name: &str) -> Option<Hop> {
    let users = || world.table_number("User").into_iter().collect();
    for (known, place) in [("CreatedBy", Place::CreatedById), ("LastModifiedBy", Place::LastModifiedById)] {
        if name.eq_ignore_ascii_case(known) {
            return Some(Hop { place, name: known.to_owned(), tables: users() });
        }
    }
    world.tables()[table].definition().fields.iter().enumerate().find_map(|(number, field)| {
        let FieldKind::Lookup(lookup) = &field.kind else { return None };
        let known = lookup.parent_name.as_deref().filter(|known| known.eq_ignore_ascii_case(name))?;
        let tables = lookup.to.iter().filter_map(|object| world.table_number(object)).collect();
        Some(Hop { place: Place::Field(number), name: known.to_owned(), tables })
    })
}
