//! Which records a policy means now: sign-in, facts, condition, reading, holds and cascades.

mod cascade;
mod condition;
mod connection;
mod context;
mod hold;
mod project;
mod reading;
mod selection;

pub use cascade::count_cascades;
pub use condition::condition_for;
pub use connection::{Connection, open_all};
pub use context::{Connector, Context};
pub use hold::{Held, HeldSet, HoldReading, is_shadow};
pub use project::{Project, plan_directory, read_manifests};
pub use reading::Reading;
pub use selection::{Layout, Selecting, Selection, broken_selection, query_for, selected_ids};
