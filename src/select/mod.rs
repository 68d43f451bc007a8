//! Which records a policy means now: sign-in, facts, condition, reading, holds and cascades.

mod cascade;
mod condition;
mod connection;
mod context;
mod found_hold;
mod held;
mod hold;
mod hold_reading;
mod id_lists;
mod layout;
mod listed;
mod lookup;
mod memo;
mod no_such_object;
mod ordered_observer;
mod output_directories;
mod project;
mod project_context;
mod read_error;
mod reading;
mod selection;
mod selector;
mod side_by_side;
mod sort_space;
#[cfg(test)]
mod test_manifest;
mod unseen;

pub use cascade::{CountedCascades, count_cascades, count_restricting};
pub use condition::matching_for;
pub use connection::{Connection, Connections, open_all};
pub use context::{Connector, Context};
pub use found_hold::FoundHold;
pub use held::{Held, HeldIds, HeldSet};
pub use hold::HeldRecords;
pub use id_lists::{IdLists, mistakes_in_lists};
pub use layout::{Layout, query_for};
pub use no_such_object::no_such_object;
pub use project::{Project, plan_directory, read_manifests};
pub use project_context::ProjectContext;
pub use reading::IfMoving;
pub use selection::{Selection, broken_selection};
pub use selector::{PlannedIds, Selector};
pub use side_by_side::{AT_ONCE, side_by_side};
