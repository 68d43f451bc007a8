//! How records are deleted: the machine, batches, retry, pace, journal entries and outcomes. No I/O.
//!
//! Data in, data out: a [`PolicyMachine`] takes journal entries and says what to do next. A crash therefore needs no special
//! handling: replay the same entries and ask again.

mod active;
mod answer;
mod answers;
mod batch;
mod entry;
mod fault;
mod machine;
mod outcome;
mod pace;
mod record_status;
mod seal;
mod step;
mod unanswered;

pub use answer::{Answer, AnswerVerdict, JobProgress, JobStage, Presence, Ticket};
pub use answers::{Answers, StatusRun};
pub use batch::{Batch, BatchSpecification, IdSource};
pub use entry::{Entry, Event, Excluded, Rechecked};
pub use fault::{Fault, FaultKind};
pub use machine::{MachineError, MachineSettings, MachineStatus, PolicyMachine, ROUNDS};
pub use outcome::{Evidence, Outcome, OutcomeKind, SkipCause, Tally};
pub use pace::{LONGEST_TOLD_WAIT, back_off};
pub use record_status::{AtomicStatuses, RecordStatus, settled_atomic, statuses_of_atomic};
pub use seal::Seal;
pub use step::{CheckedBatch, Step, StepEnd};
pub use unanswered::{SentState, Unanswered};
