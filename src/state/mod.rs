//! What sexton knows it has done: state, lineage, lock info. No I/O.

mod history;
mod lock_info;
mod record;

pub use history::{OpenRecords, PlanStatus, PlanUsed, PolicyEnd, fold_open};
pub use lock_info::LockInfo;
pub use record::{ConsumedPlan, OpenRecord, PolicyHistory, RunSummary, STATE_VERSION, State};
