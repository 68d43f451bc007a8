//! What people write: projects, targets, deletion policies and holds.
//!
//! Text becomes a [`Workspace`] or a list of [`crate::base::Diagnostic`]s, all of them at once. Reading files is the
//! store's business: this room takes texts.

mod api;
mod hold;
mod policy;
mod project;
mod secret;
mod target;
mod workspace;

pub use api::Api;
pub use hold::Hold;
pub use policy::{AllOrNone, Concurrency, DeleteMode, Limits, Policy, Recheck};
pub use project::Project;
pub use secret::SecretReference;
pub use target::{Environment, SalesforceSignIn, SalesforceTarget, System, Target};
pub use workspace::{Document, DocumentKind, Workspace};
