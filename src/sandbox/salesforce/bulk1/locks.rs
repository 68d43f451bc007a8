//! Row locks: whoever deletes a child holds its parents for the length of the transaction.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::batch::Chunk;
use crate::sandbox::world::Place;
use crate::sandbox::{FieldKind, OnDelete, RecordKey, Value, World};

/// Which batch holds which parent, and until when.
#[derive(Debug, Default)]
pub struct RowLocks {
    held: BTreeMap<RecordKey, (RecordKey, Timestamp)>,
}

impl RowLocks {
    /// Takes the parents of a chunk's rows for its batch, or none of them when another batch holds one at that time.
    /// Chunks must come in the order in which they begin.
    pub fn take(&mut self, world: &World, batch: RecordKey, chunk: &Chunk<'_>) -> bool {
        let keys = chunk.ids.iter().filter_map(|id| RecordKey::parse(id).ok());
        let parents: Vec<RecordKey> = keys.flat_map(|key| parents_of(world, key)).collect();
        let is_held = |parent| self.held.get(parent).is_some_and(|(by, until)| *by != batch && *until > chunk.from);
        if parents.iter().any(is_held) {
            return false;
        }
        self.held.extend(parents.into_iter().map(|parent| (parent, (batch, chunk.until))));
        true
    }
}

/// The records that deleting this one locks: the parents that something happens to when they go. A lookup that is merely
/// cleared locks nothing (documented: master-detail and roll-ups; for lookups that restrict, a guess).
fn parents_of(world: &World, key: RecordKey) -> Vec<RecordKey> {
    let Some((table, row)) = world.locate(key) else { return Vec::new() };
    let fields = world.tables()[table].definition().fields.iter().enumerate();
    let locking = fields.filter(
        |(_, field)| matches!(&field.kind, FieldKind::Lookup(lookup) if lookup.master || lookup.on_delete != OnDelete::Clear),
    );
    let values = locking.map(|(number, _)| world.value_at(table, row, Place::Field(number)));
    values.filter_map(|value| if let Value::Reference(parent) = value { Some(parent) } else { None }).collect()
}
