//! The simulator: a world of records behind the vendors' own interfaces, on loopback.
//!
//! It shares no code with the providers, or client and server would agree on the same mistake. A [`World`] is data, a
//! [`Sandbox`] serves it: by [`Sandbox::router`] inside the process or by [`serve`] on a socket.

mod clock;
mod fault;
mod handle;
mod request_log;
mod salesforce;
pub mod seed;
mod server;
mod session;
mod settings;
mod world;

pub use clock::SandboxClock;
pub use fault::{Effect, Fault, FaultError, RequestMatch};
pub use handle::Sandbox;
pub use request_log::RequestRecord;
pub use salesforce::DroppedConnection;
pub use server::serve;
pub use settings::Settings;
pub use world::{
    Client, DeleteMode, Deletion, FieldDefinition, FieldKind, ItemError, Lookup, ObjectDefinition, OnDelete, Organization,
    Permissions, RecordKey, User, Value, ValueError, World, WorldBuilder, WorldError,
};
