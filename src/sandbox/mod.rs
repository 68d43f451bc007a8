//! The simulator: a world of records behind the vendors' own interfaces, on loopback.
//!
//! It shares no code with the providers, or client and server might share a mistake. A [`World`] is data, and a [`Sandbox`] serves
//! it: by [`Sandbox::router`] inside the process or by [`serve`] on a socket. A test keeps the handle to inspect and change the
//! records while a client works:
//!
//! ```
//! use sexton::sandbox::{Sandbox, Settings, World};
//!
//! let start = "2026-11-21T10:00:00Z".parse()?;
//! let mut world = World::builder().start(start).build()?;
//! world.generate("Lead", 1_000, 1)?;
//! let lead = world.insert("Lead", [("LastName", "Haddad".into()), ("IsConverted", true.into())])?;
//! let sandbox = Sandbox::new(world, Settings::starting_at(start));
//! let token = sandbox.access_token(sandbox.world().first_user());
//! assert!(token.starts_with(sandbox.world().organization().key.fifteen()));
//! assert_eq!(sandbox.world().count("Lead"), 1_001);
//! assert!(sandbox.world().exists(lead));
//! assert!(sandbox.requests().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clock;
mod compression;
mod draw;
mod fault;
pub mod fulcrum;
mod gap;
mod gate;
mod handle;
mod request_log;
mod router;
mod salesforce;
pub mod seed;
mod server;
#[cfg(test)]
mod server_tests;
mod session;
mod settings;
mod soap;
#[cfg(test)]
mod typed_trees;
mod world;
mod worlds;
mod xml;
mod xml_writer;
mod zuora;

pub use clock::SandboxClock;
pub use fault::{Effect, Fault, FaultError, RequestMatch};
pub use gate::DroppedConnection;
pub use handle::Sandbox;
pub use request_log::RequestRecord;
pub use server::serve;
pub use settings::{CountLimit, CountRefusal, Settings};
pub use world::{
    Client, DeleteMode, Deletion, FieldDefinition, FieldKind, ItemError, Lookup, ObjectDefinition, OnDelete, Organization,
    PasswordLogin, Permissions, RecordKey, User, Value, ValueError, WeightLimit, World, WorldBuilder, WorldError,
    account_children, odd_objects,
};
pub use worlds::Worlds;
pub use zuora::{CallLimit, Tenant, TenantError, ZuoraSettings};
