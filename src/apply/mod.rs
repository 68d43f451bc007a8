//! How records are deleted: the machine, batches, retry, pace, journal entries and outcomes. No I/O.
//!
//! Data in, data out: journal entries are told to a [`PolicyMachine`], which says what to do next. A crash is then nothing
//! special: tell it the same entries again and ask.

mod active;
mod answer;
mod batch;
mod entry;
mod fault;
mod machine;
mod outcome;
mod pace;
mod record_status;
mod step;

pub use answer::{Answer, AnswerVerdict, JobProgress, JobStage, Presence, Ticket};
pub use batch::{Batch, BatchSpecification, IdSource};
pub use entry::{Entry, Event, Excluded};
pub use fault::{Fault, FaultKind};
pub use machine::{MachineError, MachineSettings, MachineStatus, PolicyMachine, ROUNDS};
pub use outcome::{Evidence, Outcome, OutcomeKind, SkipCause, Tally};
pub use pace::back_off;
pub use record_status::{AtomicStatuses, RecordStatus, statuses_of_atomic};
pub use step::{Step, StepEnd};
