//! What sexton knows it has done: state, lineage, lock info. No I/O.

mod lock_info;
mod record;

pub use lock_info::LockInfo;
pub use record::{ConsumedPlan, OpenRecord, PolicyHistory, RunSummary, STATE_VERSION, State};
