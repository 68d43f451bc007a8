//! One organization as data: objects, records, users, permissions, the recycle bin, and the rules of deletion.

mod account_children;
mod build;
mod definition;
mod delete;
#[cfg(test)]
mod delete_tests;
mod generate;
mod item_error;
mod key;
mod odd_objects;
mod organization;
mod place;
mod standard;
mod table;
mod value;
mod weight_limit;
#[expect(clippy::module_inception, reason = "the world is the noun of this folder")]
mod world;

pub use account_children::account_children;
pub use build::WorldBuilder;
pub use definition::{FieldDefinition, FieldKind, Lookup, ObjectDefinition, OnDelete};
pub use delete::{DeleteMode, Deletion};
pub use item_error::ItemError;
pub use key::RecordKey;
pub use odd_objects::odd_objects;
pub use organization::{Client, Organization, PasswordLogin, Permissions, User};
pub use value::{Value, ValueError};
pub use weight_limit::WeightLimit;
pub use world::{World, WorldError};

pub(in crate::sandbox) use place::Place;
pub(in crate::sandbox) use table::Table;
