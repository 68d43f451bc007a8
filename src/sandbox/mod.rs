//! The simulator: a world of records behind the vendors' own interfaces, on loopback.
//!
//! It shares no code with the providers, or client and server would agree on the same mistake.

mod clock;
mod world;

pub use clock::SandboxClock;
pub use world::{
    Client, DeleteMode, Deletion, FieldDefinition, FieldKind, ItemError, Lookup, ObjectDefinition, OnDelete, Organization,
    Permissions, RecordKey, User, Value, ValueError, World, WorldBuilder, WorldError,
};
