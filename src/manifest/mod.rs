//! What people write: projects, targets, deletion policies and holds.
//!
//! Text becomes a [`Workspace`] or a list of [`crate::base::Diagnostic`]s, all of them at once. Reading files is the
//! store's business: this folder takes text.

mod accept;
mod check;
mod claim;
pub mod codes;
mod fields;
mod filter_schema;
mod hold;
mod ignore_file;
mod input;
mod lower;
mod mask;
mod node;
mod policy;
mod project;
mod reader;
mod scalar;
mod schema;
mod secret;
mod sifted;
mod target;
mod workspace;

pub use accept::Accept;
pub use codes::{CODES, CodeEntry};
pub use hold::{ChildLookup, HeldChildren, Hold};
pub use input::{
    MOST_FILE_BYTES, MOST_SIFTED_BYTES, ManifestFile, ManifestFileError, NO_DIRECTORY_HELP, PassedOver, PassedOverCause,
};
pub use policy::{AllOrNone, Concurrency, Limits, Policy, PolicySettings, Recheck, SendAs};
pub use project::{OnRefusal, Project, SharedLimits};
pub use reader::{Reading, read};
pub use schema::json_schema;
pub use secret::SecretReference;
pub use sifted::{OutputDirectory, Sifted};
pub use target::{
    Environment, FulcrumTarget, SalesforceSignIn, SalesforceTarget, System, Target, ZuoraCalls, ZuoraSignIn, ZuoraTarget,
};
pub use workspace::{Document, DocumentKind, Workspace};
